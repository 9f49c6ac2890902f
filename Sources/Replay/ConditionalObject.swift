internal import ForeignKeys
public import SQLParsing

/// What a statement with IF NOT EXISTS creates, and what the server therefore passes over with no more than a NOTICE where it exists.
public struct ConditionalObject: Sendable, Equatable {
    /// The statement in the script, from 0.
    public let statement: Int
    /// As the statement writes it: `app.users`, `users.email`.
    public let object: String
    /// The last part of its name, which the server's message quotes in any language.
    public let name: String

    /// All of a script, in the order of the text.
    public static func all(in script: Script) -> [ConditionalObject] {
        script.statements.indices.flatMap { statement -> [ConditionalObject] in
            guard nodes.contains(script.statements[statement].node), let node = script.root(statement) else {
                return []
            }
            return names(script.statements[statement].node, node).map { object, name in
                ConditionalObject(statement: statement, object: object, name: name)
            }
        }
    }

    private static let nodes: Set<String> = [
        "CreateStmt", "CreateForeignTableStmt", "CreateSeqStmt", "CreateTableAsStmt", "IndexStmt", "CreateSchemaStmt",
        "CreateExtensionStmt", "AlterEnumStmt", "AlterTableStmt",
    ]

    private static func names(_ kind: String, _ node: TreeNode) -> [(object: String, name: String)] {
        func relation(_ field: TreeNode?) -> [(String, String)] {
            field.flatMap { TableName(relation: $0) }.map { [($0.text, $0.name)] } ?? []
        }
        switch kind {
        case "CreateStmt" where node.flag("if_not_exists"): return relation(node.field("relation"))
        case "CreateForeignTableStmt":
            guard let base = node.field("base"), base.flag("if_not_exists") else { return [] }
            return relation(base.field("relation"))
        case "CreateSeqStmt" where node.flag("if_not_exists"): return relation(node.field("sequence"))
        case "CreateTableAsStmt" where node.flag("if_not_exists"): return relation(node.field("into")?.field("rel"))
        case "IndexStmt" where node.flag("if_not_exists"):
            guard let name = node.text("idxname") else { return [] }
            let schema = node.field("relation")?.text("schemaname")
            return [(TableName(schema: schema, name).text, name)]
        case "CreateSchemaStmt" where node.flag("if_not_exists"):
            return (node.text("schemaname") ?? node.field("authrole")?.text("rolename")).map { [($0, $0)] } ?? []
        case "CreateExtensionStmt" where node.flag("if_not_exists"):
            return node.text("extname").map { [($0, $0)] } ?? []
        case "AlterEnumStmt" where node.flag("skipIfNewValExists"):
            guard let value = node.text("newVal"), let type = TableName(parts: node.strings("typeName")) else {
                return []
            }
            return [("\(type.text).\(value)", value)]
        case "AlterTableStmt":
            guard let table = node.field("relation").flatMap({ TableName(relation: $0) }) else { return [] }
            return node.list("cmds", of: "AlterTableCmd").compactMap { command in
                guard command.flag("missing_ok"), command.text("subtype") == "AT_AddColumn",
                    let name = command.node("def")?.fields.text("colname")
                else { return nil }
                return ("\(table.text).\(name)", name)
            }
        default: return []
        }
    }
}
