import LiveSupport
import Testing

@Suite struct `Cleaning before a foreign key` {
    @Test func `five rows go, twelve references become null, one table is missing, and all comes back`() throws {
        let server = try Cleaner()
        try server.database.query(
            """
            CREATE TABLE users (id serial, user_id text PRIMARY KEY);
            INSERT INTO users (user_id) SELECT 'u' || g FROM generate_series(1, 50) AS g;
            CREATE TABLE dashboard_widgets (id int PRIMARY KEY, user_id text NOT NULL, at timestamptz DEFAULT now(), tags text[]);
            INSERT INTO dashboard_widgets SELECT g, CASE WHEN g % 20 = 0 THEN 'gone' || g ELSE 'u' || (1 + g % 50) END, now(), ARRAY['a', NULL]
              FROM generate_series(1, 100) AS g;
            CREATE TABLE error_logs (id int PRIMARY KEY, user_id text, payload json);
            INSERT INTO error_logs SELECT g, CASE WHEN g % 10 = 0 THEN 'gone' WHEN g % 3 = 0 THEN NULL ELSE 'u1' END, '{"a" : 1, "a":2}'
              FROM generate_series(1, 120) AS g;
            CREATE TABLE copy_w AS TABLE dashboard_widgets;
            CREATE TABLE copy_e AS TABLE error_logs;
            """)
        let done = try server.clean(
            """
            ALTER TABLE dashboard_widgets ADD CONSTRAINT fk_w FOREIGN KEY (user_id) REFERENCES users(user_id) ON DELETE CASCADE;
            ALTER TABLE error_logs ADD FOREIGN KEY (user_id) REFERENCES users(user_id) ON DELETE SET NULL;
            ALTER TABLE absent ADD FOREIGN KEY (user_id) REFERENCES users(user_id);
            """)
        #expect(
            done == [
                "orphans_deleted public.dashboard_widgets.user_id 5", "constraint_added public.dashboard_widgets.fk_w",
                "index_created public.dashboard_widgets_user_id_idx",
                "orphans_nullified public.error_logs.user_id 12",
                "constraint_added public.error_logs.error_logs_user_id_fkey",
                "index_created public.error_logs_user_id_idx", "deferred absent.user_id",
            ])
        #expect(
            try server.database.query(
                "SELECT conname, convalidated, pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'f' AND connamespace = 'public'::regnamespace ORDER BY 1"
            ) == """
                error_logs_user_id_fkey|t|FOREIGN KEY (user_id) REFERENCES users(user_id) ON DELETE SET NULL
                fk_w|t|FOREIGN KEY (user_id) REFERENCES users(user_id) ON DELETE CASCADE
                """)
        #expect(try server.database.query("SELECT count(*) FROM dashboard_widgets") == "95")
        // Once more: everything is there.
        let again = try server.clean(
            "ALTER TABLE dashboard_widgets ADD CONSTRAINT fk_w FOREIGN KEY (user_id) REFERENCES users(user_id) ON DELETE CASCADE;"
        )
        #expect(again == ["skipped public.dashboard_widgets.fk_w"])
        try server.database.query(
            "ALTER TABLE dashboard_widgets DROP CONSTRAINT fk_w; ALTER TABLE error_logs DROP CONSTRAINT error_logs_user_id_fkey"
        )
        #expect(try server.restore() == "restored|12|\nrestored|5|")
        #expect(try server.restore() == "")
        #expect(try server.difference("dashboard_widgets", "copy_w") == "0")
        #expect(try server.difference("error_logs", "copy_e") == "0")
    }

    @Test func `what cannot come back says why`() throws {
        let server = try Cleaner()
        try server.database.query(
            """
            CREATE TABLE p (id int PRIMARY KEY);
            CREATE TABLE c (id int PRIMARY KEY, r int NOT NULL); INSERT INTO c SELECT g, g FROM generate_series(1, 3) AS g;
            CREATE TABLE n (id int PRIMARY KEY, r int); INSERT INTO n SELECT g, g FROM generate_series(1, 3) AS g;
            """)
        _ = try server.clean(
            "ALTER TABLE c ADD FOREIGN KEY (r) REFERENCES p; ALTER TABLE n ADD FOREIGN KEY (r) REFERENCES p;")
        try server.database.query(
            """
            INSERT INTO p VALUES (7), (2);
            INSERT INTO c VALUES (1, 7);
            UPDATE n SET r = 7 WHERE id = 1; DELETE FROM n WHERE id = 3;
            """)
        #expect(
            try server.restore() == """
                now_filled|1|
                restored|1|
                row_gone|1|
                key_taken|1|duplicate key value violates unique constraint "c_pkey"
                parent_missing|1|insert or update on table "c" violates foreign key constraint "c_r_fkey"
                restored|1|
                """)
    }

    @Test func `composite keys, MATCH FULL, self references and rows that hang on orphans`() throws {
        let server = try Cleaner()
        try server.database.query(
            """
            CREATE TABLE p (a int, b text COLLATE "C", PRIMARY KEY (a, b)); INSERT INTO p VALUES (1, 'x'), (2, 'y');
            CREATE TABLE simple (id int PRIMARY KEY, a int NOT NULL, b text);
            INSERT INTO simple VALUES (1, 1, 'x'), (2, 1, NULL), (3, 1, 'y'), (4, 9, NULL);
            CREATE TABLE "full" (id int PRIMARY KEY, a int, b text);
            INSERT INTO "full" VALUES (1, 1, 'x'), (2, NULL, NULL), (3, 1, NULL), (4, 3, 'x');
            CREATE TABLE tree (id int PRIMARY KEY, parent int NOT NULL);
            INSERT INTO tree VALUES (1, 1), (2, 1), (3, 99), (4, 3), (5, 4), (6, 2);
            CREATE TABLE child (id int PRIMARY KEY, p int NOT NULL); INSERT INTO child VALUES (1, 1), (2, 2);
            CREATE TABLE grandchild (id int PRIMARY KEY, c int REFERENCES child ON DELETE CASCADE); INSERT INTO grandchild VALUES (1, 1), (2, 2), (3, 2);
            CREATE TABLE great (id int PRIMARY KEY, g int REFERENCES grandchild ON DELETE SET NULL); INSERT INTO great VALUES (1, 1), (2, 3);
            CREATE TABLE one (id int PRIMARY KEY); INSERT INTO one VALUES (1);
            """)
        #expect(
            try server.clean(
                """
                ALTER TABLE simple ADD FOREIGN KEY (a, b) REFERENCES p;
                ALTER TABLE "full" ADD FOREIGN KEY (a, b) REFERENCES p MATCH FULL;
                ALTER TABLE tree ADD FOREIGN KEY (parent) REFERENCES tree;
                ALTER TABLE child ADD FOREIGN KEY (p) REFERENCES one;
                """
            ).filter { $0.hasPrefix("orphans") } == [
                "orphans_nullified public.simple.b 1", "orphans_nullified public.full.(a, b) 2",
                "orphans_deleted public.tree.parent 3", "orphans_deleted public.grandchild.c 2",
                "orphans_nullified public.great.g 1", "orphans_deleted public.child.p 1",
            ])
        #expect(try server.database.query("SELECT string_agg(id::text, ' ' ORDER BY id) FROM tree") == "1 2 6")
        #expect(try server.database.query("SELECT count(*) FROM grandchild WHERE c = 2") == "0")
    }

    @Test func `partitions, quoted names, types that JSON does not hold, wide tables and a table that keeps its rows`()
        throws
    {
        let server = try Cleaner()
        let wide = (1...120).map { "c\($0) int DEFAULT \($0)" }.joined(separator: ", ")
        try server.database.query(
            """
            CREATE SCHEMA "A b"; CREATE TYPE mood AS ENUM ('so'); CREATE TYPE pair AS (x int, y text);
            CREATE TABLE "A b"."P" ("Id" bigint PRIMARY KEY) PARTITION BY RANGE ("Id");
            CREATE TABLE p1 PARTITION OF "A b"."P" FOR VALUES FROM (0) TO (10); CREATE TABLE p2 PARTITION OF "A b"."P" DEFAULT;
            INSERT INTO "A b"."P" VALUES (1), (11);
            CREATE TABLE "A b"."c'h" (id int, "r""f" int NOT NULL, m mood, p pair, i interval, f float8, j json, b bytea,
                n numeric, r int4range, d date, h inet, ar int[], rc regclass, rp regprocedure, rt regtype, \(wide), PRIMARY KEY (id)) PARTITION BY HASH (id);
            CREATE TABLE c1 PARTITION OF "A b"."c'h" FOR VALUES WITH (MODULUS 2, REMAINDER 0);
            CREATE TABLE c2 PARTITION OF "A b"."c'h" FOR VALUES WITH (MODULUS 2, REMAINDER 1);
            INSERT INTO "A b"."c'h" SELECT g, CASE g % 3 WHEN 0 THEN 1 WHEN 1 THEN 11 ELSE 5 END, 'so', '(1,"a""b")', '1 year -3 days', 'NaN',
                '{"a\\u0000" :1}', '\\x00ff', 1.500, '[1,5)', '0044-03-15 BC', '::1', '[0:1]={1,2}', 'p1', 'lower(text)', 'mood' FROM generate_series(1, 12) AS g;
            CREATE TABLE was AS TABLE "A b"."c'h";
            """)
        let sql =
            "ALTER TABLE \"A b\".\"c'h\" ADD CONSTRAINT \"k\"\"\" FOREIGN KEY (\"r\"\"f\") REFERENCES \"A b\".\"P\""
        #expect(
            try server.clean(sql + ";") == [
                "orphans_deleted A b.c'h.r\"f 4", "constraint_added A b.c'h.k\"", "index_created A b.c'h_r\"f_idx",
            ])
        try server.database.query("ALTER TABLE \"A b\".\"c'h\" DROP CONSTRAINT \"k\"\"\"")
        #expect(try server.restore() == "restored|4|")
        #expect(try server.difference("\"A b\".\"c'h\"", "was") == "0")
    }

    @Test(arguments: [("p int NOT NULL", "p"), ("k int", "k")])
    func `rows too wide for JSON are kept as text, whatever their columns are called, and come back`(
        definition: String, column: String
    ) throws {
        let server = try Cleaner()
        try server.database.query(
            """
            CREATE TABLE p (id int PRIMARY KEY); INSERT INTO p VALUES (1);
            CREATE TABLE wide (c int PRIMARY KEY, \(definition), r text, old text, gone text);
            INSERT INTO wide SELECT n, n, CASE n WHEN 3 THEN repeat('x', 101 << 20) ELSE '"' END, 'o', NULL FROM generate_series(1, 4) AS n;
            CREATE TABLE was AS TABLE wide;
            """)
        let sql = "ALTER TABLE wide ADD CONSTRAINT key FOREIGN KEY (\(column)) REFERENCES p"
        _ = try server.clean(sql + ";")
        try server.database.query("ALTER TABLE wide DROP CONSTRAINT key")
        #expect(
            try server.database.query("SELECT count(old_row), count(old_text) FROM migrated.orphan_quarantine") == "2|1"
        )
        #expect(try server.restore() == "restored|3|")
        #expect(try server.difference("wide", "was") == "0")
    }

    @Test func `a trigger that keeps a row makes it fail, and is named`() throws {
        let server = try Cleaner()
        try server.database.query(
            """
            CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (id int PRIMARY KEY, p int NOT NULL); INSERT INTO c VALUES (1, 1);
            CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
            CREATE TRIGGER keep BEFORE DELETE ON c FOR EACH ROW EXECUTE FUNCTION keep();
            """)
        let outcome = try server.run("ALTER TABLE c ADD FOREIGN KEY (p) REFERENCES p;")
        #expect(outcome.status == 1 && outcome.errors.contains("violates foreign key constraint"), "\(outcome)")
        #expect(try server.database.query("SELECT count(*) FROM migrated.orphan_quarantine") == "0")
    }

    @Test func `a row level policy makes it fail instead of hiding rows`() throws {
        let server = try Cleaner()
        let role = "owner_of_\(server.database.name)"
        try server.database.query(
            """
            CREATE ROLE \(role); GRANT USAGE, CREATE ON SCHEMA public TO \(role);
            SET ROLE \(role);
            CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (id int PRIMARY KEY, p int NOT NULL); INSERT INTO c VALUES (1, 1);
            ALTER TABLE c ENABLE ROW LEVEL SECURITY; ALTER TABLE c FORCE ROW LEVEL SECURITY;
            """)
        #expect(try server.bench.run("apply").status == 0)
        try server.database.query(
            "GRANT USAGE ON SCHEMA migrated TO \(role); GRANT SELECT, INSERT ON migrated.orphan_quarantine TO \(role)")
        defer { _ = try? server.database.query("DROP OWNED BY \(role); DROP ROLE \(role)") }
        let sql = "SET ROLE \(role); ALTER TABLE c ADD FOREIGN KEY (p) REFERENCES p;"
        let refused = try server.run(sql)
        #expect(
            refused.errors.contains("open to others") || refused.errors.contains("row-level security"), "\(refused)")
        #expect(try server.database.query("SELECT count(*) FROM c") == "1")
    }

    @Test func `the file's own settings are its own again behind a cleanup`() throws {
        let server = try Cleaner()
        try server.database.query(
            "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (id int PRIMARY KEY, p int); INSERT INTO c VALUES (1, 1)"
        )
        let settings = ["TimeZone", "DateStyle", "IntervalStyle", "bytea_output", "lc_monetary", "row_security"]
        let values = settings.map { "current_setting('\($0)')" }.joined(separator: ", ")
        _ = try server.clean(
            """
            SET TimeZone = 'Asia/Tokyo'; SET DateStyle = 'SQL, DMY'; SET IntervalStyle = 'iso_8601'; SET bytea_output = 'escape';
            CREATE TABLE before AS SELECT concat_ws('|', \(values)) AS text;
            ALTER TABLE c ADD FOREIGN KEY (p) REFERENCES p;
            CREATE TABLE behind AS SELECT concat_ws('|', \(values)) AS text;
            """)
        #expect(try server.database.query("SELECT a.text = b.text FROM before AS a, behind AS b") == "t")
        #expect(try server.database.query("SELECT text LIKE 'Asia/Tokyo|SQL, DMY|%' FROM behind") == "t")
    }

    @Test func `a report counts and leaves the key unproved`() throws {
        let server = try Cleaner()
        try server.database.query(
            "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (id int PRIMARY KEY, p int); INSERT INTO c VALUES (1, 1)"
        )
        #expect(
            try server.clean("ALTER TABLE c ADD FOREIGN KEY (p) REFERENCES p;", "orphans=report") == [
                "constraint_added public.c.c_p_fkey not_valid"
            ])
        #expect(try server.database.query("SELECT convalidated FROM pg_constraint WHERE conname = 'c_p_fkey'") == "f")
        #expect(try server.database.query("SELECT count(*) FROM c") == "1")
    }

    @Test func `the server refuses what is no key before a row is touched`() throws {
        let server = try Cleaner()
        try server.database.query(
            "CREATE TABLE p (id text PRIMARY KEY, other int); CREATE TABLE c (id int, p int); INSERT INTO c VALUES (1, 1); CREATE VIEW v AS TABLE p"
        )
        for (sql, words) in [
            ("ALTER TABLE c ADD FOREIGN KEY (p) REFERENCES p", "cannot be implemented"),
            ("ALTER TABLE c ADD FOREIGN KEY (p) REFERENCES p (other)", "no unique constraint"),
            ("ALTER TABLE c ADD FOREIGN KEY (p) REFERENCES v", "is not a table"),
            ("ALTER TABLE v ADD FOREIGN KEY (other) REFERENCES p", "cannot be performed on relation"),
        ] {
            let outcome = try server.run(sql + ";")
            #expect(outcome.status == 1 && outcome.errors.contains(words), "\(outcome)")
            #expect(try server.database.query("SELECT count(*) FROM c") == "1")
        }
    }
}

