import Glibc
import LiveSupport
import Testing

/// A database whose roles are those of `migrated init`: `app` runs files, `keeper` keeps the history, `alice` reads it.
struct TwoLogins {
    /// Roles belong to the whole server, and these tests change them.
    private static let cluster = Result { () throws in
        let cluster = try Cluster()
        let made = try cluster.psql("postgres", roles)
        guard made.status == 0 else { throw LiveFailure("no roles: \(made)") }
        return cluster
    }

    let bench: Workbench

    /// The same on a server of its own, for what the whole server would feel.
    static func alone() throws -> TwoLogins {
        let cluster = try Cluster()
        let made = try cluster.psql("postgres", roles)
        guard made.status == 0 else { throw LiveFailure("no roles: \(made)") }
        return try TwoLogins(on: cluster)
    }

    private static let roles =
        "CREATE ROLE app LOGIN; CREATE ROLE keeper LOGIN; CREATE ROLE alice LOGIN; CREATE ROLE web LOGIN"

    /// A database of its own, where `app` may do what applications may; with the history's roles unless it `lacksHistory`.
    init(lacksHistory: Bool = false, on cluster: Cluster? = nil) throws {
        bench = try Workbench(try cluster ?? Self.cluster.get())
        try bench.query(
            "GRANT CREATE ON DATABASE \(bench.database.name) TO app; GRANT CREATE, USAGE ON SCHEMA public TO app")
        if !lacksHistory {
            let outcome = try bench.run(
                "init", "--migration-login", "app", "--audit-login", "keeper", "--auditor", "alice")
            guard outcome.status == 0 else { throw LiveFailure("init: \(outcome)") }
        }
    }

    /// The role of this database that has the part `word`.
    func role(_ word: String) -> String { "\(word)_\(bench.database.name)" }

    func login(_ user: String) -> String { bench.database.cluster.conninfo(bench.database.name, user: user) }

    func run(_ words: String..., environment: [String: String] = [:]) throws -> Program.Outcome {
        let both = ["--database", login("app"), "--audit-database", login("keeper")]
        return try Program.run(
            Program.built("migrated"), bench.arguments(words[0], Array(words.dropFirst()) + both),
            environment: Program.environment.merging(environment) { $1 })
    }

    /// What `auditctl verify` says to an auditor.
    func verdict() throws -> String {
        try Program.run(
            Program.built("auditctl"),
            ["verify", "--database", login("alice"), "--state-directory", bench.folder.path("state")]
        ).output
    }
}

