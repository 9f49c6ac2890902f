import LiveSupport
import Testing

/// BEGIN and COMMIT as files write them, against what psql makes of them.
@Suite struct `A file's own transaction control` {
    /// What psql makes of the files in a database of its own, and `migrated apply` in the bench's: each table with its rows' number.
    private static let tables =
        "SELECT string_agg(format('%s %s', relname, (xpath('/row/n/text()', query_to_xml('SELECT count(*) AS n FROM ' || quote_ident(relname), false, true, '')))[1]), ', ' ORDER BY relname) FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"

    @Test(
        arguments: [
            "CREATE TABLE a (x int);\nINSERT INTO a VALUES (1);\nCOMMIT;\nCREATE INDEX CONCURRENTLY a_x ON a (x);",
            "CREATE TABLE a (x int);\nEND;\nINSERT INTO a VALUES (1);",
            "COMMIT;\nCOMMIT;\nCREATE TABLE a (x int);\nCOMMIT;\nCOMMIT;\nCREATE TABLE b (x int);\nCOMMIT;",
            "BEGIN;\nCREATE TABLE a (x int);\nBEGIN;\nINSERT INTO a VALUES (1);\nCOMMIT;\nINSERT INTO a VALUES (2);",
            "BEGIN;\nCREATE TABLE a (x int);\nSAVEPOINT s;\nINSERT INTO a VALUES (1);\nROLLBACK TO s;\nRELEASE s;\nCOMMIT;",
            "START TRANSACTION ISOLATION LEVEL REPEATABLE READ;\nCREATE TABLE a AS SELECT current_setting('transaction_isolation') AS level;\nCOMMIT AND CHAIN;\nINSERT INTO a SELECT 'second' WHERE current_setting('transaction_isolation') = 'repeatable read';\nCOMMIT;\nINSERT INTO a SELECT 'third' WHERE current_setting('transaction_isolation') = 'read committed';",
            "BEGIN; COMMIT;", "COMMIT;",
        ])
    func `makes what psql makes of it`(text: String) throws {
        let bench = try Workbench()
        let other = try Workbench()
        try bench.write("001_own.sql", text)
        let outcome = try bench.run("apply")
        #expect(outcome.status == 0, "\(outcome)")
        _ = try other.database.psql(text)
        #expect(try bench.query(Self.tables) == other.query(Self.tables))
        #expect(try bench.query("SELECT count(*) FROM pg_index WHERE NOT indisvalid") == "0")
        #expect(try bench.faults() == "")
        let check = try bench.run("check", "--fail-on", "error")
        #expect(check.status == 0, "\(check)")
    }

    @Test func `that has no end is committed at the end of the file, and the check says so`() throws {
        let bench = try Workbench()
        try bench.write("001_open.sql", "CREATE TABLE a (x int);\nBEGIN;\nINSERT INTO a VALUES (1);\n")
        let check = try bench.run("check", "--all")
        #expect(check.status == 0, "\(check)")
        #expect(check.output.contains("001_open.sql:2:1: note M026 BEGIN without COMMIT"), "\(check)")
        let outcome = try bench.run("apply")
        #expect(outcome.status == 0, "\(outcome)")
        #expect(try bench.query("SELECT x FROM a") == "1")
        #expect(
            try bench.events() == ["started 001_open", "statement_applied 001_open", "applied 001_open"])
    }

    @Test func `keeps what a COMMIT has ended, and goes on behind it once the rest is fixed`() throws {
        let bench = try Workbench()
        let head = "CREATE TABLE a (x int);\nINSERT INTO a VALUES (1);\nCOMMIT;\n"
        try bench.write("001_half.sql", head + "INSERT INTO a VALUES (2);\nSELECT 1/0;\n")
        let first = try bench.run("apply")
        #expect(first.status == 1 && first.errors.contains("001_half.sql:5:1: division by zero"), "\(first)")
        #expect(try bench.query("SELECT x FROM a") == "1")
        try bench.write("001_half.sql", head + "INSERT INTO a VALUES (3);\n")
        let second = try bench.run("apply")
        #expect(second.status == 0, "\(second)")
        #expect(try bench.query("SELECT x FROM a ORDER BY x") == "1\n3")
        #expect(try bench.faults() == "")
    }

    @Test func `does not keep the files before it from being applied`() throws {
        let bench = try Workbench()
        try bench.write("001_a.sql", "CREATE TABLE a (x int);")
        try bench.write("002_b.sql", "CREATE TABLE b (x int);\nCOMMIT;\nCREATE INDEX CONCURRENTLY b_x ON b (x);\n")
        try bench.write("003_c.sql", "CREATE TABLE c (x int);")
        let outcome = try bench.run("apply")
        #expect(outcome.status == 0, "\(outcome)")
        #expect(try bench.query(Self.tables) == "a 0, b 0, c 0")
    }
}

/// Files that hold nothing to run.
@Suite struct `A file without a statement` {
    @Test(arguments: [
        "", " \n\t\r\n", "-- there is nothing to undo\n", "/* nothing */", ";", "BEGIN; COMMIT;", "COMMIT;",
    ])
    func `undoes nothing, and is rolled back all the same`(text: String) throws {
        let bench = try Workbench()
        try bench.write("001_a.up.sql", "CREATE TABLE a (x int);")
        try bench.write("001_a.down.sql", "DROP TABLE a;")
        try bench.write("002_b.up.sql", "INSERT INTO a VALUES (1);")
        try bench.write("002_b.down.sql", text)
        let check = try bench.run("check", "--all")
        #expect(check.status == 0, "\(check)")
        #expect(check.output.contains("002_b.down.sql: note M025 nothing is undone"), "\(check)")
        #expect(try bench.run("apply").status == 0)
        let outcome = try bench.run("rollback", "--last", "2")
        #expect(outcome.status == 0, "\(outcome)")
        #expect(try bench.query("SELECT to_regclass('a')") == "")
        #expect(
            try bench.query(
                "SELECT name, detail::json->>'note' FROM migrated.migration_rollback_audit WHERE event = 'rolled_back' ORDER BY seq"
            ) == "002_b|nothing to do\n001_a|")
        #expect(try bench.faults() == "")
        #expect(try bench.run("apply").status == 0)
    }

    @Test func `undoes nothing where its section is empty`() throws {
        let bench = try Workbench()
        try bench.write("001_a.sql", "-- +goose Up\nCREATE TABLE a (x int);\n-- +goose Down\n\n")
        #expect(try bench.run("check").status == 0)
        #expect(try bench.run("apply").status == 0)
        let outcome = try bench.run("rollback", "--last", "1")
        #expect(outcome.status == 0, "\(outcome)")
        #expect(try bench.events("direction = 'down'") == ["started 001_a", "rolled_back 001_a"])
    }

    @Test(
        arguments: [
            "-- to be written\n", "-- migrated: on-failure=continue\n", "BEGIN; COMMIT;", "BEGIN;", ";;\n", "/* */",
        ])
    func `is applied as nothing, with a note`(text: String) throws {
        let bench = try Workbench()
        try bench.write("001_none.sql", text)
        let check = try bench.run("check", "--all")
        #expect(check.status == 0 && check.output.contains("note M025 the file holds nothing to run"), "\(check)")
        let outcome = try bench.run("apply")
        #expect(outcome.status == 0, "\(outcome)")
        #expect(
            try bench.query(
                "SELECT event, detail::json->>'note' FROM migrated.migration_rollback_audit WHERE event = 'applied'")
                == "applied|nothing to do")
    }
}
