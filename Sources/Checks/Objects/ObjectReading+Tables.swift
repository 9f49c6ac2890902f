internal import SQLParsing

/// CREATE TABLE, ALTER TABLE, DROP and RENAME.
extension ObjectReading {
    mutating func createTable(_ fields: TreeNode, word: String? = nil) {
        guard let table = relation(fields.field("relation"), declares: true) else { return }
        let conditional = fields.flag("if_not_exists")
        create(table, word: word, fields.field("relation"), conditional: conditional)
        for parent in fields.list("inhRelations", of: "RangeVar") { use(parent, except: []) }
        for (type, element) in fields.nodes("tableElts") {
            switch type {
            case "ColumnDef": addColumn(element, to: table, conditional: conditional)
            case "Constraint": addConstraint(element, to: table, conditional: conditional)
            case "TableLikeClause": use(element.field("relation"), except: [])
            default: break
            }
        }
    }

    private mutating func addColumn(_ column: TreeNode, to table: SchemaObject, conditional: Bool) {
        guard let name = column.text("colname") else { return }
        use(type: column.field("typeName"))
        append(
            .create(
                table.part(.column, name), at: column.location, conditional: conditional,
                type: TypeText(column.field("typeName"))))
        for constraint in column.list("constraints", of: "Constraint") {
            addConstraint(constraint, to: table, conditional: conditional)
        }
    }

    private mutating func addConstraint(_ constraint: TreeNode, to table: SchemaObject, conditional: Bool) {
        if let referenced = relation(constraint.field("pktable")), referenced != table {
            append(
                .use(
                    referenced, at: constraint.field("pktable")?.location ?? constraint.location, conditional: false))
        }
        if let name = constraint.text("conname") {
            append(
                .create(table.part(.constraint, name), at: constraint.location, conditional: conditional))
        }
    }

    mutating func alterTable(_ fields: TreeNode) {
        guard let table = relation(fields.field("relation")) else { return }
        let missingOK = fields.flag("missing_ok")
        append(.use(table, at: fields.field("relation")?.location, conditional: missingOK))
        for (_, command) in fields.alterTableCommands {
            let conditional = command.flag("missing_ok") || missingOK
            let cascade = command.text("behavior") == "DROP_CASCADE"
            switch command.text("subtype") {
            case "AT_AddColumn":
                if let column = command.node("def")?.fields {
                    addColumn(column, to: table, conditional: command.flag("missing_ok"))
                }
            case "AT_DropColumn":
                guard let name = command.text("name") else { continue }
                append(.drop(table.part(.column, name), conditional: conditional, cascade: cascade))
                append(.shrink(table))
            case "AT_AddConstraint", "AT_AddIndexConstraint":
                if let constraint = command.node("def")?.fields {
                    addConstraint(constraint, to: table, conditional: false)
                    if let index = constraint.text("indexname") {
                        // The index takes the constraint's name.
                        let old = SchemaObject(kind: .relation, schema: table.schema, name: index)
                        append(.drop(old, conditional: true, cascade: false))
                    }
                }
            case "AT_DropConstraint":
                guard let name = command.text("name") else { continue }
                append(.drop(table.part(.constraint, name), conditional: conditional, cascade: cascade))
            case "AT_AlterColumnType":
                guard let name = command.text("name"),
                    let type = TypeText(command.node("def")?.fields.field("typeName"))
                else { continue }
                append(
                    .create(
                        table.part(.column, name), at: nil, conditional: true, replaces: true, type: type))
            case "AT_AttachPartition", "AT_DetachPartition", "AT_AddInherit":
                if let other = command.node("def")?.fields { use(other, except: []) }
            default: break
            }
        }
    }

    mutating func drop(_ fields: TreeNode) {
        let conditional = fields.flag("missing_ok")
        let cascade = fields.text("behavior") == "DROP_CASCADE"
        let kind = fields.text("removeType") ?? ""
        for (type, object) in fields.nodes("objects") {
            let parts: [String] =
                switch type {
                case "List": object.strings("items")
                case "TypeName": object.strings("names")
                case "ObjectWithArgs": object.strings("objname")
                case "String": object.text("sval").map { [$0] } ?? []
                default: []
                }
            guard let target = dropped(kind, parts, object) else { continue }
            append(.drop(target, conditional: conditional, cascade: cascade))
        }
    }

