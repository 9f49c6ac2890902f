internal import Reporting

/// Decides what happens to foreign keys that were cut out of a statement: facts in, steps out.
///
/// The key is added NOT VALID before a row is touched: from then on no new orphan can come, and a definition that the server
/// does not take (no unique key, types that do not compare, a view) fails with the server's own words while nothing is lost. Two kinds of
/// table are cleaned first instead: those of a key with a partitioned table on either side, which before PostgreSQL 18 is not at home with
/// NOT VALID, and one that refers to itself and loses rows, because the new key would act on them.
public struct ForeignKeyPlanner: Sendable {
    /// What is asked for.
    public let policy: ForeignKeyPolicy
    /// The quoted name of the history's schema.
    public let history: String

    /// A planner for `policy`; `quotedHistory` is the history's schema as SQL writes it.
    public init(_ policy: ForeignKeyPolicy, quotedHistory: String) {
        self.policy = policy
        history = quotedHistory
    }

    /// The plan for keys of one statement. The facts are those after the rest of the statement ran.
    public func plan(_ wanted: [(key: ForeignKey, facts: ForeignKeyFacts)]) -> ForeignKeyStatementPlan {
        var names = ChosenNames()
        var locks: [TableName] = []
        var keys: [ForeignKeyPlan] = []
        for (key, facts) in wanted {
            let plan = plan(key, facts, &names, &locks)
            keys.append(plan)
        }
        var opening: [ForeignKeyStep] = []
        var closing: [ForeignKeyStep] = []
        if policy.orphans == .clean || policy.orphans == .report, !locks.isEmpty, let facts = wanted.first?.facts {
            opening.append(ForeignKeyStep(.session, CleanupSettings.set))
            opening.append(ForeignKeyStep(.lock, ForeignKeyPlanner.lock(locks)))
            let deferred = Set(wanted.flatMap(\.facts.deferred)).sorted().joined(separator: ", ")
            if !deferred.isEmpty {
                // Checks that wait in the queue would keep ALTER TABLE out.
                opening.append(ForeignKeyStep(.session, "SET CONSTRAINTS \(deferred) IMMEDIATE"))
                closing.append(ForeignKeyStep(.session, "SET CONSTRAINTS \(deferred) DEFERRED"))
            }
            closing.append(ForeignKeyStep(.session, CleanupSettings.restore(facts.settings)))
        }
        return ForeignKeyStatementPlan(opening: opening, keys: keys, closing: closing)
    }

    /// The index for a key that stays in its statement; nil where one covers it.
    public func index(for key: ForeignKey, _ facts: ForeignKeyFacts) -> ForeignKeyStep? {
        var names = ChosenNames()
        return facts.table.flatMap { index(key, $0, facts, &names) }
    }

    // MARK: One key

