internal import JSON
internal import Postgres

/// The digest over the rows that an event has kept, or over the outcomes that it has recorded: in its detail, and so under the chain.
enum RowsDigest {
    /// The question for one event, whose id is its parameter; `schema` is the history's quoted name.
    static func question(_ schema: String) -> String {
        "SELECT d.number, d.root FROM \(schema).rows_digest($1::pg_catalog.uuid) AS d"
    }

    /// The statement that fails where the rows of an event are not those that it was recorded with; its parameters are `expectation`.
    static func requirement(_ schema: String) -> String {
        "SELECT \(schema).require_rows($1::pg_catalog.uuid, $2::pg_catalog.int8, $3::pg_catalog.text)"
    }

    /// What a cleanup's event says of its rows. Before version 11 of the history's schema it had no digest.
    static func expectation(_ cleanup: KeptCleanup) -> [Parameter?] {
        [.text(cleanup.event), .integer(cleanup.rows), cleanup.root.map(Parameter.text)]
    }

    /// What the answer says, as the member `digest` of the event's detail.
    static func told(by result: QueryResult) -> JSONValue {
        ["rows": .integer(result.integer(0, 0) ?? 0), "root": JSONValue(result.text(0, 1))]
    }
}
