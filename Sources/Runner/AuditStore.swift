internal import Audit
internal import AuditSchema
internal import Digest
internal import Postgres
internal import Reporting

/// Writes the history: its schema, and events behind its head.
struct AuditStore {
    let sessions: Sessions
    /// The schema's quoted name.
    let schema: String
    let name: String
    let witness: Witness
    /// Takes note of what is recorded with a reading of the catalog; nil where it is not read.
    let catalog: CatalogWatch?

    init(sessions: Sessions, schema: String, witness: Witness, catalog: CatalogWatch? = nil) {
        name = schema
        self.witness = witness
        self.catalog = catalog
        self.sessions = sessions
        self.schema = Quoting.identifier(schema)
    }

    // MARK: Schema

    /// The number of the newest file that ran here; nil where there is no history yet.
    ///
    /// As a superuser nothing of a history is touched that would run what a lesser login has written.
    func installedVersion(_ connection: Connection) throws(RunFailure) -> Int? {
        try refuseForeignCode(connection)
        // From the catalog's rows: what to_regclass has not found is cached, and stays so for a session that has waited for another's
        // installation.
        let found = try sessions.query(
            connection,
            """
            SELECT EXISTS (SELECT FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
                            WHERE c.relname = 'audit_head' AND n.nspname = $1::text)
            """, [.text(name)])
        guard found.isTrue(0, 0) else { return nil }
        let version: QueryResult
        do {
            version = try sessions.query(connection, "SELECT schema_version FROM \(schema).audit_head")
        } catch {
            throw refused(error, login: connection.user)
        }
        guard version.rows.isEmpty else { return Int(max(0, version.integer(0, 0) ?? 0)) }
        throw try isEmpty(connection) ? onlySchema : headMissing
    }

    /// Brings the schema, which had the version `installed`, up to this program's; refuses one that is newer.
    func install(_ connection: Connection, over installed: Int?) throws(RunFailure) {
        let wanted = AuditSchema.currentVersion
        if let installed {
            if installed == wanted { return }
            guard installed < wanted else { throw newer(installed) }
        }
        try installing(connection) { () throws(RunFailure) in
            let installed = try installedVersion(connection) ?? 0
            for version in installed..<max(installed, wanted) {
                try sessions.run(connection, AuditSchema.sql(version: version + 1, quotedSchema: schema))
            }
            // What ALTER DEFAULT PRIVILEGES has given to others with the objects just made.
            try sessions.query(connection, "SELECT \(schema).revoke_foreign_rights()")
        }
    }

    /// Refuses a history that a newer program has brought up to its own version meanwhile, and one that others may write.
    func refuseUnfit(_ connection: Connection) throws(RunFailure) {
        let found = try sessions.query(connection, "SELECT h.schema_version FROM \(schema).audit_head AS h")
        guard !found.rows.isEmpty, let installed = found.integer(0, 0) else { throw headMissing }
        if installed > AuditSchema.currentVersion { throw newer(Int(installed)) }
        try refuseForeignRights(try sessions.query(connection, foreignRightsQuery))
    }

    /// Runs `body`, which sets the schema up, in one transaction that no other process is in.
    func installing<Value>(
        _ connection: Connection, _ body: () throws(RunFailure) -> Value
    ) throws(RunFailure) -> Value {
        do {
            // Two processes may meet a new database at once: the second waits here and then finds the work done.
            try sessions.run(
                connection,
                """
                BEGIN ISOLATION LEVEL READ COMMITTED, READ WRITE; SET LOCAL synchronous_commit = on; SET LOCAL lock_timeout = '30s'; \
                SELECT pg_catalog.pg_advisory_xact_lock(\(DatabaseLock.key + 1))
                """)
            let value = try body()
            try sessions.run(connection, "COMMIT")
            return value
        } catch {
            let trigger = failedTrigger(error, connection)
            sessions.dropBooks()
            guard case .refused(let cause) = error else { throw error }
            if let trigger { throw .complaint(trigger) }
            var complaint = cause.complaint
            complaint.message = "the history's schema \(schema) could not be set up: \(complaint.message)"
            switch cause.sqlstate {
            case "42501":
                complaint.status = .permission
                complaint.hint =
                    "Run 'migrated init' as a superuser, or let the role create it: GRANT CREATE ON DATABASE … TO …;"
            case AuditStore.unfitRights: complaint.status = .configuration
            default: break
            }
            throw .complaint(complaint)
        }
    }