/// An empty database, files that are tried one after the other, and the way back.
struct Cleaner {
    let bench: Workbench
    var database: Database { bench.database }

    init() throws { bench = try Workbench() }

    /// Runs a file of its own.
    func run(
        _ sql: String,
        _ directives: String = "orphans=clean missing-table=skip index-foreign-keys=yes orphan-limit=100%"
    )
        throws -> Program.Outcome
    {
        // The file that the last one was refused as is no longer there.
        try bench.write("001_k.sql", "-- migrated: \(directives)\n\(sql)\n")
        return try bench.run("apply")
    }

    /// Runs the next file; what is recorded of it, with the numbers of rows.
    func clean(
        _ sql: String,
        _ directives: String = "orphans=clean missing-table=skip index-foreign-keys=yes orphan-limit=100%"
    )
        throws -> [String]
    {
        let applied =
            try database.query("SELECT to_regclass('migrated.migration_rollback_audit') IS NOT NULL") == "t"
            ? try database.query(
                "SELECT count(*), max(seq) FROM migrated.migration_rollback_audit WHERE event = 'applied'") : "0|0"
        let known = applied.split(separator: "|").map(String.init)
        try bench.write("10\(known[0])_k.sql", "-- migrated: \(directives)\n\(sql)\n")
        let outcome = try bench.run("apply")
        #expect(outcome.status == 0, "\(outcome)")
        return try database.query(
            """
            SELECT concat_ws(' ', event, object, row_count, CASE WHEN event = 'constraint_added' THEN reason END) FROM migrated.migration_rollback_audit
             WHERE event NOT IN ('started', 'applied') AND seq > \(known.count > 1 ? known[1] : "0") ORDER BY seq
            """
        ).split(separator: "\n").map(String.init)
    }

