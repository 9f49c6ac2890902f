import LiveSupport
import Testing

/// What replay takes for there, and what not: within one statement, and where the database has less than the file says.
@Suite struct `What stands is what the file says` {
    /// What is there, a file, what a query says behind it; nil where the file has to fail.
    struct Case: CustomTestStringConvertible, Sendable {
        var there: String
        var file: String
        var query = "SELECT 1"
        var answer: String?
        var testDescription: String { file }
    }

    private static let keys =
        "SELECT string_agg(conname, ' ' ORDER BY conname) FROM pg_constraint WHERE conrelid = 't'::regclass AND contype <> 'n'"
    private static let type =
        "SELECT format_type(atttypid, -1) FROM pg_attribute WHERE attrelid = 't'::regclass AND attname = 'y'"
    /// The columns but the first: type, default, NOT NULL, identity.
    private static let shape = """
        SELECT string_agg(concat(attname, ' ', CASE format_type(atttypid, -1) WHEN 'integer' THEN 'int' ELSE 'text' END, ' ',
            CASE WHEN atthasdef THEN 'd' END, CASE WHEN attnotnull THEN 'n' END, CASE WHEN attidentity <> '' THEN 'i' || attidentity::text END),
            ' ' ORDER BY attname)
          FROM pg_attribute WHERE attrelid = 't'::regclass AND attnum > 1 AND NOT attisdropped
        """
    private static let table = "CREATE TABLE t (id int PRIMARY KEY, y int DEFAULT 1);"

    private static let rows =
        "CREATE TABLE t (a int); CREATE FUNCTION h(t) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT true';"

    // MARK: Within one statement

