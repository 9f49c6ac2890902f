internal import SQLLexing

extension Script {
    /// The lexemes of a statement, each behind a NUL: without comments and white space between them, words in lower case. Two statements with
    /// the same lexemes are the same to the server.
    public func lexemes(of statement: Int) -> [UInt8] {
        var lexemes: [UInt8] = []
        var lexer = Lexer(text, in: statements[statement].range)
        while let lexeme = lexer.next() {
            lexemes.append(0)
            if lexeme.kind == .word {
                lexemes += lexer.word(lexeme).utf8
            } else {
                lexemes += text[lexeme.range]
            }
        }
        return lexemes
    }

    /// The script with one of its transactions cut in two, the second of which begins with the transaction's statement at `offset`, from 0.
    public func cutting(segment index: Int, at offset: Int) -> Script {
        let segment = segments[index]
        let border = segment.statements.lowerBound + offset
        precondition(segment.kind == .transaction && offset > 0 && border < segment.statements.upperBound)
        func part(_ range: Range<Int>) -> Segment {
            Segment(
                kind: .transaction, statements: range,
                range: statements[range.lowerBound].range
                    .lowerBound..<statements[range.upperBound - 1].range.upperBound,
                begin: segment.begin, ownBlock: segment.ownBlock, concurrentIndex: nil, trace: nil)
        }
        var script = self
        script.segments.replaceSubrange(
            index...index,
            with: [part(segment.statements.lowerBound..<border), part(border..<segment.statements.upperBound)])
        return script
    }
}
