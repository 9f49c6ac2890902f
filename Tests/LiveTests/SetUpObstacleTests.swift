import LiveSupport
import Testing

/// What stands in the way of a set-up or of a file, and what is said of it.
@Suite struct `What stands in the way is named` {
    @Test(arguments: ["ddl_command_start", "ddl_command_end"])
    func `an event trigger of the database, with its function and the way out`(event: String) throws {
        let bench = try Workbench()
        try bench.query(
            """
            CREATE SCHEMA policy;
            CREATE FUNCTION policy.guard() RETURNS event_trigger LANGUAGE plpgsql AS
                $$ BEGIN IF tg_tag = 'CREATE TABLE' THEN RAISE EXCEPTION 'no DDL on Fridays'; END IF; END $$;
            CREATE FUNCTION policy.calm() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN NULL; END $$;
            CREATE EVENT TRIGGER "A calm one" ON \(event) EXECUTE FUNCTION policy.calm();
            CREATE EVENT TRIGGER "The guard" ON \(event) EXECUTE FUNCTION policy.guard();
            """)
        try bench.write("1_a.sql", "SELECT 1;\n")
        for verb in ["apply", "init"] {
            let outcome = try verb == "apply" ? bench.run(verb) : bench.initialize()
            #expect(outcome.status == 78, "\(outcome)")
            #expect(
                outcome.errors.contains("event trigger \"The guard\" (\(event)) of this database calls policy.guard()"),
                "\(outcome)")
            #expect(outcome.errors.contains("no DDL on Fridays"), "\(outcome)")
            #expect(outcome.errors.contains("ALTER EVENT TRIGGER \"The guard\" DISABLE"), "\(outcome)")
        }
        try bench.query("ALTER EVENT TRIGGER \"The guard\" DISABLE")
        #expect(try bench.initialize().status == 0)
        try bench.query("ALTER EVENT TRIGGER \"The guard\" ENABLE")
        #expect(try bench.run("apply").status == 0)
    }

    @Test func `a copy of the structure alone, with a way out that works`() throws {
        let source = try Workbench()
        try source.write("1_a.sql", "CREATE TABLE a ();\n")
        #expect(try source.run("apply").status == 0)
        let dump = try Program.run(Cluster.programs + "/pg_dump", ["-s", "-d", source.database.conninfo])
        #expect(dump.status == 0)
        let bench = try Workbench()
        #expect(try bench.database.psql(dump.output).status == 0)
        try bench.write("1_a.sql", "CREATE TABLE a ();\n")
        try bench.write("2_b.sql", "CREATE TABLE b ();\n")
        for verb in ["apply", "plan", "status"] {
            let outcome = try bench.run(verb)
            #expect(outcome.status == 78 && outcome.errors.contains("pg_dump --schema-only"), "\(verb): \(outcome)")
            #expect(outcome.errors.contains("DROP SCHEMA \"migrated\" CASCADE"), "\(outcome)")
            #expect(outcome.errors.contains("migrated adopt --baseline VERSION"), "\(outcome)")
        }
        #expect(try bench.query("SELECT count(*) FROM migrated.migration_rollback_audit") == "0")
        try bench.query("DROP SCHEMA \"migrated\" CASCADE")
        let adopted = try bench.run("adopt", "--baseline", "1")
        #expect(adopted.status == 0, "\(adopted)")
        let applied = try bench.run("apply")
        #expect(applied.status == 0, "\(applied)")
        #expect(try bench.events("event = 'applied'") == ["applied 2_b"])
    }

    @Test func `the limit of a file that is too large`() throws {
        let bench = try Workbench()
        try bench.folder.write("migrated.toml", "size-limit = \"1K\"\n")
        try bench.write("1_a.sql", "SELECT 1; -- " + String(repeating: "x", count: 2000) + "\n")
        let outcome = try bench.run("apply")
        #expect(outcome.status == 65 && outcome.errors.contains("HINT: Raise 'size-limit'"), "\(outcome)")
    }

    @Test func `a file that was applied in part and is gone`() throws {
        let bench = try Workbench()
        try bench.write("1_a.sql", "CREATE TABLE a (n int);\nCREATE INDEX CONCURRENTLY i ON a (n);\nSELECT nothing;\n")
        #expect(try bench.run("apply").status == 1)
        try bench.folder.remove("m/1_a.sql")
        try bench.write("2_b.sql", "SELECT 1;\n")
        let told = "'1_a' was applied in part (2 parts are committed), and its file is missing"
        #expect(try bench.run("plan").output.contains(told))
        _ = try bench.run("apply")
        _ = try bench.run("apply")
        #expect(try bench.events("event = 'drift_detected'") == ["drift_detected 1_a partly_applied_file_missing"])
        #expect(
            try bench.query("SELECT message FROM migrated.migration_rollback_audit WHERE event = 'drift_detected'")
                == told)
        let status = try bench.run("status")
        #expect(status.output.contains(told), "\(status)")
    }

    @Test(arguments: [
        ("CREATE TABLE a ();\r\nCREATE TABLE b ();\r\n", "only in its line ends (CRLF, applied with LF)"),
        ("\u{FEFF}CREATE TABLE a ();\nCREATE TABLE b ();\n", "only by a byte order mark"),
        ("CREATE TABLE a ();  \nCREATE TABLE b ();\n\n", "only in white space at the end of a line or of the file"),
    ])
    func `a change of an applied file that changes nothing`(text: String, told: String) throws {
        let bench = try Workbench()
        try bench.write("1_a.sql", "CREATE TABLE a ();\nCREATE TABLE b ();\n")
        #expect(try bench.run("apply").status == 0)
        try bench.write("1_a.sql", text)
        let plan = try bench.run("plan")
        #expect(plan.output.contains("its text has changed since it was applied, \(told)"), "\(plan)")
        let outcome = try bench.run("apply")
        #expect(
            outcome.status == 0 && outcome.errors.contains("1_a differs from what was applied \(told)"), "\(outcome)")
        #expect(
            try bench.query(
                "SELECT detail::jsonb ->> 'difference' FROM migrated.migration_rollback_audit WHERE reason = 'file_changed'"
            )
                == told)
        let integrity = try bench.auditctl("integrity", "--directory", bench.directory)
        #expect(integrity.status == 1 && integrity.output.contains(told), "\(integrity)")
        let check = try bench.run("check", "--database", bench.database.conninfo)
        #expect(check.output.contains("after it had been applied, \(told)"), "\(check)")
        try bench.folder.write("migrated.toml", "on-drift = \"stop\"\n")
        let stopped = try bench.run("apply")
        #expect(
            stopped.status == 1 && stopped.errors.contains("has changed since it was applied (\(told))"), "\(stopped)")
    }

    @Test func `a change of an applied file that changes more is not called harmless`() throws {
        let bench = try Workbench()
        try bench.write("1_a.sql", "CREATE TABLE a ();\n")
        #expect(try bench.run("apply").status == 0)
        try bench.write("1_a.sql", "CREATE TABLE a (n int);\r\n")
        #expect(try bench.run("apply").status == 0)
        #expect(
            try bench.query(
                "SELECT message IS NULL FROM migrated.migration_rollback_audit WHERE reason = 'file_changed'") == "t")
    }

    @Test(arguments: [
        ("CREATE TABLE\u{A0}t (n int);\n", "<U+00A0>", "a no-break space (U+00A0) at column 13"),
        ("SELECT 1;\nSELECT\u{200B} 2;\n", "<U+200B>", "a zero width space (U+200B) at column 7"),
        ("SELECT 1; \u{FEFF}SELECT 2;\n", "<U+FEFF>", "a byte order mark (U+FEFF) at column 11"),
        ("CREATE TABLE t\u{202E} n int);\n", "<U+202E>", "a right-to-left override (U+202E) at column 15"),
    ])
    func `a character that cannot be seen`(sql: String, shown: String, told: String) throws {
        let bench = try Workbench()
        try bench.write("1_a.sql", sql)
        let outcome = try bench.run("apply")
        #expect(
            outcome.status == 1 && outcome.errors.contains(shown) && outcome.errors.contains("holds \(told)"),
            "\(outcome)")
        #expect(
            try bench.query(
                "SELECT position('\(shown)' IN detail::jsonb ->> 'excerpt') > 0 FROM migrated.migration_rollback_audit WHERE event = 'failed'"
            )
                == "t")
    }

    private static let slowIndex = """
        CREATE FUNCTION slow(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.5); RETURN $1; END';
        CREATE TABLE a AS SELECT 1 AS n;
        """

    @Test func `a CONCURRENTLY statement is not ended by the limit of other statements`() throws {
        let bench = try Workbench()
        try bench.query(Self.slowIndex)
        try bench.folder.write("migrated.toml", "statement-timeout = \"100ms\"\n")
        try bench.write("1_a.sql", "CREATE INDEX CONCURRENTLY i ON a (slow(n));\n")
        let outcome = try bench.run("apply")
        #expect(outcome.status == 0, "\(outcome)")
        #expect(try bench.query("SELECT indisvalid FROM pg_index WHERE indexrelid = 'i'::regclass") == "t")
    }

    @Test(arguments: [
        ("concurrent-timeout = \"100ms\"\n", ""), ("", "-- migrated: concurrent-timeout=100ms\n"),
        ("concurrent-timeout = \"1h\"\n", "-- migrated: concurrent-timeout=100ms\n"),
    ])
    func `a CONCURRENTLY statement has a limit of its own, and leaves nothing behind`(settings: String, head: String)
        throws
    {
        let bench = try Workbench()
        try bench.query(Self.slowIndex)
        try bench.folder.write("migrated.toml", settings)
        try bench.write("1_a.sql", "\(head)CREATE INDEX CONCURRENTLY i ON a (slow(n));\n")
        let outcome = try bench.run("apply")
        #expect(outcome.status == 1 && outcome.errors.contains("statement timeout"), "\(outcome)")
        #expect(try bench.events("event = 'failed'") == ["failed 1_a statement_timeout"])
        #expect(try bench.query("SELECT count(*) FROM pg_index WHERE indrelid = 'a'::regclass") == "0")
    }

    @Test func `the deadline ends it all the same`() throws {
        let bench = try Workbench()
        try bench.query(Self.slowIndex)
        try bench.write("1_a.sql", "-- migrated: deadline=100ms\nCREATE INDEX CONCURRENTLY i ON a (slow(n));\n")
        #expect(try bench.run("apply").status == 1)
        #expect(try bench.events("event = 'failed'") == ["failed 1_a deadline"])
    }

    @Test func `a CONCURRENTLY statement that lock_timeout ends is tried again`() throws {
        let bench = try Workbench()
        try bench.query(
            "CREATE TABLE p (n int) PARTITION BY LIST (n); CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1)")
        try bench.folder.write(
            "migrated.toml",
            "lock-timeout = \"50ms\"\nretry-wait = \"10ms\"\nretry-wait-max = \"20ms\"\nretry-tries = 1000\n")
        try bench.write("1_a.sql", "ALTER TABLE p DETACH PARTITION p1 CONCURRENTLY;\n")
        let holder = try HeldSession(
            bench.database, "BEGIN; LOCK TABLE p1 IN ACCESS EXCLUSIVE MODE;", user: "postgres")
        try eventually("the lock") {
            try bench.query(
                "SELECT count(*) FROM pg_locks WHERE relation = 'p1'::regclass AND mode = 'AccessExclusiveLock'") == "1"
        }
        let daemon = try bench.start("run")
        try bench.waitFor("event = 'failed' AND reason = 'lock_timeout'", daemon)
        holder.end()
        try bench.waitFor("event = 'applied'", daemon)
        try bench.stop(daemon)
        #expect(try bench.query("SELECT count(*) FROM pg_inherits") == "0")
        #expect(try bench.faults() == "")
    }
}

extension Workbench {
    /// `migrated init` as a superuser, with that login in both parts.
    fileprivate func initialize() throws -> Program.Outcome {
        try run("init", "--migration-login", "postgres", "--audit-login", "postgres")
    }
}
