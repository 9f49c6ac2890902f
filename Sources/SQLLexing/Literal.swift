extension Lexer {
    /// What a string or dollar-quoted lexeme of `bytes` holds, with doubled quotes made single; escapes of `E'…'` and `U&'…'` stay as they
    /// are written. Nil for any other lexeme.
    package static func content(of lexeme: Lexeme, in bytes: [UInt8]) -> [UInt8]? {
        switch lexeme.kind {
        case .string, .quotedName: unquoted(lexeme, in: bytes)
        case .dollarString: Array(bytes[body(of: lexeme, in: bytes)])
        default: nil
        }
    }

    /// The bytes between the tags of a dollar-quoted lexeme.
    package static func body(of lexeme: Lexeme, in bytes: [UInt8]) -> Range<Int> {
        let start = lexeme.range.lowerBound
        let second = bytes[lexeme.range].dropFirst().firstIndex(of: UInt8(ascii: "$")) ?? start
        let tag = second + 1 - start
        return start + tag..<max(start + tag, lexeme.range.upperBound - tag)
    }

    private static func unquoted(_ lexeme: Lexeme, in bytes: [UInt8]) -> [UInt8] {
        let quote = lexeme.kind == .string ? UInt8(ascii: "'") : UInt8(ascii: "\"")
        let start = bytes[lexeme.range].firstIndex(of: quote).map { $0 + 1 } ?? lexeme.range.lowerBound
        var content: [UInt8] = []
        var at = start
        while at < lexeme.range.upperBound - 1 {
            content.append(bytes[at])
            at += bytes[at] == quote ? 2 : 1
        }
        return content
    }
}
