internal import JSON
internal import Postgres
internal import Reporting
internal import SQLLexing

/// What a session of a migrated process is doing at the moment, with the server's own measure of its progress where it has one.
struct Activity: Sendable, Equatable {
    var application: String
    /// The beginning of its statement, without literals.
    var statement: String
    var seconds: Int64
    /// What the server's progress view says it is in: `building index: scanning table`.
    var phase: String?
    var done: Int64?
    var total: Int64?
    /// Backends that it waits for.
    var waitsFor: String?

    /// The statement's first words, up to the first literal: those may hold a password, and a unit's status is for everybody.
    var opening: String {
        let words = statement.prefix { $0 != "'" && $0 != "$" }.split(whereSeparator: \.isWhitespace)
        return Printable.line(words.joined(separator: " "), limit: 60)
    }

    /// How much is done, from 0 to 1; nil where the server does not say.
    var share: Double? {
        guard let done, let total, total > 0 else { return nil }
        return min(1, max(0, Double(done) / Double(total)))
    }

    /// One line: how long, how far, and who is in the way. A bar where there is a total.
    var line: String {
        var line = "running   \(Printable.line(statement, limit: 60)) for \(TimeSpan.seconds(seconds).brief)"
        if let phase { line += ", \(Printable.line(phase))" }
        if let share { line += " \(Meter.text(share))" }
        if let waitsFor { line += ", waits for backend \(Printable.line(waitsFor))" }
        return line
    }

    var json: JSONValue {
        [
            "application": .string(application), "statement": .string(statement), "seconds": .integer(seconds),
            "phase": JSONValue(phase), "done": JSONValue(done), "total": JSONValue(total),
            "waits_for": JSONValue(waitsFor),
        ]
    }

    init(_ result: QueryResult, _ row: Int) {
        application = result.text(row, 0) ?? ""
        statement = Secrets.withoutLiterals(result.text(row, 1) ?? "")
        seconds = result.integer(row, 2) ?? 0
        waitsFor = result.text(row, 3).flatMap { $0.isEmpty ? nil : $0 }
        phase = result.text(row, 4)
        done = result.integer(row, 5)
        total = result.integer(row, 6)
    }

    /// The sessions of migrated processes that run something on this database.
    static func question(serverVersion: Int) -> String {
        question(
            """
            a.datname = pg_catalog.current_database() AND a.application_name LIKE 'migrated %' AND a.state = 'active'
            AND a.pid <> pg_catalog.pg_backend_pid()
            """, serverVersion)
    }

    /// What one backend is doing.
    static func question(of backend: Int32, serverVersion: Int) -> String {
        question("a.pid = \(backend) AND a.state = 'active'", serverVersion)
    }

    /// See "Progress Reporting" in PostgreSQL's manual. ANALYZE has a view since version 13 and COPY since 14; a scan that validates a
    /// constraint and one that rewrites a table have none. A total of 0 is one that is not known yet.
    private static func question(_ condition: String, _ serverVersion: Int) -> String {
        let analyze = """
            UNION ALL SELECT n.pid, n.phase, n.sample_blks_scanned, n.sample_blks_total
                        FROM pg_catalog.pg_stat_progress_analyze AS n
            """
        let copy = """
            UNION ALL SELECT c.pid, 'copying', c.bytes_processed, c.bytes_total
                        FROM pg_catalog.pg_stat_progress_copy AS c
            """
        return """
            SELECT a.application_name, pg_catalog.left(pg_catalog.split_part(a.query, E'\\n;\(FileRun.closingMark)', 1), 200),
                   pg_catalog.floor(extract(epoch FROM pg_catalog.clock_timestamp() - a.query_start))::bigint,
                   pg_catalog.array_to_string(pg_catalog.pg_blocking_pids(a.pid), ', '), p.phase, p.done, p.total
              FROM pg_catalog.pg_stat_activity AS a
              LEFT JOIN (SELECT i.pid, i.phase,
                                CASE WHEN i.blocks_total > 0 THEN i.blocks_done WHEN i.tuples_total > 0 THEN i.tuples_done
                                     ELSE i.lockers_done END AS done,
                                CASE WHEN i.blocks_total > 0 THEN i.blocks_total WHEN i.tuples_total > 0 THEN i.tuples_total
                                     ELSE i.lockers_total END AS total
                           FROM pg_catalog.pg_stat_progress_create_index AS i
                         UNION ALL SELECT v.pid, v.phase, v.heap_blks_scanned, v.heap_blks_total
                           FROM pg_catalog.pg_stat_progress_vacuum AS v
                         UNION ALL SELECT l.pid, l.phase, l.heap_blks_scanned, l.heap_blks_total
                           FROM pg_catalog.pg_stat_progress_cluster AS l
                         \(serverVersion >= 130_000 ? analyze : "") \(serverVersion >= 140_000 ? copy : "")) AS p ON p.pid = a.pid
             WHERE \(condition)
             ORDER BY a.query_start
            """
    }
}
