internal import SQLLexing

/// An upper bound of what libpg_query needs for a text, found without parsing it.
///
/// Two of its limits end the whole process instead of the parse: its writer recurses once for each operator of an expression, and its
/// output buffer ends at 1 GiB, where it exits. Small texts cannot reach either, so only large ones are weighed.
struct Weight {
    /// Bytes below which a text is not weighed: at two bytes an operator it holds a million, which the parser's stack takes.
    static let harmless = 2 << 20
    /// Operators in one expression; one and a half million were parsed on that stack.
    static let deepest = 1_000_000
    /// Bytes of output.
    static let largest = 900_000_000
    /// The most JSON that one lexeme was seen to cause, rounded up.
    private static let perLexeme = 128

    /// The most lexemes between two commas, over all open parentheses.
    private(set) var depth = 0
    /// Where that many were first reached.
    private(set) var deepestAt = 0
    /// The bytes of JSON to expect at most.
    private(set) var output = 0

    init(_ text: [UInt8]) {
        var lexer = Lexer(text)
        var current = 0
        // What was counted outside each open parenthesis.
        var outer: [Int] = []
        while let lexeme = lexer.next() {
            switch lexeme.kind {
            case .comma: current = outer.last ?? 0
            case .semicolon where outer.isEmpty: current = 0
            case .open: outer.append(current)
            case .close:
                // What the parentheses held is one operand of the expression outside.
                current = (outer.popLast() ?? 0) + 1
                output += Weight.perLexeme
            default:
                current += 1
                output += Weight.perLexeme
                if current > depth {
                    depth = current
                    deepestAt = lexeme.range.lowerBound
                }
            }
        }
        // A byte of a string is written as itself or as an escape of at most six bytes; counted only where it matters.
        if output + 6 * text.count <= Weight.largest {
            output += 6 * text.count
        } else {
            for byte in text { output += Weight.isPlain(byte) ? 1 : 6 }
        }
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case 0..<0x20, UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "\""), UInt8(ascii: "\\"): false
        default: true
        }
    }
}
