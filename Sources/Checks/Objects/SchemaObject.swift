/// One thing that statements create, drop and use, under the name by which two statements mean the same one.
struct SchemaObject: Hashable {
    enum Kind: String {
        /// Tables, views, indexes and sequences share their names.
        case relation
        case type, function, schema, `extension`
        /// Parts of a relation.
        case column, constraint, trigger, policy, rule
        /// Part of a type.
        case enumValue
    }

    var kind: Kind
    var schema: String
    var name: String
    /// The name within `name`; for a function its argument types.
    var part: String?

    /// What drops this when it is dropped: a column's table, an enumeration value's type, all functions of one name.
    var owner: SchemaObject? {
        guard part != nil else { return nil }
        return switch kind {
        case .enumValue: SchemaObject(kind: .type, schema: schema, name: name)
        case .function: SchemaObject(kind: .function, schema: schema, name: name)
        default: SchemaObject(kind: .relation, schema: schema, name: name)
        }
    }

    /// Names tell objects apart well enough; there are many to keep.
    func hash(into hasher: inout Hasher) {
        hasher.combine(name)
        hasher.combine(part)
    }

    /// The same part of another owner.
    func moved(to owner: SchemaObject) -> SchemaObject {
        SchemaObject(kind: kind, schema: owner.schema, name: owner.name, part: part)
    }

    func part(_ kind: Kind, _ part: String) -> SchemaObject {
        SchemaObject(kind: kind, schema: schema, name: name, part: part)
    }

    /// As a person would write it; `word` says what kind of relation.
    func text(_ word: String? = nil) -> String {
        let whole = schema == SchemaObject.publicSchema || schema.isEmpty ? name : "\(schema).\(name)"
        return switch kind {
        case .relation: "\(word ?? "table") '\(whole)'"
        case .type: "\(word ?? "type") '\(whole)'"
        case .function: "function '\(whole)(\(part ?? "…"))'"
        case .schema: "schema '\(name)'"
        case .extension: "extension '\(name)'"
        case .enumValue: "value '\(part ?? "")' of type '\(whole)'"
        case .column, .constraint, .trigger, .policy, .rule: "\(kind.rawValue) '\(part ?? "")' of '\(whole)'"
        }
    }

    /// Where names without a schema go unless a file sets its search path.
    static let publicSchema = "public"
    /// Where temporary tables go.
    static let temporarySchema = "pg_temp"
}

/// What a statement does to the set of objects, in the order in which it does so.
enum ObjectChange {
    /// `word`: what kind of relation; `conditional`: IF NOT EXISTS; `replaces`: OR REPLACE; `holder`: the table of an index.
    case create(
        SchemaObject, word: String? = nil, at: Int?, conditional: Bool = false, replaces: Bool = false,
        holder: SchemaObject? = nil, type: TypeText? = nil)
    case drop(SchemaObject, conditional: Bool, cascade: Bool)
    case rename(SchemaObject, to: SchemaObject)
    /// Must be there; `conditional`: IF EXISTS.
    case use(SchemaObject, at: Int?, conditional: Bool)
    /// Something may have happened to everything that these words name: they stand in a body that runs and is not read.
    case mention([String])
    /// A column has gone, and with it whatever held it.
    case shrink(SchemaObject)
    /// A function, procedure or block has run that is not read: it may have dropped what was created before.
    case callUnknown
    /// Everything may be different.
    case forgetEverything
}
