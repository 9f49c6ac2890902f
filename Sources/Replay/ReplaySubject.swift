internal import ForeignKeys
internal import Reporting
internal import SQLParsing

/// A class of object that can be compared: how to find the one that stands, how to build the file's beside it, what to ask of both.
protocol ReplaySubject: Sendable {
    /// What people call it: `table`.
    var word: String { get }
    /// The names by which other statements mean it, without schemas; the first is its own.
    var names: [ObjectNames] { get }
    /// What is looked up by the session's own search_path before that is pinned: a table, or a type; nil where only a name is new.
    var lookup: Lookup { get }
    /// A query for the standing object: its schema as SQL writes it, the object for people, its oid, and what the class wants besides. It
    /// finds what was looked up as `Lookup.found` and where new names go as `Lookup.creation`.
    var standing: String { get }
    /// Statements that build the file's object in the scratch schema, under the session's own search_path.
    func build(_ standing: Standing, in scratch: inout Scratch) -> [String]
    /// A query for the facts of what was built: group, name, text, another text.
    func fileFacts(_ standing: Standing, in scratch: Scratch) -> String
    /// The same of the standing object.
    func databaseFacts(_ standing: Standing, in scratch: Scratch) -> String
    /// The same for a last look before what was skipped is recorded, long after the scratch schema is gone. Where the object is there and of no use, a
    /// fact that no file has is among them.
    func lastingFacts(_ standing: Standing) -> String
    /// Whether what was found still has the name under which it was, as SQL; its table's, for a part of a table that is found by its own name.
    func keepsName(_ standing: Standing) -> String
    /// The facts without which the object is not there; nil where any will do.
    var essential: Fact.Group? { get }
    /// Whether those are the facts of several objects, of which any may be the one.
    var isOneOfMany: Bool { get }
    /// Constraints to which the file gives a name.
    var namedConstraints: Set<String> { get }
    /// Whether the file gives the object no name, so that any of its definition is the one.
    var isNameless: Bool { get }
    /// Whether what stands beside it is worth telling.
    var tellsBeyond: Bool { get }
    /// The table, or its column, that later commands of the same file may alter.
    var altered: (table: TableName, column: String?)? { get }
    /// The table of which a copy is made to build it on.
    var copied: TableName? { get }
    /// Whether it may be about whole rows of that table.
    var takesRow: Bool { get }
    /// Columns without which it cannot be: it goes with any of them.
    var columns: [String] { get }
    /// The invalid index that stands there, as SQL writes it.
    func invalidIndex(_ standing: Standing) -> String?
}

/// A name that an object goes by: its own, or its table's with its own as a part.
struct ObjectNames: Sendable {
    var name: String
    var part: String?

    init(_ name: String, _ part: String? = nil) {
        self.name = name
        self.part = part
    }
}

extension ReplaySubject {
    var lookup: Lookup { .nothing }
    func build(_ standing: Standing, in scratch: inout Scratch) -> [String] { [] }
    func lastingFacts(_ standing: Standing) -> String { databaseFacts(standing, in: Scratch(token: "")) }
    func keepsName(_ standing: Standing) -> String {
        let table = standing.extra.first.flatMap(\.self)
        return table.map { "\(standing.oid)::pg_catalog.regclass::pg_catalog.text = \(Quoting.literal($0))" } ?? "true"
    }
    var essential: Fact.Group? { nil }
    var isOneOfMany: Bool { isNameless }
    var namedConstraints: Set<String> { [] }
    var isNameless: Bool { false }
    var tellsBeyond: Bool { true }
    var altered: (table: TableName, column: String?)? { nil }
    var copied: TableName? { nil }
    var takesRow: Bool { false }
    var columns: [String] { [] }
    func invalidIndex(_ standing: Standing) -> String? { nil }
}

/// What a name means to the session, looked up before its search_path is pinned for our own questions.
enum Lookup: Sendable {
    case nothing
    /// A table, view, sequence.
    case relations([TableName])
    case type(TableName)

    /// The oid that was found, as SQL; 0 where there is none.
    static let found = "pg_catalog.current_setting('migrated.found')::pg_catalog.oid"
    /// All that were looked up, as an array of oids.
    static let all = "pg_catalog.string_to_array(pg_catalog.current_setting('migrated.all'), ',')::pg_catalog.oid[]"
    /// The schema into which a name without one is created.
    static let creation = "pg_catalog.current_setting('migrated.creation')"

    /// The schema of a new object.
    static func schema(_ written: String?) -> String { written.map(Quoting.literal) ?? creation }

    /// Keeps what was found in settings that last as long as the savepoint.
    var sql: String {
        let oids: [String] =
            switch self {
            case .nothing: []
            case .relations(let tables): tables.map { "pg_catalog.to_regclass(\(Quoting.literal($0.sql)))" }
            case .type(let name): ["pg_catalog.to_regtype(\(Quoting.literal(name.sql)))"]
            }
        let texts = oids.map { "coalesce(\($0)::pg_catalog.oid::pg_catalog.text, '0')" }
        return """
            SELECT pg_catalog.set_config('migrated.creation', coalesce(pg_catalog.current_schema(), ''), true), \
            pg_catalog.set_config('migrated.found', \(texts.first ?? "'0'"), true), \
            pg_catalog.set_config('migrated.all', pg_catalog.concat_ws(',', '0'\(texts.map { ", \($0)" }.joined())), true)
            """
    }
}