    private func dropped(_ kind: String, _ parts: [String], _ fields: TreeNode) -> SchemaObject? {
        func owned(_ kind: SchemaObject.Kind) -> SchemaObject? {
            guard let part = parts.last, let owner = ObjectName(parts: parts.dropLast()) else { return nil }
            return object(.relation, owner).part(kind, part)
        }
        guard let name = ObjectName(parts: parts) else { return nil }
        switch kind {
        case "OBJECT_TABLE", "OBJECT_VIEW", "OBJECT_MATVIEW", "OBJECT_INDEX", "OBJECT_SEQUENCE", "OBJECT_FOREIGN_TABLE":
            return object(.relation, name)
        case "OBJECT_TYPE", "OBJECT_DOMAIN": return object(.type, name)
        case "OBJECT_FUNCTION", "OBJECT_PROCEDURE", "OBJECT_ROUTINE", "OBJECT_AGGREGATE":
            let family = object(.function, name)
            if fields.flag("args_unspecified") { return family }
            let types = fields.list("objargs", of: "TypeName").compactMap {
                TypeText($0).map { $0.name + ($0.isArray ? "[]" : "") }
            }
            return family.part(.function, types.joined(separator: ", "))
        case "OBJECT_TRIGGER": return owned(.trigger)
        case "OBJECT_POLICY": return owned(.policy)
        case "OBJECT_RULE": return owned(.rule)
        case "OBJECT_SCHEMA": return SchemaObject(kind: .schema, schema: "", name: name.name)
        case "OBJECT_EXTENSION": return SchemaObject(kind: .extension, schema: "", name: name.name)
        default: return nil
        }
    }

    mutating func rename(_ fields: TreeNode) {
        guard let new = fields.text("newname") else { return }
        let table = relation(fields.field("relation"))
        if let table {
            append(
                .use(table, at: fields.field("relation")?.location, conditional: fields.flag("missing_ok")))
        }
        func part(_ kind: SchemaObject.Kind) {
            guard let table, let old = fields.text("subname") else { return }
            append(.rename(table.part(kind, old), to: table.part(kind, new)))
        }
        switch fields.text("renameType") {
        case "OBJECT_TABLE", "OBJECT_VIEW", "OBJECT_MATVIEW", "OBJECT_INDEX", "OBJECT_SEQUENCE", "OBJECT_FOREIGN_TABLE":
            guard let table else { return }
            append(.rename(table, to: SchemaObject(kind: .relation, schema: table.schema, name: new)))
        case "OBJECT_COLUMN": part(.column)
        case "OBJECT_TABCONSTRAINT": part(.constraint)
        case "OBJECT_TRIGGER": part(.trigger)
        case "OBJECT_POLICY": part(.policy)
        case "OBJECT_TYPE", "OBJECT_DOMAIN":
            guard let name = ObjectName(parts: fields.node("object")?.fields.strings("items") ?? []) else { return }
            let old = object(.type, name)
            append(.rename(old, to: SchemaObject(kind: .type, schema: old.schema, name: new)))
        case "OBJECT_SCHEMA", "OBJECT_FUNCTION", "OBJECT_PROCEDURE", "OBJECT_ROUTINE": append(.forgetEverything)
        default: break
        }
    }

    mutating func setSchema(_ fields: TreeNode) {
        guard let new = fields.text("newschema") else { return }
        if let table = relation(fields.field("relation")) {
            append(.use(table, at: fields.field("relation")?.location, conditional: fields.flag("missing_ok")))
            append(.rename(table, to: SchemaObject(kind: .relation, schema: new, name: table.name)))
        } else if ["OBJECT_TYPE", "OBJECT_DOMAIN"].contains(fields.text("objectType") ?? ""),
            let name = ObjectName(parts: fields.node("object")?.fields.strings("items") ?? [])
        {
            let old = object(.type, name)
            append(.rename(old, to: SchemaObject(kind: .type, schema: new, name: old.name)))
        } else {
            append(.forgetEverything)
        }
    }
}
