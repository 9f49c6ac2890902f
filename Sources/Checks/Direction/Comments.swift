internal import Migrations
internal import SQLLexing
internal import SQLParsing

/// The comments of a text that stand between its statements, each on lines of its own.
struct StandingComments {
    struct Comment: Equatable {
        /// From its first byte on.
        var offset: Int
        /// What it says, without dashes or stars at its ends.
        var text: String
        /// Whether it goes on the line below the comment before it.
        var followsOn: Bool
    }

    /// For each gap, from the one before the first statement to the one behind the last, its comments in order.
    private(set) var gaps: [[Comment]] = []

    /// - Parameter statements: the statements' bytes, in order.
    init(_ text: [UInt8], between statements: [Range<Int>]) {
        var start = 0
        for end in statements.map(\.lowerBound) + [text.count] {
            gaps.append(StandingComments.read(text, start..<max(start, end)))
            if gaps.count <= statements.count { start = statements[gaps.count - 1].upperBound }
        }
    }

    private static func read(_ text: [UInt8], _ gap: Range<Int>) -> [Comment] {
        var comments: [Comment] = []
        var lexer = Lexer(text, in: gap)
        lexer.keepsComments = true
        var end = gap.lowerBound
        while let lexeme = lexer.next() {
            let (start, stop) = (lexeme.range.lowerBound, lexeme.range.upperBound)
            guard lexeme.kind == .lineComment || lexeme.kind == .blockComment else { continue }
            if standsAlone(text, start) {
                let inner = start + 2..<(lexeme.kind == .blockComment ? stop - 2 : stop)
                comments.append(
                    Comment(
                        offset: start, text: String(decoding: text[inner], as: UTF8.self),
                        followsOn: !comments.isEmpty && text[end..<start].count { $0 == 0x0A } == 1))
            }
            end = stop
        }
        return comments
    }

    /// Whether only blanks stand before it on its line.
    private static func standsAlone(_ text: [UInt8], _ start: Int) -> Bool {
        var at = start - 1
        while at >= 0, text[at] != 0x0A {
            guard text[at] == 0x20 || text[at] == 0x09 || text[at] == 0x0D else { return false }
            at -= 1
        }
        return true
    }
}

extension Script {
    /// The bytes of the statements; as far as they can be told apart where the grammar could not read the file.
    var statementRanges: [Range<Int>] {
        if unparsed != nil { return Script.statementRanges(in: text) }
        return statements.filter { $0.node != "TransactionStmt" }.map(\.range)
    }
}
