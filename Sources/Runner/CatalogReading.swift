internal import Audit
internal import JSON
internal import Postgres
internal import Reporting

/// One reading of the catalog, in the transaction of the event that vouches for it: how the database was left.
///
/// What differs from the reading before is kept in `catalog_definition`; its digest stands in the event, and so in the chain.
struct CatalogReading {
    /// The id of the event that will vouch for it.
    let event = UUID()
    /// Patterns of the objects that are left out (`catalog-ignore`), as the history has them.
    let ignored: [String]

    /// The patterns as PostgreSQL's text of a text[].
    private var patterns: String { Quoting.array(ignored) }

    /// The statement that reads, with a semicolon behind it; `schema` is the history's quoted name.
    func query(_ schema: String) -> String {
        "\(CatalogReading.columns) FROM \(schema).read_catalog('\(event)', \(Quoting.literal(patterns)), NULL, NULL) AS r; "
    }

    private static let columns =
        "SELECT r.changes, r.digest, r.problem, pg_catalog.array_to_json(nullif(r.others, '{}'))"

    /// The same for a session that had a file, which reads with its token: of what its transaction has `touched` and `left`, or of the whole catalog
    /// where that is not said. Not in one message with anything of the file's: the token is none of its business.
    func question(
        _ schema: String, _ token: OneTimeToken, touched: String?, left: String?
    ) -> (sql: String, parameters: [Parameter?]) {
        (
            "\(CatalogReading.columns) FROM \(schema).read_catalog_at_end($1::bytea, $2::uuid, $3::text[], $4::json, $5::jsonb) AS r",
            [
                .bytes(token.bytes), .text(event.description), .text(patterns), touched.map(Parameter.text),
                left.map(Parameter.text),
            ]
        )
    }

    /// The events, of which one says that the objects are as they were.
    static func unchanged(_ events: [AuditEvent]) -> [AuditEvent] {
        var events = events
        events[place(in: events)].detail["catalog"] = "unchanged"
        return events
    }

    /// The event that says how the catalog was left: the last one of the attempt that ends, and not the begin of the next.
    private static func place(in events: [AuditEvent]) -> Int {
        guard let last = events.lastIndex(where: { $0.event != .started }) ?? events.indices.last else {
            preconditionFailure("a reading belongs to an event")
        }
        return last
    }

    /// The events, of which one vouches for what `result` says.
    func vouched(by events: [AuditEvent], _ result: QueryResult?) -> [AuditEvent] {
        if let result, !result.rows.isEmpty, result.text(0, 1) == nil, result.text(0, 2) == nil {
            return CatalogReading.unchanged(events)
        }
        var events = events
        let last = CatalogReading.place(in: events)
        events[last].eventID = event
        if let result, let digest = result.text(0, 1), result.text(0, 2) == nil {
            var catalog: [String: JSONValue] = [
                "changes": .integer(result.integer(0, 0) ?? 0), "sha256": .string(digest),
            ]
            if !ignored.isEmpty { catalog["ignored"] = .array(ignored.map(JSONValue.string)) }
            if result.text(0, 3) != nil { catalog["other_histories"] = History.json(result.rows[0][3]) }
            events[last].detail["catalog"] = .object(catalog)
        } else {
            // The migration stands; what it left is not known, and the next reading takes it in.
            events[last].detail["catalog"] = ["unread": .string(result?.text(0, 2) ?? "")]
        }
        return events
    }
}
