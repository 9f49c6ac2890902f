import Glibc
import Reporting
import Testing

@testable import Systemd

@Suite struct `The journal writer` {
    let directory: TemporaryDirectory
    var path: String { directory.at("journal") }

    init() throws { directory = try TemporaryDirectory() }

    @Test func `an entry arrives as journald reads it`() throws {
        let journal = try Listener(path)
        let writer = JournalWriter(path: path)
        #expect(writer.isAvailable)
        writer.send([("MESSAGE", "one\ntwo"), ("PRIORITY", "6"), ("EMPTY", ""), ("PRIORITY", "=5")])
        let entry = try #require(journal.take())
        let expected =
            Array("MESSAGE\n".utf8) + [7, 0, 0, 0, 0, 0, 0, 0]
            + Array("one\ntwo\nPRIORITY=6\nEMPTY=\nPRIORITY==5\n".utf8)
        #expect(entry == expected)
        #expect(decode(entry).map(\.name) == ["MESSAGE", "PRIORITY", "EMPTY", "PRIORITY"])
    }

    @Test func `bytes that are no text arrive as they are`() throws {
        let journal = try Listener(path)
        let writer = JournalWriter(path: path)
        writer.send([(name: "RAW", value: [0, 10, 255, 61])])
        let entry = try #require(journal.take())
        #expect(decode(entry).first?.value == [0, 10, 255, 61])
    }

    @Test func `a journal that does not read holds nobody up and what it loses is counted`() throws {
        let journal = try Listener(path)
        let writer = JournalWriter(path: path, bounds: JournalWriter.Bounds(entries: 10, bytes: 1 << 20))
        // More than any socket's queue holds.
        let count = 100_000
        for number in 0..<count { writer.send([("N", String(number))]) }
        #expect(writer.queued == 10)
        #expect(writer.interest == .write)
        let dropped = writer.takeDropped()
        #expect(writer.takeDropped() == 0)

        let loop = PollLoop()
        loop.add(writer)
        var arrived: [[UInt8]] = []
        try turn(loop) {
            arrived += journal.takeAll()
            return writer.queued == 0
        }
        arrived += journal.takeAll()
        #expect(arrived.count + dropped == count)
        let numbers = arrived.compactMap { decode($0).first.flatMap { Int(String(decoding: $0.value, as: UTF8.self)) } }
        #expect(numbers == Array(0..<arrived.count))
        #expect(writer.interest == [])
    }

    @Test func `the queue is bounded in bytes too`() throws {
        let writer = JournalWriter(path: path, bounds: JournalWriter.Bounds(entries: 100, bytes: 100))
        writer.send([("A", String(repeating: "x", count: 60))])
        writer.send([("A", String(repeating: "x", count: 60))])
        #expect(writer.queued == 1)
        #expect(writer.takeDropped() == 1)
        let journal = try Listener(path)
        writer.deadlinePassed(now: .now())
        #expect(writer.queued == 0)
        unlink(path)
        _ = consume journal
        writer.send([("A", String(repeating: "x", count: 60))])
        #expect(writer.queued == 1)
    }

    @Test func `a journal that comes back is written to again and nothing is lost`() throws {
        var journal: Listener? = try Listener(path)
        let writer = JournalWriter(path: path)
        writer.send([("N", "0")])
        #expect(journal?.takeAll().count == 1)
        journal = nil
        unlink(path)
        writer.send([("N", "1")])
        writer.send([("N", "2")])
        #expect(writer.queued == 2)
        #expect(writer.isAvailable)
        #expect(writer.deadline != nil)
        #expect(writer.descriptor == nil)

        let again = try Listener(path)
        let loop = PollLoop()
        loop.add(writer)
        try turn(loop) { writer.queued == 0 }
        #expect(again.takeAll().map { String(decoding: $0, as: UTF8.self) } == ["N=1\n", "N=2\n"])
        #expect(writer.takeDropped() == 0)
        #expect(writer.deadline == nil)
    }

    @Test func `a journal that goes away with a full queue is awaited`() throws {
        var journal: Listener? = try Listener(path)
        let writer = JournalWriter(path: path)
        while writer.queued < 3 { writer.send([("N", "1")]) }
        _ = journal
        journal = nil
        unlink(path)
        let loop = PollLoop()
        loop.add(writer)
        try turn(loop) { writer.descriptor == nil }
        let again = try Listener(path)
        try turn(loop) { writer.queued == 0 }
        #expect(again.takeAll().count == 3)
        #expect(writer.takeDropped() == 0)
    }

