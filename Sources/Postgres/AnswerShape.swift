internal import Synchronization

/// Whether a session's server has answered with something else than it was asked for: fewer columns, no row where there is always one, a word
/// where a number belongs.
///
/// What is missing is read as null, so that no answer can trap the program; and the session counts as lost from then on, so that nothing is
/// decided by it: the next call on it throws `.lost`. What a caller reads last is followed by its COMMIT.
final class AnswerShape: Sendable {
    private let broken = Atomic<Bool>(false)

    /// Whether something was not as asked for.
    var isBroken: Bool { broken.load(ordering: .relaxed) }

    /// Something is not as asked for.
    func giveUp() { broken.store(true, ordering: .relaxed) }
}

extension ServerError {
    /// What is reported of a server that does not keep to the protocol, or answers another question than it was asked.
    ///
    /// Its code is PostgreSQL's own for that (`protocol_violation`), which ends a session.
    public static func protocolViolation(_ what: String) -> ServerError {
        ServerError(
            sqlstate: "08P01", message: "the server does not answer as PostgreSQL does: \(what)",
            hint:
                "Check 'host' and 'port' in the connection string: something else listens there, or something on the way changes the answers."
        )
    }
}
