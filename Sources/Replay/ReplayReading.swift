internal import ForeignKeys
internal import Reporting
public import SQLParsing

extension ReplayItem {
    /// What a statement creates and what may be there already, in the order in which PostgreSQL does it; none for statements that replay leaves to the
    /// server: those with IF NOT EXISTS or OR REPLACE, temporary objects, and classes that are not compared.
    ///
    /// - Parameters:
    ///   - text: the script's text with its foreign keys blanked, every byte in its place.
    ///   - namesKeys: whether foreign keys that have a name are among them, to be found by it alone.
    ///   - includesConditional: whether statements with IF NOT EXISTS or OR REPLACE are among them.
    public static func all(
        of statement: Int, in script: Script, text: [UInt8], namesKeys: Bool = false, includesConditional: Bool = false
    ) -> [ReplayItem] {
        guard let node = script.root(statement) else { return [] }
        if script.statements[statement].node == "AlterTableStmt" {
            return commands(
                node, script, text, statement, namesKeys: namesKeys, includesConditional: includesConditional)
        }
        let isConditional = ["if_not_exists", "replace", "skipIfNewValExists"].contains { node.flag($0) }
        guard includesConditional || !isConditional, let subject = subject(node, script, text, statement) else {
            return []
        }
        return [
            ReplayItem(statement: statement, command: nil, range: script.statements[statement].range, subject: subject)
        ]
    }

    private static func subject(_ node: TreeNode, _ script: Script, _ text: [UInt8], _ statement: Int)
        -> (any ReplaySubject)?
    {
        switch script.statements[statement].node {
        case "CreateStmt": TableReplay(node, script, text, statement)
        case "IndexStmt": IndexReplay(node, script, text, statement)
        case "CreateSeqStmt": SequenceReplay(node, script, text, statement)
        case "CreateEnumStmt", "CompositeTypeStmt", "CreateRangeStmt", "CreateDomainStmt":
            TypeReplay(node, script, text, statement)
        case "AlterEnumStmt": EnumValueReplay(node)
        case "ViewStmt", "CreateTableAsStmt": ViewReplay(node, script, text, statement)
        case "CreateFunctionStmt": RoutineReplay(node, script, text, statement)
        case "CreateTrigStmt": TriggerReplay(node, script, text, statement)
        case "CreatePolicyStmt": PolicyReplay(node, script, text, statement)
        case "CreateExtensionStmt": ExtensionReplay(node)
        case "CreateSchemaStmt": SchemaReplay(node)
        default: nil
        }
    }

    private static func commands(
        _ node: TreeNode, _ script: Script, _ text: [UInt8], _ statement: Int, namesKeys: Bool,
        includesConditional: Bool
    ) -> [ReplayItem] {
        guard node.text("objtype") == "OBJECT_TABLE", let list = AlterTableCommands(statement, in: script),
            let copy = Copy(node.field("relation"), script, statement)
        else { return [] }
        let commands = node.alterTableCommands
        guard commands.count == list.ranges.count else { return [] }
        var taken = Taken()
        return commands.compactMap { number, command in
            let range = list.ranges[number]
            defer { taken.add(command) }
            guard includesConditional || !command.flag("missing_ok"), !taken.mayHold(command) else { return nil }
            let alone = StatementText(command: range, of: list, text, copy, command, script, statement)
            let subject = subject(command, copy, alone, namesKeys: namesKeys)
            return subject.map { ReplayItem(statement: statement, command: number, range: range, subject: $0) }
        }
    }

    private static func subject(_ command: TreeNode, _ copy: Copy, _ text: StatementText, namesKeys: Bool)
        -> (any ReplaySubject)?
    {
        switch command.text("subtype") {
        case "AT_AddColumn":
            guard let column = command.node("def"), column.type == "ColumnDef" else {
                return nil
            }
            return ColumnReplay(column.fields, copy, text)
        case "AT_AddConstraint":
            guard let constraint = command.node("def"), constraint.type == "Constraint",
                namesKeys || constraint.fields.text("contype") != "CONSTR_FOREIGN"
            else { return nil }
            return ConstraintReplay(constraint.fields, copy, text)
        case "AT_EnableRowSecurity": return RowSecurityReplay(copy, forces: false)
        case "AT_ForceRowSecurity": return RowSecurityReplay(copy, forces: true)
        default: return nil
        }
    }
}

/// What the earlier commands of an ALTER TABLE take away: where a later one makes the like again, what stands now is no sign that it is done.
private struct Taken {
    private var columns: Set<ExactText> = []
    private var constraints: Set<ExactText> = []
    private var isUnprotected = false

    mutating func add(_ command: TreeNode) {
        let name = command.text("name")
        switch command.text("subtype") {
        case "AT_DropColumn": if let name { columns.insert(name.exact) }
        case "AT_DropConstraint": if let name { constraints.insert(name.exact) }
        case "AT_DisableRowSecurity", "AT_NoForceRowSecurity": isUnprotected = true
        default: break
        }
    }

    /// Whether what the command makes may be among that. Constraints go with a column that they are about, too.
    func mayHold(_ command: TreeNode) -> Bool {
        let made = command.node("def")?.fields
        switch command.text("subtype") {
        case "AT_AddColumn": return made?.text("colname").map { columns.contains($0.exact) } ?? false
        case "AT_AddConstraint":
            guard columns.isEmpty else { return true }
            return made?.text("conname").map { constraints.contains($0.exact) } ?? !constraints.isEmpty
        case "AT_EnableRowSecurity", "AT_ForceRowSecurity": return isUnprotected
        default: return false
        }
    }
}
