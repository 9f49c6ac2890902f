public import Postgres
public import Reporting

/// Why work with the database did not come to its end.
public enum RunFailure: Error, Equatable {
    /// The server refused a statement of ours.
    case refused(PostgresError)
    /// The session is gone; nothing is known of what it was doing last.
    case lost(PostgresError)
    /// An attempt was cut off by the loss of its session; that is recorded.
    case interrupted(Complaint)
    /// A request to stop came.
    case stopped
    /// The database gave no answer in time.
    case unresponsive
    /// Another process holds the lock.
    case lockedElsewhere(LockHolder?)
    /// It cannot go on, and why.
    case complaint(Complaint)
}

extension RunFailure: Complaining {
    /// What to tell.
    public var complaint: Complaint {
        switch self {
        case .refused(let error), .lost(let error): error.complaint
        case .stopped: Complaint(.tryLater, "stopped by a signal")
        case .unresponsive:
            Complaint(
                .unavailable, "the database gave no answer in time", hint: "Check the server and the network to it.")
        case .lockedElsewhere(let holder):
            Complaint(
                .tryLater, "another process is migrating this database" + (holder.map { ": \($0.description)" } ?? ""),
                hint: "It is safe to try again; the lock ends with that process's session.")
        case .complaint(let complaint), .interrupted(let complaint): complaint
        }
    }
}

/// The session that holds the advisory lock.
public struct LockHolder: Sendable, Equatable, CustomStringConvertible {
    /// Its backend's process id.
    public var backendPID: Int
    /// What it calls itself; ours are `migrated HOST PID`.
    public var application: String
    /// Its client's address; nil for a socket.
    public var address: String?
    /// How long its session has stood, in seconds by the server's clock.
    public var seconds: Int64

    /// One line, for people.
    public var description: String {
        let from = address.map { " from \($0)" } ?? ""
        return "'\(application)'\(from), backend \(backendPID), connected for \(TimeSpan.seconds(seconds).brief)"
    }
}