    /// The refusal of a history that a newer program has written.
    func newer(_ version: Int) -> RunFailure {
        .complaint(
            Complaint(
                .configuration,
                "the history in schema \(schema) has version \(version), this program knows \(AuditSchema.currentVersion)",
                hint: "A newer migrated has been here: install that version or a later one."))
    }

    /// Whether the history's table holds no event either.
    private func isEmpty(_ connection: Connection) throws(RunFailure) -> Bool {
        try sessions.query(connection, "SELECT NOT EXISTS (SELECT FROM \(schema).migration_rollback_audit)").isTrue(
            0, 0)
    }

    /// The refusal of tables that nothing was ever written into: a copy of the structure alone.
    private var onlySchema: RunFailure {
        .complaint(
            Complaint(
                .configuration,
                "schema \(schema) has the tables of a history and nothing in them: it is a copy of the structure alone (pg_dump --schema-only)",
                hint: """
                    Drop that schema and say up to which migration the copy has been brought: psql -c 'DROP SCHEMA \(schema) CASCADE', \
                    then migrated adopt --baseline VERSION; or copy the history's rows as well (pg_dump without --schema-only).
                    """))
    }

    // MARK: Events

    /// How long, in milliseconds, the server waits for our next word once the head is locked: it holds up everybody who records, and we send
    /// that word at once where we are not frozen.
    static let silence: Int64 = 15_000

    /// The SQL that locks the head until the transaction's end and reads it with the server's clock, and with the hash that stands where
    /// the newest anchor is.
    var headQuery: String {
        "SELECT h.seq, h.hash, h.clock, h.hash_at_anchor FROM \(schema).lock_head(\(anchor)) AS h"
    }

    /// The same where the transaction has touched nothing of the catalog since those counters; else, and without counters, it says what, and the head
    /// is not locked.
    func endQuery(counters: String?) -> String {
        """
        SELECT h.seq, h.hash, h.clock, h.hash_at_anchor, h.touched
          FROM \(schema).end_of_file(\(counters.map(Quoting.literal) ?? "NULL"), \(anchor)) AS h
        """
    }

    private var anchor: String { witness.head.map { String($0.seq) } ?? "NULL" }

    /// The head and the clock from `headQuery`'s result. Throws where it is not behind the newest anchor: nothing may be written then.
    private func head(_ result: QueryResult?) throws(RunFailure) -> (head: ChainHead, clock: Int64) {
        guard let result, let head = result.chainHead(0), let clock = result.integer(0, 2) else { throw headMissing }
        if head.seq == 0 { witness.begin(genesis: Hex.text(head.hash)) }
        if let anchor = witness.newest, witness.head != nil {
            let hashAtAnchor = result.text(0, 3).flatMap { Hex.bytes($0) }
            let continuity = Continuity(anchor: anchor.head, head: head, hashAtAnchor: hashAtAnchor)
            if let refusal = continuity.refusal(anchor, head, timeline: witness.timeline) { throw .complaint(refusal) }
            if head.seq > anchor.head.seq { witness.meet(head, behind: anchor.head) }
        }
        return (head, clock)
    }

    var headMissing: RunFailure {
        .complaint(
            Complaint(
                .configuration, "the head of the history in schema \(schema) is missing",
                hint:
                    "Run 'auditctl verify' and restore the schema from a backup; migrated does not go on without its history."
            ))
    }

