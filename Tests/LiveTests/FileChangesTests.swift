import AuditSchema
import Goldens
import JSON
import LiveSupport
import Testing

/// Each file that changes objects has a reading of its own, of what it has changed and nothing else.
@Suite struct `What each file changed` {
    private let bench: Workbench

    init() throws { bench = try Workbench() }

    /// What the documented query says of a version, `class object -lines +lines` each; without the reading of how the file found the database.
    private func changes(_ version: String) throws -> [String] {
        try bench.query(
            """
            SELECT concat_ws(' ', d.class, d.object, CASE WHEN d.definition IS NULL THEN 'gone' END)
              FROM migrated.catalog_definition AS d JOIN migrated.catalog_reading AS r ON r.id = d.reading
              JOIN migrated.migration_rollback_audit AS e ON e.event_id = r.event_id
             WHERE e.version = '\(version)' AND e.event <> 'started' ORDER BY d.reading, d.class COLLATE "C", d.object COLLATE "C"
            """
        ).split(separator: "\n").map(String.init)
    }

    /// How the readings stand beside the whole catalog, and the chain beside them.
    private func expectTrue(_ location: SourceLocation = #_sourceLocation) throws {
        let left = try bench.query(
            "SET search_path = pg_catalog, pg_temp; SELECT class, object, before, now FROM migrated.catalog_change")
        #expect(left == "", sourceLocation: location)
        let verified = try bench.auditctl("verify")
        #expect(verified.status == 0, "\(verified)", sourceLocation: location)
        #expect(try bench.faults() == "", sourceLocation: location)
    }

    private func apply(_ status: Int32 = 0, _ location: SourceLocation = #_sourceLocation) throws {
        let outcome = try bench.run("apply")
        #expect(outcome.status == status, "\(outcome)", sourceLocation: location)
    }

