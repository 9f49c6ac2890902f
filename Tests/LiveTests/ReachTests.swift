import LiveSupport
import Testing

/// Who can reach the history beside the daemon, and what stands in its schema: `verify` tells each.
@Suite(.serialized) struct `What reaches the history` {
    private func verify(_ conninfo: String) throws -> Program.Outcome {
        try Program.run(Program.built("auditctl"), ["verify", "--config", "/dev/null", "--database", conninfo])
    }

    /// Each of these was `intact`. The login that asks is an auditor, and no superuser.
    @Test func `by rights that a role or login was given is found, inherited ones too`() throws {
        let logins = try TwoLogins.alone()
        let bench = logins.bench
        try bench.query("CREATE ROLE crowd; CREATE ROLE team; GRANT team TO crowd; GRANT crowd TO web")
        let (owner, record, files) = (
            logins.role("audit_owner"), logins.role("migrated_audit"), logins.role("migrator")
        )
        func verdict() throws -> Program.Outcome { try verify(logins.login("alice")) }
        #expect(try verdict().status == 0)
        let given = [
            ("GRANT \(owner) TO app", "REVOKE \(owner) FROM app", "role 'app' is a member of '\(owner)'"),
            (
                "GRANT \(owner) TO team", "REVOKE \(owner) FROM team",
                "role 'team' (so login 'web') is a member of '\(owner)'"
            ),
            (
                "GRANT pg_write_all_data TO team", "REVOKE pg_write_all_data FROM team",
                "role 'team' (so login 'web') is a member of 'pg_write_all_data'"
            ),
            (
                "GRANT INSERT ON migrated.migration_rollback_audit TO team",
                "REVOKE INSERT ON migrated.migration_rollback_audit FROM team",
                "role 'team' (so login 'web') has INSERT on table migrated.migration_rollback_audit"
            ),
            ("ALTER ROLE app SUPERUSER", "ALTER ROLE app NOSUPERUSER", "login 'app', which runs files, is a superuser"),
            (
                "ALTER ROLE keeper SUPERUSER", "ALTER ROLE keeper NOSUPERUSER",
                "login 'keeper', which keeps the history, is a superuser"
            ),
            (
                "GRANT pg_execute_server_program TO team; GRANT \(files) TO team",
                "REVOKE pg_execute_server_program FROM team; REVOKE \(files) FROM team",
                "login 'web', which runs files, is a member of 'pg_execute_server_program'"
            ),
            (
                "ALTER ROLE \(owner) LOGIN", "ALTER ROLE \(owner) NOLOGIN",
                "role '\(owner)' owns the history and can log in"
            ),
            (
                "ALTER ROLE \(owner) RENAME TO somebody", "ALTER ROLE somebody RENAME TO \(owner)",
                "the history is owned by 'somebody', and its roles are those of '\(owner)'"
            ),
            (
                "ALTER ROLE \(owner) RENAME TO somebody; ALTER ROLE somebody LOGIN",
                "ALTER ROLE somebody RENAME TO \(owner); ALTER ROLE \(owner) NOLOGIN", "role 'somebody' can log in"
            ),
            (
                "ALTER ROLE \(owner) BYPASSRLS", "ALTER ROLE \(owner) NOBYPASSRLS",
                "role '\(owner)' bypasses row security"
            ),
            ("ALTER ROLE \(owner) SUPERUSER", "ALTER ROLE \(owner) NOSUPERUSER", "role '\(owner)' is a superuser"),
            ("ALTER ROLE \(record) LOGIN", "ALTER ROLE \(record) NOLOGIN", "role '\(record)' can log in"),
            ("ALTER ROLE \(files) CREATEROLE", "ALTER ROLE \(files) NOCREATEROLE", "role '\(files)' may create roles"),
            (
                "GRANT pg_monitor TO \(files)", "REVOKE pg_monitor FROM \(files)",
                "role '\(files)' is a member of 'pg_monitor'"
            ),
        ]
        // PostgreSQL 13 has no such role.
        let hasWriters = try bench.query("SELECT to_regrole('pg_write_all_data') IS NOT NULL") == "t"
        for (give, take, told) in given where hasWriters || !give.contains("pg_write_all_data") {
            try bench.query(give)
            let found = try verdict()
            #expect(found.status == 1 && found.output.contains("unprotected: \(told)\n"), "\(give): \(found)")
            try bench.query(take)
        }
        let after = try verdict()
        #expect(after.status == 0, "\(after)")
    }