    /// Links `events` behind `head`, one after the other.
    private func link(_ events: [AuditEvent], behind head: ChainHead, clock: Int64) throws(RunFailure) -> [AuditRecord]
    {
        var head = head
        let repertoire = try sessions.repertoire(for: events.flatMap(\.texts))
        return events.map { event in
            let record = AuditRecord(event, after: head, recordedAt: clock, in: repertoire)
            head = record.head
            return record
        }
    }

    /// How a session that a file had may append: it spends `token` while the backend `holder` has the database's lock, and `next` is what
    /// is expected then.
    struct Permit {
        var token: OneTimeToken
        var holder: Int32
        var next: OneTimeToken?
    }

    /// The attempt whose `started` is the last event of a commit.
    struct Beginning {
        /// What its end will carry.
        var token: OneTimeToken
        /// The backend that will run the file, and that alone may spend the token.
        var backend: Int32
        /// The file's exact bytes, which the history keeps.
        var source: [UInt8]
        var checksum: String
    }

    /// The statement that writes records, and keeps the source of the file that begins; the server checks them again.
    ///
    /// A row is one value in its binary form (PostgreSQL's record_recv): a row built of 23 parameters is planned anew each time.
    private func append(_ records: [AuditRecord], _ beginning: Beginning?, _ permit: Permit?) -> Connection.Step {
        let next = (permit?.next ?? beginning?.token).map { Parameter.bytes($0.digest) }
        // The backend is told where it is not the caller's own.
        let before: [(type: String, value: Parameter?)] =
            if let permit {
                [("bytea", .bytes(permit.token.bytes)), ("integer", .integer(permit.holder)), ("bytea", next)]
            } else {
                [("bytea", next), ("integer", beginning.map { .integer($0.backend) })]
            }
        let values =
            before + [
                ("text", beginning.map { .text($0.checksum) }), ("bytea", beginning.map { .bytes($0.source) }),
            ]
        let places = zip(1..., values).map { "$\($0)::\($1.type)" }
        let rows = records.indices.map { "$\(values.count + 1 + $0)" }
        return Connection.Step(
            """
            SELECT \(schema).\(permit == nil ? "append_events" : "append_attempt")\
            (\(places.joined(separator: ",")),ARRAY[\(rows.joined(separator: ","))]::\(schema).migration_rollback_audit[])
            """, values.map(\.value) + records.map { .bytes(AuditStore.row($0)) })
    }

    /// The statement that says which token the end of an attempt will carry, and from which backend.
    func expect(_ token: OneTimeToken, from backend: Int32) -> Connection.Step {
        Connection.Step(
            "SELECT \(schema).expect_token($1::bytea, $2::integer)", [.bytes(token.digest), .integer(backend)])
    }

    /// A record in the row's binary form.
    private static func row(_ record: AuditRecord) -> [UInt8] {
        var row = CanonicalForm.small(Int32(AuditColumn.allCases.count))
        for column in AuditColumn.allCases {
            let value = record[column]
            row += CanonicalForm.small(column.typeIdentifier)
            row += CanonicalForm.small(value.map { Int32($0.count) } ?? -1)
            if let value { row += value }
        }
        return row
    }

    /// The statement that keeps a file's exact bytes.
    func keep(source: [UInt8], checksum: String) -> Connection.Step {
        Connection.Step(
            "INSERT INTO \(schema).migration_source (checksum, source) VALUES ($1::text, $2::bytea) ON CONFLICT DO NOTHING",
            [.text(checksum), .bytes(source)])
    }

