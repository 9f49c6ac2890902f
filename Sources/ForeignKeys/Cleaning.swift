internal import Reporting

/// How the orphans of one key are cleaned, all of them at once: by facts that were asked for behind the locks, and before the key is there, so that
/// its own actions do nothing to the rows.
///
/// Where a referencing column may be null, the nullable ones of the key become null and the row stays; with MATCH FULL that takes all
/// of them. Else the row goes. A generated column cannot be set.
public struct Cleaning: Sendable, Equatable {
    /// The table that is cleaned, and where its rows stand.
    public let table: ForeignKeyFacts.Table
    public let place: KeptPlace
    /// The columns of the key.
    public let columns: [String]
    /// How many orphans there are.
    public let count: String
    /// Changes all orphans; the command tag states how many. It keeps them itself, with the event and the attempt as its parameters, where they are not
    /// observed.
    public let change: String
    /// The same by the places of the orphans, where they are not many.
    public let placed: PlacedChange?
    /// Whether it takes triggers to see all that is changed, and to keep it right.
    public let isObserved: Bool
    /// Whether a change can make further orphans.
    public let repeats: Bool
    /// Whether rows are deleted; else columns are set to null.
    public let deletes: Bool
    /// What is recorded of the table itself.
    public let record: ForeignKeyStep.Record
    /// Drops the key for the proof, where it stands already.
    public let standingKeyDrop: String?
    /// How many rows the table has.
    public let size: TableSize

    init(_ sql: OrphanSQL, standing name: String?) {
        let nullable = Cleaning.nullable(sql.key, sql.facts)
        table = sql.table
        place = KeptPlace(sql.table, sql.facts.rows)
        columns = sql.key.columns
        count = sql.count
        deletes = nullable.isEmpty
        isObserved = sql.facts.reachesFurther || sql.facts.needsPinnedText
        change = nullable.isEmpty ? sql.delete(keeps: !isObserved) : sql.nullify(nullable, keeps: !isObserved)
        repeats = isObserved || sql.facts.refersToFamily
        placed =
            repeats || sql.isSelfReferencing || sql.table.isPartitioned
            ? nil
            : PlacedChange(find: sql.findGroups, change: sql.changePlaced(nullable.isEmpty ? nil : nullable))
        record = Cleaning.record(sql, nullable)
        size = TableSize(sql.table)
        standingKeyDrop = name.map {
            "ALTER TABLE \(sql.table.qualified.sql) DROP CONSTRAINT \(Quoting.identifier($0))"
        }
    }

    /// The columns to set to null; empty where rows must go.
    static func nullable(_ key: ForeignKey, _ facts: ForeignKeyFacts) -> [String] {
        let free = key.columns.indices.filter { place in
            guard let column = facts.columns[place] else { return false }
            return !column.isRequired && !column.isGenerated
        }.map { key.columns[$0] }
        // A row with some nulls refers, too.
        if key.match == .full { return free.count < key.columns.count ? [] : free }
        let named = key.onDeleteColumns.filter(free.contains)
        return named.isEmpty ? free : named
    }

    static func record(_ sql: OrphanSQL, _ nullable: [String]) -> ForeignKeyStep.Record {
        var detail = [
            "references": object(sql.referenced, sql.facts.referencedColumns.compactMap { $0?.name })
        ]
        if !sql.facts.triggers.isEmpty { detail["triggers"] = sql.facts.triggers.joined(separator: ", ") }
        return ForeignKeyStep.Record(
            event: nullable.isEmpty ? "orphans_deleted" : "orphans_nullified",
            object: object(sql.table, nullable.isEmpty ? sql.key.columns : nullable), detail: detail)
    }

    /// `schema.table.column`, `schema.table.(column, column)`.
    public static func object(_ table: ForeignKeyFacts.Table, _ columns: [String]) -> String {
        let last = columns.count == 1 ? columns[0] : "(\(columns.joined(separator: ", ")))"
        return "\(table.qualified.text).\(last)"
    }
}

/// Finds orphans by a statement that only reads, and changes them by their places: the server takes parallel workers for what reads alone.
public struct PlacedChange: Sendable, Equatable {
    /// Gives the places in groups, arrays with their lengths; `most` and one at most.
    public let find: String
    /// Keeps and changes the rows at the places that its third parameter gives.
    public let change: String

    /// More than so many are changed without their places: those of all rows of a large table would take as much memory as they are many.
    public static let most = 100_000
    /// How many are changed by one statement: so few that the server looks at these places alone.
    public static let group = 5000
}

/// The questions how many rows a table has.
public struct TableSize: Sendable, Equatable {
    /// All of them.
    public let total: String
    /// Counted no further than its parameter says: most of the time that is a small part of the table.
    public let atLeast: String

    init(_ table: ForeignKeyFacts.Table) {
        total = "SELECT pg_catalog.count(*) FROM \(table.target)"
        atLeast = "SELECT pg_catalog.count(*) FROM (SELECT FROM \(table.target) LIMIT $1::pg_catalog.int8) AS t"
    }
}
