import LiveSupport
import Testing

/// A database that takes no writes for a while, because `default_transaction_read_only` is on, fails no file.
@Suite struct `A read-only period` {
    private static let quick = "retry-wait = \"1ms\"\nretry-wait-max = \"5ms\"\nretry-tries = 2\n"

    /// Each way to set it, what is said of it, and how it ends.
    static let ways: [(set: String, told: String, reset: String)] = [
        (
            "ALTER DATABASE %d SET default_transaction_read_only = on", "set for database %d",
            "ALTER DATABASE %d RESET default_transaction_read_only"
        ),
        (
            "ALTER ROLE %r SET default_transaction_read_only = on", "set for role %r",
            "ALTER ROLE %r RESET default_transaction_read_only"
        ),
        (
            "ALTER ROLE %r IN DATABASE %d SET default_transaction_read_only = on", "set for role %r in database %d",
            "ALTER ROLE %r IN DATABASE %d RESET default_transaction_read_only"
        ),
    ]

    private func filled(_ text: String, _ bench: Workbench) -> String {
        var text = text
        for (mark, name) in [("%d", bench.database.name), ("%r", "ro_\(bench.database.name)")] {
            text = text.split(separator: mark, omittingEmptySubsequences: false).joined(separator: name)
        }
        return text
    }

    @Test(arguments: ways.indices)
    func `holds migrations back without an attempt, and says where it is set`(index: Int) throws {
        let way = Self.ways[index]
        let bench = try Workbench()
        let role = "ro_\(bench.database.name)"
        try bench.query("CREATE ROLE \(role) LOGIN SUPERUSER")
        try bench.query(filled(way.set, bench))
        try bench.write("1_a.sql", "CREATE TABLE a ();\n")
        let login = bench.database.cluster.conninfo(bench.database.name, user: role)
        let held = try bench.run("apply", "--database", login)
        #expect(held.status == 69, "\(held)")
        #expect(held.errors.contains("default_transaction_read_only is on, \(filled(way.told, bench))"), "\(held)")
        #expect(held.errors.contains(filled(way.reset, bench)), "\(held)")
        #expect(try bench.events() == [])
        // What only reads goes on.
        for verb in ["plan", "status", "check"] {
            let outcome = try bench.run(verb, "--database", login)
            #expect(outcome.status == 0, "\(verb): \(outcome)")
        }
        try bench.query("SET default_transaction_read_only = off; \(filled(way.reset, bench))")
        let applied = try bench.run("apply", "--database", login)
        #expect(applied.status == 0, "\(applied)")
        #expect(try bench.events() == ["started 1_a", "applied 1_a"])
        #expect(try bench.faults() == "")
    }

