extension ForeignKeyPlanner {
    /// Statements of which each gives one number: how many orphans a key would meet now, and how many rows its table has.
    ///
    /// Nil where a table or column is missing, or where no unique index stands behind the referenced columns: PostgreSQL would
    /// refuse such a key, and nothing says how its columns compare.
    public func counts(for key: ForeignKey, _ facts: ForeignKeyFacts) -> (orphans: String, total: String)? {
        guard let table = facts.table, let referenced = facts.referenced, facts.columns.allSatisfy({ $0 != nil }),
            facts.referencedColumns.allSatisfy({ $0 != nil }), key.columns.count == facts.referencedColumns.count,
            facts.comparison?.count == key.columns.count, ["r", "p"].contains(table.kind),
            ["r", "p"].contains(referenced.kind)
        else { return nil }
        let sql = OrphanSQL(key: key, table: table, referenced: referenced, facts: facts, history: history)
        return (sql.count, TableSize(table).total)
    }
}
