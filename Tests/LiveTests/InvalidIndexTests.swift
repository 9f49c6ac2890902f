import Glibc
import LiveSupport
import Testing

/// IF NOT EXISTS skips a statement for the sake of a name: what has that name has to be the index that the file means.
@Suite struct `An index that exists already` {
    /// A table with an index 'i' that a broken build has left.
    private static func bench() throws -> Workbench {
        let bench = try Workbench()
        try bench.query("CREATE SCHEMA s; CREATE TABLE s.t AS SELECT 1 AS a FROM generate_series(1, 2)")
        _ = try bench.database.psql("CREATE UNIQUE INDEX CONCURRENTLY i ON s.t (a)")
        try bench.query("DELETE FROM s.t WHERE ctid = '(0,1)'")
        #expect(try bench.query("SELECT indisvalid FROM pg_index WHERE indexrelid = 's.i'::regclass") == "f")
        return bench
    }

    @Test(
        arguments: [
            "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON s.t (a);",
            "CREATE UNIQUE INDEX IF NOT EXISTS i ON s.t (a);",
            "SET search_path = s;\nCREATE UNIQUE INDEX IF NOT EXISTS i ON t (a);\nSET search_path = public;",
            "SET client_min_messages = error;\nCREATE INDEX IF NOT EXISTS \"i\" ON s.t (a);",
            "-- migrated: existing=skip\nCREATE UNIQUE INDEX i ON s.t (a);",
            "-- migrated: existing=skip\nCREATE UNIQUE INDEX CONCURRENTLY i ON s.t (a);",
            "-- migrated: existing=skip\nCREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON s.t (a);",
            "-- migrated: existing=skip-identical\nCREATE UNIQUE INDEX IF NOT EXISTS i ON s.t (a);",
            "-- migrated: transaction=none\nCREATE UNIQUE INDEX IF NOT EXISTS i ON s.t (a);",
        ])
    func `and is not valid fails the file, which runs once it is dropped`(text: String) throws {
        let bench = try Self.bench()
        try bench.write("001_i.sql", text)
        let outcome = try bench.run("apply")
        #expect(outcome.status == 1, "\(outcome)")
        #expect(outcome.errors.contains("the index 's.i' exists and is not valid"), "\(outcome)")
        #expect(outcome.errors.contains("HINT: Drop it with 'DROP INDEX CONCURRENTLY s.i;'"), "\(outcome)")
        #expect(
            try bench.query(
                "SELECT event, reason, object FROM migrated.migration_rollback_audit ORDER BY seq DESC LIMIT 1")
                == "failed|invalid_index|s.i")
        _ = try bench.database.psql("DROP INDEX CONCURRENTLY s.i;")
        #expect(try bench.run("retry", "001").status == 0)
        let second = try bench.run("apply")
        #expect(second.status == 0, "\(second)")
        #expect(try bench.query("SELECT indisvalid FROM pg_index WHERE indexrelid = 's.i'::regclass") == "t")
        #expect(try bench.faults() == "")
    }

    @Test(arguments: [
        "CREATE UNIQUE INDEX i ON s.t (a);", "CREATE UNIQUE INDEX CONCURRENTLY i ON s.t (a);",
    ])
    func `and is not valid is built again where existing objects are compared`(text: String) throws {
        let bench = try Self.bench()
        try bench.write("001_i.sql", "-- migrated: existing=skip-identical\n" + text)
        let outcome = try bench.run("apply")
        #expect(outcome.status == 0, "\(outcome)")
        #expect(try bench.query("SELECT indisvalid FROM pg_index WHERE indexrelid = 's.i'::regclass") == "t")
    }

    @Test(arguments: [
        "CREATE INDEX IF NOT EXISTS i ON s.u (a);", "CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON s.u (a);",
    ])
    func `on another table, or is no index at all, fails the file`(text: String) throws {
        let bench = try Workbench()
        try bench.query(
            "CREATE SCHEMA s; CREATE TABLE s.t (a int); CREATE TABLE s.u (a int); CREATE INDEX i ON s.t (a)")
        try bench.write("001_i.sql", text)
        let outcome = try bench.run("apply")
        #expect(outcome.status == 1 && outcome.errors.contains("'s.i' exists, and is no index of 's.u'"), "\(outcome)")
        try bench.query("DROP INDEX s.i; CREATE VIEW s.i AS SELECT 1")
        #expect(try bench.run("retry", "001").status == 0)
        let second = try bench.run("apply")
        #expect(second.status == 1 && second.errors.contains("'s.i' exists, and is no index of 's.u'"), "\(second)")
    }

    @Test(
        arguments: [
            "CREATE INDEX IF NOT EXISTS i ON s.t (a);", "CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON s.t (a);",
            "CREATE INDEX IF NOT EXISTS i ON s.t (a);\nDROP INDEX s.i;\nCREATE INDEX i ON s.t (a);",
            "CREATE INDEX IF NOT EXISTS i ON s.t (a);\nALTER TABLE s.t RENAME TO old;\nCREATE TABLE s.t (a int);",
            "CREATE INDEX IF NOT EXISTS j ON s.t (a);",
        ])
    func `and is good, or is not there, is no failure`(text: String) throws {
        let bench = try Workbench()
        try bench.query("CREATE SCHEMA s; CREATE TABLE s.t (a int); CREATE INDEX i ON s.t (a)")
        try bench.write("001_i.sql", text)
        let outcome = try bench.run("apply")
        #expect(outcome.status == 0, "\(outcome)")
        #expect(try bench.faults() == "")
    }

    @Test func `of a partitioned table is incomplete on purpose where the statement says ONLY`() throws {
        let bench = try Workbench()
        try bench.query(
            "CREATE TABLE p (a int) PARTITION BY LIST (a); CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1); CREATE TABLE p2 PARTITION OF p FOR VALUES IN (2)"
        )
        try bench.write(
            "001_only.sql",
            "CREATE INDEX IF NOT EXISTS i ON ONLY p (a);\nCREATE INDEX IF NOT EXISTS i ON ONLY p (a);\nCREATE INDEX i1 ON p1 (a);\nALTER INDEX i ATTACH PARTITION i1;"
        )
        let first = try bench.run("apply")
        #expect(first.status == 0, "\(first)")
        try bench.write("002_all.sql", "CREATE INDEX IF NOT EXISTS i ON p (a);")
        let second = try bench.run("apply")
        #expect(second.status == 1, "\(second)")
        #expect(second.errors.contains("not every partition has its part of it"), "\(second)")
        try bench.query("CREATE INDEX i2 ON p2 (a); ALTER INDEX i ATTACH PARTITION i2")
        #expect(try bench.run("retry", "002").status == 0)
        #expect(try bench.run("apply").status == 0)
    }

    @Test func `that is not valid is attached to no partitioned one`() throws {
        let bench = try Workbench()
        try bench.query(
            "CREATE TABLE p (a int) PARTITION BY LIST (a); CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1); INSERT INTO p VALUES (1), (1); CREATE INDEX i ON ONLY p (a)"
        )
        _ = try bench.database.psql("CREATE UNIQUE INDEX CONCURRENTLY i1 ON p1 (a)")
        try bench.query("DROP INDEX i; TRUNCATE p; CREATE UNIQUE INDEX i ON ONLY p (a)")
        try bench.write("001_attach.sql", "ALTER INDEX i ATTACH PARTITION public.i1;")
        let outcome = try bench.run("apply")
        #expect(
            outcome.status == 1 && outcome.errors.contains("the index 'public.i1' exists and is not valid"),
            "\(outcome)")
    }

    /// A login that is no monitor sees of another role's build only that there is one.
    @Test(
        arguments: [
            "CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON t (a);",
            "-- migrated: existing=skip-identical\nCREATE INDEX CONCURRENTLY i ON t (a);",
            "-- migrated: existing=skip-identical\nCREATE INDEX i ON t (a);\nCREATE TABLE later ();",
            "-- migrated: existing=skip\nCREATE INDEX i ON t (a);",
        ], [false, true])
    func `that another session is building is waited for, and its build is not disturbed`(
        _ file: String, isPlainLogin: Bool
    ) throws {
        let bench = try Workbench()
        var login: [String] = []
        if isPlainLogin {
            let role = "plain_\(bench.database.name)"
            try bench.query(
                "CREATE ROLE \(role) LOGIN; GRANT CREATE ON DATABASE \(bench.database.name) TO \(role); GRANT ALL ON SCHEMA public TO \(role)"
            )
            login = ["--database", "\(bench.database.conninfo) user=\(role)"]
        }
        try bench.folder.write(
            "migrated.toml", "retry-wait = \"50ms\"\nretry-wait-max = \"50ms\"\nretry-tries = 1000\nretry-for = \"0\"\n"
        )
        try bench.query("CREATE TABLE t (a int)")
        if isPlainLogin { try bench.query("ALTER TABLE t OWNER TO plain_\(bench.database.name)") }
        // A transaction that has written to the table keeps the build from its second step.
        let holder = try Program(
            Cluster.programs + "/psql", ["-X", "-q", "-d", bench.database.conninfo],
            input: "BEGIN; INSERT INTO t VALUES (1); SELECT pg_sleep(600);")
        try eventually("rows") {
            try bench.query("SELECT count(*) FROM pg_locks WHERE granted AND relation = 't'::regclass") == "1"
        }
        let builder = try Program(
            Cluster.programs + "/psql", ["-X", "-q", "-d", bench.database.conninfo],
            input: "CREATE INDEX CONCURRENTLY i ON t (a);")
        try eventually("build") {
            try bench.query("SELECT count(*) FROM pg_stat_progress_create_index WHERE index_relid = to_regclass('i')")
                == "1"
        }
        try bench.write("001_i.sql", file)
        let apply = try Program(
            Program.built("migrated"), bench.arguments("apply", login), environment: Program.environment)
        try bench.waitFor("event = 'failed' AND reason = 'index_being_built'", apply)
        holder.signal(SIGINT)
        let built = try builder.outcome()
        #expect(built.status == 0 && built.errors == "", "\(built)")
        let outcome = try apply.outcome()
        #expect(outcome.status == 0, "\(outcome)")
        #expect(try bench.query("SELECT indisvalid FROM pg_index WHERE indexrelid = 'i'::regclass") == "t")
        #expect(try bench.faults() == "")
    }
}
