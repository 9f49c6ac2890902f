import AuditSchema
import LiveSupport
import Testing

/// A history that others may write is not believed, whatever way they came by the right.
@Suite(.serialized) struct `Rights to the history` {
    /// What ALTER DEFAULT PRIVILEGES hands out goes with the installation, and with each one after it.
    @Test(arguments: [false, true]) func `given by default are taken`(byInit: Bool) throws {
        let logins = try TwoLogins(lacksHistory: true)
        let bench = logins.bench
        try bench.query(
            """
            ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO web; ALTER DEFAULT PRIVILEGES GRANT ALL ON SCHEMAS TO web;
            ALTER DEFAULT PRIVILEGES GRANT ALL ON ROUTINES TO web; ALTER DEFAULT PRIVILEGES GRANT ALL ON SEQUENCES TO web;
            ALTER DEFAULT PRIVILEGES GRANT ALL ON TYPES TO web
            """)
        if byInit {
            let done = try bench.run("init", "--migration-login", "app", "--audit-login", "keeper")
            #expect(done.status == 0, "\(done)")
        }
        try bench.write("001_t.sql", "CREATE TABLE t (a int);")
        #expect(try byInit ? logins.run("apply").status == 0 : bench.run("apply").status == 0)
        #expect(try bench.query("SELECT * FROM migrated.foreign_rights()").isEmpty)
        for statement in [
            "INSERT INTO migrated.migration_rollback_audit SELECT * FROM migrated.migration_rollback_audit",
            "SELECT * FROM migrated.audit_head", "SELECT migrated.append_events(NULL, NULL, NULL, NULL, NULL)",
        ] {
            let outcome = try bench.database.psql(statement, user: "web")
            #expect(outcome.errors.contains("permission denied for schema migrated"), "\(statement): \(outcome)")
        }
    }

    /// Each is a way by which a login that is none of migrated's could write what the next run believes.
    @Test(
        arguments: [
            (
                "GRANT INSERT ON migrated.migration_rollback_audit TO web",
                "role 'web' has INSERT on table migrated.migration_rollback_audit"
            ),
            (
                "GRANT UPDATE (seq) ON migrated.audit_head TO web",
                "role 'web' has UPDATE on table migrated.audit_head.seq"
            ),
            (
                "GRANT SELECT ON migrated.migration_status TO PUBLIC",
                "role 'public' has SELECT on table migrated.migration_status"
            ),
            (
                "GRANT EXECUTE ON FUNCTION migrated.expect_token(bytea, integer) TO PUBLIC",
                "role 'public' has EXECUTE on routine migrated.expect_token"
            ),
            ("GRANT CREATE ON SCHEMA migrated TO web", "role 'web' has CREATE on schema migrated"),
            (
                "GRANT USAGE ON SEQUENCE migrated.orphan_quarantine_id_seq TO web",
                "role 'web' has USAGE on sequence migrated.orphan_quarantine_id_seq"
            ),
            (
                "GRANT INSERT ON migrated.migration_rollback_audit TO MIGRATOR",
                "has INSERT on table migrated.migration_rollback_audit"
            ),
            (
                "GRANT SELECT ON migrated.audit_head TO AUDITOR WITH GRANT OPTION",
                "has SELECT on table migrated.audit_head"
            ),
            ("GRANT OWNER TO web", "role 'web' is a member of 'OWNER'"),
            ("ALTER ROLE OWNER LOGIN", "owns it and can log in"),
            ("GRANT pg_write_all_data TO web", "role 'web' is a member of 'pg_write_all_data'"),
        ])
    func `given later stop every run`(grant: String, words: String) throws {
        let logins = try grant.contains("pg_write_all_data") ? TwoLogins.alone() : TwoLogins()
        let bench = logins.bench
        try bench.write("001_t.sql", "CREATE TABLE t (a int);")
        let applied = try logins.run("apply")
        #expect(applied.status == 0, "\(applied)")
        func named(_ text: String) -> String {
            text.split(separator: " ").map { word in
                switch word.trimming("'") {
                case "OWNER": word.contains("'") ? "'\(logins.role("audit_owner"))'" : logins.role("audit_owner")
                case "MIGRATOR": logins.role("migrator")
                case "AUDITOR": logins.role("auditor")
                default: String(word)
                }
            }.joined(separator: " ")
        }
        try bench.query(named(grant))
        try bench.write("002_u.sql", "CREATE TABLE u (a int);")
        for verb in ["apply", "plan"] {
            let outcome = try logins.run(verb)
            #expect(outcome.status == 78, "\(verb): \(outcome)")
            #expect(outcome.errors.contains("is open to others: "), "\(outcome.errors)")
            #expect(outcome.errors.contains(named(words)), "\(outcome.errors)")
        }
        // Also where there is nothing to do: that is what a forged event would make of it.
        try bench.folder.remove("m/002_u.sql")
        #expect(try logins.run("apply").status == 78)
        #expect(try bench.query("SELECT to_regclass('u') IS NULL") == "t")
        #expect(try bench.query("SELECT count(*) FROM migrated.migration_rollback_audit") == "2")
        // The command that is said, or init, ends it.
        try bench.query("SELECT migrated.revoke_foreign_rights()")
        for remedy in try bench.query("SELECT remedy FROM migrated.foreign_rights()").split(separator: "\n") {
            try bench.query(String(remedy))
        }
        let again = try bench.run("init", "--migration-login", "app", "--audit-login", "keeper", "--auditor", "alice")
        #expect(again.status == 0, "\(again)")
        #expect(try logins.run("apply").status == 0)
        #expect(try logins.verdict().hasPrefix("intact: "))
    }

