public import Postgres
public import Reporting

/// Why the history could not be read.
public enum HistoryError: Error, Sendable, Equatable {
    /// The database holds no history under that schema.
    case noHistory(schema: String, database: String)
    /// The session's role may not read it, or row security would hide rows.
    case notPermitted(ServerError)
    /// Reading it would run what a lesser login has written, with a superuser's rights: the first such thing.
    case foreignCode(String)
    /// The regular expression is none.
    case badPattern(ServerError)
    /// Nothing has that seq, version, name or attempt.
    case notFound(String)
    /// No file was recorded under that checksum, or more than one begins so.
    case noSource(String), ambiguousSource(String)
    /// What is kept as the bytes of that checksum has another one.
    case alteredSource(String)
    /// The history's own schema is of a later version than this program knows.
    case newerSchema(Int64)
    /// The chain is whole, and what was asked to vouch for it says nothing: what that is, and the remedy.
    case silentWitness(String, hint: String)
    /// The connection or the server.
    case database(PostgresError)

    init(_ error: PostgresError, schema: String, database: String) {
        switch (error, error.sqlstate) {
        case (.server, "42P01"), (.server, "3F000"): self = .noHistory(schema: schema, database: database)
        case (.server(let words), HistoryReader.foreignCodeState): self = .foreignCode(words.message)
        case (.server(let words), "42501"): self = .notPermitted(words)
        case (.server(let words), "2201B"): self = .badPattern(words)
        default: self = .database(error)
        }
    }
}

extension HistoryError: Complaining {
    /// The complaint, with the exit status of DESIGN's table: a history that is not there is a finding (1), not a broken connection.
    public var complaint: Complaint {
        switch self {
        case .noHistory(let schema, let database):
            Complaint(
                .failed, "database '\(database)' has no history in schema '\(schema)'",
                hint:
                    "It begins with the first run of migrated; where it lives in another schema, name that with --schema."
            )
        case .notPermitted(let error):
            Complaint(
                .permission, error.message,
                hint: "The role needs USAGE on the schema and SELECT on its tables, and no row security before them.",
                sqlstate: error.sqlstate)
        case .foreignCode(let clause):
            Complaint(
                .configuration, "the history would run code that is not migrated's, as a superuser: \(clause)",
                hint:
                    "Read it as a login that is no superuser; 'auditctl verify' as that login says what is not as it should be."
            )
        case .badPattern(let error):
            Complaint(.usage, error.message, hint: "Write --grep as a regular expression of PostgreSQL.")
        case .notFound(let what):
            Complaint(.failed, "the history has no event for '\(what)'", hint: "See 'auditctl log' for what it has.")
        case .noSource(let prefix):
            Complaint(.failed, "no file with checksum '\(prefix)' was ever attempted")
        case .ambiguousSource(let prefix):
            Complaint(.usage, "several checksums begin with '\(prefix)'", hint: "Give more digits of it.")
        case .alteredSource(let checksum):
            Complaint(
                .failed, "the bytes kept for checksum '\(checksum)' have another checksum",
                hint: "Somebody has changed them; see 'auditctl verify'.")
        case .newerSchema(let version):
            Complaint(
                .failed, "the history has schema version \(version), which this auditctl does not know",
                hint: "Use the auditctl of the migrated that wrote it.")
        case .silentWitness(let what, let hint): Complaint(.cannotTell, what, hint: hint)
        case .database(let error): error.complaint
        }
    }
}
