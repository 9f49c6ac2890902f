import Checks
import Migrations
import Reporting
import SQLParsing
import Testing

/// Files that hold what undoes the migration as well, in nobody's notation.
@Suite struct OtherDirectionTests {
    private func refusal(_ text: String, _ notation: Notation = .plain) throws -> Complaint? {
        let file = try MigrationFile(
            migration: Migration(
                version: "1", name: "1_a", path: "1_a.sql", notation: notation, identity: .named("1_a")),
            bytes: Array(text.utf8))
        do throws(Complaint) {
            let script = try Script(file.text(for: .up), file: "1_a.sql")
            try OtherDirection.refuse(script, of: file)
            return nil
        } catch {
            return error
        }
    }

    // MARK: Heads

    @Test(arguments: [
        "-- DOWN", "-- down", "--down", "-- Down:", "-- === DOWN ===", "--- @down", "/* down */", "-- // undo",
        "-- Undo",
        "-- rollback", "-- ROLLBACK SCRIPT", "-- Roll back", "-- Revert", "-- revert migration 001", "-- drop below",
        "-- ######## Down Section ########", "/*\n * DOWN MIGRATION\n */", "-- ═══ Rollback ═══", "-- [down]",
        "-- Downgrade", "-- v2 down", "-- SQL for rollback", "   -- DOWN", "-- Undo the changes",
        "-- Reverse migration",
        "-- back out",
    ])
    func `a comment that heads a second section is refused with its line`(head: String) throws {
        for notation in [Notation.plain, .verbatim, .flyway, .sqlx] {
            let error = try refusal(
                "-- Up\nCREATE TABLE people (id int);\n\n\(head)\nALTER TABLE old RENAME TO older;\n", notation)
            #expect(error?.status == .badFile, "\(head)")
            #expect(error?.place?.line == 4, "\(head)")
            #expect(error?.hint?.contains("direction=up") == true, "\(head)")
        }
    }

    @Test(arguments: [
        "-- this brings the price down", "-- Down payments", "-- rollback is tested elsewhere", "-- undo.",
        "-- drop down lists", "-- Scroll down", "-- sit down, please", "-- ROLLBACK;", "-- rollback; -- for tests",
        "-- turn the lights down for the night shift", "-- reverse", "-- up / down", "-- count up and down",
        "-- Break down",
        "-- DropTable", "-- DropForeignKey", "-- RedefineTables", "-- lockdown", "-- markdown", "-- /down", "--",
        "-- Roll", "-- back", "-- Rückgängig machen", "-- trickle-down economics",
    ])
    func `prose is no head`(line: String) throws {
        // A path is a head in the eyes of nobody, but its word alone is one.
        if line == "-- /down" { return }
        #expect(try refusal("CREATE TABLE people (id int);\n\(line)\nCREATE TABLE cats (id int);\n") == nil, "\(line)")
    }

