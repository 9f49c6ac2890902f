import LiveSupport
import Testing

/// A statement that cannot be in a transaction commits by itself, and its record a moment later: killed in between, the next run has to find
/// out whether it has run.
@Suite struct `The lost record of a statement without a transaction` {
    /// Killed behind the statement's own COMMIT; the next run has no more to go by than the database.
    private func kill(_ ground: ProvingGround, _ text: String, at point: String = "alone-done:1") throws {
        try ground.write("001_one.sql", text)
        let first = try ground.run("apply", environment: ["MIGRATED_FAILPOINT": point])
        #expect(first.end == .killed(9), "\(first)")
    }

    private func check(_ ground: ProvingGround, _ events: [String]) throws {
        #expect(try ground.events() == events)
        #expect(try ground.faults() == "")
        #expect(try ground.verify().status == 0)
    }

    static let foundAgain = [
        ("CREATE INDEX CONCURRENTLY t_a ON t (a);", "public.t USING btree (a)"),
        ("DROP INDEX CONCURRENTLY old;", "\"old\""),
        ("ALTER TABLE p DETACH PARTITION p1 CONCURRENTLY;", "\"p1\""),
        ("CREATE DATABASE %_new;", "database \"%_new\""),
        ("DROP DATABASE %_old;", "database \"%_old\""),
        ("CREATE TABLESPACE %_space LOCATION '';", "tablespace \"%_space\""),
        ("DROP TABLESPACE %_gone;", "tablespace \"%_gone\""),
    ]

    @Test(arguments: foundAgain)
    func `is found in the catalog, and the statement is not run again`(text: String, remains: String) throws {
        let ground = try ProvingGround()
        let name = ground.database.name
        func named(_ text: String) -> String {
            text.split(separator: "%", omittingEmptySubsequences: false).joined(separator: name)
        }
        try ground.query("CREATE TABLE t AS SELECT 1 AS a; CREATE INDEX old ON t (a)")
        try ground.query(
            "CREATE TABLE p (n int) PARTITION BY LIST (n); CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1)")
        try ground.query("ALTER DATABASE \(name) SET allow_in_place_tablespaces = on")
        // Each in a message of its own, as these must be.
        if text.contains("_old") { try ground.query("CREATE DATABASE \(name)_old") }
        if text.contains("_gone") { try ground.query("CREATE TABLESPACE \(name)_gone LOCATION ''") }
        try kill(ground, "CREATE TABLE before ();\n" + named(text) + "\nCREATE TABLE behind ();\n")
        let second = try ground.run("apply")
        #expect(second.status == 0, "\(second)")
        try check(
            ground,
            [
                "started 001_one", "statement_applied 001_one", "interrupted 001_one process_died", "started 001_one",
                "statement_applied 001_one found_complete", "applied 001_one",
            ])
        let object = try ground.query(
            "SELECT object FROM migrated.migration_rollback_audit WHERE reason = 'found_complete'")
        #expect(object.hasSuffix(named(remains)), "\(object)")
    }

