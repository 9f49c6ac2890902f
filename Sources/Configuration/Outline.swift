/// Where the keys and table headers of a TOML text stand.
///
/// The TOML parser tells no positions of what it read, so this finds them: it follows strings, comments and brackets just well enough
/// to know where each `key =` and `[header]` begins. It judges nothing and accepts any bytes; up to the parser's first error both see
/// the same keys.
struct Outline {
    /// A `key =` or a `[header]`.
    struct Item: Equatable {
        /// The full path from the top of the file.
        var path: [String]
        /// Byte offset of the key or of the header's first name.
        var offset: Int
        /// Byte offset of the value; nil for a header.
        var value: Int?
        /// Whether it is a `[[header]]`, or stands below one, where the same path may come again.
        var mayRepeat: Bool
    }

    /// Names with more parts than this are not followed: each part is a table in a table to the parser, which has no limit of its own.
    static let depthLimit = 16

    /// All items in the order of the text.
    private(set) var items: [Item] = []
    /// Where a name with more parts than `depthLimit` begins.
    private(set) var tooDeep: Int?
    /// Where a string contains an escaped NUL, which the parser's C interface would cut it at.
    private(set) var escapedNUL: Int?
    /// Where a table header has no name that the parser could read: its parser takes one for granted there (an assertion, and without
    /// assertions anything at all).
    private(set) var namelessHeader: Int?

    private let bytes: [UInt8]
    private var at = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { at = 3 }
        var table: [String] = []
        var arrayTables: Set<[String]> = []
        var mayRepeat = false
        while skipToExpression() {
            let start = at
            if take("[") {
                let isArray = take("[")
                skipBlanks()
                let offset = at
                if !startsHeaderName { namelessHeader = namelessHeader ?? start }
                table = namePath(from: start)
                if isArray { arrayTables.insert(table) }
                mayRepeat = (0...table.count).contains { arrayTables.contains(Array(table.prefix($0))) }
                items.append(Item(path: table, offset: offset, value: nil, mayRepeat: mayRepeat))
                skipLine()
            } else {
                let path = namePath(from: start)
                if take("=") {
                    skipBlanks()
                    items.append(Item(path: table + path, offset: start, value: at, mayRepeat: mayRepeat))
                    skipValue()
                } else {
                    skipLine()
                }
            }
        }
    }

    /// The item that wrote `path`: the key itself, else the nearest table or inline table around it, else the first header below it.
    func item(of path: [String]) -> Item? {
        if let exact = items.first(where: { $0.path == path }) { return exact }
        let around = items.filter { path.starts(with: $0.path) }.max { $0.path.count < $1.path.count }
        return around ?? items.first { $0.path.starts(with: path) }
    }

    /// The first item that writes a path again, with the item that wrote it before.
    func repetition(before offset: Int) -> (again: Item, first: Item)? {
        var seen: [[String]: Item] = [:]
        for item in items where !item.mayRepeat && item.offset <= offset {
            if let first = seen[item.path] { return (item, first) }
            seen[item.path] = item
        }
        return nil
    }
}

extension Outline {
    private var current: UInt8? { at < bytes.count ? bytes[at] : nil }

    private func isAt(_ character: Unicode.Scalar, plus distance: Int = 0) -> Bool {
        at + distance < bytes.count && bytes[at + distance] == UInt8(ascii: character)
    }

    /// Whether a name, an empty header's end or the end of the text is next.
    private var startsHeaderName: Bool {
        guard let byte = current else { return true }
        return byte < 0x80 && Outline.isNamePart(byte) || isAt("\"") || isAt("'") || isAt("]")
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard isAt(character) else { return false }
        at += 1
        return true
    }

    private mutating func skipBlanks() {
        while isAt(" ") || isAt("\t") { at += 1 }
    }

    private mutating func skipLine() {
        while let byte = current, byte != UInt8(ascii: "\n") { at += 1 }
    }

    /// Moves to the next byte that is neither blank, line end nor comment; false at the end.
    private mutating func skipToExpression() -> Bool {
        while let byte = current {
            switch byte {
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"), UInt8(ascii: "\n"): at += 1
            case UInt8(ascii: "#"): skipLine()
            default: return true
            }
        }
        return false
    }

