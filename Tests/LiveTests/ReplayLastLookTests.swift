import LiveSupport
import Testing

/// What a file calls existing is looked at again before that is recorded.
@Suite struct `What was skipped is there in the end` {
    /// A statement that is skipped, what becomes of its object while the file runs, and whether that is a reason to fail.
    struct Case: CustomTestStringConvertible, Sendable {
        var statement: String
        var ruin: String
        var ground = ""
        /// Under skip-identical; under skip only what is gone fails.
        var isGone = false
        var testDescription: String { "\(statement) / \(ruin)" }
    }

    private static let ground = """
        CREATE TABLE p (id int PRIMARY KEY);
        CREATE TABLE s (id int, b int);
        CREATE FUNCTION fire() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
        CREATE TYPE other AS ENUM ('a');
        """
    private static let table =
        "CREATE TABLE t (id int PRIMARY KEY, b text NOT NULL DEFAULT 'x', CONSTRAINT c CHECK (id > 0))"

    static let ruins = [
        Case(statement: table, ruin: "DROP TABLE t", isGone: true),
        Case(statement: table, ruin: "ALTER TABLE t RENAME TO u"),
        Case(statement: table, ruin: "CREATE SCHEMA z; ALTER TABLE t SET SCHEMA z"),
        Case(statement: table, ruin: "ALTER TABLE t DROP COLUMN b"),
        Case(statement: table, ruin: "ALTER TABLE t ALTER b DROP NOT NULL"),
        Case(statement: table, ruin: "ALTER TABLE t ALTER b SET DEFAULT 'y'"),
        Case(statement: table, ruin: "ALTER TABLE t ALTER b TYPE varchar(3)"),
        Case(statement: table, ruin: "ALTER TABLE t DROP CONSTRAINT c"),
        Case(
            statement: table,
            ruin: "ALTER TABLE t DROP CONSTRAINT c; ALTER TABLE t ADD CONSTRAINT c CHECK (id > 0) NOT VALID"),
        Case(statement: table, ruin: "ALTER TABLE t DROP CONSTRAINT t_pkey"),
        Case(statement: table, ruin: "ALTER TABLE t SET UNLOGGED"),
        Case(statement: "ALTER TABLE s ADD COLUMN c int DEFAULT 1", ruin: "ALTER TABLE s DROP COLUMN c", isGone: true),
        Case(statement: "ALTER TABLE s ADD COLUMN c int DEFAULT 1", ruin: "ALTER TABLE s ALTER c DROP DEFAULT"),
        Case(
            statement: "ALTER TABLE s ADD CONSTRAINT k CHECK (b > 0)", ruin: "ALTER TABLE s DROP CONSTRAINT k",
            isGone: true),
        Case(
            statement: "ALTER TABLE s ADD CONSTRAINT k CHECK (b > 0)",
            ruin: "ALTER TABLE s DROP CONSTRAINT k; ALTER TABLE s ADD CONSTRAINT k CHECK (b > 0) NOT VALID"),
        Case(statement: "ALTER TABLE s ADD CHECK (b > 0)", ruin: "ALTER TABLE s DROP CONSTRAINT s_b_check"),
        Case(
            statement: "ALTER TABLE s ADD CONSTRAINT k UNIQUE (b)", ruin: "ALTER TABLE s DROP CONSTRAINT k",
            isGone: true),
        Case(
            statement: "ALTER TABLE s ADD CONSTRAINT k FOREIGN KEY (b) REFERENCES p",
            ruin: "ALTER TABLE s DROP CONSTRAINT k", isGone: true),
        Case(
            statement: "ALTER TABLE s ADD CONSTRAINT k FOREIGN KEY (b) REFERENCES p",
            ruin:
                "ALTER TABLE s DROP CONSTRAINT k; ALTER TABLE s ADD CONSTRAINT k FOREIGN KEY (b) REFERENCES p NOT VALID"
        ),
        Case(
            statement: "ALTER TABLE s ENABLE ROW LEVEL SECURITY", ruin: "ALTER TABLE s DISABLE ROW LEVEL SECURITY",
            isGone: true),
        Case(statement: "CREATE INDEX i ON s (b)", ruin: "DROP INDEX i", isGone: true),
        Case(statement: "CREATE INDEX i ON s (b)", ruin: "ALTER INDEX i RENAME TO j"),
        Case(statement: "CREATE INDEX i ON s (b)", ruin: "ALTER TABLE s RENAME TO r"),
        Case(statement: "ALTER TABLE s ADD CONSTRAINT k CHECK (b > 0)", ruin: "ALTER TABLE s RENAME TO r"),
        Case(
            statement: "ALTER TABLE s ADD CONSTRAINT k FOREIGN KEY (b) REFERENCES p", ruin: "ALTER TABLE s RENAME TO r"),
        Case(
            statement: "ALTER TABLE s ADD CONSTRAINT k FOREIGN KEY (b) REFERENCES p", ruin: "ALTER TABLE p RENAME TO r"),
        Case(statement: "ALTER TABLE s ADD COLUMN c int DEFAULT 1", ruin: "ALTER TABLE s RENAME TO r"),
        Case(statement: "ALTER TABLE s ENABLE ROW LEVEL SECURITY", ruin: "ALTER TABLE s RENAME TO r"),
        Case(statement: "CREATE INDEX ON s (b)", ruin: "ALTER TABLE s RENAME TO r"),
        Case(statement: "CREATE POLICY own ON s USING (b > 0)", ruin: "ALTER TABLE s RENAME TO r"),
        Case(statement: "CREATE VIEW v AS SELECT b FROM s", ruin: "ALTER VIEW v RENAME TO w"),
        Case(statement: "CREATE TYPE mood AS ENUM ('sad', 'ok')", ruin: "ALTER TYPE mood RENAME TO m"),
        Case(statement: "ALTER TYPE other ADD VALUE 'b'", ruin: "ALTER TYPE other RENAME TO m"),
        Case(statement: "CREATE SCHEMA app", ruin: "ALTER SCHEMA app RENAME TO lib"),
        Case(statement: "CREATE SEQUENCE q", ruin: "ALTER SEQUENCE q RENAME TO r"),
        Case(statement: "CREATE INDEX i ON s (b)", ruin: "ALTER INDEX i SET (fillfactor = 70)"),
        Case(
            statement: "CREATE INDEX i ON s (b)",
            ruin: "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'i'::regclass"),
        Case(statement: "CREATE INDEX ON s (b)", ruin: "DROP INDEX s_b_idx"),
        Case(statement: "CREATE SEQUENCE q", ruin: "ALTER SEQUENCE q INCREMENT 2"),
        Case(statement: "CREATE SEQUENCE q", ruin: "DROP SEQUENCE q", isGone: true),
        Case(statement: "CREATE TYPE mood AS ENUM ('sad', 'ok')", ruin: "ALTER TYPE mood RENAME VALUE 'ok' TO 'fine'"),
        Case(
            statement: "ALTER TYPE other ADD VALUE 'b'", ruin: "ALTER TYPE other RENAME VALUE 'b' TO 'c'", isGone: true),
        Case(
            statement: "CREATE DOMAIN zip AS text CONSTRAINT d CHECK (value <> '')",
            ruin: "ALTER DOMAIN zip DROP CONSTRAINT d"),
        Case(statement: "CREATE VIEW v AS SELECT b FROM s", ruin: "CREATE OR REPLACE VIEW v AS SELECT id AS b FROM s"),
        Case(statement: "CREATE VIEW v AS SELECT b FROM s", ruin: "DROP VIEW v", isGone: true),
        Case(
            statement: "CREATE MATERIALIZED VIEW v AS SELECT b FROM s", ruin: "REFRESH MATERIALIZED VIEW v WITH NO DATA"
        ),
        Case(
            statement: "CREATE FUNCTION f(int) RETURNS int LANGUAGE sql AS 'SELECT 1'",
            ruin: "CREATE OR REPLACE FUNCTION f(int) RETURNS int LANGUAGE sql AS 'SELECT 2'",
            ground: "CREATE FUNCTION f(text) RETURNS int LANGUAGE sql AS 'SELECT 1'"),
        Case(
            statement: "CREATE FUNCTION f(int) RETURNS int LANGUAGE sql AS 'SELECT 1'", ruin: "DROP FUNCTION f(int)",
            ground: "CREATE FUNCTION f(text) RETURNS int LANGUAGE sql AS 'SELECT 1'"),
        Case(
            statement: "CREATE TRIGGER x BEFORE INSERT ON s FOR EACH ROW EXECUTE FUNCTION fire()",
            ruin: "ALTER TABLE s DISABLE TRIGGER x"),
        Case(
            statement: "CREATE TRIGGER x BEFORE INSERT ON s FOR EACH ROW EXECUTE FUNCTION fire()",
            ruin: "DROP TRIGGER x ON s",
            isGone: true),
        Case(statement: "CREATE POLICY own ON s USING (b > 0)", ruin: "ALTER POLICY own ON s USING (true)"),
        Case(statement: "CREATE POLICY own ON s USING (b > 0)", ruin: "DROP POLICY own ON s", isGone: true),
        Case(statement: "CREATE SCHEMA app", ruin: "DROP SCHEMA app", isGone: true),
        Case(statement: "CREATE EXTENSION btree_gist", ruin: "DROP EXTENSION btree_gist", isGone: true),
    ]

