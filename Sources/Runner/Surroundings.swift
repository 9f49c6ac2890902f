internal import JSON
internal import Postgres
internal import Reporting

/// What stands round the tables that pending files name: three questions that only read the catalog, and what their answers say.
///
/// Nothing in them waits for a lock on the tables themselves. Each takes the names as SQL writes them, as one JSON array.
enum Surroundings {
    private static let wanted = """
        (SELECT DISTINCT pg_catalog.to_regclass(w.name)::pg_catalog.oid AS oid
           FROM pg_catalog.jsonb_array_elements_text($1::pg_catalog.jsonb) AS w(name)) AS w
        """

    /// Tables with rows and bytes, both as the last VACUUM or ANALYZE saw them.
    static let tables = """
        SELECT n.nspname || '.' || r.relname, r.reltuples::pg_catalog.int8,
               r.relpages::pg_catalog.int8 * pg_catalog.current_setting('block_size')::pg_catalog.int8
          FROM \(wanted) JOIN pg_catalog.pg_class AS r ON r.oid = w.oid AND r.relkind IN ('r', 'p', 'm')
          JOIN pg_catalog.pg_namespace AS n ON n.oid = r.relnamespace ORDER BY 1
        """

    static let invalidIndexes = """
        SELECT n.nspname || '.' || x.relname, r.relname
          FROM \(wanted) JOIN pg_catalog.pg_index AS i ON i.indrelid = w.oid AND NOT i.indisvalid
          JOIN pg_catalog.pg_class AS x ON x.oid = i.indexrelid
          JOIN pg_catalog.pg_namespace AS n ON n.oid = x.relnamespace
          JOIN pg_catalog.pg_class AS r ON r.oid = i.indrelid ORDER BY 1
        """

    /// Sessions whose transactions are older than so many microseconds and hold locks on the tables.
    static let sessions = """
        SELECT s.pid, coalesce(s.application_name, ''), coalesce(s.usename::text, ''), coalesce(s.state, ''),
               pg_catalog.floor(extract(epoch FROM pg_catalog.clock_timestamp() - s.xact_start))::pg_catalog.int8,
               coalesce(pg_catalog.left(s.query, 300), ''),
               pg_catalog.string_agg(DISTINCT l.mode || ' on ' || l.relation::pg_catalog.regclass::text, ', ')
          FROM \(wanted)
          JOIN pg_catalog.pg_locks AS l ON l.relation = w.oid AND l.locktype = 'relation' AND l.granted
          JOIN pg_catalog.pg_database AS d ON d.oid = l.database AND d.datname = pg_catalog.current_database()
          JOIN pg_catalog.pg_stat_activity AS s ON s.pid = l.pid AND s.pid <> pg_catalog.pg_backend_pid()
         WHERE s.xact_start < pg_catalog.clock_timestamp() - $2::pg_catalog.int8 * interval '1 microsecond'
         GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 5 DESC
        """

    static func remarks(tables: QueryResult, indexes: QueryResult, sessions: QueryResult) -> [Preflight.Remark] {
        let sizes = tables.rows.indices.map { row -> Preflight.Remark in
            let rows = tables.integer(row, 1).flatMap { $0 < 0 ? nil : $0 }
            let size = (tables.integer(row, 2) ?? 0) >> 10
            return Preflight.Remark(
                verdict: .ok, kind: "table", object: tables.text(row, 0),
                what: rows.map { "about \($0) rows in \(size) kB" } ?? "never analyzed", count: rows)
        }
        let invalid = indexes.rows.indices.map { row in
            Preflight.Remark(
                verdict: .note, kind: "invalid_index", object: indexes.text(row, 0),
                what: "invalid index of '\(indexes.text(row, 1) ?? "?")'")
        }
        let blocking = sessions.rows.indices.map { row in
            Preflight.Remark(
                verdict: .note, kind: "session", what: BlockerWatch.blocker(sessions, row).description)
        }
        return sizes + invalid + blocking
    }
}