    @Test(
        arguments: ["skip-identical", "skip"],
        [
            Case(
                there: table, file: "ALTER TABLE t DROP CONSTRAINT t_pkey, ADD CONSTRAINT t_pkey PRIMARY KEY (id);",
                query: keys, answer: "t_pkey"),
            Case(
                there: table,
                file: "ALTER TABLE t DROP CONSTRAINT IF EXISTS t_pkey, ADD CONSTRAINT t_pkey PRIMARY KEY (id);",
                query: keys, answer: "t_pkey"),
            Case(
                there: table, file: "ALTER TABLE t DROP CONSTRAINT t_pkey, ADD PRIMARY KEY (id);", query: keys,
                answer: "t_pkey"),
            Case(
                there: table, file: "ALTER TABLE t DROP CONSTRAINT t_pkey, ADD CONSTRAINT k PRIMARY KEY (id);",
                query: keys, answer: "k"),
            Case(
                there: table, file: "ALTER TABLE t DROP COLUMN y, ADD COLUMN y text;",
                query: type, answer: "text"),
            Case(
                there: table, file: "ALTER TABLE t DROP COLUMN y, ADD COLUMN y int DEFAULT 1;",
                query: "SELECT count(*) FROM pg_attribute WHERE attrelid = 't'::regclass AND attname = 'y'", answer: "1"
            ),
            Case(
                there: "CREATE TABLE t (id int, y int UNIQUE);",
                file: "ALTER TABLE t DROP COLUMN y, ADD COLUMN y int, ADD CONSTRAINT t_y_key UNIQUE (y);", query: keys,
                answer: "t_y_key"),
            Case(
                there: "CREATE TABLE t (id int, y int); ALTER TABLE t ENABLE ROW LEVEL SECURITY;",
                file: "ALTER TABLE t DISABLE ROW LEVEL SECURITY, ENABLE ROW LEVEL SECURITY;",
                query: "SELECT relrowsecurity FROM pg_class WHERE oid = 't'::regclass", answer: "t"),
            Case(
                there: "CREATE TABLE t (id int);",
                file: "ALTER TABLE t ADD COLUMN IF NOT EXISTS a int, ADD CONSTRAINT c CHECK (a > 0);", query: keys,
                answer: "c"),
            Case(
                there: "CREATE TABLE t (id int);",
                file: "ALTER TABLE t ADD COLUMN IF NOT EXISTS a int, ADD UNIQUE (a);", query: keys, answer: "t_a_key"),
            Case(
                there: "CREATE TABLE t (id int);", file: "ALTER TABLE t ADD COLUMN a int, ADD UNIQUE (a);", query: keys,
                answer: "t_a_key"),
            // PostgreSQL drops first, wherever that stands.
            Case(
                there: table,
                file: "ALTER TABLE t ADD CONSTRAINT t_pkey PRIMARY KEY (id), DROP CONSTRAINT IF EXISTS t_pkey;",
                query: keys, answer: "t_pkey"),
            Case(
                there: table, file: "ALTER TABLE t ADD PRIMARY KEY (id), DROP CONSTRAINT t_pkey;", query: keys,
                answer: "t_pkey"),
            Case(
                there: "CREATE TABLE t (id int, CONSTRAINT k CHECK (id > 0));",
                file: "ALTER TABLE t ADD CONSTRAINT k CHECK (id > 0), DROP CONSTRAINT k;", query: keys, answer: "k"),
            Case(
                there: "CREATE TABLE t (id int, CONSTRAINT k CHECK (id > 0));",
                file: "ALTER TABLE t ADD CONSTRAINT l CHECK (id > 0), DROP CONSTRAINT k;", query: keys, answer: "l"),
            Case(
                there: table, file: "ALTER TABLE t ADD COLUMN y text, DROP COLUMN y;", query: type, answer: "text"),
            Case(
                there: table, file: "ALTER TABLE t ADD COLUMN y int DEFAULT 1, DROP COLUMN IF EXISTS y;", query: type,
                answer: "integer"),
            Case(
                there: "CREATE TABLE t (id int, y int UNIQUE);",
                file: "ALTER TABLE t ADD CONSTRAINT t_y_key UNIQUE (y), ADD COLUMN y int, DROP COLUMN y;", query: keys,
                answer: "t_y_key"),
            Case(
                there: "CREATE TABLE t (id int); ALTER TABLE t ENABLE ROW LEVEL SECURITY;",
                file: "ALTER TABLE t ENABLE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY;",
                query: "SELECT relrowsecurity FROM pg_class WHERE oid = 't'::regclass", answer: "f"),
            Case(
                there: "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE t (p int CONSTRAINT k REFERENCES p);",
                file: "ALTER TABLE t ADD CONSTRAINT k FOREIGN KEY (p) REFERENCES p, DROP CONSTRAINT IF EXISTS k;",
                query: keys, answer: "k"),
        ])
    func `commands of one ALTER TABLE act in the order of PostgreSQL`(_ existing: String, _ what: Case) throws {
        try hold(what, existing)
    }

    /// A file of which all has been done: it creates a table and alters it, or only alters it.
    private static func done(
        _ commands: String, _ answer: String, of query: String = shape, creates: Bool = true
    ) -> Case {
        let create = "CREATE TABLE t (id int, y int);"
        let alter = "ALTER TABLE t \(commands);"
        return Case(
            there: "\(create) \(alter)", file: creates ? "\(create) \(alter)" : alter, query: query, answer: answer)
    }

