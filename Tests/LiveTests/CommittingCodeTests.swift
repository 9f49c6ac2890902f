import LiveSupport
import Testing

/// Blocks and procedures that end transactions themselves, and the comments by which other tools' files ask for none.
@Suite struct `Code that commits` {
    private static let loop = """
        DO $$
        DECLARE commit int := 0;
        BEGIN
          FOR i IN 1..3 LOOP
            INSERT INTO t VALUES (i);
            -- in pieces
            COMMIT;
          END LOOP;
          IF commit = 0 THEN ROLLBACK AND CHAIN; END IF;
        END $$;
        """

    @Test(
        arguments: [
            loop, "INSERT INTO t VALUES (0);\n" + loop + "\nINSERT INTO t VALUES (4);",
            "CREATE PROCEDURE p(n int) LANGUAGE plpgsql AS $$ BEGIN INSERT INTO t VALUES (n); COMMIT; END $$;\nCALL p(1);\nCALL public.p(2);",
            "CREATE PROCEDURE \"P\"() LANGUAGE plpgsql AS 'BEGIN COMMIT; END';\nDO LANGUAGE plpgsql $x$ BEGIN CALL \"P\"(); INSERT INTO t VALUES (1); END $x$;",
            "CREATE PROCEDURE p() LANGUAGE plpgsql AS 'BEGIN COMMIT; END';\nCREATE PROCEDURE q() LANGUAGE plpgsql AS 'BEGIN CALL p(); END';\nCALL q();",
            "DO 'BEGIN ROLLBACK; INSERT INTO t VALUES (1); END';",
            "CALL known(7);", "DO $$ BEGIN INSERT INTO t VALUES (1); IF true THEN COMMIT; END IF; END $$;",
        ])
    func `runs by itself, as psql runs it`(text: String) throws {
        let bench = try Workbench()
        let other = try Workbench()
        for database in [bench.database, other.database] {
            try database.query(
                "CREATE TABLE t (a int); CREATE PROCEDURE known(n int) LANGUAGE plpgsql AS 'BEGIN INSERT INTO t VALUES (n); COMMIT; END'"
            )
        }
        try bench.write("001_code.sql", text)
        let psql = try other.database.psql(text)
        #expect(psql.status == 0, "\(psql)")
        let outcome = try bench.run("apply")
        #expect(outcome.status == 0, "\(outcome)")
        #expect(try bench.query("SELECT a FROM t ORDER BY a") == other.query("SELECT a FROM t ORDER BY a"))
        #expect(try bench.faults() == "")
    }

    @Test func `of an earlier file of the same run is known, too`() throws {
        let bench = try Workbench()
        try bench.write(
            "001_p.sql",
            "CREATE TABLE t (a int);\nCREATE PROCEDURE p() LANGUAGE plpgsql AS $$ BEGIN INSERT INTO t VALUES (1); COMMIT; END $$;"
        )
        try bench.write("002_call.sql", "INSERT INTO t VALUES (0);\nCALL p();\nINSERT INTO t VALUES (2);")
        let outcome = try bench.run("apply")
        #expect(outcome.status == 0, "\(outcome)")
        #expect(try bench.query("SELECT a FROM t ORDER BY a") == "0\n1\n2")
    }

    @Test(
        arguments: [
            "DO $$ BEGIN INSERT INTO t (commit) VALUES (1); END $$;\nSELECT 1/0;",
            "DO $$ BEGIN INSERT INTO t VALUES (1); -- COMMIT;\n END $$;\nSELECT 1/0;",
            "DO $$ BEGIN INSERT INTO t VALUES (1); RAISE NOTICE 'COMMIT;'; END $$;\nSELECT 1/0;",
            "CREATE PROCEDURE p() LANGUAGE plpgsql AS 'BEGIN INSERT INTO t VALUES (1); END';\nCALL p();\nSELECT 1/0;",
            "DO $$ DECLARE rollback int; BEGIN rollback := 1; INSERT INTO t VALUES (1); END $$;\nSELECT 1/0;",
        ])
    func `is not seen where there is none: the file stays one transaction`(text: String) throws {
        let bench = try Workbench()
        try bench.query("CREATE TABLE t (commit int)")
        try bench.write("001_code.sql", text)
        let outcome = try bench.run("apply")
        #expect(outcome.status == 1 && outcome.errors.contains("division by zero"), "\(outcome)")
        #expect(try bench.query("SELECT count(*) FROM t") == "0")
    }

    @Test func `in a block of the file's own is refused before anything runs`() throws {
        let bench = try Workbench()
        try bench.write("001_block.sql", "BEGIN;\nDO $$ BEGIN COMMIT; END $$;\nCOMMIT;")
        let outcome = try bench.run("apply")
        #expect(
            outcome.status == 65
                && outcome.errors.contains(
                    "001_block.sql:2:1: DO with COMMIT or ROLLBACK cannot run inside a transaction"),
            "\(outcome)")
    }

    @Test func `that is put together at run time fails with the way out`() throws {
        let bench = try Workbench()
        let text = """
            DO $$ BEGIN EXECUTE 'CREATE PROCEDURE p() LANGUAGE plpgsql AS ''BEGIN COMM' || 'IT; END'''; END $$;
            CALL p();
            """
        try bench.write("001_code.sql", text)
        let first = try bench.run("apply")
        #expect(
            first.status == 1 && first.errors.contains("write '-- migrated: transaction=none' at the head"), "\(first)")
        #expect(
            try bench.query(
                "SELECT sqlstate, strpos(detail::json->>'hint', 'transaction=none') > 0 FROM migrated.migration_rollback_audit WHERE event = 'failed'"
            ) == "2D000|t")
        try bench.write("001_code.sql", "-- migrated: transaction=none\n" + text)
        let second = try bench.run("apply")
        #expect(second.status == 0, "\(second)")
    }

    @Test(
        arguments: [
            "-- postgres-migrations disable-transaction", "-- atlas:txmode none", "--! no-transaction",
            "---- tern: disable-tx ----", "-- transactional: false", "-- a title\n--\n--   atlas:txmode   none",
        ])
    func `of another tool's file runs outside of a transaction where a comment of that tool asks for it`(
        marker: String
    ) throws {
        let bench = try Workbench()
        try bench.query("CREATE TABLE t (a int)")
        try bench.write(
            "001_marked.sql", marker + "\n\nDO $$ BEGIN EXECUTE 'INSERT INTO t VALUES (1)'; END $$;\nSELECT 1/0;")
        let check = try bench.run("check", "--all")
        #expect(
            check.status == 0 && check.output.contains("is honoured: every statement commits by itself"), "\(check)")
        let outcome = try bench.run("apply")
        #expect(outcome.status == 1 && outcome.errors.contains("division by zero"), "\(outcome)")
        #expect(try bench.query("SELECT count(*) FROM t") == "1")
    }

    @Test(arguments: [
        "INSERT INTO t VALUES (1);\n-- atlas:txmode none\nSELECT 1/0;",
        "-- atlas:txmode file\nINSERT INTO t VALUES (1);\nSELECT 1/0;",
    ])
    func `is one transaction where the comment stands elsewhere or says something else`(text: String) throws {
        let bench = try Workbench()
        try bench.query("CREATE TABLE t (a int)")
        try bench.write("001_marked.sql", text)
        #expect(try bench.run("apply").status == 1)
        #expect(try bench.query("SELECT count(*) FROM t") == "0")
    }
}
