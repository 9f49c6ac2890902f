internal import Reporting

/// The steps that clean the orphans of one key.
///
/// Where a referencing column may be null, the nullable ones of the key become null and the row stays; with MATCH FULL that takes all
/// of them. Else the row goes. A generated column cannot be set.
struct Cleanup {
    let sql: OrphanSQL

    init(_ sql: OrphanSQL) { self.sql = sql }

    /// The columns to set to null; empty where rows must go.
    var nullable: [String] {
        let facts = sql.facts
        let free = sql.key.columns.indices.filter { place in
            guard let column = facts.columns[place] else { return false }
            return !column.isRequired && !column.isGenerated
        }.map { sql.key.columns[$0] }
        if sql.key.match == .full, free.count < sql.key.columns.count { return [] }
        let named = sql.key.onDeleteColumns.filter(free.contains)
        return named.isEmpty ? free : named
    }

    /// The keys through which a deletion reaches other rows.
    private var acting: [ForeignKeyFacts.Dependent] {
        nullable.isEmpty ? sql.facts.dependents.filter { [.cascade, .setNull, .setDefault].contains($0.onDelete) } : []
    }

    /// Every table that the steps write to or rely on, as far as this role may lock it.
    var locks: [TableName] {
        var tables: [TableName] = []
        for table in [sql.table, sql.referenced] + acting.map(\.table)
        where table.isLockable && !tables.contains(table.qualified) {
            tables.append(table.qualified)
        }
        return tables
    }

    /// The steps, or why rows cannot be cleaned with an account of each.
    var steps: Result<[ForeignKeyStep], Complaint> {
        let nullable = nullable
        if nullable.isEmpty { return deletion }
        if let other = sql.facts.dependents.first(where: { dependent in
            dependent.path.count == 1 && ![.noAction, .restrict].contains(dependent.onUpdate)
                && dependent.referencedColumns.contains(where: nullable.contains)
        }) {
            return .failure(
                Complaint(
                    .failed,
                    "rows of '\(sql.table.qualified.text)' are not cleaned: foreign key '\(other.name)' of '\(other.table.qualified.text)' would change along ON UPDATE",
                    hint: "Clean these rows in a migration of your own."))
        }
        var step = ForeignKeyStep(.clean, sql.nullify(nullable), record: record("orphans_nullified", nullable))
        step.parameters = [.eventID, .attemptID]
        step.totalSQL = sql.total
        return .success([step])
    }

    private var deletion: Result<[ForeignKeyStep], Complaint> {
        let acting = acting
        if let other = acting.first(where: { $0.isCyclic || sql.isSelfReferencing }) {
            return .failure(
                Complaint(
                    .failed,
                    "orphans of '\(sql.table.qualified.text)' are not deleted: foreign key '\(other.name)' of '\(other.table.qualified.text)' would act on further rows in a circle",
                    hint:
                        "Clean these rows in a migration of your own, or drop that key's ON DELETE action for the time."
                ))
        }
        var steps = acting.map { dependent in
            let chain = dependent.path.dropLast().compactMap { oid in
                sql.facts.dependents.first { $0.path.last == oid && dependent.path.starts(with: $0.path) }
            }
            let event = dependent.onDelete == .cascade ? "orphans_deleted" : "orphans_nullified"
            var record = ForeignKeyStep.Record(
                event: event, reason: "referenced_row_deleted",
                object: Cleanup.object(dependent.table, dependent.columns), detail: ["constraint": dependent.name])
            record.detail["action"] = dependent.onDelete.words
            var step = ForeignKeyStep(.keepDependents, sql.keep(dependent, through: chain), record: record)
            step.parameters = [.eventID, .attemptID]
            return step
        }
        var step = ForeignKeyStep(.clean, sql.delete, record: record("orphans_deleted", sql.key.columns))
        step.parameters = [.eventID, .attemptID]
        step.totalSQL = sql.total
        step.shrinksTable = true
        steps.append(step)
        return .success(steps)
    }

    private func record(_ event: String, _ columns: [String]) -> ForeignKeyStep.Record {
        var detail = ["references": Cleanup.object(sql.referenced, sql.facts.referencedColumns.compactMap { $0?.name })]
        if !sql.facts.triggers.isEmpty { detail["triggers"] = sql.facts.triggers.joined(separator: ", ") }
        return ForeignKeyStep.Record(event: event, object: Cleanup.object(sql.table, columns), detail: detail)
    }

    /// `schema.table.column`, `schema.table.(column, column)`.
    static func object(_ table: ForeignKeyFacts.Table, _ columns: [String]) -> String {
        let last = columns.count == 1 ? columns[0] : "(\(columns.joined(separator: ", ")))"
        return "\(table.qualified.text).\(last)"
    }
}