    @Test func `is waited for by the daemon, which says so and goes on by itself`() throws {
        let bench = try Workbench()
        let notify = try FakeSocket(bench.folder.path("notify"))
        try bench.query("ALTER DATABASE \(bench.database.name) SET default_transaction_read_only = on")
        try bench.write("1_a.sql", "CREATE TABLE a ();\n")
        let daemon = try bench.start("run", environment: ["NOTIFY_SOCKET": notify.path])
        try eventually("word of it") {
            notify.text.contains(
                "STATUS=waiting for database: the database takes no writes: default_transaction_read_only is on")
        }
        #expect(
            daemon.errorsSoFar.contains("default_transaction_read_only is on, set for database"),
            "\(daemon.errorsSoFar)")
        #expect(try bench.events() == [])
        try bench.query(
            "SET default_transaction_read_only = off; ALTER DATABASE \(bench.database.name) RESET default_transaction_read_only"
        )
        try bench.waitFor("event = 'applied'", daemon)
        try bench.stop(daemon)
        // That the setting itself has gone is told, too.
        #expect(try bench.events("event <> 'drift_detected'") == ["started 1_a", "applied 1_a"])
        #expect(try bench.faults() == "")
    }

    @Test func `that begins between two files cuts the second one off, which is applied later`() throws {
        let bench = try Workbench(try Cluster())
        try bench.folder.write("migrated.toml", Self.quick)
        // The session sees the new configuration with its next message.
        try bench.write(
            "1_a.sql",
            """
            CREATE TABLE a ();
            ALTER SYSTEM SET default_transaction_read_only = on;
            SELECT pg_reload_conf(), pg_sleep(1);
            """)
        try bench.write("2_b.sql", "CREATE TABLE b ();\n")
        let first = try bench.run("apply")
        #expect(first.status == 69, "\(first)")
        #expect(
            first.errors.contains("default_transaction_read_only is on, set in the server's configuration"), "\(first)")
        #expect(try bench.events("version = '2'") == ["started 2_b", "interrupted 2_b read_only"])
        #expect(try bench.events("event = 'failed'") == [])
        try bench.query(
            "SET default_transaction_read_only = off; ALTER SYSTEM RESET default_transaction_read_only; SELECT pg_reload_conf()"
        )
        try eventually("the end of it") { try bench.query("SHOW default_transaction_read_only") == "off" }
        let second = try bench.run("apply")
        #expect(second.status == 0, "\(second)")
        #expect(try bench.events("version = '2'").suffix(2) == ["started 2_b", "applied 2_b"])
        #expect(try bench.faults() == "")
    }

    /// What a file does to its own transactions is its own mistake, and fails for good, at once.
    @Test(arguments: [
        "SET TRANSACTION READ ONLY;\nCREATE TABLE b ();\n",
        "SET default_transaction_read_only = on;\nBEGIN;\nCREATE TABLE b ();\nCOMMIT;\n",
        "SET transaction_read_only TO on;\nCREATE TABLE b ();\n", "BEGIN READ ONLY;\nCREATE TABLE b ();\nCOMMIT;\n",
        "SET SESSION CHARACTERISTICS AS TRANSACTION\n  READ   ONLY;\nBEGIN;\nCREATE TABLE b ();\nCOMMIT;\n",
    ])
    func `of a file's own making fails the file`(sql: String) throws {
        let bench = try Workbench()
        try bench.folder.write("migrated.toml", Self.quick)
        try bench.write("1_a.sql", sql)
        let outcome = try bench.run("apply")
        #expect(outcome.status == 1 && outcome.errors.contains("25006"), "\(outcome)")
        #expect(try bench.events("event <> 'statement_applied'") == ["started 1_a", "failed 1_a sql_error"])
        #expect(try bench.query("SELECT to_regclass('b') IS NULL") == "t")
    }

    /// With psql it would run, too.
    @Test func `is no matter of a file that says READ WRITE by itself`() throws {
        let bench = try Workbench()
        try bench.query("ALTER DATABASE \(bench.database.name) SET default_transaction_read_only = on")
        try bench.write("1_a.sql", "BEGIN READ WRITE;\nCREATE TABLE a ();\nCOMMIT;\n")
        let outcome = try bench.run("apply")
        #expect(outcome.status == 0, "\(outcome)")
        #expect(try bench.events() == ["started 1_a", "applied 1_a"])
    }

    @Test func `that a function brings about is tried again a few times, and then fails`() throws {
        let bench = try Workbench()
        try bench.folder.write("migrated.toml", Self.quick)
        try bench.query(
            "CREATE FUNCTION calm() RETURNS void LANGUAGE sql AS 'SELECT set_config(''transaction_'' || ''read_only'', ''on'', true)'"
        )
        try bench.write("1_a.sql", "SELECT calm();\nCREATE TABLE a ();\n")
        let outcome = try bench.run("apply")
        #expect(outcome.status == 1, "\(outcome)")
        #expect(
            try bench.events() == ["started 1_a", "failed 1_a read_only", "started 1_a", "failed 1_a read_only"])
    }

    @Test func `holds a rollback back as well`() throws {
        let bench = try Workbench()
        try bench.write("1_a.up.sql", "CREATE TABLE a ();\n")
        try bench.write("1_a.down.sql", "DROP TABLE a;\n")
        #expect(try bench.run("apply").status == 0)
        try bench.query("ALTER DATABASE \(bench.database.name) SET default_transaction_read_only = on")
        let held = try bench.run("rollback", "--last", "1")
        #expect(held.status == 69, "\(held)")
        #expect(try bench.events("direction = 'down'") == [])
    }

    /// Errors of the server's own state: `55000` and the like are raised in its place, with the code that the server would use.
    @Test(arguments: [("53200", "out_of_memory"), ("58030", "io_error"), ("53300", "too_many_connections")])
    func `is not the only thing that passes`(code: String, reason: String) throws {
        let bench = try Workbench()
        try bench.folder.write("migrated.toml", Self.quick)
        try bench.write("1_a.sql", "DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '\(code)'; END $$;\n")
        #expect(try bench.run("apply").status == 1)
        #expect(
            try bench.events() == ["started 1_a", "failed 1_a \(reason)", "started 1_a", "failed 1_a \(reason)"])
    }

    @Test(arguments: [("53100", "disk_full"), ("55P02", "sql_error"), ("55006", "sql_error"), ("53400", "sql_error")])
    func `and some things do not pass by themselves`(code: String, reason: String) throws {
        let bench = try Workbench()
        try bench.folder.write("migrated.toml", Self.quick)
        try bench.write("1_a.sql", "DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '\(code)'; END $$;\n")
        #expect(try bench.run("apply").status == 1)
        #expect(try bench.events() == ["started 1_a", "failed 1_a \(reason)"])
    }
}
