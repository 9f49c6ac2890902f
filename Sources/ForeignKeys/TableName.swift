internal import Reporting

/// A table as a statement names it: without a schema the session's search_path decides. Two are equal where their bytes are.
public struct TableName: Sendable, Equatable, Hashable {
    /// The schema, where the statement names one.
    public var schema: String?
    /// The table, as the catalog spells it.
    public var name: String

    /// A name from its parts.
    public init(schema: String? = nil, _ name: String) {
        self.schema = schema
        self.name = name
    }

    public static func == (left: TableName, right: TableName) -> Bool {
        left.name.exact == right.name.exact && left.schema?.exact == right.schema?.exact
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(schema?.exact)
        hasher.combine(name.exact)
    }

    /// For a person: `public.users`, `users`.
    public var text: String { schema.map { "\($0).\(name)" } ?? name }

    /// For SQL: every part quoted.
    public var sql: String { Quoting.qualified([schema, name].compactMap(\.self)) }
}