    /// Restores everything that was taken out; the outcomes with their counts, the newest cleanup first.
    func restore() throws -> String {
        let newest = try database.query("SELECT max(seq) FROM migrated.migration_rollback_audit")
        for attempt in try database.query(
            """
            SELECT DISTINCT attempt_id FROM migrated.orphan_quarantine AS q
             WHERE NOT EXISTS (SELECT FROM migrated.orphan_restoration AS r WHERE (r.quarantine_id = q.id OR r.cleanup_event_id = q.event_id) AND r.outcome = 'restored')
            """
        ).split(separator: "\n") {
            let outcome = try bench.run("restore-orphans", String(attempt))
            #expect(outcome.status == 0, "\(outcome)")
        }
        return try database.query(
            """
            SELECT string_agg(o.line, E'\\n' ORDER BY o.line)
              FROM migrated.migration_rollback_audit AS a
              JOIN (SELECT event_id, concat_ws('|', outcome, sum(coalesce(row_count, 1)), coalesce(min(reason), '')) AS line
                      FROM migrated.orphan_restoration GROUP BY event_id, outcome) AS o USING (event_id)
             WHERE a.seq > \(newest) GROUP BY a.seq ORDER BY a.seq
            """)
    }
}

extension Cleaner {
    /// Rows that are in one table and not in the other.
    func difference(_ one: String, _ other: String) throws -> String {
        try database.query(
            """
            SELECT count(*) FROM ((SELECT t::text FROM \(one) AS t EXCEPT ALL SELECT t::text FROM \(other) AS t)
                UNION ALL (SELECT t::text FROM \(other) AS t EXCEPT ALL SELECT t::text FROM \(one) AS t)) AS d
            """)
    }
}
