import LiveSupport
import Testing

/// What others do in the same database, and how a server prints it, is no drift.
@Suite struct `What is no change from outside` {
    private let bench: Workbench

    init() throws {
        bench = try Workbench()
        try bench.write(
            "1_a.sql",
            """
            CREATE TABLE events (at timestamptz NOT NULL DEFAULT '2020-02-03 04:05:06+01', "odd Name" interval DEFAULT '1 day 2 hours',
                price float8 DEFAULT 0.1, raw bytea DEFAULT '\\xdead', day date DEFAULT '2020-02-03', paid money DEFAULT 12.5)
                PARTITION BY RANGE (at);
            CREATE TABLE events_p0 PARTITION OF events FOR VALUES FROM ('2020-01-01 00:00:00+02') TO ('2020-02-01');
            CREATE VIEW late AS SELECT at, at > '2020-05-06 07:08:09+00'::timestamptz AS old, '1 mon'::interval AS span FROM events;
            CREATE FUNCTION f(timestamptz DEFAULT '2021-01-01 00:00+00') RETURNS int LANGUAGE sql AS 'SELECT 1';
            CREATE INDEX i ON events (day) WHERE day > '2020-03-04';
            ALTER TABLE events ADD CONSTRAINT c CHECK (at > '1999-12-31 00:00+00'::timestamptz);
            """)
    }

    private func apply(_ more: String...) throws -> Program.Outcome {
        let outcome = try Program.run(Program.built("migrated"), bench.arguments("apply", more))
        #expect(outcome.status == 0, "\(outcome)")
        return outcome
    }

    private func drift() throws -> [String] {
        try bench.query(
            """
            SELECT concat_ws(' ', reason, object) FROM migrated.migration_rollback_audit WHERE event = 'drift_detected' ORDER BY seq
            """
        ).split(separator: "\n").map(String.init)
    }

    private func next(_ number: Int) throws { try bench.write("\(number)_b.sql", "SELECT \(number);\n") }

    private func ignore(_ patterns: String) throws {
        try bench.folder.write("migrated.toml", "catalog-ignore = [\(patterns)]\n")
    }

    /// Only the settings themselves are, which are part of how a database was left.
    @Test func `how settings of the database or of a connection have it printed`() throws {
        _ = try apply()
        let name = bench.database.name
        let settings = [
            ("DateStyle", "German"), ("IntervalStyle", "iso_8601"), ("bytea_output", "escape"),
            ("extra_float_digits", "-10"),
            ("quote_all_identifiers", "on"), ("search_path", "other, public"), ("TimeZone", "Asia/Kathmandu"),
            ("lc_monetary", "C"),
            ("standard_conforming_strings", "off"), ("xmlbinary", "hex"), ("array_nulls", "off"),
            ("default_table_access_method", "heap"),
        ]
        for (key, value) in settings {
            try bench.query("ALTER DATABASE \(name) SET \(key) = \(key == "search_path" ? value : "'\(value)'")")
        }
        try next(2)
        let options = settings.map { "-c \($0.0)=\($0.1.filter { $0 != " " })" }.joined(separator: " ")
        let outcome = try bench.run(
            "apply", environment: ["PGOPTIONS": options, "PGTZ": "Pacific/Apia", "PGDATESTYLE": "SQL, MDY"])
        #expect(outcome.status == 0, "\(outcome)")
        #expect(try drift() == ["catalog_changed \(name)"])
        let integrity = try bench.auditctl("integrity", "--directory", bench.directory)
        #expect(integrity.status == 0 && integrity.output.contains("every object is as event"), "\(integrity)")
    }

