internal import JSON
public import SQLParsing

extension ForeignKeyStatement {
    /// Every foreign key that the script's statements add, in the order of the text; none where the grammar could not read it.
    ///
    /// Keys inside DO blocks and functions are text to the server and stay out of sight. Foreign tables have no foreign keys.
    public static func all(in script: Script) -> [ForeignKeyStatement] {
        var found: [ForeignKeyStatement] = []
        for (index, statement) in script.statements.enumerated()
        where ForeignKeyReader.nodes.contains(statement.node) {
            guard let root = script.root(index) else { continue }
            var reader = ForeignKeyReader(script: script, root: root, statement: index)
            reader.read(statement.node, root.index)
            found += reader.found
        }
        return found
    }
}

/// Reads the foreign keys of one statement from the syntax tree.
struct ForeignKeyReader {
    let script: Script
    let tape: JSONTape
    /// The byte of the text that locations count from.
    let base: Int
    let statement: Int
    private(set) var found: [ForeignKeyStatement] = []
    /// The tables of a CREATE SCHEMA, which its elements mean by their names alone: the new schema is first in their search_path.
    private var siblings: Set<String> = []

    /// The statements that can add a key.
    static let nodes: Set<String> = ["CreateStmt", "CreateSchemaStmt", "AlterTableStmt"]

    init(script: Script, root: TreeNode, statement: Int) {
        self.script = script
        tape = root.tape
        base = root.base
        self.statement = statement
    }

    mutating func read(_ node: String, _ fields: Int) {
        switch node {
        case "CreateStmt": createTable(fields, schema: nil)
        case "CreateSchemaStmt":
            // An element without a schema goes into the new one; for CREATE SCHEMA AUTHORIZATION that is the role's name.
            let schema = text(fields, "schemaname") ?? tape.member(fields, "authrole").flatMap { text($0, "rolename") }
            let tables = list(fields, "schemaElts").compactMap { tape.member($0, "CreateStmt") }
            siblings = Set(tables.compactMap { table($0, "relation", schema: schema)?.name })
            for create in tables { createTable(create, schema: schema) }
        case "AlterTableStmt" where text(fields, "objtype") == "OBJECT_TABLE": alterTable(fields)
        default: break
        }
    }

    // MARK: Statements

    private mutating func createTable(_ fields: Int, schema: String?) {
        guard let table = table(fields, "relation", schema: schema) else { return }
        let origin = ForeignKeyStatement.Origin.createTable(ifNotExists: flag(fields, "if_not_exists"))
        for element in list(fields, "tableElts") {
            if let column = tape.member(element, "ColumnDef") {
                columnConstraints(column, of: table, origin, schema: schema)
            } else if let constraint = tape.member(element, "Constraint") {
                tableConstraint(constraint, of: table, origin, schema: schema)
            }
        }
    }

    private mutating func alterTable(_ fields: Int) {
        guard let table = table(fields, "relation", schema: nil) else { return }
        let isOnly = tape.member(fields, "relation").map { !flag($0, "inh") } ?? false
        let commands = list(fields, "cmds").compactMap { tape.member($0, "AlterTableCmd") }
        for command in commands {
            guard let definition = tape.member(command, "def") else { continue }
            switch text(command, "subtype") {
            case "AT_AddColumn":
                guard let column = tape.member(definition, "ColumnDef") else { continue }
                let origin = ForeignKeyStatement.Origin.addColumn(ifNotExists: flag(command, "missing_ok"))
                columnConstraints(column, of: table, origin, schema: nil, isOnly: isOnly)
            case "AT_AddConstraint":
                guard let constraint = tape.member(definition, "Constraint") else { continue }
                tableConstraint(constraint, of: table, .addConstraint, schema: nil, isOnly: isOnly)
            default: continue
            }
        }
        let standsAlone = found.count == commands.count && found.allSatisfy { $0.origin == .addConstraint }
        for index in found.indices {
            found[index].standsAlone = standsAlone
            found[index].key.isIfTableExists = flag(fields, "missing_ok")
        }
    }

    // MARK: Constraints

    private mutating func tableConstraint(
        _ fields: Int, of table: TableName, _ origin: ForeignKeyStatement.Origin, schema: String?, isOnly: Bool = false
    ) {
        guard var key = key(fields, of: table, columns: strings(fields, "fk_attrs"), schema: schema),
            let start = location(fields)
        else { return }
        key.isDeferrable = flag(fields, "deferrable") || flag(fields, "initdeferred")
        key.isInitiallyDeferred = flag(fields, "initdeferred")
        key.isNotValid = flag(fields, "skip_validation") && origin == .addConstraint
        key.isOnly = isOnly
        append(key, origin, start..<end(of: start))
    }

