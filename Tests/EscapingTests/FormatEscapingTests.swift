import JSON
import Reporting
import TOMLKit
import Testing

@testable import AuditReading
@testable import Configuration
@testable import Systemd

/// Each format's escaper against a reading of that format that shares nothing with it.
@Suite struct `What is escaped for another format` {
    @Test func `Prometheus reads one sample whose labels are what was given`() throws {
        for text in Hostile.texts("\"\\\n{},= ") {
            var metrics = MetricsText(database: text)
            metrics.sample("up", (name: "host", value: text), "1")
            let labels = try #require(Self.sample(Array(metrics.text.utf8)), "\(text)")
            Hostile.check(labels.map(\.0) == ["database", "host"], text)
            for (_, value) in labels { Hostile.check(value.elementsEqual(text.utf8), text) }
        }
    }

    /// The labels of the one line `name{label="value",…} number\n`; nil for anything else ("Text-based format").
    private static func sample(_ bytes: [UInt8]) -> [(String, [UInt8])]? {
        guard bytes.starts(with: "up{".utf8) else { return nil }
        var at = 3
        var labels: [(String, [UInt8])] = []
        while true {
            guard let equals = bytes[at...].firstIndex(of: UInt8(ascii: "=")), bytes[equals + 1] == UInt8(ascii: "\"")
            else { return nil }
            let name = String(decoding: bytes[at..<equals], as: UTF8.self)
            var value: [UInt8] = []
            at = equals + 2
            while at < bytes.count, bytes[at] != UInt8(ascii: "\"") {
                switch bytes[at] {
                case UInt8(ascii: "\n"): return nil
                case UInt8(ascii: "\\"):
                    at += 1
                    switch bytes[at] {
                    case UInt8(ascii: "n"): value.append(UInt8(ascii: "\n"))
                    case UInt8(ascii: "\\"), UInt8(ascii: "\""): value.append(bytes[at])
                    default: return nil
                    }
                default: value.append(bytes[at])
                }
                at += 1
            }
            labels.append((name, value))
            guard at + 1 < bytes.count else { return nil }
            at += 2
            if bytes[at - 1] == UInt8(ascii: "}") { return bytes[at...].elementsEqual(" 1\n".utf8) ? labels : nil }
            guard bytes[at - 1] == UInt8(ascii: ",") else { return nil }
        }
    }

    @Test func `HTML has no markup in it, and shows the text`() throws {
        let entities = ["&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": "\"", "&#39;": "'"]
        for text in Hostile.texts("<>&\"'/") {
            let html = HTML.text(text)
            Hostile.check(!html.utf8.contains { Array("<>\"'".utf8).contains($0) }, text)
            let read = try #require(Self.decoded(html, entities), "\(text)")
            Hostile.check(Hostile.same(read, Printable.line(text)), text)
            let breakable = HTML.breakable(text).unicodeScalars.split(separator: "<").enumerated()
            for (index, part) in breakable where index > 0 {
                Hostile.check(String(part).utf8.starts(with: "wbr>".utf8), text)
            }
        }
    }

    @Test func `Markdown has no markup in it, and shows the text`() throws {
        let entities = ["&amp;": "&", "&lt;": "<", "&gt;": ">", "&#58;": ":", "&#46;": "."]
        let markup = Set("`*_[]|~!#$@<>\n".unicodeScalars)
        for text in Hostile.texts("`*_[]|~!#$@<>&\\") + [
            "https://x", "HTTPS://x", "a\u{301}http://x", "www.x", "WwW.x", "ftp://",
        ] {
            let markdown = Markdown.text(text)
            // CommonMark 2.4: a backslash takes the meaning from the ASCII punctuation behind it.
            var read = ""
            var isEscaped = false
            for scalar in markdown.unicodeScalars {
                if isEscaped {
                    isEscaped = false
                } else if scalar == "\\" {
                    isEscaped = true
                    continue
                } else {
                    // A number sign also stands in an entity.
                    let isMarkup = markup.contains(scalar) && !(scalar == "#" && read.unicodeScalars.last == "&")
                    Hostile.check(!isMarkup, text)
                }
                read.unicodeScalars.append(scalar)
            }
            Hostile.check(!isEscaped, text)
            let shown = try #require(Self.decoded(read, entities), "\(text)")
            Hostile.check(Hostile.same(shown, Printable.line(text)), text)
            for link in ["://", "www.", "WwW."] { Hostile.check(!Self.holds(markdown, link), text) }
        }
    }

