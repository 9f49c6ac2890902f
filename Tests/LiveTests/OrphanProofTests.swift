import LiveSupport
import Testing

/// Before COMMIT the way back is gone once, and what came of it is said with each cleanup.
@Suite struct `The proof of the way back` {
    private static let key = "ALTER TABLE c ADD CONSTRAINT k FOREIGN KEY (p) REFERENCES p;"

    private func tables(_ more: String = "") throws -> OrphanBench {
        try OrphanBench(
            """
            CREATE TABLE p (id int PRIMARY KEY); INSERT INTO p VALUES (1); CREATE TABLE c (id int PRIMARY KEY, p int NOT NULL); INSERT INTO c VALUES (1, 1), (2, 9), (3, 9);
            CREATE TABLE d (id int PRIMARY KEY, c int REFERENCES c ON DELETE SET NULL); INSERT INTO d VALUES (1, 2), (2, 3), (3, 3); \(more)
            """, "p", "c", "d")
    }

    private func said(_ dirty: OrphanBench) throws -> String {
        try dirty.bench.query(
            """
            SELECT string_agg(concat_ws(' ', split_part(object, '.', 2), coalesce(detail::jsonb ->> 'reversible', 'nothing'),
                                        detail::jsonb ->> 'not_reversible'), ', ' ORDER BY object)
              FROM migrated.migration_rollback_audit WHERE event IN ('orphans_deleted', 'orphans_nullified')
            """)
    }

    @Test(arguments: [
        ("", "", true), ("", "prove-restore=always", true), ("", "prove-restore=never", false),
        ("prove-restore = \"never\"", "", false),
        ("prove-restore = \"never\"", "prove-restore=always", true),
        ("prove-restore = \"always\"", "prove-restore=never", false),
    ])
    func `is made unless configuration or file says no`(configuration: String, directive: String, isMade: Bool) throws {
        for way in ["one-transaction", "stepwise"] {
            let dirty = try tables()
            try dirty.bench.folder.write("migrated.toml", configuration + "\n")
            try dirty.clean(Self.key, "foreign-keys=\(way) \(directive)")
            let said = try said(dirty)
            #expect(said == (isMade ? "c 2 of 2, d 3 of 3" : "c nothing, d nothing"))
            try dirty.expect("c deleted 2, d nullified 3")
            #expect(try dirty.bench.run("rollback", "--last", "1").status == 0)
            try dirty.expectUnchanged()
        }
    }

    @Test func `leaves nothing behind: no row, no trigger, no fired trigger of the application, no key more`() throws {
        let dirty = try tables(
            """
            CREATE TABLE fired (what text); CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO public.fired VALUES (TG_OP || TG_TABLE_NAME); RETURN NULL; END';
            CREATE TRIGGER tell AFTER INSERT OR UPDATE OR DELETE ON c FOR EACH ROW EXECUTE FUNCTION tell(); CREATE TRIGGER tell AFTER INSERT OR UPDATE OR DELETE ON d FOR EACH ROW EXECUTE FUNCTION tell()
            """)
        let objects =
            "SELECT (SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal AND tgrelid IN ('p'::regclass, 'c'::regclass, 'd'::regclass)), (SELECT count(*) FROM pg_proc WHERE pronamespace <> 'pg_catalog'::regnamespace AND pronamespace::regnamespace::text NOT IN ('information_schema', 'migrated')), (SELECT count(*) FROM pg_class WHERE relnamespace::regnamespace::text LIKE 'pg_temp%')"
        let before = try dirty.bench.query(objects)
        try dirty.clean(Self.key)
        try dirty.expect(objects, is: before)
        try dirty.expect(
            "SELECT string_agg(what || n, ' ' ORDER BY what) FROM (SELECT what, count(*) AS n FROM fired GROUP BY what) AS f",
            is: "DELETEc2 UPDATEd3")
        try dirty.expectKeys("d_c_fkey, k")
        try dirty.expectLost("c 2, d 3")
        try dirty.expect("SELECT count(*) FROM migrated.orphan_restoration", is: "0")
        try dirty.expectWayBack()
    }

    @Test func `is made where the application's triggers find their own tables`() throws {
        let dirty = try tables(
            """
            CREATE TABLE fired (what text); CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO fired VALUES (TG_OP); RETURN NEW; END';
            CREATE TRIGGER tell BEFORE INSERT OR UPDATE ON c FOR EACH ROW EXECUTE FUNCTION tell(); CREATE TRIGGER tell AFTER INSERT OR UPDATE ON d FOR EACH ROW EXECUTE FUNCTION tell()
            """)
        try dirty.clean(Self.key)
        try dirty.expectWayBack()
    }

    @Test func `says which rows cannot come back, and why, and lets the file pass`() throws {
        let dirty = try tables(
            """
            CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE ''not row %'', NEW.id; END';
            CREATE TRIGGER refuse BEFORE INSERT ON c FOR EACH ROW WHEN (NEW.id = 3) EXECUTE FUNCTION refuse()
            """)
        try dirty.clean(Self.key)
        try dirty.expect(
            """
            SELECT detail::jsonb ->> 'reversible', detail::jsonb -> 'not_reversible' -> 'refused' ->> 'count', detail::jsonb -> 'not_reversible' -> 'refused' ->> 'example' LIKE '%not row 3%'
              FROM migrated.migration_rollback_audit WHERE event = 'orphans_deleted'
            """, is: "1 of 2|1|t")
        // Two of the three references of 'd' lead to the row that does not come back.
        try dirty.expect(
            "SELECT detail::jsonb ->> 'reversible' FROM migrated.migration_rollback_audit WHERE event = 'orphans_nullified'",
            is: "1 of 3")
        #expect(try dirty.bench.run("rollback", "--last", "1").status == 0)
        try dirty.expect("SELECT id, p FROM c ORDER BY id", is: "1|1\n2|9")
        try dirty.expect("SELECT id, c FROM d ORDER BY id", is: "1|2\n2|\n3|")
        // What stood in the way is gone: the rest comes back by a command.
        try dirty.bench.query("DROP TRIGGER refuse ON c")
        let attempt = try dirty.bench.query("SELECT DISTINCT attempt_id FROM migrated.orphan_quarantine")
        #expect(try dirty.bench.run("restore-orphans", attempt).status == 0)
        try dirty.expectUnchanged()
    }

    @Test func `is made of each key of a file, and after a failure later in the file nothing is left of it`() throws {
        let dirty = try tables("ALTER TABLE d ADD COLUMN p int; UPDATE d SET p = 8")
        let text = "\(Self.key) ALTER TABLE d ADD CONSTRAINT l FOREIGN KEY (p) REFERENCES p;"
        _ = try dirty.refuse("\(text) SELECT 1/0;", reason: "sql_error")
        try dirty.clean(text, down: "ALTER TABLE c DROP CONSTRAINT k; ALTER TABLE d DROP CONSTRAINT l;")
        let said = try said(dirty)
        #expect(said == "c 2 of 2, d 3 of 3, d 3 of 3")
        try dirty.expectWayBack()
    }
}
