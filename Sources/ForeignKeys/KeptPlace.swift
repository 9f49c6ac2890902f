public import JSON

/// Where kept rows stood: the table and its columns by their numbers, which stay when one is renamed. Part of the event that counts them.
public struct KeptPlace: Sendable, Equatable {
    /// `pg_class.oid`.
    public var table: Int64
    /// `pg_attribute.attnum` of each column.
    public var columns: [String: Int64]

    init(_ table: ForeignKeyFacts.Table, _ rows: [ForeignKeyFacts.KeptColumn]) {
        self.table = table.oid
        columns = Dictionary(rows.map { ($0.name, $0.number) }) { first, _ in first }
    }

    /// Reads what an event's detail has; nil where it is of a version that did not keep it.
    public init?(_ value: JSONValue?) {
        guard let table = value?["oid"]?.integer, case .object(let columns)? = value?["columns"] else { return nil }
        self.table = table
        self.columns = columns.compactMapValues(\.integer)
    }

    /// For the event's detail.
    public var json: JSONValue {
        ["oid": .integer(table), "columns": .object(columns.mapValues(JSONValue.integer))]
    }
}
