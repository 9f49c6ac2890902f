internal import Audit
internal import JSON
internal import Postgres
internal import Reporting
internal import SQLLexing

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
        "\(CatalogReading.columns) FROM \(schema).read_catalog('\(event)', \(Quoting.literal(patterns))) AS r; "
    }

    private static let columns =
        "SELECT r.changes, r.digest, r.problem, pg_catalog.array_to_json(nullif(r.others, '{}'))"

    /// The same for a session that had a file, which reads with its token. Not in one message with anything of the file's: the token is none of its
    /// business.
    func question(_ schema: String, _ token: OneTimeToken) -> (sql: String, parameters: [Parameter?]) {
        (
            "\(CatalogReading.columns) FROM \(schema).read_catalog_at_end($1::bytea, $2::uuid, $3::text[]) AS r",
            [.bytes(token.bytes), .text(event.description), .text(patterns)]
        )
    }

    /// The events, of which the last one vouches for what `result` says.
    func vouched(by events: [AuditEvent], _ result: QueryResult?) -> [AuditEvent] {
        var events = events
        guard let last = events.indices.last else { preconditionFailure("a reading belongs to an event") }
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

/// What an object has become without a migration.
struct CatalogChange {
    /// `table`, `constraint`, `function` …
    var kind: String
    /// Its name with its schema.
    var object: String
    /// Its lines before; nil where it was not there.
    var before: String?
    /// Its lines now; nil where it is gone.
    var now: String?

    /// So many lines of a difference stand in an event; `catalog_definition` has all of them.
    private static let lineLimit = 40

    /// `added`, `changed` or `removed`.
    var word: String { before == nil ? "added" : now == nil ? "removed" : "changed" }

    /// Without secrets, the lines that went, behind a minus sign, and those that came, behind a plus sign.
    var difference: [String] {
        func lines(_ text: String?) -> [Substring] {
            text.map { Secrets.hidden(words: $0, about: object).split(separator: "\n") } ?? []
        }
        func without(_ lines: [Substring], _ others: [Substring]) -> [Substring] {
            var left = Dictionary(others.map { ($0, 1) }, uniquingKeysWith: +)
            return lines.filter { line in
                guard let count = left[line], count > 0 else { return true }
                left[line] = count - 1
                return false
            }
        }
        let (old, new) = (lines(before), lines(now))
        let all = without(old, new).map { "- \($0)" } + without(new, old).map { "+ \($0)" }
        let further = all.count - CatalogChange.lineLimit
        let told = all.prefix(CatalogChange.lineLimit).map { String($0.prefix(500)) }
        return further > 0 ? told + ["… \(further) more lines"] : told
    }

    /// The event that tells of it.
    func event(by actor: AuditEvent.Actor) -> AuditEvent {
        var event = AuditEvent(.driftDetected, by: actor)
        event.reason = "catalog_changed"
        event.object = object
        event.message = "\(kind) \(object) was \(word) outside of migrated"
        event.detail = [
            "class": .string(kind), "change": .string(word),
            "difference": .array(difference.map(JSONValue.string)),
        ]
        return event
    }
}