    private static func holds(_ text: String, _ part: String) -> Bool {
        let bytes = Array(text.utf8)
        return bytes.indices.contains { bytes[$0...].starts(with: part.utf8) }
    }

    /// `text` with its entities read; nil for an ampersand that begins none of them.
    private static func decoded(_ text: String, _ entities: [String: String]) -> String? {
        var rest = Array(text.utf8)[...]
        var read: [UInt8] = []
        while let byte = rest.first {
            if byte == UInt8(ascii: "&") {
                guard let entity = entities.first(where: { rest.starts(with: $0.key.utf8) }) else { return nil }
                rest = rest.dropFirst(entity.key.utf8.count)
                read += entity.value.utf8
            } else {
                read.append(byte)
                rest = rest.dropFirst()
            }
        }
        return String(decoding: read, as: UTF8.self)
    }

    @Test func `JSON is read as the text that was written`() throws {
        for text in Hostile.texts("\"\\/\u{8}\u{7F}{},:") {
            let json = JSONValue.object(["k": .string(text)]).text
            for written in [json, JSONText.safe(json)] {
                let tape = try JSONTape(Array(written.utf8))
                Hostile.check(tape.member(0, "k").map { Hostile.same(tape.string($0), text) } == true, text)
            }
            Hostile.check(!JSONText.safe(json).unicodeScalars.contains(where: Printable.isHidden), text)
        }
    }

    @Test func `TOML is read as the text that was written`() throws {
        let texts = Hostile.texts("\"\\'#\n")
        for start in stride(from: 0, to: texts.count, by: 500) {
            let batch = texts[start..<min(start + 500, texts.count)]
            let read = try TOMLTable(string: "a = [\(batch.map(tomlString).joined(separator: ", "))]")
            let array = try #require(read["a"]?.array)
            #expect(array.count == batch.count)
            for (value, text) in zip(array, batch) {
                Hostile.check(value.string.map { Hostile.same($0, text) } == true, text)
            }
        }
    }

    @Test func `a journal entry has the fields that were given and no others`() throws {
        for text in Hostile.texts("\n=\0") {
            let entry = JournalEntry([("MESSAGE", Array(text.utf8)), ("PRIORITY", Array("6".utf8))])
            let fields = try #require(Self.fields(entry.bytes), "\(text)")
            Hostile.check(fields.map(\.0) == ["MESSAGE", "PRIORITY"], text)
            Hostile.check(fields[0].1.elementsEqual(text.utf8) && fields[1].1 == Array("6".utf8), text)
        }
    }

    /// systemd.io/JOURNAL_NATIVE_PROTOCOL.
    private static func fields(_ bytes: [UInt8]) -> [(String, [UInt8])]? {
        var fields: [(String, [UInt8])] = []
        var at = 0
        while at < bytes.count {
            guard let end = bytes[at...].firstIndex(where: { $0 == 0x0A || $0 == UInt8(ascii: "=") }) else {
                return nil
            }
            let name = String(decoding: bytes[at..<end], as: UTF8.self)
            var value = (end + 1)..<(end + 1)
            if bytes[end] == 0x0A {
                guard end + 9 <= bytes.count else { return nil }
                let length = bytes[(end + 1)...(end + 8)].reversed().reduce(0) { $0 << 8 | Int($1) }
                value = (end + 9)..<(end + 9 + length)
            } else {
                guard let last = bytes[value.lowerBound...].firstIndex(of: 0x0A) else { return nil }
                value = value.lowerBound..<last
            }
            guard value.upperBound < bytes.count, bytes[value.upperBound] == 0x0A else { return nil }
            fields.append((name, Array(bytes[value])))
            at = value.upperBound + 1
        }
        return fields
    }

    @Test func `a printed line is one line in which everything can be seen`() {
        for text in Hostile.texts("'\\\"") {
            let line = Printable.line(text)
            var isFirst = true
            for scalar in line.unicodeScalars {
                switch scalar.properties.generalCategory {
                case .control, .format, .lineSeparator, .paragraphSeparator: Issue.record("\(text.unicodeScalars)")
                case .nonspacingMark, .spacingMark, .enclosingMark: Hostile.check(!isFirst, text)
                default: Hostile.check(!scalar.properties.isDefaultIgnorableCodePoint, text)
                }
                isFirst = false
            }
            // What was safe already stays as it is: a text may pass more than one door.
            Hostile.check(Hostile.same(Printable.line(line), line), text)
            Hostile.check(
                Printable.block(text).unicodeScalars.allSatisfy { $0 == "\n" || !Printable.isHidden($0) }, text)
        }
    }
}
