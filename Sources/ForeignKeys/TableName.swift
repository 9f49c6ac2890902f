/// A table as a statement names it: without a schema the session's search_path decides.
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

    /// For a person: `public.users`, `users`.
    public var text: String { schema.map { "\($0).\(name)" } ?? name }

    /// For SQL: every part quoted.
    public var sql: String { schema.map { "\(SQLText.name($0)).\(SQLText.name(name))" } ?? SQLText.name(name) }
}

/// Names and values inside SQL text.
package enum SQLText {
    /// A quoted identifier.
    package static func name(_ name: String) -> String { "\"" + doubled(name, "\"") + "\"" }

    /// Quoted identifiers, separated by commas.
    package static func names(_ names: [String]) -> String { names.map(name).joined(separator: ", ") }

    /// A string literal that does not depend on `standard_conforming_strings`.
    package static func literal(_ value: String) -> String {
        let quoted = "'" + doubled(value, "'") + "'"
        return value.contains("\\") ? "E" + doubled(quoted, "\\") : quoted
    }

    private static func doubled(_ text: String, _ character: Character) -> String {
        String(text.flatMap { $0 == character ? [$0, $0] : [$0] })
    }
}
