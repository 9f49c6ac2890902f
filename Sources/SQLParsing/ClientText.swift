internal import SQLLexing

/// What psql reads of a file itself instead of sending it, as `pg_dump` writes it: the rows behind COPY … FROM STDIN, up to a line `\.`, and the
/// lines `\restrict` and `\unrestrict` (PostgreSQL manual, psql, "Meta-Commands").
///
/// The rows are data, whatever they look like: nothing in them is SQL, a comment or a directive.
public struct ClientText: Sendable {
    /// The rows behind one COPY.
    struct Rows: Sendable, Equatable {
        /// The first byte of the COPY.
        let copy: Int
        /// The bytes of the rows, each with its line end; without the line that ends them.
        let range: Range<Int>
    }

    /// What psql would refuse.
    struct Flaw: Sendable {
        let offset: Int
        let message: String
        let hint: String
    }

    /// The text in which all that is overwritten by blanks: as long as before, with the same lines.
    public private(set) var text: [UInt8]
    /// The rows of each COPY, in the order in which psql sends them.
    private(set) var rows: [Rows] = []
    /// The first thing that cannot be taken as it is.
    private(set) var flaw: Flaw?
    /// The key of a `\restrict` that has not been undone.
    private var restriction: [UInt8]?

    /// Reads a text, which may begin with a byte order mark.
    public init(_ bytes: [UInt8]) {
        text = bytes
        // No rows end and nothing is restricted without a line that begins with a backslash.
        guard ClientText.hasCommandLine(bytes) else { return }
        read()
    }

    private static func hasCommandLine(_ bytes: [UInt8]) -> Bool {
        var isStart = true
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "\n"): isStart = true
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"): break
            case UInt8(ascii: "\\") where isStart: return true
            default: isStart = false
            }
        }
        return false
    }

    private mutating func read() {
        var lexer = Lexer(text)
        if text.starts(with: [0xEF, 0xBB, 0xBF]) { lexer.move(to: 3) }
        var statement = StatementScan()
        // Behind the rows that were read last.
        var end = 0
        while flaw == nil, let lexeme = lexer.next() {
            switch lexeme.kind {
            case .backslash:
                let stop = lineEnd(from: lexeme.range.lowerBound)
                lexer = Lexer([])
                command(lexeme.range.lowerBound..<stop)
                lexer = Lexer(text)
                lexer.move(to: stop)
            case .semicolon where statement.isOutermost:
                let obstacle = statement.obstacle
                statement = StatementScan()
                guard let obstacle, obstacle.kind == .copyFromStandardInput else { break }
                // The lexer holds the text: without it the text is changed in its place.
                lexer = Lexer([])
                end = rows(of: obstacle.offset, from: max(end, lineEnd(from: lexeme.range.lowerBound) + 1))
                lexer = Lexer(text)
                lexer.move(to: lexeme.range.upperBound)
            default:
                statement.add(
                    lexeme, word: lexeme.kind == .word ? lexer.word(lexeme) : nil,
                    isDot: text[lexeme.range.lowerBound] == UInt8(ascii: "."))
            }
        }
    }

    /// The line end at or behind `offset`, or the end of the text.
    private func lineEnd(from offset: Int) -> Int {
        var at = offset
        while at < text.count, text[at] != UInt8(ascii: "\n") { at += 1 }
        return at
    }

    /// Takes the rows of the COPY at `copy`, which begin at `start`; returns where the line behind them begins.
    private mutating func rows(of copy: Int, from start: Int) -> Int {
        var at = start
        while at < text.count {
            let stop = lineEnd(from: at)
            let hasReturn = stop > at && text[stop - 1] == UInt8(ascii: "\r")
            if stop - at == (hasReturn ? 3 : 2), text[at] == UInt8(ascii: "\\"), text[at + 1] == UInt8(ascii: ".") {
                rows.append(Rows(copy: copy, range: start..<at))
                blank(start..<stop)
                return stop + 1
            }
            at = stop + 1
        }
        flaw = Flaw(
            offset: copy, message: "COPY … FROM STDIN without the end of its rows", hint: ClientText.rowsHint)
        return text.count
    }

    static let rowsHint =
        "The rows begin on the line behind the statement, and a line with nothing but '\\.' ends them."

    private mutating func blank(_ range: Range<Int>) {
        for at in range where text[at] != UInt8(ascii: "\n") && text[at] != UInt8(ascii: "\r") {
            text[at] = UInt8(ascii: " ")
        }
    }

    /// Takes a psql command that has to do with restriction; any other stays, and is refused where the statements are read.
    private mutating func command(_ range: Range<Int>) {
        let words = text[range].split { $0 == 0x20 || ($0 >= 0x09 && $0 <= 0x0D) }.map(Array.init)
        let start = range.lowerBound
        switch words.first.map({ String(decoding: $0, as: UTF8.self) }) {
        case "\\restrict" where restriction == nil:
            guard words.count > 1 else {
                flaw = Flaw(
                    offset: start, message: "'\\restrict' without its key",
                    hint: "pg_dump writes one: take the file as it was made.")
                return
            }
            restriction = words[1]
            blank(range)
        case "\\unrestrict":
            guard let key = restriction, words.count > 1, words[1] == key else {
                flaw = Flaw(
                    offset: start,
                    message: restriction == nil
                        ? "'\\unrestrict' without its '\\restrict'"
                        : "'\\unrestrict' with another key than '\\restrict'",
                    hint: "psql refuses it, too: take the file as pg_dump made it.")
                return
            }
            restriction = nil
            blank(range)
        default: break
        }
    }
}
