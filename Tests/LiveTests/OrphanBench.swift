import LiveSupport
import Postgres
import Testing

/// Tables with orphans in them, a note of every row as it was, and one migration that adds keys over them.
struct OrphanBench {
    let bench: Workbench
    let tables: [String]

    /// Runs `sql` on an empty database and notes the rows of `tables`.
    init(_ sql: String, _ tables: String..., noted: Bool = true) throws {
        bench = try Workbench()
        self.tables = tables
        try bench.query(
            """
            SET client_min_messages = warning; \(sql); CREATE SCHEMA was;
            CREATE TABLE was.rows (name text NOT NULL, part oid NOT NULL, content text)
            """)
        if noted { try bench.query(note) }
    }

    /// Notes all rows as they are when it runs; for another session's transaction where they change in it.
    var note: String {
        "DELETE FROM was.rows; "
            + tables.map {
                "INSERT INTO was.rows SELECT '\($0)', whole.tableoid, whole::text FROM \($0) AS whole"
            }.joined(separator: "; ")
    }

    // MARK: The migration

    /// Writes the migration: `up` under `orphans=clean` and what `directives` say beside it.
    func write(_ up: String, _ directives: String = "", down: String = "ALTER TABLE c DROP CONSTRAINT k;") throws {
        let limit = directives.contains("orphan-limit") ? "" : " orphan-limit=1000000"
        try bench.write("001_key.up.sql", "-- migrated: orphans=clean\(limit) \(directives)\n\(up)\n")
        try bench.write("001_key.down.sql", down + "\n")
    }

    /// Writes the migration, applies it and expects that it succeeds.
    func clean(
        _ up: String, _ directives: String = "", down: String = "ALTER TABLE c DROP CONSTRAINT k;",
        _ location: SourceLocation = #_sourceLocation
    ) throws {
        try write(up, directives, down: down)
        let outcome = try bench.run("apply")
        #expect(outcome.status == 0, "\(outcome)", sourceLocation: location)
    }

    /// Writes the migration, applies it and expects that it fails and that no row and no key has changed.
    func refuse(
        _ up: String, _ directives: String = "", status: Int32 = 1, reason: String? = nil,
        _ location: SourceLocation = #_sourceLocation
    ) throws -> Program.Outcome {
        try write(up, directives)
        let before = try keys()
        let outcome = try bench.run("apply")
        #expect(outcome.status == status, "\(outcome)", sourceLocation: location)
        try expectUnchanged(location)
        try expectKeys(before, location)
        try expect("", location)
        if let reason {
            let failed = try bench.events("event = 'failed'")
            #expect(failed == ["failed 001_key \(reason)"], sourceLocation: location)
        }
        return outcome
    }

    /// Applies beside another session that has done `work` and commits as soon as the program waits for it.
    func apply(beside work: String, _ location: SourceLocation = #_sourceLocation) throws -> Program.Outcome {
        let other = try session()
        try other.run("BEGIN; " + work)
        let program = try bench.start("apply", "--lock-timeout", "60s")
        try waitForLock(program)
        #expect(program.isRunning, "it did not wait", sourceLocation: location)
        try other.run("COMMIT")
        return try program.outcome(within: .seconds(120))
    }

    func session() throws -> Connection {
        try Connection(
            ConnectionTarget(bench.database.conninfo, applicationName: "an application"), waiter: BlockingWaiter())
    }

    /// Waits until `count` sessions of this database wait for a lock, or the program has ended.
    func waitForLock(_ program: Program, count: Int = 1) throws {
        try eventually("session that waits for a lock", within: .seconds(60)) {
            try !program.isRunning
                || bench.query(
                    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
                ) == "\(count)"
        }
    }

    // MARK: What has become of the rows

    /// A line for each row that is not as it was: those that are missing, and those that were not there.
    func changes() throws -> String {
        try bench.query(
            tables.map { table in
                let now = "SELECT whole.tableoid, whole::text FROM \(table) AS whole"
                let before = "SELECT part, content FROM was.rows WHERE name = '\(table)'"
                return """
                    SELECT '\(table) lost ' || l.content FROM (\(before) EXCEPT ALL \(now)) AS l
                    UNION ALL SELECT '\(table) got ' || g.whole FROM (\(now) EXCEPT ALL \(before)) AS g
                    """
            }.joined(separator: " UNION ALL ") + " ORDER BY 1 LIMIT 40")
    }

    /// How many rows of each table are not any more what they were.
    func lost() throws -> String {
        try bench.query(
            "SELECT string_agg(name || ' ' || n, ', ' ORDER BY name) FROM ("
                + tables.map { table in
                    """
                    SELECT '\(table)' AS name, count(*) AS n FROM (SELECT part, content FROM was.rows WHERE name = '\(table)'
                    EXCEPT ALL SELECT whole.tableoid, whole::text FROM \(table) AS whole) AS l
                    """
                }.joined(separator: " UNION ALL ") + ") AS l WHERE n > 0")
    }

    /// The quarantine's rows by table, all actions together, partitions and inheriting tables as the table on top: what `lost` says where
    /// each row is accounted for.
    func accounted() throws -> String {
        try bench.query(
            """
            SELECT string_agg(name || ' ' || n, ', ' ORDER BY name) FROM (SELECT (
                WITH RECURSIVE above AS (
                    SELECT to_regclass(format('%I.%I', q.schema_name, q.table_name))::oid AS id
                    UNION ALL SELECT i.inhparent FROM pg_inherits AS i JOIN above AS a ON i.inhrelid = a.id)
                SELECT min(a.id::regclass::text) FROM above AS a WHERE NOT EXISTS (SELECT FROM pg_inherits WHERE inhrelid = a.id)
                ) AS name, count(*) AS n FROM migrated.orphan_quarantine AS q GROUP BY 1) AS q
            """)
    }