@Suite(.serialized) struct `Two logins` {
    @Test func `apply, undo and put back, each with its record`() throws {
        let logins = try TwoLogins()
        try logins.bench.write(
            "001_t.up.sql",
            """
            CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (id int PRIMARY KEY, p int NOT NULL); INSERT INTO c VALUES (1, 7);
            """)
        try logins.bench.write(
            "002_k.up.sql",
            """
            -- migrated: orphans=clean orphan-limit=5
            ALTER TABLE c ADD CONSTRAINT c_p FOREIGN KEY (p) REFERENCES p (id);
            """)
        try logins.bench.write("002_k.down.sql", "ALTER TABLE c DROP CONSTRAINT c_p;")
        try logins.bench.write(
            "003_mixed.up.sql",
            "CREATE TABLE z (a int); CREATE INDEX CONCURRENTLY z_a ON z (a); INSERT INTO z VALUES (1);")
        try logins.bench.write("003_mixed.down.sql", "DROP TABLE z;")
        // Killed in the middle of a file, it is taken over.
        let killed = try logins.run("apply", environment: ["MIGRATED_FAILPOINT": "statements-done:2"])
        #expect(killed.status != 0)
        let applied = try logins.run("apply")
        #expect(applied.status == 0, "\(applied)")
        let undone = try logins.run("rollback", "--last", "2", "--restore-orphans")
        #expect(undone.status == 0, "\(undone)")
        #expect(
            try logins.bench.events() == [
                "started 001_t", "applied 001_t", "started 002_k", "interrupted 002_k process_died", "started 002_k",
                "orphans_deleted 002_k", "constraint_added 002_k", "applied 002_k", "started 003_mixed",
                "statement_applied 003_mixed", "statement_applied 003_mixed", "applied 003_mixed", "started 003_mixed",
                "rolled_back 003_mixed", "started 002_k", "orphans_restored 002_k", "rolled_back 002_k",
            ])
        #expect(try logins.bench.query("SELECT p FROM c") == "7")
        #expect(try logins.verdict().hasPrefix("intact: "))
    }

    @Test func `a daemon keeps on with them`() throws {
        let logins = try TwoLogins()
        let daemon = try logins.bench.start(
            "run", "--database", logins.login("app"), "--audit-database", logins.login("keeper"))
        try logins.bench.write("001_t.up.sql", "CREATE TABLE t (a int);")
        try logins.bench.waitFor("event = 'applied' AND version = '001'", daemon)
        try logins.bench.stop(daemon)
        #expect(try logins.verdict().hasPrefix("intact: "))
    }

    static let changes = [
        "UPDATE migrated.migration_rollback_audit SET message = 'x'", "DELETE FROM migrated.migration_rollback_audit",
        "TRUNCATE migrated.migration_rollback_audit",
        "ALTER TABLE migrated.migration_rollback_audit DISABLE TRIGGER ALL",
        "ALTER TABLE migrated.migration_rollback_audit ADD COLUMN x int",
        "DROP TRIGGER migration_rollback_audit_append_only ON migrated.migration_rollback_audit",
        "CREATE TRIGGER t BEFORE INSERT ON migrated.migration_rollback_audit FOR EACH ROW EXECUTE FUNCTION migrated.refuse_change()",
        "INSERT INTO migrated.migration_rollback_audit SELECT * FROM migrated.migration_rollback_audit",
        "UPDATE migrated.audit_head SET seq = 0", "DELETE FROM migrated.audit_head",
        "UPDATE migrated.migration_source SET source = ''", "DELETE FROM migrated.migration_source",
        "UPDATE migrated.orphan_quarantine SET action = 'deleted'", "DELETE FROM migrated.orphan_quarantine",
        "TRUNCATE migrated.orphan_quarantine, migrated.orphan_restoration", "DELETE FROM migrated.orphan_restoration",
        "INSERT INTO migrated.catalog_reading SELECT * FROM migrated.catalog_reading",
        "UPDATE migrated.catalog_definition SET definition = ''", "DELETE FROM migrated.catalog_reading",
        "DROP TABLE migrated.migration_rollback_audit", "DROP SCHEMA migrated CASCADE",
        "ALTER SCHEMA migrated RENAME TO other", "CREATE TABLE migrated.t (a int)",
        "CREATE OR REPLACE FUNCTION migrated.event_hash(migrated.migration_rollback_audit) RETURNS bytea LANGUAGE sql AS $$ SELECT '\\x00'::bytea $$",
        "CREATE OR REPLACE VIEW migrated.migration_status AS SELECT 1",
        "DO $$ BEGIN EXECUTE format('SET ROLE audit_owner_%s', current_database()); END $$",
        "ALTER TABLE migrated.migration_rollback_audit OWNER TO CURRENT_USER",
        "DO $$ BEGIN EXECUTE format('ALTER ROLE audit_owner_%s LOGIN', current_database()); END $$",
        "UPDATE migrated.row_value SET value = ''", "DELETE FROM migrated.row_value",
    ]

    @Test func `no role that is handed out can change what is recorded`() throws {
        let logins = try TwoLogins()
        try logins.bench.write("001_t.up.sql", "CREATE TABLE t (a int);")
        #expect(try logins.run("apply").status == 0)
        for user in ["app", "keeper", "alice", "web"] {
            for change in Self.changes {
                let outcome = try logins.bench.database.psql(
                    "SET default_transaction_read_only = off; \(change)", user: user)
                #expect(outcome.status != 0, "\(user): \(change)")
                #expect(
                    outcome.errors.contains("permission denied") || outcome.errors.contains("must be owner"),
                    "\(user): \(change): \(outcome.errors)")
            }
        }
        #expect(try logins.verdict().hasPrefix("intact: 2 events"))
    }

    /// What an operator may not do by hand, a file may not either; each is one of its own, and the line goes on behind it.
    @Test func `nor can a file`() throws {
        let logins = try TwoLogins()
        for (number, change) in Self.changes.enumerated() {
            try logins.bench.write(
                "\(100 + number)_x.up.sql",
                "-- migrated: on-failure=continue\nCREATE TABLE x\(number) (a int);\n\(change);\n")
        }
        try logins.bench.write("200_last.up.sql", "CREATE TABLE last (a int);")
        let outcome = try logins.run("apply")
        #expect(outcome.status == 1, "\(outcome)")
        #expect(
            try logins.bench.query(
                """
                SELECT DISTINCT event, sqlstate, message ~ 'permission denied|must be owner' FROM migrated.migration_rollback_audit
                 WHERE event <> 'started' ORDER BY 1
                """) == "applied||\nfailed|42501|t")
        #expect(try logins.bench.events("event = 'failed'").count == Self.changes.count)
        #expect(
            try logins.bench.query("SELECT string_agg(tablename, ' ') FROM pg_tables WHERE schemaname = 'public'")
                == "last")
        #expect(try logins.verdict().hasPrefix("intact: "))
    }

    @Test(
        arguments: [
            "SELECT migrated.append_events(NULL, NULL, NULL, NULL, ARRAY[NULL::migrated.migration_rollback_audit])",
            "SELECT migrated.expect_token(sha256('x'), pg_backend_pid())", "SELECT migrated.require_token('x')",
            "SELECT migrated.revoke_foreign_rights()", "SELECT * FROM migrated.private_digests()",
            "SELECT migrated.append_attempt('x', NULL, NULL, NULL, NULL, ARRAY[NULL::migrated.migration_rollback_audit])",
            "SELECT migrated.append_attempt(NULL, NULL, NULL, NULL, NULL, ARRAY[NULL::migrated.migration_rollback_audit])",
            "INSERT INTO migrated.migration_rollback_audit (seq) VALUES (3)",
            "SELECT * FROM migrated.audit_head FOR UPDATE",
            "SELECT migrated.read_catalog(gen_random_uuid(), '{}', NULL, NULL)",
            "SELECT migrated.read_catalog_at_end('x', gen_random_uuid(), '{}', NULL, NULL)",
            "INSERT INTO migrated.catalog_definition VALUES (1, 'table', 'public.t', 'harmless')",
        ])
    func `a file writes no event of its own`(statement: String) throws {
        let logins = try TwoLogins()
        try logins.bench.write("001_t.up.sql", "CREATE TABLE t (a int); \(statement);")
        let outcome = try logins.run("apply")
        #expect(outcome.status == 1, "\(outcome)")
        #expect(
            outcome.errors.contains("permission denied") || outcome.errors.contains("no such token is expected"),
            "\(outcome)")
        #expect(try logins.bench.events() == ["started 001_t", "failed 001_t sql_error"])
        #expect(try logins.verdict().hasPrefix("intact: 2 events"))
    }

    /// A deferred trigger, and a cursor that runs its query at COMMIT, behind the record: neither finds a token that is still good.
    @Test func `nor does what a file leaves for the end of its transaction`() throws {
        let logins = try TwoLogins()
        try logins.bench.write(
            "001_t.up.sql",
            """
            CREATE TABLE tries (words text);
            CREATE FUNCTION forge() RETURNS int LANGUAGE plpgsql AS $f$
            BEGIN
                PERFORM migrated.append_attempt('x', NULL, NULL, NULL, NULL, ARRAY[NULL::migrated.migration_rollback_audit]);
                INSERT INTO public.tries VALUES ('forged');
                RETURN 1;
            EXCEPTION WHEN OTHERS THEN
                INSERT INTO public.tries VALUES (SQLERRM);
                RETURN 0;
            END $f$;
            CREATE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN PERFORM public.forge(); RETURN NULL; END $f$;
            CREATE TABLE bait (a int);
            CREATE CONSTRAINT TRIGGER late AFTER INSERT ON bait DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION late();
            INSERT INTO bait VALUES (1);
            DECLARE later CURSOR WITH HOLD FOR SELECT public.forge();
            """)
        let outcome = try logins.run("apply")
        #expect(outcome.status == 0, "\(outcome)")
        #expect(
            try logins.bench.query("SELECT words FROM tries")
                == "no such token is expected\nno such token is expected")
        #expect(try logins.bench.events() == ["started 001_t", "applied 001_t"])
    }

    @Test func `a login without its role is told so before anything runs`() throws {
        let logins = try TwoLogins()
        try logins.bench.write("001_t.up.sql", "CREATE TABLE t (a int);")
        try logins.bench.query("CREATE ROLE stranger LOGIN; GRANT USAGE ON SCHEMA migrated TO stranger")
        let unable = try logins.bench.run(
            "apply", "--database", logins.login("stranger"), "--audit-database", logins.login("keeper"))
        #expect(unable.status == 78, "\(unable)")
        #expect(unable.errors.contains("login 'stranger', which runs the files, may not append to the history"))
        #expect(unable.errors.contains("migrated init --migration-login 'stranger'"))
        let blind = try logins.bench.run("apply", "--database", logins.login("app"))
        #expect(blind.status == 77, "\(blind)")
        #expect(blind.errors.contains("login 'app' may not read the history"))
        let elsewhere = try logins.bench.run(
            "apply", "--database", logins.login("app"), "--audit-database",
            logins.bench.database.cluster.conninfo("postgres", user: "keeper"))
        #expect(elsewhere.status == 78, "\(elsewhere)")
        #expect(elsewhere.errors.contains("are not the same database"))
        #expect(try logins.bench.events().isEmpty)
    }
}

