import LiveSupport
import Testing

/// A file that failed behind parts that are committed: what a fix of it may change.
@Suite struct CommittedPartTests {
    private static let head = """
        CREATE TABLE counter (file text);
        INSERT INTO counter VALUES ('a');
        CREATE INDEX CONCURRENTLY counter_file ON counter (file);

        """

    /// A file of which two parts are committed.
    private func broken() throws -> Workbench {
        let bench = try Workbench()
        try bench.write("001_mixed.sql", Self.head + "INSERT INTO counter VALUES (nowhere);\n")
        #expect(try bench.run("apply").status == 1)
        return bench
    }

    @Test(arguments: [
        "-- why\nCREATE TABLE counter (file text); -- here\nINSERT INTO counter VALUES ('a');\n/* now */ CREATE INDEX CONCURRENTLY counter_file ON counter (file);\n",
        "create table counter(file text);\r\n\r\ninsert into counter values('a');create index concurrently counter_file on counter(file);\r\n",
        "CREATE TABLE counter (file text);\nINSERT INTO counter VALUES ('a');\nCREATE INDEX CONCURRENTLY counter_file ON counter (file);\nINSERT INTO counter VALUES ('more');\n",
    ])
    func `a comment, a line end or a further statement runs no committed part again`(head: String) throws {
        let bench = try broken()
        try bench.write("001_mixed.sql", head + "INSERT INTO counter VALUES ('b');\n")
        let outcome = try bench.run("apply")
        #expect(outcome.status == 0, "\(outcome)")
        #expect(try bench.query("SELECT count(*) FROM counter WHERE file = 'a'") == "1")
        #expect(try bench.query("SELECT count(*) FROM counter WHERE file = 'b'") == "1")
        #expect(try bench.faults() == "")
    }

    @Test func `a fix between two committed parts and the next one runs by itself`() throws {
        let bench = try Workbench()
        let head = "CREATE TABLE t AS SELECT 1 AS a FROM generate_series(1, 2);\n"
        try bench.write("001_unique.sql", head + "CREATE UNIQUE INDEX CONCURRENTLY t_a ON t (a);\n")
        #expect(try bench.run("apply").status == 1)
        // The first part goes on in the same transaction as what is committed of it.
        try bench.write(
            "001_unique.sql",
            head + "DELETE FROM t WHERE ctid = '(0,1)';\nCREATE UNIQUE INDEX CONCURRENTLY t_a ON t (a);\n")
        let outcome = try bench.run("apply")
        #expect(outcome.status == 0, "\(outcome)")
        #expect(try bench.query("SELECT count(*) FROM t") == "1")
        #expect(try bench.query("SELECT indisvalid FROM pg_index WHERE indexrelid = 't_a'::regclass") == "t")
        #expect(try bench.faults() == "")
    }

    @Test func `a changed committed part is refused until somebody asks for the whole file`() throws {
        let bench = try broken()
        try bench.write(
            "001_mixed.sql",
            Self.head.replacing("VALUES ('a')", with: "VALUES ('A')") + "INSERT INTO counter VALUES ('b');\n")
        try bench.write("002_next.sql", "CREATE TABLE next ();")
        let held = try bench.run("apply")
        #expect(
            held.status == 65 && held.errors.contains("part 1 of '001_mixed' is committed and has changed"), "\(held)")
        #expect(try bench.query("SELECT file FROM counter") == "a")
        #expect(try bench.query("SELECT to_regclass('next') IS NULL") == "t")
        #expect(try bench.has("event = 'skipped' AND reason = 'committed_part_changed'"))
        let plain = try bench.run("retry", "001")
        #expect(plain.status == 0, "\(plain)")
        #expect(try bench.run("apply").status == 65)
        try bench.query("DROP TABLE counter")
        let asked = try bench.run("retry", "001", "--from-start", "--reason", "dropped by hand")
        #expect(asked.status == 0, "\(asked)")
        let outcome = try bench.run("apply")
        #expect(outcome.status == 0, "\(outcome)")
        #expect(try bench.query("SELECT file FROM counter ORDER BY 1") == "A\nb")
        #expect(try bench.faults() == "")
    }

    @Test func `a changed committed part of a rollback is refused`() throws {
        let bench = try Workbench()
        try bench.write("1_a.up.sql", "CREATE TABLE a (n int); CREATE INDEX a_n ON a (n); INSERT INTO a VALUES (1);")
        let head = "DELETE FROM a;\nDROP INDEX CONCURRENTLY a_n;\n"
        try bench.write("1_a.down.sql", head + "SELECT 1 / 0;\n")
        #expect(try bench.run("apply").status == 0)
        #expect(try bench.run("rollback", "--last", "1").status == 1)
        try bench.write("1_a.down.sql", "DELETE FROM a WHERE n = 1;\nDROP INDEX CONCURRENTLY a_n;\nDROP TABLE a;\n")
        let refused = try bench.run("rollback", "--last", "1")
        #expect(refused.status == 65 && refused.errors.contains("part 1 of '1_a.down.sql' is committed"), "\(refused)")
        try bench.write("1_a.down.sql", "-- the rows first\n" + head + "DROP TABLE a;\n")
        let outcome = try bench.run("rollback", "--last", "1")
        #expect(outcome.status == 0, "\(outcome)")
        #expect(try bench.query("SELECT to_regclass('a') IS NULL") == "t")
        #expect(try bench.faults() == "")
    }
}
