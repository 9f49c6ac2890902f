import Audit
import AuditReading
import Digest
import JSON
import Reporting
import Testing

@Suite struct `An export` {
    private static let genesis = [UInt8](repeating: 9, count: 32)
    private static let actor = AuditEvent.Actor(
        initiatedBy: "migrated.service", host: "web1", dbUser: "migrated", pid: -2, invocationID: nil)

    /// A chain of so many events, each with some hostile text.
    private static func chain(_ count: Int) -> [AuditRecord] {
        let texts = [
            "", " ", "a,b", "say \"no\"", "two\nlines\r\n", "\u{1b}[31m\u{7f}", "naïve \u{202e}txt\u{9b}", "null",
            "\\x",
            "trailer", "😀\u{e0001}",
        ]
        var head = ChainHead(seq: 0, hash: genesis)
        return (0..<count).map { number in
            var event = AuditEvent(EventKind.allCases[number % EventKind.allCases.count], by: actor)
            event.name = texts[number % texts.count]
            event.reason = number % 3 == 0 ? nil : texts[(number + 1) % texts.count]
            event.object = texts[(number + 5) % texts.count]
            event.attemptID = number % 2 == 0 ? nil : UUID()
            event.rowCount = number % 4 == 0 ? nil : .max
            event.durationUS = Int64(number)
            event.detail = number % 5 == 0 ? [:] : ["line": 3, "text": .string(texts[(number + 2) % texts.count])]
            let record = AuditRecord(
                event, after: head, recordedAt: Int64(number) * 31_557_600_000_123 - 900_000_000_000_000)
            head = record.head
            return record
        }
    }

    private static func export(
        _ records: [AuditRecord], _ form: ExportForm, head: ChainHead? = nil, filter: JSONValue? = nil,
        reversed: Bool = false
    ) -> [String] {
        var writer = ExportWriter(form)
        var bytes = writer.header
        for record in records { writer.append(HistoryRow(record), to: &bytes) }
        let origin = HistoryOrigin(
            systemIdentifier: "7", databaseOID: 5, database: "app", schema: "migrated", schemaVersion: 2,
            genesis: genesis,
            head: head ?? records.last?.head ?? ChainHead(seq: 0, hash: genesis), moment: Timestamp(microseconds: 0))
        bytes += writer.trailer(
            ExportTrailer(
                origin: origin, count: writer.count, first: writer.ends?.first, last: writer.ends?.last, filter: filter,
                isNewestFirst: reversed, exportedBy: "alice", host: nil, signature: nil))
        // Split at the line feeds that end a record: in CSV quotes may hold others.
        var lines: [String] = [""]
        var isQuoted = false
        for scalar in String(decoding: bytes, as: UTF8.self).unicodeScalars {
            if scalar == "\"", form == .csv { isQuoted.toggle() }
            lines[lines.count - 1].unicodeScalars.append(scalar)
            if scalar == "\n", !isQuoted { lines.append("") }
        }
        return lines.dropLast()
    }

