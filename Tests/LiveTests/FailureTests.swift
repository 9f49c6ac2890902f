import LiveSupport
import Testing

@Suite struct `A file that fails` {
    @Test func `stops the line, is told with its place, and is tried again as soon as it is mended`() throws {
        let bench = try Workbench()
        try bench.write("001_first.sql", "CREATE TABLE counter (file int);")
        try bench.write(
            "002_bad.sql", "INSERT INTO counter VALUES (2);\n\nINSERT INTO counter\n  VALUES (2, nowhere);\n")
        try bench.write("003_next.sql", "INSERT INTO counter VALUES (3);")
        try bench.write("004_next.sql", "INSERT INTO counter VALUES (4);")
        let daemon = try bench.start("run")
        try bench.waitFor("event = 'skipped' AND version = '004'", daemon)
        try bench.write("005_noise.sql", "INSERT INTO counter VALUES (5);")
        try bench.waitFor("event = 'skipped' AND version = '005'", daemon)
        #expect(
            try bench.events() == [
                "started 001_first", "applied 001_first", "started 002_bad", "failed 002_bad sql_error",
                "skipped 003_next blocked_by_failure", "skipped 004_next blocked_by_failure",
                "skipped 005_noise blocked_by_failure",
            ])
        #expect(
            try bench.query(
                "SELECT sqlstate, message, d->>'line', d->>'column', d->>'statement' FROM (SELECT *, detail::json AS d FROM migrated.migration_rollback_audit WHERE event = 'failed') AS f"
            ) == "42703|column \"nowhere\" does not exist|4|14|2")
        #expect(
            daemon.errorsSoFar.contains(
                "failed 002_bad at line 4, column 14: column \"nowhere\" does not exist (SQLSTATE 42703)"))

        let apply = try bench.run("apply")
        #expect(apply.status == 1, "\(apply)")
        #expect(
            apply.errors.contains(
                "002_bad.sql:4:14: failed before and waits for mending: column \"nowhere\" does not exist"), "\(apply)")
        #expect(apply.errors.contains("HINT: Mend the file, and it is tried at once"), "\(apply)")

        try bench.write("002_bad.sql", "INSERT INTO counter VALUES (2);")
        try bench.waitFor("event = 'applied' AND version = '005'", daemon)
        #expect(try bench.query("SELECT file FROM counter") == "2\n3\n4\n5")
        try bench.stop(daemon)
        #expect(try bench.faults() == "")
    }

    @Test func `lets others pass where it says so`() throws {
        let bench = try Workbench()
        try bench.write("001_bad.sql", "-- migrated: on-failure=continue\nSELECT 1 / 0;")
        try bench.write("002_next.sql", "CREATE TABLE t ();")
        let outcome = try bench.run("apply")
        #expect(outcome.status == 1, "\(outcome)")
        #expect(outcome.errors.contains("001_bad.sql:2:"), "\(outcome)")
        #expect(try bench.events("event IN ('applied', 'failed')") == ["failed 001_bad sql_error", "applied 002_next"])
        #expect(try bench.faults() == "")
    }

    @Test(arguments: [
        ("-- migrated: statement-timeout=50ms\nCREATE TABLE t ();\nSELECT pg_sleep(600);", "statement_timeout"),
        // Every statement is short; the file as a whole is not.
        (
            "-- migrated: deadline=300ms\nCREATE TABLE t ();\n"
                + String(repeating: "SELECT pg_sleep(0.1);\n", count: 1000), "deadline"
        ),
        (
            "-- migrated: deadline=300ms\nCREATE TABLE t ();\nSET statement_timeout = 0;\nSELECT pg_sleep(600);",
            "deadline"
        ),
        ("CREATE TABLE t ();\nDO $$ BEGIN LOOP PERFORM pg_sleep(0); END LOOP; END $$;", "deadline"),
    ])
    func `because it takes too long is cancelled and rolled back`(text: String, reason: String) throws {
        let bench = try Workbench()
        try bench.write("001_long.sql", text)
        let outcome = try bench.run("apply", "--deadline", "500ms")
        #expect(outcome.status == 1, "\(outcome)")
        #expect(try bench.events() == ["started 001_long", "failed 001_long \(reason)"])
        #expect(try bench.query("SELECT to_regclass('t')") == "")
        #expect(
            try bench.query("SELECT sqlstate FROM migrated.migration_rollback_audit WHERE event = 'failed'") == "57014")
        #expect(
            try bench.query(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'migrated%'"
            ) == "0")
        #expect(try bench.faults() == "")
    }

    @Test func `on a lock that another session holds is tried again until it gets it`() throws {
        let bench = try Workbench()
        try bench.query("CREATE TABLE busy ()")
        try bench.folder.write(
            "migrated.toml", "retry-tries = 1000\nretry-wait = \"10ms\"\nretry-wait-max = \"20ms\"\n")
        try bench.write("001_alter.sql", "-- migrated: lock-timeout=50ms\nALTER TABLE busy ADD COLUMN a int;")
        let holder = try Program(
            Cluster.programs + "/psql", ["-X", "-q", "-d", bench.database.conninfo + " application_name=the_holder"],
            input: "BEGIN; LOCK TABLE busy; SELECT pg_sleep(600);")
        try eventually("lock") {
            try bench.query("SELECT count(*) FROM pg_locks WHERE relation = 'busy'::regclass AND granted") == "1"
        }
        let apply = try bench.start("apply")
        try bench.waitFor("event = 'failed' AND detail LIKE '%the_holder%'", apply)
        holder.signal(9)
        _ = try bench.query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'the_holder'")
        let outcome = try apply.outcome()
        #expect(outcome.status == 0, "\(outcome)")
        let events = Set(try bench.events())
        #expect(events == ["started 001_alter", "failed 001_alter lock_timeout", "applied 001_alter"])
        #expect(
            try bench.query("SELECT DISTINCT sqlstate FROM migrated.migration_rollback_audit WHERE event = 'failed'")
                == "55P03")
        #expect(try bench.faults() == "")
    }

    @Test func `at COMMIT, by a deferred constraint, is told like any other`() throws {
        let bench = try Workbench()
        try bench.write(
            "001_deferred.sql",
            "CREATE TABLE a (id int PRIMARY KEY);\nCREATE TABLE b (a int REFERENCES a DEFERRABLE INITIALLY DEFERRED);\nINSERT INTO b VALUES (7);"
        )
        let outcome = try bench.run("apply")
        #expect(outcome.status == 1, "\(outcome)")
        #expect(outcome.errors.contains("violates foreign key constraint"), "\(outcome)")
        #expect(
            try bench.query("SELECT event, sqlstate FROM migrated.migration_rollback_audit") == "started|\nfailed|23503"
        )
        #expect(try bench.query("SELECT to_regclass('a')") == "")
        #expect(try bench.faults() == "")
    }
}

