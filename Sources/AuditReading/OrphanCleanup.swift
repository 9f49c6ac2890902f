public import Audit
public import JSON
public import Reporting

/// Which cleanups are asked for. What is set must hold all together.
public struct OrphanFilter: Sendable, Equatable {
    /// Version or whole name of a migration.
    public var migration: String?
    /// The attempt that they were part of.
    public var attempt: UUID?

    /// A filter that lets everything through.
    public init(migration: String? = nil, attempt: UUID? = nil) {
        self.migration = migration
        self.attempt = attempt
    }
}

/// What one step of a cleanup did to one table: an event, with what is kept of its rows.
public struct OrphanCleanup: Sendable, Equatable {
    /// The keys of its JSON form, in order; those of the history have its column names.
    public static let columns = [
        "seq", "recorded_at", "event", "action", "version", "name", "attempt_id", "object", "row_count", "kept",
        "restored",
    ]

    /// The event's place in the history.
    public var seq: Int64
    public var recordedAt: Timestamp
    /// `orphans_deleted` or `orphans_nullified`.
    public var event: String
    public var version: String?
    public var name: String?
    public var attemptID: String?
    /// Table and columns: `public.dashboard_widgets.user_id`.
    public var object: String?
    /// Rows that it deleted or changed.
    public var rowCount: Int64
    /// Of these, rows in quarantine.
    public var kept: Int64
    /// Of these, rows that were put back.
    public var restored: Int64

    /// `deleted` or `nullified`.
    public var action: String { event == EventKind.orphansDeleted.rawValue ? "deleted" : "nullified" }

    /// An object with the keys of `columns`.
    public var json: JSONValue {
        [
            "seq": .integer(seq), "recorded_at": .string(recordedAt.description), "event": .string(event),
            "action": .string(action), "version": JSONValue(version), "name": JSONValue(name),
            "attempt_id": JSONValue(attemptID), "object": JSONValue(object), "row_count": .integer(rowCount),
            "kept": .integer(kept), "restored": .integer(restored),
        ]
    }

    /// The values in the order of `columns`; nil for null.
    public var fields: [String?] {
        [
            String(seq), recordedAt.description, event, action, version, name, attemptID, object, String(rowCount),
            String(kept), String(restored),
        ]
    }
}

/// A row that a cleanup took out, as it was before.
public struct KeptOrphan: Sendable, Equatable {
    /// The keys of its JSON form, in order.
    public static let columns = [
        "id", "seq", "recorded_at", "version", "attempt_id", "table", "columns", "action", "key", "old_row", "old_text",
        "outcome",
    ]

    /// Its place among all kept rows.
    public var id: Int64
    /// The values in the order of `columns`; nil for null. `columns`, `key` and `old_row` are JSON texts as the server writes them.
    public var fields: [String?]

    /// The value of one of `columns`; nil for null.
    public subscript(_ column: String) -> String? {
        KeptOrphan.columns.firstIndex(of: column).flatMap { fields[$0] }
    }

    /// One JSON object. Kept values stand in it digit by digit as the server wrote them: a numeric may be longer than any number type here.
    public var json: String {
        let members = zip(KeptOrphan.columns, fields).map { column, value -> String in
            let text =
                switch column {
                case "id", "seq", "columns", "key", "old_row": value ?? "null"
                default: JSONValue(value).text
                }
            return "\"\(column)\":\(text)"
        }
        return JSONText.safe("{" + members.joined(separator: ",") + "}")
    }
}
