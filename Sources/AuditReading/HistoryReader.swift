internal import Audit
public import Postgres
internal import Reporting

/// Reads the history and can do nothing else: every question is asked inside a READ ONLY transaction.
///
/// It takes no lock that a writer waits for, gives up instead of queueing behind one (`lock_timeout`), and fails instead of showing less
/// where row security would hide rows. Every name is qualified, and what a database or a role can set of its own is pinned (`PinnedSettings`).
public final class HistoryReader {
    /// The session, for a loop that waits for notifications on it.
    public let connection: Connection
    /// The schema's plain name.
    public let schema: String
    let quoted: String
    /// Whether nothing of others was found that reading would run.
    var hasLookedForForeignCode = false

    /// Reads through `connection`, whose session settings stay as they are.
    public init(_ connection: Connection, schema: String) {
        self.connection = connection
        self.schema = schema
        quoted = Quoting.identifier(schema)
    }

    /// A version or a name of a migration as the directory has it: a database in another encoding than UTF-8 may hold an escaped form of it.
    public func name(fromWritten text: String) -> String {
        Repertoire(encoding: connection.serverEncoding).name(fromWritten: text)
    }

    /// The table's quoted and qualified name.
    var table: String { "\(quoted).migration_rollback_audit" }
    /// The columns of a row, in the order that `HistoryRow` expects.
    static let columns = AuditColumn.allCases.map { "a.\($0.rawValue)" }.joined(separator: ", ")

    /// Runs `body` in one transaction that can write nothing and sees one state of the database.
    ///
    /// `statementTimeout` bounds each statement in it, in milliseconds. The settings travel with BEGIN, so that they hold behind a pooler too.
    func reading<Result>(
        statementTimeout: Int, _ body: () throws(PostgresError) -> Result
    ) throws(HistoryError) -> Result {
        do {
            try begin(statementTimeout: statementTimeout)
            let result = try body()
            try connection.run("COMMIT")
            return result
        } catch {
            if connection.isAlive, connection.transactionStatus != .idle { _ = try? connection.run("ROLLBACK") }
            throw HistoryError(error, schema: schema, database: connection.database)
        }
    }

    /// Begins a transaction as `reading` has it; `more` are further settings for it.
    ///
    /// Nothing is compiled: that took a second for the questions about the catalog, each time that a history was verified.
    func begin(statementTimeout: Int, _ more: String = "") throws(PostgresError) {
        try connection.run(
            """
            BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY;
            \(PinnedSettings.statements(scope: "SET LOCAL", clientEncoding: connection.clientEncoding));
            SET LOCAL ROLE NONE;
            SET LOCAL row_security TO off;
            SET LOCAL jit TO off;
            SET LOCAL lock_timeout TO '2s';
            SET LOCAL statement_timeout TO \(statementTimeout);
            SET LOCAL idle_in_transaction_session_timeout TO '60s';
            \(more)
            """)
        try refuseForeignCode()
    }

    /// Rows of a statement whose columns are `columns`.
    func rows(_ statement: (sql: String, parameters: [Parameter?])) throws(PostgresError) -> [HistoryRow] {
        try HistoryRow.all(connection.query(statement.sql, statement.parameters, binary: true))
    }
}

/// How long a statement may take, in milliseconds.
enum StatementTimeout {
    /// A look at a few rows.
    static let short = 10_000
    /// A page of the log: a filter that no index serves reads the whole table for it.
    static let page = 300_000
}
