/// A token of SQL text as far as it must be told apart without a grammar.
package struct Lexeme: Equatable, Sendable {
    package enum Kind: Sendable {
        /// A key word or plain name.
        case word
        /// `"name"`.
        case quotedName
        /// `'text'` or `E'text'`.
        case string
        /// `$tag$text$tag$`.
        case dollarString
        case number, semicolon, comma, open, close, backslash
        /// `-- …`, without its line end. Only when the lexer keeps comments.
        case lineComment
        /// `/* … */`. Only when the lexer keeps comments.
        case blockComment
        /// A single byte of an operator or anything else.
        case other
        /// A quote or comment that does not end: it reaches to the end of the text.
        case unterminated
    }

    package var kind: Kind
    /// Bytes of the text.
    package var range: Range<Int>
}

/// Cuts SQL text into lexemes as PostgreSQL's own scanner would (chapter "Lexical Structure" of its manual), with
/// `standard_conforming_strings` on.
///
/// It knows strings, escape strings, dollar quotes, quoted names and nested comments; it knows no grammar. So it can say what stands
/// outside quotes and comments in a text that the grammar cannot read.
package struct Lexer {
    let bytes: [UInt8]
    let end: Int
    /// Whether comments come back as lexemes.
    package var keepsComments = false
    /// The byte that is read next.
    package private(set) var at: Int

    /// Reads the part `range` of `bytes`.
    package init(_ bytes: [UInt8], in range: Range<Int>) {
        self.bytes = bytes
        at = range.lowerBound
        end = range.upperBound
    }

    /// Reads all of `bytes`.
    package init(_ bytes: [UInt8]) { self.init(bytes, in: 0..<bytes.count) }

    /// The lower-case letters of a word.
    package func word(_ lexeme: Lexeme) -> String { String(decoding: bytes[lexeme.range], as: UTF8.self).lowercased() }

    /// Goes on reading at `offset`.
    package mutating func move(to offset: Int) { at = offset }

    /// The next lexeme; nil at the end of the text.
    package mutating func next() -> Lexeme? {
        if let comment = skipBlank() { return comment }
        guard at < end else { return nil }
        let start = at
        let byte = bytes[at]
        switch byte {
        case UInt8(ascii: ";"): return single(.semicolon)
        case UInt8(ascii: ","): return single(.comma)
        case UInt8(ascii: "("): return single(.open)
        case UInt8(ascii: ")"): return single(.close)
        case UInt8(ascii: "\\"): return single(.backslash)
        case UInt8(ascii: "'"): return quoted(.string, from: start)
        case UInt8(ascii: "\""): return quoted(.quotedName, from: start)
        case UInt8(ascii: "$"): return dollar()
        case UInt8(ascii: "0")...UInt8(ascii: "9"):
            while at < end, Lexer.continuesName(bytes[at]) || bytes[at] == UInt8(ascii: ".") { at += 1 }
            return Lexeme(kind: .number, range: start..<at)
        case let first where Lexer.startsName(first):
            while at < end, Lexer.continuesName(bytes[at]) { at += 1 }
            let isE = at == start + 1 && first | 0x20 == UInt8(ascii: "e")
            if isE, at < end, bytes[at] == UInt8(ascii: "'") { return escapeString(from: start) }
            return Lexeme(kind: .word, range: start..<at)
        default: return single(.other)
        }
    }

    /// Skips white space and comments. A lexeme comes back for a kept comment and for a comment that does not end.
    private mutating func skipBlank() -> Lexeme? {
        while at < end {
            let byte = bytes[at]
            if byte == 0x20 || (byte >= 0x09 && byte <= 0x0D) {
                at += 1
            } else if byte == UInt8(ascii: "-"), follows(UInt8(ascii: "-")) {
                let start = at
                while at < end, bytes[at] != 0x0A, bytes[at] != 0x0D { at += 1 }
                if keepsComments { return Lexeme(kind: .lineComment, range: start..<at) }
            } else if byte == UInt8(ascii: "/"), follows(UInt8(ascii: "*")) {
                let start = at
                guard skipBlockComment() else { return Lexeme(kind: .unterminated, range: start..<end) }
                if keepsComments { return Lexeme(kind: .blockComment, range: start..<at) }
            } else {
                return nil
            }
        }
        return nil
    }

    private mutating func skipBlockComment() -> Bool {
        var depth = 0
        while at < end {
            if bytes[at] == UInt8(ascii: "/"), follows(UInt8(ascii: "*")) {
                depth += 1
                at += 2
            } else if bytes[at] == UInt8(ascii: "*"), follows(UInt8(ascii: "/")) {
                depth -= 1
                at += 2
                if depth == 0 { return true }
            } else {
                at += 1
            }
        }
        return false
    }

    private func follows(_ byte: UInt8) -> Bool { at + 1 < end && bytes[at + 1] == byte }

    private mutating func single(_ kind: Lexeme.Kind) -> Lexeme {
        at += 1
        return Lexeme(kind: kind, range: at - 1..<at)
    }

    /// From an opening quote to its closing one; a doubled quote stands for itself.
    private mutating func quoted(_ kind: Lexeme.Kind, from start: Int) -> Lexeme {
        let quote = bytes[at]
        at += 1
        while at < end {
            if bytes[at] == quote {
                at += 1
                if at == end || bytes[at] != quote { return Lexeme(kind: kind, range: start..<at) }
            }
            at += 1
        }
        at = end
        return Lexeme(kind: .unterminated, range: start..<end)
    }

    private mutating func escapeString(from start: Int) -> Lexeme {
        at += 1
        while at < end {
            switch bytes[at] {
            case UInt8(ascii: "\\"): at += 2
            case UInt8(ascii: "'"):
                at += 1
                if at >= end || bytes[at] != UInt8(ascii: "'") { return Lexeme(kind: .string, range: start..<at) }
                at += 1
            default: at += 1
            }
        }
        at = end
        return Lexeme(kind: .unterminated, range: start..<end)
    }

    private mutating func dollar() -> Lexeme {
        let start = at
        at += 1
        if at < end, bytes[at] >= UInt8(ascii: "0"), bytes[at] <= UInt8(ascii: "9") {
            while at < end, bytes[at] >= UInt8(ascii: "0"), bytes[at] <= UInt8(ascii: "9") { at += 1 }
            return Lexeme(kind: .other, range: start..<at)
        }
        while at < end, Lexer.continuesName(bytes[at]), bytes[at] != UInt8(ascii: "$") { at += 1 }
        guard at < end, bytes[at] == UInt8(ascii: "$") else {
            at = start + 1
            return Lexeme(kind: .other, range: start..<at)
        }
        at += 1
        let tag = bytes[start..<at]
        while at + tag.count <= end {
            if bytes[at] == UInt8(ascii: "$"), bytes[at..<at + tag.count] == tag {
                at += tag.count
                return Lexeme(kind: .dollarString, range: start..<at)
            }
            at += 1
        }
        at = end
        return Lexeme(kind: .unterminated, range: start..<end)
    }

    /// Whether a name can begin with the byte.
    package static func startsName(_ byte: UInt8) -> Bool {
        byte >= 0x80 || byte == UInt8(ascii: "_")
            || (byte | 0x20 >= UInt8(ascii: "a") && byte | 0x20 <= UInt8(ascii: "z"))
    }

    /// Whether a name can go on with the byte.
    package static func continuesName(_ byte: UInt8) -> Bool {
        startsName(byte) || (byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")) || byte == UInt8(ascii: "$")
    }
}