    @Test(arguments: [
        done("ALTER y SET DEFAULT 2, ALTER y DROP DEFAULT", "y int d"),
        done("ALTER y SET NOT NULL, ALTER y DROP NOT NULL", "y int n"),
        done(
            "ALTER y SET NOT NULL, ALTER y ADD GENERATED ALWAYS AS IDENTITY, ALTER y DROP IDENTITY IF EXISTS",
            "y int nia"),
        done(
            "ALTER y SET NOT NULL, ALTER y SET GENERATED BY DEFAULT, ALTER y ADD GENERATED ALWAYS AS IDENTITY",
            "y int nid"),
        done("ALTER y SET DEFAULT 'a', ALTER y TYPE text", "y text d"),
        done("ADD COLUMN y text, DROP COLUMN y", "y text "),
        done("ALTER c SET DEFAULT 5, ALTER c SET NOT NULL, ADD COLUMN c int", "c int dn y int "),
        done("ALTER c SET DEFAULT 5, ALTER c SET NOT NULL, ADD COLUMN c int", "c int dn y int ", creates: false),
        done("ADD COLUMN c int NOT NULL, ALTER c ADD GENERATED ALWAYS AS IDENTITY", "c int nia y int "),
        done(
            "ADD COLUMN c int NOT NULL, ALTER c ADD GENERATED ALWAYS AS IDENTITY", "c int nia y int ", creates: false),
        done(
            "ADD CONSTRAINT k CHECK (c > 1), ADD UNIQUE (c), ADD COLUMN c int CHECK (c > 0)",
            "k t_c_check t_c_key", of: keys),
        done(
            "ADD CONSTRAINT k CHECK (c > 1), ADD CONSTRAINT u UNIQUE (c), ADD COLUMN c int CHECK (c > 0)",
            "k t_c_check u", of: keys, creates: false),
        done("ADD CONSTRAINT k CHECK (y > 1), DROP CONSTRAINT IF EXISTS k", "k", of: keys),
        Case(
            there: "CREATE TABLE t (id int, y int, CONSTRAINT k CHECK (y > 0));",
            file:
                "CREATE TABLE t (id int, y int, CONSTRAINT k CHECK (y > 0)); ALTER TABLE t ADD CONSTRAINT k CHECK (y > 1), ALTER y SET DEFAULT 2, DROP CONSTRAINT k;",
            query: "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'k'", answer: "CHECK ((y > 1))"),
    ])
    func `a file whose ALTER TABLE was done is done in the order of PostgreSQL`(_ what: Case) throws {
        try hold(what, "skip-identical")
    }

