internal import Reporting

/// Decides what happens to foreign keys that were cut out of a statement: facts in, steps out.
///
/// What an orphan is, the key itself says: it is added NOT VALID in a savepoint and asked how it compares, so that a definition that the server does
/// not take (no unique key, types that do not compare, a view) fails with the server's own words while nothing is lost. Then it is taken back, so that
/// its own actions do nothing to the rows; behind the locks no new orphan can come. It is added for good when none is left.
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

    // MARK: Around the keys of a statement

    /// Settings, then all locks in one order: before anything is asked that rows are changed by.
    public func opening(_ wanted: [(key: ForeignKey, facts: ForeignKeyFacts)]) -> [ForeignKeyStep] {
        guard policy.orphans == .clean || policy.orphans == .report else { return [] }
        var locks: [TableName] = []
        for (_, facts) in wanted {
            guard let table = facts.table, let referenced = facts.referenced else { continue }
            for table in [table, referenced]
            where table.isLockable && ["r", "p"].contains(table.kind) && !locks.contains(table.qualified) {
                locks.append(table.qualified)
            }
        }
        guard !locks.isEmpty else { return [] }
        var steps = [
            ForeignKeyStep(.session, CleanupSettings.set), ForeignKeyStep(.lock, ForeignKeyPlanner.lock(locks)),
        ]
        // Checks that wait in the queue would keep ALTER TABLE out.
        if let deferred = deferred(wanted) {
            steps.append(ForeignKeyStep(.session, "SET CONSTRAINTS \(deferred) IMMEDIATE"))
        }
        return steps
    }

    /// The file's own settings again.
    public func closing(_ wanted: [(key: ForeignKey, facts: ForeignKeyFacts)]) -> [ForeignKeyStep] {
        guard !opening(wanted).isEmpty, let facts = wanted.first?.facts else { return [] }
        let deferred = deferred(wanted).map { [ForeignKeyStep(.session, "SET CONSTRAINTS \($0) DEFERRED")] } ?? []
        return deferred + [ForeignKeyStep(.session, CleanupSettings.restore(facts.settings))]
    }

    private func deferred(_ wanted: [(key: ForeignKey, facts: ForeignKeyFacts)]) -> String? {
        let names = Set(wanted.flatMap(\.facts.deferred)).sorted()
        return names.isEmpty ? nil : names.joined(separator: ", ")
    }

    // MARK: One key

    /// The statement that asks the key itself how it compares, in a savepoint or as it stands; nil where nobody has to know.
    ///
    /// It answers with one row of JSON, which `ForeignKeyFacts.Comparison.list` reads.
    public func probe(_ key: ForeignKey, _ facts: ForeignKeyFacts) -> (sql: String, addsKey: Bool)? {
        guard policy.orphans != .fail || policy.way == .stepwise, ForeignKeyPlanner.missing(key, facts) == nil,
            let table = facts.table, let referenced = facts.referenced, ["r", "p"].contains(table.kind)
        else { return nil }
        let resolved = facts.referencedColumns.compactMap { $0?.name }
        switch ExistingKey(key, facts, resolved: resolved) {
        case .same(let found): return (CatalogQuestion.comparison(of: found.name, table: table.qualified), false)
        case .different: return nil
        case .none: break
        }
        // Before PostgreSQL 18 a partitioned table takes no NOT VALID; its partitions do. Without one it has no rows.
        guard let place = table.isPartitioned ? facts.leaf : table.qualified else { return nil }
        var names = ChosenNames()
        let name = key.name ?? names.constraint(for: key, table, facts)
        let isWhole = ["r", "p"].contains(referenced.kind) && resolved.count == key.columns.count
        let definition = key.definition(
            referenced: referenced.qualified, columns: isWhole ? resolved : key.referencedColumns, notValid: true)
        let sql = """
            SAVEPOINT migrated_probe; \
            ALTER TABLE \(place.sql) ADD CONSTRAINT \(Quoting.identifier(name)) \(definition); \
            \(CatalogQuestion.comparison(of: name, table: place)); \
            ROLLBACK TO SAVEPOINT migrated_probe; RELEASE SAVEPOINT migrated_probe
            """
        return (sql, true)
    }

    /// What is to be done for a key. Where rows may be changed, the facts are those behind the locks, before any of the statement's keys is there.
    public func plan(_ key: ForeignKey, _ facts: ForeignKeyFacts, _ names: inout ChosenNames) -> ForeignKeyPlan {
        if key.isIfTableExists, facts.table == nil {
            // The server passes over it, with the NOTICE that belongs to that.
            return .steps([ForeignKeyStep(.session, plainAdd(key, facts, &names).sql)], cleaning: nil)
        }
        if let missing = ForeignKeyPlanner.missing(key, facts) {
            return policy.missingTable == .skip
                ? .deferred(missing) : .steps([plainAdd(key, facts, &names)], cleaning: nil)
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
                // Where orphans are only reported, the key was added NOT VALID.
                let isDone = found.isValidated || key.isNotValid || policy.orphans == .report
                if isDone { return .exists(constraint: found.name, definition: found.definition) }
                resumes = true
                key.name = found.name
            case .different(let complaint, let lines): return .refused(complaint, lines: lines)
            }
        }
        guard policy.orphans != .fail, let comparison = facts.comparison, comparison.count == key.columns.count,
            key.columns.count == resolved.count, ["r", "p"].contains(table.kind), ["r", "p"].contains(referenced.kind)
        else {
            if resumes { return .steps([validation(key.name ?? "", table, record: nil)], cleaning: nil) }
            // Nothing to clean by, or nothing to clean: the server has the word.
            return .steps(
                [plainAdd(key, facts, &names)] + (index(key, table, facts, &names).map { [$0] } ?? []), cleaning: nil)
        }
        let name = key.name ?? names.constraint(for: key, table, facts)
        let sql = OrphanSQL(key: key, table: table, referenced: referenced, facts: facts, history: history)
        var steps = policy.orphans == .report ? [ForeignKeyStep(.count, sql.count)] : []
        steps += additions(key, name, sql, resumes: resumes)
        if let index = index(key, table, facts, &names) { steps.append(index) }
        return .steps(steps, cleaning: policy.orphans == .clean ? Cleaning(sql, standing: resumes ? name : nil) : nil)
    }

    private func validation(
        _ name: String, _ table: ForeignKeyFacts.Table, record: ForeignKeyStep.Record?
    ) -> ForeignKeyStep {
        ForeignKeyStep(
            .validate, "ALTER TABLE \(table.qualified.sql) VALIDATE CONSTRAINT \(Quoting.identifier(name))",
            record: record)
    }

    /// The key's addition over rows that are clean, or that stay as they are.
    private func additions(
        _ key: ForeignKey, _ name: String, _ sql: OrphanSQL, resumes: Bool
    ) -> [ForeignKeyStep] {
        let resolved = sql.facts.referencedColumns.compactMap { $0?.name }
        func definition(notValid: Bool) -> String {
            key.definition(referenced: sql.referenced.qualified, columns: resolved, notValid: notValid)
        }
        func add(notValid: Bool) -> String {
            """
            ALTER TABLE \(key.isOnly ? "ONLY " : "")\(sql.table.qualified.sql) \
            ADD CONSTRAINT \(Quoting.identifier(name)) \(definition(notValid: notValid))
            """
        }
        let record = ForeignKeyStep.Record(
            event: "constraint_added", object: "\(sql.table.qualified.text).\(name)",
            detail: ["definition": definition(notValid: key.isNotValid)])
        var validate = validation(name, sql.table, record: record)
        if resumes { return [validate] }
        // Before PostgreSQL 18 a partitioned table takes no NOT VALID: then a report leaves nothing unproved.
        let isWhole = policy.orphans == .clean || sql.table.isPartitioned && sql.facts.serverVersion < 180_000
        // With NOT VALID in the file, its author validates later or never.
        if isWhole { return [ForeignKeyStep(.add, add(notValid: key.isNotValid), record: record)] }
        // What is not valid is recorded as such once it is counted.
        validate.record = nil
        validate.onlyWithoutOrphans = true
        return [ForeignKeyStep(.add, add(notValid: true), record: record)] + (key.isNotValid ? [] : [validate])
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
public struct ChosenNames {
    public init() {}

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
