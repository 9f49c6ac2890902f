/// What shows whether a statement that ran outside of any transaction has run, where the record of its end was lost.
public enum Trace: Sendable, Equatable {
    /// Something that is no table's and has a name of its own in the whole server or database.
    public struct Object: Sendable, Equatable {
        /// What kind of thing it is.
        public enum Kind: String, Sendable { case database, tablespace, subscription }
        /// What kind of thing it is.
        public let kind: Kind
        /// Its name, as the catalog has it.
        public let name: String
    }

    /// Nothing has to: a second run comes to the same as one (VACUUM, REINDEX, ALTER SYSTEM …), or is refused by the server.
    case harmless
    /// It has run where there is such an object that was not there before.
    case made(Object)
    /// It has run where there is no such object any more.
    case dropped(Object)
    /// It has run where the one is no partition of the other any more; each with its schema, where that is stated.
    case detached(partition: [String], from: [String])
    /// The index itself: see `Segment.concurrentIndex`.
    case index
    /// Nothing does: a procedure or a block that may have committed on its way, or a statement that the grammar cannot read.
    case nowhere
}

extension Classifier {
    /// What the statement leaves behind by which it can be told that it has run.
    func trace(_ node: String, _ fields: Int) -> Trace {
        if let index = concurrentIndex(node, fields) { return index.action == .reindex ? .harmless : .index }
        let node = (type: node, fields: TreeNode(tape: tape, index: fields))
        func object(_ kind: Trace.Object.Kind, _ key: String) -> Trace.Object? {
            node.fields.text(key).map { Trace.Object(kind: kind, name: $0) }
        }
        let found: Trace? =
            switch node.type {
            case "CreatedbStmt": object(.database, "dbname").map(Trace.made)
            case "DropdbStmt": object(.database, "dbname").map(Trace.dropped)
            case "CreateTableSpaceStmt": object(.tablespace, "tablespacename").map(Trace.made)
            case "DropTableSpaceStmt": object(.tablespace, "tablespacename").map(Trace.dropped)
            case "CreateSubscriptionStmt": object(.subscription, "subname").map(Trace.made)
            case "DropSubscriptionStmt": object(.subscription, "subname").map(Trace.dropped)
            case "AlterTableStmt": detached(node.fields)
            case "VacuumStmt", "ClusterStmt", "ReindexStmt", "AlterSystemStmt", "AlterDatabaseStmt", "DiscardStmt",
                "AlterSubscriptionStmt":
                .harmless
            default: .nowhere
            }
        return found ?? .nowhere
    }

    private func detached(_ fields: TreeNode) -> Trace? {
        func name(_ relation: TreeNode?) -> [String] {
            [relation?.text("schemaname"), relation?.text("relname")].compactMap { $0 }
        }
        let partition = fields.list("cmds", of: "AlterTableCmd").first?.node("def")?.fields.field("name")
        return .detached(partition: name(partition), from: name(fields.field("relation")))
    }
}