    /// The quarantine's rows by table and action.
    func kept() throws -> String {
        try bench.query(
            """
            SELECT string_agg(concat_ws(' ', table_name, action, n), ', ' ORDER BY table_name, action)
              FROM (SELECT table_name, action, count(*) AS n FROM migrated.orphan_quarantine GROUP BY 1, 2) AS q
            """)
    }

    /// The rows that events of cleanups count, by table and action, as `kept` says them.
    func counted() throws -> String {
        try bench.query(
            """
            SELECT string_agg(concat_ws(' ', name, action, n), ', ' ORDER BY name, action)
              FROM (SELECT split_part(object, '.', 2) AS name, substr(event, 9) AS action, sum(row_count) AS n
                      FROM migrated.migration_rollback_audit WHERE event IN ('orphans_deleted', 'orphans_nullified') GROUP BY 1, 2) AS e
            """)
    }

    func keys() throws -> String {
        try bench.query(
            """
            SELECT string_agg(conname || CASE WHEN convalidated THEN '' ELSE ' NOT VALID' END, ', ' ORDER BY conname)
              FROM pg_constraint WHERE contype = 'f' AND connamespace = 'public'::regnamespace AND conparentid = 0
            """)
    }

    /// Cleanups of which the events do not say that all of it can come back.
    func unproved() throws -> String {
        try bench.query(
            """
            SELECT concat_ws(' ', object, coalesce(detail::jsonb ->> 'reversible', 'without a proof'), detail::jsonb ->> 'not_reversible')
              FROM migrated.migration_rollback_audit WHERE event IN ('orphans_deleted', 'orphans_nullified')
               AND detail::jsonb ->> 'reversible' IS DISTINCT FROM row_count || ' of ' || row_count ORDER BY seq
            """)
    }

    // MARK: Expectations; a value that is not the right one is shown

    /// Expects that `sql` prints this.
    func expect(_ sql: String, is expected: String, _ location: SourceLocation = #_sourceLocation) throws {
        let found = try bench.query(sql)
        #expect(found == expected, sourceLocation: location)
    }

    /// Expects that quarantine and events both count exactly this.
    func expect(_ counts: String, _ location: SourceLocation = #_sourceLocation) throws {
        let kept = try kept()
        #expect(kept == counts, sourceLocation: location)
        let counted = try counted()
        #expect(counted == counts, sourceLocation: location)
    }

    /// Expects that these are the rows that are not any more what they were, and that each is in the quarantine.
    func expectLost(_ rows: String, _ location: SourceLocation = #_sourceLocation) throws {
        let lost = try lost()
        #expect(lost == rows, sourceLocation: location)
        let accounted = try accounted()
        #expect(accounted == rows, sourceLocation: location)
        let counted = try bench.query(
            """
            SELECT (SELECT coalesce(sum(row_count), 0) FROM migrated.migration_rollback_audit WHERE event IN ('orphans_deleted', 'orphans_nullified'))
                 - (SELECT count(*) FROM migrated.orphan_quarantine)
            """)
        #expect(counted == "0", "events count what is kept", sourceLocation: location)
    }

    /// Expects that every row is as it was.
    func expectUnchanged(_ location: SourceLocation = #_sourceLocation) throws {
        let changes = try changes()
        #expect(changes == "", sourceLocation: location)
    }

    /// Expects that the quarantine accounts for every row that is not any more what it was, whichever these are.
    func expectAccounted(_ location: SourceLocation = #_sourceLocation) throws {
        try expectLost(try lost(), location)
    }

    func expectKeys(_ keys: String, _ location: SourceLocation = #_sourceLocation) throws {
        let found = try self.keys()
        #expect(found == keys, sourceLocation: location)
    }

    /// Expects a proof with each cleanup, rolls back, and expects every row as it was.
    func expectWayBack(_ location: SourceLocation = #_sourceLocation) throws {
        let unproved = try unproved()
        #expect(unproved == "", sourceLocation: location)
        let undone = try bench.run("rollback", "--last", "1")
        #expect(undone.status == 0, "\(undone)", sourceLocation: location)
        try expectUnchanged(location)
        let notRestored = try notRestored()
        #expect(notRestored == "", sourceLocation: location)
        let missing = try bench.query(
            """
            SELECT (SELECT count(*) FROM migrated.orphan_quarantine)
                 - (SELECT coalesce(sum(row_count), 0) FROM migrated.migration_rollback_audit WHERE event = 'orphans_restored')
            """)
        #expect(missing == "0", "kept and not restored", sourceLocation: location)
        // What was rolled back may have been applied again.
        let faults = try bench.faults().split(separator: "\n").filter { !$0.contains(" is applied ") }
        #expect(faults == [], sourceLocation: location)
    }

    /// What could not come back: table, outcome, the server's words.
    func notRestored() throws -> String {
        try bench.query(
            """
            SELECT string_agg(DISTINCT concat_ws(' ', q.table_name, r.outcome, r.reason), ', ')
              FROM migrated.orphan_restoration AS r JOIN migrated.orphan_quarantine AS q ON q.id = r.quarantine_id
             WHERE r.outcome <> 'restored'
            """)
    }
}
