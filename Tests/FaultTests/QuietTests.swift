import LiveSupport
import Testing

/// What the server is asked while nothing happens: a history of many years is not gone through once a minute.
@Suite struct `A daemon with nothing to do` {
    @Test func `asks for the states of its migrations only when something was recorded`() throws {
        let cluster = try Cluster()
        let ground = try ProvingGround(cluster, settings: ProvingGround.quick + "rescan = \"1s\"\n")
        try ground.write("001_one.sql", "CREATE TABLE one ();\n")
        let daemon = try ground.start("run")
        try ground.waitFor("event = 'applied' AND version = '001'", daemon)
        try ground.query("ALTER SYSTEM SET log_statement = 'all'")
        try ground.query("SELECT pg_catalog.pg_reload_conf()")
        func lines(_ words: String) -> Int { cluster.log.split(separator: "\n").filter { $0.contains(words) }.count }
        // A rescan that had begun before may still ask.
        try eventually("a rescan that is logged") { lines(".audit_head AS h") > 1 }
        let (looks, asked) = (lines(".audit_head AS h"), lines(".migration_status"))
        try eventually("three further rescans") { lines(".audit_head AS h") > looks + 2 }
        #expect(lines(".migration_status") == asked)
        // Another's decision is seen.
        #expect(try ground.run("resolve", "001", "--rolled-back", "--reason", "trial").status == 0)
        let others = lines(".migration_status")
        try eventually("a look at the states") { lines(".migration_status") > others }
        try ground.stop(daemon)
        #expect(try ground.faults() == "")
    }
}
