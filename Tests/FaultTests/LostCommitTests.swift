import Glibc
import LiveSupport
import Testing

/// COMMIT has been sent and its answer never comes: the hardest question a migration tool is asked.
///
/// A server whose synchronous standby does not exist commits on its own disk and then waits before it answers (PostgreSQL manual 27.2.8):
/// ending the session in that moment loses the answer and nothing else.
@Suite struct `A lost answer to COMMIT` {
    static let options = {
        var options = Cluster.Options()
        options.isReplicable = true
        return options
    }()

    /// A file that waits until the test says go, so that the server stops answering exactly at its COMMIT.
    static func waiting(_ more: String = "") -> String {
        """
        \(more)
        INSERT INTO counter VALUES ('one');
        DO $$ BEGIN WHILE NOT EXISTS (SELECT FROM go) LOOP PERFORM pg_sleep(0.01); END LOOP; END $$;
        """
    }

    private func ground(_ cluster: Cluster) throws -> ProvingGround {
        let ground = try ProvingGround(cluster)
        try ground.query("CREATE TABLE counter (file text); CREATE TABLE go (now int)")
        try ground.write("002_two.sql", "INSERT INTO counter VALUES ('two');\n")
        return ground
    }

    /// Lets the file go on to a COMMIT that is not answered; returns its backend.
    private func hang(_ ground: ProvingGround) throws -> String {
        try ground.waitFor("event = 'started' AND version = '001'")
        // Two statements of their own: ALTER SYSTEM runs in no transaction block.
        try ground.query("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
        try ground.query("SELECT pg_reload_conf()")
        try ground.query("INSERT INTO go VALUES (1)")
        let backend = try eventually("COMMIT that waits") { () -> String? in
            let found = try ground.query("SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep' LIMIT 1")
            return found.isEmpty ? nil : found
        }
        // It is the file's own: until it is answered nobody sees what it has committed.
        #expect(try ground.events() == ["started 001_one"])
        return backend
    }

    private func answerAgain(_ ground: ProvingGround) throws {
        try ground.query("ALTER SYSTEM RESET synchronous_standby_names")
        try ground.query("SELECT pg_reload_conf()")
    }

    private func check(_ ground: ProvingGround) throws {
        #expect(try ground.query("SELECT file FROM counter ORDER BY 1") == "one\ntwo")
        #expect(try ground.faults() == "")
        #expect(
            try ground.events() == [
                "started 001_one", "applied 001_one", "started 002_two", "applied 002_two",
            ])
    }

    @Test func `is found committed where it is, and the file is not run again`() throws {
        let ground = try ground(Cluster(Self.options))
        try ground.write("001_one.sql", Self.waiting())
        let apply = try ground.start("apply")
        let backend = try hang(ground)
        try ground.query("SELECT pg_terminate_backend(\(backend))")
        try answerAgain(ground)
        let outcome = try apply.outcome()
        #expect(outcome.status == 0, "\(outcome)")
        try check(ground)
    }

    @Test func `waits for the answer even where the file has asked for none`() throws {
        let ground = try ground(Cluster(Self.options))
        try ground.write("001_one.sql", Self.waiting("SET synchronous_commit = off;"))
        let apply = try ground.start("apply")
        let backend = try hang(ground)
        try ground.query("SELECT pg_terminate_backend(\(backend))")
        try answerAgain(ground)
        let outcome = try apply.outcome()
        #expect(outcome.status == 0, "\(outcome)")
        try check(ground)
    }

    @Test func `is settled by the daemon once a server that died over it is back`() throws {
        let ground = try ground(Cluster(Self.options))
        try ground.write("001_one.sql", Self.waiting())
        let daemon = try ground.start("run")
        _ = try hang(ground)
        try ground.database.cluster.stop(.immediate)
        try eventually("word of the missing server") { daemon.errorsSoFar.contains("connection to server") }
        #expect(daemon.isRunning)
        try ground.database.cluster.start()
        // Its standby is still missing: the settings were kept.
        try answerAgain(ground)
        try ground.waitFor("event = 'applied' AND version = '002'", daemon)
        #expect(try ground.query("SELECT file FROM counter ORDER BY 1") == "one\ntwo")
        #expect(try ground.faults() == "")
        #expect(try ground.events("event = 'applied'") == ["applied 001_one", "applied 002_two"])
        try ground.stop(daemon)
    }