    private func plan(
        _ key: ForeignKey, _ facts: ForeignKeyFacts, _ names: inout ChosenNames, _ locks: inout [TableName]
    ) -> ForeignKeyPlan {
        if key.isIfTableExists, facts.table == nil {
            // The server passes over it, with the NOTICE that belongs to that.
            return .steps([ForeignKeyStep(.session, plainAdd(key, facts, &names).sql)])
        }
        if let missing = ForeignKeyPlanner.missing(key, facts) {
            return policy.missingTable == .skip ? .deferred(missing) : .steps([plainAdd(key, facts, &names)])
        }
        guard let table = facts.table, let referenced = facts.referenced else {
            preconditionFailure("a table that is not missing is there")
        }
        let resolved = facts.referencedColumns.compactMap { $0?.name }
        var resumes = false
        var key = key
        if policy.skipsExisting || policy.orphans != .fail {
            switch ExistingKey(key, facts, resolved: resolved) {
            case .none: break
            case .same(let found):
                let isDone = found.isValidated || key.isNotValid || policy.orphans != .clean
                if isDone { return .exists(constraint: found.name, definition: found.definition) }
                resumes = true
                key.name = found.name
            case .different(let complaint, let lines): return .refused(complaint, lines: lines)
            }
        }
        guard policy.orphans != .fail, let equality = facts.equality, equality.count == key.columns.count,
            key.columns.count == resolved.count, ["r", "p"].contains(table.kind), ["r", "p"].contains(referenced.kind)
        else {
            // Nothing to clean by, or nothing to clean: the server has the word.
            return .steps([plainAdd(key, facts, &names)] + (index(key, table, facts, &names).map { [$0] } ?? []))
        }
        let name = key.name ?? names.constraint(for: key, table, facts)
        let sql = OrphanSQL(key: key, table: table, referenced: referenced, facts: facts, history: history)
        let cleanup: [ForeignKeyStep]
        if policy.orphans == .clean {
            switch Cleanup(sql).steps {
            case .success(let steps): cleanup = steps
            case .failure(let complaint): return .refused(complaint, lines: [])
            }
        } else {
            cleanup = [ForeignKeyStep(.count, sql.count)]
        }
        locks += Cleanup(sql).locks.filter { !locks.contains($0) }
        var steps = ordered(cleanup, key, name, sql, resumes: resumes)
        if let index = index(key, table, facts, &names) { steps.append(index) }
        return .steps(steps)
    }

    /// The key and the cleanup in their order.
    private func ordered(
        _ cleanup: [ForeignKeyStep], _ key: ForeignKey, _ name: String, _ sql: OrphanSQL, resumes: Bool
    )
        -> [ForeignKeyStep]
    {
        let facts = sql.facts
        let resolved = facts.referencedColumns.compactMap { $0?.name }
        func add(notValid: Bool) -> String {
            let definition = key.definition(referenced: sql.referenced.qualified, columns: resolved, notValid: notValid)
            return
                "ALTER TABLE \(key.isOnly ? "ONLY " : "")\(sql.table.qualified.sql) ADD CONSTRAINT \(Quoting.identifier(name)) \(definition)"
        }
        let record = ForeignKeyStep.Record(
            event: "constraint_added", object: "\(sql.table.qualified.text).\(name)",
            detail: [
                "definition": key.definition(
                    referenced: sql.referenced.qualified, columns: resolved, notValid: key.isNotValid)
            ])
        var validate = ForeignKeyStep(
            .validate, "ALTER TABLE \(sql.table.qualified.sql) VALIDATE CONSTRAINT \(Quoting.identifier(name))",
            record: record)
        validate.onlyWithoutOrphans = policy.orphans == .report
        if resumes { return cleanup + [validate] }
        // Before PostgreSQL 18 a partitioned table takes no NOT VALID, and VALIDATE forgets the rows of pg_constraint that stand for the
        // partitions of a referenced one.
        if sql.table.isPartitioned || sql.referenced.isPartitioned && !key.isNotValid && policy.orphans == .clean,
            facts.serverVersion < 180_000
        {
            return cleanup + [ForeignKeyStep(.add, add(notValid: false), record: record)]
        }
        // With NOT VALID in the file, its author validates later or never; and a report leaves what does not hold unproved.
        let recordsAdding = key.isNotValid || policy.orphans == .report
        let added = ForeignKeyStep(.add, add(notValid: true), record: recordsAdding ? record : nil)
        if recordsAdding { validate.record = nil }
        let proof = key.isNotValid ? [] : [validate]
        let deletes = cleanup.contains { $0.shrinksTable }
        return sql.isSelfReferencing && deletes ? cleanup + [added] + proof : [added] + cleanup + proof
    }

