import LiveSupport
import Testing

/// A login that owns a history can change its functions, triggers and views. A superuser that meets it later must not run them.
@Suite(.serialized) struct `Code of others in the history` {
    /// A history of one login, which has left something in it: a sign is that `loot` has a row, or that `app` is a superuser.
    private func trapped(_ sql: String) throws -> TwoLogins {
        let logins = try TwoLogins(lacksHistory: true)
        try logins.bench.query("CREATE TABLE loot (who text); GRANT ALL ON loot TO PUBLIC")
        try logins.bench.write("001_t.sql", "CREATE TABLE t (a int);")
        let outcome = try logins.bench.run("apply", "--database", logins.login("app"))
        guard outcome.status == 0 else { throw LiveFailure("\(outcome)") }
        let made = try logins.bench.database.psql(
            """
            CREATE FUNCTION public.spring() RETURNS boolean LANGUAGE plpgsql AS $f$
            BEGIN INSERT INTO public.loot VALUES (current_user); RETURN true; EXCEPTION WHEN OTHERS THEN PERFORM pg_notify('loot', 'x'); RETURN true; END $f$;
            CREATE FUNCTION public.spring_trigger() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN PERFORM public.spring(); RETURN NEW; END $f$;
            CREATE OPERATOR public.=== (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = int8eq);
            DELETE FROM loot; \(sql)
            """, user: "app")
        guard made.status == 0 else { throw LiveFailure("\(made)") }
        try logins.bench.query("DELETE FROM loot")
        return logins
    }

    static let traps = [
        "CREATE OR REPLACE FUNCTION migrated.revoke_foreign_rights() RETURNS SETOF text LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS 'BEGIN PERFORM public.spring(); END'",
        "CREATE OR REPLACE FUNCTION migrated.foreign_rights(OUT class text, OUT object text, OUT role text, OUT privilege text, OUT remedy text) RETURNS SETOF record LANGUAGE plpgsql AS 'BEGIN PERFORM public.spring(); END'",
        "CREATE FUNCTION migrated.role_name(word varchar) RETURNS name LANGUAGE plpgsql AS 'BEGIN PERFORM public.spring(); RETURN word; END'",
        "CREATE FUNCTION migrated.format(text, name, \"char\", \"char\") RETURNS text LANGUAGE plpgsql AS 'BEGIN PERFORM public.spring(); RETURN $1; END'",
        "CREATE TRIGGER zz BEFORE UPDATE ON migrated.audit_head FOR EACH ROW EXECUTE FUNCTION public.spring_trigger()",
        "ALTER TABLE migrated.audit_head ADD CONSTRAINT zz CHECK (public.spring())",
        "ALTER TABLE migrated.audit_head ADD CONSTRAINT zz CHECK (pg_catalog.pg_notify('loot', 'x') IS NOT NULL)",
        "ALTER TABLE migrated.catalog_reading ALTER changes SET DEFAULT length(public.spring()::text)",
        "CREATE RULE zz AS ON UPDATE TO migrated.audit_head DO ALSO INSERT INTO public.loot VALUES (current_user)",
        "CREATE OR REPLACE VIEW migrated.migration_status AS SELECT s.* FROM migrated.migration_status AS o, LATERAL (SELECT o.*) AS s WHERE public.spring()"
            .replacing(
                "SELECT s.* FROM migrated.migration_status AS o, LATERAL (SELECT o.*) AS s WHERE public.spring()",
                with:
                    "SELECT NULL::text AS version, NULL::text AS name, NULL::text AS status, NULL::text AS checksum, NULL::text AS reason, NULL::text AS sqlstate, NULL::text AS message, NULL::uuid AS attempt_id, NULL::bigint AS seq, NULL::text AS event, NULL::timestamptz AS recorded_at, NULL::text AS initiated_by, NULL::boolean AS repeatable WHERE public.spring()"
            ),
        "ALTER TABLE migrated.audit_head RENAME TO hidden; CREATE VIEW migrated.audit_head AS SELECT h.* FROM migrated.hidden AS h WHERE public.spring()",
    ]

    @Test(arguments: traps) func `is not run by a superuser`(trap: String) throws {
        let logins = try trapped(trap)
        let asked: [(String, [String])] = [
            ("migrated", ["init", "--migration-login", "app", "--audit-login", "keeper"]), ("migrated", ["status"]),
            ("migrated", ["plan", "--directory", logins.bench.directory]),
            ("migrated", ["apply", "--directory", logins.bench.directory]),
            ("auditctl", ["status"]), ("auditctl", ["log"]), ("auditctl", ["verify"]), ("auditctl", ["integrity"]),
            ("auditctl", ["export"]),
        ]
        for (program, words) in asked {
            let outcome = try Program.run(
                Program.built(program),
                words + [
                    "--config", logins.bench.folder.path("migrated.toml"), "--database", logins.bench.database.conninfo,
                    "--state-directory", logins.bench.folder.path("state"),
                ])
            #expect(outcome.status == (words[0] == "verify" ? 1 : 78), "\(words): \(outcome)")
            #expect(try logins.bench.query("SELECT count(*) FROM loot") == "0", "\(words)")
        }
        #expect(try logins.bench.query("SELECT rolsuper FROM pg_roles WHERE rolname = 'app'") == "f")
    }

