import LiveSupport
import Testing

/// What pg_dump writes is a migration as it is, and makes what psql makes of it.
@Suite struct `A dump` {
    /// A database with a bit of everything, and rows that look like anything but rows.
    private static let source = #"""
        CREATE SCHEMA app;
        CREATE TYPE app.mood AS ENUM ('good', 'bad;');
        CREATE DOMAIN app.amount AS numeric(10, 2) CHECK (VALUE >= 0);
        CREATE SEQUENCE app.numbers;
        CREATE FUNCTION app.shout(t text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $fn$
        BEGIN
          -- COPY nothing FROM stdin;
          RETURN upper(t) || E'\\.';
        END;
        $fn$;
        CREATE PROCEDURE app.touch() LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT CASE WHEN true THEN 2 END; END;
        CREATE TABLE app.people (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, mood app.mood DEFAULT 'good', data bytea, "odd ""name" jsonb);
        CREATE TABLE app.orders (id bigint PRIMARY KEY, person int NOT NULL REFERENCES app.people, total app.amount, at timestamptz);
        CREATE INDEX orders_person ON app.orders (person);
        CREATE TABLE public.parts (k int, v text) PARTITION BY RANGE (k);
        CREATE TABLE public.parts_1 PARTITION OF public.parts FOR VALUES FROM (0) TO (10);
        CREATE TABLE public.nothing ();
        CREATE TABLE public.empty (a int);
        CREATE VIEW app.totals AS SELECT person, sum(total) AS total FROM app.orders GROUP BY person;
        CREATE MATERIALIZED VIEW app.names AS SELECT name FROM app.people;
        CREATE TRIGGER seen BEFORE UPDATE ON app.people FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();
        COMMENT ON TABLE app.people IS 'people; and \. such';
        COMMENT ON COLUMN app.people.name IS E'two\nlines';
        INSERT INTO app.people (name, mood, data, "odd ""name") VALUES
          (E'tab\there', 'good', '\x00ff5c', '{"a": "\\."}'), (E'back\\slash', 'bad;', NULL, NULL), ('', NULL, '', '[]'),
          ('; DROP TABLE app.people; --', 'good', NULL, NULL), ('$$ BEGIN $fn$ $$', 'good', NULL, NULL), ('-- migrated: on-failure=continue', 'good', NULL, NULL),
          ('-- +goose Down', 'good', NULL, NULL), (E'two\nlines', 'good', NULL, NULL), (E'return\r', 'good', NULL, NULL), (E'\\N', 'good', NULL, NULL), (E'\\.', 'good', NULL, NULL),
          ('it''s "quoted" /* open', 'good', NULL, NULL), ('--> statement-breakpoint', 'good', NULL, NULL), ('Grüße 🎉', 'good', NULL, NULL), ('${HOME}', 'good', NULL, NULL),
          ('-- migrated: allow=M041 reason=x', 'good', NULL, NULL), ('-- migrate:down', 'good', NULL, NULL);
        INSERT INTO app.orders SELECT n, n % 10 + 1, n, '2026-01-01 00:00:00+00' FROM generate_series(1, 500) AS n;
        INSERT INTO public.parts SELECT n, repeat('x', n) FROM generate_series(0, 9) AS n;
        INSERT INTO public.nothing DEFAULT VALUES;
        REFRESH MATERIALIZED VIEW app.names;
        SELECT setval('app.numbers', 41);
        """#

    private static func dump(_ database: Database, _ arguments: String...) throws -> String {
        let outcome = try Program.run(
            Cluster.programs + "/pg_dump", ["-d", database.conninfo, "-N", "migrated"] + arguments,
            environment: Program.environment)
        guard outcome.status == 0 else { throw LiveFailure("pg_dump: \(outcome)") }
        return outcome.output
    }

    /// What is in a database, without what changes from one dump to the next.
    private static func contents(_ database: Database) throws -> String {
        try dump(database).split(separator: "\n", omittingEmptySubsequences: false)
            .filter { !$0.hasPrefix("\\restrict ") && !$0.hasPrefix("\\unrestrict ") }.joined(separator: "\n")
    }

    @Test(arguments: [
        "", "--inserts", "--clean --if-exists", "--schema-only", "--data-only", "--column-inserts --no-owner",
    ])
    func `makes what psql makes of it`(options: String) throws {
        let origin = try Workbench()
        try origin.query(Self.source)
        var text = try Self.dump(origin.database, arguments: options.split(separator: " ").map(String.init))
        // Older ones of pg_dump do not write them.
        if !text.contains("\\restrict ") { text = "\\restrict k3y\n" + text + "\n\\unrestrict k3y\n" }
        let bench = try Workbench()
        let other = try Workbench()
        if options == "--data-only" {
            let schema = try Self.dump(origin.database, "--schema-only")
            for database in [bench.database, other.database] { #expect(try database.psql(schema).status == 0) }
        }
        try bench.write("0001_dump.sql", text)
        let psql = try other.database.psql(text)
        #expect(psql.status == 0, "\(psql)")
        let check = try bench.run("check", "--fail-on", "error")
        #expect(check.status == 0, "\(check)")
        let outcome = try bench.run("apply")
        #expect(outcome.status == 0, "\(outcome)")
        #expect(try Self.contents(bench.database) == Self.contents(other.database))
        #expect(try bench.query("SELECT count(*) FROM app.people") == (options == "--schema-only" ? "0" : "17"))
        #expect(try bench.faults() == "")
        let checked = try bench.run("check", "--database", bench.database.conninfo, "--fail-on", "error")
        #expect(checked.status == 0 && checked.output.contains("1 applied"), "\(checked)")
        let integrity = try Program.run(
            Program.built("auditctl"),
            [
                "integrity", "--database", bench.database.conninfo, "--directory", bench.directory, "--config",
                bench.folder.path("migrated.toml"), "--state-directory", bench.folder.path("state"),
            ],
            environment: Program.environment)
        #expect(integrity.status == 0, "\(integrity)")
        // What comes next finds the role's own search_path again.
        try bench.write("0002_next.sql", "CREATE TABLE next (a int);")
        let next = try bench.run("apply")
        #expect(next.status == 0, "\(next)")
        #expect(try bench.query("SELECT to_regclass('public.next')") == "next")
    }

    @Test func `that the database has already is adopted, and is looked at like any other file`() throws {
        let bench = try Workbench()
        try bench.query(Self.source)
        try bench.write("0001_dump.sql", try Self.dump(bench.database))
        let adopted = try bench.run("resolve", "0001", "--applied", "--reason", "it was restored from this dump")
        #expect(adopted.status == 0, "\(adopted)")
        let checked = try bench.run("check", "--database", bench.database.conninfo)
        #expect(checked.status == 0 && checked.output.contains("1 applied"), "\(checked)")
        #expect(try bench.run("apply").status == 0)
        #expect(try bench.query("SELECT count(*) FROM app.people") == "17")
    }

    private static func dump(_ database: Database, arguments: [String]) throws -> String {
        let outcome = try Program.run(
            Cluster.programs + "/pg_dump", ["-d", database.conninfo] + arguments, environment: Program.environment)
        guard outcome.status == 0 else { throw LiveFailure("pg_dump: \(outcome)") }
        return outcome.output
    }
}

/// COPY … FROM STDIN with its rows in the file, as psql takes them.
@Suite struct `Rows behind COPY` {
    private static let table = "CREATE TABLE t (a int, b text);\n"

    @Test(
        arguments: [
            "COPY t FROM stdin;\n1\tx\n2\t\\N\n\\.\n",
            "copy public.t (b, a) from STDIN with (delimiter ',');\nx,1\n\\.\nINSERT INTO t VALUES (2, 'y');\n",
            "COPY t FROM stdin CSV HEADER;\na,b\n1,\"x;\ny\"\n2,\n\\.\n", "COPY t FROM stdin;\n\\.\nSELECT 1;\n",
            "COPY t FROM stdin; INSERT INTO t VALUES (3, 'behind');\n1\tx\n\\.\n",
            "COPY t FROM stdin; COPY t FROM stdin; -- two\n1\tx\n\\.\n2\ty\n\\.\n",
            "BEGIN;\nCOPY t FROM stdin;\n1\tx\n\\.\nCOMMIT;\nCOPY t FROM stdin;\n2\ty\n\\.\n",
            "INSERT INTO t VALUES (1, 'a');\nCOPY t FROM stdin WHERE a > 1;\n1\tx\n2\ty\n\\.\nUPDATE t SET a = 7 WHERE a = 2;\nCOPY t FROM stdin;\n9\tz\n\\.",
            "COPY t FROM stdin;\n1\t\\\\.\n2\t\n3\t-- migrated: nonsense=1\n4\t$$ '\n\\.\nSELECT 1;\n",
            "-- migrated: transaction=none\nCOPY t FROM stdin;\n1\tx\n\\.\nVACUUM t;\n",
            "CREATE INDEX CONCURRENTLY i ON t (a);\nCOPY t FROM stdin;\n1\tx\n\\.\n",
            "-- migrated: existing=skip\nCREATE TABLE t (a int, b text);\nCOPY t FROM stdin;\n1\tx\n\\.\nALTER TABLE t ADD UNIQUE (a);\n",
            "-- migrated: orphans=clean orphan-limit=9\nCREATE TABLE p (a int PRIMARY KEY);\nCOPY p FROM stdin;\n1\n\\.\nCOPY t FROM stdin;\n1\tx\n2\ty\n\\.\nDELETE FROM t WHERE a = 2;\nALTER TABLE t ADD FOREIGN KEY (a) REFERENCES p (a);\n",
            "COPY t FROM stdin;\r\n1\tx\r\n2\t\r\n\\.\r\nINSERT INTO t VALUES (3, 'z');\r\n",
        ])
    func `come out as psql puts them in`(text: String) throws {
        let bench = try Workbench()
        let other = try Workbench()
        for database in [bench.database, other.database] { try database.query(Self.table) }
        try bench.write("001_rows.sql", text)
        let psql = try other.database.psql(
            text.split(separator: "\n").filter { !$0.hasPrefix("CREATE TABLE t ") }.joined(separator: "\n") + "\n")
        #expect(psql.status == 0, "\(psql)")
        let check = try bench.run("check", "--fail-on", "error")
        #expect(check.status == 0, "\(check)")
        let outcome = try bench.run("apply")
        #expect(outcome.status == 0, "\(outcome)")
        let rows = "SELECT a, encode(convert_to(b, 'UTF8'), 'hex') FROM t ORDER BY 1, 2"
        #expect(try bench.query(rows) == other.query(rows))
        #expect(try bench.faults() == "")
    }

    @Test func `that do not fit fail the file at their line, and the row stays out of the record`() throws {
        let bench = try Workbench()
        try bench.query(Self.table)
        let text =
            "INSERT INTO t VALUES (0, 'first');\n\nCOPY t FROM stdin;\n1\tx\nsecret word\ty\n3\tz\n\\.\nSELECT 1;\n"
        try bench.write("001_rows.sql", text)
        let outcome = try bench.run("apply")
        #expect(outcome.status == 1, "\(outcome)")
        #expect(outcome.errors.contains("001_rows.sql:5: invalid input syntax for type integer"), "\(outcome)")
        #expect(!outcome.errors.contains("secret word"), "\(outcome)")
        #expect(try bench.query("SELECT count(*) FROM t") == "0")
        #expect(
            try bench.query(
                "SELECT reason, detail::json->>'line', detail::json->>'statement', strpos(detail || message, 'secret word') FROM migrated.migration_rollback_audit WHERE event = 'failed'"
            ) == "sql_error|5|2|0")
        try bench.write(
            "001_rows.sql",
            text.split(separator: "\n", omittingEmptySubsequences: false).filter { !$0.hasPrefix("secret") }.joined(
                separator: "\n"))
        #expect(try bench.run("apply").status == 0)
        #expect(try bench.query("SELECT count(*) FROM t") == "3")
        #expect(try bench.faults() == "")
    }

    @Test func `of some size are sent in pieces, and a stop ends them`() throws {
        let bench = try Workbench()
        try bench.query("CREATE TABLE t (a int, b text)")
        let row = "7\t" + String(repeating: "é", count: 50) + "\n"
        try bench.write(
            "001_rows.sql", "COPY t FROM stdin;\n" + String(repeating: row, count: 30_000) + "\\.\nSELECT 1;\n")
        let outcome = try bench.run("apply")
        #expect(outcome.status == 0, "\(outcome)")
        #expect(try bench.query("SELECT count(*), min(length(b)), max(length(b)) FROM t") == "30000|50|50")
    }

    @Test(
        arguments: [
            ("SELECT 1;\nCOPY t FROM stdin;\n1\tx\n\\.x\n", "001_bad.sql:2:1: COPY … FROM STDIN without"),
            ("SELECT 1;\nCOPY t FROM stdin;\n", "001_bad.sql:2:1: COPY … FROM STDIN without rows"),
            ("SELECT 1;\nCOPY t FROM stdin", "001_bad.sql:2:1: COPY … FROM STDIN without rows"),
            ("COPY t FROM stdin (FORMAT binary);\nx\n\\.\n", "001_bad.sql:1:1: COPY … FROM STDIN in binary format"),
            ("COPY t TO stdout;\n", "001_bad.sql:1:1: COPY … TO STDOUT in a migration"),
            ("\\restrict abc\nSELECT 1;\n\\unrestrict abd\n", "001_bad.sql:3:1: '\\unrestrict' with another key"),
            ("SELECT 1;\n\\unrestrict abd\n", "001_bad.sql:2:1: '\\unrestrict' without its '\\restrict'"),
            ("\\restrict\nSELECT 1;\n", "001_bad.sql:1:1: '\\restrict' without its key"),
            ("\\restrict abc\n\\connect other\nSELECT 1;\n", "001_bad.sql:2:1: psql command '\\connect'"),
            ("\\restrict abc\n\\restrict abc\nSELECT 1;\n", "001_bad.sql:2:1: psql command '\\restrict'"),
            ("\\copy t from 'x'\nSELECT 1;\n", "001_bad.sql:1:1: psql command '\\copy'"),
            ("COPY t FROM stdin;\n1\tx\n\\.\n\\i other.sql\n", "001_bad.sql:4:1: psql command '\\i'"),
        ])
    func `and commands of psql that cannot be taken are refused with their line`(text: String, words: String) throws {
        let bench = try Workbench()
        try bench.query(Self.table)
        try bench.write("001_bad.sql", text)
        let outcome = try bench.run("apply")
        #expect(outcome.status == 65 && outcome.errors.contains(words), "\(outcome)")
    }

    @Test func `follow syntax that only a newer server reads`() throws {
        let bench = try Workbench()
        try bench.query(Self.table)
        // PostgreSQL 15's grammar and server refuse the number: it is the server that has the last word.
        try bench.write(
            "001_newer.sql", "COPY t FROM stdin;\n1\tx\n\\.\nSELECT 0x_FF;\nCOPY t FROM stdin;\n2\ty\n\\.\n")
        let check = try bench.run("check", "--fail-on", "never")
        #expect(check.output.contains("M003"), "\(check)")
        let outcome = try bench.run("apply")
        #expect(outcome.status == 1, "\(outcome)")
        #expect(try bench.query("SELECT count(*) FROM t") == "0")
    }
}
