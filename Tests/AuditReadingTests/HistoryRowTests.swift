import Audit
import AuditReading
import Digest
import JSON
import Testing

@Suite struct `A row of the history` {
    static let actor = AuditEvent.Actor(
        initiatedBy: "alice", host: "web1", dbUser: "migrated", pid: -2, invocationID: nil)
    static let genesis = ChainHead(seq: 41, hash: [UInt8](repeating: 7, count: 32))

    @Test(arguments: EventKind.allCases)
    func `gives back the event that it was made of`(kind: EventKind) throws {
        var event = AuditEvent(kind, by: Self.actor)
        event.attemptID = UUID()
        event.version = "024a"
        event.name = "naïve,\"name\""
        event.checksum = "sha256:" + SHA256.hex([])
        event.direction = .down
        event.reason = "object_exists"
        event.object = "public.t.c"
        event.rowCount = .max
        event.durationUS = 0
        event.sqlstate = "42703"
        event.message = #"tab\t and "quotes""#
        event.detail = ["line": 3, "list": ["a", 1, .null], "deep": ["er": true]]
        let record = AuditRecord(event, after: Self.genesis, recordedAt: -5)
        let row = HistoryRow(record)
        #expect(row.event == event)
        #expect(row.seq == 42 && row.recordedAt.microseconds == -5 && row.kind == kind)
        #expect(row.computedHash == record.hash)
        let bare = AuditEvent(kind, by: Self.actor)
        #expect(HistoryRow(AuditRecord(bare, after: Self.genesis, recordedAt: 0)).event == bare)
    }

    private func row(_ change: (inout [AuditColumn: [UInt8]]) -> Void) -> HistoryRow {
        var columns = AuditRecord(AuditEvent(.started, by: Self.actor), after: Self.genesis, recordedAt: 0).columns
        change(&columns)
        return HistoryRow(cells: AuditColumn.allCases.map { columns[$0] })
    }

    @Test func `is JSON with every column in order and nothing that a terminal obeys`() throws {
        let text = row { $0[.name] = Array("\u{9b}2J\u{202e}\u{1b}[31mé\u{e0001}".utf8) }.json
        let tape = try JSONTape(Array(text.utf8))
        #expect(tape.members(tape.root).map(\.key) == AuditColumn.allCases.map(\.rawValue))
        let value = tape.value(tape.root)
        #expect(value["name"]?.string == "\u{9b}2J\u{202e}\u{1b}[31mé\u{e0001}")
        #expect(value["version"] == .null && value["pid"] == -2 && value["seq"] == 42)
        #expect(value["prev_hash"]?.string == String(repeating: "07", count: 32))
        #expect(text.contains(#""\u009b2J\u202e\u001b[31mé\udb40\udc01""#))
    }

    @Test func `has its detail as an object, or as text where it is none or too deep`() {
        #expect(row { $0[.detail] = Array(#"{"a":{"b":1}}"#.utf8) }.detail == ["a": ["b": 1]])
        #expect(row { $0[.detail] = Array("{not json".utf8) }.detail == .string("{not json"))
        #expect(row { $0[.detail] = nil }.detail == .null)
        let deep = String(repeating: "[", count: 200_000) + String(repeating: "]", count: 200_000)
        #expect(row { $0[.detail] = Array(deep.utf8) }.detail == .string(deep))
    }

    @Test func `is no event where a word in it is unknown`() {
        let unknown = row { $0[.event] = Array("exploded".utf8) }
        #expect(unknown.event == nil && unknown.kind == nil && unknown.text(.event) == "exploded")
        #expect(row { $0[.direction] = Array("sideways".utf8) }.event == nil)
    }

    @Test func `is CSV that RFC 4180 reads back`() {
        let line = row {
            $0[.name] = Array("a,\"b\"\nc".utf8)
            $0[.reason] = []
        }.csv(.exact)
        #expect(line.contains(#",,"a,""b""\#nc",,,"",,"#))
        #expect(HistoryRow.csvHeader.hasPrefix("seq,event_id,recorded_at,event,"))
        #expect(
            row { $0[.name] = Array("\u{1b}".utf8) }.csv(.exact, escape: { _ in "safe" }).contains("safe,safe,safe"))
    }

    @Test(arguments: [
        ("abcd", "sha256:abcd"), ("SHA256:ABCD", "sha256:abcd"), ("abc", nil), ("xyz1", nil), ("", nil),
        ("sha256:", nil),
        (String(repeating: "a", count: 65), nil),
    ])
    func `a checksum is read whole or by its first digits`(text: String, wanted: String?) {
        #expect(ChecksumText(text)?.text == wanted)
        #expect(ChecksumText(text)?.isWhole != true)
        #expect(ChecksumText(String(repeating: "a", count: 64))?.isWhole == true)
    }
}
