internal import SQLLexing

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
                guard lexeme.kind != .quotedName, let literal = Lexer.content(of: lexeme, in: next) else { continue }
                if isUsed(by: literal) { return true }
                if lexeme.kind == .dollarString || literal.contains(UInt8(ascii: "'")) { pending.append(literal) }
            }
        }
        return false
    }

    private func isUsed(by literal: [UInt8]) -> Bool {
        if values.contains(literal) { return true }
        guard literal.first == UInt8(ascii: "{") else { return false }
        let separators = Array("{},\" \t\r\n".utf8)
        return literal.split { separators.contains($0) }.contains { values.contains(Array($0)) }
    }
}