    @Test func `a journal whose socket was recreated is found by the next entry`() throws {
        var journal: Listener? = try Listener(path)
        let writer = JournalWriter(path: path)
        unlink(path)
        _ = journal
        journal = nil
        let again = try Listener(path)
        writer.send([("N", "1")])
        #expect(again.text() == "N=1\n")
    }

    @Test func `a journal that was never there is looked for again`() throws {
        let writer = JournalWriter(path: path)
        #expect(!writer.isAvailable)
        let journal = try Listener(path)
        #expect(writer.isAvailable)
        writer.send([("N", "1")])
        #expect(journal.text() == "N=1\n")
    }

    @Test func `a journal that nobody expects is not waited for, and found once it is there`() throws {
        let writer = JournalWriter(path: path, isExpected: false)
        #expect(!writer.send([("N", "1")]))
        #expect(writer.queued == 0)
        #expect(writer.takeDropped() == 0)
        let journal = try Listener(path)
        #expect(writer.send([("N", "2")]))
        #expect(journal.text() == "N=2\n")
    }

    @Test func `what is left at the end is counted as lost`() {
        let writer = JournalWriter(path: path)
        writer.send([("N", "1")])
        writer.flush(until: .now() + .seconds(1))
        #expect(writer.queued == 0)
        #expect(writer.takeDropped() == 1)
    }

    @Test func `what the journal can take is sent at the end`() throws {
        let journal = try Listener(path)
        let writer = JournalWriter(path: path)
        var arrived = 0
        while writer.queued == 0 { writer.send([("N", "1")]) }
        arrived += journal.takeAll().count
        writer.flush(until: .now() + .seconds(20))
        arrived += journal.takeAll().count
        #expect(writer.takeDropped() == 0)
        #expect(arrived > 1)
    }

    @Test func `an entry that is too large is cut at its longest values`() throws {
        let journal = try Listener(path)
        let writer = JournalWriter(path: path)
        let digest = String(repeating: "a", count: 71)
        writer.send([
            ("MIGRATED_CHECKSUM", digest), ("MESSAGE", "short"),
            ("MIGRATED_DETAIL", String(repeating: "é", count: 3 << 20)),
        ])
        let entry = decode(try #require(journal.take()))
        #expect(entry.map(\.name) == ["MIGRATED_CHECKSUM", "MESSAGE", "MIGRATED_DETAIL"])
        #expect(entry[0].value == Array(digest.utf8))
        let detail = try #require(String(validating: entry[2].value, as: UTF8.self))
        #expect(detail.hasSuffix("é…"))
        #expect(detail.utf8.count > 10_000)
        #expect(writer.takeDropped() == 0)
    }

    @Test func `an entry of too many fields to cut is dropped and counted`() throws {
        let journal = try Listener(path)
        let writer = JournalWriter(path: path)
        let value = String(repeating: "x", count: JournalEntry.shortestCut)
        writer.send((0..<90_000).map { (name: "F\($0)", value: value) })
        #expect(writer.takeDropped() == 1)
        #expect(journal.take()?.count == nil)
    }

    @Test(arguments: ["MESSAGE", "MIGRATED_SEQ", "A1_", "X" + String(repeating: "_", count: 63)])
    func `a name that journald keeps`(name: String) { #expect(JournalWriter.isFieldName(name)) }

    @Test(arguments: ["", "_PID", "1A", "message", "A-B", "Ä", "A=", "A\n", "X" + String(repeating: "_", count: 64)])
    func `a name that journald drops`(name: String) { #expect(!JournalWriter.isFieldName(name)) }

    @Test func `a stream is the journal's only by device and inode`() {
        #expect(JournalStream.matches("8:12", device: 8, inode: 12))
        for text in ["8:13", "9:12", "8", "", "8:12:1", "8:x", ":"] {
            #expect(!JournalStream.matches(text, device: 8, inode: 12))
        }
    }

    /// Reads a datagram as the protocol says.
    private func decode(_ datagram: [UInt8]) -> [(name: String, value: [UInt8])] {
        var fields: [(name: String, value: [UInt8])] = []
        var rest = datagram[...]
        while let border = rest.firstIndex(where: { $0 == UInt8(ascii: "=") || $0 == UInt8(ascii: "\n") }) {
            let name = String(decoding: rest[..<border], as: UTF8.self)
            if rest[border] == UInt8(ascii: "=") {
                let end = rest[border...].firstIndex(of: UInt8(ascii: "\n")) ?? rest.endIndex
                fields.append((name, Array(rest[(border + 1)..<end])))
                rest = rest[end...].dropFirst()
            } else {
                let length = rest[(border + 1)...].prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
                let value = rest[(border + 9)...].prefix(length)
                fields.append((name, Array(value)))
                rest = rest[value.endIndex...].dropFirst()
            }
        }
        return fields
    }
}
