import Glibc
import LiveSupport
import Postgres
import Testing

/// What is read of a file beside a reading of everything behind it: for random statements, in transactions with subtransactions that are kept or undone.
///
/// `CHANGES_FILES=1000` runs that many, `CHANGES_SEED=17` other ones.
@Suite struct `What random files changed` {
    private static let files = number("CHANGES_FILES") ?? 80
    private static let seed = number("CHANGES_SEED") ?? 20_261_201

    private static func number(_ name: String) -> Int? { getenv(name).flatMap { Int(String(cString: $0)) } }

    private let bench: Workbench
    private let file: Connection
    private let other: Connection

    init() throws {
        bench = try Workbench()
        try bench.write("1_a.sql", "SELECT 1;")
        guard try bench.run("apply").status == 0 else { throw LiveFailure("not applied") }
        let target = try ConnectionTarget(bench.database.conninfo, applicationName: "random")
        try bench.query(RandomChange.schema)
        file = try Connection(target, waiter: BlockingWaiter())
        other = try Connection(target, waiter: BlockingWaiter())
        try other.run("SET search_path = pg_catalog, pg_temp; SET client_min_messages = warning")
        try file.run("SET client_min_messages = warning")
        for name in ["random_a", "random_b"] {
            try other.run(
                "DO $$ BEGIN CREATE ROLE \(name); EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
            )
        }
    }

    private func word(_ result: QueryResult) -> String? { result.rows.isEmpty ? nil : result.text(0, 0) }

    /// What the whole catalog has otherwise than the readings.
    private func left() throws -> [String] {
        let found = try other.query("SELECT concat_ws(' | ', class, object, before, now) FROM migrated.catalog_change")
        return found.rows.indices.compactMap { found.text($0, 0) }
    }

    @Test func `is the same as everything read behind each`() throws {
        var random = CaseRandom(seed: Self.seed, harness: 3)
        try other.run("SELECT migrated.read_catalog(gen_random_uuid(), '{}', NULL, NULL)")
        #expect(try left() == [])
        var readings = 0
        for number in 1...Self.files {
            var log: [String] = []
            try file.run("BEGIN")
            let begun = try file.query("SELECT pg_current_xact_id()::text, migrated.catalog_counters()::text")
            for _ in 0..<Int.random(in: 3...9, using: &random) {
                let statement = RandomChange.statement(&random)
                try file.run("SAVEPOINT p")
                do {
                    try file.run(statement)
                    switch Int.random(in: 0..<10, using: &random) {
                    case 0:
                        try file.run("ROLLBACK TO p")
                        log.append("undone: \(statement)")
                    case 1...5:
                        try file.run("RELEASE p")
                        fallthrough
                    default: log.append(statement)
                    }
                } catch {
                    try file.run("ROLLBACK TO p")
                }
            }
            let touched = word(
                try file.query("SELECT migrated.touched_catalogs($1::bigint[])", [begun.text(0, 1).map(Parameter.text)])
            )
            if let touched {
                let gone = try other.query(
                    "SELECT migrated.catalog_left($1::text::xid8, ARRAY(SELECT json_array_elements_text($2::json -> 'gone')))",
                    [begun.text(0, 0).map(Parameter.text), .text(touched)])
                let read = try file.query(
                    "SELECT r.problem, r.changes FROM migrated.read_catalog(gen_random_uuid(), '{}', $1::json, $2::jsonb) AS r",
                    [.text(touched), gone.text(0, 0).map(Parameter.text)])
                #expect(read.text(0, 0) == nil)
                if read.text(0, 1) != nil { readings += 1 }
            }
            try file.run("COMMIT")
            let left = try left()
            guard left.isEmpty else {
                Issue.record(
                    "CHANGES_SEED=\(Self.seed) file \(number): \(log.joined(separator: "; ")) left \(left.joined(separator: "\n"))"
                )
                return
            }
        }
        // Many of them have changed something; what fails changes nothing.
        #expect(readings > Self.files / 4, "\(readings) of \(Self.files)")
    }
}

/// A statement about objects of a few names, which may or may not be there.
private enum RandomChange {
    static func statement(_ random: inout CaseRandom) -> String {
        guard var text = templates.randomElement(using: &random) else { preconditionFailure("there are templates") }
        for (place, words) in places {
            while let range = text.range(of: place) {
                text.replaceSubrange(range, with: words.randomElement(using: &random) ?? "")
            }
        }
        return text
    }

