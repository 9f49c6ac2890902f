import Glibc
import LiveSupport
import Testing

/// The one-time token of an attempt, the session with the lock, and the head: what a login that runs files, or one that only connects, can do with them.
@Suite(.serialized) struct `The token and the lock` {
    @Test(arguments: [true, false]) func `the token ends with the attempt`(fails: Bool) throws {
        let logins = try TwoLogins()
        try logins.bench.write("001_t.sql", fails ? "SELECT 1/0;" : "CREATE TABLE t (a int);")
        #expect(try logins.run("apply").status == (fails ? 1 : 0))
        #expect(try logins.bench.query("SELECT token IS NULL, worker IS NULL FROM migrated.audit_head") == "t|t")
        // A process that was killed leaves one; whoever closes its attempt ends it.
        try logins.bench.write("001_t.sql", "SELECT 2;")
        try logins.bench.write("002_u.sql", "CREATE TABLE u (a int);")
        let killed = try logins.run("apply", environment: ["MIGRATED_FAILPOINT": "before-append:\(fails ? 2 : 1)"])
        #expect(killed.status != 0)
        #expect(try logins.bench.query("SELECT token IS NULL FROM migrated.audit_head") == "f")
        try logins.bench.folder.remove("m/002_u.sql")
        _ = try logins.run("apply")
        #expect(try logins.bench.query("SELECT token IS NULL FROM migrated.audit_head") == "t")
    }

    /// Whoever reads it in the server's log is in another backend.
    @Test func `the token counts in one backend only`() throws {
        let logins = try TwoLogins()
        let call =
            "SELECT migrated.append_attempt('x', pg_backend_pid(), NULL, NULL, NULL, ARRAY[NULL::migrated.migration_rollback_audit])"
        try logins.bench.query("UPDATE migrated.audit_head SET token = sha256('x'), worker = 1")
        for statement in [call, "SELECT migrated.read_catalog_at_end('x', gen_random_uuid(), '{}', NULL, NULL)"] {
            #expect(try logins.bench.database.psql(statement, user: "app").errors.contains("no such token is expected"))
        }
        // In the right backend it is let through to the next question: whether the lock is held by a login that keeps the history.
        try logins.bench.query("CREATE TABLE go (a int); GRANT SELECT ON go TO app")
        let mine = try Program(
            Cluster.programs + "/psql", ["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", logins.login("app"), "-f", "-"],
            input: """
                SELECT pg_advisory_lock(7883946363647714660);
                DO $$ BEGIN WHILE NOT EXISTS (SELECT FROM go) LOOP PERFORM pg_sleep(0.01); END LOOP; END $$;
                \(call);
                """)
        try eventually("the lock is held by a file's login", within: .seconds(30)) {
            try logins.bench.query(
                "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            ) == "1"
        }
        try logins.bench.query(
            "UPDATE migrated.audit_head SET worker = (SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())); INSERT INTO go VALUES (1)"
        )
        let outcome = try mine.outcome()
        #expect(outcome.errors.contains("the lock on the database is not held by process"), "\(outcome)")
    }

    @Test func `the token is not in the server's log when its call fails`() throws {
        var options = Cluster.Options()
        options.settings = ["log_parameter_max_length_on_error": "-1", "log_min_error_statement": "error"]
        let cluster = try Cluster(options)
        let bench = try Workbench(cluster)
        try bench.write("001_t.sql", "CREATE TABLE t (a int);")
        let applied = try bench.start("apply", environment: ["MIGRATED_FAILPOINT": "before-append:1:stop"])
        try eventually("frozen before the append", within: .seconds(30)) { applied.isStopped }
        // The session with the lock goes; the append is refused.
        try bench.query("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'")
        try eventually("the end of the lock", within: .seconds(30)) {
            try bench.query("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == "0"
        }
        applied.signal(SIGCONT)
        let outcome = try applied.outcome()
        #expect(outcome.status == 0, "\(outcome)")
        #expect(try bench.events("event = 'interrupted'") == ["interrupted 001_t lock_lost"])
        let log = cluster.log
        #expect(log.contains("the lock on the database is not held by process"), "\(log)")
        #expect(!log.contains("$1 = '\\x"), "\(log)")
    }

    /// A file ends every session of its own login: that of the lock is none of them.
    @Test func `a file cannot end the session with the lock`() throws {
        let logins = try TwoLogins()
        try logins.bench.write(
            "001_t.sql",
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = current_user AND pid <> pg_backend_pid(); CREATE TABLE t (a int);"
        )
        let outcome = try logins.run("apply")
        #expect(outcome.status == 0, "\(outcome)")
        try logins.bench.write(
            "002_u.sql", "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory';")
        let refused = try logins.run("apply")
        #expect(
            refused.status == 1
                && refused.errors.contains("must be a member of the role whose process is being terminated"),
            "\(refused)")
        #expect(try logins.verdict().hasPrefix("intact: 4 events"))
    }

    @Test func `a stranger that holds the lock is named`() throws {
        let logins = try TwoLogins()
        let bench = logins.bench
        try bench.write("001_t.sql", "CREATE TABLE t (a int);")
        let stranger = try HeldSession(
            bench.database, "SET application_name = 'migrated host 1'; SELECT pg_advisory_lock(7883946363647714660);",
            user: "web")
        try eventually("the stranger has the lock", within: .seconds(30)) {
            try bench.query(
                "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            ) == "1"
        }
        let backend = try bench.query(
            "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        let outcome = try logins.run("apply", "--lock-wait", "0s")
        #expect(outcome.status == 75, "\(outcome)")
        #expect(outcome.errors.contains("held by a login that is none of migrated's"), "\(outcome.errors)")
        #expect(outcome.errors.contains("role 'web', backend \(backend)"), "\(outcome.errors)")
        #expect(outcome.errors.contains("SELECT pg_terminate_backend(\(backend))"), "\(outcome.errors)")
        #expect(try bench.events() == ["skipped 001_t locked_by_other_role"])
        #expect(
            try bench.query("SELECT detail::json -> 'holder' ->> 'db_user' FROM migrated.migration_rollback_audit")
                == "web")
        stranger.end()
        #expect(try logins.run("apply").status == 0)
    }

    @Test func `the head is locked by nobody but whose attempt it is`() throws {
        let logins = try TwoLogins()
        for user in ["app", "web", "alice"] {
            let outcome = try logins.bench.database.psql("SELECT migrated.lock_head(NULL)", user: user)
            #expect(outcome.status != 0, "\(user)")
            #expect(
                outcome.errors.contains(
                    user == "app" ? "no attempt of this session is under way" : "permission denied"), "\(outcome)")
        }
    }

    @Test func `who holds the head is named`() throws {
        let logins = try TwoLogins()
        try logins.bench.write("001_t.sql", "CREATE TABLE t (a int);")
        let holder = try HeldSession(logins.bench.database, "BEGIN; SELECT migrated.lock_head(NULL);", user: "keeper")
        try eventually("the head is held", within: .seconds(30)) {
            try logins.bench.query(
                "SELECT count(*) FROM pg_locks WHERE relation = 'migrated.audit_head'::regclass AND mode = 'RowShareLock'"
            ) == "1"
        }
        let outcome = try logins.run("apply")
        #expect(outcome.status == 75, "\(outcome)")
        #expect(
            outcome.errors.contains("the head of the history in schema \"migrated\" is locked by backend"),
            "\(outcome.errors)")
        #expect(outcome.errors.contains("role 'keeper', 'psql'"), "\(outcome.errors)")
        holder.end()
        #expect(try logins.run("apply").status == 0)
    }
}
