import LiveSupport
import Testing

/// Files with secrets that fail and that succeed: the history keeps their text, and shows the secret nowhere else.
@Suite struct `A secret in a migration` {
    private let bench: Workbench

    init() throws {
        bench = try Workbench()
        try bench.folder.makeDirectory("hooks")
        try bench.folder.write(
            "migrated.toml", "hooks = \"hooks\"\nmetrics-file = \"migrated.prom\"\nretry-tries = 1\n")
    }

    /// Each says `hunter2`, and fails at it or behind it, in another way.
    static let failing = [
        "CREATE ROLE \"r%\" PASSWORD 'hunter2' VALID UNTIL 'never ever';", "ALTER ROLE none_such PASSWORD 'hunter2';",
        "CREATE USER \"r%\" PASSWORD 'hunter2' PASSWORD 'hunter2';", "CREATE ROLE \"r%\" PASSWORD hunter2;",
        "CREATE ROLE \"r%\" PASSWORD \"hunter2\";", "CREATE ROLE \"r%\" PASSWRD 'hunter2';",
        "CREATE ROLE \"r%\" PASSWORD 'hunter2' NEWER;",
        "DO $$ BEGIN EXECUTE 'ALTER ROLE none_such PASSWORD ''hunter2'''; END $$;",
        "DO $$ BEGIN EXECUTE format('ALTER ROLE none_such PASSWORD %L', 'hunter2'); END $$;",
        "DO $$ BEGIN EXECUTE 'ALTR ROLE none_such PASSWORD ' || quote_literal('hunter2'); END $$;",
        "DO $$ DECLARE v text := 'hunter2'; BEGIN EXECUTE 'ALTER ROLE none_such PASSWORD ' || quote_literal(v); END $$;",
        "DO $$ BEGIN ALTER ROLE none_such PASSWORD 'hunter2'; END $$;",
        "DO $$ DECLARE password text := 'hunter2'; BEGIN RAISE WARNING 'it is %', password; RAISE EXCEPTION 'it is %', password USING HINT = password, DETAIL = password; END $$;",
        "DO $$ DECLARE v text := 'hunter2'; BEGIN PERFORM 'password'; RAISE WARNING 'it is %', v; PERFORM v::int; END $$;",
        "CREATE SERVER s FOREIGN DATA WRAPPER none_such OPTIONS (password 'hunter2');",
        "CREATE USER MAPPING FOR none_such SERVER none_such OPTIONS (SET password 'hunter2');",
        "CREATE USER MAPPING FOR none_such SERVER none_such OPTIONS (password 'hunter2');",
        "CREATE SUBSCRIPTION s CONNECTION 'host=/none_such password=hunter2' PUBLICATION p;",
        "CREATE SUBSCRIPTION s CONNECTION 'host=/none_such pass word=hunter2' PUBLICATION p;",
        "ALTER SYSTEM SET primary_conninfo = 'password=hunter2', 'x';",
        "SELECT set_config('none.api_key', 'hunter2', false), 1 / 0;", "SET x.secret = 'hunter2'; SELECT 1 / 0;",
        "SELECT 'postgresql://u:hunter2@h/d'::int;", "SELECT crypt_none('x'), encrypt('a', 'hunter2', 'aes');",
        "COPY (SELECT 1) TO PROGRAM 'curl -u u:hunter2 h >/none/such';",
        "SELECT 1; -- the password is hunter2\nSELECT 1 / 0 /* its password: 'hunter2' */;",
        "ALTER ROLE none_such PASSWORD U&'hunter2'\n;", "ALTER ROLE none_such PASSWORD E'hunter2'\n  'more';",
        "ALTER ROLE none_such /* x */ PASSWORD -- y\n $x$hunter2$x$;",
    ]

