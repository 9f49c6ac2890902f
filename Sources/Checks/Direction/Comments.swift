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
        var at = gap.lowerBound
        // Where the last comment ended, while nothing but blanks of the next line has followed.
        var lineEnds = 0
        func follows(_ first: UInt8, _ second: UInt8) -> Bool {
            at + 1 < gap.upperBound && text[at] == first && text[at + 1] == second
        }
        while at < gap.upperBound {
            let start = at
            var inner: Range<Int>
            if follows(UInt8(ascii: "-"), UInt8(ascii: "-")) {
                while at < gap.upperBound, text[at] != 0x0A, text[at] != 0x0D { at += 1 }
                inner = start + 2..<at
            } else if follows(UInt8(ascii: "/"), UInt8(ascii: "*")) {
                at = end(ofBlock: text, start, gap.upperBound)
                inner = start + 2..<max(start + 2, at - 2)
            } else {
                if text[at] == 0x0A { lineEnds += 1 }
                at += 1
                continue
            }
            if standsAlone(text, start) {
                comments.append(
                    Comment(
                        offset: start, text: String(decoding: text[inner], as: UTF8.self),
                        followsOn: !comments.isEmpty && lineEnds == 1))
            }
            lineEnds = 0
        }
        return comments
    }

    private static func end(ofBlock text: [UInt8], _ start: Int, _ limit: Int) -> Int {
        var at = start
        var depth = 0
        while at + 1 < limit {
            switch (text[at], text[at + 1]) {
            case (UInt8(ascii: "/"), UInt8(ascii: "*")): (depth, at) = (depth + 1, at + 2)
            case (UInt8(ascii: "*"), UInt8(ascii: "/")):
                (depth, at) = (depth - 1, at + 2)
                if depth == 0 { return at }
            default: at += 1
            }
        }
        return limit
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
    /// The bytes of the statements; told from each other by `;` alone where the grammar could not read the file.
    var statementRanges: [Range<Int>] {
        if unparsed == nil { return statements.filter { $0.node != "TransactionStmt" }.map(\.range) }
        var ranges: [Range<Int>] = []
        var lexer = Lexer(text)
        var current: Range<Int>?
        var depth = 0
        while let lexeme = lexer.next() {
            if lexeme.kind == .open { depth += 1 }
            if lexeme.kind == .close { depth = max(0, depth - 1) }
            if lexeme.kind == .semicolon, depth == 0 {
                if let current { ranges.append(current) }
                current = nil
            } else {
                current = (current?.lowerBound ?? lexeme.range.lowerBound)..<lexeme.range.upperBound
            }
        }
        if let current { ranges.append(current) }
        return ranges
    }
}
