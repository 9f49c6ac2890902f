internal import Reporting

/// The statements that find, keep and change orphans. All names are qualified and quoted; nothing depends on search_path.
struct OrphanSQL {
    let key: ForeignKey
    let table: ForeignKeyFacts.Table
    let referenced: ForeignKeyFacts.Table
    let facts: ForeignKeyFacts
    /// The quoted schema of the history.
    let history: String

    /// Whether the key refers to its own table.
    var isSelfReferencing: Bool { table.qualified == referenced.qualified }

    /// Whether the row `alias` refers to a row that is not there: any null lets it pass for MATCH SIMPLE, only all nulls for MATCH FULL.
    func isOrphan(_ alias: String) -> String {
        let filled = key.columns.map { "\(alias).\(Quoting.identifier($0)) IS NOT NULL" }
        let refers = filled.joined(separator: key.match == .full ? " OR " : " AND ")
        return "(\(refers)) AND NOT EXISTS (SELECT FROM \(referenced.target) AS p WHERE \(matches("p", alias)))"
    }

    /// Whether row `parent` is the one that row `child` refers to, by the operators of the unique index and its collations.
    private func matches(_ parent: String, _ child: String) -> String {
        key.columns.indices.map { place in
            let column = facts.referencedColumns[place]
            let left = "\(parent).\(Quoting.identifier(column?.name ?? ""))"
            let right = "\(child).\(Quoting.identifier(key.columns[place]))"
            // What has no collation takes none: then the types do not fit, and the comparison says so.
            let isCollatable = facts.columns[place]?.collation != nil
            let collation = isCollatable ? column?.collation.map { " COLLATE \($0)" } ?? "" : ""
            return "\(left) \(facts.equality?[place] ?? "OPERATOR(pg_catalog.=)") \(right)\(collation)"
        }.joined(separator: " AND ")
    }

    /// How many rows the table has.
    var total: String { "SELECT pg_catalog.count(*) FROM \(table.target)" }

    /// How many orphans there are.
    var count: String { "SELECT pg_catalog.count(*) FROM \(table.target) AS c WHERE \(isOrphan("c"))" }

    /// Deletes all orphans and keeps what was deleted, in one statement: a row that a trigger holds back is neither counted nor kept.
    ///
    /// For a key to its own table the rows that hang on orphans go with them, to the last.
    var delete: String {
        let doomed =
            isSelfReferencing
            ? """
            WITH RECURSIVE doomed(part, place, \(list("k"))) AS (\
            SELECT c.tableoid, c.ctid, \(referencedValues("c")) FROM \(table.target) AS c WHERE \(isOrphan("c")) UNION \
            SELECT c.tableoid, c.ctid, \(referencedValues("c")) FROM \(table.target) AS c, doomed AS d WHERE \(isChild("c", of: "d"))\
            ), gone AS (DELETE FROM \(table.target) AS c USING doomed AS d \
            WHERE c.tableoid OPERATOR(pg_catalog.=) d.part AND c.ctid OPERATOR(pg_catalog.=) d.place
            """
            : "WITH gone AS (DELETE FROM \(table.target) AS c WHERE \(isOrphan("c"))"
        let kept = KeptRow(columns: facts.rows, key: facts.rowKey ?? [], alias: "c", table: table)
        return "\(doomed) RETURNING \(kept.expressions)) "
            + insert(into: table, columns: key.columns, action: "deleted", from: "gone")
    }

    /// Sets `columns` of all orphans to null and keeps the rows as they were.
    func nullify(_ columns: [String]) -> String {
        let kept = KeptRow(columns: facts.rows, key: facts.rowKey ?? [], alias: "c", table: table)
        let assignments = columns.map { "\(Quoting.identifier($0)) = NULL" }.joined(separator: ", ")
        return """
            WITH old AS MATERIALIZED (SELECT c.tableoid AS part, c.ctid AS place, \(kept.expressions) FROM \(table.target) AS c \
            WHERE \(isOrphan("c"))), gone AS (UPDATE \(table.target) AS c SET \(assignments) FROM old \
            WHERE c.tableoid OPERATOR(pg_catalog.=) old.part AND c.ctid OPERATOR(pg_catalog.=) old.place \
            RETURNING old.key, old.old_row, old.old_text) 
            """ + insert(into: table, columns: columns, action: "nullified", from: "gone")
    }

    // MARK: In small transactions

    /// Where each orphan of a plain table is.
    var find: String { "SELECT c.ctid FROM \(table.target) AS c WHERE \(isOrphan("c"))" }

    /// As `delete`, of the rows at the places that the third parameter gives, as far as they are orphans still.
    var deletePlaced: String {
        let kept = KeptRow(columns: facts.rows, key: facts.rowKey ?? [], alias: "c", table: table)
        return """
            WITH gone AS (DELETE FROM \(table.target) AS c USING \(places) \
            WHERE c.ctid OPERATOR(pg_catalog.=) k.place AND \(isOrphan("c")) RETURNING \(kept.expressions)) 
            """ + insert(into: table, columns: key.columns, action: "deleted", from: "gone")
    }

    /// As `nullify`, of the rows at the places that the third parameter gives. Nobody else has locked the table, so that each row is
    /// locked as it is read: what is kept is what was changed.
    func nullifyPlaced(_ columns: [String]) -> String {
        let kept = KeptRow(columns: facts.rows, key: facts.rowKey ?? [], alias: "c", table: table)
        let assignments = columns.map { "\(Quoting.identifier($0)) = NULL" }.joined(separator: ", ")
        return """
            WITH old AS MATERIALIZED (SELECT c.ctid AS place, \(kept.expressions) FROM \(table.target) AS c, \(places) \
            WHERE c.ctid OPERATOR(pg_catalog.=) k.place AND \(isOrphan("c")) FOR UPDATE OF c), \
            gone AS (UPDATE \(table.target) AS c SET \(assignments) FROM old WHERE c.ctid OPERATOR(pg_catalog.=) old.place \
            RETURNING old.key, old.old_row, old.old_text) 
            """ + insert(into: table, columns: columns, action: "nullified", from: "gone")
    }

