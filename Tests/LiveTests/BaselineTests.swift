import Glibc
import LiveSupport
import Testing

/// `migrated adopt --baseline`: the files are built in a scratch database, and the real one must be what comes out.
@Suite struct BaselineTests {
    private func bench() throws -> Workbench {
        let bench = try Workbench()
        try bench.write(
            "1_init.sql",
            """
            CREATE TYPE mood AS ENUM ('sad', 'happy');
            CREATE TABLE users (id serial PRIMARY KEY, email varchar(100) NOT NULL, old int);
            CREATE TABLE IF NOT EXISTS notes (id int, user_id int REFERENCES users (id));
            CREATE OR REPLACE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1';
            CREATE TABLE gone (id int);
            CREATE INDEX users_email ON users (email);
            """)
        try bench.write(
            "2_change.sql",
            """
            ALTER TABLE users ALTER COLUMN email TYPE text, DROP COLUMN old, ADD COLUMN nick text;
            DROP TABLE gone;
            ALTER TABLE notes ADD CONSTRAINT notes_id CHECK (id > 0);
            """)
        try bench.write("3_rows.sql", "INSERT INTO users (email) VALUES ('a');")
        try bench.write("4_more.sql", "CREATE TABLE more (id int); CREATE VIEW v AS SELECT id FROM more;")
        try bench.write("5_next.sql", "CREATE TABLE next (id int);")
        return bench
    }

    /// As if 1, 2 and 3 had been applied by hand.
    private func applyByHand(_ bench: Workbench) throws {
        for name in ["1_init", "2_change", "3_rows"] { try bench.query(bench.folder.read("m/\(name).sql")) }
    }

    private func scratches(_ bench: Workbench) throws -> String {
        try bench.query(
            """
            SELECT count(*) FROM pg_database WHERE datname LIKE 'migrated\\_scratch\\_'
                || (SELECT oid FROM pg_database WHERE datname = current_database()) || '\\_%'
            """)
    }

