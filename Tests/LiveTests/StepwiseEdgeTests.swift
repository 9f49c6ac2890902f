import LiveSupport
import Postgres
import Testing

@Suite struct `Step by step, at the edges` {
    private static let steps = "orphans=clean missing-table=skip index-foreign-keys=yes foreign-keys=stepwise"

    private func keys(_ bench: Workbench) throws -> String {
        try bench.query(
            """
            SELECT string_agg(conname || ' ' || convalidated, ', ' ORDER BY conname) FROM pg_constraint
             WHERE contype = 'f' AND connamespace = 'public'::regnamespace
            """)
    }

    @Test func `new tables that refer to each other in a circle`() throws {
        let bench = try Workbench()
        try bench.write(
            "001_circle.sql",
            """
            -- migrated: \(Self.steps)
            CREATE TABLE a (id int PRIMARY KEY, c int NOT NULL);
            CREATE TABLE b (id int PRIMARY KEY, a int NOT NULL REFERENCES a);
            ALTER TABLE a ADD CONSTRAINT a_early FOREIGN KEY (c) REFERENCES c;
            CREATE TABLE c (id int PRIMARY KEY, b int NOT NULL);
            ALTER TABLE c ADD CONSTRAINT c_b FOREIGN KEY (b) REFERENCES b ON DELETE CASCADE, ADD CONSTRAINT c_c FOREIGN KEY (id) REFERENCES c;
            ALTER TABLE a ADD CONSTRAINT a_c FOREIGN KEY (c) REFERENCES c;
            """)
        let outcome = try bench.run("apply")
        #expect(outcome.status == 0, "\(outcome)")
        #expect(try keys(bench) == "a_c true, a_early true, b_a_fkey true, c_b true, c_c true")
        #expect(try bench.events("event = 'deferred'") == ["deferred 001_circle missing_table"])
        #expect(try bench.faults() == "")
    }

    @Test func `what can have no key fails in PostgreSQL's words, and leaves nothing`() throws {
        let bench = try Workbench()
        try bench.query(
            """
            CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (id int PRIMARY KEY, p int); CREATE VIEW v AS SELECT * FROM c;
            CREATE MATERIALIZED VIEW m AS SELECT * FROM c; INSERT INTO c VALUES (1, 1);
            CREATE EXTENSION file_fdw; CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
            CREATE FOREIGN TABLE f (id int, p int) SERVER files OPTIONS (filename '/dev/null');
            """)
        for (table, key, words) in [
            ("v", "(p) REFERENCES p", "\"v\""), ("m", "(p) REFERENCES p", "\"m\""),
            ("f", "(p) REFERENCES p", "foreign key constraints are not supported on foreign tables"),
            ("c", "(p) REFERENCES v (id)", "referenced relation \"v\" is not a table"),
            ("c", "(p) REFERENCES f (id)", "referenced relation \"f\" is not a table"),
        ] {
            for directives in [Self.steps, "orphans=clean"] {
                try bench.write(
                    "001_key.sql",
                    "-- migrated: \(directives)\nALTER TABLE \(table) ADD CONSTRAINT k FOREIGN KEY \(key);\n")
                let outcome = try bench.run("apply")
                #expect(outcome.status == 1)
                #expect(outcome.errors.contains(words), "\(table) \(directives) \(outcome)")
                #expect(try bench.query("SELECT count(*) FROM pg_constraint WHERE conname = 'k'") == "0")
                #expect(try bench.query("SELECT count(*) FROM migrated.orphan_quarantine") == "0")
            }
        }
        #expect(try bench.faults() == "")
    }

    @Test func `a batch whose only row was moved away records nothing and goes on`() throws {
        let bench = try Workbench()
        try bench.query(
            """
            CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (id int PRIMARY KEY, p int NOT NULL);
            INSERT INTO p VALUES (1); INSERT INTO c SELECT n, 1 FROM generate_series(1, 99) AS n; INSERT INTO c VALUES (100, 2)
            """)
        try bench.write(
            "001_key.sql",
            "-- migrated: orphans=clean foreign-keys=stepwise\nALTER TABLE c ADD CONSTRAINT k FOREIGN KEY (p) REFERENCES p;\n"
        )
        let target = try ConnectionTarget(bench.database.conninfo, applicationName: "a busy application")
        let other = try Connection(target, waiter: BlockingWaiter())
        try other.run("BEGIN; UPDATE c SET id = 200 WHERE id = 100")
        let program = try bench.start("apply", "--lock-timeout", "30s")
        try eventually("a session that waits", within: .seconds(30)) {
            try bench.query("SELECT count(*) FROM pg_locks WHERE NOT granted") != "0"
        }
        try other.run("COMMIT")
        let outcome = try program.outcome()
        #expect(outcome.status == 0, "\(outcome)")
        #expect(try keys(bench) == "k true")
        #expect(try bench.query("SELECT string_agg(key ->> 'id', ' ') FROM migrated.orphan_quarantine") == "200")
        #expect(try bench.faults() == "")
    }

    // MARK: Deferred keys