    @Test func `are those of one database alone`() throws {
        let (one, two) = (try TwoLogins(lacksHistory: true), try TwoLogins(lacksHistory: true))
        // The other database has logins of its own.
        let made = try one.bench.database.cluster.psql(
            "postgres", "CREATE ROLE app2 LOGIN; CREATE ROLE keeper2 LOGIN; CREATE ROLE alice2 LOGIN")
        #expect(made.status == 0, "\(made)")
        #expect(
            try one.bench.run("init", "--migration-login", "app", "--audit-login", "keeper", "--auditor", "alice")
                .status == 0)
        #expect(
            try two.bench.run("init", "--migration-login", "app2", "--audit-login", "keeper2", "--auditor", "alice2")
                .status == 0)
        for user in ["app", "keeper", "alice"] {
            for statement in [
                "SELECT * FROM migrated.orphan_quarantine", "SELECT * FROM migrated.migration_rollback_audit",
                "INSERT INTO migrated.orphan_restoration VALUES (1, gen_random_uuid(), 'restored')",
                "SELECT migrated.append_events(NULL, NULL, NULL, NULL, NULL)", "SELECT migrated.lock_head(NULL)",
                "SELECT migrated.append_attempt('x', 1, NULL, NULL, NULL, NULL)",
                "SELECT source FROM migrated.migration_source",
            ] {
                let outcome = try two.bench.database.psql(statement, user: user)
                #expect(
                    outcome.errors.contains("permission denied for schema migrated"),
                    "\(user): \(statement): \(outcome)")
            }
        }
    }

    @Test func `two databases are set up at once`() throws {
        let benches = try (0..<4).map { _ in try TwoLogins(lacksHistory: true).bench }
        let programs = try benches.map {
            try $0.start("init", "--migration-login", "app", "--audit-login", "keeper", "--auditor", "alice")
        }
        for program in programs {
            let outcome = try program.outcome()
            #expect(outcome.status == 0, "\(outcome)")
        }
    }

    /// Roles that were there before are somebody's.
    @Test(
        arguments: [
            ("CREATE ROLE OWNER; GRANT OWNER TO web", "has the member web"),
            ("CREATE ROLE MIGRATOR SUPERUSER", "is a superuser"),
            ("CREATE ROLE RECORD LOGIN", "can log in"),
            ("CREATE ROLE RECORD CREATEROLE CREATEDB", "may create roles, may create databases"),
            ("CREATE ROLE READER; ALTER ROLE READER SET search_path = evil", "has settings of its own"),
            ("CREATE ROLE READER IN ROLE pg_read_all_data", "is a member of pg_read_all_data"),
            ("CREATE ROLE MIGRATOR; GRANT MIGRATOR TO web", "has the member web"),
            (
                "CREATE ROLE RECORD; GRANT CONNECT ON DATABASE postgres TO RECORD",
                "owns or may use something in the whole server"
            ),
            (
                "CREATE ROLE RECORD BYPASSRLS REPLICATION NOINHERIT",
                "may replicate, bypasses row security, does not inherit"
            ),
        ])
    func `are not given to a role that was there before`(sql: String, words: String) throws {
        let logins = try TwoLogins(lacksHistory: true)
        let names = ["OWNER": "audit_owner", "MIGRATOR": "migrator", "RECORD": "migrated_audit", "READER": "auditor"]
        let statements = sql.split(separator: "; ").map { statement in
            statement.split(separator: " ").map { names[String($0)].map(logins.role) ?? String($0) }.joined(
                separator: " ")
        }
        for statement in statements { try logins.bench.query(statement) }
        let outcome = try logins.bench.run("init", "--migration-login", "app", "--audit-login", "keeper")
        #expect(outcome.status == 78, "\(outcome)")
        #expect(outcome.errors.contains("not taken, for being otherwise"), "\(outcome.errors)")
        #expect(outcome.errors.contains(words), "\(outcome.errors)")
        #expect(try logins.bench.query("SELECT to_regnamespace('migrated') IS NULL") == "t")
        // Nor is anything else of these names touched.
        #expect(
            try logins.bench.query("SELECT count(*) FROM pg_roles WHERE rolname = '\(logins.role("source_reader"))'")
                == "0")
    }

    @Test func `leave an unrelated role of the old names alone`() throws {
        let logins = try TwoLogins(lacksHistory: true)
        try logins.bench.query(
            "DO $$ BEGIN IF to_regrole('auditor') IS NULL THEN CREATE ROLE auditor LOGIN; END IF; END $$")
        let before = try logins.bench.query("SELECT rolcanlogin, rolconfig FROM pg_roles WHERE rolname = 'auditor'")
        let done = try logins.bench.run("init", "--migration-login", "app", "--audit-login", "keeper")
        #expect(done.status == 0, "\(done)")
        #expect(
            try logins.bench.query("SELECT rolcanlogin, rolconfig FROM pg_roles WHERE rolname = 'auditor'") == before)
    }

    /// Managed servers have no superuser to run it as.
    @Test func `are set up by a login that may create roles, as often as one likes`() throws {
        let logins = try TwoLogins(lacksHistory: true)
        let bench = logins.bench
        let owner = "dba_\(bench.database.name)"
        try bench.query(
            "CREATE ROLE \(owner) LOGIN CREATEROLE; ALTER DATABASE \(bench.database.name) OWNER TO \(owner)")
        for _ in 1...3 {
            let done = try bench.run(
                "init", "--migration-login", "app", "--audit-login", "keeper", "--auditor", "alice", "--database",
                logins.login(owner))
            #expect(done.status == 0, "\(done)")
        }
        let change = try bench.database.psql("DELETE FROM migrated.row_value", user: owner)
        #expect(change.errors.contains("permission denied"), "\(change)")
        try bench.write("001_t.sql", "CREATE TABLE t (a int);")
        #expect(try logins.run("apply").status == 0)
        #expect(try logins.verdict().hasPrefix("intact: 2 events"))
    }

    /// The history and the shared roles of version 6, as two databases have them: each is moved to roles of its own.
    @Test func `are moved from the shared roles`() throws {
        let cluster = try Cluster()
        let made = try cluster.psql(
            "postgres",
            """
            CREATE ROLE audit_owner; CREATE ROLE migrated_audit LOGIN; CREATE ROLE migrator LOGIN; CREATE ROLE auditor LOGIN; CREATE ROLE app LOGIN;
            CREATE ROLE keeper LOGIN; CREATE ROLE alice LOGIN; CREATE ROLE other LOGIN; GRANT migrated_audit TO keeper; GRANT migrator TO app, other;
            GRANT auditor TO alice
            """)
        #expect(made.status == 0, "\(made)")
        let benches = try (1...2).map { _ in try Workbench(cluster) }
        for bench in benches {
            for version in 1...6 { try bench.query(AuditSchema.sql(version: version, quotedSchema: "\"migrated\"")) }
            try bench.query(
                """
                ALTER SCHEMA migrated OWNER TO audit_owner;
                DO $$ DECLARE c text; BEGIN
                    FOR c IN SELECT format('ALTER %s %s OWNER TO audit_owner', CASE relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END, oid::regclass)
                               FROM pg_class WHERE relnamespace = 'migrated'::regnamespace AND relkind IN ('r', 'v')
                             UNION ALL SELECT format('ALTER ROUTINE %s OWNER TO audit_owner', oid::regprocedure)
                               FROM pg_proc WHERE pronamespace = 'migrated'::regnamespace LOOP EXECUTE c; END LOOP; END $$;
                GRANT USAGE ON SCHEMA migrated TO migrated_audit, migrator, auditor; GRANT SELECT ON ALL TABLES IN SCHEMA migrated TO migrated_audit, auditor;
                GRANT SELECT, INSERT ON migrated.orphan_quarantine, migrated.orphan_restoration TO migrator
                """)
        }
        // Whose logins are this database's is not known.
        let unnamed = try benches[0].run("init")
        #expect(unnamed.status == 78 && unnamed.errors.contains("are shared by several databases"), "\(unnamed)")
        #expect(unnamed.errors.contains("migrator has app, migrator has other"), "\(unnamed)")
        let named = try benches[0].run(
            "init", "--migration-login", "app", "--audit-login", "keeper", "--auditor", "alice")
        #expect(named.status == 0, "\(named)")
        for user in ["other", "migrator", "migrated_audit", "auditor"] {
            let outcome = try benches[0].database.psql("SELECT * FROM migrated.orphan_quarantine", user: user)
            #expect(outcome.errors.contains("permission denied"), "\(user): \(outcome)")
        }
        #expect(try benches[0].query("SELECT * FROM migrated.foreign_rights()").isEmpty)
        #expect(try benches[1].run("init", "--migration-login", "other", "--audit-login", "keeper").status == 0)
        #expect(
            try benches[1].database.psql("SELECT * FROM migrated.orphan_quarantine", user: "app").errors.contains(
                "permission denied"))
    }

    /// A name that is longer than a role's may be is cut to one that no other database has.
    @Test func `of a database with a long name`() throws {
        let cluster = try Cluster.shared()
        let name = "a" + String(repeating: "b", count: 61)
        for other in [name + "c", name + "d"] {
            let made = try cluster.psql("postgres", "CREATE DATABASE \(other)")
            #expect(made.status == 0, "\(made)")
            let folder = try TemporaryDirectory(mode: 0o755)
            try folder.write("migrated.toml", "")
            let outcome = try Program.run(
                Program.built("migrated"),
                [
                    "init", "--config", folder.path("migrated.toml"), "--database", cluster.conninfo(other),
                    "--state-directory", folder.path("state"),
                ])
            #expect(outcome.status == 0, "\(outcome)")
        }
        #expect(try cluster.psql("postgres", "SELECT count(DISTINCT nspowner) FROM pg_namespace").status == 0)
    }
}

extension Substring {
    fileprivate func trimming(_ character: Character) -> String { filter { $0 != character } }
}
