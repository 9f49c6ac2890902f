import Glibc
import LiveSupport
import Testing

/// Packets that the kernel loses: nothing is closed, nobody is told, only time passes. The proxy cannot do that: its two ends acknowledge what
/// they are sent.
@Suite(.enabled(if: LossyNetwork.isPossible, "no network can be made here: run as root with iproute2"))
struct `A network that loses everything` {
    private static func ground(_ network: LossyNetwork) throws -> ProvingGround {
        var options = Cluster.Options()
        options.launcher = network.atServer
        // The server gives its half of a lost session up as soon as the client does.
        options.settings = ["listen_addresses": network.address, "tcp_user_timeout": "2000"]
        options.hostBasedAuthentication = ["local all all trust", "host all all 10.93.0.0/16 trust"]
        return try `A server that fails in the middle of a file`.ground(Cluster(options))
    }

    /// The kernel's limits, shortened by the keywords that an operator has for it.
    private static func conninfo(_ ground: ProvingGround, _ network: LossyNetwork, _ more: String) -> String {
        "host=\(network.address) sslmode=disable user=postgres dbname=\(ground.database.name) \(more)"
    }

    @Test(arguments: [
        // Nothing was sent that could be acknowledged: only keepalives find out.
        "keepalives_idle=1 keepalives_interval=1 keepalives_count=2 tcp_user_timeout=2000"
    ])
    func `interrupts the file within the time-outs, and the daemon serves and goes on when it is back`(timeouts: String)
        throws
    {
        let network = try LossyNetwork()
        let ground = try Self.ground(network)
        let notify = try FakeSocket(ground.folder.path("notify"))
        try ground.write("001_one.sql", `A server that fails in the middle of a file`.waiting)
        let daemon = try ground.start(
            "run", "--database", Self.conninfo(ground, network, timeouts),
            environment: ["NOTIFY_SOCKET": notify.path, "WATCHDOG_USEC": "1000000"], launcher: network.atClient)
        try ground.waitFor("event = 'started'", daemon)
        try network.loseAll()
        try eventually("word of it") {
            daemon.errorsSoFar.contains("could not receive data from server")
                || daemon.errorsSoFar.contains("timed out")
        }
        #expect(try ground.events("event <> 'started'") == [])
        // It is served meanwhile: the watchdog, a request to read the configuration again.
        notify.clear()
        try eventually("watchdog") { notify.text.contains("WATCHDOG=1") }
        daemon.signal(SIGHUP)
        try eventually("reload") { daemon.errorsSoFar.contains("configuration reloaded") }
        #expect(notify.text.contains("STATUS=waiting for database"), "\(notify.text)")
        try ground.query("INSERT INTO go VALUES (1)")
        try network.deliver()
        try ground.waitFor("event = 'applied'", daemon)
        try ground.stop(daemon)
        let interruptions = try ground.events("event = 'interrupted'")
        #expect(interruptions == ["interrupted 001_one connection_lost"], "\(interruptions) \(daemon.errorsSoFar)")
        try `A server that fails in the middle of a file`.check(ground)
    }

    /// By hand: the limits of the connection string are the kernel's, the watchdog's are ours.
    @Test func `lets a stop through, whatever is on its way`() throws {
        let network = try LossyNetwork()
        let ground = try Self.ground(network)
        try ground.write("001_one.sql", `A server that fails in the middle of a file`.waiting)
        // Longer than the test: nothing but the request to stop ends this.
        let patient = "keepalives=0 tcp_user_timeout=600000"
        let daemon = try ground.start(
            "run", "--database", Self.conninfo(ground, network, patient), launcher: network.atClient)
        try ground.waitFor("event = 'started'", daemon)
        try network.loseAll()
        daemon.signal(SIGTERM)
        // The statement is cancelled, which does not arrive either, then the session given up after ten seconds.
        let outcome = try daemon.outcome(within: .seconds(30))
        #expect(outcome.status == 0, "\(outcome)")
        try network.deliver()
        try ground.query("INSERT INTO go VALUES (1)")
        let second = try ground.run("apply")
        #expect(second.status == 0, "\(second)")
        #expect(
            try ground.events() == [
                "started 001_one", "interrupted 001_one process_died", "started 001_one", "applied 001_one",
            ])
        try `A server that fails in the middle of a file`.check(ground)
    }

    /// Looking a name up blocks whoever asks the system's resolver, here until that gives up a server that never answers.
    @Test func `holds up a name's look-up, and nothing else`() throws {
        let network = try LossyNetwork()
        let ground = try ProvingGround()
        try network.loseAll()
        let resolver = try ground.folder.write(
            "resolv.conf", "nameserver \(network.address)\noptions timeout:3 attempts:1\n")
        let notify = try FakeSocket(ground.folder.path("notify"))
        let daemon = try ground.start(
            "run", "--database", "host=db.test user=postgres dbname=app",
            environment: ["NOTIFY_SOCKET": notify.path, "WATCHDOG_USEC": "1000000"],
            launcher: network.atClient + [
                "/usr/bin/unshare", "--mount", "/bin/sh", "-c",
                "mount --bind \(resolver) /etc/resolv.conf && exec \"$@\"", "sh",
            ])
        try eventually("readiness") { notify.text.contains("READY=1") }
        let said = notify.datagrams.map { String(decoding: $0, as: UTF8.self) }
        let ready = try #require(said.firstIndex { $0.contains("READY=1") })
        #expect(said[ready].contains("STATUS=waiting for database"), "\(said)")
        #expect(said[..<ready].contains { $0.contains("WATCHDOG=1") }, "\(said)")
        try ground.stop(daemon)
    }
}
