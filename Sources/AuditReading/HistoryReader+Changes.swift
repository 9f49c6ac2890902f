internal import Audit
internal import Digest
internal import Postgres
internal import Reporting

/// What an attempt has changed, by the reading of the catalog that its event vouches for.
public struct VouchedChanges: Sendable {
    /// Each object, in the order of the bytes of class and name.
    public var changes: [CatalogChange]
    /// Whether they are what the event's digest was made of.
    public var isVouched: Bool
}

extension HistoryReader {
    /// What changed by the reading that an attempt's event vouches for; nil where it vouches for none, and where the reading is of how the attempt found
    /// the database.
    public func changes(by row: HistoryRow) throws(HistoryError) -> VouchedChanges? {
        guard row.text(.attemptID) != nil, !row.isStarted, let digest = row.catalogDigest,
            let event = row.text(.eventID)
        else { return nil }
        return try reading(statementTimeout: StatementTimeout.page) { () throws(PostgresError) in
            let version = try connection.query("SELECT h.schema_version FROM \(quoted).audit_head AS h").integer(0, 0)
            let ignored =
                version ?? 0 >= HistoryReader.ignoredVersion ? "array_to_json(nullif(r.ignored, '{}'))::text" : "NULL"
            let found = try connection.query(
                """
                SELECT d.class, d.object, d.definition,
                       (SELECT b.definition FROM \(quoted).catalog_definition AS b
                         WHERE b.class = d.class AND b.object = d.object AND b.reading < d.reading ORDER BY b.reading DESC LIMIT 1),
                       \(ignored)
                  FROM \(quoted).catalog_reading AS r JOIN \(quoted).catalog_definition AS d ON d.reading = r.id
                 WHERE r.event_id = $1::uuid ORDER BY d.class COLLATE pg_catalog."C", d.object COLLATE pg_catalog."C"
                """, [.text(event)])
            var bytes: [UInt8] = []
            for cells in found.rows {
                for column in 0...2 {
                    bytes += CanonicalForm.small(cells[column].map { Int32($0.count) } ?? -1) + (cells[column] ?? [])
                }
            }
            if let patterns = found.rows.first?[4] { bytes += CanonicalForm.small(Int32(patterns.count)) + patterns }
            return VouchedChanges(
                changes: found.rows.indices.map { place in
                    CatalogChange(
                        kind: found.text(place, 0) ?? "", object: found.text(place, 1) ?? "",
                        before: found.text(place, 3), now: found.text(place, 2))
                },
                isVouched: Array(SHA256.hex(bytes).utf8) == digest)
        }
    }
}
