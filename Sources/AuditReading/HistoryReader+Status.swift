internal import Audit
internal import Digest
internal import Postgres
internal import Reporting

extension HistoryReader {
    /// The key of the session advisory lock under which migrations are applied: the letters `migrated` as one int8.
    public static let lockKey: Int64 = 0x6D69_6772_6174_6564

    /// What the history says now, all of it of one moment.
    public func status() throws(HistoryError) -> HistoryStatus {
        try reading(statementTimeout: StatementTimeout.page) { () throws(PostgresError) in
            HistoryStatus(
                database: connection.database, schema: schema, head: try head(), versions: try versions(),
                openAttempts: try openAttempts(), deferredKeys: try openDeferredKeys(), lockHolders: try lockHolders())
        }
    }

    private func head() throws(PostgresError) -> HistoryStatus.Head {
        let found = try connection.query(
            """
            SELECT h.schema_version::bigint, h.seq, h.hash,
                   (SELECT a.recorded_at FROM \(table) AS a WHERE a.seq = h.seq)
              FROM \(quoted).audit_head AS h
            """, binary: true)
        guard let row = found.rows.first, let version = row[0], let seq = row[1], let hash = row[2] else {
            return HistoryStatus.Head(schemaVersion: 0, seq: 0, hash: "", recordedAt: nil)
        }
        return HistoryStatus.Head(
            schemaVersion: CanonicalForm.integer(version), seq: CanonicalForm.integer(seq), hash: Hex.text(hash),
            recordedAt: row[3].map { Timestamp(microseconds: CanonicalForm.integer($0)) })
    }

    /// Rows of the view `migration_status`, in the order of their events.
    func versions(
        where condition: String = "true", _ parameters: [Parameter?] = []
    ) throws(PostgresError) -> [HistoryStatus.Version] {
        let names = HistoryStatus.Version.columns
        let columns = names.map { $0 == "recorded_at" ? HistoryReader.moment("s.recorded_at") : "s.\($0)::text" }
        let found = try connection.query(
            "SELECT \(columns.joined(separator: ", ")) FROM \(quoted).migration_status AS s "
                + "WHERE \(condition) ORDER BY s.seq", parameters)
        return found.rows.indices.map { row in
            var values: [String: String] = [:]
            for (column, name) in names.enumerated() { values[name] = found.text(row, column) }
            if let recorded = found.integer(row, 10) {
                values["recorded_at"] = Timestamp(microseconds: recorded).description
            }
            return HistoryStatus.Version(values: values)
        }
    }

    /// Looks at the newest hundred beginnings: one writer at a time begins an attempt, and who finds one without an end closes it first.
    private func openAttempts() throws(PostgresError) -> [HistoryStatus.OpenAttempt] {
        let found = try connection.query(
            """
            SELECT b.attempt_id::text, b.seq, b.version, b.name, b.direction, b.host, b.pid,
                   \(HistoryReader.moment("b.recorded_at"))
              FROM (SELECT a.* FROM \(table) AS a WHERE a.event = 'started' ORDER BY a.seq DESC LIMIT 100) AS b
             WHERE b.attempt_id IS NOT NULL
               AND NOT EXISTS (
                   SELECT FROM \(table) AS e
                    WHERE e.attempt_id = b.attempt_id
                      AND e.event IN ('applied', 'failed', 'interrupted', 'rolled_back', 'rollback_failed'))
             ORDER BY b.seq
            """)
        return found.rows.indices.map { row in
            HistoryStatus.OpenAttempt(
                attemptID: found.text(row, 0) ?? "", seq: found.integer(row, 1) ?? 0, version: found.text(row, 2),
                name: found.text(row, 3), direction: found.text(row, 4), host: found.text(row, 5),
                pid: found.integer(row, 6), startedAt: Timestamp(microseconds: found.integer(row, 7) ?? 0))
        }
    }

    private func lockHolders() throws(PostgresError) -> [HistoryStatus.LockHolder] {
        let found = try connection.query(
            """
            SELECT l.pid, s.application_name, s.usename, \(HistoryReader.moment("s.backend_start"))
              FROM pg_catalog.pg_locks AS l
              JOIN pg_catalog.pg_database AS d ON d.oid = l.database AND d.datname = pg_catalog.current_database()
              LEFT JOIN pg_catalog.pg_stat_activity AS s ON s.pid = l.pid
             WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
               AND l.classid::bigint = $1::bigint AND l.objid::bigint = $2::bigint
             ORDER BY l.pid
            """,
            [.integer(HistoryReader.lockKey >> 32), .integer(HistoryReader.lockKey & 0xFFFF_FFFF)])
        return found.rows.indices.map { row in
            HistoryStatus.LockHolder(
                backendPID: found.integer(row, 0) ?? 0, applicationName: found.text(row, 1) ?? "",
                role: found.text(row, 2), connectedAt: found.integer(row, 3).map(Timestamp.init(microseconds:)))
        }
    }

    /// A timestamptz as microseconds since 2000-01-01 UTC, in text form.
    static func moment(_ column: String) -> String {
        "(EXTRACT(epoch FROM \(column)) * 1000000)::bigint - \(Timestamp.unixOffset)000000"
    }
}
