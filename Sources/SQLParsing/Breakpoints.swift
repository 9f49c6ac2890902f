internal import SQLLexing

/// Drizzle's `--> statement-breakpoint` markers.
///
/// Drizzle cuts its files there and sends each piece, so that a piece may end without `;`. Here each marker is overwritten by a `;`
/// and spaces of the same length: the pieces stay one text that a server can take whole, every offset, line and column stays what it
/// was, and what follows a marker on its line is no longer inside a comment. A marker inside a string, a dollar quote or a block
/// comment is left alone; Drizzle would cut a statement in two there.
enum Breakpoints {
    private static let marker = Array("--> statement-breakpoint".utf8)

    /// `text` with its markers overwritten.
    static func overwrite(in text: [UInt8]) -> [UInt8] {
        var result = text
        var lexer = Lexer(text)
        lexer.keepsComments = true
        while let lexeme = lexer.next() {
            guard lexeme.kind == .lineComment, let found = position(in: text[lexeme.range]) else { continue }
            let end = found + marker.count
            result[lexeme.range.lowerBound] = UInt8(ascii: ";")
            for at in lexeme.range.lowerBound + 1..<end { result[at] = UInt8(ascii: " ") }
            lexer.move(to: end)
        }
        return result
    }

    /// Where the marker stands in a comment: a comment before it on the same line goes with it.
    private static func position(in comment: ArraySlice<UInt8>) -> Int? {
        var at = comment.startIndex
        while at + marker.count <= comment.endIndex {
            if comment[at] == marker[0], comment[at..<at + marker.count].elementsEqual(marker) { return at }
            at += 1
        }
        return nil
    }
}
