/// The one pass that turns bytes into tokens. What may come next is a small state, what is open is a list: no recursion.
struct TapeReader {
    private enum Expected { case value, valueOrEnd, key, keyOrEnd, colon, commaOrEnd, nothing }

    private var tokens: [JSONTape.Token] = []
    private var open: [Int] = []
    private var expected = Expected.value

    init(count: Int) { tokens.reserveCapacity(count / 8 + 8) }

    mutating func read(_ bytes: [UInt8]) throws(JSONSyntaxError) -> [JSONTape.Token] {
        var at = 0
        let count = bytes.count
        while at < count {
            let byte = bytes[at]
            switch byte {
            case 0x20, 0x09, 0x0A, 0x0D: at += 1
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                try wantValue(at)
                let object = byte == UInt8(ascii: "{")
                open.append(tokens.count)
                append(object ? .object : .array, at, 0)
                expected = object ? .keyOrEnd : .valueOrEnd
                at += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                at += 1
                try close(byte, at)
            case UInt8(ascii: "\""):
                let start = at + 1
                at = try endOfString(bytes, start)
                try string(start, at)
                at += 1
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
            default:
                try wantValue(at)
                let start = at
                while at < count, isWord(bytes[at]) { at += 1 }
                append(try word(bytes[start..<at], start), start, at)
                valueEnded()
            }
        }
        guard open.isEmpty, expected == .nothing else {
            throw JSONSyntaxError(offset: count, message: "unexpected end of text")
        }
        return tokens
    }

    private mutating func append(_ kind: JSONTape.Kind, _ start: Int, _ end: Int) {
        tokens.append(.init(kind: kind, start: UInt32(start), end: UInt32(end), next: UInt32(tokens.count + 1)))
    }

    private func wantValue(_ at: Int) throws(JSONSyntaxError) {
        guard expected == .value || expected == .valueOrEnd else {
            throw JSONSyntaxError(offset: at, message: "unexpected value")
        }
    }

    private mutating func valueEnded() { expected = open.isEmpty ? .nothing : .commaOrEnd }

    private mutating func string(_ start: Int, _ end: Int) throws(JSONSyntaxError) {
        if expected == .key || expected == .keyOrEnd {
            append(.string, start, end)
            expected = .colon
        } else {
            try wantValue(start)
            append(.string, start, end)
            valueEnded()
        }
    }

    private mutating func close(_ byte: UInt8, _ end: Int) throws(JSONSyntaxError) {
        let kind: JSONTape.Kind = byte == UInt8(ascii: "}") ? .object : .array
        let empty: Expected = kind == .object ? .keyOrEnd : .valueOrEnd
        guard let opened = open.last, tokens[opened].kind == kind, expected == .commaOrEnd || expected == empty else {
            throw JSONSyntaxError(offset: end - 1, message: "unexpected '\(Character(Unicode.Scalar(byte)))'")
        }
        open.removeLast()
        tokens[opened].end = UInt32(end)
        tokens[opened].next = UInt32(tokens.count)
        valueEnded()
    }

    private func endOfString(_ bytes: [UInt8], _ start: Int) throws(JSONSyntaxError) -> Int {
        var at = start
        while at < bytes.count, bytes[at] != UInt8(ascii: "\"") { at += bytes[at] == UInt8(ascii: "\\") ? 2 : 1 }
        guard at < bytes.count else { throw JSONSyntaxError(offset: start - 1, message: "a string does not end") }
        return at
    }

    private func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."):
            true
        default: false
        }
    }

    private func word(_ word: ArraySlice<UInt8>, _ at: Int) throws(JSONSyntaxError) -> JSONTape.Kind {
        switch word.first {
        case UInt8(ascii: "t") where word.elementsEqual("true".utf8),
            UInt8(ascii: "f") where word.elementsEqual("false".utf8):
            return .bool
        case UInt8(ascii: "n") where word.elementsEqual("null".utf8): return .null
        case .some(UInt8(ascii: "-")), .some(UInt8(ascii: "0")...UInt8(ascii: "9")): return .number
        default: throw JSONSyntaxError(offset: at, message: "not a JSON value")
        }
    }
}