    /// A file whose key waits for `users`, applied; then the file that brings that, with rows that are no orphans and one that is.
    private func deferred(_ directives: String, rows: Int = 1) throws -> Workbench {
        let bench = try Workbench()
        try bench.write(
            "001_widgets.sql",
            """
            -- migrated: \(directives)
            CREATE TABLE widgets (id int PRIMARY KEY, user_id int NOT NULL CONSTRAINT widgets_user REFERENCES users);
            """)
        #expect(try bench.run("apply").status == 0)
        #expect(try bench.events("event = 'deferred'").count == 1)
        try bench.query(
            "INSERT INTO widgets SELECT n, CASE WHEN n <= \(rows) THEN 7 ELSE 1 END FROM generate_series(1, 40) AS n")
        try bench.write("002_users.sql", "CREATE TABLE users (id int PRIMARY KEY);\nINSERT INTO users VALUES (1);\n")
        return bench
    }

    private func added(_ bench: Workbench) throws -> [String] {
        try bench.query(
            """
            SELECT concat_ws(' ', event, nullif(reason, 'found_complete'), object, row_count) FROM migrated.migration_rollback_audit
             WHERE detail LIKE '%"deferred_seq"%' ORDER BY seq
            """
        ).split(separator: "\n").map(String.init)
    }

    private static let allSteps = [
        "constraint_added not_valid public.widgets.widgets_user", "orphans_deleted public.widgets.user_id 1",
        "index_created public.widgets_user_id_idx", "constraint_added validated public.widgets.widgets_user",
    ]

    @Test func `a deferred key is added step by step, too, and only once`() throws {
        let bench = try deferred(Self.steps)
        let outcome = try bench.run("apply")
        #expect(outcome.status == 0, "\(outcome)")
        #expect(try added(bench) == Self.allSteps)
        #expect(try keys(bench) == "widgets_user true")
        #expect(try bench.run("apply").status == 0)
        #expect(try added(bench).count == 4)
        #expect(try bench.faults() == "")
        // What was cleaned for it belongs to its file's attempt, and comes back.
        try bench.query("ALTER TABLE widgets DROP CONSTRAINT widgets_user")
        let restored = try bench.run(
            "restore-orphans",
            try bench.query("SELECT attempt_id FROM migrated.migration_rollback_audit WHERE event = 'deferred'"))
        #expect(restored.status == 0, "\(restored)")
        #expect(try bench.query("SELECT user_id FROM widgets WHERE id = 1") == "7")
    }

    @Test(arguments: ["key-step", "before-commit", "after-commit", "alone-done"])
    func `killed anywhere, it is taken up by the next run`(point: String) throws {
        var kills = 0
        for count in 1... {
            let bench = try deferred(Self.steps)
            let place = Comment(rawValue: "\(point):\(count)")
            let first = try bench.run("apply", environment: ["MIGRATED_FAILPOINT": "\(point):\(count)"])
            let wasKilled = first.end == .killed(9)
            kills += wasKilled ? 1 : 0
            // 002 has such points, too: the key is added by the next run then, whether or not that has a file to apply.
            #expect(try bench.run("apply").status == 0, place)
            #expect(try keys(bench) == "widgets_user true", place)
            #expect(try bench.query("SELECT count(*) FROM widgets") == "39", place)
            #expect(try bench.query("SELECT count(*) FROM migrated.orphan_quarantine") == "1", place)
            #expect(try added(bench) == Self.allSteps, place)
            #expect(try bench.run("status").output.contains("deferred") == false, place)
            #expect(try bench.faults() == "", place)
            if !wasKilled { break }
        }
        #expect(kills > 0)
    }

    @Test func `a table that somebody else made is noticed by the next run, and by a daemon that starts`() throws {
        for verb in ["apply", "run"] {
            let bench = try deferred("missing-table=skip")
            try bench.folder.remove("m/002_users.sql")
            try bench.query("CREATE TABLE users (id int PRIMARY KEY); INSERT INTO users VALUES (1), (7)")
            if verb == "apply" {
                #expect(try bench.run("apply").status == 0)
            } else {
                let daemon = try bench.start("run")
                try bench.waitFor("event = 'constraint_added'", daemon)
                try bench.stop(daemon)
            }
            #expect(try added(bench) == ["constraint_added public.widgets.widgets_user"])
            #expect(try bench.faults() == "")
        }
    }

    @Test func `a deferred key that cannot be added stays deferred, and nothing has changed`() throws {
        let bench = try deferred(Self.steps, rows: 10)
        let outcome = try bench.run("apply")
        #expect(outcome.status == 0, "\(outcome)")
        #expect(outcome.errors.contains("cannot be added yet: cleaning would touch 10 of 40 rows"), "\(outcome)")
        #expect(try added(bench) == [])
        #expect(try keys(bench) == "")
        let told = try Program.run(
            Program.built("auditctl"), ["status", "--database", bench.database.conninfo],
            environment: Program.environment)
        #expect(told.output.contains("widgets.widgets_user"), "\(told)")
    }

    @Test func `ALTER TABLE IF EXISTS of a table that is not there is PostgreSQL's own business`() throws {
        let bench = try Workbench()
        try bench.query("CREATE TABLE p (id int PRIMARY KEY)")
        for (number, directives) in [Self.steps, "orphans=clean", "missing-table=skip", "index-foreign-keys=yes"]
            .enumerated()
        {
            try bench.write(
                "00\(number)_if.sql",
                "-- migrated: \(directives)\nALTER TABLE IF EXISTS nowhere ADD CONSTRAINT k FOREIGN KEY (p) REFERENCES p;\n"
            )
            let outcome = try bench.run("apply")
            #expect(outcome.status == 0, "\(outcome)")
            #expect(outcome.errors.contains("relation \"nowhere\" does not exist, skipping"), "\(outcome)")
        }
        #expect(try bench.events("event IN ('deferred', 'constraint_added')") == [])
    }
}
