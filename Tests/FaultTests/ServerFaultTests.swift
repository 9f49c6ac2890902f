import Glibc
import LiveSupport
import Testing

/// The server refuses, stops or breaks in the middle of a file.
@Suite struct `A server that fails in the middle of a file` {
    /// The file's only effect, and a wait that the test ends by `INSERT INTO go`.
    static let waiting = """
        INSERT INTO counter VALUES ('one');
        DO $$ BEGIN WHILE NOT EXISTS (SELECT FROM go) LOOP PERFORM pg_sleep(0.01); END LOOP; END $$;

        """

    static func ground(_ cluster: Cluster? = nil) throws -> ProvingGround {
        let ground = try ProvingGround(cluster)
        try ground.query("CREATE TABLE counter (file text); CREATE TABLE go (now int)")
        return ground
    }

    /// What holds of every one of them in the end: the effect is there once, and its record with it.
    static func check(_ ground: ProvingGround, _ location: SourceLocation = #_sourceLocation) throws {
        #expect(try ground.query("SELECT file FROM counter") == "one", sourceLocation: location)
        #expect(try ground.events("event = 'applied'") == ["applied 001_one"], sourceLocation: location)
        #expect(try ground.faults() == "", sourceLocation: location)
        #expect(try ground.verify().status == 0, sourceLocation: location)
    }

