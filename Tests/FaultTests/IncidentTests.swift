import Glibc
import LiveSupport
import Testing

/// What went wrong with other tools, each by its own name; the table in docs/reliability.md says where the others of them are.
@Suite struct `An incident of another tool` {
    /// flyway/flyway#1654 and peterldowns/pgmigrate#25: the build waits for every open transaction, also for one that waits for the lock; and a
    /// limit on lock waits ends the tool's own.
    @Test func `a concurrent build and a process that waits for the lock do not meet, whatever limits the role has`()
        throws
    {
        let ground = try ProvingGround()
        try ground.query("CREATE TABLE t AS SELECT 1 AS a")
        for limit in [
            "lock_timeout = '20ms'", "deadlock_timeout = '1ms'", "default_transaction_isolation = 'repeatable read'",
        ] {
            try ground.query("ALTER DATABASE \(ground.database.name) SET \(limit)")
        }
        try ground.write("001_index.sql", "CREATE INDEX CONCURRENTLY t_a ON t (a);\n")
        // Somebody's open transaction holds the build up for as long as the test wants.
        let holder = try Program(
            Cluster.programs + "/psql", ["-X", "-q", "-d", ground.database.conninfo],
            input: "BEGIN; INSERT INTO t VALUES (2); SELECT pg_sleep(600);")
        try eventually("open transaction") {
            try ground.query(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'")
                == "1"
        }
        let first = try ground.start("apply")
        try eventually("waiting build") {
            try ground.query(
                "SELECT count(*) FROM pg_stat_progress_create_index WHERE datname = current_database() AND phase LIKE 'waiting%'"
            ) == "1"
        }
        let second = try ground.start("apply", "--lock-wait", "1min")
        let asks =
            "SELECT coalesce(max(query_start), '-infinity') FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE '% \(second.process)' AND query LIKE '%pg_try_advisory_lock%'"
        try eventually("first question") { try ground.query(asks) != "-infinity" }
        let asked = try ground.query(asks)
        try eventually("another question") { try ground.query(asks) != asked }
        holder.signal(SIGINT)
        let outcomes = try (first.outcome(), second.outcome())
        #expect(outcomes.0.status == 0, "\(outcomes.0)")
        #expect(outcomes.1.status == 0, "\(outcomes.1)")
        #expect(try ground.events() == ["started 001_index", "statement_applied 001_index", "applied 001_index"])
        #expect(try ground.query("SELECT indisvalid FROM pg_index WHERE indrelid = 't'::regclass") == "t")
        #expect(try ground.faults() == "")
        #expect(try ground.verify().status == 0)
    }

    /// prisma/orm#12999: the way to the server falls silent, and nobody closes it.
    @Test func `a way that falls silent is given up at the deadline, and what it had open is rolled back`() throws {
        let ground = try `A server that fails in the middle of a file`.ground()
        let text = "-- migrated: deadline=500ms\nINSERT INTO counter VALUES ('one');\n"
        try ground.write("001_one.sql", text)
        // A run that is watched tells where the file's own text goes by.
        let watched = try `A server that fails in the middle of a file`.ground()
        try watched.write("001_one.sql", text)
        let conninfo = "user=postgres dbname=\(ground.database.name) host="
        let witness = try Proxy(to: ground.database.cluster)
        _ = try watched.run(
            "apply", "--database", "user=postgres dbname=\(watched.database.name) host=\(witness.directory)")
        let sent = witness.messages.filter { $0.direction == .toServer }
        let place = try #require(sent.firstIndex { $0.isFile })
        let proxy = try Proxy(
            to: ground.database.cluster, Proxy.Fault(kind: .silence, direction: .toServer, number: place + 1))
        let outcome = try ground.run("apply", "--database", conninfo + proxy.directory)
        #expect(proxy.hasStruck)
        #expect(
            outcome.status == 1 && outcome.errors.contains("the file did not end before its deadline"), "\(outcome)")
        #expect(try ground.events() == ["started 001_one", "failed 001_one deadline"])
        #expect(try ground.query("SELECT count(*) FROM counter") == "0")
        #expect(try ground.run("retry").status == 0)
        #expect(try ground.run("apply").status == 0)
        try `A server that fails in the middle of a file`.check(ground)
    }
}
