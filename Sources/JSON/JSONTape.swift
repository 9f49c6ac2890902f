/// Where a text stops being JSON.
public struct JSONSyntaxError: Error, Sendable, Equatable {
    /// 0-based byte offset of the first byte that cannot be there.
    public var offset: Int
    /// What is wrong, without a final stop.
    public var message: String
}

/// A JSON text read in one pass into a flat list of tokens.
///
/// Nothing here recurses, so nesting is bounded by memory and not by the stack: a syntax tree a million levels deep is read like any
/// other. A token knows where its subtree ends, so that a walker skips what it does not want.
/// RFC 8259, with one liberty: numbers are kept as their text.
public struct JSONTape: Sendable {
    /// What a token is.
    public enum Kind: UInt8, Sendable { case object, array, string, number, bool, null }

    struct Token: Sendable {
        var kind: Kind
        var start: UInt32
        var end: UInt32
        /// Index after this token's subtree.
        var next: UInt32
    }

    let bytes: [UInt8]
    let tokens: [Token]

    /// Reads the whole text, which must be one JSON value of less than 4 GiB.
    public init(_ text: [UInt8]) throws(JSONSyntaxError) {
        guard text.count < UInt32.max else { throw JSONSyntaxError(offset: 0, message: "text is larger than 4 GiB") }
        bytes = text
        tokens = try TapeReader.read(text)
    }

    /// The bytes of memory that it takes, about.
    public var memory: Int { bytes.count + tokens.count * MemoryLayout<Token>.stride }

    /// The index of the document's own value.
    public var root: Int { 0 }
    /// What the value at `index` is.
    public func kind(_ index: Int) -> Kind { tokens[index].kind }
    /// The index after the subtree of the value at `index`.
    public func next(_ index: Int) -> Int { Int(tokens[index].next) }

    /// The member `key` of the object at `index`; the first where a key repeats. Keys with escapes are not found.
    public func member(_ index: Int, _ key: String) -> Int? {
        guard tokens[index].kind == .object else { return nil }
        let end = Int(tokens[index].next)
        let length = key.utf8.count
        var at = index + 1
        while at < end {
            let token = tokens[at]
            if Int(token.end - token.start) == length, matches(token, key) { return at + 1 }
            at = Int(tokens[at + 1].next)
        }
        return nil
    }

    /// The elements of the array at `index`, or the keys' values of an object; empty for anything else.
    public func elements(_ index: Int) -> [Int] {
        guard tokens[index].kind == .array else { return [] }
        var found: [Int] = []
        let end = Int(tokens[index].next)
        var at = index + 1
        while at < end {
            found.append(at)
            at = Int(tokens[at].next)
        }
        return found
    }

    /// The members of the object at `index`, in order: key and index of the value.
    public func members(_ index: Int) -> [(key: String, value: Int)] {
        guard tokens[index].kind == .object else { return [] }
        var found: [(key: String, value: Int)] = []
        let end = Int(tokens[index].next)
        var at = index + 1
        while at < end {
            found.append((string(at), at + 1))
            at = Int(tokens[at + 1].next)
        }
        return found
    }

    /// The key of the object's first member: how libpg_query names the type of a node.
    public func firstKey(_ index: Int) -> String? {
        guard tokens[index].kind == .object, Int(tokens[index].next) > index + 1 else { return nil }
        return string(index + 1)
    }

    /// The text of a string with its escapes undone, or the literal text of a number or word.
    public func string(_ index: Int) -> String {
        let token = tokens[index]
        let raw = bytes[Int(token.start)..<Int(token.end)]
        guard token.kind == .string, raw.contains(UInt8(ascii: "\\")) else {
            return String(decoding: raw, as: UTF8.self)
        }
        return unescape(raw)
    }

    /// The integer at `index`, where it is one.
    public func integer(_ index: Int) -> Int? { tokens[index].kind == .number ? Int(string(index)) : nil }
    /// Whether the value at `index` is the word `true`.
    public func isTrue(_ index: Int) -> Bool {
        tokens[index].kind == .bool && bytes[Int(tokens[index].start)] == UInt8(ascii: "t")
    }
    /// 0-based byte offset of the value in the text.
    public func offset(_ index: Int) -> Int { Int(tokens[index].start) }

    /// The subtree at `index` as a value; what is nested deeper than any text of ours, 200 levels, is null.
    public func value(_ index: Int) -> JSONValue { value(index, levels: 200) }

    private func value(_ index: Int, levels: Int) -> JSONValue {
        guard levels > 0 else { return .null }
        return switch tokens[index].kind {
        case .null: .null
        case .bool: .bool(isTrue(index))
        case .number: integer(index).map { .integer(Int64($0)) } ?? .string(string(index))
        case .string: .string(string(index))
        case .array: .array(elements(index).map { value($0, levels: levels - 1) })
        case .object:
            .object(
                Dictionary(
                    members(index).map { ($0.key, value($0.value, levels: levels - 1)) },
                    uniquingKeysWith: { _, last in last }))
        }
    }

    private func matches(_ token: Token, _ key: String) -> Bool {
        var at = Int(token.start)
        for byte in key.utf8 {
            if bytes[at] != byte { return false }
            at += 1
        }
        return true
    }

    private func unescape(_ raw: ArraySlice<UInt8>) -> String {
        var units: [UInt16] = []
        var result = ""
        var plain: [UInt8] = []
        func flushUnits() {
            result += String(decoding: units, as: UTF16.self)
            units.removeAll()
        }
        func flushPlain() {
            result += String(decoding: plain, as: UTF8.self)
            plain.removeAll()
        }
        var at = raw.startIndex
        while at < raw.endIndex {
            guard raw[at] == UInt8(ascii: "\\"), at + 1 < raw.endIndex else {
                if !units.isEmpty { flushUnits() }
                plain.append(raw[at])
                at += 1
                continue
            }
            let escape = raw[at + 1]
            at += 2
            if escape == UInt8(ascii: "u"), at + 4 <= raw.endIndex,
                let unit = UInt16(String(decoding: raw[at..<at + 4], as: UTF8.self), radix: 16)
            {
                if !plain.isEmpty { flushPlain() }
                units.append(unit)
                at += 4
                continue
            }
            if !units.isEmpty { flushUnits() }
            switch escape {
            case UInt8(ascii: "n"): plain.append(0x0A)
            case UInt8(ascii: "t"): plain.append(0x09)
            case UInt8(ascii: "r"): plain.append(0x0D)
            case UInt8(ascii: "b"): plain.append(0x08)
            case UInt8(ascii: "f"): plain.append(0x0C)
            default: plain.append(escape)
            }
        }
        if !units.isEmpty { flushUnits() }
        if !plain.isEmpty { flushPlain() }
        return result
    }
}
