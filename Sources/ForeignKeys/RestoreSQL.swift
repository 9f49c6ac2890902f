internal import JSON
internal import Reporting

/// Puts the kept rows of cleanups back, in the server: rows never pass through the client.
///
/// All rows that an attempt took out come back in one statement, so that the keys between them are checked when all are there. Where the server does not take
/// that, each row stands for itself, and they are tried again for as long as one more of them comes back: a parent may be among those behind. What cannot
/// come back is recorded with the reason and holds up no other. Triggers of the tables fire as for any INSERT or UPDATE.
public struct RestoreSQL: Sendable, Equatable {
    /// One event whose rows are to come back.
    public struct Event: Sendable, Equatable {
        /// The text of its id.
        public var id: String
        /// The text of the id of the event that will count what came back.
        public var restoration: String
        /// How many rows it counts.
        public var rows: Int64
        /// Where its rows stood; nil where that was not kept.
        public var place: KeptPlace?

        public init(id: String, restoration: String, rows: Int64, place: KeptPlace?) {
            self.id = id
            self.restoration = restoration
            self.rows = rows
            self.place = place
        }
    }

    let history: String

    /// `quotedHistory` is the history's schema as SQL writes it.
    public init(quotedHistory: String) { history = quotedHistory }

    /// The statement that restores what the events count and has not come back yet, and records each row's outcome. It wants
    /// `setPath` and `CleanupSettings`, and runs in the caller's transaction.
    ///
    /// With `proves` a row that does not come back exactly as it was counts as not restored, whatever changed it.
    public func restore(_ events: [Event], proves: Bool = false) -> String {
        let list = JSONValue.array(
            events.map { event in
                [
                    "event": .string(event.id), "restoration": .string(event.restoration),
                    "rows": .integer(event.rows),
                    "place": event.place?.json ?? .null,
                ]
            })
        let words = [
            "events": Quoting.literal(list.text), "proves": proves ? "true" : "false", "history": history,
            "restoration": Quoting.literal("\(history).orphan_restoration"),
            "named": "'\(CatalogQuestion.namedTypes)'::oid[]", "plain": "'\(CatalogQuestion.plainTypes)'::oid[]",
            "key": CatalogQuestion.rowKeyIndex("target"),
            // Errors that are not about the rows: they end all of it.
            "grave": "left(state, 2) IN ('25', '40', '53', '57', '58', 'XX') OR state = '55P03'",
            "pinned": CatalogQuestion.needsPinnedText("t.oid"), "unrestored": Quoting.literal(open), "touches": touches,
            "after": Quoting.literal(RestoreSQL.after("q")),
        ]
        // Word by word from the front, so that what stands in for one is not looked at again.
        let body = RestoreSQL.body.split(separator: "§", omittingEmptySubsequences: false).enumerated()
            .map { $0 % 2 == 0 ? String($1) : words[String($1)] ?? "" }.joined()
        return "DO LANGUAGE plpgsql \(Quoting.literal(body))"
    }

    /// Sets the search_path that `restore` wants: what it names itself is PostgreSQL's own, whatever stands before; the triggers of the tables find
    /// what they found when the rows went.
    public static let setPath = """
        SELECT pg_catalog.set_config('search_path', pg_catalog.concat_ws(', ', 'pg_catalog', \
        nullif(pg_catalog.current_setting('search_path'), '')), true)
        """

    /// Counts the rows of an event whose kept values make the very row that they were taken from: the proof where nothing can be put back, because
    /// the key stands. The event is its parameter; the rows are of `table`.
    func readable(_ table: ForeignKeyFacts.Table, _ rows: [ForeignKeyFacts.KeptColumn]) -> String {
        let values = rows.map { column in
            let text = "(q.old_row OPERATOR(pg_catalog.->>) \(Quoting.literal(column.name)))"
            return "\(text)\(column.numbers.map { "::\($0)" } ?? "")::\(column.type)"
        }
        return """
            SELECT pg_catalog.count(*) FROM \(history).orphan_quarantine AS q \
            WHERE q.event_id OPERATOR(pg_catalog.=) $1::pg_catalog.uuid AND q.old_row IS NOT NULL \
            AND pg_catalog.hashtextextended(CAST(CAST(ROW(\(values.joined(separator: ", "))) AS \(table.qualified.sql)) AS pg_catalog.text), 0) \
            OPERATOR(pg_catalog.=) q.row_hash
            """
    }

    /// Of these cleanup events those that still have rows to restore, with a row's table and columns, the newest first. Takes the array of their ids as
    /// its parameter.
    public var pending: String {
        """
        SELECT e.id::pg_catalog.text, q.schema_name, q.table_name, q.column_names::pg_catalog.text \
        FROM pg_catalog.unnest($1::pg_catalog.uuid[]) AS e(id) CROSS JOIN LATERAL (\
        SELECT q.id, q.schema_name, q.table_name, q.column_names FROM \(history).orphan_quarantine AS q \
        WHERE q.event_id OPERATOR(pg_catalog.=) e.id AND \(open) LIMIT 1) AS q ORDER BY q.id DESC
        """
    }

    /// Whether a proof has brought all rows back, so that no outcome is recorded: one row with a boolean.
    public static let isProved = "SELECT pg_catalog.current_setting('migrated.proved', true) IS NOT DISTINCT FROM 'all'"

    /// How many rows had which outcome, and one reason of each. Takes the restoration's event id as its parameter.
    public var outcomes: String {
        """
        SELECT r.outcome, pg_catalog.sum(coalesce(r.row_count, 1))::pg_catalog.int8, pg_catalog.min(r.reason) FROM \(history).orphan_restoration AS r \
        WHERE r.event_id OPERATOR(pg_catalog.=) $1::pg_catalog.uuid GROUP BY r.outcome ORDER BY r.outcome
        """
    }

    /// What a change left in the columns that it changed. Rows of before version 8 were set to null.
    static func after(_ row: String) -> String {
        "(coalesce(\(row).new_values, (SELECT jsonb_object_agg(n, NULL) FROM unnest(\(row).column_names) AS n)))"
    }

    /// Whether the kept row `q` has not come back yet: neither by itself nor with all of its event.
    var open: String {
        """
        NOT EXISTS (SELECT FROM \(history).orphan_restoration AS r \
        WHERE r.quarantine_id OPERATOR(pg_catalog.=) q.id AND r.outcome OPERATOR(pg_catalog.=) 'restored') \
        AND NOT EXISTS (SELECT FROM \(history).orphan_restoration AS r WHERE r.cleanup_event_id OPERATOR(pg_catalog.=) q.event_id)
        """
    }
}