    @Test(arguments: ruins)
    func `or the file fails, whatever has changed it`(_ what: Case) throws {
        for existing in ["skip-identical", "skip"] where existing == "skip-identical" || what.isGone {
            let bench = try Workbench()
            try bench.query("\(Self.ground)\n\(what.ground);\n\(what.statement);")
            // Something of the database's own, which no reading of the file foresees.
            try bench.query(
                """
                CREATE FUNCTION ruin() RETURNS event_trigger LANGUAGE plpgsql AS $ruin$BEGIN \(what.ruin); END$ruin$;
                CREATE EVENT TRIGGER e ON ddl_command_end WHEN TAG IN ('CREATE AGGREGATE') EXECUTE FUNCTION ruin();
                """)
            let before = try ReplayTests.dump(bench)
            try bench.write(
                "1_f.sql",
                """
                -- migrated: existing=\(existing)
                \(what.statement);
                CREATE AGGREGATE bang(int) (SFUNC = int4pl, STYPE = int);
                """)
            let outcome = try bench.run("apply")
            #expect(outcome.status == 1, "\(existing): \(outcome)")
            #expect(outcome.errors.contains("was skipped because it existed, and is"), "\(existing): \(outcome)")
            #expect(try bench.events("event IN ('skipped', 'applied')") == [])
            #expect(try bench.events("event = 'failed'") == ["failed 1_f object_differs"])
            #expect(try ReplayTests.dump(bench) == before)
            #expect(try bench.faults() == "")
        }
    }

