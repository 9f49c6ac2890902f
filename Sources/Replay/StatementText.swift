internal import ForeignKeys
internal import SQLParsing

/// A statement's text whose object is to be made in the scratch schema: some of its bytes replaced, the rest as they are.
struct StatementText {
    private enum Replacement {
        case text(String)
        /// That object in the scratch schema.
        case object(String)
        /// The scratch schema itself.
        case schema
    }

    private let text: [UInt8]
    private let range: Range<Int>
    private var edits: [(range: Range<Int>, by: Replacement)] = []

    /// The bytes `range` of `text`.
    init(_ text: [UInt8], _ range: Range<Int>) {
        self.text = text
        self.range = range
    }

    mutating func replace(_ range: Range<Int>, with text: String) { edits.append((range, .text(text))) }

    /// The name at `range` becomes that of `object` in the scratch schema.
    mutating func move(_ range: Range<Int>, _ object: String) { edits.append((range, .object(object))) }

    /// Columns that the statement names with the schema and table before them become those of the scratch table.
    mutating func moveColumns(of table: TableName, in node: TreeNode, _ script: Script, _ statement: Int) {
        for reference in node.descendants(with: "fields") {
            let parts = reference.strings("fields")
            guard parts.count >= 3, parts[1] == table.name, parts[0] == table.schema ?? parts[0],
                let at = reference.location,
                let place = script.nameRange(at: at, name: parts[parts.count - 1], in: statement),
                let first = script.token(from: at, in: statement), place.upperBound > first.upperBound
            else { continue }
            edits.append((first, .schema))
        }
    }

    /// The text with every replacement made.
    func sql(in scratch: Scratch) -> String {
        var bytes: [UInt8] = []
        var at = range.lowerBound
        for edit in edits.sorted(by: { $0.range.lowerBound < $1.range.lowerBound }) where edit.range.lowerBound >= at {
            bytes += text[at..<edit.range.lowerBound]
            switch edit.by {
            case .text(let text): bytes += text.utf8
            case .object(let name): bytes += scratch.qualified(name).utf8
            case .schema: bytes += scratch.name.utf8
            }
            at = edit.range.upperBound
        }
        bytes += text[at..<range.upperBound]
        return String(decoding: bytes, as: UTF8.self)
    }
}