    /// Records `events` in a transaction of their own, which is durable when this returns; `steps` go before them.
    ///
    /// With a `reading` the catalog is read behind what was done, and the last event vouches for it.
    ///
    /// Records nothing, and returns nothing, where the attempt `unlessEnded` has an end already.
    @discardableResult
    func record(
        _ events: [AuditEvent], with steps: [Connection.Step] = [], beginning: Beginning? = nil,
        unlessEnded attempt: UUID? = nil, reading: CatalogReading? = nil
    ) throws(RunFailure) -> [AuditRecord] {
        guard !events.isEmpty else { return [] }
        let connection = try sessions.books()
        let opened = try lockingHead(
            connection,
            """
            BEGIN ISOLATION LEVEL READ COMMITTED, READ WRITE; SET LOCAL ROLE NONE; \
            SET LOCAL search_path = pg_catalog, pg_temp; SET LOCAL client_encoding = '\(connection.clientEncoding)'; \
            SET LOCAL synchronous_commit = on; SET LOCAL lock_timeout = '30s'; SET LOCAL statement_timeout = '60s'; \
            SET LOCAL idle_in_transaction_session_timeout = \(AuditStore.silence); \(attempt.map(endQuery) ?? "")\(reading?.query(schema) ?? "")\(headQuery)
            """
        )
        if attempt != nil, opened.dropLast(reading == nil ? 1 : 2).last?.isTrue(0, 0) == true {
            try sessions.run(connection, "ROLLBACK")
            return []
        }
        let vouching = reading?.vouched(by: events, opened.dropLast().last) ?? events
        return try commit(connection, vouching, behind: opened, with: steps, beginning: beginning)
    }

    /// The SQL that asks whether an attempt has ended: behind the lock on the head, so that nobody else can be about to say so.
    private func endQuery(_ attempt: UUID) -> String {
        """
        SELECT h.seq FROM \(schema).lock_head(NULL) AS h; SELECT EXISTS (SELECT FROM \(schema).migration_rollback_audit AS e \
        WHERE e.attempt_id = \(Quoting.literal(attempt.description)) \
        AND e.event IN ('applied', 'failed', 'interrupted', 'rolled_back', 'rollback_failed'));
        """
    }

    /// Ends the open transaction with its record: links `events` behind the head, appends them and commits, all in one message; `steps`
    /// go before them.
    ///
    /// - Parameter opened: the results of the message that ended in `headQuery`; since then the head is locked.
    /// - Parameter permit: what a session that a file had appends with; the one that keeps the history needs none.
    /// - Parameter recover: told what went wrong; it returns where the events are committed nevertheless.
    /// - Returns: what is committed, to be told of now.
    func commit<Failure: Error>(
        _ connection: Connection, _ events: [AuditEvent], behind opened: [QueryResult],
        with steps: [Connection.Step] = [], beginning: Beginning? = nil, permit: Permit? = nil,
        recover: (RunFailure) throws(Failure) -> Void
    ) throws(Failure) -> [AuditRecord] {
        var records: [AuditRecord] = []
        do throws(RunFailure) {
            let (head, clock) = try head(opened.last)
            records = try link(events, behind: head, clock: clock)
            witness.announce(records.map(\.head))
            try sessions.pipeline(
                connection, steps + [append(records, beginning, permit), Connection.Step("COMMIT")])
        } catch {
            try recover(error)
        }
        catalog?.noted(records)
        return records
    }

    /// The same, where nothing is known of a commit whose answer is lost.
    func commit(
        _ connection: Connection, _ events: [AuditEvent], behind opened: [QueryResult],
        with steps: [Connection.Step] = [], beginning: Beginning? = nil, permit: Permit? = nil
    ) throws(RunFailure) -> [AuditRecord] {
        try commit(connection, events, behind: opened, with: steps, beginning: beginning, permit: permit) {
            (failure) throws(RunFailure) in throw failure
        }
    }
}

extension AuditColumn {
    /// The oid of the column's type, which is the same on every server (PostgreSQL's pg_type.dat).
    fileprivate var typeIdentifier: Int32 {
        switch form {
        case .text: 25
        case .integer: 20
        case .small: 23
        case .uuid: 2950
        case .time: 1184
        case .bytes: 17
        }
    }
}