    private var places: String { "pg_catalog.unnest($3::pg_catalog.tid[]) AS k(place)" }

    /// Keeps the rows that `dependent`'s ON DELETE action is about to delete or change, `chain` being the keys that lead to it.
    func keep(_ dependent: ForeignKeyFacts.Dependent, through chain: [ForeignKeyFacts.Dependent]) -> String {
        var condition = isOrphan("c")
        var below = "c"
        var at = table
        for (level, link) in (chain + [dependent]).enumerated() {
            let alias = level == chain.count ? "r" : "r\(level)"
            let joins = zip(link.columns, link.referencedColumns).map {
                "\(alias).\(Quoting.identifier($0)) OPERATOR(pg_catalog.=) \(below).\(Quoting.identifier($1))"
            }
            condition =
                "EXISTS (SELECT FROM \(at.target) AS \(below) WHERE \(joins.joined(separator: " AND ")) AND \(condition))"
            below = alias
            at = link.table
        }
        let kept = KeptRow(columns: dependent.rows, key: dependent.key, alias: "r", table: dependent.table)
        return "WITH gone AS (SELECT \(kept.expressions) FROM \(dependent.table.target) AS r WHERE \(condition)) "
            + insert(
                into: dependent.table, columns: dependent.columns,
                action: dependent.onDelete == .cascade ? "deleted" : "nullified", from: "gone")
    }

    private func insert(into table: ForeignKeyFacts.Table, columns: [String], action: String, from source: String)
        -> String
    {
        """
        INSERT INTO \(history).orphan_quarantine \
        (event_id, attempt_id, schema_name, table_name, column_names, action, key, old_row, old_text) \
        SELECT $1::pg_catalog.uuid, $2::pg_catalog.uuid, \(Quoting.literal(table.schema)), \(Quoting.literal(table.name)), \
        ARRAY[\(columns.map(Quoting.literal).joined(separator: ", "))]::pg_catalog.text[], '\(action)', \
        s.key, s.old_row, s.old_text FROM \(source) AS s
        """
    }

    // MARK: Self references

    private func list(_ prefix: String) -> String {
        key.columns.indices.map { "\(prefix)\($0)" }.joined(separator: ", ")
    }

    private func referencedValues(_ alias: String) -> String {
        facts.referencedColumns.map { "\(alias).\(Quoting.identifier($0?.name ?? ""))" }.joined(separator: ", ")
    }

    private func isChild(_ child: String, of doomed: String) -> String {
        key.columns.indices.map { place in
            let collation = facts.referencedColumns[place]?.collation.map { " COLLATE \($0)" } ?? ""
            return
                "\(doomed).k\(place) \(facts.equality?[place] ?? "OPERATOR(pg_catalog.=)") \(child).\(Quoting.identifier(key.columns[place]))\(collation)"
        }.joined(separator: " AND ")
    }
}

/// A row in the form in which the quarantine keeps it: its key, and every column by name.
///
/// Types that JSON holds exactly are JSON values; all others are the text that their own output function gives, which their input function
/// reads back. A row too wide for jsonb is kept as PostgreSQL's text of the whole row.
struct KeptRow {
    let columns: [ForeignKeyFacts.KeptColumn]
    let key: [String]
    let alias: String
    let table: ForeignKeyFacts.Table

    /// Bytes of text in a row up to which jsonb takes it: it holds 256 MB, and a byte of bytea is two of text.
    private static let widest = 100 << 20

    /// Three expressions: `key`, `old_row`, `old_text`.
    var expressions: String {
        let row = object(columns)
        let found = columns.filter { key.exact.contains($0.name.exact) }
        let keyed = found.isEmpty ? "NULL::pg_catalog.jsonb" : object(found)
        let wide = columns.filter(\.isWide)
        guard !wide.isEmpty else { return "\(keyed) AS key, \(row) AS old_row, NULL::pg_catalog.text AS old_text" }
        let size = wide.map {
            "coalesce(pg_catalog.octet_length(\(alias).\(Quoting.identifier($0.name))), 0)::pg_catalog.int8"
        }
        .joined(separator: " OPERATOR(pg_catalog.+) ")
        let fits = "(\(size)) OPERATOR(pg_catalog.<=) \(KeptRow.widest)"
        return """
            \(keyed) AS key, CASE WHEN \(fits) THEN \(row) END AS old_row, \
            CASE WHEN NOT (\(fits)) THEN CAST((\(alias).*) AS pg_catalog.text) END AS old_text
            """
    }

    private func object(_ columns: [ForeignKeyFacts.KeptColumn]) -> String {
        // A function takes a hundred arguments: fifty columns at a time.
        stride(from: 0, to: columns.count, by: 50).map { start in
            let members = columns[start..<min(start + 50, columns.count)].map { column in
                var value = "\(alias).\(Quoting.identifier(column.name))"
                if column.isNamed { value = "CAST(\(value) AS pg_catalog.oid)" }
                if !column.isPlain { value = "CAST(\(value) AS pg_catalog.text)" }
                return "\(Quoting.literal(column.name)), \(value)"
            }
            return "pg_catalog.jsonb_build_object(\(members.joined(separator: ", ")))"
        }.joined(separator: " OPERATOR(pg_catalog.||) ")
    }
}
