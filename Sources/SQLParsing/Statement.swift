/// One statement of a script.
public struct Statement: Sendable, Equatable {
    /// Its bytes in the script's text: from its first word to before its `;`, without leading comments and without white space at
    /// either end.
    public let range: Range<Int>
    /// libpg_query's name of the syntax node: `IndexStmt`, `CreateStmt`, `DoStmt` …
    public let node: String
    /// The line of its first word, from 1.
    public let line: Int
}
