public import Reporting
package import SQLLexing

extension Script {
    /// The place of a byte offset in `text`, as people count: line and column from 1, in characters.
    public func place(at offset: Int) -> Place { Place(file: file, offset: offset, in: text) }

    /// The place of a statement's first byte, without going over what stands before its line.
    public func place(of statement: Int) -> Place {
        var at = statements[statement].range.lowerBound
        var column = 1
        while at > 0, text[at - 1] != UInt8(ascii: "\n") {
            at -= 1
            if text[at] & 0xC0 != 0x80 { column += 1 }
        }
        return Place(file: file, line: statements[statement].line, column: column)
    }

    /// The statements of a text without their `;`, as far as they can be told apart without the grammar.
    package static func statementRanges(in text: [UInt8]) -> [Range<Int>] { StatementCutter.ranges(in: text) }

    /// Whether a statement differs from the one before it in nothing but its rows: an INSERT of plain rows in a large file.
    public func isRepetition(_ statement: Int) -> Bool { tree?.repeats(statement) ?? false }

    /// Where its secrets are. Reads the whole text: ask once for one failure.
    package var secrets: Secrets { Secrets(of: text) }

    /// The statement whose bytes, or the gap before whose bytes, hold the offset; nil behind the last and where nothing was parsed.
    public func statement(at offset: Int) -> Int? {
        // Statements are in order: the first that ends behind the offset.
        var low = 0
        var high = statements.count
        while low < high {
            let middle = (low + high) / 2
            if statements[middle].range.upperBound <= offset { low = middle + 1 } else { high = middle }
        }
        return low < statements.count ? low : nil
    }

    /// The rows that the statements of a range copy; all of them for an empty range of a file that could not be parsed.
    public func rows(of statements: Range<Int>) -> [Range<Int>] {
        rows.filter { $0.statement.map(statements.contains) ?? true }.map(\.range)
    }

    /// The bytes to send for a segment.
    public func sql(in segment: Segment) -> [UInt8] { segment.sql(of: text) }

    /// The byte offset in `text` of the server's 1-based character position in what was sent for `segment`.
    public func offset(ofCharacter position: Int, in segment: Segment) -> Int {
        segment.offset(ofCharacter: position, in: text)
    }

    /// The statement whose result is the `result`-th (from 0) that the server returns for `segment`: each statement gives exactly one,
    /// an empty one between two `;` gives none. Nil where nothing was parsed or there is no such statement.
    public func statement(ofResult result: Int, in segment: Segment) -> Int? {
        let index = segment.statements.lowerBound + result
        return segment.statements.contains(index) ? index : nil
    }

    /// The beginning of a statement on one line, without its secrets: runs of white space become one space, control characters visible
    /// escapes; at most `limit` bytes.
    public func excerpt(of statement: Int, limit: Int = 120) -> String {
        // Escapes and collapsed space need only a little more of the text than what is shown.
        let range = statements[statement].range
        let all = secrets.shown(range)
        let start = all.prefix(limit * 8)
        var shown: [UInt8] = []
        for byte in start {
            if byte == 0x20 || (byte >= 0x09 && byte <= 0x0D) {
                if shown.last != 0x20 { shown.append(0x20) }
            } else {
                shown.append(byte)
            }
        }
        // The cut may have split a character.
        if start.count < all.count, shown.count < limit { shown.append(contentsOf: "…".utf8) }
        return Printable.line(String(decoding: shown, as: UTF8.self), limit: limit)
    }
}
