internal import SQLParsing

/// Reads from the statements of one file what they do to which objects.
///
/// It knows only what the text says. What a DO block, a function or a file that cannot be parsed does is unknown, and so nothing is
/// found about the objects that it names.
struct ObjectReading {
    /// Where names without a schema go now.
    private(set) var schema = SchemaObject.publicSchema
    private var temporary: Set<String> = []
    private(set) var changes: [ObjectChange] = []

    /// What one statement does.
    mutating func read(_ node: String, _ fields: TreeNode) -> [ObjectChange] {
        changes = []
        let names = Set(fields.descendants(with: "ctename").compactMap { $0.text("ctename") })
        switch node {
        case "CreateStmt": createTable(fields)
        case "CreateForeignTableStmt": if let base = fields.field("base") { createTable(base, word: "foreign table") }
        case "CreateTableAsStmt":
            use(fields.field("query"), except: names)
            createAs(fields, into: fields.field("into"))
        case "SelectStmt":
            use(fields, except: names, without: fields.field("intoClause"))
            if let into = fields.field("intoClause") { createAs(fields, into: into) }
            setConfig(fields)
            if callsUnknown(fields) { changes.append(.callUnknown) }
        case "ViewStmt":
            use(fields.field("query"), except: names)
            if let name = relation(fields.field("view"), declares: true) {
                create(name, word: "view", fields.field("view"), replaces: fields.flag("replace"))
            }
        case "IndexStmt": createIndex(fields)
        case "CreateSeqStmt":
            if let name = relation(fields.field("sequence"), declares: true) {
                create(name, word: "sequence", fields.field("sequence"), conditional: fields.flag("if_not_exists"))
            }
        case "CreateEnumStmt": createEnum(fields)
        case "CreateDomainStmt": create(.type, fields.strings("domainname"), word: "domain")
        case "CreateRangeStmt": create(.type, fields.strings("typeName"))
        case "CompositeTypeStmt":
            if let name = ObjectName(relation: fields.field("typevar")) { create(object(.type, name), fields) }
        case "CreateFunctionStmt": createFunction(fields)
        case "CreateSchemaStmt":
            if let name = fields.text("schemaname") {
                create(
                    SchemaObject(kind: .schema, schema: "", name: name), fields,
                    conditional: fields.flag("if_not_exists"))
            }
        case "CreateExtensionStmt":
            if let name = fields.text("extname") {
                create(
                    SchemaObject(kind: .extension, schema: "", name: name), fields,
                    conditional: fields.flag("if_not_exists"))
            }
        case "CreateTrigStmt":
            usePart(.trigger, fields.text("trigname"), of: fields.field("relation"), fields)
            if let name = ObjectName(parts: fields.strings("funcname")) {
                changes.append(.use(object(.function, name), at: nil, conditional: false))
            }
        case "CreatePolicyStmt":
            usePart(.policy, fields.text("policy_name"), of: fields.field("table"), fields)
            use(fields.field("qual"), except: [])
        case "RuleStmt": usePart(.rule, fields.text("rulename"), of: fields.field("relation"), fields)
        case "AlterTableStmt": alterTable(fields)
        case "AlterEnumStmt": alterEnum(fields)
        case "RenameStmt": rename(fields)
        case "AlterObjectSchemaStmt": setSchema(fields)
        case "DropStmt": drop(fields)
        case "VariableSetStmt": setVariable(fields)
        case "DoStmt", "CallStmt":
            changes.append(.mention(fields.descendants(with: "sval").flatMap { Words.all(in: $0.text("sval") ?? "") }))
            changes.append(.callUnknown)
        default: use(fields, except: names, conditional: fields.flag("missing_ok"))
        }
        return changes
    }

    // MARK: Names

    /// The object that a name means here.
    func object(_ kind: SchemaObject.Kind, _ name: ObjectName) -> SchemaObject {
        if name.schema == nil, kind == .relation, temporary.contains(name.name) {
            return SchemaObject(kind: kind, schema: SchemaObject.temporarySchema, name: name.name)
        }
        return SchemaObject(kind: kind, schema: name.schema ?? schema, name: name.name)
    }

    /// The relation of a RangeVar; one that is declared TEMPORARY hides others of its name from there on.
    mutating func relation(_ node: TreeNode?, declares: Bool = false) -> SchemaObject? {
        guard let node, let name = ObjectName(relation: node) else { return nil }
        if declares, node.text("relpersistence") == "t" { temporary.insert(name.name) }
        return object(.relation, name)
    }

    // MARK: Recording

    mutating func append(_ change: ObjectChange) { changes.append(change) }

    mutating func create(
        _ object: SchemaObject, word: String? = nil, _ node: TreeNode?, conditional: Bool = false,
        replaces: Bool = false, holder: SchemaObject? = nil
    ) {
        changes.append(
            .create(
                object, word: word, at: node?.location, conditional: conditional, replaces: replaces, holder: holder))
    }

    private mutating func create(_ kind: SchemaObject.Kind, _ parts: [String], word: String? = nil) {
        if let name = ObjectName(parts: parts) { create(object(kind, name), word: word, nil) }
    }

    /// Every relation in the subtree, but for names that WITH declares.
    mutating func use(
        _ node: TreeNode?, except names: Set<String>, without excluded: TreeNode? = nil, conditional: Bool = false
    ) {
        guard let node else { return }
        let hidden = excluded?.tokens
        for found in node.descendants(with: "relname") where !(hidden?.contains(found.index) ?? false) {
            guard let name = ObjectName(relation: found), name.schema != nil || !names.contains(name.name) else {
                continue
            }
            changes.append(.use(object(.relation, name), at: found.location, conditional: conditional))
        }
    }

