public import Audit
internal import Digest
internal import Postgres
public import Reporting

/// Matching events out of one state of the database, streamed: memory stays flat however many there are.
///
/// The server sends them by COPY inside one REPEATABLE READ READ ONLY transaction, which stays open until the last was read. No
/// statement timeout: a reader may be slow, and it keeps no lock that a writer waits for.
public final class HistoryScan {
    /// Which history this is, and its newest position, in the same state of the database.
    public let origin: HistoryOrigin
    private let reader: HistoryReader
    private var rows: BinaryRows

    init(
        _ reader: HistoryReader, _ filter: HistoryFilter, bounds: FilterClause.Bounds, newestFirst: Bool, limit: Int?
    ) throws(HistoryError) {
        self.reader = reader
        rows = BinaryRows(reader.connection)
        do {
            // The order comes from an index: sorting a history of millions would fill the server's disk before the first row.
            try reader.begin(statementTimeout: 0, "SET LOCAL enable_sort TO off")
            origin = try HistoryOrigin(reader)
            let query = FilterClause(filter, plain: true).copy(
                HistoryReader.columns, from: reader.table, bounds: bounds, newestFirst: newestFirst, limit: limit)
            try rows.begin(query)
        } catch {
            throw reader.ended(error)
        }
    }

    /// The next events; nil after the last.
    public func next() throws(HistoryError) -> [HistoryRow]? {
        do throws(PostgresError) {
            if let some = try rows.next() { return some }
            if reader.connection.transactionStatus != .idle { try reader.connection.run("COMMIT") }
            return nil
        } catch {
            throw reader.ended(error)
        }
    }
}

/// Which history it is: where it comes from and how far it goes.
public struct HistoryOrigin: Sendable, Equatable {
    /// What tells the database system from all others; nil where the role may not ask.
    public var systemIdentifier: String?
    /// The database's oid.
    public var databaseOID: Int64
    public var database: String
    public var schema: String
    public var schemaVersion: Int64
    /// `prev_hash` of the first event.
    public var genesis: [UInt8]
    /// The newest event.
    public var head: ChainHead
    /// The server's clock.
    public var moment: Timestamp

    /// An origin from its parts.
    public init(
        systemIdentifier: String?, databaseOID: Int64, database: String, schema: String, schemaVersion: Int64,
        genesis: [UInt8], head: ChainHead, moment: Timestamp
    ) {
        self.systemIdentifier = systemIdentifier
        self.databaseOID = databaseOID
        self.database = database
        self.schema = schema
        self.schemaVersion = schemaVersion
        self.genesis = genesis
        self.head = head
        self.moment = moment
    }

    /// Inside a transaction of `reader`.
    init(_ reader: HistoryReader) throws(PostgresError) {
        let found = try reader.connection.query(
            """
            SELECT h.schema_version::bigint, h.genesis, h.seq, h.hash, d.oid::bigint, pg_catalog.now(), d.datname::text,
                   CASE WHEN pg_catalog.has_function_privilege('pg_catalog.pg_control_system()', 'EXECUTE')
                        THEN (SELECT s.system_identifier::text FROM pg_catalog.pg_control_system() AS s) END
              FROM \(reader.quoted).audit_head AS h, pg_catalog.pg_database AS d
             WHERE d.datname = pg_catalog.current_database() LIMIT 2
            """, binary: true)
        guard found.rows.count == 1, let version = found.rows[0][0], let genesis = found.rows[0][1],
            let seq = found.rows[0][2], let hash = found.rows[0][3], let oid = found.rows[0][4],
            let moment = found.rows[0][5]
        else { throw .server(ServerError(sqlstate: "", message: "table 'audit_head' has not exactly one row")) }
        self.init(
            systemIdentifier: found.text(0, 7), databaseOID: CanonicalForm.integer(oid),
            database: found.text(0, 6) ?? "", schema: reader.schema, schemaVersion: CanonicalForm.integer(version),
            genesis: genesis, head: ChainHead(seq: CanonicalForm.integer(seq), hash: hash),
            moment: Timestamp(microseconds: CanonicalForm.integer(moment)))
    }

    /// The name under which both programs keep this database's anchors; nil where the system identifier is not known.
    public var identity: String? { systemIdentifier.map { "\($0)-\(databaseOID)" } }
}

extension HistoryReader {
    /// The events that match, out of one state of the database, oldest first or newest first; with a limit, the newest that many.
    public func scan(
        _ filter: HistoryFilter, newestFirst: Bool = false, limit: Int? = nil, after: Int64? = nil
    ) throws(HistoryError) -> HistoryScan {
        var bounds = FilterClause.Bounds(after: after, before: nil)
        if let limit, !newestFirst, let first = try position(filter, fromNewest: limit) { bounds.after = first - 1 }
        return try HistoryScan(self, filter, bounds: bounds, newestFirst: newestFirst, limit: limit)
    }

    /// Ends the transaction that `error` came out of, and says what it means.
    fileprivate func ended(_ error: PostgresError) -> HistoryError {
        if connection.isAlive, connection.transactionStatus == .inFailedTransaction {
            _ = try? connection.run("ROLLBACK")
        }
        return HistoryError(error, schema: schema, database: connection.database)
    }
}
