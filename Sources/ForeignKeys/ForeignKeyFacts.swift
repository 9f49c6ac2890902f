internal import JSON
public import Reporting

/// What the catalog says about one foreign key that a file wants to add.
public struct ForeignKeyFacts: Sendable, Equatable {
    /// A table that exists.
    public struct Table: Sendable, Equatable {
        public var schema: String
        public var name: String
        /// `pg_class.relkind`: `r` ordinary, `p` partitioned, `v` view, `f` foreign …
        public var kind: String
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
        /// Its collation as SQL writes it, where its type has one.
        public var collation: String?
    }

    /// A column as far as keeping its value goes.
    public struct KeptColumn: Sendable, Equatable {
        public var name: String
        /// Whether JSON holds its value exactly; other types are kept as their text.
        public var isPlain: Bool
        /// Whether its text is an object's name, which another search_path reads otherwise: its number is kept.
        public var isNamed: Bool
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

    /// A key by which other rows hang on rows of the referencing table, directly or through ON DELETE CASCADE.
    public struct Dependent: Sendable, Equatable {
        public var name: String
        /// The oids of the constraints from the referencing table to this one; its own is the last.
        public var path: [Int64]
        public var table: Table
        public var columns: [String]
        public var referencedColumns: [String]
        public var onDelete: ForeignKey.Action
        public var onUpdate: ForeignKey.Action
        /// Whether its cascade leads back to a table it has passed.
        public var isCyclic: Bool
        /// The primary key of its table.
        public var key: [String]
        public var rows: [KeptColumn]
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
    /// The operators of the unique index behind the referenced columns; nil where there is none.
    public var equality: [String]?
    public var constraints: [Constraint]
    /// The key columns of each usable index of the referencing table.
    public var indexes: [[String]]
    /// The columns that tell its rows apart; nil where nothing does.
    public var rowKey: [String]?
    /// All its columns.
    public var rows: [KeptColumn]
    public var dependents: [Dependent]
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
        for name in CleanupSettings.values.map(\.name) { settings[name] = root["settings"]?[name]?.string }
        role = root["role"]?.string ?? ""
        sessionRole = root["session_role"]?.string ?? ""
        table = Table(root["table"])
        referenced = Table(root["referenced"])
        columns = root.list("columns").map(Column.init)
        referencedColumns = root.list("referenced_columns").map(Column.init)
        equality = root["equality"]?.array?.compactMap(\.string)
        let owner = table?.qualified ?? TableName("")
        let target = referenced?.qualified ?? TableName("")
        constraints = root.list("constraints").compactMap { Constraint($0, of: owner, to: target) }
        indexes = root.list("indexes").map { $0.array?.compactMap(\.string) ?? [] }
        rowKey = root["key"]?.array?.compactMap(\.string)
        rows = root.list("rows").compactMap(KeptColumn.init)
        dependents = root.list("dependents").compactMap(Dependent.init)
        triggers = root.strings("triggers")
        deferred = root.strings("deferred")
        takenConstraints = Set(root.strings("taken_constraints"))
        takenRelations = Set(root.strings("taken_relations"))
    }
}

extension JSONValue {
    fileprivate func list(_ key: String) -> [JSONValue] { self[key]?.array ?? [] }
    fileprivate func strings(_ key: String) -> [String] { list(key).compactMap(\.string) }
    fileprivate func isTrue(_ key: String) -> Bool { self[key] == .bool(true) }
}

extension ForeignKeyFacts.Table {
    fileprivate init?(_ value: JSONValue?) {
        guard let value, let schema = value["schema"]?.string, let name = value["name"]?.string else { return nil }
        self.init(
            schema: schema, name: name, kind: value["kind"]?.string ?? "", estimate: value["estimate"]?.integer ?? -1,
            hasRowSecurity: value.isTrue("row_security"), isLockable: value.isTrue("lockable"))
    }
}

extension ForeignKeyFacts.Column {
    fileprivate init?(_ value: JSONValue) {
        guard let name = value["name"]?.string else { return nil }
        self.init(
            name: name, type: value["type"]?.string ?? "", isRequired: value.isTrue("required"),
            isGenerated: value.isTrue("generated"), collation: value["collation"]?.string)
    }
}

extension ForeignKeyFacts.KeptColumn {
    fileprivate init?(_ value: JSONValue) {
        guard let name = value["name"]?.string else { return nil }
        self.init(
            name: name, isPlain: value.isTrue("plain"), isNamed: value.isTrue("named"), isWide: value.isTrue("wide"))
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

extension ForeignKeyFacts.Dependent {
    fileprivate init?(_ value: JSONValue) {
        guard let name = value["name"]?.string, let table = ForeignKeyFacts.Table(value["table"]) else { return nil }
        self.init(
            name: name, path: value.list("path").compactMap(\.integer), table: table, columns: value.strings("columns"),
            referencedColumns: value.strings("referenced_columns"),
            onDelete: value["on_delete"]?.string.flatMap(ForeignKey.Action.init) ?? .noAction,
            onUpdate: value["on_update"]?.string.flatMap(ForeignKey.Action.init) ?? .noAction,
            isCyclic: value.isTrue("cyclic"), key: value.strings("key"),
            rows: value.list("rows").compactMap(ForeignKeyFacts.KeptColumn.init))
    }
}