@Suite(.serialized) struct `migrated init` {
    @Test func `takes a history over, and who kept it goes on`() throws {
        let logins = try TwoLogins(lacksHistory: true)
        let bench = logins.bench
        try bench.write("001_t.up.sql", "CREATE TABLE t (a int);")
        #expect(try bench.run("apply", "--database", logins.login("app")).status == 0)
        let outcome = try bench.run("init")
        #expect(outcome.status == 0, "\(outcome)")
        #expect(
            outcome.output.contains(
                "granted \(logins.role("migrated_audit")) to 'app'\ngranted \(logins.role("migrator")) to 'app'\n"),
            "\(outcome)")
        #expect(outcome.output.contains("note: login 'app' runs the files and keeps the history as well"), "\(outcome)")
        #expect(
            try bench.query(
                """
                SELECT DISTINCT pg_get_userbyid(owner) FROM (
                    SELECT relowner AS owner FROM pg_class WHERE relnamespace = 'migrated'::regnamespace
                    UNION ALL SELECT proowner FROM pg_proc WHERE pronamespace = 'migrated'::regnamespace
                    UNION ALL SELECT nspowner FROM pg_namespace WHERE nspname = 'migrated') AS o
                """) == logins.role("audit_owner"))
        try bench.write("002_u.up.sql", "CREATE TABLE u (a int);")
        #expect(try bench.run("apply", "--database", logins.login("app")).status == 0)
        #expect(
            try bench.database.psql("DELETE FROM migrated.migration_rollback_audit", user: "app").errors.contains(
                "permission denied"))
        try bench.query("GRANT \(logins.role("auditor")) TO alice")
        #expect(try logins.verdict().hasPrefix("intact: 4 events"))
    }

    @Test func `done again changes nothing, and psql can do the same`() throws {
        let logins = try TwoLogins(lacksHistory: true)
        let rights = """
            SELECT relname, relacl, pg_get_userbyid(relowner) FROM pg_class WHERE relnamespace = 'migrated'::regnamespace
            UNION ALL SELECT proname, proacl, pg_get_userbyid(proowner) FROM pg_proc WHERE pronamespace = 'migrated'::regnamespace
            ORDER BY 1
            """
        let printed = try logins.bench.run("init", "--dry-run", "--migration-login", "app", "--audit-login", "keeper")
        #expect(printed.status == 0 && printed.errors.isEmpty, "\(printed)")
        #expect(try !logins.bench.has("true"), "a dry run writes nothing")
        let done = try logins.bench.database.psql(printed.output)
        #expect(done.status == 0, "\(done)")
        let once = try logins.bench.query(rights)
        let again = try logins.bench.run("init", "--migration-login", "app", "--audit-login", "keeper")
        #expect(again.output.hasPrefix("the history was there, version "), "\(again)")
        #expect(try logins.bench.query(rights) == once)
        #expect(once.contains("\(logins.role("migrator"))=X/\(logins.role("audit_owner"))"))
        try logins.bench.write("001_t.up.sql", "CREATE TABLE t (a int);")
        #expect(try logins.run("apply").status == 0)
    }

    @Test func `check and preflight say what one login weakens`() throws {
        let logins = try TwoLogins()
        let words = "one login runs the files and keeps the history"
        try logins.bench.folder.write("migrated.toml", "database = 'user=app'\n")
        let one = try logins.bench.run("check")
        #expect(one.status == 0 && one.output.contains(words), "\(one)")
        try logins.bench.folder.write("migrated.toml", "database = 'user=app'\n[audit]\ndatabase = 'user=keeper'\n")
        let two = try logins.bench.run("check")
        #expect(two.status == 0 && !two.output.contains(words), "\(two)")
        let preflight = try logins.run("preflight")
        #expect(preflight.status == 0 && !preflight.output.contains("login"), "\(preflight)")
        let superuser = try logins.bench.run("preflight")
        #expect(superuser.output.contains("login 'postgres' runs the files and is a superuser"), "\(superuser)")
    }
}
