internal import ForeignKeys
public import SQLParsing

/// What a later command of the same file does to an object that an earlier statement creates: a database in which both ran holds what the
/// two make together.
public struct Sequel: Sendable {
    /// The statement in the script, from 0.
    public let statement: Int
    /// The command of an ALTER TABLE, from 0; nil where the whole statement is meant.
    public let command: Int?
    /// The bytes of the statement or command in the script's text.
    public let range: Range<Int>
    /// What people call it: `column`, `constraint`, `alteration`.
    public let word: String
    /// The column or constraint that it is about.
    public let part: String?
    /// Its table, as the statement names it.
    let table: TableName
    /// Whether it may be about whole rows of it.
    let takesRow: Bool
    /// What becomes of a column's name.
    let change: ColumnChange?
    /// Constraints that it gives a name.
    let named: Set<String>
    /// The command, for the scratch table.
    let text: StatementText
}

/// The statements of a script that alter tables, by table.
public struct Sequels: Sendable {
    private let script: Script
    /// The script's text with its foreign keys blanked.
    private let text: [UInt8]
    private var statements: [TableName: [Int]] = [:]

    /// Those of `script`; `text` is its text with its foreign keys blanked.
    public init(_ script: Script, _ text: [UInt8]) {
        self.script = script
        self.text = text
        for statement in script.statements.indices
        where ["AlterTableStmt", "RenameStmt"].contains(script.statements[statement].node) {
            guard let relation = script.root(statement)?.field("relation"), let table = TableName(relation: relation)
            else { continue }
            statements[table, default: []].append(statement)
        }
    }

    /// The later commands that alter what the item makes, in the order in which PostgreSQL does them: any that change a table's shape, of a column only its own.
    ///
    /// Foreign keys are looked after by themselves. A command of another kind ends nothing: it is sent again, as ever.
    public func after(_ item: ReplayItem) -> [Sequel] {
        guard let table = item.subject.altered?.table else { return [] }
        return (statements[table] ?? []).filter { $0 >= item.statement }.flatMap { later -> [Sequel] in
            guard let node = script.root(later) else { return [] }
            return script.statements[later].node == "AlterTableStmt"
                ? altering(node, later, after: item) : renaming(node, later, after: item).map { [$0] } ?? []
        }
    }

    private func altering(_ node: TreeNode, _ later: Int, after item: ReplayItem) -> [Sequel] {
        guard node.text("objtype") == "OBJECT_TABLE", let list = AlterTableCommands(later, in: script),
            let copy = Copy(node.field("relation"), script, later)
        else { return [] }
        let commands = node.alterTableCommands
        guard commands.count == list.ranges.count else { return [] }
        let own = later == item.statement ? commands.firstIndex { $0.number == item.command } : nil
        return commands.dropFirst(own.map { $0 + 1 } ?? 0).compactMap { number, command in
            let range = list.ranges[number]
            guard let kind = Kind(command) else { return nil }
            if let column = item.subject.altered?.column, kind != .column(column) { return nil }
            var alone = StatementText(command: range, of: list, text, copy, command, script, later)
            if !alone.dropSequenceName(of: command, script, later) { return nil }
            return Sequel(
                statement: later, command: number, range: range, word: kind.word, part: kind.part,
                table: copy.table, takesRow: command.mayTakeRow(of: copy.table), change: ColumnChange(command),
                named: Set(command.descendants(with: "conname").compactMap { $0.text("conname") }), text: alone)
        }
    }

    private func renaming(_ node: TreeNode, _ later: Int, after item: ReplayItem) -> Sequel? {
        guard item.subject.altered?.column == nil,
            ["OBJECT_COLUMN", "OBJECT_TABCONSTRAINT"].contains(node.text("renameType")),
            let copy = Copy(node.field("relation"), script, later)
        else { return nil }
        let range = script.statements[later].range
        var edited = StatementText(text, range)
        edited.move(copy.place, copy.table.name)
        var change: ColumnChange?
        if node.text("renameType") == "OBJECT_COLUMN", let from = node.text("subname"), let to = node.text("newname") {
            change = .renamed(from: from, to: to)
        }
        return Sequel(
            statement: later, command: nil, range: range, word: "alteration", part: node.text("subname"),
            table: copy.table, takesRow: false, change: change, named: [], text: edited)
    }

    /// What a command of an ALTER TABLE is about, where it can be done to an empty table alone.
    private enum Kind: Equatable {
        case newColumn(String)
        case column(String)
        case constraint(String?)
        case table

        init?(_ command: TreeNode) {
            let name = command.text("name")
            switch command.text("subtype") {
            case "AT_AddColumn":
                guard let column = command.node("def")?.fields.text("colname") else { return nil }
                self = .newColumn(column)
            case "AT_AddConstraint":
                guard let constraint = command.node("def")?.fields, constraint.text("contype") != "CONSTR_FOREIGN",
                    !constraint.has("indexname")
                else { return nil }
                self = .constraint(constraint.text("conname"))
            case "AT_DropConstraint": self = .constraint(name)
            case "AT_DropColumn", "AT_AlterColumnType", "AT_ColumnDefault", "AT_SetNotNull", "AT_DropNotNull",
                "AT_AddIdentity", "AT_SetIdentity", "AT_DropIdentity", "AT_DropExpression":
                guard let name else { return nil }
                self = .column(name)
            case "AT_SetRelOptions", "AT_ResetRelOptions", "AT_SetLogged", "AT_SetUnLogged": self = .table
            default: return nil
            }
        }

        var word: String {
            switch self {
            case .newColumn: "column"
            case .constraint: "constraint"
            case .column, .table: "alteration"
            }
        }

        var part: String? {
            switch self {
            case .newColumn(let name), .column(let name): name
            case .constraint(let name): name
            case .table: nil
            }
        }
    }
}

extension StatementText {
    /// A command of an ALTER TABLE alone, for the copy: ALTER TABLE scratch.t ADD …
    init(
        command range: Range<Int>, of list: AlterTableCommands, _ text: [UInt8], _ copy: Copy, _ command: TreeNode,
        _ script: Script, _ statement: Int
    ) {
        self.init(text, list.head.lowerBound..<range.upperBound)
        replace(list.head.upperBound..<range.lowerBound, with: " ")
        moveColumns(of: copy.table, in: command, script, statement)
        move(copy.place, copy.table.name)
    }

    /// Leaves out the name that ADD … AS IDENTITY gives its sequence: the real one has it. False where it is written in a form that is not read here.
    fileprivate mutating func dropSequenceName(of command: TreeNode, _ script: Script, _ statement: Int) -> Bool {
        guard command.text("subtype") == "AT_AddIdentity", let constraint = command.node("def")?.fields else {
            return true
        }
        for option in constraint.list("options", of: "DefElem") where option.text("defname") == "sequence_name" {
            guard let at = option.location, let last = option.node("arg")?.fields.strings("items").last,
                let word = script.range(ofWord: ["name"], in: statement, from: at),
                let start = script.token(from: word.upperBound, in: statement),
                let name = script.nameRange(at: start.lowerBound, name: last, in: statement)
            else { return false }
            replace(at..<name.upperBound, with: " ")
        }
        return true
    }
}
