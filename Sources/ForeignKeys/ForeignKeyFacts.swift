public import JSON
public import Reporting

/// What the catalog says about one foreign key that a file wants to add.
public struct ForeignKeyFacts: Sendable, Equatable {
    /// A table that exists.
    public struct Table: Sendable, Equatable {
        public var schema: String
        public var name: String
        /// `pg_class.relkind`: `r` ordinary, `p` partitioned, `v` view, `f` foreign …
        public var kind: String
        /// Its number in the catalog.
        public var oid: Int64
        /// Rows as the planner of PostgreSQL estimates them; negative where never counted.
        public var estimate: Int64
        public var hasRowSecurity: Bool
        /// Whether this role may LOCK it.
        public var isLockable: Bool

        public var isPartitioned: Bool { kind == "p" }
        /// Its qualified name.
        public var qualified: TableName { TableName(schema: schema, name) }
        /// What FROM and DELETE name: a plain table without its heirs, as foreign keys see it.
        var target: String { (isPartitioned ? "" : "ONLY ") + qualified.sql }
    }

    /// A column that exists.
    public struct Column: Sendable, Equatable {
        public var name: String
        public var type: String
        /// NOT NULL, by itself or by its domain.
        public var isRequired: Bool
        public var isGenerated: Bool
        /// Expressions of which each is true where a null would be taken, and false or an error where it would not: its domain's checks, and the
        /// table's on this column alone.
        public var nullTrials: [String]
    }

    /// A column as far as keeping its value goes.
    public struct KeptColumn: Sendable, Equatable {
        public var name: String
        /// Its number in the table, which stays when it is renamed.
        public var number: Int64
        /// Its type by that one's plain name.
        public var type: String
        /// Whether JSON holds its value exactly; other types are kept as the text that their output function gives.
        public var isPlain: Bool
        /// The type whose value is kept instead, where its own is an object's name, which another search_path reads otherwise: `oid`, `oid[]`.
        public var numbers: String?
        /// Whether a single value may be hundreds of megabytes.
        public var isWide: Bool
    }

    /// A constraint of the referencing table.
    public struct Constraint: Sendable, Equatable {
        public var name: String
        /// `pg_constraint.contype`.
        public var type: String
        /// As pg_get_constraintdef writes it.
        public var definition: String
        /// The key, where it is one to the same referenced table.
        public var key: ForeignKey?
        public var isValidated: Bool
    }

    /// How the server compares a column of the key with the one that it refers to, in the words of its own check (ri_triggers.c,
    /// RI_Initial_Check): the operator's own argument types, and the referenced column's collation where the two differ.
    public struct Comparison: Sendable, Equatable {
        /// The type that the referenced column is read as, as SQL writes it; nil where it is the operator's already.
        public var referencedCast: String?
        /// `OPERATOR(schema.=)`.
        public var operation: String
        /// The same for the referencing column.
        public var cast: String?
        public var collation: String?
    }

    /// A key of another table, or of the same, whose rows refer to rows of the referencing table and keep them from being deleted.
    public struct Holder: Sendable, Equatable {
        public var name: String
        public var table: Table
        public var columns: [String]
        public var referencedColumns: [String]
        /// How each of its columns is compared.
        public var comparison: [Comparison]
    }

    /// `server_version_num`.
    public var serverVersion: Int
    /// The session's settings that a cleanup changes for its own statements, with their values.
    public var settings: [String: String]
    public var role: String
    public var sessionRole: String
    /// The referencing table; nil where there is none.
    public var table: Table?
    /// The referenced table; nil where there is none.
    public var referenced: Table?
    /// The key's columns; nil for one that is not there.
    public var columns: [Column?]
    /// The referenced columns, the primary key's where the key names none.
    public var referencedColumns: [Column?]
    /// How each column is compared. Nil where no unique index stands behind the referenced columns. As the operator class of that index suggests,
    /// until the key itself has been asked.
    public var comparison: [Comparison]?
    public var constraints: [Constraint]
    /// The key columns of each usable index of the referencing table.
    public var indexes: [[String]]
    /// The columns that tell its rows apart; nil where nothing does.
    public var rowKey: [String]?
    /// All its columns.
    public var rows: [KeptColumn]
    /// Whether changing its rows may change further ones: through keys of others with actions, through triggers.
    public var reachesFurther: Bool
    /// Whether the referenced table is the same, or one of its partitions or ancestors: what is deleted may have been referred to.
    public var refersToFamily: Bool
    /// Whether the text of its rows depends on search_path.
    public var needsPinnedText: Bool
    /// Keys without an action that hold rows of it.
    public var holders: [Holder]
    /// A leaf of a partitioned one.
    public var leaf: TableName?
    /// `transaction_isolation`.
    public var isolation: String
    /// Enabled triggers of its own that fire on DELETE or UPDATE.
    public var triggers: [String]
    /// Constraints that are initially deferred, as SQL writes them.
    public var deferred: [String]
    /// Names in its schema that a chosen name might meet.
    public var takenConstraints: Set<String>
    public var takenRelations: Set<String>
}

