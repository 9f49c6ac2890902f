extension JSONTape {
    /// Throws where a string or a number is not one of RFC 8259, which reading the tape does not look at: it is made for texts of a library that
    /// writes them right. For texts that anybody may have written.
    ///
    /// Strings are UTF-8, hold no raw control character and only the escapes that there are, surrogates in pairs; numbers have no sign `+`, no
    /// zero before other digits, and digits on both sides of a point.
    public func checkGrammar() throws(JSONSyntaxError) {
        let text = bytes.span
        for token in tokens {
            switch token.kind {
            case .string: try JSONGrammar.string(text, Int(token.start), Int(token.end))
            case .number: try JSONGrammar.number(text, Int(token.start), Int(token.end))
            default: break
            }
        }
    }

    /// Throws where an object, at any depth, has a member twice.
    public func checkKeys() throws(JSONSyntaxError) {
        for index in tokens.indices where tokens[index].kind == .object {
            var seen: Set<String> = []
            for (key, value) in members(index) where !seen.insert(key).inserted {
                throw JSONSyntaxError(offset: offset(value), message: "a member that stands there twice")
            }
        }
    }
}

/// The grammar of one token, by its bytes.
private enum JSONGrammar {
    static func string(_ text: borrowing Span<UInt8>, _ start: Int, _ end: Int) throws(JSONSyntaxError) {
        var at = start
        while at < end {
            let byte = text[at]
            switch byte {
            case 0x20...0x5B, 0x5D...0x7F: at += 1
            case 0x5C: at = try escape(text, at, end)
            case 0x80...: at = try character(text, at, end)
            default: throw JSONSyntaxError(offset: at, message: "a control character that is not escaped")
            }
        }
    }

    /// The place behind the escape at `at`.
    private static func escape(_ text: borrowing Span<UInt8>, _ at: Int, _ end: Int) throws(JSONSyntaxError) -> Int {
        let next = at + 1 < end ? text[at + 1] : 0
        switch next {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            return at + 2
        case UInt8(ascii: "u"):
            guard let unit = unit(text, at, end) else { break }
            guard unit & 0xF800 == 0xD800 else { return at + 6 }
            guard unit < 0xDC00, let low = Self.unit(text, at + 6, end), low & 0xFC00 == 0xDC00 else {
                throw JSONSyntaxError(offset: at, message: "half a surrogate pair")
            }
            return at + 12
        default: break
        }
        throw JSONSyntaxError(offset: at, message: "an escape that there is not")
    }

    /// The UTF-16 unit of `\uXXXX` at `at`.
    private static func unit(_ text: borrowing Span<UInt8>, _ at: Int, _ end: Int) -> UInt16? {
        guard at + 6 <= end, text[at] == UInt8(ascii: "\\"), text[at + 1] == UInt8(ascii: "u") else { return nil }
        var unit: UInt16 = 0
        for place in at + 2..<at + 6 {
            let byte = text[place]
            let digit: UInt8
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = byte - UInt8(ascii: "A") + 10
            default: return nil
            }
            unit = unit << 4 | UInt16(digit)
        }
        return unit
    }

    /// The place behind the character of several bytes at `at`; Unicode, table 3-7 "Well-Formed UTF-8 Byte Sequences".
    private static func character(_ text: borrowing Span<UInt8>, _ at: Int, _ end: Int) throws(JSONSyntaxError) -> Int {
        let first = text[at]
        let count = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2
        var isGood = (0xC2...0xF4).contains(first) && at + count <= end
        if isGood {
            let second = text[at + 1]
            switch first {
            case 0xE0: isGood = second >= 0xA0
            case 0xED: isGood = second < 0xA0
            case 0xF0: isGood = second >= 0x90
            case 0xF4: isGood = second < 0x90
            default: break
            }
            for place in at + 1..<at + count where text[place] & 0xC0 != 0x80 { isGood = false }
        }
        guard isGood else { throw JSONSyntaxError(offset: at, message: "bytes that are no UTF-8") }
        return at + count
    }

    static func number(_ text: borrowing Span<UInt8>, _ start: Int, _ end: Int) throws(JSONSyntaxError) {
        var at = start
        func digits(_ text: borrowing Span<UInt8>) -> Int {
            let first = at
            while at < end, text[at] >= UInt8(ascii: "0"), text[at] <= UInt8(ascii: "9") { at += 1 }
            return at - first
        }
        if text[at] == UInt8(ascii: "-") { at += 1 }
        let leading = at
        let whole = digits(text)
        var isGood = whole == 1 || (whole > 1 && text[leading] != UInt8(ascii: "0"))
        if isGood, at < end, text[at] == UInt8(ascii: ".") {
            at += 1
            isGood = digits(text) > 0
        }
        if isGood, at < end, text[at] | 0x20 == UInt8(ascii: "e") {
            at += 1
            if at < end, text[at] == UInt8(ascii: "+") || text[at] == UInt8(ascii: "-") { at += 1 }
            isGood = digits(text) > 0
        }
        guard isGood, at == end else { throw JSONSyntaxError(offset: start, message: "not a JSON number") }
    }
}
