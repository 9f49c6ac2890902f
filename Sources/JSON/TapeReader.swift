/// The one pass that turns bytes into tokens. What may come next is a small state, what is open is a list: no recursion.
///
/// Syntax trees pass through here at many times the size of their SQL, so the loop keeps to local state and reads through a span.
enum TapeReader {
    private enum Expected { case value, valueOrEnd, key, keyOrEnd, colon, commaOrEnd, nothing }

    static func read(_ text: [UInt8]) throws(JSONSyntaxError) -> [JSONTape.Token] {
        let bytes = text.span
        let count = bytes.count
        var tokens: [JSONTape.Token] = []
        // Measured on syntax trees: seven bytes a token.
        tokens.reserveCapacity(count / 7 + 8)
        var open: [Int] = []
        var expected = Expected.value
        var at = 0
        while at < count {
            let byte = bytes[at]
            switch byte {
            case UInt8(ascii: "\""):
                let start = at + 1
                at = try endOfString(bytes, start)
                tokens.append(JSONTape.Token(.string, start, at, tokens.count + 1))
                at += 1
                switch expected {
                case .key, .keyOrEnd: expected = .colon
                case .value, .valueOrEnd: expected = open.isEmpty ? .nothing : .commaOrEnd
                default: throw JSONSyntaxError(offset: start, message: "unexpected value")
                }
            case UInt8(ascii: ":"):
                guard expected == .colon else { throw JSONSyntaxError(offset: at, message: "unexpected ':'") }
                expected = .value
                at += 1
            case UInt8(ascii: ","):
                guard expected == .commaOrEnd, let last = open.last else {
                    throw JSONSyntaxError(offset: at, message: "unexpected ','")
                }
                expected = tokens[last].kind == .object ? .key : .value
                at += 1
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                try wantValue(expected, at)
                let object = byte == UInt8(ascii: "{")
                open.append(tokens.count)
                tokens.append(JSONTape.Token(object ? .object : .array, at, 0, 0))
                expected = object ? .keyOrEnd : .valueOrEnd
                at += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                let kind: JSONTape.Kind = byte == UInt8(ascii: "}") ? .object : .array
                let empty: Expected = kind == .object ? .keyOrEnd : .valueOrEnd
                guard let opened = open.popLast(), tokens[opened].kind == kind,
                    expected == .commaOrEnd || expected == empty
                else {
                    throw JSONSyntaxError(offset: at, message: "unexpected '\(Character(Unicode.Scalar(byte)))'")
                }
                at += 1
                tokens[opened].end = UInt32(truncatingIfNeeded: at)
                tokens[opened].next = UInt32(truncatingIfNeeded: tokens.count)
                expected = open.isEmpty ? .nothing : .commaOrEnd
            case 0x20, 0x09, 0x0A, 0x0D: at += 1
            default:
                try wantValue(expected, at)
                let start = at
                while at < count, isWord(bytes[at]) { at += 1 }
                tokens.append(JSONTape.Token(try word(text, start..<at), start, at, tokens.count + 1))
                expected = open.isEmpty ? .nothing : .commaOrEnd
            }
        }
        guard open.isEmpty, expected == .nothing else {
            throw JSONSyntaxError(offset: count, message: "unexpected end of text")
        }
        return tokens
    }

    private static func wantValue(_ expected: Expected, _ at: Int) throws(JSONSyntaxError) {
        guard expected == .value || expected == .valueOrEnd else {
            throw JSONSyntaxError(offset: at, message: "unexpected value")
        }
    }

    @inline(__always)
    private static func endOfString(_ bytes: borrowing Span<UInt8>, _ start: Int) throws(JSONSyntaxError) -> Int {
        var at = start
        let count = bytes.count
        while at < count {
            let byte = bytes[at]
            if byte == UInt8(ascii: "\"") { return at }
            at += byte == UInt8(ascii: "\\") ? 2 : 1
        }
        throw JSONSyntaxError(offset: start - 1, message: "a string does not end")
    }

    @inline(__always)
    private static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."):
            true
        default: false
        }
    }

    private static func word(_ text: [UInt8], _ range: Range<Int>) throws(JSONSyntaxError) -> JSONTape.Kind {
        let first = range.isEmpty ? 0 : text[range.lowerBound]
        switch first {
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number
        case UInt8(ascii: "t") where text[range].elementsEqual("true".utf8),
            UInt8(ascii: "f") where text[range].elementsEqual("false".utf8):
            return .bool
        case UInt8(ascii: "n") where text[range].elementsEqual("null".utf8): return .null
        default: throw JSONSyntaxError(offset: range.lowerBound, message: "not a JSON value")
        }
    }
}

extension JSONTape.Token {
    /// A token from offsets in a text whose size was checked to fit 32 bits.
    @inline(__always)
    init(_ kind: JSONTape.Kind, _ start: Int, _ end: Int, _ next: Int) {
        self.init(
            kind: kind, start: UInt32(truncatingIfNeeded: start), end: UInt32(truncatingIfNeeded: end),
            next: UInt32(truncatingIfNeeded: next))
    }
}