    /// What may be so by anybody's good will is no finding, and everybody is told it.
    @Test func `by rights that somebody must have is told each time`() throws {
        let logins = try TwoLogins.alone()
        func notes() throws -> [String] {
            let outcome = try verify(logins.login("alice"))
            #expect(outcome.status == 0, "\(outcome)")
            return outcome.output.split(separator: "\n").filter { $0.hasPrefix("note: ") }.map(String.init)
        }
        let plain = [
            "note: logins that append events: 'keeper'", "note: logins that append the end of an attempt: 'app'",
            "note: superusers, who can change the history and all that guards it: 'postgres'",
        ]
        #expect(try notes() == plain)
        try logins.bench.query(
            """
            CREATE ROLE crowd; GRANT crowd TO web; GRANT \(logins.role("migrated_audit")) TO crowd; CREATE ROLE dba LOGIN SUPERUSER;
            CREATE ROLE runner LOGIN; GRANT pg_write_server_files TO runner; CREATE ROLE maker LOGIN CREATEROLE
            """)
        let version = try Int(logins.bench.query("SHOW server_version_num")) ?? 0
        let maker = "note: logins that can make themselves members of the history's owner: 'maker'"
        #expect(
            try notes() == [
                "note: logins that append events: 'keeper', 'web'", plain[1],
                "note: superusers, who can change the history and all that guards it: 'dba', 'postgres'",
                "note: logins that can act as the server's user on its machine: 'runner'",
            ] + (version < 160_000 ? [maker] : []))
        // Since PostgreSQL 16 it is whoever administers the owner.
        if version >= 160_000 {
            try logins.bench.query(
                "GRANT \(logins.role("audit_owner")) TO maker WITH ADMIN TRUE, INHERIT FALSE, SET FALSE")
            #expect(try notes().last == maker)
        }
    }

    @Test func `as its owner is told where nobody has handed out roles`() throws {
        let logins = try TwoLogins(lacksHistory: true)
        try logins.bench.write("001_t.sql", "CREATE TABLE t (a int);")
        #expect(try logins.bench.run("apply", "--database", logins.login("app")).status == 0)
        let outcome = try verify(logins.login("app"))
        #expect(outcome.status == 0, "\(outcome)")
        #expect(
            outcome.output.contains("note: the history is owned by a login, which can change and drop it: 'app'\n"),
            "\(outcome)")
    }

    @Test(
        arguments: [
            ("CREATE FUNCTION migrated.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'", "function migrated.mine()"),
            ("CREATE VIEW migrated.peep AS SELECT 1 AS a", "view migrated.peep"),
            ("CREATE MATERIALIZED VIEW migrated.m AS SELECT 1 AS a", "materialized view migrated.m"),
            ("CREATE TABLE migrated.t (i int)", "table migrated.t"),
            ("CREATE SEQUENCE migrated.s", "sequence migrated.s"),
            ("CREATE TYPE migrated.e AS ENUM ('a')", "type migrated.e"),
            (
                "CREATE OPERATOR migrated.=== (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = int8eq)",
                "operator migrated.===(bigint,bigint)"
            ),
            (
                "CREATE FOREIGN DATA WRAPPER f; CREATE SERVER s FOREIGN DATA WRAPPER f; CREATE FOREIGN TABLE migrated.ft (i int) SERVER s",
                "foreign table migrated.ft"
            ),
            // Nothing depends on the schema any more, as far as the catalog says.
            (
                "CREATE VIEW migrated.peep AS SELECT 1 AS a; SET allow_system_table_mods = on; DELETE FROM pg_depend WHERE objid = 'migrated.peep'::regclass",
                "view migrated.peep"
            ),
        ])
    func `as something that stands in its schema is found`(sql: String, told: String) throws {
        let history = try RecordedHistory()
        #expect(try verify(history.database.conninfo).status == 0)
        try history.database.query(sql)
        let found = try verify(history.database.conninfo)
        #expect(
            found.status == 1 && found.output.contains("unprotected: \(told) is not of this program\n"), "\(found)")
    }

    /// A right to something that the catalog no longer ties to the schema would be looked for in vain.
    @Test func `through something that was cut loose from its schema is found`() throws {
        let history = try RecordedHistory()
        try history.database.query(
            """
            SET allow_system_table_mods = on; GRANT EXECUTE ON FUNCTION migrated.lock_head(bigint) TO pg_monitor;
            DELETE FROM pg_depend WHERE refclassid = 'pg_namespace'::regclass
               AND objid IN ('migrated.lock_head(bigint)'::regprocedure, 'migrated.orphan_quarantine_id_seq'::regclass)
            """)
        let found = try verify(history.database.conninfo)
        for what in ["function migrated.lock_head(bigint)", "sequence migrated.orphan_quarantine_id_seq"] {
            #expect(found.status == 1, "\(found)")
            #expect(found.output.contains("unprotected: \(what) does not depend on its schema"), "\(found)")
        }
    }

    @Test func `as the view of another, or as an extension's, is found`() throws {
        let history = try RecordedHistory()
        try history.database.query(
            "ALTER VIEW migrated.catalog_state OWNER TO pg_monitor; ALTER EXTENSION plpgsql ADD FUNCTION migrated.lock_head(bigint); ALTER EXTENSION plpgsql ADD TABLE migrated.row_value"
        )
        let found = try verify(history.database.conninfo)
        #expect(found.status == 1, "\(found)")
        for told in [
            "view 'catalog_state' has another owner than the schema",
            "function migrated.lock_head(bigint) belongs to extension 'plpgsql'",
            "table migrated.row_value belongs to extension 'plpgsql'",
        ] { #expect(found.output.contains("unprotected: \(told)\n"), "\(found)") }
    }

    @Test func `by a subscription is found, and by a publication told`() throws {
        var options = Cluster.Options()
        options.isReplicable = true
        options.settings = ["wal_level": "logical"]
        let cluster = try Cluster(options)
        let (source, target) = (try Workbench(cluster), try Workbench(cluster))
        for bench in [source, target] {
            try bench.write("1_a.sql", "SELECT 1;")
            #expect(try bench.run("apply").status == 0)
        }
        try source.query("CREATE PUBLICATION p FOR TABLE migrated.audit_head, migrated.row_value")
        let told = try verify(source.database.conninfo)
        #expect(told.status == 0, "\(told)")
        #expect(told.output.contains("note: publication 'p' hands on 'audit_head', 'row_value'\n"), "\(told)")
        try target.query(
            "CREATE SUBSCRIPTION s CONNECTION '\(source.database.conninfo)' PUBLICATION p WITH (create_slot = false, slot_name = 'none', enabled = false, copy_data = false)"
        )
        let found = try verify(target.database.conninfo)
        #expect(found.status == 1, "\(found)")
        #expect(found.output.contains("unprotected: table 'audit_head' is written by subscription 's'\n"), "\(found)")
    }

    @Test func `through the sessions of everybody, or hidden in an extension, is told`() throws {
        let history = try RecordedHistory()
        let database = history.database
        try database.query(
            """
            CREATE FUNCTION public.at_end() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
            CREATE EVENT TRIGGER odd ON ddl_command_end EXECUTE FUNCTION public.at_end(); ALTER EVENT TRIGGER odd DISABLE;
            ALTER DATABASE \(database.name) SET work_mem = '5MB'; ALTER ROLE postgres IN DATABASE \(database.name) SET search_path = 'x'
            """)
        try database.query("CREATE FUNCTION public.hidden() RETURNS int LANGUAGE sql AS 'SELECT 1'")
        try database.query("ALTER EXTENSION plpgsql ADD FUNCTION public.hidden()")
        // One of these that was put in later, and one that the extension brought itself.
        try database.query("CREATE FUNCTION public.deep() RETURNS int LANGUAGE sql AS 'SELECT 1'")
        try database.query("CREATE EXTENSION citext SCHEMA public")
        try database.query("ALTER EXTENSION citext ADD FUNCTION public.deep()")
        let outcome = try verify(database.conninfo)
        #expect(outcome.status == 0, "\(outcome)")
        let notes = outcome.output.split(separator: "\n").filter { $0.hasPrefix("note: ") }
        #expect(
            notes.dropFirst() == [
                "note: event trigger 'odd' of 'postgres' calls public.at_end() at ddl_command_end (disabled)",
                "note: extension 'citext' was given function public.deep(), which readings of the catalog leave out",
                "note: extension 'plpgsql' was given function public.hidden(), which readings of the catalog leave out",
                "note: sessions of 'postgres' in this database start with settings: 'search_path'",
                "note: sessions of every login in this database start with settings: 'work_mem'",
            ], "\(outcome)")
        let json = try Program.run(
            Program.built("auditctl"),
            ["verify", "-o", "json", "--config", "/dev/null", "--database", database.conninfo])
        #expect(json.output.contains(#""notes":["superusers, "#), "\(json)")
        try database.query("ALTER EXTENSION plpgsql DROP FUNCTION public.hidden()")
    }
}