    @Test func `is said of each of several in one run, and of those that change rows alone nothing`() throws {
        try bench.query("CREATE TABLE before ()")
        try bench.write("1_a.sql", "CREATE TABLE a (id integer PRIMARY KEY);")
        try bench.write("2_b.sql", "CREATE VIEW b AS SELECT id FROM a; ALTER TABLE a ADD x text;")
        try bench.write("3_c.sql", "INSERT INTO a VALUES (1); SELECT 1;")
        try bench.write("4_d.sql", "CREATE INDEX a_x ON a (x); COMMENT ON TABLE a IS 'x'; CREATE TEMPORARY TABLE t ();")
        try bench.write("5_e.sql", "COMMENT ON TABLE a IS 'y';")
        try apply()
        #expect(try changes("1") == ["constraint public.a.a_pkey", "table public.a"])
        #expect(try changes("2") == ["table public.a", "view public.b"])
        #expect(try changes("3") == [])
        #expect(try changes("4") == ["index public.a.a_x"])
        #expect(try changes("5") == [])
        #expect(
            try bench.query(
                "SELECT version FROM migrated.migration_rollback_audit WHERE event = 'applied' AND detail LIKE '%\"catalog\":\"unchanged\"%' ORDER BY seq"
            ) == "3\n5")
        try expectTrue()
        let shown = try bench.auditctl("show", "--migration", "2")
        #expect(
            shown.output.contains(
                """
                      changed:
                        table public.a was changed
                          + column x text
                        view public.b was added
                          +  SELECT
                """), "\(shown)")
        let event = try bench.query(
            "SELECT seq FROM migrated.migration_rollback_audit WHERE event = 'applied' AND version = '4'")
        #expect(
            try bench.auditctl("show", event).output.contains("\n  index public.a.a_x was added\n    + CREATE INDEX"))
    }

    @Test func `is told with the lines that went and came, and what was edited since is not passed off for it`() throws
    {
        try bench.write("1_a.sql", "CREATE TABLE a (id integer, old text); CREATE TABLE b ();")
        try bench.write("2_b.sql", "ALTER TABLE a DROP old, ADD new integer; DROP TABLE b;")
        try apply()
        let shown = try bench.auditctl("show", "--migration", "2")
        for line in [
            "table public.a was changed", "- column old text", "+ column new integer", "table public.b was removed",
            "- owner postgres",
        ] { #expect(shown.output.contains(line), "\(line) in \(shown)") }
        #expect(!shown.output.contains("not what the event vouches for"))
        try bench.query(
            """
            ALTER TABLE migrated.catalog_definition DISABLE TRIGGER USER;
            UPDATE migrated.catalog_definition SET definition = 'column harmless text' WHERE object = 'public.a' AND definition LIKE '%new%'
            """)
        #expect(try bench.auditctl("show", "--migration", "2").output.contains("not what the event vouches for"))
    }

    @Test func `has what mentions a renamed object, under its new name and the old one`() throws {
        try bench.write(
            "1_a.sql",
            """
            CREATE TABLE a (id integer PRIMARY KEY, x text);
            CREATE TABLE c (a_id integer REFERENCES a);
            CREATE VIEW v AS SELECT x FROM a;
            CREATE FUNCTION f(r a) RETURNS integer LANGUAGE sql AS 'SELECT 1';
            CREATE SCHEMA s; CREATE TABLE s.t ();
            CREATE VIEW w AS SELECT count(*) FROM s.t;
            """)
        try bench.write("2_b.sql", "ALTER TABLE a RENAME TO b;")
        try bench.write("3_c.sql", "ALTER TABLE b RENAME x TO y;")
        try bench.write("4_d.sql", "ALTER SCHEMA s RENAME TO s2;")
        try apply()
        #expect(
            try changes("2") == [
                "constraint public.a.a_pkey gone", "constraint public.b.a_pkey", "constraint public.c.c_a_id_fkey",
                "function public.f(r public.a) gone", "function public.f(r public.b)", "table public.a gone",
                "table public.b", "view public.v",
            ])
        #expect(try changes("3") == ["table public.b", "view public.v"])
        #expect(try changes("4") == ["schema s gone", "schema s2", "table s.t gone", "table s2.t", "view public.w"])
        try expectTrue()
    }

    @Test func `has what subtransactions did and not what they undid`() throws {
        try bench.write("1_a.sql", "CREATE TABLE a (id integer);")
        try bench.write(
            "2_b.sql",
            """
            DO $$ BEGIN
              BEGIN ALTER TABLE a ADD undone text; RAISE EXCEPTION 'x'; EXCEPTION WHEN raise_exception THEN NULL; END;
              BEGIN ALTER TABLE a ADD done text; EXCEPTION WHEN raise_exception THEN NULL; END;
            END $$;
            SAVEPOINT p; CREATE TABLE undone (); ROLLBACK TO p; CREATE TABLE done (); RELEASE p;
            """)
        try bench.write(
            "3_c.sql", "SAVEPOINT p; DROP TABLE done; ALTER TABLE a DROP done; ROLLBACK TO p; SELECT 1;")
        try bench.write("4_d.sql", "SAVEPOINT p; DROP TABLE done; RELEASE p;")
        try apply()
        #expect(try changes("2") == ["table public.a", "table public.done"])
        #expect(try changes("3") == [])
        #expect(try changes("4") == ["table public.done gone"])
        try expectTrue()
    }

    @Test(arguments: ["", "-- migrated: foreign-keys=stepwise\n"])
    func `is read behind each part, where the parts are transactions of their own`(head: String) throws {
        try bench.write("1_a.sql", "CREATE TABLE p (id integer PRIMARY KEY); CREATE TABLE a (x integer);")
        try bench.write(
            "2_b.sql",
            "\(head)CREATE TABLE b ();\nCREATE INDEX CONCURRENTLY a_x ON a (x);\nALTER TABLE a ADD y integer;\n")
        try bench.write(
            "3_c.sql",
            "\(head)-- migrated: transaction=none\nCREATE TABLE c ();\nVACUUM a;\nDROP INDEX CONCURRENTLY a_x;\n")
        try bench.write("4_d.sql", "\(head)ALTER TABLE a ADD CONSTRAINT a_fk FOREIGN KEY (x) REFERENCES p;\n")
        try bench.write("5_e.sql", "\(head)CREATE TABLE e ();\nSELECT 1 / 0;\n")
        try apply(1)
        #expect(try changes("2") == ["table public.b", "index public.a.a_x", "table public.a"])
        #expect(try changes("3") == ["table public.c", "index public.a.a_x gone"])
        #expect(try changes("4").first == "constraint public.a.a_fk")
        #expect(try changes("5") == [])
        #expect(
            try bench.has("event = 'failed' AND version = '5' AND detail LIKE '%\"catalog\":\"unchanged\"%'"))
        try expectTrue()
    }

    @Test func `is said of a rollback, and what a cut off file left is in the reading of its end`() throws {
        try bench.write("1_a.up.sql", "CREATE TABLE a ();")
        try bench.write("1_a.down.sql", "DROP TABLE a;")
        try bench.write("2_b.up.sql", "CREATE TABLE b ();")
        try bench.write("2_b.down.sql", "DROP TABLE b;")
        try apply()
        #expect(try bench.run("rollback", "--last", "2").status == 0)
        #expect(try changes("1") == ["table public.a", "table public.a gone"])
        #expect(try changes("2") == ["table public.b", "table public.b gone"])
        try bench.write(
            "3_c.up.sql", "CREATE TABLE c (x integer);\nCREATE INDEX CONCURRENTLY c_x ON c (x);\nSELECT 1;\n")
        #expect(try bench.run("apply", environment: ["MIGRATED_FAILPOINT": "alone-done"]).status == 137)
        try apply()
        #expect(try changes("3").contains("index public.c.c_x"))
        #expect(
            try bench.query("SELECT count(*) FROM migrated.migration_rollback_audit WHERE event = 'drift_detected'")
                == "0")
        try bench.write("4_d.up.sql", "CREATE TABLE d ();\n")
        try bench.write("5_e.up.sql", "CREATE TABLE e ();\n")
        #expect(try bench.run("apply", environment: ["MIGRATED_FAILPOINT": "before-commit"]).status == 137)
        try apply()
        #expect(try changes("5") == ["table public.e"])
        #expect(try bench.auditctl("verify").status == 0)
    }

    @Test func `is nobody else's, who is told as drift by the next run`() throws {
        try bench.write("1_a.sql", "CREATE TABLE a (); CREATE TABLE b ();")
        // Somebody works at the database while a file runs: by a session of its own.
        try bench.query("CREATE EXTENSION dblink")
        let elsewhere = "SELECT dblink_exec('\(bench.database.conninfo)', 'CREATE TABLE stray (); DROP TABLE b')"
        try bench.write("2_b.sql", "\(elsewhere); ALTER TABLE a ADD x integer;")
        try bench.write("3_c.sql", "CREATE TABLE c ();")
        try apply()
        #expect(try changes("2") == ["table public.a"])
        #expect(try changes("3") == ["table public.c"])
        try bench.write("4_d.sql", "SELECT 1;")
        try apply()
        #expect(
            try bench.query(
                "SELECT object FROM migrated.migration_rollback_audit WHERE event = 'drift_detected' ORDER BY seq")
                == "public.b\npublic.stray")
        try expectTrue()
    }

    @Test func `is not what somebody did to the same table between two files of a run`() throws {
        try bench.query("CREATE EXTENSION dblink")
        try bench.write("1_a.sql", "CREATE TABLE a (id integer); CREATE INDEX a_id ON a (id); CREATE TABLE b ();")
        // Another session comes between the files: it waits until what follows is begun.
        try bench.write(
            "2_b.sql",
            "SELECT dblink_exec('\(bench.database.conninfo)', 'ALTER TABLE a ADD stray text; DROP INDEX a_id');")
        try bench.write("3_c.sql", "ALTER TABLE a ADD x integer;")
        try bench.write("4_d.sql", "ALTER TABLE a ADD y integer;")
        try apply()
        #expect(try changes("2") == [])
        #expect(try changes("3") == ["table public.a"])
        #expect(
            try bench.query(
                """
                SELECT concat_ws(' ', object, detail::jsonb ->> 'difference') FROM migrated.migration_rollback_audit
                 WHERE event = 'drift_detected' AND seq < (SELECT seq FROM migrated.migration_rollback_audit WHERE event = 'applied' AND version = '3')
                 ORDER BY object
                """) == """
                    public.a ["+ column stray text"]
                    public.a.a_id ["- CREATE INDEX a_id ON public.a USING btree (id)"]
                    """)
        let shown = try bench.auditctl("show", "--migration", "3").output
        #expect(shown.contains("+ column x integer") && !shown.contains("stray"), "\(shown)")
        try expectTrue()
    }

    /// A history of the version before, whose last reading is its own.
    @Test func `is said from the upgrade of a history on`() throws {
        for version in 1...11 { try bench.query(AuditSchema.sql(version: version, quotedSchema: "\"migrated\"")) }
        try bench.query("CREATE TABLE earlier ()")
        try bench.write("1_a.sql", "ALTER TABLE earlier ADD x integer;")
        try bench.write("2_b.sql", "DROP TABLE earlier;")
        try apply()
        #expect(try changes("1") == ["table public.earlier"])
        #expect(try changes("2") == ["table public.earlier gone"])
        #expect(try bench.auditctl("show", "--migration", "1").output.contains("        + column x integer"))
        try expectTrue()
    }

    @Test func `is read as a whole where the server does not count`() throws {
        try bench.write("1_a.sql", "CREATE TABLE a (); CREATE TABLE b ();")
        try bench.write("2_b.sql", "SET track_counts = off; ALTER TABLE a ADD x integer; DROP TABLE b;")
        try apply()
        #expect(try changes("2") == ["table public.a", "table public.b gone"])
        try expectTrue()
    }

    @Test func `is counted at a file's begin as at its end`() throws {
        let bench = try Workbench()
        try bench.write("1_a.sql", "SELECT 1;")
        #expect(try bench.run("apply").status == 0)
        let source = try #require(ProjectFiles.text("Sources/Runner/FileRun+Catalog.swift"))
        let start = try #require(source.firstRange(of: "unnest('{")).upperBound
        let catalogs = source[start...].prefix { $0 != "}" }.filter { $0.isNumber || $0 == "," }
        #expect(try bench.query("SELECT migrated.counted_catalogs()") == "{\(catalogs)}")
    }

    @Test func `is not taken for somebody else's where the file builds an index beside its transactions`() throws {
        let bench = try Workbench()
        try bench.query(
            "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (id int PRIMARY KEY, p int); INSERT INTO c VALUES (1, 2)"
        )
        try bench.write(
            "1_k.sql",
            """
            -- migrated: orphans=clean orphan-limit=100% foreign-keys=stepwise index-foreign-keys=yes
            ALTER TABLE c ADD CONSTRAINT k FOREIGN KEY (p) REFERENCES p;
            """)
        #expect(try bench.run("apply").status == 0)
        #expect(
            try bench.query(
                "SELECT count(*) FROM migrated.catalog_definition WHERE class = 'index' AND object = 'public.c.c_p_idx'"
            ) == "1")
        try bench.write("2_x.sql", "SELECT 1;")
        #expect(try bench.run("apply").status == 0)
        #expect(try bench.events("event = 'drift_detected'") == [])
    }
}