    /// Reads names with dots between them, and the blanks after the last.
    private mutating func namePath(from start: Int) -> [String] {
        var parts: [String] = []
        repeat {
            skipBlanks()
            let begin = at
            if isAt("\"") || isAt("'") {
                skipString()
                let isClosed = at - begin >= 2 && bytes[at - 1] == bytes[begin]
                let text = String(decoding: bytes[(begin + 1)..<(isClosed ? at - 1 : at)], as: UTF8.self)
                parts.append(bytes[begin] == UInt8(ascii: "\"") ? unescaped(text) : text)
            } else {
                while let byte = current, Outline.isNamePart(byte) { at += 1 }
                parts.append(String(decoding: bytes[begin..<at], as: UTF8.self))
            }
            skipBlanks()
            if parts.count > Outline.depthLimit {
                tooDeep = tooDeep ?? start
                parts.removeLast()
            }
        } while take(".")
        return parts
    }

    /// Letters, digits, `_` and `-`; other scripts' letters too, so that the parser's complaint about them finds its place.
    private static func isNamePart(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), 0x80...:
            true
        default: false
        }
    }

    /// Skips a value up to the end of its last line, over the line ends inside brackets and multi-line strings.
    private mutating func skipValue() {
        var depth = 0
        var dots = 0
        let start = at
        while let byte = current {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "'"):
                skipString()
                continue
            case UInt8(ascii: "#"):
                skipLine()
                continue
            case UInt8(ascii: "["), UInt8(ascii: "{"):
                depth += 1
                dots = 0
            case UInt8(ascii: "]"), UInt8(ascii: "}"): depth -= 1
            case UInt8(ascii: ","), UInt8(ascii: "="): dots = 0
            case UInt8(ascii: "."):
                dots += 1
                if dots >= Outline.depthLimit { tooDeep = tooDeep ?? start }
            case UInt8(ascii: "\n") where depth <= 0: return
            default: break
            }
            at += 1
        }
    }

    /// Skips a string of any of the four kinds, whose first quote is at `at`; an unterminated one ends with its line or the text.
    private mutating func skipString() {
        guard let quote = current else { return }
        let mark = Unicode.Scalar(quote)
        let isLong = isAt(mark, plus: 1) && isAt(mark, plus: 2)
        at += isLong ? 3 : 1
        while let byte = current {
            if byte == UInt8(ascii: "\\"), mark == "\"" {
                noteEscape()
                at += 2
            } else if byte == quote {
                if !isLong {
                    at += 1
                    return
                }
                if isAt(mark, plus: 1), isAt(mark, plus: 2) {
                    at += 3
                    // A long string may end in up to two quotes of its own before the three that close it.
                    for _ in 0..<2 where isAt(mark) { at += 1 }
                    return
                }
                at += 1
            } else if byte == UInt8(ascii: "\n"), !isLong {
                return
            } else {
                at += 1
            }
        }
        at = min(at, bytes.count)
    }

    /// Remembers `\u0000` and `\U00000000`.
    private mutating func noteEscape() {
        let digits = isAt("u", plus: 1) ? 4 : isAt("U", plus: 1) ? 8 : 0
        guard digits > 0, at + 2 + digits <= bytes.count else { return }
        if bytes[(at + 2)..<(at + 2 + digits)].allSatisfy({ $0 == UInt8(ascii: "0") }) { escapedNUL = escapedNUL ?? at }
    }
}

/// What a basic string stands for. An escape that TOML does not have is left out: the parser refuses it anyway.
private func unescaped(_ text: String) -> String {
    guard text.utf8.contains(UInt8(ascii: "\\")) else { return text }
    var result = String.UnicodeScalarView()
    var rest = text.unicodeScalars[...]
    while let scalar = rest.popFirst() {
        guard scalar == "\\", let letter = rest.popFirst() else {
            result.append(scalar)
            continue
        }
        switch letter {
        case "b": result.append("\u{8}")
        case "t": result.append("\t")
        case "n": result.append("\n")
        case "f": result.append("\u{C}")
        case "r": result.append("\r")
        case "\"", "\\": result.append(letter)
        case "u", "U":
            let digits = String(rest.prefix(letter == "u" ? 4 : 8))
            rest = rest.dropFirst(digits.unicodeScalars.count)
            if let value = UInt32(digits, radix: 16), let scalar = Unicode.Scalar(value) { result.append(scalar) }
        default: break
        }
    }
    return String(result)
}
