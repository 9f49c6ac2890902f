internal import Audit
internal import Digest
internal import Postgres

/// A digest over rows, made of one after the other: what the function `rows_digest` of the history's schema computes.
///
/// `sha256(0x02 || nodes)`, each node `sha256(0x01 || leaves)` of 1,024 rows, each leaf the SHA-256 of a row's columns in record_send's form.
struct RowsDigest {
    private(set) var count: Int64 = 0
    private var nodes: [UInt8] = [0x02]
    private var leaves: [UInt8] = [0x01]

    private static let width: Int64 = 1024

    /// The next row, as record_send gives it.
    mutating func add(_ row: ArraySlice<UInt8>) {
        leaves += SHA256.hash(Array(row))
        count += 1
        if count % RowsDigest.width == 0 { finishNode() }
    }

    /// The digest over all rows until now, as 64 digits; nil where there is none.
    var root: String? {
        guard count > 0 else { return nil }
        var whole = self
        if count % RowsDigest.width != 0 { whole.finishNode() }
        return SHA256.hex(whole.nodes)
    }

    private mutating func finishNode() {
        nodes += SHA256.hash(leaves)
        leaves = [0x01]
    }
}

extension HistoryReader {
    /// The first version of the history's schema whose events have a digest over the rows that they keep.
    static let rowsDigestVersion = 11

    /// Holds what is kept of rows, and what became of them, against the events, all computed here.
    func readKeptRows(into check: inout Verification) throws(PostgresError) {
        try connection.run("SET LOCAL statement_timeout TO 0")
        for (table, columns) in HistoryReader.keptColumns {
            try readRows(of: table, columns, where: "true") { event, digest in
                check.readRows(of: event, in: table, digest)
            }
        }
        try connection.run("SET LOCAL statement_timeout TO \(StatementTimeout.page)")
    }

    /// The places of the cleanups that match and of which other rows are kept by now than they were recorded with.
    public func alteredCleanups(_ filter: OrphanFilter) throws(HistoryError) -> [Int64] {
        var clause = OrphanClause()
        clause.add(filter)
        return try reading(statementTimeout: StatementTimeout.page) { () throws(PostgresError) in
            let version = try connection.query("SELECT h.schema_version FROM \(quoted).audit_head AS h").integer(0, 0)
            guard version ?? 0 >= HistoryReader.rowsDigestVersion else { return [] }
            let found = try connection.query(
                """
                SELECT a.seq, a.event_id::text, a.row_count, a.detail::jsonb #>> '{digest,root}' FROM \(table) AS a
                 WHERE a.event IN ('orphans_deleted', 'orphans_nullified')\(clause.text) ORDER BY a.seq
                """, clause.parameters)
            try connection.run("SET LOCAL statement_timeout TO 0")
            var altered: [Int64] = []
            for row in found.rows.indices {
                guard let seq = found.integer(row, 0), let event = found.text(row, 1).flatMap({ UUID($0) }) else {
                    continue
                }
                var kept = RowsDigest()
                let (table, columns) = HistoryReader.keptColumns[0]
                try readRows(of: table, columns, where: "t.event_id = '\(event)'") { _, digest in kept = digest }
                let isAsRecorded =
                    kept.count == found.integer(row, 2) ?? 0 && (found.text(row, 3).map { $0 == kept.root } ?? true)
                if !isAsRecorded { altered.append(seq) }
            }
            return altered
        }
    }

    /// The tables with such rows, and their columns in the order in which they are digested.
    private static let keptColumns = [
        (
            "orphan_quarantine",
            "salt, id, event_id, attempt_id, schema_name, table_name, column_names, action, key, old_row, old_text, row_hash, new_values"
        ),
        ("orphan_restoration", "salt, id, quarantine_id, event_id, outcome, reason, cleanup_event_id, row_count"),
    ]

    /// Tells the digest over the rows of each event.
    private func readRows(
        of table: String, _ columns: String, where condition: String, _ tell: ([UInt8], RowsDigest) -> Void
    ) throws(PostgresError) {
        var rows = BinaryTuples(connection)
        try rows.begin(
            "SELECT t.event_id, record_send(ROW(\(columns))) FROM \(quoted).\(table) AS t WHERE \(condition) ORDER BY t.event_id, t.id"
        )
        var event: [UInt8]?
        var digest = RowsDigest()
        while let row = try rows.next(fields: 2) {
            let next = Array(row[0])
            if let event, event != next {
                tell(event, digest)
                digest = RowsDigest()
            }
            event = next
            digest.add(row[1])
        }
        if let event { tell(event, digest) }
    }
}
