import LiveSupport
import Postgres
import Testing

/// The example's keys over rows whose users are gone: 5 widgets and 12 log lines.
@Suite struct `The example's foreign keys over dirty rows` {
    static let dirty = """
        INSERT INTO dashboard_widgets (dashboard_id, user_id, kind) SELECT d.id, 'usr_gone_' || n, 'chart' FROM dashboards AS d, generate_series(1, 5) AS n;
        INSERT INTO error_logs (user_id, message) SELECT CASE WHEN n > 12 THEN 'usr_support' ELSE 'usr_gone_' || n END, 'request ' || n || ' failed' FROM generate_series(1, 40) AS n;
        """

    private static let folder =
        #filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined() + "/migrations/example"

    /// Puts files of the example into the directory.
    private func add(_ names: [String], to bench: Workbench) throws {
        for name in names {
            for way in ["up", "down"] {
                let text = try Program.run("/bin/cat", ["\(Self.folder)/\(name).\(way).sql"])
                try #require(text.status == 0, "\(text)")
                try bench.write("\(name).\(way).sql", text.output)
            }
        }
    }

    /// A database with the example's first files applied and dirty rows in it.
    private func dirtyBench() throws -> Workbench {
        let bench = try Workbench()
        try add(Self.files, to: bench)
        #expect(try bench.run("apply").status == 0)
        try bench.query(Self.dirty)
        return bench
    }

    private func content(_ bench: Workbench) throws -> String {
        try bench.query(
            """
            SELECT md5(string_agg(t::text, '|' ORDER BY id)) FROM dashboard_widgets AS t
            UNION ALL SELECT md5(string_agg(t::text, '|' ORDER BY id)) FROM error_logs AS t
            """)
    }

    private static let keys = "005_add_user_keys"
    private static let files = [
        "001_create_users", "002_create_dashboard", "003_create_error_logs", "004_index_error_logs",
    ]

    @Test func `clean them, and bring every row back`() throws {
        let bench = try dirtyBench()
        let before = try content(bench)
        try add([Self.keys], to: bench)
        let applied = try bench.run("apply")
        #expect(applied.status == 0, "\(applied)")
        #expect(
            try bench.query(
                "SELECT event, object, row_count FROM migrated.migration_rollback_audit WHERE event LIKE 'orphans%' ORDER BY seq"
            )
                == "orphans_deleted|public.dashboard_widgets.user_id|5\norphans_nullified|public.error_logs.user_id|12")
        #expect(try bench.events("event = 'deferred'") == ["deferred 005_add_user_keys missing_table"])
        #expect(
            try bench.query(
                "SELECT string_agg(indexrelid::regclass::text, ' ' ORDER BY 1) FROM pg_index WHERE indexrelid::regclass::text LIKE '%_user_id_idx'"
            )
            .split(separator: " ").sorted() == ["dashboard_widgets_user_id_idx", "error_logs_user_id_idx"])
        let undone = try bench.run("rollback", "--last", "1")
        #expect(undone.status == 0, "\(undone)")
        #expect(try content(bench) == before)
        #expect(try bench.faults() == "")
    }

    @Test func `find nothing to clean on an empty database, and wait on one that has only some of the tables`() throws {
        let whole = try Workbench()
        try add(Self.files + [Self.keys], to: whole)
        #expect(try whole.run("apply").status == 0)
        #expect(try whole.events("event LIKE 'orphans%'") == [])
        #expect(
            try whole.query(
                "SELECT count(*) FROM pg_constraint WHERE conname LIKE '%_user_id_fkey' AND contype = 'f' AND convalidated"
            ) == "2")

        let part = try Workbench()
        try add(["001_create_users", "003_create_error_logs", Self.keys], to: part)
        let applied = try part.run("apply")
        #expect(applied.status == 0, "\(applied)")
        #expect(try part.events("event = 'deferred'").count == 2)
        #expect(try part.query("SELECT count(*) FROM pg_constraint WHERE conname = 'error_logs_user_id_fkey'") == "1")
    }

    @Test func `are tried again behind a lock, and leave no half state`() throws {
        let bench = try dirtyBench()
        try add([Self.keys], to: bench)
        let before = try content(bench)
        let target = try ConnectionTarget(bench.database.conninfo, applicationName: "an application")
        let holder = try Connection(target, waiter: BlockingWaiter())
        try holder.run("BEGIN; UPDATE error_logs SET severity = severity WHERE id = 20")
        try bench.folder.write(
            "migrated.toml", "lock-timeout = \"200ms\"\nretry-tries = 2\nretry-wait = \"50ms\"\n")
        let blocked = try bench.run("apply")
        #expect(blocked.status != 0, "\(blocked)")
        #expect(try content(bench) == before)
        #expect(try bench.query("SELECT count(*) FROM pg_constraint WHERE conname LIKE '%_user_id_fkey'") == "0")
        #expect(
            try bench.events("event = 'failed'") == [
                "failed 005_add_user_keys lock_timeout", "failed 005_add_user_keys lock_timeout",
            ])
        #expect(try bench.query("SELECT count(*) FROM migrated.orphan_quarantine") == "0")
        try holder.run("ROLLBACK")
        let applied = try bench.run("retry")
        #expect(applied.status == 0, "\(applied)")
        #expect(try bench.run("apply").status == 0)
        #expect(try bench.query("SELECT count(*) FROM migrated.orphan_quarantine") == "17")
    }
}