    private static func items(_ text: String, piece: Int = .max) -> (items: [ExportReader.Item], isCutOff: Bool) {
        var reader = ExportReader()
        var items: [ExportReader.Item] = []
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            reader.append(Array(rest.prefix(piece)))
            rest = rest.dropFirst(piece)
            while let item = reader.next() { items.append(item) }
        }
        reader.end()
        while let item = reader.next() { items.append(item) }
        return (items, reader.isCutOff)
    }

    private static func check(_ text: String, anchors: [ChainHead] = []) -> ExportVerdict {
        var check = ExportVerification(anchors: anchors)
        let found = items(text)
        for (index, item) in found.items.enumerated() { check.read(item, line: index + 1) }
        return check.finish(isCutOff: found.isCutOff)
    }

    @Test(arguments: ExportForm.allCases, [1, 7, 4096])
    func `gives back every event byte for byte, in pieces of any size`(form: ExportForm, piece: Int) {
        let records = Self.chain(60)
        let found = Self.items(Self.export(records, form).joined(), piece: piece)
        #expect(found.items.dropLast() == records.map { .event(HistoryRow($0)) }[...])
        guard case .trailer(let trailer)? = found.items.last else {
            Issue.record("no trailer: \(String(describing: found.items.last))")
            return
        }
        #expect(trailer.count == 60 && trailer.origin.head == records[59].head && trailer.exportedBy == "alice")
        #expect(!found.isCutOff)
    }

    @Test func `is safe for a terminal as JSON, and one line an event`() {
        for line in Self.export(Self.chain(60), .ndjson) {
            #expect(line.dropLast().unicodeScalars.allSatisfy { Printable.line(String($0)) == String($0) }, "\(line)")
        }
    }

    @Test(arguments: [
        Int64.min, .max, 0, -1, 823_212_309_123_456, -63_082_281_600_000_000, 252_455_615_999_999_999,
        5_097_600_000_000, 5_184_000_000_000 - 1, 68_256_000_000_000, 3_155_760_000_000_000,
    ])
    func `keeps any moment to the microsecond`(moment: Int64) throws {
        let record = AuditRecord(
            AuditEvent(.started, by: Self.actor), after: ChainHead(seq: 0, hash: Self.genesis), recordedAt: moment)
        for form in ExportForm.allCases {
            #expect(Self.items(Self.export([record], form).joined()).items.first == .event(HistoryRow(record)))
        }
    }

    @Test(arguments: ExportForm.allCases)
    func `is intact as it was written, empty, newest first, or behind a head that an anchor knows`(form: ExportForm) {
        let records = Self.chain(30)
        let whole = Self.check(Self.export(records, form).joined(), anchors: [records[19].head])
        #expect(whole.outcome == .intact && whole.links == 29 && whole.anchored == 20, "\(whole)")
        #expect(Self.check(Self.export([], form).joined()).outcome == .intact)
        let reversed = Self.export(records.reversed(), form, head: records[29].head, reversed: true)
        #expect(Self.check(reversed.joined()).outcome == .intact, "\(Self.check(reversed.joined()))")
    }

    /// Each change to the lines of an export of ten events, what it is called, and the seq that it is told with.
    private static let changes:
        [(what: String, word: String, seq: Int64?, change: @Sendable (inout [String]) -> Void)] = [
            ("an edited text", "edited", 4, { $0[3] = $0[3].replacing("web1", with: "web2") }),
            ("a moment moved by a microsecond", "edited", 1, { $0[0] = $0[0].replacing("0Z", with: "1Z") }),
            ("a removed line", "removed", 5, { $0.remove(at: 4) }),
            ("a removed beginning", "removed", 1, { $0.removeFirst(3) }),
            ("a removed end", "truncated", 10, { $0.remove(at: 9) }),
            ("two lines the other way round", "edited", 3, { $0.swapAt(2, 3) }),
            ("a line twice", "inserted", 6, { $0.insert($0[5], at: 6) }),
            ("no trailer", "truncated", 11, { $0.removeLast() }),
            (
                "no trailer and half a line", "truncated", 10,
                { $0 = Array($0.dropLast(2)) + [String($0[9].dropLast(30))] }
            ),
            ("half a trailer", "truncated", 11, { $0[10] = String($0[10].dropLast(5)) }),
            (
                "a trailer that counts less", "inserted", nil,
                { $0[10] = $0[10].replacing("\"count\":10", with: "\"count\":9") }
            ),
            ("a line behind the trailer", "inserted", nil, { $0.append($0[0]) }),
            ("text behind the trailer", "inserted", nil, { $0.append("x") }),
            ("a line that is none", "edited", 5, { $0[4] = "x\n" }),
            ("a member twice", "edited", 3, { $0[2] = $0[2].replacing("{\"seq\":3", with: "{\"seq\":3,\"seq\":3") }),
            ("a member more", "edited", 3, { $0[2] = $0[2].replacing("{\"seq\":3", with: "{\"seq\":3,\"note\":\"\"") }),
            ("a member less", "edited", 3, { $0[2] = $0[2].replacing("\"host\":\"web1\",", with: "") }),
            ("a number as text", "edited", 3, { $0[2] = $0[2].replacing("{\"seq\":3", with: "{\"seq\":\"3\"") }),
            (
                "the largest seq", "removed", 3,
                { $0[2] = $0[2].replacing("{\"seq\":3", with: "{\"seq\":9223372036854775807") }
            ),
            (
                "another genesis", "edited", 1,
                { $0[10] = $0[10].replacing("\"genesis\":\"09", with: "\"genesis\":\"08") }
            ),
            (
                "another head", "edited", 10,
                { lines in
                    let mark = "\"head\":{\"hash\":\""
                    let parts = lines[10].split(separator: mark)
                    lines[10] = parts[0] + mark + (parts[1].hasPrefix("00") ? "11" : "00") + parts[1].dropFirst(2)
                }
            ),
            ("a head further on", "truncated", 11, { $0[10] = $0[10].replacing("\"seq\":10", with: "\"seq\":12") }),
        ]

    @Test(arguments: changes.indices)
    func `that was changed is told with the first place`(index: Int) {
        let (what, word, seq, change) = Self.changes[index]
        var lines = Self.export(Self.chain(10), .ndjson)
        change(&lines)
        let verdict = Self.check(lines.joined())
        #expect(verdict.word == word && verdict.findings.first?.seq == seq, "\(what): \(verdict)")
    }

    @Test func `of CSV that was changed is told with the first place`() {
        let lines = Self.export(Self.chain(10), .csv)
        var edited = lines
        edited[4] = edited[4].replacing("web1", with: "web2")
        #expect(Self.check(edited.joined()).findings.first?.seq == 4)
        var removed = lines
        removed.remove(at: 5)
        #expect(Self.check(removed.joined()).word == "removed" && Self.check(removed.joined()).findings.first?.seq == 5)
        #expect(Self.check(lines.dropLast().joined()).word == "truncated")
        var quoted = lines
        quoted[3] = quoted[3].replacing("web1", with: "\"web1\"")
        #expect(Self.check(quoted.joined()).outcome == .intact)
        quoted[3] = quoted[3].replacing("\"web1\"", with: "\"web1\"x")
        #expect(Self.check(quoted.joined()).word == "edited")
    }

    @Test func `of a part cannot be proved, only proved wrong`() throws {
        let records = Self.chain(20)
        let part = [2, 3, 4, 9, 15, 19].map { records[$0] }
        let lines = Self.export(part, .ndjson, head: records[19].head, filter: ["reason": "x"])
        let verdict = Self.check(lines.joined())
        #expect(verdict.word == "cannot_tell" && verdict.links == 2 && verdict.findings.isEmpty, "\(verdict)")
        var edited = lines
        edited[3] = edited[3].replacing("web1", with: "web2")
        #expect(Self.check(edited.joined()).findings.first?.seq == 10)
        for index in 0..<part.count {
            var fewer = lines
            fewer.remove(at: index)
            #expect(Self.check(fewer.joined()).word == "removed", "\(index)")
        }
        // A part that says it is the whole.
        var posing = lines
        posing[6] = posing[6].replacing("\"complete\":false", with: "\"complete\":true")
            .replacing("\"filter\":{\"reason\":\"x\"}", with: "\"filter\":null")
        #expect(Self.check(posing.joined()).word == "removed" && Self.check(posing.joined()).findings.first?.seq == 1)
        // An event rewritten with its own hash is found where its neighbour is there.
        var event = records[3].event
        event.name = "another"
        let rewritten = AuditRecord(event, after: records[2].head, recordedAt: records[3].recordedAt)
        let forged = Self.export(
            [records[2], rewritten, records[4]], .ndjson, head: records[19].head, filter: ["reason": "x"])
        #expect(Self.check(forged.joined()).findings.first?.seq == 4)
        let lonely = Self.export([records[2], rewritten], .ndjson, head: records[19].head, filter: ["reason": "x"])
        #expect(Self.check(lonely.joined()).word == "cannot_tell")
        #expect(Self.check(lonely.joined(), anchors: [records[3].head]).findings.first?.seq == 4)
    }

    @Test(arguments: ["", "\n", "hello\n", "{}\n", "[1]\n", "seq,event_id\n", "\u{0}\u{1}"])
    func `that is none cannot be told`(text: String) {
        let verdict = Self.check(text)
        #expect(verdict.word == "cannot_tell", "\(verdict)")
    }
}
