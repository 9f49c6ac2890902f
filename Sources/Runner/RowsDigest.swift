internal import JSON
internal import Postgres
internal import Reporting

/// The digest over the rows that an event has kept, or over the outcomes that it has recorded: in its detail, and so under the chain.
enum RowsDigest {
    /// The question for one event, whose id is its parameter; `schema` is the history's quoted name.
    static func question(_ schema: String) -> String {
        "SELECT d.number, d.root FROM \(schema).rows_digest($1::pg_catalog.uuid) AS d"
    }

    /// The statement that fails where the rows of one of the cleanups are not those that it was recorded with. It takes as long as they are many.
    static func requirement(_ schema: String, _ cleanups: [KeptCleanup]) -> String {
        // Before version 11 of the history's schema an event has no digest.
        let expected = cleanups.map { cleanup in
            let root = cleanup.root.map(Quoting.literal) ?? "NULL"
            return "(\(Quoting.literal(cleanup.event))::uuid, \(cleanup.rows)::int8, \(root))"
        }
        return """
            SET statement_timeout = 0; SELECT \(schema).require_rows(e.event, e.rows, e.root)
              FROM (VALUES \(expected.joined(separator: ", "))) AS e(event, rows, root)
            """
    }

    /// What the answer says, as the member `digest` of the event's detail.
    static func told(by result: QueryResult) -> JSONValue {
        ["rows": .integer(result.integer(0, 0) ?? 0), "root": JSONValue(result.text(0, 1))]
    }
}
