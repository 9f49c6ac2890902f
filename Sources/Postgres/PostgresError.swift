public import Reporting

/// What PostgreSQL's ErrorResponse says, field by field (PostgreSQL manual, 55.8 "Error and Notice Message Fields").
public struct ServerError: Error, Sendable, Equatable {
    /// The five characters of the error code; empty where libpq itself made the error.
    public var sqlstate: String
    /// The primary message.
    public var message: String
    /// The secondary message.
    public var detail: String?
    /// The server's suggestion.
    public var hint: String?
    /// Characters from 1 into the text that was sent.
    public var position: Int?
    /// The call stack of PL functions.
    public var context: String?
    /// The table, constraint or other object that the error is about.
    public var object: String?
    /// How many statements of the text that was sent had succeeded before.
    public var statementsDone = 0

    /// An error in our own words, told as the server's would be.
    public init(sqlstate: String, message: String, hint: String? = nil) {
        self.sqlstate = sqlstate
        self.message = message
        self.hint = hint
    }

    /// Whether the session is gone after such an error: the class 08, the codes 57P, and timeouts that end it.
    public var endsSession: Bool {
        sqlstate.hasPrefix("08") || ["57P01", "57P02", "57P03", "57P04", "57P05", "25P03", "25P04"].contains(sqlstate)
    }
}

/// How an operation on a connection ends without a result.
public enum PostgresError: Error, Sendable, Equatable {
    /// The server refused; the session goes on.
    case server(ServerError)
    /// The session is gone, or never came to be; the first error that said so.
    case lost(ServerError)
    /// The waiter gave up; the session must be closed, what the server does with the statement is not known.
    case abandoned
    /// The connection string is not one.
    case invalidTarget(String)

    /// The server's or libpq's words, where there are some.
    public var serverError: ServerError? {
        switch self {
        case .server(let error), .lost(let error): error
        case .abandoned, .invalidTarget: nil
        }
    }
    /// The error code, where the server gave one.
    public var sqlstate: String? { serverError.flatMap { $0.sqlstate.isEmpty ? nil : $0.sqlstate } }
}

extension PostgresError: Complaining {
    /// What to tell an operator. Connection strings and values never appear in it.
    public var complaint: Complaint {
        switch self {
        case .server(let error):
            return Complaint(.failed, error.message, hint: error.hint, sqlstate: error.sqlstate)
        case .lost(let error):
            return Complaint(
                error.connectionStatus, error.message.isEmpty ? "connection to the database was lost" : error.message,
                // With several hosts libpq's is about the first one that failed.
                hint: error.isAboutEncryption ? error.connectionHint : error.hint ?? error.connectionHint,
                sqlstate: error.sqlstate.isEmpty ? nil : error.sqlstate)
        case .abandoned: return Complaint(.tryLater, "gave up waiting for the database")
        case .invalidTarget(let words):
            return Complaint(
                .configuration, "connection string is not valid: \(words)",
                hint: "Write it as libpq does: 'host=/run/postgresql dbname=app' or 'postgresql://host/app'.")
        }
    }
}

extension ServerError {
    /// Whether the session was not opened because of a certificate, or because only one side wants encryption.
    fileprivate var isAboutEncryption: Bool {
        sqlstate.isEmpty
            && ["certificate", "SSL error", "SSL was required", "SSL is not supported"].contains(
                where: message.contains)
    }

    /// The exit status for a connection that could not be made for this reason.
    var connectionStatus: ExitStatus {
        if isAboutEncryption { return .permission }
        return switch sqlstate.prefix(2) {
        case "28": .permission
        case "3D": .configuration
        default: .unavailable
        }
    }

    var connectionHint: String? {
        if isAboutEncryption {
            let nothing = "Nothing was sent to the database."
            if message.contains("root certificate file") {
                return
                    "\(nothing) 'sslrootcert=FILE' in the connection string names the certificate of the authority that has signed the server's; for one that this system trusts it is /etc/ssl/certs/ca-certificates.crt. See docs/connections.md."
            }
            if message.contains("SSL was required") {
                return
                    "\(nothing) On this machine use its socket (host=/run/postgresql); else give the server a certificate, or take the risk by writing 'sslmode=' yourself. See docs/connections.md."
            }
            return "\(nothing) Check 'sslrootcert', 'sslmode' and 'host' against the server's certificate."
        }
        // libpq's words for a call that failed are the system's.
        if sqlstate.isEmpty, message.contains("Too many open files") {
            return "Raise the limit of open files: LimitNOFILE= in the unit, 'ulimit -n' by hand."
        }
        return switch sqlstate.prefix(2) {
        case "28" where message.contains("\"migrated-verify\""):
            "The units that verify have a role of their own: 'createuser migrated-verify', then 'migrated init --source-reader migrated-verify'; see install.md."
        // A role that is missing or not this user's: on the daemon's own machine mostly a command that root has typed.
        case "28" where sqlstate == "28000" && message.contains("on socket"):
            "Over a socket a role is mostly the system's user of that name. Try it as the daemon's: 'runuser -u migrated -- COMMAND'; else check the role and pg_hba.conf."
        case "28":
            "Check the role, pg_hba.conf and the password (a passfile or a systemd credential, never the command line)."
        case "3D": "Create the database, or mend 'dbname' in the connection string."
        case "53":
            "Close sessions, or raise the limit (max_connections, or CONNECTION LIMIT of the role or the database); nothing was changed."
        default: nil
        }
    }
}