@Suite struct `What a migration says` {
    @Test func `is told and kept`() throws {
        let bench = try Workbench()
        try bench.write(
            "001_talk.sql",
            "DO $$ BEGIN RAISE NOTICE 'copied % rows', 7; RAISE WARNING 'that was slow'; END $$;\nDROP TABLE IF EXISTS nothing;"
        )
        let outcome = try bench.run("apply")
        #expect(outcome.status == 0, "\(outcome)")
        #expect(outcome.errors.contains("migrated: 001_talk: NOTICE: copied 7 rows\n"), "\(outcome)")
        #expect(outcome.errors.contains("migrated: 001_talk: WARNING: that was slow\n"), "\(outcome)")
        #expect(
            try bench.query(
                "SELECT detail::json->'notices'->'messages' FROM migrated.migration_rollback_audit WHERE event = 'applied'"
            )
                == #"["NOTICE: copied 7 rows","WARNING: that was slow","NOTICE: table \"nothing\" does not exist, skipping"]"#
        )
    }

    @Test func `in a flood is bounded and counted`() throws {
        let bench = try Workbench()
        try bench.write(
            "001_flood.sql",
            "DO $$ BEGIN FOR i IN 1..20000 LOOP RAISE NOTICE '% %', i, repeat('x', 1000); END LOOP; RAISE NOTICE '%', repeat('y', 10000000); END $$;"
        )
        let outcome = try bench.run("apply")
        #expect(outcome.status == 0, "\(outcome.errors.prefix(3000))")
        #expect(outcome.errorBytes.count < 300_000)
        #expect(
            try bench.query(
                "SELECT length(detail) < 65536, detail::json->'notices'->>'count' FROM migrated.migration_rollback_audit WHERE event = 'applied'"
            )
                == "t|20001")
    }

    @Test func `cannot forge a line or move a terminal`() throws {
        let bench = try Workbench()
        try bench.write(
            "001_hostile.sql",
            #"DO $$ BEGIN RAISE NOTICE E'one\nmigrated: applied 999_forged [seq 9]\033]0;title\007\r<0>'; RAISE EXCEPTION E'bad\n\033[2J‮thing' USING DETAIL = E'more\033c', HINT = E'try\n\033c'; END $$;"#
        )
        let outcome = try bench.run("apply")
        #expect(outcome.status == 1, "\(outcome)")
        #expect(
            !outcome.errorBytes.contains(0x1B) && !outcome.errors.contains("\r")
                && !outcome.errors.contains("\u{202E}"), "\(outcome)")
        #expect(!outcome.errors.contains("\nmigrated: applied"), "\(outcome)")
        #expect(
            try bench.query(
                #"SELECT count(*) FROM migrated.migration_rollback_audit WHERE message ~ '[\x01-\x1f\u202e]' OR detail ~ '[\x01-\x1f]'"#
            ) == "0")
        #expect(
            try bench.query("SELECT message FROM migrated.migration_rollback_audit WHERE event = 'failed'")
                == #"bad\n\u{1b}[2J\u{202e}thing"#)
    }
}