    /// The constraints of a column stand in the order of the text; the attributes behind a key belong to it.
    private mutating func columnConstraints(
        _ column: Int, of table: TableName, _ origin: ForeignKeyStatement.Origin, schema: String?, isOnly: Bool = false
    ) {
        guard let name = text(column, "colname") else { return }
        let constraints = list(column, "constraints").compactMap { tape.member($0, "Constraint") }
        for (index, fields) in constraints.enumerated() {
            guard var key = key(fields, of: table, columns: [name], schema: schema),
                let start = location(fields)
            else { continue }
            var next: Int?
            for follower in constraints[(index + 1)...] {
                switch text(follower, "contype") {
                case "CONSTR_ATTR_DEFERRABLE": key.isDeferrable = true
                case "CONSTR_ATTR_NOT_DEFERRABLE": key.isDeferrable = false
                case "CONSTR_ATTR_DEFERRED":
                    key.isInitiallyDeferred = true
                    key.isDeferrable = true
                case "CONSTR_ATTR_IMMEDIATE": key.isInitiallyDeferred = false
                default: next = location(follower)
                }
                if next != nil { break }
            }
            key.isOnly = isOnly
            // COLLATE may stand anywhere among them, and the tree keeps it apart.
            let collation = tape.member(column, "collClause").flatMap { location($0) }
            let bounds = [next, collation].compactMap(\.self).filter { $0 > start }
            append(key, origin, start..<min(end(of: start), bounds.min() ?? Int.max))
        }
    }

    private mutating func append(_ key: ForeignKey, _ origin: ForeignKeyStatement.Origin, _ range: Range<Int>) {
        // White space in front of what follows is not part of the clause.
        var end = range.upperBound
        while end > range.lowerBound, script.text[end - 1] <= 0x20 { end -= 1 }
        found.append(
            ForeignKeyStatement(
                statement: statement, position: found.count, origin: origin, key: key, range: range.lowerBound..<end,
                standsAlone: false))
    }

    /// The end of the list item that holds the byte at `offset`.
    private func end(of offset: Int) -> Int {
        let list = script.commaList(around: offset, in: statement)
        return list.items.first { $0.contains(offset) }?.upperBound ?? script.statements[statement].range.upperBound
    }

    private func key(_ fields: Int, of table: TableName, columns: [String], schema: String?) -> ForeignKey? {
        guard text(fields, "contype") == "CONSTR_FOREIGN", var referenced = self.table(fields, "pktable", schema: nil)
        else { return nil }
        if referenced.schema == nil, siblings.contains(referenced.name) { referenced.schema = schema }
        var key = ForeignKey(
            name: text(fields, "conname"), table: table, columns: columns, referenced: referenced,
            referencedColumns: strings(fields, "pk_attrs"))
        key.match = text(fields, "fk_matchtype").flatMap(ForeignKey.Match.init) ?? .simple
        key.onUpdate = text(fields, "fk_upd_action").flatMap(ForeignKey.Action.init) ?? .noAction
        key.onDelete = text(fields, "fk_del_action").flatMap(ForeignKey.Action.init) ?? .noAction
        key.onDeleteColumns = strings(fields, "fk_del_set_cols")
        return key
    }

    // MARK: Fields

    private func text(_ fields: Int, _ key: String) -> String? { tape.member(fields, key).map(tape.string) }

    private func flag(_ fields: Int, _ key: String) -> Bool { tape.member(fields, key).map(tape.isTrue) ?? false }

    private func location(_ fields: Int) -> Int? { TreeNode(tape: tape, index: fields, base: base).location }

    private func list(_ fields: Int, _ key: String) -> [Int] { tape.member(fields, key).map(tape.elements) ?? [] }

    private func strings(_ fields: Int, _ key: String) -> [String] {
        list(fields, key).compactMap { tape.member($0, "String").flatMap { text($0, "sval") } }
    }

    private func table(_ fields: Int, _ key: String, schema: String?) -> TableName? {
        guard let relation = tape.member(fields, key), let name = text(relation, "relname") else { return nil }
        return TableName(schema: text(relation, "schemaname") ?? schema, name)
    }
}
