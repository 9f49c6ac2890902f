import JSON
import LiveSupport
import Testing

/// A database with users, 105 widgets of which 5 belong to nobody, and 212 log lines of which 12 name a user who is not there; and a file
/// that adds keys from both and from a table that only a later file creates.
struct DirtyDatabase {
    let bench: Workbench

    init(_ directives: String = "orphans=clean missing-table=skip index-foreign-keys=yes") throws {
        bench = try Workbench()
        try bench.query(
            """
            CREATE TABLE users (user_id text PRIMARY KEY);
            CREATE TABLE dashboard_widgets (id int PRIMARY KEY, user_id text NOT NULL);
            CREATE TABLE error_logs (id int PRIMARY KEY, user_id text, line numeric);
            INSERT INTO users SELECT 'u' || n FROM generate_series(1, 100) AS n;
            INSERT INTO dashboard_widgets SELECT n, 'u' || n FROM generate_series(1, 105) AS n;
            INSERT INTO error_logs SELECT n, CASE WHEN n > 200 THEN 'gone' || n ELSE 'u' || (n % 100 + 1) END,
                                          12345678901234567890.10 FROM generate_series(1, 212) AS n
            """)
        try bench.write(
            "025_add_keys.up.sql",
            """
            -- migrated: \(directives)
            ALTER TABLE dashboard_widgets ADD CONSTRAINT widgets_user FOREIGN KEY (user_id) REFERENCES users (user_id);
            ALTER TABLE error_logs ADD CONSTRAINT logs_user FOREIGN KEY (user_id) REFERENCES users (user_id);
            ALTER TABLE saved_views ADD CONSTRAINT views_user FOREIGN KEY (user_id) REFERENCES users (user_id);
            """)
        try bench.write(
            "025_add_keys.down.sql",
            """
            ALTER TABLE error_logs DROP CONSTRAINT logs_user;
            ALTER TABLE dashboard_widgets DROP CONSTRAINT widgets_user;
            ALTER TABLE IF EXISTS saved_views DROP CONSTRAINT IF EXISTS views_user;
            """)
    }

    func apply() throws {
        let outcome = try bench.run("apply")
        try #require(outcome.status == 0, "\(outcome)")
    }

    func ask(_ words: String...) throws -> Program.Outcome {
        try Program.run(
            Program.built("auditctl"),
            words + ["--config", bench.folder.path("migrated.toml"), "--database", bench.database.conninfo])
    }

    /// An answer in JSON.
    func json(_ words: String...) throws -> JSONValue {
        let outcome = try Program.run(
            Program.built("auditctl"),
            words + [
                "-o", "json", "--config", bench.folder.path("migrated.toml"), "--database", bench.database.conninfo,
            ])
        let tape = try JSONTape(Array(outcome.output.utf8))
        return tape.value(tape.root)
    }
}

@Suite struct `What was cleaned for foreign keys` {
    @Test func `is counted, told row by row, and told again when it comes back`() throws {
        let dirty = try DirtyDatabase()
        try dirty.apply()
        let cleanups = try #require(try dirty.json("orphans").array)
        #expect(
            cleanups.map { $0["object"]?.string } == [
                "public.dashboard_widgets.user_id", "public.error_logs.user_id",
            ])
        #expect(cleanups.map { $0["action"]?.string } == ["deleted", "nullified"])
        #expect(cleanups.map { $0["row_count"]?.integer } == [5, 12])
        #expect(cleanups.map { $0["kept"]?.integer } == [5, 12])
        #expect(cleanups.map { $0["restored"]?.integer } == [0, 0])
        let attempt = try #require(cleanups[0]["attempt_id"]?.string)
        #expect(try dirty.json("orphans", "--attempt", attempt).array?.count == 2)
        #expect(try dirty.json("orphans", "--migration", "025_add_keys").array?.count == 2)
        #expect(try dirty.json("orphans", "--migration", "024").array == [])

        let rows = try dirty.ask("orphans", "--rows", "-o", "ndjson")
        #expect(rows.output.split(separator: "\n").count == 17, "\(rows)")
        // A number of twenty digits stays what it was.
        #expect(rows.output.contains("\"line\": 12345678901234567890.10"), "\(rows)")
        #expect(rows.output.contains("\"outcome\":null"))
        #expect(try dirty.json("orphans", "--rows").array?.count == 17)
        let table = try dirty.ask("orphans")
        #expect(table.output.contains("deleted       5         0  public.dashboard_widgets.user_id"), "\(table)")

        let undone = try dirty.bench.run("rollback", "--last", "1")
        #expect(undone.status == 0, "\(undone)")
        #expect(try dirty.json("orphans").array?.map { $0["restored"]?.integer } == [5, 12])
        #expect(try dirty.ask("orphans", "--rows", "-o", "csv").output.contains(",restored"))
        #expect(
            try dirty.bench.query("SELECT count(*) FROM dashboard_widgets WHERE id > 100") == "5")
        #expect(
            try dirty.bench.query("SELECT count(*) FROM error_logs WHERE user_id LIKE 'gone%'") == "12")
    }

    @Test func `leaves a key that waits in the status until its table is there`() throws {
        let dirty = try DirtyDatabase()
        try dirty.apply()
        let waiting = try dirty.ask("status")
        #expect(
            waiting.output.contains(
                "deferred:  saved_views.views_user of 025_add_keys waits for \"saved_views\" (event "), "\(waiting)")
        #expect(try dirty.json("status")["deferred_keys"]?.array?.count == 1)

        try dirty.bench.write(
            "026_views.up.sql", "CREATE TABLE saved_views (id int PRIMARY KEY, user_id text NOT NULL);")
        try dirty.apply()
        #expect(try dirty.bench.query("SELECT convalidated FROM pg_constraint WHERE conname = 'views_user'") == "t")
        #expect(try dirty.json("status")["deferred_keys"]?.array == [])
    }

    @Test func `is nothing where nothing was`() throws {
        let history = try RecordedHistory()
        #expect(try history.auditctl("orphans").output == "no row was deleted or changed for a foreign key\n")
        #expect(try history.auditctl("orphans", "--rows", "-o", "json").output == "[]\n")
        #expect(try history.auditctl("orphans", "--attempt", "7").status == 64)
    }
}
