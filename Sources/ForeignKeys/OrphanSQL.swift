internal import Reporting

/// The statements that find and change orphans. All names are qualified and quoted; nothing depends on search_path.
struct OrphanSQL {
    let key: ForeignKey
    let table: ForeignKeyFacts.Table
    let referenced: ForeignKeyFacts.Table
    let facts: ForeignKeyFacts
    /// The quoted schema of the history.
    let history: String

    /// Whether the key refers to its own table.
    var isSelfReferencing: Bool { table.oid == referenced.oid }

    /// Whether the row `alias` refers to a row that is not there: any null lets it pass for MATCH SIMPLE, only all nulls for MATCH FULL.
    func isOrphan(_ alias: String) -> String {
        let matches = key.columns.indices.map { place in
            comparison(place, "p.\(Quoting.identifier(facts.referencedColumns[place]?.name ?? ""))", alias)
        }
        return
            "(\(refers(alias))) AND NOT EXISTS (SELECT FROM \(referenced.target) AS p WHERE \(matches.joined(separator: " AND ")))"
    }

    /// Whether the row `alias` refers to any: as the server's own check asks, for which a composite with a null in it is none.
    private func refers(_ alias: String) -> String {
        key.columns.map { "\(alias).\(Quoting.identifier($0)) IS NOT NULL" }
            .joined(separator: key.match == .full ? " OR " : " AND ")
    }

    /// Whether the value `referenced` is what column `place` of the row `child` refers to: as the server's own check compares them.
    private func comparison(_ place: Int, _ referenced: String, _ child: String) -> String {
        let column = "\(child).\(Quoting.identifier(key.columns[place]))"
        return facts.comparison?[place].sql(referenced, column) ?? "\(referenced) OPERATOR(pg_catalog.=) \(column)"
    }

    /// How many orphans there are.
    var count: String { "SELECT pg_catalog.count(*) FROM \(table.target) AS c WHERE \(isOrphan("c"))" }

    // MARK: All of them at once

    /// Deletes all orphans. For a key to its own table the rows that hang on orphans go with them, to the last: each of them hangs on one row, so that none
    /// is met twice.
    ///
    /// `keeps` says whether the statement itself keeps what goes: then a row that a trigger holds back is neither counted nor kept.
    func delete(keeps: Bool) -> String {
        let doomed = """
            WITH RECURSIVE doomed(part, place, \(values("k"))) AS (\
            SELECT c.tableoid, c.ctid, \(referencedValues("c")) FROM \(table.target) AS c WHERE \(isOrphan("c")) UNION ALL \
            SELECT c.tableoid, c.ctid, \(referencedValues("c")) FROM \(table.target) AS c, doomed AS d WHERE \(isChild("c", of: "d")))
            """
        let all = "DELETE FROM \(table.target) AS c"
        let placed = "\(all) USING doomed AS d WHERE \(isAt("c", "d"))"
        guard keeps else {
            return isSelfReferencing ? "\(doomed) \(placed)" : "\(all) WHERE \(isOrphan("c"))"
        }
        let gone =
            "gone AS (\(isSelfReferencing ? placed : "\(all) WHERE \(isOrphan("c"))") RETURNING \(kept.expressions))"
        return (isSelfReferencing ? "\(doomed), " : "WITH ") + gone + " "
            + kept.insert(into: history, columns: key.columns, action: "deleted", from: "gone")
    }

    /// Sets `columns` of all orphans to null.
    func nullify(_ columns: [String], keeps: Bool) -> String {
        guard keeps else {
            return "UPDATE \(table.target) AS c SET \(assignments(columns)) WHERE \(isOrphan("c"))"
        }
        return """
            WITH old AS MATERIALIZED (SELECT c.tableoid AS part, c.ctid AS place, \(kept.expressions) FROM \(table.target) AS c \
            WHERE \(isOrphan("c"))), gone AS (UPDATE \(table.target) AS c SET \(assignments(columns)) FROM old \
            WHERE \(isAt("c", "old")) RETURNING old.key, old.old_row, old.old_text, old.row_hash) 
            """ + kept.insert(into: history, columns: columns, action: "nullified", from: "gone")
    }

    // MARK: By their places

    /// Where each orphan of a plain table is.
    var find: String { "SELECT c.ctid FROM \(table.target) AS c WHERE \(isOrphan("c"))" }

