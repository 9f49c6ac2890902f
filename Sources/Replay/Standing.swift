/// The object that stands under the name that a statement is to create.
public struct Standing: Sendable, Equatable {
    /// The schema, as SQL writes it.
    public var schema: String
    /// The object for people and for the audit: `public.users`, `public.users.email`.
    public var object: String
    /// Its oid; for a part of a table, the table's.
    public var oid: String
    /// What else its class has asked for.
    public var extra: [String?]

    /// From a row of a question's answer.
    public init?(_ row: [String?]) {
        guard row.count >= 3, let schema = row[0], let object = row[1], let oid = row[2] else { return nil }
        self.schema = schema
        self.object = object
        self.oid = oid
        extra = Array(row.dropFirst(3))
    }
}
