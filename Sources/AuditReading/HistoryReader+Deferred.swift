internal import JSON
internal import Postgres

/// A foreign key that was put off until what it needs is there, and still is.
public struct DeferredForeignKey: Sendable, Equatable {
    /// The event that says so.
    public var seq: Int64
    public var version: String?
    public var name: String?
    /// Table and constraint, or table and columns where the key has no name.
    public var object: String?
    /// The table that is missing, or lacks a column, as SQL writes it.
    public var waitsFor: String?
    /// The column that is missing.
    public var waitsForColumn: String?

    /// What it waits for, as words.
    public var missing: String {
        let table = waitsFor ?? "a table"
        return waitsForColumn.map { "column \"\($0)\" of \(table)" } ?? table
    }

    var json: JSONValue {
        [
            "seq": .integer(seq), "version": JSONValue(version), "name": JSONValue(name), "object": JSONValue(object),
            "waits_for": JSONValue(waitsFor), "waits_for_column": JSONValue(waitsForColumn),
        ]
    }
}

extension HistoryReader {
    /// FROM, WHERE and ORDER BY for the events `d` of `table` that deferred a key which is still open: neither added nor found in place
    /// since, nor undone with its migration. The one rule for whoever shows them and whoever adds them.
    public static func openDeferrals(_ table: String) -> String {
        """
        FROM \(table) AS d
         WHERE d.event = 'deferred' AND d.reason = 'missing_table'
           AND NOT EXISTS (SELECT FROM \(table) AS e WHERE e.version = d.version AND e.seq > d.seq
                              AND (e.event = 'rolled_back'
                                   OR e.event IN ('constraint_added', 'skipped')
                                      AND (e.detail::json ->> 'deferred_seq')::bigint = d.seq
                                      AND (e.detail::json ->> 'to_be_validated') IS DISTINCT FROM 'true'))
         ORDER BY d.seq
        """
    }

    /// Keys that are deferred and were neither added nor found in place since, nor undone with their migration.
    ///
    /// Inside a transaction of `reading`.
    func openDeferredKeys() throws(PostgresError) -> [DeferredForeignKey] {
        let found = try connection.query(
            """
            SELECT d.seq, d.version, d.name, d.object, d.detail::json ->> 'waits_for',
                   d.detail::json ->> 'waits_for_column'
              \(HistoryReader.openDeferrals(table))
            """)
        return found.rows.indices.map { row in
            DeferredForeignKey(
                seq: found.integer(row, 0) ?? 0, version: found.text(row, 1), name: found.text(row, 2),
                object: found.text(row, 3), waitsFor: found.text(row, 4), waitsForColumn: found.text(row, 5))
        }
    }
}
