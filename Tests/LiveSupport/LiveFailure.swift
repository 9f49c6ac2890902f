/// Why a live test could not be set up, or what did not happen in time.
///
/// Not a finding about the program under test: a machine without PostgreSQL, a server that did not start, a child that
/// did not end. Tests let it fail them as it is.
public struct LiveFailure: Error, CustomStringConvertible {
    /// One sentence, with whatever the child said.
    public let description: String

    /// A failure that is told by this sentence.
    public init(_ description: String) {
        self.description = description
    }
}
