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

@Suite struct `The check of integrity` {
    /// `VERDICT check object` of every line.
    private func lines(_ dirty: DirtyDatabase, _ words: String...) throws -> [String] {
        let answer = try Program.run(
            Program.built("auditctl"),
            ["integrity", "-o", "json", "--config", dirty.bench.folder.path("migrated.toml")]
                + ["--database", dirty.bench.database.conninfo] + words)
        let tape = try JSONTape(Array(answer.output.utf8))
        let report = tape.value(tape.root)
        #expect(report["verdict"]?.string == (answer.status == 0 ? "PASS" : "FAIL"), "\(answer)")
        return try #require(report["lines"]?.array).map { line in
            [line["verdict"], line["check"], line["object"]].compactMap { $0?.string }.joined(separator: " ")
        }
    }

    @Test func `passes after a cleanup, notes the key that waits, and passes when that is there too`() throws {
        let dirty = try DirtyDatabase()
        try dirty.apply()
        let keys = ["dashboard_widgets.widgets_user", "error_logs.logs_user"].flatMap { key in
            ["orphans", "validation", "index"].map { "PASS \($0) public.\(key)" }
        }
        #expect(
            try lines(dirty, "--directory", dirty.bench.directory)
                == keys + [
                    "PASS invalid_index", "NOTE deferred_key saved_views.views_user", "PASS catalog", "PASS file",
                ])
        try dirty.bench.write(
            "026_views.up.sql", "CREATE TABLE saved_views (id int PRIMARY KEY, user_id text NOT NULL);")
        #expect(try lines(dirty, "--directory", dirty.bench.directory).suffix(2) == ["PASS file", "NOTE file"])
        try dirty.apply()
        let views = ["orphans", "validation", "index"].map { "PASS \($0) public.saved_views.views_user" }
        #expect(try lines(dirty) == keys + views + ["PASS invalid_index", "PASS catalog", "NOTE file"])
        let table = try dirty.ask("integrity")
        #expect(table.status == 0, "\(table)")
        #expect(table.output.contains("PASS  orphans        public.error_logs.logs_user: no orphan\n"), "\(table)")
        #expect(table.output.hasSuffix("PASS: 11 checks\n"), "\(table)")
    }

    @Test func `fails for a key that nobody proved, its orphans, a missing index and an invalid one`() throws {
        let dirty = try DirtyDatabase()
        try dirty.apply()
        try dirty.bench.query(
            """
            ALTER TABLE error_logs DROP CONSTRAINT logs_user;
            DROP INDEX error_logs_user_id_idx;
            UPDATE error_logs SET user_id = 'nobody' WHERE id <= 3;
            ALTER TABLE error_logs ADD CONSTRAINT later FOREIGN KEY (user_id) REFERENCES users (user_id) NOT VALID;
            UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'dashboard_widgets_user_id_idx'::regclass
            """)
        let found = try lines(dirty)
        #expect(
            found.filter { !$0.hasPrefix("PASS") } == [
                "FAIL index public.dashboard_widgets.widgets_user", "FAIL orphans public.error_logs.later",
                "FAIL validation public.error_logs.later", "FAIL index public.error_logs.later",
                "NOTE recorded_key public.error_logs.logs_user",
                "FAIL invalid_index public.dashboard_widgets_user_id_idx", "NOTE deferred_key saved_views.views_user",
                "NOTE catalog public.error_logs.later", "NOTE catalog public.error_logs.logs_user",
                "NOTE catalog public.dashboard_widgets.dashboard_widgets_user_id_idx",
                "NOTE catalog public.error_logs.error_logs_user_id_idx", "NOTE file",
            ])
        let table = try dirty.ask("integrity")
        #expect(table.status == 1, "\(table)")
        #expect(table.output.contains("public.error_logs.later: 3 orphans\n"), "\(table)")
    }

    @Test func `fails for applied files that changed or went`() throws {
        let dirty = try DirtyDatabase()
        try dirty.bench.write("026_more.up.sql", "CREATE TABLE more ();")
        try dirty.apply()
        let edited = dirty.bench.directory
        try dirty.bench.write("026_more.up.sql", "CREATE TABLE more (id int);")
        #expect(try lines(dirty, "--directory", edited).last == "FAIL file 026_more")
        try dirty.bench.folder.move("m/026_more.up.sql", to: "gone.sql")
        #expect(try lines(dirty, "--directory", edited).last == "FAIL file 026_more")
        #expect(try lines(dirty, "--directory", "/nowhere").last == "FAIL file /nowhere")
    }

    @Test func `counts what the server would refuse: composite keys, MATCH FULL, collations, partitions, itself`()
        throws
    {
        let dirty = try DirtyDatabase()
        try dirty.apply()
        try dirty.bench.query(
            """
            CREATE SCHEMA "Odd ""one";
            CREATE TABLE "Odd ""one".parent (a int, "B c" text COLLATE "C", PRIMARY KEY (a, "B c"));
            CREATE TABLE "Odd ""one".child (x int, y varchar(9) COLLATE "POSIX", up int, id int PRIMARY KEY) PARTITION BY RANGE (id);
            CREATE TABLE "Odd ""one".part PARTITION OF "Odd ""one".child FOR VALUES FROM (0) TO (100);
            ALTER TABLE "Odd ""one".child ADD CONSTRAINT up FOREIGN KEY (up) REFERENCES "Odd ""one".child (id);
            CREATE TABLE "Odd ""one".simple (x int, y text);
            CREATE TABLE "Odd ""one".total (x int, y text);
            INSERT INTO "Odd ""one".parent VALUES (1, 'one');
            INSERT INTO "Odd ""one".child VALUES (1, 'one', 1, 1), (NULL, NULL, NULL, 2);
            INSERT INTO "Odd ""one".simple VALUES (1, 'one'), (1, 'two'), (1, NULL), (NULL, NULL);
            INSERT INTO "Odd ""one".total VALUES (1, 'one'), (1, 'two'), (1, NULL), (NULL, NULL);
            ALTER TABLE "Odd ""one".child ADD CONSTRAINT both_of FOREIGN KEY (x, y) REFERENCES "Odd ""one".parent;
            ALTER TABLE "Odd ""one".simple ADD CONSTRAINT s FOREIGN KEY (x, y) REFERENCES "Odd ""one".parent NOT VALID;
            ALTER TABLE "Odd ""one".total ADD CONSTRAINT t FOREIGN KEY (x, y) REFERENCES "Odd ""one".parent MATCH FULL NOT VALID
            """)
        let report = try dirty.json("integrity", "--all")
        let counts = try #require(report["lines"]?.array).filter { $0["check"]?.string == "orphans" }.map {
            "\($0["object"]?.string ?? "?") \($0["count"]?.integer ?? -1)"
        }
        #expect(
            Set(counts) == [
                "Odd \"one.child.both_of 0", "Odd \"one.child.up 0", "Odd \"one.simple.s 1", "Odd \"one.total.t 2",
                "public.dashboard_widgets.widgets_user 0", "public.error_logs.logs_user 0",
            ])
    }

    @Test func `fails for what it may not count`() throws {
        let dirty = try DirtyDatabase()
        try dirty.apply()
        try dirty.bench.query(
            """
            DROP ROLE IF EXISTS auditor_of_keys;
            CREATE ROLE auditor_of_keys LOGIN;
            GRANT USAGE ON SCHEMA migrated TO auditor_of_keys;
            GRANT SELECT ON ALL TABLES IN SCHEMA migrated TO auditor_of_keys;
            GRANT SELECT ON users, error_logs TO auditor_of_keys
            """)
        let answer = try Program.run(
            Program.built("auditctl"),
            ["integrity", "--config", dirty.bench.folder.path("migrated.toml")]
                + ["--database", dirty.bench.database.conninfo + " user=auditor_of_keys"])
        #expect(answer.status == 1, "\(answer)")
        #expect(
            answer.output.contains(
                "FAIL  orphans        public.dashboard_widgets.widgets_user: orphans cannot be counted: permission denied"
            ),
            "\(answer)")
        #expect(answer.output.contains("PASS  orphans        public.error_logs.logs_user: no orphan"), "\(answer)")
        #expect(answer.output.hasSuffix("FAIL: 1 of 7 checks\n"), "\(answer)")
        try dirty.bench.query("DROP OWNED BY auditor_of_keys; DROP ROLE auditor_of_keys")
    }
}
