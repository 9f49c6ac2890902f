/// Statements that keep others waiting for as long as a table is large.
extension FileReading {
    mutating func check(_ lock: StatementImpact.Lock, at start: Int, _ ledger: ObjectLedger) {
        guard lock.work != .neither, !isNew(lock.name, ledger),
            !emptied.contains(objects.object(.relation, lock.name))
        else { return }
        let offset = lock.offset ?? start
        let table = lock.relation
        switch lock.cause {
        case .columnType: columnType(lock, at: offset, ledger)
        case .notNull:
            let column = objects.object(.relation, lock.name).part(.column, lock.column ?? "")
            guard !ledger.isCheckedAgainstNull(column) else { return }
            findOnce(
                lock, .tableScan, at: offset, scan(lock),
                hint:
                    "Add a CHECK (\(lock.column ?? "") IS NOT NULL) NOT VALID and validate it before: SET NOT NULL then need not look."
            )
        case .check:
            findOnce(
                lock, .tableScan, at: offset, scan(lock),
                hint: "Add it NOT VALID, and let a later migration VALIDATE CONSTRAINT, which blocks nobody.")
        case .index:
            findOnce(
                lock, .tableScan, at: offset, scan(lock),
                hint: "Build a unique index CONCURRENTLY first, then ADD CONSTRAINT … USING INDEX.")
        case .volatileDefault:
            findOnce(
                lock, .tableRewrite, at: offset, rewrite(lock) + ", as its default differs from row to row",
                hint: "Add the column without the default, set the default, and fill the rows in batches.")
        case .generated:
            findOnce(
                lock, .tableRewrite, at: offset, rewrite(lock) + ", as it is generated and stored",
                hint: "Add a plain column, fill it in batches, and keep it up to date with a trigger."
            )
        case .wholeTable:
            findOnce(
                lock, .tableRewrite, at: offset, rewrite(lock),
                hint: "Do it by hand in a quiet hour, or with pg_repack: a migration runs unattended.")
        case .materializedView:
            guard lock.mode == .accessExclusive else { return }
            findOnce(
                lock, .tableRewrite, .note, at: offset, rewrite(lock),
                hint: "With a unique index it can be refreshed CONCURRENTLY.")
        case .requiredColumn:
            find(
                .requiredColumn, at: offset,
                "\(lock.action) is NOT NULL without a default, which fails once '\(table)' has rows",
                hint: "Give it a DEFAULT, or add it nullable, fill it, and SET NOT NULL.")
        case .createIndex:
            // The file's transaction holds the lock from the first one to its end.
            guard indexed.insert(objects.object(.relation, lock.name)).inserted else { return }
            find(
                .blockingIndex, at: offset, "\(lock.action) keeps writers of '\(table)' waiting while it builds",
                hint: "CONCURRENTLY lets them go on; it runs outside of the file's transaction.")
        case .foreignKey:
            find(
                .foreignKeyScan, at: offset,
                "\(lock.action) keeps writers of '\(table)' waiting while every row is checked",
                hint: "Add it NOT VALID, and let a later migration VALIDATE CONSTRAINT.")
        case .partition:
            findOnce(
                lock, .tableScan, .note, at: offset, scan(lock),
                hint: "A CHECK that says what the partition's bound says spares the scan.")
        case .other: break
        }
    }

    private mutating func columnType(_ lock: StatementImpact.Lock, at offset: Int, _ ledger: ObjectLedger) {
        let column = objects.object(.relation, lock.name).part(.column, lock.column ?? "")
        let old = ledger.type(of: column)
        if let old, let new = lock.type, old.becomesWithoutRewrite(new) { return }
        // Of a column that no file creates, text and varchar are what most often costs nothing.
        let mayBeFree =
            old == nil && ["text", "varchar"].contains(lock.type?.name) && lock.type?.modifiers.isEmpty == true
        findOnce(
            lock, .tableRewrite, mayBeFree ? .note : nil, at: offset,
            mayBeFree
                ? "\(lock.action) rewrites '\(lock.relation)' unless the old type is of the same kind" : rewrite(lock),
            hint: "Add a column of the new type, fill it in batches, and let the application change over.")
    }

    /// Adds a finding of the whole statement, once for each table.
    private mutating func findOnce(
        _ lock: StatementImpact.Lock, _ rule: Rule, _ severity: Severity? = nil, at offset: Int, _ message: String,
        hint: String
    ) {
        guard told.insert("\(rule.code) \(lock.relation)").inserted else { return }
        find(rule, severity, at: offset, message, hint: hint)
    }

    private func scan(_ lock: StatementImpact.Lock) -> String {
        "\(lock.action) reads all of '\(lock.relation)' while nobody else can (\(lock.mode.rawValue))"
    }

    private func rewrite(_ lock: StatementImpact.Lock) -> String {
        "\(lock.action) rewrites '\(lock.relation)' while nobody can read it (\(lock.mode.rawValue))"
    }
}