    /// What the first files meet.
    static let schema = """
        CREATE SCHEMA s1; CREATE SCHEMA s2;
        CREATE TABLE a (id integer PRIMARY KEY, x integer, y text); CREATE TABLE s1.a (id integer PRIMARY KEY, x integer REFERENCES a, y text);
        CREATE VIEW b AS SELECT id, x FROM a; CREATE TYPE e1 AS ENUM ('u', 'v'); CREATE FUNCTION f1(v a) RETURNS integer LANGUAGE sql AS 'SELECT 1';
        """

    private static let relations = ["a", "b", "c", "\"D e\"", "\"f.g\"", "s1.a", "s1.h", "s2.b", "s2.\"i\"\"j\""]
    private static let types = ["e1", "\"E 2\"", "s1.e3", "s2.e1"]
    private static let routines = ["f1", "s1.f2", "\"F 3\""]
    private static let names = ["a", "b", "c", "\"D e\"", "\"f.g\"", "h", "n1", "n2", "e1", "f1"]
    private static let places: [(String, [String])] = [
        // A type may be a table's.
        ("<any>", ["integer", "text", "numeric(9,2)", "timestamptz", "integer[]", "<type>", "<relation>", "<type>[]"]),
        ("<relation>", relations), ("<type>", types), ("<routine>", routines), ("<name>", names),
        ("<schema>", ["public", "s1", "s2", "s3"]), ("<column>", ["id", "x", "y", "\"z z\"", "n1", "n2"]),
        ("<role>", ["random_a", "random_b"]), ("<number>", (2...40).map(String.init)),
    ]
    private static let templates = [
        "CREATE SCHEMA <schema>", "CREATE SCHEMA <schema>", "ALTER SCHEMA <schema> RENAME TO <schema>",
        "DROP SCHEMA <schema> CASCADE", "GRANT USAGE ON SCHEMA <schema> TO <role>",
        "CREATE TABLE <relation> (id integer PRIMARY KEY, x <any>, y text DEFAULT 'd' CHECK (y <> 'n'))",
        "CREATE TABLE <relation> (id integer PRIMARY KEY, x <any>, y text DEFAULT 'd' CHECK (y <> 'n'))",
        "CREATE TABLE <relation> (id bigint GENERATED ALWAYS AS IDENTITY, x integer UNIQUE, y serial)",
        "CREATE TABLE <relation> (LIKE <relation> INCLUDING ALL)", "CREATE TABLE <relation> () INHERITS (<relation>)",
        "CREATE TABLE <relation> (id integer, x integer) PARTITION BY LIST (id)",
        "CREATE TABLE <relation> PARTITION OF <relation> FOR VALUES IN (<number>)",
        "ALTER TABLE <relation> DETACH PARTITION <relation>",
        "ALTER TABLE <relation> ATTACH PARTITION <relation> FOR VALUES IN (<number>)",
        "ALTER TABLE <relation> ADD <column> <any>", "ALTER TABLE <relation> ADD <column> <any>",
        "ALTER TABLE <relation> DROP <column> CASCADE",
        "ALTER TABLE <relation> RENAME TO <name>", "ALTER TABLE <relation> RENAME <column> TO <column>",
        "ALTER TABLE <relation> SET SCHEMA <schema>", "ALTER TABLE <relation> ALTER <column> SET NOT NULL",
        "ALTER TABLE <relation> ALTER <column> DROP NOT NULL",
        "ALTER TABLE <relation> ALTER <column> TYPE <any> USING NULL",
        "ALTER TABLE <relation> ALTER <column> SET DEFAULT NULL", "ALTER TABLE <relation> ALTER x SET DEFAULT <number>",
        "ALTER TABLE <relation> ADD CONSTRAINT <name> FOREIGN KEY (x) REFERENCES <relation> (id)",
        "ALTER TABLE <relation> ADD CONSTRAINT <name> CHECK (id > <number>) NOT VALID",
        "ALTER TABLE <relation> VALIDATE CONSTRAINT <name>", "ALTER TABLE <relation> DROP CONSTRAINT <name> CASCADE",
        "ALTER TABLE <relation> RENAME CONSTRAINT <name> TO <name>", "ALTER TABLE <relation> OWNER TO <role>",
        "ALTER TABLE <relation> SET (fillfactor = <number>)", "ALTER TABLE <relation> ENABLE ROW LEVEL SECURITY",
        "ALTER TABLE <relation> REPLICA IDENTITY FULL", "ALTER TABLE <relation> SET UNLOGGED",
        "DROP TABLE <relation> CASCADE", "TRUNCATE <relation>", "INSERT INTO <relation> (id) VALUES (<number>)",
        "CREATE INDEX <name> ON <relation> (<column>)", "CREATE UNIQUE INDEX ON <relation> (id, x)",
        "ALTER INDEX <relation> RENAME TO <name>", "DROP INDEX <relation>", "CLUSTER <relation> USING <name>",
        "CREATE VIEW <relation> AS SELECT * FROM <relation>", "CREATE VIEW <relation> AS SELECT id, x FROM <relation>",
        "CREATE VIEW <relation> AS SELECT l.*, r.y AS other FROM <relation> AS l JOIN <relation> AS r USING (id)",
        "CREATE VIEW <relation> AS SELECT <routine>(<number>) AS id",
        "CREATE MATERIALIZED VIEW <relation> AS SELECT id FROM <relation>",
        "ALTER VIEW <relation> RENAME TO <name>", "DROP VIEW <relation> CASCADE",
        "ALTER VIEW <relation> RENAME <column> TO <column>",
        "CREATE SEQUENCE <relation>", "ALTER SEQUENCE <relation> INCREMENT <number>",
        "ALTER SEQUENCE <relation> OWNED BY <relation>.id", "ALTER SEQUENCE <relation> RENAME TO <name>",
        "ALTER TABLE <relation> ALTER id SET DEFAULT nextval('<relation>')",
        "CREATE FUNCTION <routine>(integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT $1'",
        "CREATE FUNCTION <routine>(v <any>) RETURNS <any> LANGUAGE sql AS 'SELECT NULL'",
        "CREATE FUNCTION <routine>(s <any>, v <any>) RETURNS <any> LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
        "CREATE OR REPLACE FUNCTION <routine>(integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT <number>'",
        "ALTER ROUTINE <routine>(integer) RENAME TO <name>", "ALTER ROUTINE <routine>(integer) SET SCHEMA <schema>",
        "DROP ROUTINE <routine> CASCADE", "GRANT EXECUTE ON FUNCTION <routine>(integer) TO <role>",
        "CREATE AGGREGATE <routine>(integer) (sfunc = int4pl, stype = integer)",
        "ALTER TABLE <relation> ADD CHECK (<routine>(id) > 0)", "CREATE INDEX ON <relation> (<routine>(id))",
        "CREATE TYPE <type> AS ENUM ('u', 'v')", "CREATE TYPE <type> AS (p <any>, q text)",
        "CREATE TYPE <type> AS RANGE (subtype = integer)",
        "CREATE DOMAIN <type> AS integer CHECK (VALUE > 0)", "ALTER DOMAIN <type> SET NOT NULL",
        "ALTER DOMAIN <type> ADD CHECK (VALUE <> <number>)", "ALTER TYPE <type> RENAME TO <name>",
        "ALTER TYPE <type> RENAME VALUE 'u' TO 'w'", "ALTER TYPE <type> ADD VALUE 'x'",
        "ALTER TYPE <type> ADD ATTRIBUTE r <any> CASCADE",
        "ALTER TYPE <type> SET SCHEMA <schema>", "DROP TYPE <type> CASCADE",
        "CREATE FUNCTION fired() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
        "CREATE TRIGGER <name> BEFORE INSERT ON <relation> FOR EACH ROW EXECUTE FUNCTION fired()",
        "ALTER TABLE <relation> DISABLE TRIGGER <name>", "ALTER TRIGGER <name> ON <relation> RENAME TO <name>",
        "DROP TRIGGER <name> ON <relation>", "ALTER FUNCTION fired() RENAME TO fired2",
        "ALTER FUNCTION fired2() RENAME TO fired",
        "CREATE POLICY <name> ON <relation> USING (id > <number>)", "ALTER POLICY <name> ON <relation> TO <role>",
        "DROP POLICY <name> ON <relation>",
        "CREATE RULE <name> AS ON INSERT TO <relation> DO ALSO SELECT id FROM <relation>",
        "DROP RULE <name> ON <relation>",
        "GRANT SELECT ON <relation> TO <role>", "GRANT UPDATE (<column>) ON <relation> TO <role>",
        "REVOKE ALL ON <relation> FROM <role>",
        "COMMENT ON TABLE <relation> IS 'c <number>'", "CREATE TEMPORARY TABLE passing (x integer)",
        "CREATE COLLATION <name> FROM \"C\"", "ALTER COLLATION <name> RENAME TO <name>",
        "ALTER TABLE <relation> ALTER y TYPE text COLLATE <name>",
        "CREATE EXTENSION hstore", "DROP EXTENSION hstore CASCADE", "ALTER EXTENSION hstore ADD TABLE <relation>",
        "ALTER EXTENSION hstore DROP TABLE <relation>", "ALTER EXTENSION hstore SET SCHEMA <schema>",
        "ALTER TABLE <relation> ADD <column> hstore",
        "CREATE EVENT TRIGGER <name> ON ddl_command_end EXECUTE FUNCTION watched()", "DROP EVENT TRIGGER <name>",
        "CREATE FUNCTION watched() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'",
    ]
}