    @Test
    func `a database that is as the files leave it is taken over, although later files changed what earlier ones made`()
        throws
    {
        let bench = try bench()
        try applyByHand(bench)
        let before = try ReplayTests.dump(bench)
        let dry = try bench.run("adopt", "--baseline", "3", "--dry-run")
        #expect(dry.status == 0, "\(dry)")
        #expect(dry.output.contains("compared 9 object(s) as 3 file(s) leave them; rows are not compared\n"), "\(dry)")
        #expect(dry.output.contains("would adopt 3 migration(s)"))
        #expect(try bench.query("SELECT pg_catalog.to_regclass('migrated.audit_head') IS NULL") == "t")

        let adopted = try bench.run("adopt", "--baseline", "3")
        #expect(adopted.status == 0, "\(adopted)")
        #expect(
            try bench.events() == ["adopted 1_init baseline", "adopted 2_change baseline", "adopted 3_rows baseline"])
        #expect(try ReplayTests.dump(bench) == before)
        #expect(
            try bench.query(
                "SELECT count(*) FROM migrated.migration_rollback_audit WHERE detail LIKE '%\"compared\":\"scratch\"%'")
                == "3")
        #expect(try scratches(bench) == "0")
        let rest = try bench.run("apply")
        #expect(rest.status == 0, "\(rest)")
        #expect(try bench.events("event = 'applied'") == ["applied 4_more", "applied 5_next"])
        #expect(try bench.faults() == "")
    }

    @Test func `a baseline that is not there is refused, and which one fits is said`() throws {
        let bench = try bench()
        try applyByHand(bench)
        for more in [[], ["--dry-run"]] {
            let refused = try Program.run(
                Program.built("migrated"), bench.arguments("adopt", ["--baseline", "5"] + more),
                environment: Program.environment)
            #expect(refused.status == 1, "\(refused)")
            #expect(refused.output.contains("missing  table public.more  (4_more makes it)"), "\(refused)")
            #expect(refused.output.contains("missing  view public.v  (4_more makes it)"), "\(refused)")
            #expect(refused.output.contains("missing  table public.next  (5_next makes it)"))
            #expect(refused.errors.contains("in 3 point(s): missing table public.more (4_more makes it)"), "\(refused)")
            #expect(
                refused.errors.contains("It is as '3_rows' leaves it: 'migrated adopt --baseline 3'."),
                "\(refused.errors)")
        }
        #expect(try bench.events() == [])
        try bench.query("CREATE TABLE more (id bigint)")
        let json = try bench.run("adopt", "--baseline", "4", "--dry-run", "--output", "json")
        #expect(json.status == 1 && json.output.contains(#""state":"missing""#), "\(json)")
        let told = try bench.run("adopt", "--baseline", "4", "--accept-differences", "public.more", "view public.v")
        #expect(told.status == 0, "\(told)")
        #expect(
            try bench.query(
                """
                SELECT detail::jsonb -> 'accepted_differences' ->> 0
                  FROM migrated.migration_rollback_audit WHERE name = '4_more'
                """) == "missing  table public.more: column id integer  (4_more makes it)")
        #expect(try scratches(bench) == "0")
    }

    @Test func `an empty database bears nothing out`() throws {
        let bench = try bench()
        let refused = try bench.run("adopt", "--baseline", "1")
        #expect(
            refused.status == 1 && refused.errors.contains("Not even what the first file makes is there"), "\(refused)")
        #expect(try bench.events() == [])
    }

    /// Files, and a statement that takes something of them back, or leaves out what they did.
    struct Break: CustomTestStringConvertible, Sendable {
        var files: [String]
        var sql: String
        /// What is told.
        var told: String
        var testDescription: String { sql }
    }

    private static let table =
        "CREATE SCHEMA app; CREATE TABLE t (id int PRIMARY KEY, a text, b text DEFAULT 'x' NOT NULL);"

    @Test(arguments: [
        Break(
            files: [table, "ALTER TABLE t SET (fillfactor = 70);"], sql: "DROP TABLE t",
            told: "missing  table public.t  "),
        Break(
            files: [table, "ALTER TABLE t SET (fillfactor = 70);"], sql: "ALTER TABLE t RESET (fillfactor)",
            told: "table public.t: options fillfactor=70"),
        Break(
            files: [table, "CREATE TABLE app.t (id int);", "DROP TABLE app.t;"], sql: "DROP TABLE t",
            told: "missing  table public.t  "),
        Break(files: [table, "DROP TABLE t;"], sql: "CREATE TABLE t (id int)", told: "left     table public.t  "),
        Break(
            files: [table, "ALTER TABLE t DROP COLUMN a;"], sql: "ALTER TABLE t ADD a text",
            told: "left     table public.t: column a text"),
        Break(
            files: [table, "ALTER TABLE t RENAME a TO c;"], sql: "ALTER TABLE t RENAME c TO a",
            told: "missing  table public.t: column c text"),
        Break(
            files: [table, "ALTER TABLE t ALTER a SET NOT NULL;"], sql: "ALTER TABLE t ALTER a DROP NOT NULL",
            told: "missing  table public.t: column a text not null"),
        Break(
            files: [table, "ALTER TABLE t ALTER b DROP NOT NULL;"], sql: "ALTER TABLE t ALTER b SET NOT NULL",
            told: "left     table public.t: column b text not null"),
        Break(
            files: [table, "ALTER TABLE t ALTER b DROP DEFAULT;"], sql: "ALTER TABLE t ALTER b SET DEFAULT 'x'",
            told: "left     table public.t: column b text not null default"),
        Break(
            files: [table, "ALTER TABLE t ALTER a TYPE varchar(9);"], sql: "ALTER TABLE t ALTER a TYPE text",
            told: "missing  table public.t: column a character varying(9)"),
        Break(
            files: [table, "ALTER TABLE t ADD CONSTRAINT c CHECK (id > 0);"], sql: "ALTER TABLE t DROP CONSTRAINT c",
            told: "missing  constraint public.t.c  "),
        Break(
            files: [table, "ALTER TABLE t ADD CONSTRAINT c CHECK (id > 0);"],
            sql: "ALTER TABLE t DROP CONSTRAINT c, ADD CONSTRAINT c CHECK (id > 0) NOT VALID",
            told: "missing  constraint public.t.c: CHECK ((id > 0))"),
        Break(
            files: [table, "ALTER TABLE t DROP CONSTRAINT t_pkey;"], sql: "ALTER TABLE t ADD PRIMARY KEY (id)",
            told: "left     constraint public.t.t_pkey"),
        Break(
            files: [table, "CREATE UNIQUE INDEX i ON t (a);"], sql: "DROP INDEX i; CREATE INDEX i ON t (a)",
            told: "missing  index public.t.i: CREATE UNIQUE INDEX"),
        Break(
            files: [table, "ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON t USING (id > 0);"],
            sql: "DROP POLICY p ON t", told: "missing  policy public.t.p"),
        Break(
            files: [table, "ALTER TABLE t ENABLE ROW LEVEL SECURITY;"], sql: "ALTER TABLE t DISABLE ROW LEVEL SECURITY",
            told: "row level security enabled"),
        Break(
            files: [table, "GRANT SELECT (a), INSERT ON t TO pg_monitor;"], sql: "REVOKE INSERT ON t FROM pg_monitor",
            told: "missing  table public.t: right pg_monitor=a"),
        Break(
            files: [table, "GRANT SELECT (a) ON t TO pg_monitor;"], sql: "REVOKE SELECT (a) ON t FROM pg_monitor",
            told: "missing  table public.t: column a: right pg_monitor=r"),
        Break(
            files: [table, "GRANT INSERT ON t TO pg_monitor; ", "REVOKE INSERT ON t FROM pg_monitor;"],
            sql: "GRANT INSERT ON t TO pg_monitor", told: "left     table public.t: right pg_monitor=a"),
        Break(
            files: [
                table,
                "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'; REVOKE EXECUTE ON FUNCTION f() FROM PUBLIC;",
            ], sql: "GRANT EXECUTE ON FUNCTION f() TO PUBLIC", told: ""),
        Break(
            files: [
                table, "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';",
                "REVOKE EXECUTE ON FUNCTION f() FROM PUBLIC;",
            ], sql: "GRANT EXECUTE ON FUNCTION f() TO PUBLIC", told: "left     function public.f(): right =X"),
        Break(
            files: [
                table,
                "CREATE FUNCTION f(int) RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE FUNCTION f(text) RETURNS int LANGUAGE sql AS 'SELECT 1';",
                "DROP FUNCTION f(text);",
            ], sql: "DROP FUNCTION f(int)", told: "missing  function public.f(integer)"),
        Break(
            files: [
                table, "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';",
                "CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 2';",
            ], sql: "CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
            told: "function public.f(): CREATE OR REPLACE"),
        Break(
            files: [table, "CREATE VIEW v AS SELECT id FROM t;", "CREATE OR REPLACE VIEW v AS SELECT id, a FROM t;"],
            sql: "DROP VIEW v; CREATE VIEW v AS SELECT id FROM t", told: "view public.v: "),
        Break(
            files: [table, "CREATE TYPE m AS ENUM ('a', 'b');", "ALTER TYPE m ADD VALUE 'c';"],
            sql: "DROP TYPE m; CREATE TYPE m AS ENUM ('a', 'b')", told: "missing  type public.m: enum 'a', 'b', 'c'"),
        Break(
            files: [table, "CREATE TYPE m AS ENUM ('a', 'b');"], sql: "DROP TYPE m; CREATE TYPE m AS ENUM ('b', 'a')",
            told: "missing  type public.m: enum 'a', 'b'"),
        Break(
            files: [table, "CREATE SEQUENCE s;", "ALTER SEQUENCE s INCREMENT 5;"], sql: "ALTER SEQUENCE s INCREMENT 1",
            told: "sequence public.s: "),
        Break(
            files: [
                table,
                "CREATE FUNCTION w() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION w();",
            ], sql: "ALTER TABLE t DISABLE TRIGGER g", told: "trigger public.t.g: "),
        Break(
            files: [table, "CREATE EXTENSION citext;"], sql: "DROP EXTENSION citext", told: "missing  extension citext"),
        Break(
            files: [table, "CREATE DOMAIN d AS int CHECK (VALUE > 0);"], sql: "ALTER DOMAIN d DROP CONSTRAINT d_check",
            told: "domain public.d: constraint d_check"),
        Break(
            files: [table, "CREATE TABLE \"T\u{E9}\" (id int);"],
            sql: "ALTER TABLE \"T\u{E9}\" RENAME TO \"Te\u{301}\"", told: "missing  table public.\"T\u{E9}\""),
    ])
    func `what the files did is looked for in both directions`(_ what: Break) throws {
        let bench = try Workbench()
        for (number, file) in what.files.enumerated() {
            try bench.write("\(number + 1)_f.sql", file)
            try bench.query(file)
        }
        let last = "\(what.files.count)"
        let right = try bench.run("adopt", "--baseline", last, "--dry-run")
        #expect(right.status == 0, "\(right)")
        try bench.query(what.sql)
        let broken = try bench.run("adopt", "--baseline", last)
        // What no state of the files ever had may be the database's own.
        #expect(
            broken.status == (what.told.isEmpty ? 0 : 1) && (what.told.isEmpty || broken.output.contains(what.told)),
            "\(broken)")
        #expect(try bench.events().isEmpty == !what.told.isEmpty)
    }

    @Test func `each middle is accepted up to there and refused beyond`() throws {
        let bench = try bench()
        let names = ["1_init", "2_change", "3_rows", "4_more", "5_next"]
        for (index, name) in names.enumerated() {
            try bench.query(bench.folder.read("m/\(name).sql"))
            for baseline in 1...names.count {
                let outcome = try bench.run("adopt", "--baseline", "\(baseline)", "--dry-run")
                // 2 drops what 1 has made, and 3 changes rows alone: nothing tells it from 2.
                let isThere =
                    baseline == 1 ? index == 0 : baseline <= index + 1 || (index == 1 && baseline == 3)
                #expect(outcome.status == (isThere ? 0 : 1), "\(baseline) behind \(name): \(outcome)")
                let standing = index == 1 ? "3_rows" : name
                if !isThere, baseline > index + 1 {
                    #expect(
                        outcome.errors.contains("It is as '\(standing)' leaves it"),
                        "\(baseline) behind \(name): \(outcome)")
                }
            }
        }
    }

    @Test func `what no file knows is told and is no difference`() throws {
        let bench = try bench()
        try applyByHand(bench)
        try bench.query(
            """
            CREATE SCHEMA theirs; CREATE TABLE theirs.t (id int); CREATE INDEX by_nick ON users (nick);
            ALTER TABLE users ADD COLUMN theirs int; GRANT SELECT ON users TO pg_monitor
            """)
        let adopted = try bench.run("adopt", "--baseline", "3")
        #expect(adopted.status == 0, "\(adopted)")
        for line in [
            "beside   index public.users.by_nick", "beside   schema theirs", "beside   table theirs.t",
            "beside   table public.users: column theirs integer", "beside   table public.users: right pg_monitor=r",
        ] { #expect(adopted.output.contains(line), "\(adopted)") }
        #expect(!adopted.output.contains("column id"), "what is part of a table that is told is not told again")
    }

    @Test func `what the database has before its first file is brought along`() throws {
        let bench = try Workbench()
        let name = try bench.query("SELECT current_database()")
        try bench.query(
            """
            CREATE EXTENSION citext; CREATE SCHEMA "my app";
            ALTER DATABASE "\(name)" SET search_path TO "my app", public
            """)
        try bench.write("1_a.sql", "CREATE SCHEMA IF NOT EXISTS \"my app\"; CREATE TABLE t (c citext);")
        try bench.query("CREATE TABLE \"my app\".t (c citext)")
        let adopted = try bench.run("adopt", "--baseline", "1")
        #expect(adopted.status == 0, "\(adopted)")
        // A template brings the rest.
        try bench.write("2_b.sql", "CREATE TABLE u (id theirs.kind);")
        try bench.query(
            "CREATE SCHEMA theirs; CREATE DOMAIN theirs.kind AS int; CREATE TABLE \"my app\".u (id theirs.kind)")
        let unknown = try bench.run("adopt", "--baseline", "2", "--dry-run")
        #expect(
            unknown.status == 1 && unknown.errors.contains("the files do not run in a scratch database: "), "\(unknown)"
        )
        #expect(unknown.errors.contains("put it into a database and name that with --scratch"), "\(unknown)")
        let template = try Cluster.shared().createDatabase()
        try template.query("CREATE SCHEMA theirs; CREATE DOMAIN theirs.kind AS int")
        let copied = try bench.run("adopt", "--baseline", "2", "--scratch", template.conninfo)
        #expect(copied.status == 0, "\(copied)")
        #expect(try scratches(bench) == "0")
    }

    @Test func `what belongs to the whole server does not run twice on it`() throws {
        let bench = try Workbench()
        try bench.write("1_a.sql", "CREATE TABLE t ();\nALTER ROLE pg_monitor RESET search_path;")
        try bench.query("CREATE TABLE t ()")
        let refused = try bench.run("adopt", "--baseline", "1")
        #expect(
            refused.status == 1 && refused.errors.contains("1_a.sql:2:1: ALTER ROLE changes what belongs"), "\(refused)"
        )
        #expect(try scratches(bench) == "0" && bench.events() == [])
        // File by file it is the operator's word.
        let word = try bench.run("adopt", "--baseline", "1", "--scratch", "none")
        #expect(word.status == 0, "\(word)")
    }

    @Test func `a login that may make no database is told the ways out`() throws {
        let bench = try bench()
        try applyByHand(bench)
        let role = "poor_" + (try bench.query("SELECT oid FROM pg_database WHERE datname = current_database()"))
        try bench.query("CREATE ROLE \(role) LOGIN; GRANT ALL ON ALL TABLES IN SCHEMA public TO \(role)")
        let name = try bench.query("SELECT current_database()")
        try bench.query("GRANT CREATE ON DATABASE \"\(name)\" TO \(role)")
        let poor = "\(bench.database.conninfo) user=\(role)"
        let refused = try bench.run("adopt", "--baseline", "3", "--database", poor)
        #expect(
            refused.status == 77 && refused.errors.contains("login '\(role)' may not create databases"), "\(refused)")
        #expect(refused.errors.contains("--scratch none"))
        // Then a migration whose objects later ones changed has to be named.
        let wanting = try bench.run("adopt", "--baseline", "3", "--scratch", "none", "--database", poor)
        #expect(wanting.status == 1 && wanting.output.contains("partly   1_init"), "\(wanting)")
        #expect(wanting.errors.contains("--accept-differences '1_init'"), "\(wanting)")
        let named = try bench.run(
            "adopt", "--baseline", "3", "--scratch", "none", "--accept-differences", "1_init", "3_rows", "--database",
            poor)
        #expect(named.status == 0 && named.output.contains("present  2_change"), "\(named)")
    }

    @Test func `secrets stay hidden in what differs, and a password is not taken from the command line`() throws {
        let bench = try Workbench()
        try bench.write("1_a.sql", "CREATE TABLE t (password text DEFAULT 'hunter2');")
        try bench.query("CREATE TABLE t (password text DEFAULT 'sesame7')")
        let refused = try bench.run("adopt", "--baseline", "1")
        #expect(
            refused.status == 1 && refused.output.contains("missing  table public.t: column password"), "\(refused)")
        #expect(
            !(refused.output + refused.errors).contains("hunter2") && !refused.output.contains("sesame7"), "\(refused)")
        let open = try bench.run("adopt", "--baseline", "1", "--scratch", "dbname=x password=hunter2")
        #expect(open.status == 64 && open.errors.contains("'--scratch' holds a password"), "\(open)")
        #expect(!open.errors.contains("hunter2"))
    }

    @Test func `a request to stop ends the building, and leaves nothing`() throws {
        let bench = try Workbench()
        try bench.write("1_a.sql", "CREATE TABLE t (); SELECT pg_sleep(120);")
        try bench.query("CREATE TABLE t ()")
        let adopting = try bench.start("adopt", "--baseline", "1")
        try eventually("the file runs in the scratch database", within: .seconds(60)) {
            try bench.query(
                "SELECT count(*) FROM pg_stat_activity WHERE datname LIKE 'migrated\\_scratch%' AND query LIKE '%pg_sleep(120)%'"
            ) != "0"
                && scratches(bench) == "1"
        }
        adopting.signal(SIGTERM)
        let outcome = try adopting.outcome(within: .seconds(60))
        #expect(outcome.status == 75, "\(outcome)")
        #expect(try scratches(bench) == "0" && bench.events() == [])
    }

    @Test(arguments: ["scratch-named", "scratch-made", "scratch-built", "scratch-done"])
    func `what a killed process leaves is dropped by the next`(_ point: String) throws {
        let bench = try bench()
        try applyByHand(bench)
        let killed = try bench.run("adopt", "--baseline", "3", environment: ["MIGRATED_FAILPOINT": point])
        #expect(killed.status != 0)
        #expect(try bench.events() == [])
        if point != "scratch-named" { #expect(try scratches(bench) == "1") }
        let next = try bench.run("adopt", "--baseline", "3")
        #expect(next.status == 0, "\(next)")
        #expect(try scratches(bench) == "0")
        #expect(try bench.events("event = 'adopted'").count == 3 && bench.faults() == "")
    }
}
