import LiveSupport
import Testing

/// Whatever a database or a role has set for its sessions, both programs say of the history what they say without.
@Suite struct `Hostile settings` {
    private let bench: Workbench

    init() throws {
        bench = try Workbench()
        try bench.write(
            "001_t.up.sql",
            """
            CREATE TABLE p (id int PRIMARY KEY, "select" timestamptz DEFAULT '2020-01-02 03:04:05+00', i interval DEFAULT '1 year 2 days',
                            m money DEFAULT 1234.5, f float8 DEFAULT 0.1, b bytea DEFAULT '\\x0102');
            CREATE TABLE c (id int PRIMARY KEY, p int NOT NULL, at timestamptz DEFAULT now(), i interval DEFAULT '1 day', b bytea DEFAULT '\\xff');
            CREATE VIEW v AS SELECT id, "select" FROM p WHERE "select" > '2020-05-06 07:08:09+00'; INSERT INTO c VALUES (1, 7);
            """)
        try bench.write(
            "002_k.up.sql",
            "-- migrated: orphans=clean orphan-limit=5\nALTER TABLE c ADD CONSTRAINT c_p FOREIGN KEY (p) REFERENCES p (id);"
        )
        try bench.write("003_bad.up.sql", "INSERT INTO p (id) VALUES (1), (1);")
        let outcome = try bench.run("apply")
        guard outcome.status == 1 else { throw LiveFailure("\(outcome)") }
    }

    /// Every reading of both programs, with its exit code.
    private func readings() throws -> [String] {
        let asked: [(String, [String])] = [
            ("auditctl", ["log", "-o", "json"]), ("auditctl", ["log"]), ("auditctl", ["show", "002", "-o", "json"]),
            ("auditctl", ["show", "3"]), ("auditctl", ["status", "-o", "json"]),
            ("auditctl", ["orphans", "--rows", "-o", "json"]),
            ("auditctl", ["verify", "-o", "json"]),
            ("auditctl", ["integrity", "--directory", bench.directory, "-o", "json"]),
            ("auditctl", ["export"]), ("auditctl", ["export", "--since", "yesterday", "--failed"]),
            ("auditctl", ["stats", "-o", "json"]),
            ("auditctl", ["log", "--grep", "p_pkey", "--since", "1 hour ago"]),
            ("migrated", ["plan", "--output", "json"]),
        ]
        return try asked.map { program, words in
            let place = ["--config", bench.folder.path("migrated.toml"), "--database", bench.database.conninfo]
            let more = program == "migrated" ? ["--directory", bench.directory] : []
            let outcome = try Program.run(
                Program.built(program), words + place + more + ["--state-directory", bench.folder.path("state")])
            return "\(words.joined(separator: " ")) \(outcome.status): \(outcome.output)\(outcome.errors)"
        }
    }

    /// Several at once, which do not stand in each other's way.
    static let settings = [
        [
            "quote_all_identifiers = on", "timezone = 'Pacific/Apia'", "datestyle = 'SQL, DMY'",
            "intervalstyle = sql_standard",
            "extra_float_digits = -15", "bytea_output = escape", "xmlbinary = hex", "lc_messages = 'C'",
            "client_encoding = LATIN1",
        ],
        [
            "standard_conforming_strings = off", "backslash_quote = off", "escape_string_warning = on",
            "search_path = evil, public, pg_catalog", "transform_null_equals = on", "array_nulls = off",
            "xmloption = document",
            "client_min_messages = debug1",
        ],
        [
            "default_transaction_isolation = serializable", "default_transaction_read_only = on",
            "default_transaction_deferrable = on", "row_security = off", "session_replication_role = replica",
            "check_function_bodies = off", "default_tablespace = pg_global",
        ],
        [
            "idle_session_timeout = 100", "statement_timeout = '5s'", "lock_timeout = '1ms'", "enable_indexscan = off",
            "jit = on",
            "plan_cache_mode = force_custom_plan",
        ],
    ]

    @Test func `change no reading`() throws {
        // What stands in the way where a path is not pinned.
        try bench.query(
            """
            CREATE SCHEMA evil; CREATE FUNCTION evil.encode(bytea, text) RETURNS text LANGUAGE sql AS $$ SELECT 'forged' $$;
            CREATE FUNCTION evil.current_database() RETURNS name LANGUAGE sql AS $$ SELECT 'forged'::name $$;
            CREATE FUNCTION evil.sha256(bytea) RETURNS bytea LANGUAGE sql AS $$ SELECT '\\x00'::bytea $$;
            CREATE TABLE evil.pg_class (oid oid); CREATE FUNCTION evil.eq(bigint, bigint) RETURNS boolean LANGUAGE sql AS $$ SELECT false $$;
            CREATE OPERATOR evil.= (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = evil.eq)
            """)
        let before = try readings()
        for settings in Self.settings {
            // In one session, to which they do not apply yet.
            try bench.query(settings.map { "ALTER DATABASE \(bench.database.name) SET \($0)" }.joined(separator: "; "))
            for (plain, now) in zip(before, try readings()) {
                #expect(stable(plain) == stable(now), "\(settings)")
            }
            _ = try bench.database.cluster.psql("postgres", "ALTER DATABASE \(bench.database.name) RESET ALL")
        }
    }

    /// Without what differs from second to second.
    private func stable(_ text: String) -> String {
        // That a setting is there is reported.
        let plain = #/,?\{"check":"catalog"[^}]*database setting[^}]*\}/#
        let note = #/,?"sessions of every login in this database start with settings: [^"]*"/#
        return text.replacing(plain, with: "").replacing(note, with: "").split(separator: "\n").filter {
            !$0.contains("\"exported_at\"") && !$0.contains("\"trailer\"") && !$0.contains("Z\",\"seconds")
        }
        .joined(separator: "\n")
    }

    /// Nor does a run record what is not so: the catalog is printed under the same settings each time. That the settings changed is reported.
    @Test func `are drift of their own and make no other`() throws {
        for setting in [
            "quote_all_identifiers = on", "timezone = 'Pacific/Apia'", "datestyle = 'SQL, DMY'",
            "intervalstyle = sql_standard", "bytea_output = escape",
        ] {
            try bench.query("ALTER DATABASE \(bench.database.name) SET \(setting)")
        }
        try bench.query("ALTER ROLE ALL IN DATABASE \(bench.database.name) SET app.secret = 'hunter2'")
        try bench.write("003_bad.up.sql", "SELECT 1;")
        let outcome = try bench.run("apply")
        #expect(outcome.status == 0, "\(outcome)")
        #expect(
            try bench.query(
                "SELECT detail::json ->> 'class', object FROM migrated.migration_rollback_audit WHERE event = 'drift_detected'"
            )
                == "database setting|\(bench.database.name)")
        let told = try bench.query(
            "SELECT detail FROM migrated.migration_rollback_audit WHERE event = 'drift_detected'")
        #expect(told.contains("+ quote_all_identifiers=on") && told.contains("+ app.secret sha256 "), "\(told)")
        #expect(!told.contains("hunter2"), "\(told)")
    }
}
