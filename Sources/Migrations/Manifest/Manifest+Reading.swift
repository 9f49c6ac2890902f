package import Reporting

extension Manifest {
    /// Reads a manifest. Throws `.permission` with the line for whatever is not as `text` writes it: nothing is guessed.
    package init(_ bytes: [UInt8]) throws(Complaint) {
        var reader = LineReader(bytes)
        guard let first = try reader.next(), first == Manifest.format else {
            throw reader.refusal(
                "is not '\(Manifest.format)'",
                hint: "It is no manifest, or one for a newer program: write it with 'migrated manifest'.")
        }
        var histories: [String] = []
        var serial: Int64?
        var layout: LayoutName?
        var fromHead: Head?
        var notAfter: String?
        while true {
            guard let line = try reader.next() else { throw reader.refusal("is missing: no files are listed") }
            if line.isEmpty { break }
            guard let colon = line.utf8.firstIndex(of: UInt8(ascii: ":")), line[colon...].hasPrefix(": ") else {
                throw reader.refusal("is no 'key: value'")
            }
            let value = String(line[line.utf8.index(colon, offsetBy: 2)...])
            switch line[..<colon] {
            case "history":
                guard Manifest.isHash(value), !histories.contains(value) else {
                    throw reader.refusal(
                        "names no history: that is 64 lower-case hexadecimal digits, each history once")
                }
                histories.append(value)
            case "serial" where serial == nil:
                guard let number = Manifest.number(value) else { throw reader.refusal("has no serial number") }
                serial = number
            case "layout" where layout == nil:
                guard let name = LayoutName(rawValue: value) else { throw reader.refusal("names no layout") }
                layout = name
            case "from-head" where fromHead == nil:
                let words = value.split(separator: " ", omittingEmptySubsequences: false)
                guard let seq = Manifest.number(words[0]), words.count < 3, words.count < 2 || Manifest.isHash(words[1])
                else { throw reader.refusal("names no event: that is its number, or its number and its hash") }
                fromHead = Head(seq: seq, hash: words.count > 1 ? String(words[1]) : nil)
            case "not-after" where notAfter == nil:
                guard Manifest.isMoment(value) else {
                    throw reader.refusal("has no timestamp as in '2026-01-31T22:05:09Z'")
                }
                notAfter = value
            default: throw reader.refusal("has a key that is unknown or stands there twice")
            }
        }
        guard !histories.isEmpty else { throw reader.refusal("ends the keys, and none is 'history'") }
        guard let serial else { throw reader.refusal("ends the keys, and none is 'serial'") }
        guard let layout else { throw reader.refusal("ends the keys, and none is 'layout'") }
        var entries: [Entry] = []
        var paths: Set<[UInt8]> = []
        while let line = try reader.next() {
            let words = line.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
            guard words.count == 3, let direction = Direction(rawValue: String(words[0])),
                words[1].hasPrefix("sha256:"), Manifest.isHash(words[1].dropFirst(7))
            else { throw reader.refusal("is no 'direction sha256:… path'") }
            let path = String(words[2])
            guard Manifest.canHold(path: path) else { throw reader.refusal("names no path that can be shown") }
            guard paths.insert(Array(path.utf8)).inserted else { throw reader.refusal("names '\(path)' a second time") }
            entries.append(Entry(direction, String(words[1]), path))
        }
        self.init(
            histories: histories, serial: serial, layout: layout, fromHead: fromHead, notAfter: notAfter,
            entries: entries)
    }

    /// Whether it is a SHA-256 in lower-case digits.
    package static func isHash(_ text: some StringProtocol) -> Bool {
        text.utf8.count == 64 && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }

    /// A whole number of one writing: without sign and leading zeros, and not 0.
    private static func number(_ text: some StringProtocol) -> Int64? {
        guard text.utf8.first != UInt8(ascii: "0"), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return nil
        }
        return Int64(text)
    }

    /// Whether it is a second of UTC as RFC 3339 has it: then the order of texts is that of time.
    package static func isMoment(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        let form = Array("0000-00-00T00:00:00Z".utf8)
        let zero = UInt8(ascii: "0")
        guard bytes.count == form.count,
            zip(bytes, form).allSatisfy({ $1 == zero ? (0x30...0x39).contains($0) : $0 == $1 })
        else { return false }
        func number(_ range: Range<Int>) -> Int { bytes[range].reduce(0) { $0 * 10 + Int($1 - zero) } }
        let (year, month, day) = (number(0..<4), number(5..<7), number(8..<10))
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let days = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        return (1...12).contains(month) && (1...days[month - 1]).contains(day) && number(11..<13) < 24
            && number(14..<16) < 60 && number(17..<19) < 60
    }
}

/// The lines of a manifest, one after the other.
private struct LineReader {
    private var rest: ArraySlice<UInt8>
    private var number = 0

    init(_ bytes: [UInt8]) { rest = bytes[...] }

    /// The next line without its line feed; nil behind the last one.
    mutating func next() throws(Complaint) -> String? {
        number += 1
        guard !rest.isEmpty else { return nil }
        guard let end = rest.firstIndex(of: UInt8(ascii: "\n")) else { throw refusal("has no line feed at its end") }
        let line = rest[..<end]
        rest = rest[(end + 1)...]
        if line.last == UInt8(ascii: "\r") {
            throw refusal("ends with CR LF", hint: "Deploy the file as it was signed, with its line feeds alone.")
        }
        guard let text = String(validating: line, as: UTF8.self) else { throw refusal("is not UTF-8") }
        return text
    }

    func refusal(_ what: String, hint: String = "Write it with 'migrated manifest', and sign it again.") -> Complaint {
        Complaint(.permission, "line \(number) of \(Manifest.fileName) \(what)", hint: hint)
    }
}
