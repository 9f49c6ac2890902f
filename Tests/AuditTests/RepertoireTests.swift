import JSON
import Testing

@testable import Audit

@Suite struct `What a database's encoding cannot hold` {
    private static let latin: Repertoire = {
        var repertoire = Repertoire(isLimited: true)
        repertoire.missing = ["中", "😀", "…"]
        return repertoire
    }()

    @Test(arguments: [
        ("", ""), ("abc", "abc"), ("é", "é"), ("a中b", "a\\u{4e2d}b"), ("😀", "\\u{1f600}"), ("cut…", "cut..."),
        ("中\u{301}", "\\u{4e2d}\u{301}"), ("\\u{4e2d}", "\\u{4e2d}"),
    ])
    func `is written as an escape`(text: String, written: String) {
        #expect(Self.latin.written(text) == written)
        #expect(Repertoire.everything.written(text) == text)
    }

    @Test(arguments: [
        "", "001_é", "002_中文", "\\u{4e2d}", "\\\\u{", "\\u{}", "\\u{zz}", "\\u{4e2d", "a\\", "\\u{110000}", "…",
    ])
    func `comes back from a name as it was`(name: String) {
        let written = Self.latin.written(name: name)
        #expect(written.unicodeScalars.allSatisfy { !Self.latin.missing.contains($0) })
        #expect(Self.latin.name(fromWritten: written) == name)
        #expect(Repertoire.everything.written(name: name) == name)
        #expect(Repertoire.everything.name(fromWritten: name) == name)
    }

    @Test func `is in JSON what it is elsewhere`() throws {
        let value: JSONValue = ["中": "a…中\n\"\\", "n": 7]
        let text = Self.latin.written(json: value.text)
        let tape = try JSONTape(Array(text.utf8))
        #expect(tape.value(tape.root) == ["\\u{4e2d}": "a...\\u{4e2d}\n\"\\", "n": 7])
    }

    @Test func `is hashed as it is written`() throws {
        var event = AuditEvent(
            .failed, by: AuditEvent.Actor(initiatedBy: "中", host: "h", dbUser: "u", pid: 1, invocationID: nil))
        event.name = "002_中"
        event.version = "中"
        event.message = "no 中 here"
        event.object = "public.中"
        event.detail = ["hint": "中"]
        var same = AuditEvent(
            .failed, by: AuditEvent.Actor(initiatedBy: "\\u{4e2d}", host: "h", dbUser: "u", pid: 1, invocationID: nil),
            id: event.eventID)
        same.name = "002_\\u{4e2d}"
        same.version = "\\u{4e2d}"
        same.message = "no \\u{4e2d} here"
        same.object = "public.\\u{4e2d}"
        same.detail = ["hint": "\\u{4e2d}"]
        let head = ChainHead(seq: 0, hash: [UInt8](repeating: 0, count: 32))
        let record = AuditRecord(event, after: head, recordedAt: 0, in: Self.latin)
        #expect(record.hash == AuditRecord(same, after: head, recordedAt: 0).hash)
        #expect(event.texts.joined().unicodeScalars.contains("中"))
    }
}
