internal import Audit
internal import Postgres
internal import Reporting

extension HistoryReader {
    /// Every cleanup that matches, oldest first, with how many of its rows are kept and how many came back.
    public func cleanups(_ filter: OrphanFilter = OrphanFilter()) throws(HistoryError) -> [OrphanCleanup] {
        var clause = OrphanClause()
        clause.add(filter)
        return try reading(statementTimeout: StatementTimeout.page) { () throws(PostgresError) in
            let known = try quarantine()
            let kept =
                known.isKept
                ? """
                (SELECT pg_catalog.count(*) FROM \(quoted).orphan_quarantine AS q WHERE q.event_id = a.event_id),
                (SELECT pg_catalog.count(DISTINCT q.id) FROM \(quoted).orphan_quarantine AS q
                   JOIN \(quoted).orphan_restoration AS r ON r.quarantine_id = q.id AND r.outcome = 'restored'
                  WHERE q.event_id = a.event_id)
                """ : "0, 0"
            // All of an event's rows that came back together are one row.
            let together =
                known.isByEvent
                ? """
                 + (SELECT coalesce(pg_catalog.sum(r.row_count), 0) FROM \(quoted).orphan_restoration AS r
                     WHERE r.cleanup_event_id = a.event_id)::int8
                """ : ""
            let found = try connection.query(
                """
                SELECT a.seq, \(HistoryReader.moment("a.recorded_at")), a.event, a.version, a.name, a.attempt_id::text,
                       a.object, coalesce(a.row_count, 0), \(kept)\(together)
                  FROM \(table) AS a
                 WHERE a.event IN ('orphans_deleted', 'orphans_nullified')\(clause.text) ORDER BY a.seq
                """, clause.parameters)
            return found.rows.indices.map { row in
                OrphanCleanup(
                    seq: found.integer(row, 0) ?? 0,
                    recordedAt: Timestamp(microseconds: found.integer(row, 1) ?? 0), event: found.text(row, 2) ?? "",
                    version: found.text(row, 3), name: found.text(row, 4), attemptID: found.text(row, 5),
                    object: found.text(row, 6), rowCount: found.integer(row, 7) ?? 0, kept: found.integer(row, 8) ?? 0,
                    restored: found.integer(row, 9) ?? 0)
            }
        }
    }

    /// The next kept rows behind the one with the number `id`, in the order in which they were kept; empty after the last.
    ///
    /// A few at a time: a single row may have a hundred megabytes.
    public func keptOrphans(_ filter: OrphanFilter, after id: Int64) throws(HistoryError) -> [KeptOrphan] {
        var clause = OrphanClause()
        clause.add(filter)
        let behind = clause.bind(.integer(id))
        return try reading(statementTimeout: StatementTimeout.page) { () throws(PostgresError) in
            let known = try quarantine()
            guard known.isKept else { return [] }
            let found = try connection.query(
                """
                SELECT q.id, a.seq, \(HistoryReader.moment("a.recorded_at")), a.version, q.attempt_id::text,
                       q.schema_name || '.' || q.table_name, pg_catalog.to_json(q.column_names)::text, q.action,
                       q.key::text, q.old_row::text, q.old_text,
                       (SELECT r.outcome FROM \(quoted).orphan_restoration AS r
                          LEFT JOIN \(table) AS e ON e.event_id = r.event_id
                         WHERE r.quarantine_id = q.id\(known.isByEvent ? " OR r.cleanup_event_id = q.event_id" : "") ORDER BY e.seq DESC NULLS LAST LIMIT 1)
                  FROM \(quoted).orphan_quarantine AS q JOIN \(table) AS a ON a.event_id = q.event_id
                 WHERE q.id > \(behind)::bigint\(clause.text) ORDER BY q.id LIMIT 100
                """, clause.parameters)
            return found.rows.indices.map { row in
                var fields = KeptOrphan.columns.indices.map { found.text(row, $0) }
                fields[2] = found.integer(row, 2).map { Timestamp(microseconds: $0).description }
                return KeptOrphan(id: found.integer(row, 0) ?? 0, fields: fields)
            }
        }
    }

    /// What the history's schema keeps of rows: nothing in version 1, from version 10 on their return by the event.
    private func quarantine() throws(PostgresError) -> (isKept: Bool, isByEvent: Bool) {
        let found = try connection.query(
            """
            SELECT t.oid IS NOT NULL, EXISTS (
                   SELECT FROM pg_catalog.pg_attribute AS a WHERE a.attrelid = t.oid AND a.attname = 'cleanup_event_id')
              FROM pg_catalog.to_regclass($1::text) AS t(oid)
            """, [.text("\(quoted).orphan_restoration")])
        return (found.isTrue(0, 0), found.isTrue(0, 1))
    }
}

/// A filter as further conditions on the event `a`.
struct OrphanClause {
    private(set) var parameters: [Parameter?] = []
    private(set) var text = ""

    mutating func add(_ filter: OrphanFilter) {
        if let migration = filter.migration {
            let which = bind(.text(migration))
            text += " AND (a.version = \(which)::text OR a.name = \(which)::text)"
        }
        if let attempt = filter.attempt { text += " AND a.attempt_id = \(bind(.text(attempt.description)))::uuid" }
    }

    mutating func bind(_ value: Parameter) -> String {
        parameters.append(value)
        return "$\(parameters.count)"
    }
}
