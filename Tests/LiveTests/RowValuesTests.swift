import LiveSupport
import Testing

/// What the server says of bad data has people's data in it: events keep the shape, and the whole text stands beside the chain.
@Suite(.serialized) struct `Values of rows` {
    static let failures = [
        ("INSERT INTO people VALUES ('bob@example.org', 1);", "Key (email)=(***) already exists."),
        ("INSERT INTO people VALUES ('zoe@example.org (home)', NULL);", "Failing row contains (***)."),
        ("INSERT INTO people VALUES ('zoe@example.org)', -7);", "Failing row contains (***)."),
        ("INSERT INTO pets VALUES ('bob)@example.org');", "Key (owner)=(***) is not present in table \"people\"."),
        ("DELETE FROM people;", "Key (email)=(***) is still referenced from table \"pets\"."),
        ("SELECT 'bob@example.org'::int;", "invalid input syntax for type integer: \"***\""),
        ("SELECT ('{\"a\": bob@example.org')::json;", "JSON data, line 1: ***"),
        ("DO $$ BEGIN EXECUTE 'INSERT INTO people VALUES (''bob@example.org'', 2)'; END $$;", "SQL statement \"***\""),
    ]

    @Test(arguments: failures) func `stay out of events, journal and output`(sql: String, masked: String) throws {
        let logins = try TwoLogins()
        let bench = logins.bench
        try bench.write(
            "001_t.sql",
            """
            CREATE TABLE people (email text PRIMARY KEY, age int NOT NULL CHECK (age > 0)); INSERT INTO people VALUES ('bob@example.org', 1);
            CREATE TABLE pets (owner text REFERENCES people (email)); INSERT INTO pets VALUES ('bob@example.org');
            """)
        try bench.write("002_bad.sql", sql)
        let outcome = try logins.run("apply")
        #expect(outcome.status == 1, "\(outcome)")
        let failed = try bench.query(
            "SELECT concat_ws(' ', message, detail::json ->> 'detail', detail::json ->> 'context') FROM migrated.migration_rollback_audit WHERE event = 'failed'"
        )
        #expect(failed.contains(masked), "\(failed)")
        #expect(!failed.contains("bob") && !failed.contains("zoe"), "\(failed)")
        let kept = try bench.query("SELECT string_agg(value, ' ') FROM migrated.row_value")
        #expect(kept.contains("bob") || kept.contains("zoe"), "\(kept)")
        // Who reads the history reads neither these nor the files' texts, and can verify both.
        for table in ["row_value", "migration_source"] {
            let read = try bench.database.psql("SELECT * FROM migrated.\(table)", user: "alice")
            #expect(read.errors.contains("permission denied"), "\(read)")
        }
        #expect(try logins.verdict().hasPrefix("intact: 4 events"))
    }

    @Test(
        arguments: [
            (
                "UPDATE migrated.row_value SET value = 'Key (email)=(eve@example.org) already exists.'",
                "edited: the row values kept for event 4 are not those that it names"
            ),
            ("DELETE FROM migrated.row_value", "removed: the row values that event 4 names are not kept any more"),
            (
                "INSERT INTO migrated.row_value VALUES (gen_random_uuid(), 'detail', sha256('x'), 'forged')",
                "inserted: the row values"
            ),
        ])
    func `are under the chain`(change: String, words: String) throws {
        let logins = try TwoLogins()
        try logins.bench.write(
            "001_t.sql", "CREATE TABLE people (email text PRIMARY KEY); INSERT INTO people VALUES ('bob@example.org');")
        try logins.bench.write("002_bad.sql", "INSERT INTO people VALUES ('bob@example.org');")
        #expect(try logins.run("apply").status == 1)
        try logins.bench.query(
            "ALTER TABLE migrated.row_value DISABLE TRIGGER ALL; \(change); ALTER TABLE migrated.row_value ENABLE ALWAYS TRIGGER row_value_append_only"
        )
        for login in ["alice", "keeper"] {
            let found = try Program.run(
                Program.built("auditctl"),
                ["verify", "--database", logins.login(login), "--state-directory", logins.bench.folder.path("state")])
            #expect(found.status == 1 && found.output.contains(words), "\(login): \(found)")
        }
    }

    @Test func `stand in the events where that is asked for`() throws {
        let bench = try Workbench()
        try bench.folder.write("migrated.toml", "row-values = \"keep\"\norphans = \"clean\"\norphan-limit = \"5\"\n")
        try bench.write(
            "001_t.up.sql",
            "CREATE TABLE p (id text PRIMARY KEY); CREATE TABLE c (id text PRIMARY KEY, p text NOT NULL); INSERT INTO c VALUES ('bob', 'gone');"
        )
        try bench.write("002_k.up.sql", "ALTER TABLE c ADD FOREIGN KEY (p) REFERENCES p (id);")
        try bench.write("003_bad.up.sql", "INSERT INTO p VALUES ('zoe'), ('zoe');")
        #expect(try bench.run("apply").status == 1)
        let details = try bench.query("SELECT string_agg(detail, ' ') FROM migrated.migration_rollback_audit")
        #expect(
            details.contains("Key (id)=(zoe) already exists.")
                && details.contains("\"sample_keys\":[{\"id\":\"bob\"}]"), "\(details)")
        #expect(try bench.query("SELECT count(*) FROM migrated.row_value") == "0")
    }

    @Test func `of orphans keep their shape`() throws {
        let bench = try Workbench()
        try bench.write(
            "001_t.up.sql",
            "CREATE TABLE p (id text PRIMARY KEY); CREATE TABLE c (id text PRIMARY KEY, p text NOT NULL); INSERT INTO c VALUES ('bob', 'gone');"
        )
        try bench.write(
            "002_k.up.sql",
            "-- migrated: orphans=clean orphan-limit=5\nALTER TABLE c ADD FOREIGN KEY (p) REFERENCES p (id);")
        #expect(try bench.run("apply").status == 0)
        #expect(
            try bench.query(
                "SELECT detail::json -> 'sample_keys' FROM migrated.migration_rollback_audit WHERE event = 'orphans_deleted'"
            )
                == "[{\"id\":\"***\"}]")
    }
}
