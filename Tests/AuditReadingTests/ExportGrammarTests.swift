import Audit
import AuditReading
import Reporting
import Testing

/// One way to write each value: what could be written in two would be two files that claim one hash.
@Suite struct `The grammar of an export` {
    private static let genesis = [UInt8](repeating: 9, count: 32)

    /// Two events and a trailer, as lines.
    private static func lines(_ form: ExportForm) -> [[UInt8]] {
        let actor = AuditEvent.Actor(initiatedBy: "unit", host: "web1", dbUser: "m", pid: 7, invocationID: nil)
        var head = ChainHead(seq: 0, hash: genesis)
        var writer = ExportWriter(form)
        var lines = form == .csv ? [writer.header] : []
        for _ in 0..<2 {
            var event = AuditEvent(.applied, by: actor)
            event.attemptID = UUID()
            event.name = "9name"
            event.rowCount = 5
            let record = AuditRecord(event, after: head, recordedAt: 0)
            head = record.head
            var line: [UInt8] = []
            writer.append(HistoryRow(record), to: &line)
            lines.append(line)
        }
        let origin = HistoryOrigin(
            systemIdentifier: "7", databaseOID: 5, database: "app", schema: "migrated", schemaVersion: 2,
            genesis: genesis, head: head, moment: Timestamp(microseconds: 0))
        lines.append(
            writer.trailer(
                ExportTrailer(
                    origin: origin, count: 2, first: 1, last: 2, filter: nil, isNewestFirst: false, exportedBy: "alice",
                    host: nil, signature: nil)))
        return lines
    }

    private static func verdict(_ bytes: [UInt8]) -> ExportVerdict {
        var reader = ExportReader()
        var check = ExportVerification()
        reader.append(bytes)
        while let item = reader.next() { check.read(item, line: reader.line) }
        reader.end()
        return check.finish(isCutOff: reader.isCutOff)
    }

    private static func replaced(_ line: [UInt8], _ old: String, _ new: [UInt8]) -> [UInt8] {
        let old = Array(old.utf8)
        for start in line.indices where line[start...].starts(with: old) {
            return line[..<start] + new + line[(start + old.count)...]
        }
        Issue.record("no '\(String(decoding: old, as: UTF8.self))' in the line")
        return line
    }

