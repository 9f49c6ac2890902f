internal import Reporting
public import SQLParsing

/// Where the commands of an ALTER TABLE stand in its text.
public struct AlterTableCommands: Sendable, Equatable {
    /// From ALTER to the end of the table's name.
    public let head: Range<Int>
    /// Each command, from its first word to before the comma behind it.
    public let ranges: [Range<Int>]

    /// The commands of a statement; nil where it is none, or where its table is written in a form that is not read here.
    public init?(_ statement: Int, in script: Script) {
        guard script.statements[statement].node == "AlterTableStmt", let node = script.root(statement),
            let relation = node.field("relation"), let at = relation.location, let name = relation.text("relname"),
            let place = script.nameRange(at: at, name: name, in: statement)
        else { return nil }
        let range = script.statements[statement].range
        head = range.lowerBound..<place.upperBound
        var items = script.commaList(around: at, in: statement).items
        guard let first = items.first, var begin = script.token(from: place.upperBound, in: statement) else {
            return nil
        }
        // `ALTER TABLE t *` means the same as without the star.
        if script.text[begin] == [UInt8(ascii: "*")], let next = script.token(from: begin.upperBound, in: statement) {
            begin = next
        }
        guard first.contains(begin.lowerBound) else { return nil }
        items[0] = begin.lowerBound..<first.upperBound
        ranges = items
    }

    /// The commands that are about constraints of these names which others of the commands add: PostgreSQL does them last, wherever they stand
    /// (tablecmds.c, the passes of ALTER TABLE). Those that prove one are told apart, with its name: what is proved at once is added proved.
    public static func about(
        _ names: [String], _ statement: Int, in script: Script
    ) -> (others: Set<Int>, proofs: [Int: String]) {
        var found: (others: Set<Int>, proofs: [Int: String]) = ([], [:])
        guard script.statements[statement].node == "AlterTableStmt", let node = script.root(statement) else {
            return found
        }
        for (number, command) in node.nodes("cmds").enumerated() {
            switch command.fields.text("subtype") {
            case "AT_ValidateConstraint":
                guard let name = command.fields.text("name"), names.exact.contains(name.exact) else { continue }
                found.proofs[number] = name
            case "AT_AlterConstraint":
                let name = command.fields.node("def")?.fields.text("conname") ?? command.fields.text("name") ?? ""
                if names.exact.contains(name.exact) { found.others.insert(number) }
            default: continue
            }
        }
        return found
    }

    /// The script's text without some of the commands, every byte in its place; nil where none is left to be sent.
    public func text(_ text: [UInt8], without commands: Set<Int>) -> [UInt8]? {
        let kept = ranges.indices.filter { !commands.contains($0) }
        guard let first = kept.first else { return nil }
        var text = text
        func blank(_ range: Range<Int>) {
            for at in range where text[at] != 0x0A && text[at] != 0x0D { text[at] = 0x20 }
        }
        for command in commands {
            if command < first {
                blank(ranges[command].lowerBound..<ranges[command + 1].lowerBound)
            } else {
                blank(ranges[command - 1].upperBound..<ranges[command].upperBound)
            }
        }
        return text
    }
}