    /// The key as the file has it, for the server to take or refuse.
    private func plainAdd(_ key: ForeignKey, _ facts: ForeignKeyFacts, _ names: inout ChosenNames) -> ForeignKeyStep {
        let name = key.name.map { " CONSTRAINT \(Quoting.identifier($0))" } ?? ""
        let definition = key.definition(
            referenced: key.referenced, columns: key.referencedColumns, notValid: key.isNotValid)
        return ForeignKeyStep(
            .add,
            "ALTER TABLE \(key.isIfTableExists ? "IF EXISTS " : "")\(key.isOnly ? "ONLY " : "")\(key.table.sql) ADD\(name) \(definition)",
            record: ForeignKeyStep.Record(
                event: "constraint_added",
                object: (facts.table?.qualified ?? key.table).text + (key.name.map { ".\($0)" } ?? ""),
                detail: ["definition": definition]))
    }

    func index(
        _ key: ForeignKey, _ table: ForeignKeyFacts.Table, _ facts: ForeignKeyFacts, _ names: inout ChosenNames
    ) -> ForeignKeyStep? {
        let wanted = Set(key.columns.exact)
        let isCovered = (facts.indexes + names.indexed(table)).contains { Set($0.prefix(wanted.count).exact) == wanted }
        guard policy.indexes, !isCovered, ["r", "p"].contains(table.kind) else { return nil }
        let name = names.index(for: key, table, facts)
        return ForeignKeyStep(
            .index,
            "CREATE INDEX \(Quoting.identifier(name)) ON \(table.qualified.sql) (\(Quoting.identifiers(key.columns)))",
            record: ForeignKeyStep.Record(
                event: "index_created", object: "\(table.schema).\(name)",
                detail: ["table": table.qualified.text, "columns": key.columns.joined(separator: ", ")]))
    }

    /// What the key needs and the catalog does not have.
    static func missing(_ key: ForeignKey, _ facts: ForeignKeyFacts) -> ForeignKeyPlan.Missing? {
        guard facts.table != nil else { return .table(key.table) }
        guard facts.referenced != nil else { return .table(key.referenced) }
        for (place, column) in facts.columns.enumerated() where column == nil {
            return .column(table: key.table, column: key.columns[place])
        }
        for (place, column) in facts.referencedColumns.enumerated() where column == nil {
            guard place < key.referencedColumns.count else { continue }
            return .column(table: key.referenced, column: key.referencedColumns[place])
        }
        return nil
    }

    /// One LOCK for all tables, by schema and name: two runs of ours never wait for each other in a circle.
    ///
    /// The mode is the one that ADD FOREIGN KEY itself takes on both tables (manual, "ALTER TABLE"): readers go on, writers wait.
    static func lock(_ tables: [TableName]) -> String {
        let ordered = tables.sorted {
            (($0.schema ?? "").exact, $0.name.exact) < (($1.schema ?? "").exact, $1.name.exact)
        }
        return "LOCK TABLE \(ordered.map(\.sql).joined(separator: ", ")) IN SHARE ROW EXCLUSIVE MODE"
    }
}

/// The names and indexes that a statement's earlier keys have taken.
struct ChosenNames {
    private var constraints: [String: Set<String>] = [:]
    private var indexes: [String: Set<String>] = [:]
    private var covered: [TableName: [[String]]] = [:]

    mutating func constraint(for key: ForeignKey, _ table: ForeignKeyFacts.Table, _ facts: ForeignKeyFacts) -> String {
        let taken = facts.takenConstraints.union(constraints[table.schema] ?? [])
        let name = ObjectName.free(table.name, key.columns, label: "fkey", taken: taken)
        constraints[table.schema, default: []].insert(name)
        return name
    }

    mutating func index(for key: ForeignKey, _ table: ForeignKeyFacts.Table, _ facts: ForeignKeyFacts) -> String {
        let taken = facts.takenRelations.union(indexes[table.schema] ?? [])
        let name = ObjectName.free(table.name, key.columns, label: "idx", taken: taken)
        indexes[table.schema, default: []].insert(name)
        covered[table.qualified, default: []].append(key.columns)
        return name
    }

    func indexed(_ table: ForeignKeyFacts.Table) -> [[String]] { covered[table.qualified] ?? [] }
}