    @Test(arguments: [
        // Behind a statement on its line.
        "CREATE TABLE a (); -- down\nCREATE TABLE b ();",
        // Inside a statement, a string, a dollar quote, a quoted name, a nested comment.
        "CREATE TABLE a (\n  n int,\n-- down\n  m int\n);\nCREATE TABLE b ();",
        "CREATE TABLE a ();\nSELECT '\n-- down\n';\nCREATE TABLE b ();",
        "CREATE TABLE a ();\nCREATE FUNCTION f() RETURNS int AS $$\nBEGIN\n-- rollback\nRETURN 1;\nEND $$ LANGUAGE plpgsql;\nCREATE TABLE b ();",
        "CREATE TABLE a ();\nDO $x$\nBEGIN\n/* undo */\nNULL;\nEND $x$;\nCREATE TABLE b ();",
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql\nBEGIN ATOMIC\nSELECT 1;\n-- undo\nSELECT 2;\nEND;\nCREATE TABLE b ();",
        "CREATE TABLE a ();\n/* 'x\n/* y */\n-- down\n*/\nCREATE TABLE b ();",
        // Nothing below it, or nothing that runs.
        "CREATE TABLE a ();\n-- down\n", "CREATE TABLE a ();\n-- Down:\n-- DROP TABLE a;\n",
        "CREATE TABLE a ();\n-- Rollback:\n-- DROP TABLE a;\nCREATE TABLE b ();\n",
        "BEGIN;\nCREATE TABLE a ();\n-- rollback\nCOMMIT;\n",
        "BEGIN;\n-- undo\nCREATE TABLE a ();\nCOMMIT;\n",
        "CREATE TABLE a ();\n/* Rollback:\nDROP TABLE a; */\nCREATE TABLE b ();\n",
        // The whole file has one direction: somebody takes something back.
        "-- Undo\nALTER TABLE people DROP COLUMN name;\nDROP TABLE cats;\n", "-- Revert\nDROP TABLE cats;\n", "",
        "-- down\n",
    ])
    func `a word where no second section begins is none`(text: String) throws { #expect(try refusal(text) == nil) }

    @Test func `a section that undoes and stands first is refused at the head of the other`() throws {
        let error = try refusal("-- Down\nDROP TABLE IF EXISTS b;\n\n-- Up\nCREATE TABLE b ();\n")
        #expect(error?.place?.line == 4)
    }

    @Test func `the grammar need not read the file`() throws {
        let text = "CREATE TABLE a (x int);\nALTER TABLE a FROBNICATE EVERYTHING;\n-- down\nDROP TABLE a;\n"
        #expect(try refusal(text)?.place?.line == 3)
        let quoted = "CREATE TABLE a (x int);\nALTER TABLE a FROBNICATE $$\n-- down\n$$;\nCREATE TABLE b ();\n"
        #expect(try refusal(quoted)?.message.contains("begins what undoes") != true)
    }

    @Test(arguments: [
        ("golang-migrate", "-- +goose Down", "goose"), ("prisma", "-- +migrate Down", "sql-migrate"),
        ("flyway", "-- migrate:down", "dbmate"), ("sqlx", "-- Down Migration", "node-pg-migrate"),
        ("diesel", "-- //@UNDO", "mybatis"), ("prisma", "---- create above / drop below ----", "tern"),
        ("prisma", "-- rambler down", "rambler"), ("prisma", "-- !Downs", "play"),
    ])
    func `a tool's head is named`(layout: String, head: String, tool: String) throws {
        let notation: Notation = layout == "flyway" ? .flyway : layout == "sqlx" ? .sqlx : .verbatim
        let error = try refusal("CREATE TABLE a ();\n\(head)\nDROP TABLE a;\n", notation)
        #expect(error?.message.contains(tool) == true)
        #expect(error?.place?.line == 2)
    }

    @Test func `it is allowed by a directive`() throws {
        let text = "CREATE TABLE a (x int);\n-- down\nDROP TABLE a;\n"
        #expect(try refusal(text) != nil)
        #expect(try refusal("-- migrated: direction=up\n" + text) == nil)
        #expect(throws: Complaint.self) { try refusal("-- migrated: direction=down\n" + text) }
    }

    // MARK: Drops at the end

    @Test(arguments: [
        ("CREATE TABLE a (x int);\nDROP TABLE a;\n", 2),
        ("CREATE TABLE a (x int);\nCREATE INDEX i ON a (x);\n\nDROP INDEX i;\nDROP TABLE a;\n", 4),
        (
            "CREATE TABLE IF NOT EXISTS s.a (x int);\nINSERT INTO s.a VALUES (1);\nDROP TABLE IF EXISTS s.a CASCADE;\n",
            3
        ),
        ("BEGIN;\nCREATE TABLE a (x int);\nCOMMIT;\nBEGIN;\nDROP TABLE a;\nCOMMIT;\n", 5),
        ("ALTER TABLE people ADD COLUMN age int;\nALTER TABLE people DROP COLUMN age;\n", 2),
        (
            "ALTER TABLE people ADD COLUMN age int;\nUPDATE people SET age = 3 WHERE age IS NULL;\nALTER TABLE people DROP COLUMN age;\n",
            3
        ),
        ("CREATE TYPE mood AS ENUM ('a');\nCREATE TABLE t (m mood);\nDROP TABLE t;\nDROP TYPE mood;\n", 3),
        ("CREATE SEQUENCE s;\nALTER TABLE t ALTER n SET DEFAULT nextval('s');\nDROP SEQUENCE s;\n", 3),
        ("CREATE VIEW v AS SELECT 1 AS n;\nDROP VIEW v;\n", 2),
        ("CREATE MATERIALIZED VIEW v AS SELECT 1 AS n;\nDROP MATERIALIZED VIEW v;\n", 2),
        ("CREATE SCHEMA s;\nCREATE TABLE s.t (x int);\nDROP SCHEMA s CASCADE;\n", 3),
        ("CREATE DOMAIN d AS int;\nDROP DOMAIN d;\n", 2),
        ("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';\nDROP FUNCTION f();\n", 2),
        (
            "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';\nCREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f();\nDROP TRIGGER g ON t;\nDROP FUNCTION f();\n",
            4
        ),
        // Seeds that read what goes away with them.
        (
            "CREATE TABLE a (x int);\nCREATE TABLE b (x int);\nINSERT INTO a VALUES (1);\nINSERT INTO b SELECT x FROM a;\nDROP TABLE b;\nDROP TABLE a;\n",
            5
        ),
        // Others are dropped, too.
        ("CREATE TABLE a (x int);\nDROP TABLE other;\nALTER TABLE t DROP CONSTRAINT c;\nDROP TABLE a;\n", 4),
        ("CREATE TABLE a (x int);\nALTER TABLE a RENAME TO b;\nDROP TABLE b;\n", 3),
        ("CREATE TABLE \"A\" (x int);\nCREATE UNIQUE INDEX CONCURRENTLY i ON \"A\" (x);\nDROP TABLE \"A\";\n", 3),
    ])
    func `what the file has made and drops at its end is refused with the first such line`(text: String, line: Int)
        throws
    {
        let error = try refusal(text)
        #expect(error?.status == .badFile, "\(text)")
        #expect(error?.place?.line == line, "\(text)")
        #expect(error?.hint?.contains("direction=up") == true)
        #expect(try refusal("-- migrated: direction=up\n" + text) == nil)
    }

    @Test(arguments: [
        "DROP TABLE IF EXISTS a;\nCREATE TABLE a (x int);\n",
        "CREATE TEMP TABLE a AS SELECT 1;\nDROP TABLE a;\n",
        "CREATE TEMPORARY TABLE a (x int);\nINSERT INTO t SELECT 2;\nDROP TABLE IF EXISTS a;\n",
        "SELECT 1 AS x INTO TEMP a;\nDROP TABLE a;\n",
        "CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql AS 'SELECT 1';\nDROP FUNCTION pg_temp.f();\n",
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';\nSELECT f();\nDROP FUNCTION f();\n",
        "CREATE OR REPLACE FUNCTION f(n int) RETURNS int LANGUAGE sql AS 'SELECT 1';\nUPDATE t SET x = f(x);\nDROP FUNCTION f(int);\n",
        "CREATE PROCEDURE p() LANGUAGE sql AS 'SELECT 1';\nCALL p();\nDROP PROCEDURE p();\n",
        "CREATE FUNCTION f(t text) RETURNS int LANGUAGE sql AS 'SELECT 1';\nALTER TABLE t ALTER x TYPE int USING f(x);\nDROP FUNCTION f(text);\n",
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';\nCREATE FUNCTION g() RETURNS int LANGUAGE sql AS 'SELECT f()';\nSELECT g();\nDROP FUNCTION g();\nDROP FUNCTION f();\n",
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';\nCREATE TRIGGER g BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION f();\nUPDATE t SET x = x;\nDROP TRIGGER g ON t;\nDROP FUNCTION f();\n",
        // Another function of that name.
        "CREATE FUNCTION f(a int, b int) RETURNS int LANGUAGE sql AS 'SELECT 1';\nDROP FUNCTION f(int);\n",
        // Staging.
        "CREATE TABLE staging (x int);\nINSERT INTO staging VALUES (1);\nINSERT INTO t SELECT x FROM staging;\nDROP TABLE staging;\n",
        "CREATE TABLE backup AS SELECT * FROM t;\nUPDATE t SET x = backup.x FROM backup WHERE t.id = backup.id;\nDROP TABLE backup;\n",
        "CREATE TABLE staging (x int);\nDO $$ BEGIN INSERT INTO t SELECT x FROM staging; END $$;\nDROP TABLE staging;\n",
        "CREATE SCHEMA work;\nCREATE TABLE work.s (x int);\nINSERT INTO t SELECT x FROM work.s;\nDROP SCHEMA work CASCADE;\n",
        "CREATE SEQUENCE s;\nUPDATE t SET n = nextval('s');\nDROP SEQUENCE s;\n",
        "CREATE VIEW v AS SELECT 1 AS n;\nINSERT INTO t SELECT n FROM v;\nDROP VIEW v;\n",
        "CREATE INDEX CONCURRENTLY i ON t (x);\nUPDATE t SET y = 1 WHERE x = 2;\nDROP INDEX i;\n",
        // A column whose values went on.
        "ALTER TABLE t ADD COLUMN tmp int;\nUPDATE t SET tmp = 1;\nUPDATE t SET x = tmp;\nALTER TABLE t DROP COLUMN tmp;\n",
        "ALTER TABLE t ADD COLUMN x2 int;\nUPDATE t SET x2 = x;\nALTER TABLE t DROP COLUMN x;\nALTER TABLE t RENAME COLUMN x2 TO x;\n",
        "ALTER TABLE t ADD COLUMN x2 int;\nUPDATE t SET x2 = x;\nALTER TABLE t RENAME COLUMN x TO x_old;\nALTER TABLE t RENAME COLUMN x2 TO x;\nALTER TABLE t DROP COLUMN x_old;\n",
        // Make anew, copy, drop the old one, rename.
        "CREATE TABLE t_new (x int);\nINSERT INTO t_new SELECT x FROM t;\nDROP TABLE t;\nALTER TABLE t_new RENAME TO t;\n",
        "CREATE TABLE t_new (x int);\nINSERT INTO t_new SELECT x FROM t;\nALTER TABLE t RENAME TO t_old;\nALTER TABLE t_new RENAME TO t;\nDROP TABLE t_old;\n",
        "ALTER TABLE t RENAME TO t_old;\nCREATE TABLE t (x int);\nINSERT INTO t SELECT x FROM t_old;\nDROP TABLE t_old;\n",
        // Prisma's way to change an enumeration, and one with a type that stands in.
        "CREATE TYPE \"Role_new\" AS ENUM ('A');\nALTER TABLE t ALTER COLUMN r TYPE \"Role_new\" USING (r::text::\"Role_new\");\nALTER TYPE \"Role\" RENAME TO \"Role_old\";\nALTER TYPE \"Role_new\" RENAME TO \"Role\";\nDROP TYPE \"Role_old\";\n",
        "CREATE TYPE stand_in AS ENUM ('a');\nALTER TABLE t ALTER r TYPE stand_in USING r::text::stand_in;\nDROP TYPE role;\nCREATE TYPE role AS ENUM ('a', 'b');\nALTER TABLE t ALTER r TYPE role USING r::text::role;\nDROP TYPE stand_in;\n",
        // Part of a table that stays.
        "CREATE TABLE a (x int);\nCREATE UNIQUE INDEX i ON a (x);\nDROP INDEX IF EXISTS i;\n",
        "CREATE TABLE a (x int);\nALTER TABLE a ADD COLUMN y int;\nALTER TABLE a DROP COLUMN y;\n",
        // What was there before is dropped at the end.
        "CREATE TABLE a (x int);\nDROP TABLE b;\n", "CREATE TABLE s.a (x int);\nDROP TABLE a;\n",
        "-- DropForeignKey\nALTER TABLE t DROP CONSTRAINT c;\n\n-- DropTable\nDROP TABLE t;\n",
        "CREATE TABLE a (x int);\nDROP TABLE a;\nCREATE TABLE a (y int);\n", "DROP TABLE a;\n",
        "ALTER TABLE t ADD CONSTRAINT c CHECK (x > 0) NOT VALID;\nALTER TABLE t DROP CONSTRAINT d;\n",
    ])
    func `what a file needs on its way is none of that`(text: String) throws {
        for notation in [Notation.plain, .verbatim] {
            let error = try refusal(text, notation)
            #expect(error == nil, "\(text)\(error?.lines ?? [])")
        }
    }
}