    @Test(arguments: [
        "CREATE TABLE t (a int, b int); ALTER TABLE t RENAME TO u;",
        "CREATE TABLE t (a int, b int); DROP TABLE t;",
        "CREATE TABLE t (a int, b int); ALTER TABLE t DROP COLUMN b; ALTER TABLE t ADD c text;",
        "CREATE TABLE t (a int, b int); ALTER TABLE t ADD c text; ALTER TABLE t ALTER c TYPE varchar(9), ALTER c SET NOT NULL;",
        "CREATE TABLE t (a int); CREATE TABLE s2 () INHERITS (t); ALTER TABLE t ADD b int; ALTER TABLE t DROP COLUMN b;",
        "CREATE TABLE t (a int); ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0); ALTER TABLE t RENAME CONSTRAINT c TO d;",
        "CREATE TABLE t (a int); ALTER TABLE t ADD CONSTRAINT c UNIQUE (a), ADD CONSTRAINT d PRIMARY KEY (a); ALTER TABLE t DROP CONSTRAINT c;",
        "CREATE TABLE t (a int); CREATE INDEX i ON t (a); ALTER INDEX i RENAME TO j;",
        "CREATE TABLE t (a int); CREATE UNIQUE INDEX i ON t (a); ALTER TABLE t ADD CONSTRAINT k UNIQUE USING INDEX i;",
        "CREATE TABLE t (a int); CREATE INDEX i ON t (a); DROP INDEX i;",
        "CREATE SEQUENCE q; ALTER SEQUENCE q INCREMENT 5;",
        "CREATE TYPE mood AS ENUM ('a', 'b'); ALTER TYPE mood RENAME VALUE 'b' TO 'c';",
        "CREATE TYPE mood AS ENUM ('a'); CREATE TABLE t (m mood DEFAULT 'a'); ALTER TYPE mood RENAME TO feeling;",
        "CREATE TABLE t (a int); CREATE VIEW v AS SELECT a FROM t; ALTER TABLE t RENAME COLUMN a TO z;",
        "CREATE TABLE t (a int); CREATE VIEW v AS SELECT a FROM t; CREATE OR REPLACE VIEW v AS SELECT a, 1 AS n FROM t;",
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 2';",
        "CREATE DOMAIN zip AS text CONSTRAINT d CHECK (value <> ''); ALTER DOMAIN zip DROP CONSTRAINT d;",
        "CREATE TABLE t (a int); ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY o ON t USING (a > 0); ALTER POLICY o ON t USING (a > 1);",
        "CREATE SCHEMA app; CREATE TABLE app.t (a int); ALTER SCHEMA app RENAME TO lib;",
        "CREATE TABLE t (a int); DO $$BEGIN DROP TABLE t; END$$;",
        "CREATE FUNCTION go() RETURNS void LANGUAGE sql AS 'ALTER TABLE t DROP COLUMN b'; CREATE TABLE t (a int, b int); SELECT go();",
        "CREATE FUNCTION h(int) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT true'; CREATE TABLE t (a int, CONSTRAINT c CHECK (h(a))); DROP FUNCTION h(int) CASCADE;",
        "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE t (p int); ALTER TABLE t ADD CONSTRAINT k FOREIGN KEY (p) REFERENCES p; ALTER TABLE t DROP CONSTRAINT k;",
        "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE t (p int CONSTRAINT k REFERENCES p); DROP TABLE p CASCADE;",
        "CREATE TABLE t (a int) PARTITION BY LIST (a); CREATE TABLE t1 PARTITION OF t FOR VALUES IN (1); ALTER TABLE t DETACH PARTITION t1;",
        "CREATE TABLE t (a int); ALTER TABLE t ADD COLUMN b int DEFAULT 1; ALTER TABLE t ALTER COLUMN b DROP DEFAULT;",
    ])
    func `but not where the file itself does that later`(_ file: String) throws {
        let plain = try Workbench()
        try plain.query(file)
        let statements = file.split(separator: ";").map(String.init)
        // All but the last statement was done; where only names count, the first.
        for (existing, done) in [("skip-identical", file.contains("$$") ? 1 : statements.count - 1), ("skip", 1)] {
            let bench = try Workbench()
            try bench.query(statements[..<done].joined(separator: ";"))
            try bench.write("1_f.sql", "-- migrated: existing=\(existing) direction=up\n\(file)\n")
            let outcome = try bench.run("apply")
            #expect(outcome.status == 0, "\(existing): \(outcome)")
            #expect(try ReplayTests.dump(bench) == ReplayTests.dump(plain), "\(existing)")
            #expect(try bench.has("event = 'skipped' AND reason = 'object_exists'"))
            #expect(try bench.faults() == "")
        }
    }