    @Test func `what another history of the same database has in its schema`() throws {
        _ = try apply()
        let other = try TemporaryDirectory(mode: 0o755)
        try other.write("7_other.sql", "CREATE SCHEMA shop;\nCREATE TABLE shop.goods ();\n")
        let there = try Program.run(
            Program.built("migrated"), bench.arguments("apply", ["--schema", "other", "--directory", other.path]))
        #expect(there.status == 0, "\(there)")
        try next(2)
        _ = try apply()
        // What it did is not this one's doing; how it keeps its own history is nobody else's business.
        #expect(try drift() == ["catalog_changed shop", "catalog_changed shop.goods"])
        let back = try Program.run(
            Program.built("migrated"), bench.arguments("apply", ["--schema", "other", "--directory", other.path]))
        #expect(back.status == 0, "\(back)")
        try next(3)
        _ = try apply()
        #expect(try drift().count == 2)
        #expect(
            try bench.query(
                "SELECT detail::jsonb -> 'catalog' -> 'other_histories' FROM migrated.migration_rollback_audit WHERE detail LIKE '%\"catalog\":{\"changes\":%' ORDER BY seq DESC LIMIT 1"
            ) == "[\"other\"]")
        #expect(
            try bench.query(
                "SELECT count(*) FROM other.migration_rollback_audit WHERE event = 'drift_detected' AND object LIKE 'migrated%'"
            )
                == "0")
        #expect(try bench.auditctl("verify").status == 0)
    }

    @Test func `what a pattern of the configuration leaves out`() throws {
        try ignore("\"public.events_p*\", \"cron\"")
        _ = try apply()
        try bench.query(
            """
            CREATE TABLE events_p1 PARTITION OF events FOR VALUES FROM ('2020-03-01') TO ('2020-04-01');
            CREATE INDEX events_p1_price ON events_p1 (price);
            DROP TABLE events_p0;
            CREATE SCHEMA cron; CREATE TABLE cron.job (); CREATE FUNCTION cron.run() RETURNS int LANGUAGE sql AS 'SELECT 1';
            CREATE TABLE cronic (); CREATE TABLE other_events_p1 ();
            """)
        try next(2)
        _ = try apply()
        #expect(try drift() == ["catalog_changed public.cronic", "catalog_changed public.other_events_p1"])
        // Each reading says what it left out.
        #expect(
            try bench.query(
                "SELECT DISTINCT detail::jsonb -> 'catalog' ->> 'ignored' FROM migrated.migration_rollback_audit WHERE detail LIKE '%\"catalog\":{\"changes\":%'"
            ) == "[\"public.events_p*\", \"cron\"]")
        let integrity = try bench.auditctl("integrity", "--directory", bench.directory)
        #expect(integrity.status == 0 && integrity.output.contains("every object is as event"), "\(integrity)")
        #expect(try bench.auditctl("verify").status == 0)
    }

    @Test func `and a change of the patterns is told once, with what they were`() throws {
        _ = try apply()
        try bench.query("CREATE TABLE events_p1 PARTITION OF events FOR VALUES FROM ('2020-03-01') TO ('2020-04-01')")
        try ignore("\"public.events_p*\"")
        try next(2)
        _ = try apply()
        try next(3)
        _ = try apply()
        #expect(try drift() == ["catalog_ignore_changed"])
        try ignore("")
        try next(4)
        _ = try apply()
        try next(5)
        _ = try apply()
        #expect(
            try drift() == [
                "catalog_ignore_changed", "catalog_changed public.events_p1.c",
                "catalog_changed public.events_p1.events_p1_day_idx",
                "catalog_changed public.events_p1", "catalog_ignore_changed",
            ])
        #expect(
            try bench.query(
                """
                SELECT string_agg(concat(detail::jsonb -> 'before', detail::jsonb -> 'now'), ' ' ORDER BY seq)
                  FROM migrated.migration_rollback_audit WHERE reason = 'catalog_ignore_changed'
                """) == "[][\"public.events_p*\"] [\"public.events_p*\"][]")
        #expect(try bench.auditctl("verify").status == 0)
    }

    @Test func `patterns that are edited behind its back are found by verify`() throws {
        try ignore("\"public.events_p*\"")
        _ = try apply()
        try bench.query(
            """
            ALTER TABLE migrated.catalog_reading DISABLE TRIGGER USER; UPDATE migrated.catalog_reading SET ignored = '{"public.*"}';
            ALTER TABLE migrated.catalog_reading ENABLE ALWAYS TRIGGER catalog_reading_append_only;
            """)
        let verified = try bench.auditctl("verify")
        #expect(
            verified.status == 1 && verified.output.contains("what reading 1 of the catalog has kept"), "\(verified)")
    }

    /// As a restore or pg_upgrade leaves it: definitions in other words, and rows of NOT NULL, which PostgreSQL 18 has.
    @Test func `what another major version prints in other words, while what came and went is told`() throws {
        _ = try apply()
        let integrity = { try bench.auditctl("integrity", "--directory", bench.directory) }
        try bench.query(
            """
            ALTER TABLE migrated.catalog_reading DISABLE TRIGGER USER; ALTER TABLE migrated.catalog_definition DISABLE TRIGGER USER;
            UPDATE migrated.catalog_reading SET server = 9;
            UPDATE migrated.catalog_definition SET definition = definition || E'\\nrights in other words' WHERE class IN ('table', 'view');
            CREATE TABLE sneaked_in ();
            DROP INDEX i;
            """)
        #expect(try integrity().output.contains("the newest reading is from PostgreSQL 9"))
        try next(2)
        _ = try apply()
        let told = [
            "catalog_changed public.events.i", "catalog_changed public.events_p0.events_p0_day_idx",
            "catalog_changed public.sneaked_in", "server_changed",
        ]
        #expect(try drift() == told)
        try next(3)
        _ = try apply()
        #expect(try drift() == told)
        #expect(try integrity().output.contains("every object is as event"))
    }

    @Test(arguments: ["[\"*\"]", "[\"*.*\"]", "[\"\"]", "\"public.x\"", "[1]", "[\"a\", 2]"])
    func `but everything is not left out, nor is what is no pattern`(value: String) throws {
        try bench.folder.write("migrated.toml", "catalog-ignore = \(value)\n")
        let outcome = try bench.run("apply")
        #expect(outcome.status == 78 && outcome.errors.contains("'catalog-ignore' cannot be"), "\(outcome)")
    }
}
