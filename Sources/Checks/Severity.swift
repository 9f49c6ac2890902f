/// How much a finding matters.
public enum Severity: String, CaseIterable, Sendable, Comparable {
    /// Worth knowing; nothing has to change. Shown on request.
    case note
    /// It may do harm, depending on what the database holds and who uses it.
    case warning
    /// It fails, or does what nobody meant.
    case error

    private var rank: Int {
        switch self {
        case .note: 0
        case .warning: 1
        case .error: 2
        }
    }

    public static func < (left: Severity, right: Severity) -> Bool { left.rank < right.rank }
}

/// From which severity on a check ends with an exit status other than 0: `--fail-on`.
public enum FailureThreshold: String, CaseIterable, Sendable {
    /// From errors on.
    case error
    /// From warnings on.
    case warning
    /// At anything.
    case note
    /// At nothing, not even at a file that cannot be run.
    case never

    /// Whether a finding of that severity fails the check.
    public func isReached(by severity: Severity) -> Bool {
        switch self {
        case .error: severity >= .error
        case .warning: severity >= .warning
        case .note: true
        case .never: false
        }
    }
}