    @Test func `what is gone behind the rest of the statement is missed before anything is committed`() throws {
        let bench = try Workbench()
        try bench.write("1_f.sql", "CREATE TABLE t (id int, CONSTRAINT c CHECK (id > 0));")
        #expect(try bench.run("apply").status == 0)
        // Something of the database's own, which no reading of the file foresees.
        try bench.query(
            """
            CREATE FUNCTION f() RETURNS event_trigger LANGUAGE plpgsql AS $$BEGIN
                IF EXISTS (SELECT FROM pg_attribute WHERE attrelid = 't'::regclass AND attname = 'b')
                   AND EXISTS (SELECT FROM pg_constraint WHERE conname = 'c' AND conrelid = 't'::regclass) THEN
                    ALTER TABLE t DROP CONSTRAINT c;
                END IF;
            END$$;
            CREATE EVENT TRIGGER e ON ddl_command_end WHEN TAG IN ('ALTER TABLE') EXECUTE FUNCTION f();
            """)
        try bench.write(
            "2_g.sql",
            "-- migrated: existing=skip-identical\nALTER TABLE t ADD CONSTRAINT c CHECK (id > 0), ADD COLUMN b int;\n")
        let outcome = try bench.run("apply")
        #expect(outcome.status == 1, "\(outcome)")
        #expect(
            outcome.errors.contains("constraint 'public.t.c' was skipped because it existed, and is gone"),
            "\(outcome)")
        #expect(try bench.query(Self.keys) == "c")
    }

    // MARK: Less than the file says

    @Test(arguments: [
        Case(
            there: "CREATE TABLE t (id int); ALTER TABLE t ADD CONSTRAINT c CHECK (id > 0) NOT VALID;",
            file: "ALTER TABLE t ADD CONSTRAINT c CHECK (id > 0);"),
        Case(
            there: "CREATE TABLE t (id int, CONSTRAINT c CHECK (id > 0));",
            file: "ALTER TABLE t ADD CONSTRAINT c CHECK (id > 0) NOT VALID;", answer: "1"),
        Case(
            there: "CREATE TABLE t (id int); ALTER TABLE t ADD CONSTRAINT c CHECK (id > 0) NOT VALID;",
            file: "CREATE TABLE t (id int, CONSTRAINT c CHECK (id > 0));"),
        Case(
            there:
                "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE t (p int); ALTER TABLE t ADD CONSTRAINT k FOREIGN KEY (p) REFERENCES p NOT VALID;",
            file: "ALTER TABLE t ADD CONSTRAINT k FOREIGN KEY (p) REFERENCES p;",
            query: "SELECT convalidated FROM pg_constraint WHERE conname = 'k'", answer: "t"),
        Case(
            there:
                "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE t (p int); INSERT INTO t VALUES (1); ALTER TABLE t ADD CONSTRAINT k FOREIGN KEY (p) REFERENCES p NOT VALID;",
            file: "ALTER TABLE t ADD CONSTRAINT k FOREIGN KEY (p) REFERENCES p;"),
        Case(
            there: "CREATE TABLE t (id int, UNIQUE (id) DEFERRABLE);", file: "CREATE UNIQUE INDEX t_id_key ON t (id);"),
        Case(
            there: "CREATE TABLE t (id int, UNIQUE (id));", file: "CREATE UNIQUE INDEX t_id_key ON t (id);", answer: "1"
        ),
        Case(
            there:
                "CREATE TABLE t (id int) PARTITION BY LIST (id); CREATE TABLE t1 PARTITION OF t FOR VALUES IN (1); CREATE INDEX i ON ONLY t (id);",
            file: "CREATE INDEX i ON t (id);"),
        Case(
            there:
                "CREATE TABLE t (id int) PARTITION BY LIST (id); CREATE TABLE t1 PARTITION OF t FOR VALUES IN (1); CREATE INDEX i ON t (id);",
            file: "CREATE INDEX i ON t (id);", answer: "1"),
        Case(
            there:
                "CREATE TABLE t (id int) PARTITION BY LIST (id); CREATE TABLE t1 PARTITION OF t FOR VALUES IN (1); CREATE INDEX i ON ONLY t (id);",
            file: "CREATE INDEX i ON ONLY t (id);", answer: "1"),
        Case(
            there:
                "CREATE TABLE t (id int); CREATE UNIQUE INDEX i ON t (id); ALTER TABLE t ADD CONSTRAINT c UNIQUE USING INDEX i;",
            file: "ALTER TABLE t ADD CONSTRAINT c UNIQUE USING INDEX i DEFERRABLE;"),
        Case(
            there:
                "CREATE TABLE t (id int); CREATE UNIQUE INDEX i ON t (id); ALTER TABLE t ADD CONSTRAINT c UNIQUE USING INDEX i;",
            file: "ALTER TABLE t ADD CONSTRAINT c UNIQUE USING INDEX i;", answer: "1"),
        Case(
            there: "CREATE TABLE t (id int); CREATE VIEW v WITH (security_barrier) AS SELECT id FROM t;",
            file: "CREATE VIEW v AS SELECT id FROM t;"),
        Case(
            there: "CREATE TABLE t (id int); CREATE VIEW v WITH (security_barrier = on) AS SELECT id FROM t;",
            file: "CREATE VIEW v WITH (security_barrier = true) AS SELECT id FROM t;", answer: "1"),
        Case(
            there: "CREATE TABLE t (id int); CREATE MATERIALIZED VIEW v AS SELECT id FROM t WITH NO DATA;",
            file: "CREATE MATERIALIZED VIEW v AS SELECT id FROM t;"),
        Case(
            there: "CREATE TABLE t (id int); CREATE MATERIALIZED VIEW v AS SELECT id FROM t;",
            file: "CREATE MATERIALIZED VIEW v AS SELECT id FROM t;", answer: "1"),
        Case(
            there: "CREATE TABLE t (id int); CREATE MATERIALIZED VIEW v AS SELECT id FROM t WITH NO DATA;",
            file: "CREATE MATERIALIZED VIEW v AS SELECT id FROM t WITH NO DATA;", answer: "1"),
        Case(
            there: "CREATE TABLE t (id int, CONSTRAINT k PRIMARY KEY (id));",
            file: "ALTER TABLE t ADD CONSTRAINT k PRIMARY KEY (id) WITH (fillfactor = 70);"),
        Case(
            there: "CREATE TABLE t (id int, CONSTRAINT k PRIMARY KEY (id) WITH (fillfactor = 70));",
            file: "ALTER TABLE t ADD CONSTRAINT k PRIMARY KEY (id) WITH (fillfactor = 70);", answer: "1"),
        Case(
            there: "CREATE TABLE t (id int, a text);",
            file: "CREATE TABLE t (id int, a text) WITH (toast.autovacuum_enabled = off);"),
        Case(
            there: "CREATE TABLE t (id int, a text) WITH (toast.autovacuum_enabled = false, autovacuum_enabled = 1);",
            file: "CREATE TABLE t (id int, a text) WITH (toast.autovacuum_enabled = off, autovacuum_enabled = on);",
            answer: "1"),
        // Of what becomes a constraint's: other columns, and all of it done.
        Case(
            there: "CREATE TABLE t (a int, b int, CONSTRAINT c UNIQUE (b)); CREATE UNIQUE INDEX i ON t (a);",
            file: "ALTER TABLE t ADD CONSTRAINT c UNIQUE USING INDEX i;"),
        Case(
            there: "CREATE TABLE t (a int, b int, CONSTRAINT c UNIQUE (b));",
            file: "CREATE UNIQUE INDEX i ON t (a); ALTER TABLE t ADD CONSTRAINT c UNIQUE USING INDEX i;"),
        Case(
            there: "CREATE TABLE t (a int, b int, CONSTRAINT c UNIQUE (b) DEFERRABLE);",
            file: "ALTER TABLE t ADD CONSTRAINT c UNIQUE USING INDEX i;"),
        Case(
            there:
                "CREATE TABLE t (a int); CREATE UNIQUE INDEX i ON t (a); ALTER TABLE t ADD CONSTRAINT c UNIQUE USING INDEX i;",
            file: "CREATE UNIQUE INDEX i ON t (a); ALTER TABLE t ADD CONSTRAINT c UNIQUE USING INDEX i;",
            query: "SELECT string_agg(indexrelid::regclass::text, ' ') FROM pg_index WHERE indrelid = 't'::regclass",
            answer: "c"),
        Case(
            there: "CREATE TABLE t (a int); CREATE UNIQUE INDEX i ON t (a);",
            file: "CREATE UNIQUE INDEX i ON t (a); ALTER TABLE t ADD CONSTRAINT c PRIMARY KEY USING INDEX i;",
            query: "SELECT string_agg(indexrelid::regclass::text, ' ') FROM pg_index WHERE indrelid = 't'::regclass",
            answer: "c"),
        // LIKE brings indexes and statistics.
        Case(
            there: "CREATE TABLE x (a int, b int); CREATE INDEX ON x (a); CREATE TABLE t (LIKE x);",
            file: "CREATE TABLE t (LIKE x INCLUDING INDEXES);"),
        Case(
            there:
                "CREATE TABLE x (a int, b int); CREATE INDEX ON x (a); CREATE TABLE t (LIKE x INCLUDING ALL); DROP INDEX t_a_idx; CREATE INDEX t_a_idx ON t (b);",
            file: "CREATE TABLE t (LIKE x INCLUDING ALL);"),
        Case(
            there:
                "CREATE TABLE x (a int PRIMARY KEY, b int); CREATE INDEX ON x (a) WHERE b > 0; CREATE TABLE t (LIKE x INCLUDING ALL); CREATE INDEX more ON t (b);",
            file: "CREATE TABLE t (LIKE x INCLUDING ALL);", answer: "1"),
        Case(
            there:
                "CREATE TABLE x (a int, b int); CREATE STATISTICS xs (ndistinct) ON a, b FROM x; CREATE TABLE t (LIKE x);",
            file: "CREATE TABLE t (LIKE x INCLUDING ALL);"),
        Case(
            there:
                "CREATE TABLE x (a int, b int); CREATE STATISTICS xs (ndistinct) ON a, b FROM x; CREATE TABLE t (LIKE x INCLUDING STATISTICS);",
            file: "CREATE TABLE t (LIKE x INCLUDING STATISTICS);", answer: "1"),
        Case(
            there: "CREATE TABLE x (a int, b int); CREATE INDEX ON x (a); CREATE TABLE t (LIKE x);",
            file: "CREATE TABLE t (LIKE x);",
            answer: "1"),
        // The same in another order, and functions of the table's rows.
        Case(
            there:
                "CREATE TABLE t (a text) PARTITION BY LIST (a); CREATE TABLE t1 PARTITION OF t FOR VALUES IN ('b, c', 'a''', NULL);",
            file: "CREATE TABLE t1 PARTITION OF t FOR VALUES IN (NULL, 'a''', 'b, c');", answer: "1"),
        Case(
            there:
                "CREATE TABLE t (a text) PARTITION BY LIST (a); CREATE TABLE t1 PARTITION OF t FOR VALUES IN ('b, c', 'a');",
            file: "CREATE TABLE t1 PARTITION OF t FOR VALUES IN ('b', 'c, a');"),
        Case(
            there: "\(rows) ALTER TABLE t ADD CONSTRAINT c CHECK (h(t));",
            file: "ALTER TABLE t ADD CONSTRAINT c CHECK (h(t));",
            answer: "1"),
        Case(
            there: "\(rows) ALTER TABLE t ADD CONSTRAINT c CHECK (h(t));",
            file: "ALTER TABLE t ADD CONSTRAINT c CHECK (h(t) OR a > 0);"),
        Case(
            there: "\(rows) ALTER TABLE t ADD CONSTRAINT c CHECK (h(t));",
            file:
                "CREATE TABLE t (a int); CREATE OR REPLACE FUNCTION h(t) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT true'; ALTER TABLE t ADD CONSTRAINT c CHECK (public.h(t.*));",
            answer: "1"),
        Case(
            there: "\(rows) CREATE INDEX i ON t (h(t)); CREATE POLICY o ON t USING (h(t));",
            file: "CREATE INDEX i ON t (h(t)); CREATE POLICY o ON t USING (h(t));", answer: "1"),
        Case(
            there: "\(rows) CREATE INDEX i ON t (h(t));", file: "CREATE INDEX i ON t (h(t) DESC);"),
        // One for each statement.
        Case(
            there:
                "CREATE TABLE t (a int); CREATE INDEX ON t (a); CREATE TABLE u (a int CHECK (a > 0)); CREATE INDEX ON u (a);",
            file:
                "CREATE INDEX ON t (a); CREATE INDEX ON u (a); CREATE INDEX ON t (a); ALTER TABLE t ADD CHECK (a > 0); ALTER TABLE u ADD CHECK (a > 0);",
            query:
                "SELECT string_agg(n, ' ' ORDER BY n COLLATE \"C\") FROM (SELECT relname FROM pg_class WHERE relkind = 'i' AND relnamespace = 'public'::regnamespace UNION SELECT conname FROM pg_constraint WHERE contype = 'c' AND conrelid <> 0 AND connamespace = 'public'::regnamespace) AS f(n)",
            answer: "t_a_check t_a_idx t_a_idx1 u_a_check u_a_idx"),
        Case(
            there: "CREATE TABLE t (a int, CONSTRAINT k CHECK (a > 0));",
            file: "CREATE TABLE t (a int, CONSTRAINT k CHECK (a > 0)); ALTER TABLE t ADD CHECK (a > 0);",
            query: "SELECT string_agg(conname, ' ' ORDER BY conname) FROM pg_constraint WHERE conrelid = 't'::regclass",
            answer: "k t_a_check"),
        // Columns that go by another name by now, or are gone with what was about them; commands that change nothing, before others that were done.
        Case(
            there: "CREATE TABLE t (a int, b int); CREATE INDEX i ON t (b); ALTER TABLE t RENAME b TO c;",
            file: "CREATE TABLE t (a int, b int); CREATE INDEX i ON t (b); ALTER TABLE t RENAME b TO c;",
            query: "SELECT pg_get_indexdef('i'::regclass)", answer: "CREATE INDEX i ON public.t USING btree (c)"),
        Case(
            there:
                "CREATE TABLE t (a int, b int); CREATE INDEX i ON t (b) WHERE a > 0; ALTER TABLE t RENAME a TO d; ALTER TABLE t DROP d;",
            file:
                "CREATE TABLE t (a int, b int); CREATE INDEX i ON t (b) WHERE a > 0; ALTER TABLE t RENAME a TO d; ALTER TABLE t DROP d;",
            query: "SELECT to_regclass('i') IS NULL", answer: "t"),
        Case(
            there:
                "CREATE TABLE t (a int, b int, g int); CREATE INDEX i ON t (a, (a + b)); ALTER TABLE t RENAME a TO x; ALTER TABLE t RENAME b TO a; ALTER TABLE t RENAME x TO b; ALTER TABLE t RENAME g TO h; ALTER TABLE t DROP h, ADD g text;",
            file:
                "CREATE TABLE t (a int, b int, g int); CREATE INDEX i ON t (a, (a + b)); ALTER TABLE t RENAME a TO x; ALTER TABLE t RENAME b TO a; ALTER TABLE t RENAME x TO b; ALTER TABLE t RENAME g TO h; ALTER TABLE t DROP h, ADD g text;",
            query: "SELECT pg_get_indexdef('i'::regclass)",
            answer: "CREATE INDEX i ON public.t USING btree (b, ((b + a)))"),
        Case(
            there:
                "CREATE TABLE t (a int, b int); CREATE INDEX ON t (a); ALTER TABLE t RENAME b TO x; ALTER TABLE t DROP x; ALTER TABLE t RENAME a TO b; ALTER TABLE t ADD a text;",
            file:
                "CREATE TABLE t (a int, b int); CREATE INDEX ON t (a); ALTER TABLE t RENAME b TO x; ALTER TABLE t DROP x; ALTER TABLE t RENAME a TO b; ALTER TABLE t ADD a text;",
            query: "SELECT count(*) FROM pg_index WHERE indrelid = 't'::regclass", answer: "1"),
        Case(
            there: "CREATE TABLE t (a int, b int NOT NULL DEFAULT 1);",
            file:
                "CREATE TABLE t (a int, b int); ALTER TABLE t ALTER b DROP NOT NULL, ALTER b DROP DEFAULT; ALTER TABLE t ALTER b SET NOT NULL; ALTER TABLE t ALTER b SET DEFAULT 1;",
            query: "SELECT attnotnull AND atthasdef FROM pg_attribute WHERE attrelid = 't'::regclass AND attname = 'b'",
            answer: "t"),
        Case(
            there: "CREATE TABLE t (a int); ALTER TABLE t RENAME a TO b;",
            file: "CREATE TABLE t (a int); ALTER TABLE t ALTER a DROP DEFAULT; ALTER TABLE t RENAME a TO b;",
            answer: "1"),
        Case(
            there:
                "CREATE TABLE t (a int, b int) PARTITION BY LIST (a); CREATE TABLE t1 PARTITION OF t FOR VALUES IN (1); ALTER TABLE t ADD CONSTRAINT c CHECK (b > 0) NOT VALID;",
            file:
                "CREATE TABLE t (a int, b int) PARTITION BY LIST (a); CREATE TABLE t1 PARTITION OF t FOR VALUES IN (1); ALTER TABLE t ADD CONSTRAINT c CHECK (b > 0) NOT VALID;",
            answer: "1"),
        // A comment is no part of it.
        Case(
            there: "CREATE TABLE t (id int); CREATE VIEW v AS SELECT id FROM t;",
            file: "CREATE VIEW v AS SELECT id FROM t -- all of them\n;", answer: "1"),
        Case(
            there: "CREATE TABLE t (id int, y int);",
            file: "CREATE TABLE t (id int) -- first\n; ALTER TABLE t ADD y int -- second\n;", answer: "1"),
    ])
    func `nothing less serves as the same, and nothing that is the same is refused`(_ what: Case) throws {
        try hold(what, "skip-identical")
    }

    private func hold(_ what: Case, _ existing: String) throws {
        let bench = try Workbench()
        try bench.query(what.there)
        try bench.write("1_f.sql", "-- migrated: existing=\(existing)\n\(what.file)\n")
        let outcome = try bench.run("apply")
        #expect(outcome.status == (what.answer == nil ? 1 : 0), "\(outcome)")
        if let answer = what.answer { #expect(try bench.query(what.query) == answer, "\(outcome)") }
        #expect(try bench.faults() == "")
    }
}
