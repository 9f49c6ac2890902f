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

    @Test(arguments: [
        // An "é" in one piece and in two, and the sign for kelvins: equal to Swift, two things to PostgreSQL.
        (
            "CREATE TABLE t (\"caf\u{E9}\" integer)", "CREATE TABLE t (\"cafe\u{301}\" integer)", "column"
        ),
        (
            "CREATE TABLE t (a text, CONSTRAINT c CHECK (a <> 'caf\u{E9}'))",
            "CREATE TABLE t (a text, CONSTRAINT c CHECK (a <> 'cafe\u{301}'))", "constraint"
        ),
        (
            "CREATE FUNCTION f() RETURNS text LANGUAGE sql AS $$SELECT 'OK'$$",
            "CREATE FUNCTION f() RETURNS text LANGUAGE sql AS $$SELECT 'O\u{212A}'$$", "definition"
        ),
        ("CREATE TYPE e AS ENUM ('OK')", "CREATE TYPE e AS ENUM ('O\u{212A}')", "value"),
    ])
    func `but not what is the same to Unicode and not to PostgreSQL`(exists: String, file: String, what: String) throws
    {
        let bench = try Workbench()
        try bench.query(exists)
        try bench.write("001_a.sql", "-- migrated: existing=skip-identical\n\(file);\n")
        let outcome = try bench.run("apply")
        #expect(outcome.status == 1 && outcome.errors.contains(what), "\(outcome)")
    }

    @Test func `nor a key of another column`() throws {
        let bench = try Workbench()
        try bench.query(
            """
            CREATE TABLE p (id int PRIMARY KEY);
            CREATE TABLE c ("caf\u{E9}" int, "cafe\u{301}" int, CONSTRAINT k FOREIGN KEY ("caf\u{E9}") REFERENCES p)
            """)
        try bench.write(
            "001_k.sql",
            """
            -- migrated: existing=skip-identical orphans=clean orphan-limit=1
            ALTER TABLE c ADD CONSTRAINT k FOREIGN KEY ("cafe\u{301}") REFERENCES p;
            """)
        let outcome = try bench.run("apply")
        #expect(outcome.status == 1 && outcome.errors.contains("another definition"), "\(outcome)")
    }
}
