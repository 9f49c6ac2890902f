internal import SQLLexing

extension Script {
    /// The bytes of the dotted name that begins at `offset`, where its last part is `name`; nil where the text writes it in a form that is
    /// not read here, such as `U&"…"`.
    public func nameRange(at offset: Int, name: String, in statement: Int) -> Range<Int>? {
        var lexer = Lexer(text, in: offset..<statements[statement].range.upperBound)
        guard var last = lexer.next(), last.range.lowerBound == offset, last.isName else { return nil }
        while let dot = lexer.next(), dot.kind == .other, text[dot.range.lowerBound] == UInt8(ascii: "."),
            let part = lexer.next(), part.isName
        {
            last = part
        }
        return last.spells(name, in: text) ? offset..<last.range.upperBound : nil
    }

    /// The bytes of the dotted name behind the first of `words` in a statement; nil as for `nameRange(at:name:in:)`.
    public func nameRange(behind words: Set<String>, name: String, in statement: Int) -> Range<Int>? {
        guard let word = range(ofWord: words, in: statement) else { return nil }
        var lexer = Lexer(text, in: word.upperBound..<statements[statement].range.upperBound)
        guard let first = lexer.next() else { return nil }
        return nameRange(at: first.range.lowerBound, name: name, in: statement)
    }

    /// The bytes of the first plain word of a statement that is one of `words`, from `offset` on.
    public func range(ofWord words: Set<String>, in statement: Int, from offset: Int? = nil) -> Range<Int>? {
        let range = statements[statement].range
        var lexer = Lexer(text, in: (offset ?? range.lowerBound)..<range.upperBound)
        while let lexeme = lexer.next() {
            if lexeme.kind == .word, words.contains(lexer.word(lexeme)) { return lexeme.range }
        }
        return nil
    }

    /// The bytes of the token that begins at or behind `offset`.
    public func token(from offset: Int, in statement: Int) -> Range<Int>? {
        var lexer = Lexer(text, in: offset..<statements[statement].range.upperBound)
        return lexer.next()?.range
    }

    /// The last `count` words of a statement, in lower case, the last one first; fewer where something else stands between them.
    public func lastWords(_ count: Int, of statement: Int) -> [(word: String, range: Range<Int>)] {
        var lexer = Lexer(text, in: statements[statement].range)
        var words: [(word: String, range: Range<Int>)] = []
        while let lexeme = lexer.next() {
            if lexeme.kind == .word { words.append((lexer.word(lexeme), lexeme.range)) } else { words = [] }
        }
        return Array(words.suffix(count).reversed())
    }
}

extension Lexeme {
    fileprivate var isName: Bool { kind == .word || kind == .quotedName }

    /// Whether this is `name` as the server reads it: folded to lower case, or quoted.
    fileprivate func spells(_ name: String, in text: [UInt8]) -> Bool {
        let bytes = text[range]
        guard kind == .quotedName else {
            return bytes.elementsEqual(name.utf8) || String(decoding: bytes, as: UTF8.self).lowercased() == name
        }
        var plain: [UInt8] = []
        var isSecond = false
        for byte in bytes.dropFirst().dropLast() {
            isSecond = byte == UInt8(ascii: "\"") && !isSecond
            if !isSecond { plain.append(byte) }
        }
        // A doubled quote stands for one.
        return plain.elementsEqual(name.utf8)
    }
}
