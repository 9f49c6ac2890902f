internal import ForeignKeys
internal import Reporting
public import SQLParsing

extension SkippedObject {
    /// Whether a statement behind its own, and before `end`, may be why it is not any more what the file made of it: one that alters, renames or drops something
    /// that its own statement names, and one that may do anything at all. What the file's commands are known to make of it is expected, and so no excuse.
    public func mayBeChanged(by script: Script, before end: Int) -> Bool {
        guard statement < end else { return false }
        let own = script.root(statement).map { Set(($0.names + $0.texts("schemaname")).exact) } ?? []
        return (statement..<end).contains { later in
            guard later > statement || command != nil else { return false }
            guard let node = script.root(later) else { return true }
            let change = SchemaChange(script.statements[later].node, node)
            switch change.reach {
            case .nothing: return false
            case .anything: return later > statement
            case .named(let names):
                guard !own.isDisjoint(with: names.exact) else { return false }
                return change.commands.map { commands in
                    let own = later == statement ? commands.firstIndex { $0.number == command } : nil
                    return commands.dropFirst(own.map { $0 + 1 } ?? 0).contains { number, isAddition in
                        !isAddition && !isFollowed(later, number)
                    }
                } ?? !isFollowed(later, nil)
            }
        }
    }

    private func isFollowed(_ statement: Int, _ command: Int?) -> Bool {
        sequels.contains { $0.statement == statement && $0.command == command }
    }
}

/// What a statement may change of objects that exist.
private struct SchemaChange {
    enum Reach {
        case nothing
        /// What has one of these names, or is about something that has.
        case named([String])
        case anything
    }

    var reach = Reach.nothing
    /// The commands of an ALTER TABLE in the order in which they are done, by their number in the text from 0: whether each only adds to the table.
    var commands: [(number: Int, isAddition: Bool)]?

    init(_ type: String, _ node: TreeNode) {
        switch type {
        case "DoStmt", "CallStmt", "ExecuteStmt", "DropOwnedStmt", "ReassignOwnedStmt", "AlterTableMoveAllStmt":
            reach = .anything
        case "SelectStmt":
            let calls = node.descendants(with: "funcname").compactMap { $0.strings("funcname").last }
            if !calls.allSatisfy(Self.changesNothing.contains) { reach = .anything }
        case "DropStmt" where node.text("behavior") == "DROP_CASCADE": reach = .anything
        case "AlterTableStmt":
            let list = node.alterTableCommands
            commands = list.map { ($0.number, SchemaChange.isAddition($0.command)) }
            reach = .named(node.field("relation").map { [$0.text("relname") ?? ""] } ?? [])
            if list.contains(where: { $0.command.text("behavior") == "DROP_CASCADE" }) { reach = .anything }
            let others = list.flatMap { $0.command.descendants(with: "relname").compactMap { $0.text("relname") } }
            if case .named(let names) = reach { reach = .named(names + others) }
        case "RenameStmt" where node.has("relation"):
            reach = .named(node.field("relation")?.text("relname").map { [$0] } ?? [])
        case let type where type.hasPrefix("Alter") || type.hasPrefix("Rename") || type.hasPrefix("Drop"):
            reach = .named(node.names)
        case _ where node.flag("replace"): reach = .named(node.names)
        default: break
        }
    }

    /// Functions that a dump calls.
    private static let changesNothing: Set<String> = ["set_config", "setval", "nextval", "pg_sleep", "now"]

    private static func isAddition(_ command: TreeNode) -> Bool {
        switch command.text("subtype") {
        case "AT_AddColumn", "AT_ValidateConstraint", "AT_EnableRowSecurity", "AT_ForceRowSecurity", "AT_ChangeOwner",
            "AT_SetStatistics", "AT_SetStorage", "AT_ReplicaIdentity", "AT_ClusterOn":
            return true
        case "AT_AddConstraint":
            // A primary key makes its columns NOT NULL, and an index that becomes a constraint's gets its name.
            guard let constraint = command.node("def")?.fields else { return false }
            return constraint.text("contype") != "CONSTR_PRIMARY" && !constraint.has("indexname")
        default: return false
        }
    }
}

extension TreeNode {
    /// Every name in the subtree; `public` before a name says nothing of it.
    fileprivate var names: [String] {
        let keys = [
            "sval", "relname", "colname", "conname", "name", "subname", "idxname", "trigname", "policy_name", "extname",
            "rolename",
        ]
        return keys.flatMap(texts).filter { !["public", "pg_catalog"].contains($0) }
    }

    fileprivate func texts(_ key: String) -> [String] { descendants(with: key).compactMap { $0.text(key) } }
}
