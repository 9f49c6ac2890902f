/// The exit codes of both programs: one table, numbers never reused.
///
/// They follow sysexits.h where it has a word, so that `RestartPreventExitStatus=` can tell what a restart will not mend.
public enum ExitStatus: Int32, Sendable, CaseIterable {
    /// Done, nothing found.
    case done = 0
    /// A migration failed, or a check found something; for `verify`: tampering.
    case failed = 1
    /// `verify` cannot tell.
    case cannotTell = 2
    /// Wrong words on the command line.
    case usage = 64
    /// A migration file that cannot be accepted.
    case badFile = 65
    /// The database cannot be reached.
    case unavailable = 69
    /// A bug of ours.
    case bug = 70
    /// Reading or writing a file failed.
    case inputOutput = 74
    /// Try later: locked elsewhere, or timed out waiting.
    case tryLater = 75
    /// Not permitted, or ownership or mode that is not safe.
    case permission = 77
    /// Configuration that a restart will not mend.
    case configuration = 78
}
