import Glibc
import LiveSupport
import Testing

/// Another `schema` in the configuration makes every file pending again: a history that has applied them is seen.
@Suite struct `Another history of the same files` {
    private func bench() throws -> Workbench {
        let bench = try Workbench()
        try bench.write("1_t.sql", "CREATE TABLE t (id int);\n")
        try bench.write("2_rows.sql", "INSERT INTO t VALUES (1);\n")
        #expect(try bench.run("apply").status == 0)
        return bench
    }

    private func set(_ bench: inout Workbench, schema: String) throws {
        try bench.folder.write("migrated.toml", "schema = '\(schema)'\n")
        bench.schema = schema
    }

    @Test func `keeps them from running again, until it is acknowledged`() throws {
        var bench = try bench()
        try set(&bench, schema: "other \"one\"")
        for _ in 0..<2 {
            let refused = try bench.run("apply")
            #expect(refused.status == 78, "\(refused)")
            #expect(
                refused.errors.contains(
                    "schema 'migrated' of this database says that 2 of the 2 pending file(s) are applied, '1_t' the first"
                ),
                "\(refused)")
        }
        #expect(try bench.query("SELECT count(*) FROM t") == "1")
        #expect(try bench.events() == [])
        let unknown = try bench.run("acknowledge", "--history", "nothing", "--reason", "x")
        #expect(unknown.status == 1, "\(unknown)")
        let done = try bench.run("acknowledge", "--history", "migrated", "--reason", "a second copy of the rows")
        #expect(done.status == 0, "\(done)")
        #expect(
            try bench.query(
                "SELECT event, reason, object, message FROM \(bench.table).migration_rollback_audit WHERE event = 'acknowledged'"
            )
                == "acknowledged|other_history|migrated|a second copy of the rows")
        #expect(try bench.run("acknowledge", "--history", "migrated", "--reason", "x").status == 1)
        // Now PostgreSQL has the word.
        let again = try bench.run("apply")
        #expect(again.status == 1 && again.errors.contains("already exists"), "\(again)")
        let verified = try bench.auditctl("verify")
        #expect(verified.status == 0, "\(verified)")
        #expect(try bench.faults() == "")
    }

    @Test func `ends a daemon that reads its configuration anew`() throws {
        var bench = try bench()
        let daemon = try bench.start("run")
        try bench.waitFor("event = 'daemon_started'", daemon)
        try set(&bench, schema: "wrong")
        daemon.signal(SIGHUP)
        let outcome = try daemon.outcome()
        #expect(outcome.status == 78, "\(outcome)")
        #expect(outcome.errors.contains("schema 'migrated' of this database says"), "\(outcome)")
        #expect(try bench.query("SELECT count(*) FROM t") == "1")
        #expect(try bench.events() == [])
    }

    @Test func `is one even where some files are new or edited, or were adopted`() throws {
        var bench = try bench()
        try bench.write("1_t.sql", "CREATE TABLE IF NOT EXISTS t (id int);\n")
        try bench.write("3_new.sql", "CREATE TABLE u (id int);\n")
        try set(&bench, schema: "second")
        let refused = try bench.run("apply")
        #expect(refused.status == 78 && refused.errors.contains("1 of the 3 pending file(s)"), "\(refused)")
        let adopted = try bench.run(
            "adopt", "--baseline", "2", "--scratch", "none", "--accept-differences", "1_t", "2_rows")
        #expect(adopted.status == 0, "\(adopted)")
        let applied = try bench.run("apply")
        #expect(applied.status == 0, "\(applied)")
        // The third knows both.
        try set(&bench, schema: "third")
        let third = try bench.run("apply", "--to", "1")
        #expect(third.status == 78, "\(third)")
    }

    @Test func `is none where it is about other files, or another login's`() throws {
        var bench = try bench()
        try bench.write("1_t.sql", "CREATE TABLE v (id int);\n")
        try bench.write("2_rows.sql", "INSERT INTO v VALUES (1);\n")
        try set(&bench, schema: "second")
        let applied = try bench.run("apply")
        #expect(applied.status == 0, "\(applied)")

        let second = try self.bench()
        var theirs = second
        // What its owner could have put there is not run.
        try theirs.query(
            """
            CREATE ROLE intruder_\(theirs.database.name); ALTER SCHEMA migrated RENAME TO theirs;
            ALTER TABLE theirs.migration_rollback_audit OWNER TO intruder_\(theirs.database.name);
            """)
        try set(&theirs, schema: "ours")
        try theirs.write("1_t.sql", "CREATE TABLE IF NOT EXISTS t (id int);\n")
        let told = try theirs.run("apply")
        #expect(told.status == 0 && told.errors.contains("schema 'theirs' holds another history"), "\(told)")
    }
}