    /// Longer than the daemon's waits between two tries grow at first, so that it has tried several times in vain.
    @Test func `is settled after an outage in which the daemon goes on serving, and nothing else is begun`() throws {
        let ground = try ground(Cluster(Self.options))
        try ground.write("001_one.sql", Self.waiting())
        let notify = try FakeSocket(ground.folder.path("notify"))
        let daemon = try ground.start(
            "run", environment: ["NOTIFY_SOCKET": notify.path, "WATCHDOG_USEC": "1000000"])
        _ = try hang(ground)
        try ground.database.cluster.stop(.immediate)
        try eventually("status") { notify.text.contains("STATUS=waiting for database") }
        usleep(6_000_000)
        notify.clear()
        try eventually("watchdog") { notify.text.contains("WATCHDOG=1") }
        #expect(!notify.text.contains("STATUS="), "the status is still the same: \(notify.text)")
        // A third file comes meanwhile; it has its turn behind the others.
        try ground.write("003_three.sql", "INSERT INTO counter VALUES ('zero');\n")
        daemon.signal(SIGHUP)
        try eventually("reload") { daemon.errorsSoFar.contains("configuration reloaded") }
        try ground.database.cluster.start()
        try answerAgain(ground)
        try ground.waitFor("event = 'applied' AND version = '003'", daemon)
        try ground.stop(daemon)
        #expect(try ground.query("SELECT file FROM counter ORDER BY 1") == "one\ntwo\nzero")
        #expect(
            try ground.events("event = 'applied'") == ["applied 001_one", "applied 002_two", "applied 003_three"])
        // Its begin was in the first one's commit, whose answer nobody has heard.
        #expect(
            try ground.events("event NOT IN ('started', 'applied')") == ["interrupted 002_two connection_lost"])
        #expect(try ground.faults() == "")
    }

    @Test func `is found not committed where the server never saw it, and the file is tried again`() throws {
        let ground = try ground(Cluster.shared())
        try ground.write("001_one.sql", "INSERT INTO counter VALUES ('one');\n")
        let conninfo = "user=postgres dbname=\(ground.database.name) host="
        // The schema, then a run that is watched to learn where the file's COMMIT goes by.
        #expect(try ground.run("retry").status == 0)
        let watched = try ProvingGround()
        try watched.query("CREATE TABLE counter (file text); CREATE TABLE go (now int)")
        #expect(try watched.run("retry").status == 0)
        try watched.write("001_one.sql", "INSERT INTO counter VALUES ('one');\n")
        let witness = try Proxy(to: ground.database.cluster)
        _ = try watched.run(
            "apply", "--database", "user=postgres dbname=\(watched.database.name) host=\(witness.directory)")
        let sent = witness.messages.filter { $0.direction == .toServer }
        let place = try #require(sent.lastIndex { $0.commits })
        try ground.folder.remove("m/002_two.sql")
        let proxy = try Proxy(
            to: ground.database.cluster, Proxy.Fault(kind: .cut, direction: .toServer, number: place + 1))
        let outcome = try ground.run("apply", "--database", conninfo + proxy.directory)
        #expect(outcome.status == 0, "\(outcome)")
        #expect(proxy.hasStruck)
        #expect(
            try ground.events() == [
                "started 001_one", "interrupted 001_one connection_lost", "started 001_one", "applied 001_one",
            ])
        #expect(try ground.query("SELECT file FROM counter ORDER BY 1") == "one")
        #expect(try ground.faults() == "")
    }
}
