import LiveSupport
import Testing

/// `migrated adopt --baseline`: what the files create is looked for before anything is recorded.
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

    @Test
    func `a database that bears the baseline out is taken over, although later files changed what earlier ones made`()
        throws
    {
        let bench = try bench()
        try applyByHand(bench)
        let before = try ReplayTests.dump(bench)
        let dry = try bench.run("adopt", "--baseline", "3", "--dry-run")
        #expect(dry.status == 0, "\(dry)")
        #expect(dry.output.contains("present  1_init"))
        #expect(dry.output.contains("untold   3_rows"))
        #expect(try bench.query("SELECT pg_catalog.to_regclass('migrated.audit_head') IS NULL") == "t")

        let adopted = try bench.run("adopt", "--baseline", "3")
        #expect(adopted.status == 0, "\(adopted)")
        #expect(
            try bench.events() == ["adopted 1_init baseline", "adopted 2_change baseline", "adopted 3_rows baseline"])
        #expect(try ReplayTests.dump(bench) == before)
        #expect(
            try bench.query(
                """
                SELECT count(*) FROM migrated.migration_rollback_audit
                 WHERE detail LIKE '%"verdict":"present"%' AND name IN ('1_init', '2_change')
                    OR detail LIKE '%"verdict":"untold"%' AND detail LIKE '%"assumed"%' AND name = '3_rows'
                """) != "0")
        let rest = try bench.run("apply")
        #expect(rest.status == 0, "\(rest)")
        #expect(try bench.events("event = 'applied'") == ["applied 4_more", "applied 5_next"])
        #expect(try bench.faults() == "")
    }

    @Test func `a baseline that is not there is refused, and which one fits is said`() throws {
        let bench = try bench()
        try applyByHand(bench)
        try bench.query("CREATE TABLE more (id bigint)")
        for more in [[], ["--dry-run"]] {
            let refused = try Program.run(
                Program.built("migrated"), bench.arguments("adopt", ["--baseline", "5"] + more),
                environment: Program.environment)
            #expect(refused.status == 1, "\(refused)")
            #expect(refused.output.contains("partly   4_more  (0 of 2 object(s))"), "\(refused)")
            #expect(refused.output.contains("in the database: bigint"))
            #expect(refused.output.contains("absent: view 'v', line 1"))
            #expect(refused.output.contains("absent   5_next"))
            #expect(refused.errors.contains("'4_more' is not there as its file says, and 1 more"))
            #expect(refused.errors.contains("'migrated adopt --baseline 2'"), "\(refused.errors)")
        }
        #expect(try bench.events() == [])
        let json = try bench.run("adopt", "--baseline", "4", "--dry-run", "--output", "json")
        #expect(json.status == 1 && json.output.contains(#""verdict":"partly""#), "\(json)")

        let told = try bench.run("adopt", "--baseline", "4", "--accept-differences")
        #expect(told.status == 0, "\(told)")
        #expect(
            try bench.query(
                """
                SELECT detail::jsonb ->> 'verdict', detail::jsonb -> 'accepted_differences' ->> 0
                  FROM migrated.migration_rollback_audit WHERE name = '4_more'
                """) == "partly|different: table 'public.more': column 'id'")
    }

    @Test func `an empty database bears nothing out`() throws {
        let bench = try bench()
        let refused = try bench.run("adopt", "--baseline", "1")
        #expect(refused.status == 1 && refused.errors.contains("'1_init' is absent"), "\(refused)")
        #expect(refused.errors.contains("Not even the first migration"))
        #expect(try bench.events() == [])
    }
}
