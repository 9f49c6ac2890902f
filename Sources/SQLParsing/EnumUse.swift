/// Finds where a text uses a value of an enumeration as a literal.
///
/// Deliberately generous: a literal inside a DO or function body counts, and so does an element of an array literal. A border too many
/// costs one transaction; a border too few makes the server refuse ("unsafe use of new value").
struct EnumUse {
    private let values: Set<[UInt8]>

    init(of values: some Sequence<String>) { self.values = Set(values.map { Array($0.utf8) }) }

    func isFound(in text: [UInt8], _ range: Range<Int>) -> Bool {
        // Bodies are read as SQL in their turn, from a list instead of by recursion.
        var pending = [range]
        while let next = pending.popLast() {
            var lexer = Lexer(text, in: next)
            while let lexeme = lexer.next() {
                switch lexeme.kind {
                case .string:
                    if isUsed(by: content(of: lexeme, in: text)) { return true }
                case .dollarString:
                    let tag =
                        (text[lexeme.range].dropFirst().firstIndex(of: UInt8(ascii: "$")) ?? lexeme.range.lowerBound)
                        + 1
                    let length = tag - lexeme.range.lowerBound
                    let body = tag..<max(tag, lexeme.range.upperBound - length)
                    if values.contains(Array(text[body])) { return true }
                    pending.append(body)
                default: break
                }
            }
        }
        return false
    }

    /// The literal's text, with doubled quotes made single.
    private func content(of lexeme: Lexeme, in text: [UInt8]) -> [UInt8] {
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
