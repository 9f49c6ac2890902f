internal import SQLLexing

/// Cuts a large text at the `;` between its statements, so that no more than a few of them have to be parsed at once.
///
/// It knows quotes, comments, parentheses and the bodies of BEGIN ATOMIC, no grammar (`StatementScan`): where it cuts wrongly the grammar refuses
/// a piece that it would have read in the whole.
struct StatementCutter {
    /// One statement.
    struct Piece {
        /// From its first lexeme to the end of its last, without its `;`.
        let range: Range<Int>
        /// What of it is not plain rows, where it is an INSERT of nothing else.
        let rows: PlainRows?
    }

    /// An INSERT whose rows are written as numbers, strings and key words: the grammar takes any of those, so that only what stands round
    /// them has to be parsed.
    struct PlainRows {
        /// From INSERT up to VALUES.
        let head: Range<Int>
        /// Whether ON CONFLICT DO NOTHING follows.
        let passesConflicts: Bool
    }

    private let text: [UInt8]
    private var lexer: Lexer

    init(_ text: [UInt8]) {
        self.text = text
        lexer = Lexer(text)
    }

    /// The next statement; nil at the end of the text.
    mutating func next() -> Piece? {
        while let first = lexer.next() {
            if first.kind == .semicolon { continue }
            if isWord(first, "insert"), let piece = rows(from: first) { return piece }
            lexer.move(to: first.range.lowerBound)
            return any(from: first.range.lowerBound)
        }
        return nil
    }

    private mutating func any(from start: Int) -> Piece {
        var statement = StatementScan()
        var end = start
        while let lexeme = lexer.next(), lexeme.kind != .semicolon || !statement.isOutermost {
            statement.add(
                lexeme, word: lexeme.kind == .word ? lexer.word(lexeme) : nil,
                isDot: text[lexeme.range.lowerBound] == UInt8(ascii: "."))
            end = lexeme.range.upperBound
        }
        return Piece(range: start..<end, rows: nil)
    }

    /// The statements of a whole text.
    static func ranges(in text: [UInt8]) -> [Range<Int>] {
        var cutter = StatementCutter(text)
        var ranges: [Range<Int>] = []
        while let piece = cutter.next() { ranges.append(piece.range) }
        return ranges
    }

    // MARK: Plain rows

    /// The INSERT that begins with `first`, up to its end; nil where there is more in it than plain rows.
    private mutating func rows(from first: Lexeme) -> Piece? {
        guard let into = lexer.next(), isWord(into, "into"), skipName(), let values = skipToValues() else { return nil }
        let head = first.range.lowerBound..<values.range.lowerBound
        while let open = lexer.next(), open.kind == .open {
            guard var end = skipRow() else { return nil }
            guard let next = lexer.next(), next.kind != .semicolon else {
                return Piece(range: head.lowerBound..<end, rows: PlainRows(head: head, passesConflicts: false))
            }
            if next.kind == .comma { continue }
            guard isWord(next, "on") else { return nil }
            for word in ["conflict", "do", "nothing"] {
                guard let lexeme = lexer.next(), isWord(lexeme, word) else { return nil }
                end = lexeme.range.upperBound
            }
            if let last = lexer.next(), last.kind != .semicolon { return nil }
            return Piece(range: head.lowerBound..<end, rows: PlainRows(head: head, passesConflicts: true))
        }
        return nil
    }

    /// Reads a name with or without a schema; false where something else stands there.
    private mutating func skipName() -> Bool {
        guard let name = lexer.next(), name.kind == .word || name.kind == .quotedName else { return false }
        let at = lexer.at
        guard let dot = lexer.next(), dot.kind == .other, text[dot.range.lowerBound] == UInt8(ascii: ".") else {
            lexer.move(to: at)
            return true
        }
        guard let last = lexer.next() else { return false }
        return last.kind == .word || last.kind == .quotedName
    }

    /// Reads the list of columns and OVERRIDING, and gives VALUES.
    private mutating func skipToValues() -> Lexeme? {
        var depth = 0
        while let lexeme = lexer.next() {
            switch lexeme.kind {
            case .open where depth == 0: depth = 1
            case .close where depth == 1: depth = 2
            case .comma, .quotedName: if depth != 1 { return nil }
            case .word where depth == 1: break
            case .word:
                if isWord(lexeme, "values") { return lexeme }
                guard ["overriding", "system", "user", "value"].contains(where: { isWord(lexeme, $0) }) else {
                    return nil
                }
            default: return nil
            }
        }
        return nil
    }

    /// Reads the values of a row behind its `(`; the end of its `)`, or nil where one of them is more than a plain value.
    private mutating func skipRow() -> Int? {
        while let first = lexer.next() {
            var value = first
            if value.kind == .other, [UInt8(ascii: "-"), UInt8(ascii: "+")].contains(text[value.range.lowerBound]) {
                guard let number = lexer.next(), number.kind == .number else { return nil }
                value = number
            }
            switch value.kind {
            // An escape string has escapes that the scanner may refuse.
            case .string: if text[value.range.lowerBound] != UInt8(ascii: "'") { return nil }
            case .number: if !isPlainNumber(value.range) { return nil }
            case .word:
                guard ["null", "true", "false", "default"].contains(where: { isWord(value, $0) }) else { return nil }
            default: return nil
            }
            guard let end = lexer.next() else { return nil }
            if end.kind == .close { return end.range.upperBound }
            if end.kind != .comma { return nil }
        }
        return nil
    }

    /// Digits with or without a fraction and an exponent without a sign: the scanner may take anything else apart.
    private func isPlainNumber(_ range: Range<Int>) -> Bool {
        var at = range.lowerBound
        func digits() -> Int {
            let start = at
            while at < range.upperBound, text[at] >= UInt8(ascii: "0"), text[at] <= UInt8(ascii: "9") { at += 1 }
            return at - start
        }
        guard digits() > 0 else { return false }
        if at < range.upperBound, text[at] == UInt8(ascii: ".") {
            at += 1
            _ = digits()
        }
        if at < range.upperBound, text[at] | 0x20 == UInt8(ascii: "e") {
            at += 1
            if digits() == 0 { return false }
        }
        return at == range.upperBound
    }

    /// Whether a lexeme is that word, which is given in lower case.
    private func isWord(_ lexeme: Lexeme, _ word: String) -> Bool {
        guard lexeme.kind == .word, lexeme.range.count == word.utf8.count else { return false }
        return zip(text[lexeme.range], word.utf8).allSatisfy { $0 | 0x20 == $1 }
    }
}