    @Test func `takes what is written`() {
        for form in ExportForm.allCases { #expect(Self.verdict(Self.lines(form).flatMap(\.self)).outcome == .intact) }
    }

    /// What stands in the first event, and what it is replaced by; the column where the finding is.
    static let events: [(String, [UInt8], Int)] = [
        ("\"seq\":1", Array("\"seq\":01".utf8), 8), ("\"seq\":1", Array("\"seq\":1.0".utf8), 8),
        ("\"seq\":1", Array("\"seq\":1e0".utf8), 8), ("\"seq\":1", Array("\"seq\":+1".utf8), 8),
        ("\"seq\":1", Array("\"seq\":-0".utf8), 8), ("\"seq\":1", Array("\"seq\":--1".utf8), 8),
        ("\"seq\":1", Array("\"seq\":1x".utf8), 8), ("\"seq\":1", Array("\"seq\":0x1".utf8), 8),
        ("\"seq\":1", Array("\"seq\":9223372036854775808".utf8), 8), ("\"seq\":1", Array("\"seq\":NaN".utf8), 8),
        ("{\"seq\"", Array("{\"seq\":1,\"seq\"".utf8), 16), ("{\"seq\"", Array("{\"s\\u0065q\":1,\"seq\"".utf8), 21),
        ("{\"seq\"", Array("x{\"seq\"".utf8), 1), ("{\"seq\"", Array("\u{feff}{\"seq\"".utf8), 1),
    ]

    /// What takes the place of the `9` in `"9name"`: none of it is text of an export.
    static let texts: [[UInt8]] = [
        Array("\\9".utf8), Array("\\x41".utf8), Array("\\u12".utf8), Array("\\u12G4".utf8), Array("\\ud800".utf8),
        Array("\\udc00\\ud800".utf8), Array("\\ud800\\u0041".utf8), Array("\\U0041".utf8), Array("\\'".utf8),
        Array("\\u0000".utf8), [0], [1], [9], [0x1F], [0x0D], [0x80], [0xC0, 0x80], [0xC1, 0xBF], [0xE0, 0x80, 0x80],
        [0xED, 0xA0, 0x80], [0xF0, 0x80, 0x80, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xFF],
        [0xC3], [0xE2, 0x82], [0xC3, 0x28],
    ]

    @Test(arguments: events.indices) func `refuses another way to write a line, with its place`(index: Int) {
        let (old, new, column) = Self.events[index]
        var lines = Self.lines(.ndjson)
        lines[0] = Self.replaced(lines[0], old, new)
        let verdict = Self.verdict(lines.flatMap(\.self))
        #expect(verdict.outcome == .tampered, "\(verdict)")
        #expect(verdict.findings.contains { $0.what.hasPrefix("line 1, column \(column): ") }, "\(verdict.findings)")
    }

    @Test(arguments: texts.indices) func `refuses what is no text`(index: Int) {
        for form in ExportForm.allCases {
            // CSV has no escapes: only what is no UTF-8, NUL, and a carriage return that no quotes hold.
            let text = Self.texts[index]
            if form == .csv, !text.contains(0), !text.contains(0x0D), String(validating: text, as: UTF8.self) != nil {
                continue
            }
            var lines = Self.lines(form)
            let place = form == .csv ? 1 : 0
            lines[place] = Self.replaced(lines[place], "9name", text + Array("name".utf8))
            let verdict = Self.verdict(lines.flatMap(\.self))
            #expect(verdict.findings.contains { $0.what.hasPrefix("line \(place + 1), column ") }, "\(form) \(verdict)")
        }
    }

    @Test func `refuses values of CSV that have another form, too`() {
        for (old, new) in [
            ("1,", "01,"), ("1,", "+1,"), ("1,", " 1,"), ("9name", "9\"name\""),
            ("2000-01-01T00:00:00.000000Z", "2000-01-01T00:00:00Z"),
            ("2000-01-01", "2000-01-32"), ("2000-01-01", "2000-02-30"), ("Z,applied", "z,applied"),
            ("2000-01-01", "02000-01-01"),
        ] {
            var lines = Self.lines(.csv)
            lines[1] = Self.replaced(lines[1], old, Array(new.utf8))
            let verdict = Self.verdict(lines.flatMap(\.self))
            #expect(verdict.findings.contains { $0.what.hasPrefix("line 2, column ") }, "\(new) \(verdict)")
        }
        // Line ends of another system.
        let turned: [UInt8] = Self.lines(.csv).flatMap { line -> [UInt8] in Array(line.dropLast()) + [0x0D, 0x0A] }
        #expect(Self.verdict(turned).outcome != .intact)
    }

    /// Members of the trailer with what takes their place.
    static let trailers: [(String, String)] = [
        ("\"first_seq\":1", "\"first_seq\":2"), ("\"last_seq\":2", "\"last_seq\":1"),
        ("\"first_seq\":1", "\"first_seq\":null"),
        ("\"first_seq\":1", "\"first_seq\":01"), ("\"count\":2", "\"count\":2,\"count\":2"),
        ("\"count\":2", "\"count\":2e0"),
        ("\"database\":\"app\"", "\"database\":7"), ("\"database\":\"app\"", "\"database\":null"),
        ("\"database\":\"app\"", "\"database\":\"\""), ("\"database\":\"app\",", ""),
        ("\"schema\":\"migrated\"", "\"schema\":[]"),
        ("\"database_oid\":5", "\"database_oid\":-5"), ("\"database_oid\":5", "\"database_oid\":4294967296"),
        ("\"exported_at\":\"2000-01-01T00:00:00.000000Z\"", "\"exported_at\":\"yesterday\""),
        ("\"exported_by\":\"alice\"", "\"exported_by\":\"alice\",\"note\":1"), ("\"complete\":true", "\"complete\":1"),
        ("\"filter\":null", "\"filter\":{}"), ("\"signature\":null", "\"signature\":\"x\""),
        ("\"signature\":null", "\"signature\":7"),
        ("\"system_identifier\":\"7\"", "\"system_identifier\":\"07\""),
        ("\"system_identifier\":\"7\"", "\"system_identifier\":7"),
        ("\"head\":{", "\"head\":{\"x\":1,"), ("\"head\":{", "\"head\":{\"seq\":2,"),
        ("\"genesis\":\"09", "\"genesis\":\""),
        ("\"genesis\":\"0909", "\"genesis\":\"0A09"), ("migrated-export-1", "migrated-export-2"),
        ("\"order\":\"oldest_first\"", "\"order\":\"any\""), ("}\n", "}}\n"), ("}\n", "} x\n"),
        ("\"host\":null", "\"host\":\"\\9\""),
    ]

    @Test(arguments: trailers.indices) func `refuses a trailer that is not as it is written`(index: Int) {
        let (old, new) = Self.trailers[index]
        var lines = Self.lines(.ndjson)
        lines[2] = Self.replaced(lines[2], old, Array(new.utf8))
        let verdict = Self.verdict(lines.flatMap(\.self))
        #expect(verdict.outcome == .tampered, "\(verdict)")
        let isTold = verdict.findings.contains {
            $0.what.hasPrefix("line 3, column ") || $0.what.contains("with the event that its trailer names")
        }
        #expect(isTold, "\(verdict.findings)")
    }

    @Test func `ends at a line without end, whatever comes behind it`() {
        for start in ["", "seq,event_id\n", String(decoding: Self.lines(.ndjson)[0], as: UTF8.self)] {
            var reader = ExportReader()
            var items: [ExportReader.Item] = []
            reader.append(Array(start.utf8))
            let piece = [UInt8](repeating: UInt8(ascii: "\""), count: 1 << 20)
            var pieces = 0
            while !reader.isOver, pieces < 40 {
                reader.append(piece)
                pieces += 1
                while let item = reader.next() { items.append(item) }
            }
            #expect(reader.isOver && pieces <= 17 && items.last == .endless, "\(pieces)")
            reader.append(Array("\n".utf8))
            #expect(reader.next() == nil)
        }
    }
}
