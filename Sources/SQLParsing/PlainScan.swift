internal import SQLLexing

/// What a scanner without a grammar finds in a text that the grammar could not read: may it run whole, in one transaction?
///
/// It errs on the side of refusing. A statement starts at the text's first word and after each `;`; a `;` inside parentheses or inside
/// the body of CREATE FUNCTION … BEGIN ATOMIC ends no statement, and the END of such a body controls no transaction.
struct PlainScan {
    /// Something that must not run inside one transaction of ours.
    struct Obstacle: Equatable {
        enum Kind: Equatable {
            /// A psql command; `startsLine` where nothing but white space stands before it on its line.
            case psqlCommand(startsLine: Bool)
            case copyFromStandardInput, copyToStandardOutput
            case transactionControl
            /// A statement that PostgreSQL refuses inside a transaction block.
            case needsNoTransaction
            /// A quote or comment that does not end.
            case unterminated
        }
        var kind: Kind
        /// What stands there, for a message.
        var text: String
        /// 0-based byte offset.
        var offset: Int
    }

    /// In the order of the text. The scan ends at the first that makes the rest unreadable.
    private(set) var obstacles: [Obstacle] = []
    /// How many statements were seen.
    private(set) var statementCount = 0

    private let text: [UInt8]
    /// Where each COPY begins whose rows follow: those are no obstacle.
    private let copies: Set<Int>
    private var lexer: Lexer
    private var statement = StatementScan()

    init(_ text: [UInt8], _ copies: Set<Int> = []) {
        self.text = text
        self.copies = copies
        lexer = Lexer(text)
        while let lexeme = lexer.next() {
            switch lexeme.kind {
            case .unterminated:
                obstacles.append(Obstacle(kind: .unterminated, text: "quote", offset: lexeme.range.lowerBound))
            case .backslash: psqlCommand(lexeme)
            case .semicolon where statement.isOutermost:
                finish()
                if obstacles.last?.kind == .copyFromStandardInput { return }
            default:
                statement.add(
                    lexeme, word: lexeme.kind == .word ? lexer.word(lexeme) : nil,
                    isDot: text[lexeme.range.lowerBound] == UInt8(ascii: "."))
            }
        }
        finish()
    }

    private mutating func finish() {
        if !statement.isEmpty { statementCount += 1 }
        if let obstacle = statement.obstacle,
            obstacle.kind != .copyFromStandardInput || !copies.contains(obstacle.offset)
        {
            obstacles.append(obstacle)
        }
        statement = StatementScan()
    }

    /// A backslash outside quotes is psql's everywhere; its command reaches at most to the end of the line.
    private mutating func psqlCommand(_ backslash: Lexeme) {
        let start = backslash.range.lowerBound
        let before = text[..<start].lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        let startsLine = text[before..<start].allSatisfy { $0 == 0x20 || $0 == 0x09 }
        var end = start + 1
        while end < text.count, Lexer.continuesName(text[end]) || text[end] == UInt8(ascii: "!") { end += 1 }
        obstacles.append(
            Obstacle(
                kind: .psqlCommand(startsLine: startsLine), text: String(decoding: text[start..<end], as: UTF8.self),
                offset: start))
        while end < text.count, text[end] != UInt8(ascii: "\n") { end += 1 }
        lexer.move(to: end)
        finish()
    }
}
