import Digest
import LiveSupport
import Testing

/// A file of each kind: one transaction, cut by a concurrent build, with transactions of its own.
enum BrokenWay {
    static let files = [
        "001_one.sql": "CREATE TABLE counter (file text);\nINSERT INTO counter VALUES ('one');\n",
        "002_mixed.sql": """
        INSERT INTO counter VALUES ('mixed a');
        CREATE INDEX CONCURRENTLY counter_file ON counter (file);
        INSERT INTO counter VALUES ('mixed b');
        """,
        "003_own.sql": """
        BEGIN;
        INSERT INTO counter VALUES ('own a');
        COMMIT;
        INSERT INTO counter VALUES ('own b');
        """,
    ]
    static let effects = "mixed a\nmixed b\none\nown a\nown b"
}

/// SQLite's loop (its "ioerr" tests): break at the n-th message, n = 1, 2, 3 …, until a run comes to its end untouched.
@Suite struct `The way to the server breaks at the n-th message` {
    /// How many places of each way are tried; `MIGRATED_FAULT_PLACES=100000` tries them all.
    static let places = environmentNumber("MIGRATED_FAULT_PLACES") ?? 6

    /// Applies through a proxy, then directly until done, and checks that each effect is there once and the history whole.
    private func run(_ fault: Proxy.Fault?) throws -> Proxy {
        let ground = try ProvingGround()
        try ground.write(BrokenWay.files)
        let proxy = try Proxy(to: ground.database.cluster, fault)
        let place = Comment(rawValue: fault.map { "\($0)" } ?? "untouched")
        let first = try ground.run(
            "apply", "--database", "host=\(proxy.directory) user=postgres dbname=\(ground.database.name)")
        #expect([0, 69, 75].contains(first.status), "\(place) \(first)")
        if first.status != 0 {
            #expect(first.errors.contains("migrated: "), "\(place) \(first)")
            let second = try ground.run("apply")
            #expect(second.status == 0, "\(place) \(second)")
        }
        let found = try ground.query("SELECT file FROM counter ORDER BY 1")
        let events = try ground.events()
        #expect(found == BrokenWay.effects, "\(place)\n\(first)\n\(events)")
        #expect(try ground.query("SELECT indisvalid FROM pg_index WHERE indrelid = 'counter'::regclass") == "t", place)
        #expect(try ground.faults() == "", place)
        #expect(try ground.applied() == ["001_one", "002_mixed", "003_own"], place)
        for (_, text) in BrokenWay.files {
            let checksum = "sha256:" + SHA256.hex(Array(text.utf8))
            let kept = try ground.query(
                "SELECT convert_from(source, 'UTF8') = $text$\(text)$text$ FROM migrated.migration_source WHERE checksum = '\(checksum)'"
            )
            #expect(kept == "t", place)
        }
        return proxy
    }

    @Test(
        arguments: [
            (.cut, .toServer), (.half, .toServer), (.swallow, .toServer), (.cut, .toClient), (.half, .toClient),
            (.delay, .toServer), (.delay, .toClient),
        ] as [(Proxy.Kind, Proxy.Direction)], [false, true])
    func `and each file's effects are there once`(way: (kind: Proxy.Kind, direction: Proxy.Direction), persists: Bool)
        throws
    {
        if way.kind == .delay, persists { return }
        let count = try run(nil).messages.count { $0.direction == way.direction }
        let step = max(1, count / Self.places)
        // Each way begins at another place, so that together they try more of them.
        var number = 1 + (way.kind.rawValue.utf8.reduce(0) { $0 + Int($1) } + (persists ? step / 2 : 0)) % step
        while true {
            let fault = Proxy.Fault(kind: way.kind, direction: way.direction, number: number, persists: persists)
            guard try run(fault).hasStruck else { break }
            number += step
        }
        #expect(number > count - step, "an untouched run has \(count) messages, \(number) was not reached")
    }

    @Test func `and every lost answer to COMMIT is settled by what is recorded`() throws {
        let messages = try run(nil).messages.filter { $0.direction == .toServer }
        let commits = messages.indices.filter { messages[$0].commits }
        #expect(commits.count >= 6)
        for index in commits {
            // The COMMIT itself, and the Sync behind it that the answer comes for.
            let sync = messages[index...].firstIndex { $0.type == UInt8(ascii: "S") } ?? index
            for place in Set([index, sync]) {
                let proxy = try run(Proxy.Fault(kind: .swallow, direction: .toServer, number: place + 1))
                #expect(proxy.hasStruck)
            }
        }
    }
}
