import Glibc
import JSON
import LiveSupport
import Testing

/// Changes of the database that no migration made are told of, and what migrations make is not.
@Suite struct `What changed outside of migrations` {
    private let bench: Workbench

    init() throws {
        bench = try Workbench()
        try bench.write(
            "1_a.sql",
            """
            CREATE TABLE a (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, email text NOT NULL DEFAULT 'x', age integer CHECK (age > 0));
            CREATE INDEX a_email_idx ON a (email);
            CREATE INDEX a_age_idx ON a (age) WHERE age > 1;
            CREATE VIEW grown AS SELECT id FROM a WHERE age > 17;
            CREATE FUNCTION next_age(integer) RETURNS integer LANGUAGE sql AS 'SELECT $1 + 1';
            CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
            CREATE TRIGGER touched BEFORE UPDATE ON a FOR EACH ROW EXECUTE FUNCTION touch();
            CREATE POLICY own ON a USING (age > 5);
            CREATE TYPE mood AS ENUM ('good', 'bad');
            CREATE DOMAIN grade AS integer CHECK (VALUE < 7);
            CREATE SEQUENCE numbers;
            """)
        let outcome = try bench.run("apply")
        guard outcome.status == 0 else { throw LiveFailure("\(outcome)") }
    }

    private func next(_ number: Int) throws -> Program.Outcome {
        try bench.write("\(number)_b.sql", "SELECT \(number);")
        return try bench.run("apply")
    }

    private func drift() throws -> [String] {
        try bench.query(
            """
            SELECT concat_ws('|', detail::jsonb ->> 'class', object, detail::jsonb ->> 'change',
                             array_to_string(ARRAY(SELECT jsonb_array_elements_text(detail::jsonb -> 'difference')), '|'))
              FROM migrated.migration_rollback_audit WHERE event = 'drift_detected' AND reason = 'catalog_changed' ORDER BY seq
            """
        ).split(separator: "\n").map(String.init)
    }

    private func auditctl(_ words: String...) throws -> Program.Outcome {
        try Program.run(
            Program.built("auditctl"),
            words + [
                "--config", bench.folder.path("migrated.toml"), "--database", bench.database.conninfo,
            ])
    }

