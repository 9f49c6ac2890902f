internal import ForeignKeys
internal import JSON
internal import SQLParsing

/// The tables that a script's statements name, as the syntax tree has them.
///
/// Every relation that is written as one is found, also in subqueries. What DROP names, and what the bodies of functions and DO touch,
/// is not.
struct NamedTables {
    /// What each statement names, in order.
    let named: [[TableName]]
    /// What each statement brings into being: CREATE TABLE, CREATE TABLE AS, ALTER TABLE … RENAME TO.
    let created: [[TableName]]
    /// Whether each statement may do things that its text does not tell.
    let isOpaque: [Bool]

    init(_ script: Script) {
        guard script.tree != nil else {
            (named, created, isOpaque) = ([], [], [])
            return
        }
        var named: [[TableName]] = []
        var created: [[TableName]] = []
        var opaque: [Bool] = []
        for (index, statement) in script.statements.enumerated() {
            if script.isRepetition(index), let names = named.last, let makes = created.last {
                // The same list, not another one of the same names.
                named.append(names)
                created.append(makes)
                opaque.append(false)
                continue
            }
            let root = script.root(index)
            named.append(root.map { root in root.tokens.compactMap { NamedTables.table($0, root.tape) } } ?? [])
            created.append(root.map { NamedTables.created(statement.node, $0.index, $0.tape) } ?? [])
            opaque.append(["DoStmt", "CallStmt", "SelectStmt", "CreateSchemaStmt"].contains(statement.node))
        }
        (self.named, self.created, isOpaque) = (named, created, opaque)
    }

    /// A RangeVar, which alone has a `relname`; nil for a temporary table.
    private static func table(_ index: Int, _ tape: JSONTape) -> TableName? {
        guard tape.kind(index) == .object, let name = tape.member(index, "relname"),
            tape.member(index, "relpersistence").map(tape.string) != "t"
        else { return nil }
        return TableName(schema: tape.member(index, "schemaname").map(tape.string), tape.string(name))
    }

    private static func created(_ node: String, _ fields: Int, _ tape: JSONTape) -> [TableName] {
        let relation = tape.member(fields, "relation").flatMap { table($0, tape) }
        switch node {
        case "CreateStmt": return relation.map { [$0] } ?? []
        case "CreateTableAsStmt":
            let into = tape.member(fields, "into").flatMap { tape.member($0, "rel") }
            return into.flatMap { table($0, tape) }.map { [$0] } ?? []
        case "RenameStmt":
            guard let relation, tape.member(fields, "renameType").map(tape.string) == "OBJECT_TABLE",
                let name = tape.member(fields, "newname").map(tape.string)
            else { return [] }
            return [TableName(schema: relation.schema, name)]
        default: return []
        }
    }
}

/// What the statements before one will have done by the time it runs.
struct Forthcoming {
    private var created: [TableName] = []
    private var touched: [TableName] = []
    private var isOpaque = false

    /// A statement comes before.
    mutating func add(_ tables: NamedTables, statement: Int) {
        created += tables.created[statement]
        touched += tables.named[statement]
        isOpaque = isOpaque || tables.isOpaque[statement]
    }

    /// A file comes before that nobody can read.
    mutating func addUnparsed() { isOpaque = true }

    /// Whether `table` may be there by then, though it is not now.
    func mayBring(_ table: TableName) -> Bool { isOpaque || Forthcoming.has(table, in: created) }
    /// Whether a column of `table` may be there by then, though it is not now.
    func mayChange(_ table: TableName) -> Bool { isOpaque || Forthcoming.has(table, in: touched + created) }
    /// Whether `table` will be another one than now.
    func replaces(_ table: TableName) -> Bool { Forthcoming.has(table, in: created) }

    private static func has(_ table: TableName, in tables: [TableName]) -> Bool {
        tables.contains {
            $0.name == table.name && ($0.schema == table.schema || $0.schema == nil || table.schema == nil)
        }
    }
}