    @Test func `is shown nowhere, however the file fails`() throws {
        let journal = try FakeSocket(bench.folder.path("journal"))
        let notify = try FakeSocket(bench.folder.path("notify"))
        let seen = bench.folder.path("seen")
        try bench.folder.write("hooks/keep", "#!/bin/sh\ncat >>'\(seen)'\n")
        _ = try Program.run("/bin/chmod", ["755", bench.folder.path("hooks/keep")])
        for (number, text) in Self.failing.enumerated() {
            let name = String(repeating: "0", count: number < 9 ? 1 : 0) + "\(number + 1)_f.sql"
            let unique = text.split(separator: "%", omittingEmptySubsequences: false)
                .joined(separator: text.contains("\"r%") ? bench.database.name : "%")
            try bench.write(name, "-- migrated: on-failure=continue\n" + unique)
        }
        let daemon = try bench.start(
            "run", environment: ["MIGRATED_JOURNAL_SOCKET": journal.path, "NOTIFY_SOCKET": notify.path])
        try bench.waitFor("event IN ('failed', 'skipped', 'applied') AND version = '\(Self.failing.count)'", daemon)
        try bench.stop(daemon)
        // One that is refused before any runs.
        try bench.write("99_f.sql", "ALTER ROLE none_such PASSWORD 'hunter2")
        var told: [(String, String)] = [
            ("stderr", daemon.errorsSoFar), ("journal", journal.text), ("status", notify.text),
            ("hooks", try Program.run("/bin/cat", [seen]).output),
            ("metrics", try Program.run("/bin/cat", [bench.folder.path("migrated.prom")]).output),
        ]
        for verb in ["plan", "preflight", "check", "apply", "status"] {
            for form in [[], ["-o", verb == "check" ? "sarif" : "json"]] where verb != "apply" || form.isEmpty {
                let outcome = try Program.run(Program.built("migrated"), bench.arguments(verb, form))
                told.append(("\(verb) \(form)", outcome.output + outcome.errors))
            }
        }
        let tables = try bench.query(
            "SELECT c.relname FROM pg_class AS c WHERE c.relnamespace = 'migrated'::regnamespace AND c.relkind = 'r' AND c.relname <> 'migration_source'"
        ).split(separator: "\n")
        for table in tables {
            told.append(("table \(table)", try bench.query("SELECT t FROM migrated.\(table) AS t")))
        }
        for (place, text) in told {
            let lines = text.split(separator: "\n").filter { $0.contains("hunter2") }
            #expect(lines.isEmpty, "\(place): \(lines.prefix(3).joined(separator: "\n"))")
        }
        #expect(told[0].1.contains("'***'") && told[1].1.contains("'***'") && told[3].1.contains("'***'"))
        #expect(
            try bench.query("SELECT count(*) > 20 FROM migrated.migration_rollback_audit WHERE event = 'failed'") == "t"
        )
        #expect(
            try bench.query(
                "SELECT count(*) > 20 FROM migrated.migration_source WHERE pg_catalog.encode(source, 'escape') LIKE '%hunter2%'"
            )
                == "t")
    }

    @Test func `is reported before it runs, is kept in the file's text alone, and so are settings of later sessions`()
        throws
    {
        let role = "r_\(bench.database.name)"
        try bench.write(
            "1_role.sql",
            "CREATE ROLE \(role) PASSWORD 'hunter2';\nALTER DATABASE \(bench.database.name) SET app.token = 'hunter2';\n"
        )
        let checked = try bench.run("check")
        #expect(
            checked.output.contains("1_role.sql:1:\(23 + role.count): warning M050 a secret stands here in clear text"),
            "\(checked)")
        #expect(try bench.run("check", "--all").output.contains("note M024 sets 'app.token' of database"))
        let preflight = try bench.run("preflight")
        #expect(preflight.output.contains("a secret stands here in clear text"), "\(preflight)")
        let applied = try bench.run("apply")
        #expect(applied.status == 0)
        #expect(
            applied.errors.contains(
                "which for every later session sets 'app.token' of database '\(bench.database.name)'"), "\(applied)")
        #expect(
            try bench.query(
                "SELECT detail::jsonb #>> '{lasting_settings,0,setting}' FROM migrated.migration_rollback_audit WHERE event = 'applied'"
            )
                == "app.token")
        for text in [
            checked.output, preflight.output, applied.errors,
            try bench.query("SELECT t FROM migrated.migration_rollback_audit AS t"),
        ] {
            #expect(!text.contains("hunter2"))
        }
        try bench.query("DROP ROLE \(role)")
    }

    @Test func `of another's statement is not kept where it was in the way`() throws {
        try bench.folder.write("migrated.toml", "lock-timeout = \"300ms\"\nretry-tries = 1\n")
        try bench.query("CREATE TABLE t (a text)")
        try bench.write("1_t.sql", "ALTER TABLE t ADD b int;")
        let session = try Program(
            "/usr/lib/postgresql/15/bin/psql",
            [
                "-X", "-d", bench.database.conninfo, "-c", "BEGIN", "-c", "SELECT 1", "-c",
                "LOCK t; SELECT pg_sleep(60), 'hunter2', $$hunter2$$",
            ],
            environment: Program.environment)
        defer { session.signal(9) }
        try eventually("lock") {
            try bench.query("SELECT count(*) FROM pg_locks WHERE relation = 't'::regclass") != "0"
        }
        let outcome = try bench.run("apply")
        #expect(outcome.errors.contains("pg_sleep(60), '***', '***'"), "\(outcome)")
        let kept = try bench.query("SELECT detail FROM migrated.migration_rollback_audit WHERE event = 'failed'")
        #expect(kept.contains("pg_sleep") && !kept.contains("hunter2"))
    }
}