    @Test(
        arguments: [
            ("ALTER TABLE a ADD note text", "table|public.a|changed|+ column note text"),
            (
                "ALTER TABLE a ALTER email TYPE varchar(90)",
                "table|public.a|changed|- column email text not null default 'x'::text|+ column email character varying(90) not null default 'x'::"
            ),
            (
                "ALTER TABLE a ALTER email DROP DEFAULT",
                "table|public.a|changed|- column email text not null default 'x'::text|+ column email text not null"
            ),
            ("ALTER TABLE a ALTER email DROP NOT NULL", "table|public.a|changed|"),
            (
                "ALTER TABLE a DROP CONSTRAINT a_age_check",
                "constraint|public.a.a_age_check|removed|- CHECK ((age > 0))"
            ),
            ("DROP INDEX a_email_idx", "index|public.a.a_email_idx|removed|"),
            (
                "CREATE INDEX hand ON a (age)",
                "index|public.a.hand|added|+ CREATE INDEX hand ON public.a USING btree (age)"
            ),
            ("CREATE OR REPLACE VIEW grown AS SELECT id FROM a", "view|public.grown|changed|"),
            (
                "CREATE OR REPLACE FUNCTION next_age(integer) RETURNS integer LANGUAGE sql AS 'SELECT $1 + 2'",
                "function|public.next_age(integer)|changed|- AS $function$SELECT $1 + 1$function$|+ AS $function$SELECT $1 + 2$function$"
            ),
            ("ALTER TABLE a DISABLE TRIGGER touched", "trigger|public.a.touched|changed|+ disabled"),
            (
                "ALTER POLICY own ON a USING (true)",
                "policy|public.a.own|changed|- using (age > 5)|+ using true"
            ),
            ("ALTER TABLE a ENABLE ROW LEVEL SECURITY", "table|public.a|changed|+ row level security enabled"),
            (
                "ALTER TYPE mood ADD VALUE 'none'",
                "type|public.mood|changed|- enum 'good', 'bad'|+ enum 'good', 'bad', 'none'"
            ),
            ("ALTER DOMAIN grade SET NOT NULL", "domain|public.grade|changed|- integer|+ integer not null"),
            ("ALTER SEQUENCE numbers INCREMENT 5", "sequence|public.numbers|changed|"),
            ("CREATE SCHEMA hidden", "schema|hidden|added|"),
            ("GRANT SELECT ON a TO PUBLIC", "table|public.a|changed|+ rights "),
            ("CREATE EXTENSION pgcrypto", "extension|pgcrypto|added|+ version "),
            ("DROP VIEW grown", "view|public.grown|removed|"),
        ] as [(String, String)])
    func `is told of once, by name and with the difference`(sql: String, told: String) throws {
        try bench.query(sql)
        let found = try auditctl("integrity", "-o", "csv")
        let name = told.split(separator: "|")[1]
        #expect(
            found.status == 0 && found.output.contains("NOTE,catalog,\"\(name)\"")
                || found.output.contains("NOTE,catalog,\(name),"), "\(found)")
        #expect(try next(2).status == 0)
        let events = try drift()
        #expect(events.contains { $0.hasPrefix(told) }, "\(events)")
        #expect(events.count == 1, "\(events)")
        #expect(try bench.events("seq > 2").first == "drift_detected catalog_changed")
        #expect(try next(3).status == 0)
        #expect(try drift() == events)
        #expect(try auditctl("integrity", "-o", "csv").output.contains("PASS,catalog,"))
        #expect(try auditctl("verify").status == 0)
        #expect(try bench.faults() == "")
    }

    @Test func `is nothing where only rows, statistics and sequences have moved`() throws {
        try bench.query(
            "INSERT INTO a (age) VALUES (3); SELECT nextval('numbers'); ANALYZE; CREATE TEMPORARY TABLE mine (); REINDEX TABLE a"
        )
        try bench.query("VACUUM FULL a")
        #expect(try next(2).status == 0)
        #expect(try drift() == [])
    }

    @Test func `is nothing where migrations did it: in parts, failing half way, cut off, and rolled back`() throws {
        try bench.write(
            "2_parts.sql",
            "CREATE TABLE b (x integer);\nCREATE INDEX CONCURRENTLY b_x_idx ON b (x);\nALTER TABLE b ADD y integer;\n")
        #expect(try bench.run("apply").status == 0)
        try bench.write(
            "3_half.sql",
            "CREATE TABLE c (x integer);\nCREATE INDEX CONCURRENTLY c_x_idx ON c (x);\nSELECT 1 / 0;\n")
        #expect(try bench.run("apply").status == 1)
        try bench.write(
            "3_half.sql",
            "CREATE TABLE c (x integer);\nCREATE INDEX CONCURRENTLY c_x_idx ON c (x);\nALTER TABLE c ADD z integer;\n")
        try bench.write(
            "4_cut.sql", "CREATE TABLE d (x integer);\nCREATE INDEX CONCURRENTLY d_x_idx ON d (x);\nSELECT 1;\n")
        #expect(try bench.run("apply", environment: ["MIGRATED_FAILPOINT": "alone-done"]).status == 137)
        #expect(try bench.run("apply").status == 0)
        #expect(try next(5).status == 0)
        #expect(try drift() == [])
        #expect(try auditctl("integrity", "-o", "csv").output.contains("PASS,catalog,"))
    }

    /// The key is added behind the run's last file: what is changed after it is seen by the next run.
    @Test(arguments: ["one-transaction", "stepwise"])
    func `is found behind a deferred key`(way: String) throws {
        try bench.write(
            "2_b.sql", "-- migrated: missing-table=skip foreign-keys=\(way)\nCREATE TABLE b (c integer REFERENCES c);\n"
        )
        #expect(try bench.run("apply").status == 0)
        try bench.write("3_c.sql", "CREATE TABLE c (id integer PRIMARY KEY);\n")
        #expect(try bench.run("apply").status == 0)
        let events = try bench.events()
        #expect(events.last?.hasPrefix("constraint_added") == true, "\(events)")
        try bench.query("CREATE TABLE stray ()")
        #expect(try next(4).status == 0)
        #expect(try drift().map { $0.prefix(18) } == ["table|public.stray"])
        #expect(try auditctl("verify").status == 0)
    }

    @Test func `is nothing where a rollback did it, and something where a person did and only recorded it`() throws {
        let other = try Workbench()
        try other.write("1_a.up.sql", "CREATE TABLE a ();")
        try other.write("1_a.down.sql", "DROP TABLE a;")
        try other.write("2_b.up.sql", "CREATE TABLE b ();")
        #expect(try other.run("apply").status == 0)
        try other.query("DROP TABLE b")
        #expect(try other.run("rollback", "--last", "1", "--record-without-down-file").status == 0)
        #expect(try other.run("rollback", "--last", "1").status == 0)
        #expect(try other.run("apply").status == 0)
        #expect(
            try other.query("SELECT object FROM migrated.migration_rollback_audit WHERE event = 'drift_detected'")
                == "public.b")
    }

    @Test func `many changes are told one by one up to fifty, and the rest counted`() throws {
        try bench.query("DO $$ BEGIN FOR i IN 1..60 LOOP EXECUTE format('CREATE TABLE t%s ()', i); END LOOP; END $$")
        #expect(try next(2).status == 0)
        #expect(try drift().count == 50)
        #expect(
            try bench.query(
                "SELECT detail::jsonb ->> 'further', message FROM migrated.migration_rollback_audit WHERE event = 'drift_detected' ORDER BY seq DESC LIMIT 1"
            ) == "10|10 more object(s) were changed outside of migrated")
        #expect(try next(3).status == 0)
        #expect(try drift().count == 50)
    }

    @Test func `is not looked for where that is switched off`() throws {
        try bench.folder.write("migrated.toml", "catalog-drift = \"off\"\n")
        try bench.query("DROP VIEW grown")
        #expect(try next(2).status == 0)
        #expect(try drift() == [])
        #expect(try !auditctl("integrity", "-o", "csv").output.contains(",catalog,"))
    }

    @Test func `is found by a daemon at its start, whose first look is the measure where there was none`() throws {
        let other = try Workbench()
        try other.query("CREATE TABLE before ()")
        let first = try other.start("run")
        try other.waitFor("event = 'daemon_started' AND detail LIKE '%\"catalog\":{\"changes\":%'", first)
        try other.stop(first)
        try other.query("ALTER TABLE before ADD x integer")
        let second = try other.start("run")
        try other.waitFor("event = 'drift_detected' AND object = 'public.before'", second)
        try other.stop(second)
        #expect(second.errorsSoFar.contains("table public.before was changed outside of migrated"))
    }

    @Test func `a locked object does not keep a migration from being applied, and that is told`() throws {
        let locker = try Program(
            "/usr/bin/psql", ["-X", bench.database.conninfo],
            environment: Program.environment, input: "BEGIN; LOCK a IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(60);")
        try eventually("lock", within: .seconds(20)) {
            try bench.query(
                "SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND relation = 'a'::regclass") == "1"
        }
        #expect(try next(2).status == 0)
        locker.signal(SIGKILL)
        #expect(try bench.events("seq > 2").first == "drift_detected catalog_unreadable")
        // A file that touches nothing does not read what it cannot.
        #expect(try bench.has("event = 'applied' AND version = '2' AND detail LIKE '%\"catalog\":\"unchanged\"%'"))
    }

    @Test(
        arguments: [
            (
                "UPDATE migrated.catalog_definition SET definition = 'harmless' WHERE class = 'view'",
                "what reading 2 of"
            ),
            ("DELETE FROM migrated.catalog_definition WHERE class = 'view'", "what reading 2 of"),
            ("DELETE FROM migrated.catalog_reading WHERE id = 1", "that event 1 vouches for is not kept"),
            ("DELETE FROM migrated.catalog_reading WHERE id = 2", "that event 2 vouches for is not kept"),
            ("SELECT migrated.read_catalog(gen_random_uuid(), '{}', NULL, NULL)", "no event vouches for reading 3"),
        ])
    func `what is kept of it is held against the chain`(sql: String, told: String) throws {
        #expect(try next(2).status == 0)
        #expect(try auditctl("verify").status == 0)
        try bench.query(
            """
            ALTER TABLE migrated.catalog_definition DISABLE TRIGGER USER; ALTER TABLE migrated.catalog_reading DISABLE TRIGGER USER;
            \(sql);
            ALTER TABLE migrated.catalog_definition ENABLE ALWAYS TRIGGER catalog_definition_append_only;
            ALTER TABLE migrated.catalog_reading ENABLE ALWAYS TRIGGER catalog_reading_append_only
            """)
        let found = try auditctl("verify")
        #expect(found.status == 1 && found.output.contains(told), "\(found)")
    }
}
