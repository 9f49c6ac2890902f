internal import SQLLexing

/// A list whose items commas separate, as it stands in a statement's text: the elements of CREATE TABLE, the commands of ALTER TABLE.
public struct CommaList: Sendable, Equatable {
    /// Each item's bytes, from its first token to the end of its last. Outside of parentheses the first item also holds what leads to
    /// the list.
    public let items: [Range<Int>]
    /// The list with its parentheses; nil for one outside of any.
    public let parentheses: Range<Int>?
}

extension Script {
    /// The innermost list that the byte at `offset` stands in, with strings, quoted names and comments skipped.
    ///
    /// Exact for what the grammar has read: a token is never cut.
    public func commaList(around offset: Int, in statement: Int) -> CommaList {
        let range = statements[statement].range
        var lexer = Lexer(text, in: range)
        var open: [OpenList] = [OpenList(start: nil)]
        var end = range.lowerBound
        while let lexeme = lexer.next() {
            switch lexeme.kind {
            case .open:
                open[open.count - 1].take(lexeme.range)
                open.append(OpenList(start: lexeme.range.lowerBound))
            case .close where open.count > 1:
                let closed = open.removeLast()
                if closed.start ?? 0 <= offset, offset < lexeme.range.upperBound {
                    return closed.list(end: lexeme.range.upperBound)
                }
                open[open.count - 1].take(lexeme.range)
            case .comma: open[open.count - 1].endItem()
            default: open[open.count - 1].take(lexeme.range)
            }
            end = lexeme.range.upperBound
        }
        return open[0].list(end: end)
    }

    /// The bytes of the token before the one that begins at `offset`; nil where it is the statement's first.
    public func token(before offset: Int, in statement: Int) -> Range<Int>? {
        var lexer = Lexer(text, in: statements[statement].range)
        var last: Range<Int>?
        while let lexeme = lexer.next(), lexeme.range.lowerBound < offset { last = lexeme.range }
        return last
    }
}

/// A list whose end has not been reached.
private struct OpenList {
    let start: Int?
    private var items: [Range<Int>] = []
    private var item: Range<Int>?

    init(start: Int?) { self.start = start }

    mutating func take(_ lexeme: Range<Int>) {
        item = (item?.lowerBound ?? lexeme.lowerBound)..<lexeme.upperBound
    }

    mutating func endItem() {
        if let item { items.append(item) }
        item = nil
    }

    func list(end: Int) -> CommaList {
        CommaList(items: items + (item.map { [$0] } ?? []), parentheses: start.map { $0..<end })
    }
}