    /// The same in groups: see `PlacedChange`.
    var findGroups: String {
        // In a part of its own: with the limit beside it the planner hopes to meet enough orphans early, and takes no workers.
        """
        WITH o AS MATERIALIZED (\(find)) SELECT pg_catalog.array_agg(f.place), pg_catalog.count(*) FROM (SELECT l.ctid AS place, \
        (pg_catalog.row_number() OVER () OPERATOR(pg_catalog.-) 1) OPERATOR(pg_catalog./) \(PlacedChange.group) AS part \
        FROM (SELECT o.ctid FROM o LIMIT \(PlacedChange.most + 1)) AS l) AS f GROUP BY f.part ORDER BY f.part
        """
    }

    /// Locks the rows at the places that the first parameter gives, as far as they are orphans still, and says where they are now: a change
    /// by another session has moved them.
    var lockPlaced: String {
        """
        SELECT c.ctid FROM \(table.target) AS c, pg_catalog.unnest($1::pg_catalog.tid[]) AS k(place) \
        WHERE c.ctid OPERATOR(pg_catalog.=) k.place AND \(isOrphan("c")) FOR UPDATE OF c
        """
    }

    /// As `delete` or `nullify`, of the rows at the places that the third parameter gives, which are locked, as far as this statement still finds
    /// them to be orphans: it sees what was committed while the lock was waited for.
    func changePlaced(_ columns: [String]?) -> String {
        let places = "pg_catalog.unnest($3::pg_catalog.tid[]) AS k(place)"
        let isMeant = "c.ctid OPERATOR(pg_catalog.=) k.place AND \(isOrphan("c"))"
        guard let columns else {
            return
                "WITH gone AS (DELETE FROM \(table.target) AS c USING \(places) WHERE \(isMeant) RETURNING \(kept.expressions)) "
                + kept.insert(into: history, columns: key.columns, action: "deleted", from: "gone")
        }
        return """
            WITH old AS MATERIALIZED (SELECT c.ctid AS place, \(kept.expressions) FROM \(table.target) AS c, \(places) WHERE \(isMeant)), \
            gone AS (UPDATE \(table.target) AS c SET \(assignments(columns)) FROM old WHERE c.ctid OPERATOR(pg_catalog.=) old.place \
            RETURNING old.key, old.old_row, old.old_text, old.row_hash) 
            """ + kept.insert(into: history, columns: columns, action: "nullified", from: "gone")
    }

    /// How many orphans cannot be deleted, because rows refer to them by that key of another table.
    func held(by holder: ForeignKeyFacts.Holder) -> String {
        let joins = holder.comparison.indices.map {
            holder.comparison[$0].sql(
                "c.\(Quoting.identifier(holder.referencedColumns[$0]))", "h.\(Quoting.identifier(holder.columns[$0]))")
        }
        return """
            SELECT pg_catalog.count(*) FROM \(table.target) AS c WHERE \(isOrphan("c")) \
            AND EXISTS (SELECT FROM \(holder.table.target) AS h WHERE \(joins.joined(separator: " AND ")))
            """
    }

    // MARK: Pieces

    private var kept: KeptRow {
        KeptRow(columns: facts.rows, key: facts.rowKey ?? [], alias: "c", table: table)
    }

    private func assignments(_ columns: [String]) -> String {
        columns.map { "\(Quoting.identifier($0)) = NULL" }.joined(separator: ", ")
    }

    private func isAt(_ row: String, _ place: String) -> String {
        "\(row).tableoid OPERATOR(pg_catalog.=) \(place).part AND \(row).ctid OPERATOR(pg_catalog.=) \(place).place"
    }

    private func values(_ prefix: String) -> String {
        key.columns.indices.map { "\(prefix)\($0)" }.joined(separator: ", ")
    }

    private func referencedValues(_ alias: String) -> String {
        facts.referencedColumns.map { "\(alias).\(Quoting.identifier($0?.name ?? ""))" }.joined(separator: ", ")
    }

    private func isChild(_ child: String, of doomed: String) -> String {
        let matches = key.columns.indices.map { comparison($0, "\(doomed).k\($0)", child) }
        return "(\(refers(child))) AND \(matches.joined(separator: " AND "))"
    }
}

