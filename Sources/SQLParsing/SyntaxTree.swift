internal import JSON

/// The syntax trees of a script's statements: libpg_query's JSON.
///
/// A text of ordinary size is parsed at once, and all its statements share one tree. Of a large one the trees are small, and there are none of
/// most statements: rows of an INSERT are left out, and what would take more memory than the text is parsed again when it is asked for.
public struct SyntaxTree: Sendable {
    /// A tree of one statement or several.
    struct Part: Sendable {
        let tape: JSONTape
        /// What its locations count from: the byte of the text that was its first. Nil where that is each statement's own first byte.
        let base: Int?
    }

    /// Where a statement's tree is.
    struct Place: Sendable {
        let part: UInt32
        /// The index of the node's fields in the part's tape.
        let root: UInt32

        /// The tree was not kept.
        static let none = Place(part: .max, root: 0)
    }

    var parts: [Part] = []
    /// For each statement.
    var places: [Place] = []

    /// Whether a statement has the tree of the one before it.
    func repeats(_ statement: Int) -> Bool {
        guard statement > 0, places[statement].part != .max else { return false }
        let (one, other) = (places[statement - 1], places[statement])
        return one.part == other.part && one.root == other.root && parts[Int(other.part)].base == nil
    }

    /// The fields of the node of a statement, which is `range` of the text; parsed again where the tree was not kept.
    func root(of statement: Int, _ range: Range<Int>, in text: [UInt8]) -> TreeNode? {
        let place = places[statement]
        guard place.part != .max else { return SyntaxTree.parsed(range, of: text) }
        let part = parts[Int(place.part)]
        return TreeNode(tape: part.tape, index: Int(place.root), base: part.base ?? range.lowerBound)
    }

    /// The tree of a statement that the grammar has read before.
    private static func parsed(_ range: Range<Int>, of text: [UInt8]) -> TreeNode? {
        guard case .tree(let json) = Grammar.parse(Array(text[range])), let tape = try? JSONTape(json),
            let entry = tape.member(tape.root, "stmts").flatMap({ tape.elements($0).first }),
            let wrapper = tape.member(entry, "stmt")
        else { return nil }
        return TreeNode(tape: tape, index: wrapper + 2, base: range.lowerBound)
    }
}
