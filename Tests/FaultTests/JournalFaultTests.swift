import LiveSupport
import Testing

/// The journal is the second witness: a migration never waits for it, and what it did not take is counted.
@Suite struct `A journal that does not read` {
    static let chatter = "DO $$ BEGIN FOR n IN 1..3000 LOOP RAISE NOTICE 'notice %', n; END LOOP; END $$;\n"

    @Test func `holds up no migration, however much that says`() throws {
        let ground = try ProvingGround()
        let deaf = try FakeSocket(ground.folder.path("journal"))
        try ground.write("001_chatter.sql", Self.chatter)
        let outcome = try ground.run("apply", environment: ["MIGRATED_JOURNAL_SOCKET": deaf.path])
        #expect(outcome.status == 0)
        #expect(try ground.events() == ["started 001_chatter", "applied 001_chatter"])
        let said = try ground.query(
            "SELECT detail::json->'notices'->>'count' FROM migrated.migration_rollback_audit WHERE event = 'applied'")
        #expect(said == "3000")
    }

    @Test func `has what it did not take counted in a later entry`() throws {
        let ground = try ProvingGround()
        let deaf = try FakeSocket(ground.folder.path("journal"))
        // Two hundred notices of each file are told: more than the daemon's queue of 4096 entries.
        for number in 100..<130 { try ground.write("\(number)_chatter.sql", Self.chatter) }
        let daemon = try ground.start("run", environment: ["MIGRATED_JOURNAL_SOCKET": deaf.path])
        try ground.waitFor("event = 'applied' AND version = '129'", daemon)
        _ = deaf.datagrams
        try ground.write("200_after.sql", "SELECT 1;\n")
        try eventually("count of what was dropped") {
            deaf.text.contains("\nMIGRATED_JOURNAL_DROPPED=")
        }
        try ground.waitFor("event = 'applied' AND version = '200'", daemon)
        try ground.stop(daemon)
        let heard = deaf.datagrams.map { String(decoding: $0, as: UTF8.self) }
        let dropped = heard.reduce(0) { sum, entry in
            let line = entry.split(separator: "\n").first { $0.hasPrefix("MIGRATED_JOURNAL_DROPPED=") }
            return sum + (line.flatMap { Int($0.split(separator: "=")[1]) } ?? 0)
        }
        // Every line that went to stderr went to the journal too, or was counted.
        let told = daemon.errorsSoFar.split(separator: "\n").count { $0.hasPrefix("migrated: ") }
        #expect(heard.count + dropped == told, "\(heard.count) heard, \(dropped) dropped, \(told) told")
        #expect(dropped > 0)
    }

    @Test func `because it is not there is no reason to stop either`() throws {
        let ground = try ProvingGround()
        try ground.write("001_one.sql", "CREATE TABLE one ();\n")
        let outcome = try ground.run(
            "apply", environment: ["MIGRATED_JOURNAL_SOCKET": ground.folder.path("nowhere")])
        #expect(outcome.status == 0, "\(outcome)")
        #expect(outcome.errors.contains("applied 001_one"))
    }
}
