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

    /// Reads what `sql` has written.
    public init?(sql: String) {
        var parts: [String] = []
        var part = ""
        var isQuoted = false
        var scalars = Array(sql.unicodeScalars)[...]
        while let scalar = scalars.popFirst() {
            switch scalar {
            case "\"" where isQuoted && scalars.first == "\"":
                part.unicodeScalars.append("\"")
                scalars.removeFirst()
            case "\"": isQuoted.toggle()
            case "." where !isQuoted:
                parts.append(part)
                part = ""
            default: part.unicodeScalars.append(scalar)
            }
        }
        parts.append(part)
        guard !isQuoted, (1...2).contains(parts.count), !parts.contains("") else { return nil }
        self.init(schema: parts.dropLast().last, parts[parts.count - 1])
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
