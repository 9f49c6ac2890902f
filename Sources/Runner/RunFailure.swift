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
            if let holder, !holder.isOurs {
                Complaint(
                    .tryLater,
                    "the lock on this database is held by a login that is none of migrated's: \(holder.description)",
                    hint: """
                        Nothing runs until that session ends. End it as a superuser: SELECT pg_terminate_backend(\(holder.backendPID)); \
                        then find out who uses role '\(holder.role)': no program but migrated takes this lock.
                        """)
            } else {
                Complaint(
                    .tryLater,
                    "another process is migrating this database" + (holder.map { ": \($0.description)" } ?? ""),
                    hint: "It is safe to try again; the lock ends with that process's session.")
            }
        case .complaint(let complaint), .interrupted(let complaint): complaint
        }
    }
}

/// Does what complains about what was given, as part of a run.
func told<Value>(_ body: () throws(Complaint) -> Value) throws(RunFailure) -> Value {
    do throws(Complaint) { return try body() } catch { throw .complaint(error) }
}

/// The session that holds the advisory lock.
public struct LockHolder: Sendable, Equatable, CustomStringConvertible {
    /// Its backend's process id.
    public var backendPID: Int
    /// What it calls itself; ours are `migrated HOST PID`.
    public var application: String
    /// Its client's address; nil for a socket.
    public var address: String?
    /// How long its session has stood, in seconds by the server's clock; nil where this login may not see that.
    public var seconds: Int64?
    /// The role of its session.
    public var role: String
    /// Whether that role may keep this history. Any role that can connect can take an advisory lock.
    public var isOurs: Bool

    /// One line, for people.
    public var description: String {
        let from = address.map { " from \($0)" } ?? ""
        let time = seconds.map { ", connected for \(TimeSpan.seconds($0).brief)" } ?? ""
        return "'\(application)'\(from), role '\(role)', backend \(backendPID)\(time)"
    }
}
