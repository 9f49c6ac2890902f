internal import Reporting

/// What is to be done for one foreign key step by step: each statement in a transaction of its own.
///
/// Orphans are looked for first, so that a cleanup that is too large fails before anything has changed. From the key's addition on none can come,
/// so that a later try only has to go on.
public struct KeySteps: Sendable, Equatable {
    /// Gives the place of every orphan.
    public var find: String
    /// Gives how many orphans there are.
    public var count: String
    /// Adds the key NOT VALID; nil where an earlier try has.
    public var add: ForeignKeyStep?
    /// Keeps and changes the orphans at the places that its third parameter gives; nil where they stay.
    public var clean: ForeignKeyStep?
    /// Builds the index CONCURRENTLY; nil where one covers the key or none is wanted.
    public var index: ForeignKeyStep?
    /// Proves the key; nil where its author wants it unproved.
    public var validate: ForeignKeyStep?
    /// The referencing table.
    public var table: TableName
    /// The key as events name it.
    public var object: String
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
    public func stepwise(_ key: ForeignKey, _ facts: ForeignKeyFacts) -> StepwisePlan {
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
            if found.isValidated || key.isNotValid {
                return .exists(constraint: found.name, definition: found.definition)
            }
            stands = true
            key.name = found.name
        case .different: return .whole
        }
        guard let equality = facts.equality, equality.count == key.columns.count, key.columns.count == resolved.count,
            table.kind == "r", referenced.kind == "r" || facts.serverVersion >= 180_000 && referenced.kind == "p"
        else { return .whole }
        var names = ChosenNames()
        let name = key.name ?? names.constraint(for: key, table, facts)
        let sql = OrphanSQL(key: key, table: table, referenced: referenced, facts: facts, history: history)
        var clean: ForeignKeyStep?
        if policy.orphans == .clean {
            guard case .success(let steps) = Cleanup(sql).steps, steps.count == 1, var only = steps.first,
                !(only.shrinksTable && sql.isSelfReferencing)
            else { return .whole }
            only.sql = only.shrinksTable ? sql.deletePlaced : sql.nullifyPlaced(Cleanup(sql).nullable)
            only.shrinksTable = false
            clean = only
        }
        return .steps(steps(key, name, sql, clean, index(key, table, facts, &names), stands: stands))
    }

    private func steps(
        _ key: ForeignKey, _ name: String, _ sql: OrphanSQL, _ clean: ForeignKeyStep?, _ index: ForeignKeyStep?,
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
            find: sql.find, count: sql.count,
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
            table: sql.table.qualified, object: object)
    }
}

extension String {
    fileprivate func replacing(first word: String, with other: String) -> String {
        hasPrefix(word) ? other + dropFirst(word.count) : self
    }
}
