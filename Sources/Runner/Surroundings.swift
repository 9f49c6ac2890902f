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

    /// Tables with rows and bytes, both as the last VACUUM or ANALYZE saw them; of a partitioned one those of its partitions together.
    static let tables = """
        WITH RECURSIVE t AS (
            SELECT w.name, pg_catalog.to_regclass(w.name)::pg_catalog.oid AS root, pg_catalog.to_regclass(w.name)::pg_catalog.oid AS part
              FROM pg_catalog.jsonb_array_elements_text($1::pg_catalog.jsonb) AS w(name)
            UNION ALL
            SELECT t.name, t.root, i.inhrelid FROM t JOIN pg_catalog.pg_class AS p ON p.oid = t.part AND p.relkind = 'p'
              JOIN pg_catalog.pg_inherits AS i ON i.inhparent = t.part)
        SELECT t.name, n.nspname || '.' || r.relname,
               pg_catalog.sum(p.reltuples) FILTER (WHERE p.reltuples >= 0 AND p.relkind <> 'p')::pg_catalog.int8,
               (pg_catalog.sum(p.relpages) FILTER (WHERE p.relkind <> 'p')
                * pg_catalog.current_setting('block_size')::pg_catalog.int8)::pg_catalog.int8
          FROM t JOIN pg_catalog.pg_class AS r ON r.oid = t.root AND r.relkind IN ('r', 'p', 'm')
          JOIN pg_catalog.pg_namespace AS n ON n.oid = r.relnamespace
          JOIN pg_catalog.pg_class AS p ON p.oid = t.part GROUP BY 1, 2 ORDER BY 2, 1
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

    /// A table that is there, with its size.
    struct Table {
        /// Its qualified name.
        var name: String
        /// As PostgreSQL's planner estimates them; nil where never counted.
        var rows: Int64?
        var bytes: Int64

        var size: String { rows.map { "about \($0) rows in \(bytes >> 10) kB" } ?? "never analyzed" }
    }

    /// What the answer to `tables` says, by the names that were asked for.
    static func sizes(_ answer: QueryResult) -> [String: Table] {
        var found: [String: Table] = [:]
        for row in answer.rows.indices {
            found[answer.text(row, 0) ?? ""] = Table(
                name: answer.text(row, 1) ?? "", rows: answer.integer(row, 2), bytes: answer.integer(row, 3) ?? 0)
        }
        return found
    }

    static func remarks(tables: [String: Table], indexes: QueryResult, sessions: QueryResult) -> [Preflight.Remark] {
        // One table may be asked for by two names.
        let distinct = Dictionary(tables.values.map { ($0.name, $0) }) { first, _ in first }
        let sizes = distinct.values.sorted { $0.name < $1.name }.map { table in
            Preflight.Remark(
                verdict: .ok, kind: "table", object: table.name, what: table.size, count: table.rows)
        }
        let invalid = indexes.rows.indices.map { row in
            Preflight.Remark(
                verdict: .note, kind: "invalid_index", object: indexes.text(row, 0),
                what: "invalid index of '\(indexes.text(row, 1) ?? "?")'")
        }
        let blocking = sessions.rows.indices.map { row in
            Preflight.Remark(
                verdict: .note, kind: "session", what: Blocker(sessions, row).description)
        }
        return sizes + invalid + blocking
    }
}
