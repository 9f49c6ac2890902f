import Audit
import AuditSchema
import Digest
import JSON
import LiveSupport
import Postgres
import Reporting
import Testing

/// A database with a history that a test writes event by event, through the one door that the schema has.
final class RecordedHistory {
    let database: Database
    let connection: Connection
    let schema: String
    private(set) var head: ChainHead
    /// What was written, in order.
    private(set) var records: [AuditRecord] = []

    /// 2026-01-31 22:05:09.123456 UTC.
    static let start: Int64 = 823_212_309_123_456

    static let actor = AuditEvent.Actor(
        initiatedBy: "migrated.service (0123456789abcdef0123456789abcdef)", host: "web1", dbUser: "migrated", pid: 77,
        invocationID: "0123456789abcdef0123456789abcdef")

    init(schema: String = "migrated") throws {
        self.schema = schema
        database = try Cluster.shared().createDatabase()
        let target = try ConnectionTarget(database.conninfo, applicationName: "history of a test")
        connection = try Connection(target, waiter: BlockingWaiter())
        for version in 1...AuditSchema.currentVersion {
            try connection.run(AuditSchema.sql(version: version, quotedSchema: Quoting.identifier(schema)))
        }
        let found = try connection.query(
            "SELECT h.genesis FROM \(Quoting.identifier(schema)).audit_head AS h", binary: true)
        head = ChainHead(seq: 0, hash: try #require(found.rows.first.flatMap { $0[0] }))
    }

    /// Links the event behind the head and writes it; a second later than the one before where no moment is given.
    @discardableResult
    func append(_ event: AuditEvent, at moment: Int64? = nil) throws -> AuditRecord {
        let record = AuditRecord(event, after: head, recordedAt: moment ?? RecordedHistory.start + head.seq * 1_000_000)
        try send(record)
        head = record.head
        records.append(record)
        return record
    }

    /// Links and writes many events in one go.
    func append(_ events: [AuditEvent]) throws {
        var steps = [Connection.Step("BEGIN")]
        for event in events {
            let record = AuditRecord(event, after: head, recordedAt: RecordedHistory.start + head.seq * 1_000_000)
            steps.append(step([record.columns]))
            head = record.head
            records.append(record)
        }
        try connection.pipeline(steps + [Connection.Step("COMMIT")])
    }

    /// Writes a record as it is.
    func send(_ record: AuditRecord) throws { try send([record]) }

    /// Writes records by one call.
    func send(_ records: [AuditRecord]) throws { try connection.pipeline([step(records.map(\.columns))]) }

    /// Writes these columns.
    func send(_ columns: [AuditColumn: [UInt8]]) throws { try connection.pipeline([step([columns])]) }

    private func step(_ records: [[AuditColumn: [UInt8]]]) -> Connection.Step {
        let name = Quoting.identifier(schema)
        let rows = records.indices.map { index in
            let first = index * AuditColumn.allCases.count + 1
            let places = AuditColumn.allCases.map { "$\(first + $0.place)::\(RecordedHistory.type($0))" }
            return "ROW(\(places.joined(separator: ",")))::\(name).migration_rollback_audit"
        }
        return Connection.Step(
            "SELECT \(name).append_events(NULL, NULL, NULL, NULL, ARRAY[\(rows.joined(separator: ","))])",
            records.flatMap { columns in AuditColumn.allCases.map { columns[$0].map(Parameter.bytes) } })
    }

    static func type(_ column: AuditColumn) -> String {
        switch column.form {
        case .text: "text"
        case .integer: "bigint"
        case .small: "integer"
        case .uuid: "uuid"
        case .time: "timestamptz"
        case .bytes: "bytea"
        }
    }

    /// Keeps a file's bytes; returns their checksum.
    func keep(_ source: [UInt8]) throws -> String {
        let checksum = "sha256:" + SHA256.hex(source)
        try connection.query(
            "INSERT INTO \(Quoting.identifier(schema)).migration_source (checksum, source) VALUES ($1::text, $2::bytea)",
            [.text(checksum), .bytes(source)])
        return checksum
    }

    /// One attempt: a kept file, `started`, and its end.
    func attempt(
        _ version: String, _ end: EventKind = .applied, source: String? = nil,
        _ change: (inout AuditEvent) -> Void = { _ in }
    ) throws {
        let attempt = UUID()
        let checksum = try keep(Array((source ?? "CREATE TABLE t\(version) (id int);\n").utf8))
        for kind in [EventKind.started, end] {
            var event = AuditEvent(kind, by: RecordedHistory.actor)
            event.attemptID = attempt
            event.version = version
            event.name = "\(version)_table"
            event.checksum = checksum
            event.direction = .up
            if kind == end {
                event.durationUS = 13_000
                change(&event)
            }
            try append(event)
        }
    }

    /// Runs SQL as a superuser with the append-only triggers out of the way, and puts them back: what an intruder would do.
    func tamper(_ sql: String) throws {
        try database.query(
            """
            ALTER TABLE migrated.migration_rollback_audit DISABLE TRIGGER USER;
            ALTER TABLE migrated.migration_source DISABLE TRIGGER USER;
            \(sql);
            ALTER TABLE migrated.migration_rollback_audit ENABLE ALWAYS TRIGGER migration_rollback_audit_append_only;
            ALTER TABLE migrated.migration_source ENABLE ALWAYS TRIGGER migration_source_append_only
            """)
    }

    /// Runs auditctl on this database; in UTC, because tests get that time zone.
    func auditctl(_ arguments: String...) throws -> Program.Outcome {
        try Program.run(
            Program.built("auditctl"), arguments + ["--database", database.conninfo, "--schema", schema])
    }
}
