/// Finds where a text uses a value of an enumeration as a literal.
///
/// Deliberately generous: a literal inside a DO or function body counts, and so does an element of an array literal. A border too many
/// costs one transaction; a border too few makes the server refuse ("unsafe use of new value").
struct EnumUse {
    private let values: Set<[UInt8]>

    init(of values: some Sequence<String>) { self.values = Set(values.map { Array($0.utf8) }) }

    func isFound(in text: [UInt8], _ range: Range<Int>) -> Bool {
        // Bodies are read as SQL in their turn, from a list instead of by recursion; each is shorter than what held it.
        var pending = [Array(text[range])]
        while let next = pending.popLast() {
            var lexer = Lexer(next)
            while let lexeme = lexer.next() {
                guard let literal = content(of: lexeme, in: next) else { continue }
                if isUsed(by: literal) { return true }
                if lexeme.kind == .dollarString || literal.contains(UInt8(ascii: "'")) { pending.append(literal) }
            }
        }
        return false
    }

    private func content(of lexeme: Lexeme, in text: [UInt8]) -> [UInt8]? {
        switch lexeme.kind {
        case .string: return unquoted(lexeme, in: text)
        case .dollarString:
            let second = text[lexeme.range].dropFirst().firstIndex(of: UInt8(ascii: "$")) ?? lexeme.range.lowerBound
            let tag = second + 1 - lexeme.range.lowerBound
            return Array(text[lexeme.range].dropFirst(tag).dropLast(tag))
        default: return nil
        }
    }

    /// The literal's text, with doubled quotes made single.
    private func unquoted(_ lexeme: Lexeme, in text: [UInt8]) -> [UInt8] {
        let quote = UInt8(ascii: "'")
        let start = text[lexeme.range].firstIndex(of: quote).map { $0 + 1 } ?? lexeme.range.lowerBound
        var content: [UInt8] = []
        var at = start
        while at < lexeme.range.upperBound - 1 {
            content.append(text[at])
            at += text[at] == quote ? 2 : 1
        }
        return content
    }

    private func isUsed(by literal: [UInt8]) -> Bool {
        if values.contains(literal) { return true }
        guard literal.first == UInt8(ascii: "{") else { return false }
        let separators = Array("{},\" \t\r\n".utf8)
        return literal.split { separators.contains($0) }.contains { values.contains(Array($0)) }
    }
}
