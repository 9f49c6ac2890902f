import Glibc
import LiveSupport
import Testing

@Suite struct `A private server` {
    @Test func `gives every test an empty database of its own`() throws {
        let cluster = try Cluster.shared()
        let first = try cluster.createDatabase()
        let second = try cluster.createDatabase()
        try first.query("CREATE TABLE only_here (id int)")
        #expect(try first.query("SELECT count(*), 'x' FROM only_here") == "0|x")
        #expect(try second.query("SELECT to_regclass('only_here') IS NULL") == "t")
    }

    @Test func `says what psql says, and stops at the first error`() throws {
        let outcome = try Cluster.shared().createDatabase().psql("SELECT 1; SELECT 1/0; SELECT 2")
        #expect(outcome.status == 3)
        #expect(outcome.output == "1\n")
        #expect(outcome.errors.contains("division by zero"))
    }

    @Test func `keeps what was committed over an immediate stop`() throws {
        var options = Cluster.Options()
        options.isDurable = true
        options.maximumConnections = 20
        let cluster = try Cluster(options)
        let database = try cluster.createDatabase()
        try database.query("CREATE TABLE kept AS SELECT 7 AS number")
        try cluster.stop(.immediate)
        #expect(try database.psql("SELECT 1").status == 2)
        try cluster.start()
        #expect(try database.query("SELECT number FROM kept") == "7")
        #expect(try database.query("SHOW max_connections") == "20")
        #expect(cluster.log.contains("was not properly shut down"))
        try cluster.stop(.fast)
        #expect(cluster.log.contains("database system is shut down"))
    }

    @Test func `can be followed by a standby that takes over`() throws {
        var options = Cluster.Options()
        options.isReplicable = true
        let primary = try Cluster(options)
        let database = try primary.createDatabase()
        try database.query("CREATE TABLE told AS SELECT 'once' AS word")
        let standby = try Cluster(copying: primary, asStandby: true, options)
        let there = Database(cluster: standby, name: database.name)
        #expect(try there.query("SELECT pg_is_in_recovery(), word FROM told") == "t|once")
        try primary.stop(.immediate)
        try standby.promote()
        #expect(try there.query("INSERT INTO told VALUES ('again') RETURNING pg_is_in_recovery()") == "f")
    }

    @Test func `says why it did not start`() throws {
        var options = Cluster.Options()
        options.settings["no_such_setting"] = "it's"
        #expect {
            try Cluster(options)
        } throws: {
            "\($0)".contains("unrecognized configuration parameter \"no_such_setting\"")
        }
    }

    @Test func `leaves nothing behind when the test process is killed`() async throws {
        let result = try await #require(
            processExitsWith: .signal(SIGKILL), observing: [\.standardOutputContent]
        ) {
            let cluster = try Cluster()
            let sleeper = try Program("/bin/sleep", ["600"])
            try cluster.createDatabase().query("SELECT 1")
            print("left behind: \(cluster.directory) \(sleeper.process)")
            fflush(nil)
            kill(getpid(), SIGKILL)
        }
        let printed = String(decoding: result.standardOutputContent, as: UTF8.self)
        let line = try #require(printed.split(separator: "\n").first { $0.hasPrefix("left behind: ") })
        let words = line.split(separator: " ").map(String.init)
        try eventually("removal of '\(words[2])'") { access(words[2], F_OK) != 0 }
        let sleeper = try #require(pid_t(words[3]))
        try eventually("end of the child") { kill(sleeper, 0) != 0 || isZombie(sleeper) }
    }
}

/// Whether a process has ended and nobody has asked for its status: its new parent may be slow to.
private func isZombie(_ process: pid_t) -> Bool {
    let status = try? Program.run("/bin/grep", ["-q", "^State:.Z", "/proc/\(process)/status"]).status
    return status != 1
}
