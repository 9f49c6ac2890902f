internal import ForeignKeys
public import SQLParsing

/// What later statements do to objects that earlier ones made: why an object of a file may rightly be gone or different by now.
///
/// By names without their schemas, and only what the text says: what DO blocks and functions do stays unknown.
public struct Aftermath: Sendable {
    private struct Change {
        var name: String
        /// A column, constraint, trigger or policy; nil for the object itself.
        var part: String?
    }

    private var changes: [Change] = []

    /// Nothing has happened yet.
    public init() {}

    /// Whether something has happened to the item's object since, that it is gone.
    public func explainsAbsence(of item: ReplayItem) -> Bool {
        item.subject.names.contains { name in
            changes.contains { $0.name == name.name && ($0.part == nil || $0.part == name.part) }
        }
    }

    /// Whether each of the differences is one that something since has made.
    public func explains(_ differences: [Difference], of item: ReplayItem) -> Bool {
        let names = item.subject.names.map(\.name)
        let mine = changes.filter { names.contains($0.name) }
        return differences.allSatisfy { difference in
            // A column that the file does not know is told only beside one that is missing.
            if difference.file.isEmpty, difference.what.hasPrefix("column ") { return true }
            return mine.contains { change in
                change.part.map { difference.what.contains("'\($0)'") || difference.isOrder } ?? true
            }
        }
    }

    /// Adds what a statement does, to be asked about those before it.
    public mutating func add(_ statement: Int, of script: Script) {
        guard let node = script.root(statement) else { return }
        switch script.statements[statement].node {
        case "DropStmt": drop(node)
        case "RenameStmt":
            let names = node.node("object").map { ObjectParts.of($0) } ?? []
            let table = node.field("relation")?.text("relname")
            if let name = table ?? names.last { changes.append(Change(name: name, part: node.text("subname"))) }
            if table != nil, let subname = node.text("subname") { changes.append(Change(name: subname, part: nil)) }
        case "AlterObjectSchemaStmt":
            let names = node.node("object").map { ObjectParts.of($0) } ?? []
            if let name = node.field("relation")?.text("relname") ?? names.last {
                changes.append(Change(name: name, part: nil))
            }
        case "AlterTableStmt": alter(node)
        case "ViewStmt" where node.flag("replace"): add(node.field("view")?.text("relname"))
        case "CreateFunctionStmt" where node.flag("replace"): add(node.strings("funcname").last)
        case "CreateTrigStmt" where node.flag("replace"):
            add(node.field("relation")?.text("relname"), part: node.text("trigname"))
        case "AlterPolicyStmt": add(node.field("table")?.text("relname"), part: node.text("policy_name"))
        case "AlterSeqStmt": add(node.field("sequence")?.text("relname"))
        case "AlterDomainStmt", "AlterEnumStmt", "AlterTypeStmt": add(node.strings("typeName").last)
        case "AlterFunctionStmt": add(node.field("func")?.strings("objname").last)
        case "AlterExtensionStmt", "AlterExtensionContentsStmt": add(node.text("extname"))
        default: break
        }
    }

    private mutating func add(_ name: String?, part: String? = nil) {
        if let name { changes.append(Change(name: name, part: part)) }
    }

    private mutating func drop(_ node: TreeNode) {
        let isPart = ["OBJECT_TRIGGER", "OBJECT_POLICY", "OBJECT_RULE"].contains(node.text("removeType"))
        for object in node.nodes("objects") {
            let parts = ObjectParts.of(object)
            if isPart, parts.count > 1 {
                add(parts[parts.count - 2], part: parts.last)
            } else {
                add(parts.last)
            }
        }
    }

    /// What an ALTER TABLE changes of what was there; what it adds is no change.
    private mutating func alter(_ node: TreeNode) {
        let table = node.field("relation")?.text("relname")
        for command in node.list("cmds", of: "AlterTableCmd") {
            switch command.text("subtype") {
            case "AT_AddColumn", "AT_AddConstraint", "AT_EnableRowSecurity", "AT_ForceRowSecurity",
                "AT_ValidateConstraint",
                "AT_ChangeOwner", "AT_SetStatistics":
                continue
            case "AT_DisableRowSecurity", "AT_NoForceRowSecurity", "AT_SetLogged", "AT_SetUnLogged",
                "AT_AttachPartition",
                "AT_DetachPartition", "AT_AddInherit", "AT_DropInherit", "AT_SetRelOptions", "AT_ResetRelOptions":
                add(table)
            default: add(table, part: command.text("name"))
            }
        }
    }
}

/// The parts of a dotted name, in whatever node the grammar keeps it.
private enum ObjectParts {
    static func of(_ object: (type: String, fields: TreeNode)) -> [String] {
        switch object.type {
        case "List": object.fields.strings("items")
        case "TypeName": object.fields.strings("names")
        case "ObjectWithArgs": object.fields.strings("objname")
        case "String": object.fields.text("sval").map { [$0] } ?? []
        default: []
        }
    }
}