    /// A type that a column or an argument has.
    mutating func use(type node: TreeNode?) {
        guard let node, let name = ObjectName(parts: node.strings("names")), name.schema != "pg_catalog" else { return }
        changes.append(.use(object(.type, name), at: node.location, conditional: false))
    }

    private mutating func usePart(_ kind: SchemaObject.Kind, _ part: String?, of table: TreeNode?, _ fields: TreeNode) {
        guard let part, let owner = relation(table) else { return }
        changes.append(.use(owner, at: table?.location, conditional: false))
        create(owner.part(kind, part), fields, replaces: fields.flag("replace"))
    }

    private mutating func createAs(_ fields: TreeNode, into: TreeNode?) {
        guard let name = relation(into?.field("rel"), declares: true) else { return }
        let view = fields.text("objtype") == "OBJECT_MATVIEW"
        create(
            name, word: view ? "materialized view" : nil, into?.field("rel"),
            conditional: fields.flag("if_not_exists"))
    }

    private mutating func createIndex(_ fields: TreeNode) {
        guard let table = relation(fields.field("relation")) else { return }
        changes.append(.use(table, at: fields.field("relation")?.location, conditional: false))
        guard let index = fields.text("idxname") else { return }
        create(
            SchemaObject(kind: .relation, schema: table.schema, name: index), word: "index", nil,
            conditional: fields.flag("if_not_exists"), holder: table)
    }

    private mutating func createEnum(_ fields: TreeNode) {
        guard let name = ObjectName(parts: fields.strings("typeName")) else { return }
        let type = object(.type, name)
        create(type, nil)
        for value in fields.strings("vals") { create(type.part(.enumValue, value), nil) }
    }

    private mutating func alterEnum(_ fields: TreeNode) {
        guard let name = ObjectName(parts: fields.strings("typeName")), let value = fields.text("newVal") else {
            return
        }
        let type = object(.type, name)
        changes.append(.use(type, at: nil, conditional: false))
        if let old = fields.text("oldVal") {
            changes.append(.rename(type.part(.enumValue, old), to: type.part(.enumValue, value)))
        } else {
            create(type.part(.enumValue, value), nil, conditional: fields.flag("skipIfNewValExists"))
        }
    }

    private mutating func createFunction(_ fields: TreeNode) {
        guard let name = ObjectName(parts: fields.strings("funcname")) else { return }
        let arguments = fields.list("parameters", of: "FunctionParameter").filter {
            !["FUNC_PARAM_OUT", "FUNC_PARAM_TABLE"].contains($0.text("mode") ?? "")
        }
        let types = arguments.compactMap { $0.field("argType") }
        types.forEach { use(type: $0) }
        let signature = types.compactMap { TypeText($0).map { $0.name + ($0.isArray ? "[]" : "") } }
        let family = object(.function, name)
        create(
            family.part(.function, signature.joined(separator: ", ")), nil, replaces: fields.flag("replace"))
    }

    // MARK: Settings

    private mutating func setVariable(_ fields: TreeNode) {
        guard fields.text("name") == "search_path" else { return }
        let first = fields.list("args", of: "A_Const").first?.field("sval")?.text("sval")
        schema = first.flatMap { $0.isEmpty ? nil : $0 } ?? SchemaObject.publicSchema
    }

    /// Whether a query calls a function that may do more than answer: any but those of PostgreSQL that are met in migrations.
    private func callsUnknown(_ fields: TreeNode) -> Bool {
        fields.descendants(with: "funcname").contains { call in
            let name = call.strings("funcname")
            guard let last = name.last else { return false }
            return name.first != "pg_catalog" && !last.hasPrefix("pg_") && !ObjectReading.harmless.contains(last)
        }
    }

    private static let harmless: Set<String> = [
        "array_agg", "array_length", "avg", "clock_timestamp", "concat", "concat_ws", "count", "current_setting",
        "currval", "date_part", "date_trunc", "format", "gen_random_uuid", "generate_series", "jsonb_agg",
        "jsonb_build_object", "lastval", "length", "lower", "max", "md5", "min", "nextval", "now", "random",
        "regexp_replace",
        "replace", "row_number", "set_config", "setval", "string_agg", "substring", "sum", "to_regclass", "unnest",
        "upper",
        "uuid_generate_v4", "version",
    ]

    private mutating func setConfig(_ fields: TreeNode) {
        for call in fields.descendants(with: "funcname") where call.strings("funcname").last == "set_config" {
            let arguments = call.list("args", of: "A_Const").map { $0.field("sval")?.text("sval") ?? "" }
            guard arguments.count > 1, arguments[0] == "search_path" else { continue }
            let first = arguments[1].split(separator: ",").first.map { Words.all(in: String($0)).first ?? "" } ?? ""
            schema = first.isEmpty ? SchemaObject.publicSchema : first
        }
    }
}

/// Everything in a text that could be a name.
enum Words {
    static func all(in text: String) -> [String] { all(in: Array(text.utf8)) }

    static func all(in bytes: [UInt8]) -> [String] {
        bytes.split { byte in
            !(byte >= 0x80 || byte == UInt8(ascii: "_") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20))
        }.map { String(decoding: $0, as: UTF8.self) }
    }
}