    @Test func `in every part of a file, and behind what cannot be in a transaction`() throws {
        let bench = try Workbench()
        try bench.query(
            """
            CREATE TABLE s (id int, b int);
            CREATE TABLE t (id int, CONSTRAINT c CHECK (id > 0));
            CREATE FUNCTION ruin() RETURNS event_trigger LANGUAGE plpgsql AS $$BEGIN
                IF EXISTS (SELECT FROM pg_class WHERE relname = 'i') THEN ALTER TABLE t DROP CONSTRAINT IF EXISTS c; END IF; END$$;
            """)
        let file = """
            -- migrated: existing=skip-identical
            CREATE TABLE t (id int, CONSTRAINT c CHECK (id > 0));
            CREATE INDEX CONCURRENTLY i ON s (b);
            """
        try bench.write("1_f.sql", file + "\nCREATE TABLE later ();\n")
        try bench.query(
            "CREATE EVENT TRIGGER e ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION ruin()")
        let outcome = try bench.run("apply")
        #expect(outcome.status == 1 && outcome.errors.contains("table 'public.t' was skipped"), "\(outcome)")
        #expect(try bench.query("SELECT to_regclass('later') IS NULL") == "t")
        #expect(try bench.events("event = 'applied'") == [])
        #expect(try bench.faults() == "")
    }
}
