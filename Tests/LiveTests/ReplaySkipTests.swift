import LiveSupport
import Testing

@Suite struct `What exists is passed over` {
    @Test func `by its name alone, where the file says so, and that is recorded`() throws {
        let bench = try Workbench()
        try bench.query("CREATE TABLE a (x integer)")
        let text = "CREATE TABLE a (y text);\nCREATE TABLE b ();\n"
        try bench.write("001_a.sql", text)
        #expect(try bench.run("apply").status == 1)
        try bench.write("001_a.sql", "-- migrated: existing=skip-identical\n" + text)
        let differs = try bench.run("apply")
        #expect(differs.status == 1 && differs.errors.contains("public.a"), "\(differs)")
        try bench.write("001_a.sql", "-- migrated: existing=skip\n" + text)
        let applied = try bench.run("apply")
        #expect(applied.status == 0, "\(applied)")
        #expect(try bench.events("seq > 4") == ["started 001_a", "skipped 001_a object_exists", "applied 001_a"])
        #expect(
            try bench.query("SELECT object FROM migrated.migration_rollback_audit WHERE event = 'skipped'")
                == "public.a")
        #expect(
            try bench.query("SELECT attname FROM pg_attribute WHERE attrelid = 'a'::regclass AND attnum > 0") == "x")
        #expect(try bench.query("SELECT to_regclass('b') IS NOT NULL") == "t")
        #expect(try bench.faults() == "")
    }

    @Test func `but not an index that a broken build left invalid`() throws {
        let bench = try Workbench()
        try bench.query("CREATE TABLE t (x integer); INSERT INTO t VALUES (1), (1)")
        let broken = try bench.database.psql("CREATE UNIQUE INDEX CONCURRENTLY i ON t (x)")
        #expect(broken.status != 0)
        try bench.query("DELETE FROM t")
        try bench.write("001_i.sql", "CREATE UNIQUE INDEX CONCURRENTLY i ON t (x);\n")
        #expect(try bench.run("apply").status == 1)
        try bench.write(
            "001_i.sql", "-- migrated: existing=skip-identical\nCREATE UNIQUE INDEX CONCURRENTLY i ON t (x);\n")
        let applied = try bench.run("apply")
        #expect(applied.status == 0, "\(applied)")
        let events = try bench.events("seq > 2")
        #expect(
            events == [
                "started 001_i", "invalid_index_dropped 001_i replayed", "statement_applied 001_i", "applied 001_i",
            ])
        #expect(
            try bench.query("SELECT indisvalid AND indisunique FROM pg_index WHERE indexrelid = 'i'::regclass") == "t")
        #expect(try bench.faults() == "")
    }
}
