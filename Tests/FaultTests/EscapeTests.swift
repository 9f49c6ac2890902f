import LiveSupport
import Testing

/// A file can say anything that SQL can say: to its own transaction, to its session, to our history.
@Suite struct `A file that breaks out` {
    /// What becomes of one hostile file, and of the next one.
    private func run(_ sql: String, setup: String = "") throws -> (ProvingGround, Program.Outcome) {
        let ground = try ProvingGround()
        try ground.query("CREATE TABLE counter (file text); \(setup)")
        try ground.write("001_hostile.sql", "-- migrated: on-failure=continue\n\(sql)\n")
        try ground.write(
            "002_next.sql",
            """
            INSERT INTO counter VALUES ('next');
            CREATE TABLE next AS SELECT current_setting('statement_timeout') AS statement, current_setting('lock_timeout') AS lock,
                current_setting('search_path') AS path, current_setting('session_replication_role') AS replication,
                current_setting('default_transaction_read_only') AS reading, current_user::text AS role, session_user::text AS login;
            """)
        let outcome = try ground.run("apply")
        let place = Comment(rawValue: "\(sql)\n\(outcome)\n\(try ground.events().joined(separator: "\n"))")
        #expect(
            try ground.query("SELECT * FROM next") == "5min|2s|\"$user\", public|origin|off|postgres|postgres", place)
        #expect(try ground.query("SELECT count(*) FROM counter WHERE file = 'next'") == "1", place)
        #expect(try ground.faults() == "", place)
        return (ground, outcome)
    }

    @Test(arguments: [
        ("INSERT INTO counter VALUES ('x'); DO $$ BEGIN EXECUTE 'COMMIT'; END $$;", "0A000"),
        ("INSERT INTO counter VALUES ('x'); DO $$ BEGIN EXECUTE 'PREPARE TRANSACTION ''p'''; END $$;", "0A000"),
        ("INSERT INTO counter VALUES ('x'); DROP SCHEMA migrated CASCADE;", "3F000"),
        ("INSERT INTO counter VALUES ('x'); ALTER TABLE migrated.audit_head RENAME TO gone;", "42P01"),
        ("INSERT INTO counter VALUES ('x'); DELETE FROM migrated.migration_rollback_audit;", "MG004"),
        (
            "INSERT INTO counter VALUES ('x'); SET session_replication_role = replica; TRUNCATE migrated.migration_source;",
            "MG004"
        ),
        ("INSERT INTO counter VALUES ('x'); SET TRANSACTION READ ONLY;", "25006"),
    ])
    func `is refused, and nothing of it stays`(sql: String, sqlstate: String) throws {
        let (ground, outcome) = try run(sql)
        #expect(outcome.status == 1, "\(outcome)")
        #expect(try ground.events("version = '001'") == ["started 001_hostile", "failed 001_hostile sql_error"])
        let state = try ground.query("SELECT sqlstate FROM migrated.migration_rollback_audit WHERE event = 'failed'")
        #expect(state == sqlstate)
        #expect(try ground.query("SELECT count(*) FROM counter WHERE file = 'x'") == "0")
    }

    @Test(arguments: [
        "SET statement_timeout = 0; SET lock_timeout = 0;", "SET search_path = pg_temp;",
        "SET session_replication_role = replica;", "SET ROLE other;", "SET SESSION AUTHORIZATION other; RESET ROLE;",
        "SET default_transaction_read_only = on;", "SELECT pg_advisory_unlock_all();", "DISCARD TEMP;",
        "SELECT set_config('statement_timeout', '1', false);", "SET default_transaction_isolation = 'serializable';",
        "CREATE TEMP TABLE migration_rollback_audit (seq int); PREPARE s AS SELECT 1; LISTEN x; SELECT pg_advisory_lock(1);",
        "SET standard_conforming_strings = off; SET DateStyle = German; SET bytea_output = escape; SET client_encoding = 'LATIN1';",
    ])
    func `to its session is applied, and the next file gets a clean one`(sql: String) throws {
        let (ground, outcome) = try run("INSERT INTO counter VALUES ('x'); \(sql)", setup: EscapeRole.sql)
        #expect(outcome.status == 0, "\(outcome)")
        #expect(try ground.events("version = '001'") == ["started 001_hostile", "applied 001_hostile"])
        #expect(try ground.query("SELECT count(*) FROM counter WHERE file = 'x'") == "1")
    }

    @Test(arguments: [
        "INSERT INTO counter VALUES ('x'); PREPARE TRANSACTION 'p';", "ROLLBACK;",
        "BEGIN; INSERT INTO counter VALUES ('x'); ROLLBACK;",
    ])
    func `by transaction control is refused before anything runs`(sql: String) throws {
        let ground = try ProvingGround()
        try ground.query("CREATE TABLE counter (file text)")
        try ground.write("001_hostile.sql", sql)
        let outcome = try ground.run("apply")
        #expect(outcome.status == 65, "\(outcome)")
        #expect(outcome.errors.contains("001_hostile.sql:1:") && outcome.errors.contains("HINT: "), "\(outcome)")
        #expect(try ground.events() == ["skipped 001_hostile invalid_file"])
        #expect(try ground.query("SELECT count(*) FROM counter") == "0")
    }

    /// A file that ends its own session, or the one that holds our lock, each time it is tried.
    static let suicides = [
        "SELECT pg_terminate_backend(pg_backend_pid());",
        "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database()); SELECT pg_sleep(0.1);",
    ]

    @Test(arguments: suicides)
    func `by ending sessions is not tried for ever by hand`(sql: String) throws {
        let ground = try ProvingGround(settings: ProvingGround.quick + "retry-tries = 3\n")
        try ground.query("CREATE TABLE counter (file text)")
        try ground.write("001_hostile.sql", "INSERT INTO counter VALUES ('x'); \(sql)\n")
        let outcome = try ground.run("apply")
        #expect([1, 69, 75].contains(outcome.status), "\(outcome)")
        let again = try ground.run("apply")
        #expect(again.status != 0 && again.status < 128, "\(again)")
        #expect(try ground.query("SELECT count(*) FROM counter") == "0")
        #expect(try ground.faults() == "")
        #expect(try ground.events("event = 'started'").count <= 6)
    }

    @Test(arguments: suicides)
    func `by ending sessions is not tried for ever by the daemon`(sql: String) throws {
        let ground = try ProvingGround(settings: ProvingGround.quick + "retry-tries = 3\n")
        try ground.query("CREATE TABLE counter (file text)")
        try ground.write("001_hostile.sql", "INSERT INTO counter VALUES ('x'); \(sql)\n")
        let daemon = try ground.start("run")
        try ground.waitFor("event = 'failed' AND version = '001'", daemon)
        try ground.write("001_hostile.sql", "INSERT INTO counter VALUES ('mended');\n")
        try ground.waitFor("event = 'applied' AND version = '001'", daemon)
        try ground.stop(daemon)
        #expect(try ground.events("event = 'started'").count == 4)
        #expect(try ground.query("SELECT file FROM counter") == "mended")
        #expect(try ground.faults() == "")
    }

    @Test func `by rewriting the history is found by verify`() throws {
        let ground = try ProvingGround()
        try ground.write("001_honest.sql", "CREATE TABLE a ();\n")
        try ground.write(
            "002_forger.sql",
            """
            ALTER TABLE migrated.migration_rollback_audit DISABLE TRIGGER ALL;
            UPDATE migrated.migration_rollback_audit SET host = 'elsewhere' WHERE seq = 2;
            ALTER TABLE migrated.migration_rollback_audit ENABLE TRIGGER ALL;
            """)
        _ = try ground.run("apply")
        let verdict = try ground.verify()
        #expect(verdict.status == 1, "\(verdict)")
        #expect((verdict.output + verdict.errors).contains("2"), "\(verdict)")
    }
}

/// Roles belong to the whole server, which tests share.
private enum EscapeRole {
    static let sql = """
        DO $$ BEGIN CREATE ROLE other; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
        GRANT ALL ON counter TO other;
        """
}