extension ForeignKeyFacts {
    /// Reads one row of the answer to `CatalogQuestion`.
    public init(_ json: [UInt8]) throws(Complaint) {
        let tape: JSONTape
        do {
            tape = try JSONTape(json)
        } catch {
            throw Complaint(.bug, "cannot read the catalog's facts: \(error.message) at byte \(error.offset)")
        }
        let root = tape.value(tape.root)
        serverVersion = Int(root["server_version"]?.integer ?? 0)
        settings = [:]
        for name in CleanupSettings.names { settings[name] = root["settings"]?[name]?.string }
        role = root["role"]?.string ?? ""
        sessionRole = root["session_role"]?.string ?? ""
        table = Table(root["table"])
        referenced = Table(root["referenced"])
        columns = root.list("columns").map(Column.init)
        referencedColumns = root.list("referenced_columns").map(Column.init)
        comparison = Comparison.list(root["equality"])
        let owner = table?.qualified ?? TableName("")
        let target = referenced?.qualified ?? TableName("")
        constraints = root.list("constraints").compactMap { Constraint($0, of: owner, to: target) }
        indexes = root.list("indexes").map { $0.array?.compactMap(\.string) ?? [] }
        rowKey = root["key"]?.array?.compactMap(\.string)
        rows = root.list("rows").compactMap(KeptColumn.init)
        reachesFurther = root.isTrue("reaches")
        refersToFamily = root.isTrue("related")
        needsPinnedText = root.isTrue("pinned")
        holders = root.list("holders").compactMap(Holder.init)
        leaf = Table(root["leaf"])?.qualified
        isolation = root["isolation"]?.string ?? ""
        triggers = root.strings("triggers")
        deferred = root.strings("deferred")
        takenConstraints = Set(root.strings("taken_constraints"))
        takenRelations = Set(root.strings("taken_relations"))
    }
}

extension JSONValue {
    func list(_ key: String) -> [JSONValue] { self[key]?.array ?? [] }
    func strings(_ key: String) -> [String] { list(key).compactMap(\.string) }
    func isTrue(_ key: String) -> Bool { self[key] == .bool(true) }
}

extension ForeignKeyFacts.Table {
    init?(_ value: JSONValue?) {
        guard let value, let schema = value["schema"]?.string, let name = value["name"]?.string else { return nil }
        self.init(
            schema: schema, name: name, kind: value["kind"]?.string ?? "", oid: value["oid"]?.integer ?? 0,
            estimate: value["estimate"]?.integer ?? -1,
            hasRowSecurity: value.isTrue("row_security"), isLockable: value.isTrue("lockable"))
    }
}

extension ForeignKeyFacts.Column {
    fileprivate init?(_ value: JSONValue) {
        guard let name = value["name"]?.string else { return nil }
        self.init(
            name: name, type: value["type"]?.string ?? "", isRequired: value.isTrue("required"),
            isGenerated: value.isTrue("generated"), nullTrials: value.strings("null_trials"))
    }
}

extension ForeignKeyFacts.KeptColumn {
    init?(_ value: JSONValue) {
        guard let name = value["name"]?.string else { return nil }
        self.init(
            name: name, number: value["number"]?.integer ?? 0,
            type: value["type"]?.string ?? "", isPlain: value.isTrue("plain"),
            numbers: value["numbers"]?.string, isWide: value.isTrue("wide"))
    }
}

extension ForeignKeyFacts.Comparison {
    /// Whether the value of a referencing column refers to that of a referenced one.
    func sql(_ referenced: String, _ referencing: String) -> String {
        let collation = collation.map { " COLLATE \($0)" } ?? ""
        return "\(self.cast(referenced, referencedCast)) \(operation) \(self.cast(referencing, cast))\(collation)"
    }

    private func cast(_ value: String, _ type: String?) -> String { type.map { "\(value)::\($0)" } ?? value }

    /// Reads a list of them; nil where there is none.
    public static func list(_ value: JSONValue?) -> [Self]? {
        value?.array?.compactMap { value in
            value["operator"]?.string.map {
                Self(
                    referencedCast: value["referenced_cast"]?.string, operation: $0, cast: value["cast"]?.string,
                    collation: value["collation"]?.string)
            }
        }
    }
}

extension ForeignKeyFacts.Holder {
    fileprivate init?(_ value: JSONValue) {
        guard let name = value["name"]?.string, let table = ForeignKeyFacts.Table(value["table"]) else { return nil }
        self.init(
            name: name, table: table, columns: value.strings("columns"),
            referencedColumns: value.strings("referenced_columns"),
            comparison: ForeignKeyFacts.Comparison.list(value["comparison"]) ?? [])
    }
}

extension ForeignKeyFacts.Constraint {
    fileprivate init?(_ value: JSONValue, of table: TableName, to referenced: TableName) {
        guard let name = value["name"]?.string, let type = value["type"]?.string else { return nil }
        var key: ForeignKey?
        if type == "f", value.isTrue("same_referenced") {
            var found = ForeignKey(
                name: name, table: table, columns: value.strings("columns"), referenced: referenced,
                referencedColumns: value.strings("referenced_columns"))
            found.match = value["match"]?.string.flatMap(ForeignKey.Match.init) ?? .simple
            found.onUpdate = value["on_update"]?.string.flatMap(ForeignKey.Action.init) ?? .noAction
            found.onDelete = value["on_delete"]?.string.flatMap(ForeignKey.Action.init) ?? .noAction
            found.onDeleteColumns = value.strings("on_delete_columns")
            found.isDeferrable = value.isTrue("deferrable")
            found.isInitiallyDeferred = value.isTrue("deferred")
            key = found
        }
        self.init(
            name: name, type: type, definition: value["definition"]?.string ?? "", key: key,
            isValidated: value.isTrue("validated"))
    }
}