    @Test func `with a deadlock is asked again`() throws {
        let ground = try Self.ground()
        try ground.query("CREATE TABLE a (); CREATE TABLE b ()")
        // The other one holds b and wants a; the file, which holds a and wants b, is the first to see that.
        let other = try Program(
            Cluster.programs + "/psql", ["-X", "-q", "-d", ground.database.conninfo],
            input: """
                BEGIN;
                LOCK TABLE b;
                DO $$ BEGIN WHILE NOT EXISTS (SELECT FROM pg_locks WHERE granted AND relation = 'a'::regclass) LOOP PERFORM pg_sleep(0.01); END LOOP; END $$;
                LOCK TABLE a;
                INSERT INTO go VALUES (1);
                COMMIT;
                """)
        try eventually("lock") {
            try ground.query("SELECT count(*) FROM pg_locks WHERE granted AND relation = 'b'::regclass") == "1"
        }
        try ground.write(
            "001_one.sql",
            """
            SET LOCAL deadlock_timeout = '1ms';
            INSERT INTO counter VALUES ('one');
            LOCK TABLE a;
            DO $$ BEGIN WHILE NOT EXISTS (SELECT FROM go) AND NOT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND relation = 'a'::regclass)
              LOOP PERFORM pg_sleep(0.01); END LOOP; END $$;
            LOCK TABLE b;

            """)
        let outcome = try ground.run("apply")
        #expect(outcome.status == 0, "\(outcome)")
        try other.wait()
        #expect(
            try ground.events() == ["started 001_one", "failed 001_one deadlock", "started 001_one", "applied 001_one"])
        #expect(
            try ground.query(
                "SELECT sqlstate, detail::json ->> 'retry_in_ms' IS NOT NULL FROM migrated.migration_rollback_audit WHERE event = 'failed'"
            ) == "40P01|t")
        try Self.check(ground)
    }

    @Test func `with a serialization failure is asked again`() throws {
        let ground = try Self.ground()
        // A sequence is read as it is, whatever the snapshot.
        try ground.query("CREATE TABLE balance AS SELECT 1 AS n; CREATE SEQUENCE turn")
        try ground.write(
            "001_one.sql",
            """
            BEGIN ISOLATION LEVEL REPEATABLE READ;
            INSERT INTO counter SELECT 'one' FROM balance;
            DO $$ BEGIN WHILE (SELECT last_value FROM turn) < 2 LOOP PERFORM pg_sleep(0.01); END LOOP; END $$;
            UPDATE balance SET n = n + 1;
            COMMIT;

            """)
        let apply = try ground.start("apply")
        try eventually("snapshot") {
            try ground.query(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'")
                == "1"
        }
        try ground.query("UPDATE balance SET n = 10; SELECT setval('turn', 2)")
        let outcome = try apply.outcome()
        #expect(outcome.status == 0, "\(outcome)")
        #expect(try ground.query("SELECT n FROM balance") == "11")
        #expect(
            try ground.events() == [
                "started 001_one", "failed 001_one serialization_failure", "started 001_one", "applied 001_one",
            ])
        try Self.check(ground)
    }

    /// Not the server: ourselves, by a bug of ours or of a library.
    @Test(arguments: [SIGSEGV, SIGABRT, SIGILL, SIGBUS, SIGTRAP])
    func `and a daemon that crashes leaves nothing that the next one does not find`(signal: Int32) throws {
        let ground = try Self.ground()
        try ground.write("001_one.sql", Self.waiting)
        // Swift's own report of a crash takes a debug build a minute.
        let first = try ground.start("run", environment: ["SWIFT_BACKTRACE": "enable=no"])
        try ground.waitFor("event = 'started'", first)
        first.signal(signal)
        #expect(try first.wait() == .killed(signal))
        try ground.query("INSERT INTO go VALUES (1)")
        let second = try ground.start("run")
        try ground.waitFor("event = 'applied'", second)
        try ground.stop(second)
        #expect(
            try ground.events() == [
                "started 001_one", "interrupted 001_one process_died", "started 001_one", "applied 001_one",
            ])
        try Self.check(ground)
    }

    /// A role's own limit is told by the server in the same code as the server's (53300), and a superuser has none.
    @Test func `with too many connections is waited for, at the start and in the middle of a file`() throws {
        let ground = try Self.ground()
        let role = "limited_\(ground.database.name)"
        try ground.query(
            "CREATE ROLE \(role) LOGIN CONNECTION LIMIT 0; GRANT CREATE ON DATABASE \(ground.database.name) TO \(role); GRANT ALL ON counter, go TO \(role); GRANT pg_signal_backend TO \(role)"
        )
        let conninfo = ground.database.cluster.conninfo(ground.database.name, user: role)
        try ground.write("001_one.sql", Self.waiting)
        let apply = try ground.run("apply", "--database", conninfo)
        #expect(apply.status == 69, "\(apply)")
        #expect(
            apply.errors.contains("too many connections for role") && apply.errors.contains("HINT: Close sessions"),
            "\(apply)")
        let daemon = try ground.start("run", "--database", conninfo)
        try eventually("word of it") { daemon.errorsSoFar.contains("too many connections for role") }
        #expect(try ground.query("SELECT to_regnamespace('migrated') IS NULL") == "t")
        try ground.query("ALTER ROLE \(role) CONNECTION LIMIT -1")
        try ground.waitFor("event = 'started'", daemon)
        let words = daemon.errorsSoFar.count
        try ground.query("ALTER ROLE \(role) CONNECTION LIMIT 0")
        try ground.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '\(role)'")
        try eventually("word of it") { daemon.errorsSoFar.dropFirst(words).contains("too many connections for role") }
        #expect(daemon.isRunning)
        try ground.query("INSERT INTO go VALUES (1); ALTER ROLE \(role) CONNECTION LIMIT -1")
        try ground.waitFor("event = 'applied'", daemon)
        try ground.stop(daemon)
        try Self.check(ground)
    }

    @Test func `with every slot taken is waited for`() throws {
        var options = Cluster.Options()
        options.maximumConnections = 4
        options.settings = ["superuser_reserved_connections": "0", "max_wal_senders": "0"]
        let ground = try Self.ground(Cluster(options))
        try ground.query("INSERT INTO go VALUES (1)")
        try ground.write("001_one.sql", Self.waiting)
        let holders = try (1...4).map { _ in
            try Program(
                Cluster.programs + "/psql", ["-X", "-q", "-d", ground.database.conninfo],
                input: "SELECT 'in'; SELECT pg_sleep(600);")
        }
        try eventually("holders") { holders.allSatisfy { $0.outputSoFar.contains("in") } }
        let apply = try ground.run("apply")
        #expect(
            apply.status == 69 && apply.errors.contains("too many clients already")
                && apply.errors.contains("HINT: Close sessions"), "\(apply)")
        let daemon = try ground.start("run")
        try eventually("word of it") { daemon.errorsSoFar.contains("too many clients already") }
        for holder in holders { holder.signal(SIGINT) }
        try ground.waitFor("event = 'applied'", daemon)
        try ground.stop(daemon)
        try Self.check(ground)
    }

    /// A smart stop waits for its clients, and we are one: the file ends and is recorded. Nobody new is let in.
    @Test func `because of a smart stop lets it come to its end`() throws {
        let cluster = try Cluster()
        let ground = try Self.ground(cluster)
        let gate = try Program(
            Cluster.programs + "/psql", ["-X", "-q", "-d", ground.database.conninfo],
            input: "SELECT pg_advisory_lock(7); SELECT pg_sleep(600);")
        let isShut = "EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = 7)"
        try eventually("gate") { try ground.query("SELECT \(isShut)") == "t" }
        try ground.write(
            "001_one.sql",
            "INSERT INTO counter VALUES ('one');\nDO $$ BEGIN WHILE \(isShut) LOOP PERFORM pg_sleep(0.01); END LOOP; END $$;\n"
        )
        let daemon = try ground.start("run")
        try ground.waitFor("event = 'started'", daemon)
        try cluster.signal(SIGTERM)
        let late = try eventually("refusal") { () -> Program.Outcome? in
            let outcome = try ground.run("plan")
            return outcome.status == 0 ? nil : outcome
        }
        #expect(late.status == 69 && late.errors.contains("the database system is shutting down"), "\(late)")
        gate.signal(SIGINT)
        try eventually("record") { daemon.errorsSoFar.contains("applied 001_one") }
        daemon.signal(SIGTERM)
        #expect(try daemon.outcome().status == 0)
        // The last client has gone, and with it the server.
        try cluster.stop(.smart)
        try cluster.start()
        #expect(try ground.events() == ["started 001_one", "applied 001_one"])
        #expect(
            try ground.query("SELECT count(*) FROM migrated.migration_rollback_audit WHERE event = 'daemon_stopped'")
                == "1")
        try Self.check(ground)
    }

    @Test func `because of a fast stop is tried again when it is back`() throws {
        let cluster = try Cluster()
        let ground = try Self.ground(cluster)
        try ground.write("001_one.sql", Self.waiting)
        let daemon = try ground.start("run")
        try ground.waitFor("event = 'started'", daemon)
        try cluster.stop(.fast)
        try eventually("word of it") {
            daemon.errorsSoFar.contains("terminating connection due to administrator command")
        }
        #expect(daemon.isRunning)
        try cluster.start()
        try ground.query("INSERT INTO go VALUES (1)")
        try ground.waitFor("event = 'applied'", daemon)
        try ground.stop(daemon)
        #expect(try ground.events("event = 'interrupted'") == ["interrupted 001_one connection_lost"])
        try Self.check(ground)
    }

    /// One backend dies, and the server ends all others and recovers.
    @Test func `because another session's backend was killed is tried again`() throws {
        let cluster = try Cluster()
        let ground = try Self.ground(cluster)
        try ground.write("001_one.sql", Self.waiting)
        let daemon = try ground.start("run")
        try ground.waitFor("event = 'started'", daemon)
        let other = try Program(
            Cluster.programs + "/psql", ["-X", "-q", "-A", "-t", "-d", ground.database.conninfo],
            input: "SELECT pg_backend_pid(); SELECT pg_sleep(600);")
        let backend = try eventually("backend") { () -> pid_t? in
            other.outputSoFar.hasSuffix("\n") ? pid_t(other.outputSoFar.dropLast()) : nil
        }
        #expect(kill(backend, SIGKILL) == 0)
        try eventually("recovery") { try cluster.psql(ground.database.name, "INSERT INTO go VALUES (1)").status == 0 }
        try ground.waitFor("event = 'applied'", daemon)
        #expect(cluster.log.contains("was terminated by signal 9"))
        try ground.stop(daemon)
        #expect(try ground.events("event = 'interrupted'") == ["interrupted 001_one connection_lost"])
        try Self.check(ground)
    }
}