    /// What is as it should be is set up as before, whoever owned it.
    @Test func `is none in a history as it was made`() throws {
        let logins = try trapped("SELECT 1")
        #expect(try logins.bench.run("status").status == 0)
        let done = try logins.bench.run(
            "init", "--migration-login", "app", "--audit-login", "keeper", "--auditor", "alice")
        #expect(done.status == 0, "\(done)")
        #expect(try logins.verdict().hasPrefix("intact: "))
    }

    /// Counting orphans compares columns: with a cast of their owner's, that would run it with the rights of the one who counts.
    @Test func `is not run by counting orphans`() throws {
        let logins = try TwoLogins()
        try logins.bench.query(
            "CREATE TABLE loot (who text); GRANT ALL ON loot TO PUBLIC; GRANT CREATE ON SCHEMA public TO web")
        let made = try logins.bench.database.psql(
            """
            CREATE TYPE we AS ENUM ('1', '2');
            CREATE FUNCTION we2i(we) RETURNS int LANGUAGE plpgsql AS $f$ BEGIN PERFORM pg_notify('loot', current_user::text); RETURN $1::text::int; END $f$;
            CREATE CAST (we AS int) WITH FUNCTION we2i(we) AS IMPLICIT; CREATE TABLE parent (id int PRIMARY KEY); CREATE TABLE child (x we);
            INSERT INTO parent VALUES (1); INSERT INTO child VALUES ('1');
            ALTER TABLE child ADD CONSTRAINT odd FOREIGN KEY (x) REFERENCES parent NOT VALID;
            CREATE TYPE mood AS ENUM ('a'); CREATE TABLE p2 (m mood PRIMARY KEY); CREATE TABLE c2 (m mood); INSERT INTO c2 VALUES ('a');
            ALTER TABLE c2 ADD CONSTRAINT plain FOREIGN KEY (m) REFERENCES p2 NOT VALID; GRANT SELECT ON parent, child, p2, c2 TO PUBLIC
            """, user: "web")
        #expect(made.status == 0, "\(made)")
        let outcome = try Program.run(
            Program.built("auditctl"),
            ["integrity", "--all", "--database", logins.login("keeper"), "--directory", logins.bench.directory])
        #expect(outcome.output.contains("child.odd") && outcome.output.contains("is not counted here"), "\(outcome)")
        // Enumerations of one type compare by the server's own operator.
        #expect(outcome.output.contains("1 orphan"), "\(outcome)")
    }

    @Test func `is not adopted with a table of a stranger`() throws {
        let logins = try TwoLogins()
        try logins.bench.query("GRANT CREATE ON SCHEMA public TO web")
        let made = try logins.bench.database.psql(
            "CREATE TABLE public.schema_migrations (version bigint PRIMARY KEY, dirty boolean NOT NULL); INSERT INTO schema_migrations VALUES (1, false); GRANT SELECT ON schema_migrations TO PUBLIC",
            user: "web")
        #expect(made.status == 0, "\(made)")
        try logins.bench.write("1_a.up.sql", "CREATE TABLE a (i int);")
        let outcome = try logins.run("adopt")
        #expect(outcome.status != 0, "\(outcome)")
        #expect(try logins.run("apply").status == 0)
        #expect(try logins.bench.query("SELECT to_regclass('a') IS NOT NULL") == "t")
    }

    /// The database's owner, often the login that runs files, can give it settings that no session of ours may stop at.
    @Test(arguments: [
        "statement_timeout = '1ms'", "idle_in_transaction_session_timeout = '1ms'", "role = 'web'",
        "lock_timeout = '1ms'",
    ])
    func `nor do settings of the database stop what is set up and run`(setting: String) throws {
        let logins = try TwoLogins(lacksHistory: true)
        try logins.bench.query("ALTER DATABASE \(logins.bench.database.name) SET \(setting)")
        let done = try logins.bench.run(
            "init", "--migration-login", "app", "--audit-login", "keeper", "--auditor", "alice")
        #expect(done.status == 0, "\(done)")
        #expect(try logins.verdict().hasPrefix("intact: 0 events"))
    }
}