    @Test(arguments: [
        "VACUUM t;", "VACUUM (ANALYZE) t;", "REINDEX TABLE CONCURRENTLY t;", "REINDEX INDEX CONCURRENTLY old;",
        "ALTER SYSTEM SET log_min_duration_statement = -1;", "REINDEX SCHEMA public;",
    ])
    func `is not needed where a second run comes to the same`(text: String) throws {
        let ground = try ProvingGround()
        try ground.query("CREATE TABLE t AS SELECT 1 AS a; CREATE INDEX old ON t (a)")
        try kill(ground, text + "\n")
        let second = try ground.run("apply")
        #expect(second.status == 0, "\(second)")
        try check(
            ground,
            [
                "started 001_one", "interrupted 001_one process_died", "started 001_one", "statement_applied 001_one",
                "applied 001_one",
            ])
        #expect(
            try ground.query(
                "SELECT string_agg(indexrelid::regclass || ' ' || indisvalid, ' ') FROM pg_index WHERE indrelid = 't'::regclass"
            ) == "old true")
    }

    /// Killed before it ran: what was there before is not what it has made.
    @Test(arguments: ["CREATE INDEX CONCURRENTLY old ON t (a);", "CREATE DATABASE %_old;"])
    func `is not read out of what was there before`(text: String) throws {
        let ground = try ProvingGround()
        let name = ground.database.name
        try ground.query("CREATE TABLE t AS SELECT 1 AS a; CREATE INDEX old ON t (a)")
        if text.contains("_old") { try ground.query("CREATE DATABASE \(name)_old") }
        try kill(
            ground, text.split(separator: "%", omittingEmptySubsequences: false).joined(separator: name),
            at: "after-started:1")
        let second = try ground.run("apply")
        #expect(second.status == 1 && second.errors.contains("already exists"), "\(second)")
        try check(
            ground,
            ["started 001_one", "interrupted 001_one process_died", "started 001_one", "failed 001_one sql_error"])
    }

    private static let counted = """
        -- migrated: transaction=none
        CREATE TABLE counter (file text);
        CREATE PROCEDURE call_it() LANGUAGE plpgsql AS $$ BEGIN INSERT INTO counter VALUES ('called'); COMMIT; END $$;

        """

    @Test func `asks for a person where nothing shows it, and runs it where that person says so`() throws {
        let ground = try ProvingGround()
        try kill(ground, Self.counted + "CALL call_it();\nINSERT INTO counter VALUES ('behind');\n")
        let second = try ground.run("apply")
        #expect(second.status == 1, "\(second)")
        #expect(second.errors.contains("001_one.sql:4:1: this statement may have run already"), "\(second)")
        #expect(
            second.errors.contains("HINT: Look at the database. Where it has not run, 'migrated retry 001' runs it"),
            "\(second)")
        #expect(try ground.query("SELECT file FROM counter") == "called")
        // A later part that is mended is no decision about it.
        try ground.write("001_one.sql", Self.counted + "CALL call_it();\nINSERT INTO counter VALUES ('last');\n")
        #expect(try ground.run("apply").status == 1)
        #expect(try ground.run("retry", "001").status == 0)
        let last = try ground.run("apply")
        #expect(last.status == 0, "\(last)")
        #expect(try ground.query("SELECT file FROM counter") == "called\ncalled\nlast")
        #expect(
            try ground.events("event = 'failed'") == [
                "failed 001_one outcome_unknown", "failed 001_one outcome_unknown",
            ])
        #expect(try ground.faults() == "")
    }

    @Test func `asks for a person, who takes the statement out of the file because it has run`() throws {
        let ground = try ProvingGround()
        try kill(ground, Self.counted + "CALL call_it();\nINSERT INTO counter VALUES ('behind');\n")
        #expect(try ground.run("apply").status == 1)
        try ground.write("001_one.sql", Self.counted + "INSERT INTO counter VALUES ('behind');\n")
        let last = try ground.run("apply")
        #expect(last.status == 0, "\(last)")
        #expect(try ground.query("SELECT file FROM counter") == "called\nbehind")
        #expect(try ground.faults() == "")
    }

    @Test func `asks for a person where an index without a name may be its own`() throws {
        let ground = try ProvingGround()
        try ground.query("CREATE TABLE t AS SELECT 1 AS a; CREATE INDEX old ON t (a)")
        try kill(ground, "CREATE INDEX CONCURRENTLY ON t (a);\n")
        let second = try ground.run("apply")
        #expect(
            second.status == 1
                && second.errors.contains(
                    "'CREATE INDEX t_a_idx ON public.t USING btree (a)' has come into being since"),
            "\(second)")
        #expect(try ground.run("resolve", "001", "--applied", "--reason", "it is there").status == 0)
        #expect(try ground.run("apply").status == 0)
        #expect(try ground.query("SELECT count(*) FROM pg_index WHERE indrelid = 't'::regclass") == "2")
        #expect(try ground.faults() == "")
    }

    /// What can be in a transaction is in one, with its record, also where a file wants none around its whole.
    @Test(arguments: ["statements-done:2", "before-commit:2", "after-commit:2", "before-append:3"])
    func `is no question where a file that wants no transaction has ordinary statements`(point: String) throws {
        let ground = try ProvingGround()
        try kill(
            ground,
            "-- migrated: transaction=none\nCREATE TABLE counter (file text);\nINSERT INTO counter VALUES ('one');\nINSERT INTO counter VALUES ('two');\n",
            at: point)
        let second = try ground.run("apply")
        #expect(second.status == 0, "\(second)")
        #expect(try ground.query("SELECT file FROM counter") == "one\ntwo")
        #expect(try ground.faults() == "")
    }

    /// The statement is done, and the session that was to record it ends: the process lives and says so.
    @Test func `is told as a lost connection by a process that lives`() throws {
        let ground = try ProvingGround()
        #expect(try ground.run("retry").status == 0)
        try ground.query("CREATE TABLE t AS SELECT 1 AS a")
        try ground.query(
            """
            CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END $$;
            CREATE TRIGGER cut BEFORE INSERT ON migrated.migration_rollback_audit
                FOR EACH ROW WHEN (NEW.event = 'statement_applied') EXECUTE FUNCTION cut();
            """)
        try ground.write("001_one.sql", "CREATE INDEX CONCURRENTLY t_a ON t (a);\n")
        let daemon = try ground.start("run")
        try ground.waitFor("event = 'interrupted'", daemon)
        try ground.query("DROP TRIGGER cut ON migrated.migration_rollback_audit")
        try ground.waitFor("event = 'applied'", daemon)
        try ground.stop(daemon)
        #expect(try ground.events("event = 'interrupted' AND reason <> 'connection_lost'") == [])
        #expect(try ground.events("reason = 'found_complete'") == ["statement_applied 001_one found_complete"])
        #expect(try ground.query("SELECT count(*) FROM pg_index WHERE indrelid = 't'::regclass") == "1")
        #expect(try ground.faults() == "")
        #expect(try ground.verify().status == 0)
    }
}