/// A row in the form in which the quarantine keeps it: its key, and every column by name.
///
/// Types that JSON holds exactly are JSON values; all others are the text that their own output function gives, which their input function
/// reads back. A row too wide for jsonb is kept as PostgreSQL's text of the whole row. With it goes a hash of that text, by which it is proved
/// that what comes back is what went.
struct KeptRow {
    let columns: [ForeignKeyFacts.KeptColumn]
    let key: [String]
    /// The row's name in the statement.
    let alias: String
    let table: ForeignKeyFacts.Table

    /// Bytes of text in a row up to which jsonb takes it: it holds 256 MB, and a byte of bytea is two of text.
    private static let widest = 100 << 20

    /// The whole row as text, its columns in the table's order: those of a partition may have another.
    private var whole: String {
        "CAST(ROW(\(columns.map { "\(alias).\(Quoting.identifier($0.name))" }.joined(separator: ", "))) AS pg_catalog.text)"
    }

    /// Four expressions: `key`, `old_row`, `old_text`, `row_hash`.
    var expressions: String {
        let found = columns.filter { key.exact.contains($0.name.exact) }
        let keyed = found.isEmpty ? "NULL::pg_catalog.jsonb" : object(found)
        let hash = "pg_catalog.hashtextextended(\(whole), 0) AS row_hash"
        guard let fits else {
            return "\(keyed) AS key, \(row) AS old_row, NULL::pg_catalog.text AS old_text, \(hash)"
        }
        return """
            \(keyed) AS key, CASE WHEN \(fits) THEN \(row) END AS old_row, \
            CASE WHEN NOT (\(fits)) THEN \(whole) END AS old_text, \(hash)
            """
    }

    /// The row as jsonb.
    var row: String { object(columns) }

    /// Whether jsonb takes the row; nil where it always does.
    var fits: String? {
        let wide = columns.filter(\.isWide)
        guard !wide.isEmpty else { return nil }
        let size = wide.map {
            "coalesce(pg_catalog.octet_length(\(alias).\(Quoting.identifier($0.name))), 0)::pg_catalog.int8"
        }
        return "(\(size.joined(separator: " OPERATOR(pg_catalog.+) "))) OPERATOR(pg_catalog.<=) \(KeptRow.widest)"
    }

    /// Keeps the rows that `source` gives in that form; the event and the attempt are the first two parameters.
    func insert(into history: String, columns: [String], action: String, from source: String) -> String {
        let after =
            action == "nullified"
            ? "pg_catalog.jsonb_build_object(\(columns.map { "\(Quoting.literal($0)), NULL" }.joined(separator: ", ")))"
            : "NULL"
        return """
            INSERT INTO \(history).orphan_quarantine \
            (event_id, attempt_id, schema_name, table_name, column_names, action, key, old_row, old_text, row_hash, new_values) \
            SELECT $1::pg_catalog.uuid, $2::pg_catalog.uuid, \(Quoting.literal(table.schema)), \(Quoting.literal(table.name)), \
            \(KeptRow.array(columns)), '\(action)', s.key, s.old_row, s.old_text, s.row_hash, \(after) FROM \(source) AS s
            """
    }

    static func array(_ names: [String]) -> String {
        "ARRAY[\(names.map(Quoting.literal).joined(separator: ", "))]::pg_catalog.text[]"
    }

    private func object(_ columns: [ForeignKeyFacts.KeptColumn]) -> String {
        // A function takes a hundred arguments: fifty columns at a time.
        stride(from: 0, to: columns.count, by: 50).map { start in
            let members = columns[start..<min(start + 50, columns.count)].map { column in
                "\(Quoting.literal(column.name)), \(value(of: column))"
            }
            return "pg_catalog.jsonb_build_object(\(members.joined(separator: ", ")))"
        }.joined(separator: " OPERATOR(pg_catalog.||) ")
    }

    private func value(of column: ForeignKeyFacts.KeptColumn) -> String {
        let value = "\(alias).\(Quoting.identifier(column.name))"
        if column.isPlain { return value }
        let text = column.numbers.map { "CAST(\(value) AS \($0))" } ?? value
        // By its output function: a cast to text may lose something, as that of char(n) does. A composite of nulls is no null.
        return "CASE WHEN \(value) IS DISTINCT FROM NULL THEN pg_catalog.concat(\(text)) END"
    }
}
