internal import Reporting
internal import SQLParsing

/// What is sent of a file in one message, and how the server's answers lead back to its place in the file.
struct Piece {
    /// The segment that it belongs to.
    let segment: Int
    /// The bytes to send: a range of the file's text, or of a copy of the same length.
    let sql: [UInt8]
    /// Where they begin in the text.
    private let start: Int
    let statements: Range<Int>
    /// The rows that it copies, as parts of the script's `rowBytes`.
    let rows: [Range<Int>]

    /// A whole segment.
    init(_ segment: Segment, _ index: Int, _ script: Script) {
        self.segment = index
        sql = script.sql(in: segment)
        start = segment.range.lowerBound
        statements = segment.statements
        rows = script.rows(of: statements)
    }

    /// Some statements of a segment, of a copy of the script's text in which parts are blanked.
    init(_ statements: Range<Int>, _ segment: Int, _ script: Script, _ text: [UInt8]) {
        self.segment = segment
        self.statements = statements
        rows = script.rows(of: statements)
        start = script.statements[statements.lowerBound].range.lowerBound
        sql = Array(text[start..<script.statements[statements.upperBound - 1].range.upperBound])
    }

    /// The byte offset in the file's text of the server's position, in characters from 1.
    func offset(ofCharacter position: Int) -> Int {
        var rest = position - 1
        for (index, byte) in sql.enumerated() where byte & 0xC0 != 0x80 {
            if rest <= 0 { return start + index }
            rest -= 1
        }
        return start + sql.count
    }

    /// Whether the `result`-th result, from 0, is one of its own statements'; all are where the grammar has not told them apart.
    func contains(result: Int) -> Bool { statements.isEmpty || result < statements.count }

    /// The statement whose result is the `result`-th, from 0.
    func statement(ofResult result: Int) -> Int? {
        let index = statements.lowerBound + result
        return statements.contains(index) ? index : nil
    }
}
