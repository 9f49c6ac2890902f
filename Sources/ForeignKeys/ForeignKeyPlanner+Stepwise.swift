internal import Reporting

/// What is to be done for one foreign key step by step: each statement in a transaction of its own.
///
/// Orphans are looked for first, so that a cleanup that is too large fails before anything has changed. From the key's addition on none can come,
/// so that a later try only has to go on.
public struct KeySteps: Sendable, Equatable {
    /// Gives the place of every orphan.
    public var find: String
    /// The same in groups, as `PlacedChange.find`.
    public var findGroups: String
    /// Gives how many orphans there are.
    public var count: String
    /// How many rows the table has.
    public var size: TableSize
    /// Keys of other tables whose rows keep orphans from being deleted, with the question how many; where orphans are deleted.
    public var holders: [KeyHolder]
    /// Adds the key NOT VALID; nil where an earlier try has.
    public var add: ForeignKeyStep?
    /// How orphans are cleaned; nil where they stay.
    public var clean: BatchCleaning?
    /// Builds the index CONCURRENTLY; nil where one covers the key or none is wanted.
    public var index: ForeignKeyStep?
    /// Proves the key; nil where its author wants it unproved.
    public var validate: ForeignKeyStep?
    /// Takes the key away.
    public var drop: String
    /// The referencing table.
    public var table: TableName
    /// The key as events name it.
    public var object: String
}

/// A key that keeps rows from being deleted.
public struct KeyHolder: Sendable, Equatable {
    public var name: String
    public var table: TableName
    /// Gives how many orphans it holds.
    public var count: String
}

/// How some orphans are cleaned in a transaction of their own: locked first, then asked again.
public struct BatchCleaning: Sendable, Equatable {
    /// Keeps the catalog from being changed, and nobody from writing.
    public var lockTables: String
    /// Locks those of the rows at the places of its parameter that are orphans, and gives their places.
    public var lockRows: String
    /// Keeps and changes the rows at the places that its third parameter gives.
    public var change: ForeignKeyStep
    /// Counts those kept rows of an event, its parameter, whose values can be read back to what they were.
    public var readable: String
    public var place: KeptPlace
}

/// How one key of a statement is added where steps are asked for.
public enum StepwisePlan: Sendable, Equatable {
    /// Step by step.
    case steps(KeySteps)
    /// The key is there already, with the same definition: `skipped`, `object_exists`.
    case exists(constraint: String, definition: String)
    /// The key waits: `deferred`, `missing_table`.
    case deferred(ForeignKeyPlan.Missing)
    /// In one transaction all the same: PostgreSQL takes no NOT VALID there, or what goes reaches further rows.
    case whole
}

extension ForeignKeyPlanner {
    /// The steps for one key whose statement holds nothing else.
    ///
    /// With `cleaning` an earlier step has added it, and its orphans are being cleaned.
    public func stepwise(_ key: ForeignKey, _ facts: ForeignKeyFacts, cleaning: Bool = false) -> StepwisePlan {
        if let missing = ForeignKeyPlanner.missing(key, facts) {
            if key.isIfTableExists, facts.table == nil { return .whole }
            return policy.missingTable == .skip ? .deferred(missing) : .whole
        }
        guard let table = facts.table, let referenced = facts.referenced else {
            preconditionFailure("a table that is not missing is there")
        }
        let resolved = facts.referencedColumns.compactMap { $0?.name }
        var key = key
        var stands = false
        switch ExistingKey(key, facts, resolved: resolved) {
        case .none: break
        case .same(let found):
            if found.isValidated || key.isNotValid && !cleaning {
                return .exists(constraint: found.name, definition: found.definition)
            }
            stands = true
            key.name = found.name
        case .different: return .whole
        }
        guard let comparison = facts.comparison, comparison.count == key.columns.count,
            key.columns.count == resolved.count,
            table.kind == "r", referenced.kind == "r" || facts.serverVersion >= 180_000 && referenced.kind == "p"
        else { return .whole }
        var names = ChosenNames()
        let name = key.name ?? names.constraint(for: key, table, facts)
        let sql = OrphanSQL(key: key, table: table, referenced: referenced, facts: facts, history: history)
        var clean: BatchCleaning?
        if policy.orphans == .clean {
            let cleaning = Cleaning(sql, standing: nil)
            if cleaning.isObserved || cleaning.deletes && cleaning.repeats { return .whole }
            let nullable = Cleaning.nullable(key, facts)
            var change = ForeignKeyStep(
                .clean, sql.changePlaced(nullable.isEmpty ? nil : nullable), record: cleaning.record)
            change.parameters = [.eventID, .attemptID]
            clean = BatchCleaning(
                lockTables: "LOCK TABLE \(table.qualified.sql) IN ROW EXCLUSIVE MODE", lockRows: sql.lockPlaced,
                change: change, readable: RestoreSQL(quotedHistory: history).readable(table, facts.rows),
                place: cleaning.place)
        }
        return .steps(steps(key, name, sql, clean, index(key, table, facts, &names), stands: stands))
    }

    private func steps(
        _ key: ForeignKey, _ name: String, _ sql: OrphanSQL, _ clean: BatchCleaning?, _ index: ForeignKeyStep?,
        stands: Bool
    ) -> KeySteps {
        let resolved = sql.facts.referencedColumns.compactMap { $0?.name }
        func definition(notValid: Bool) -> String {
            key.definition(referenced: sql.referenced.qualified, columns: resolved, notValid: notValid)
        }
        let object = "\(sql.table.qualified.text).\(name)"
        func record(_ reason: String, notValid: Bool) -> ForeignKeyStep.Record {
            ForeignKeyStep.Record(
                event: "constraint_added", reason: reason, object: object,
                detail: ["definition": definition(notValid: notValid)])
        }
        let alter = "ALTER TABLE \(key.isOnly ? "ONLY " : "")\(sql.table.qualified.sql)"
        var adding = record("not_valid", notValid: true)
        adding.detail["index"] = index?.record?.object
        var concurrent = index
        concurrent?.sql = index?.sql.replacing(first: "CREATE INDEX ", with: "CREATE INDEX CONCURRENTLY ") ?? ""
        return KeySteps(
            find: sql.find, findGroups: sql.findGroups,
            count: sql.count, size: TableSize(sql.table),
            holders: clean?.change.record?.event == "orphans_deleted"
                ? sql.facts.holders.map { KeyHolder(name: $0.name, table: $0.table.qualified, count: sql.held(by: $0)) }
                : [],
            add: stands
                ? nil
                : ForeignKeyStep(
                    .add, "\(alter) ADD CONSTRAINT \(Quoting.identifier(name)) \(definition(notValid: true))",
                    record: adding),
            clean: clean, index: concurrent,
            validate: key.isNotValid
                ? nil
                : ForeignKeyStep(
                    .validate, "\(alter) VALIDATE CONSTRAINT \(Quoting.identifier(name))",
                    record: record("validated", notValid: false)),
            drop: "\(alter) DROP CONSTRAINT \(Quoting.identifier(name))", table: sql.table.qualified, object: object)
    }
}

extension String {
    fileprivate func replacing(first word: String, with other: String) -> String {
        hasPrefix(word) ? other + dropFirst(word.count) : self
    }
}
