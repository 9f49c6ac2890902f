public import SQLParsing

/// What a statement does to the tables it touches while others use them, as far as its text tells.
///
/// It follows PostgreSQL 15 to 18: the manual's chapter "Explicit Locking", the pages of ALTER TABLE, CREATE INDEX, CREATE TABLE and
/// the other commands, and AlterTableGetLockLevel in its source. What only a catalog or a running server knows is not here: the tables
/// behind a view, a foreign key's or an index's table that the statement does not name, triggers, the bodies of DO and of functions.
public struct StatementImpact: Sendable, Equatable {
    /// What is done to a table's rows under a lock.
    public enum Work: String, Sendable, Comparable {
        /// Nothing that takes longer with more rows.
        case neither
        /// All rows are read.
        case scan
        /// All rows are written anew.
        case rewrite

        private var rank: Int {
            switch self {
            case .neither: 0
            case .scan: 1
            case .rewrite: 2
            }
        }

        public static func < (left: Work, right: Work) -> Bool { left.rank < right.rank }
    }

    /// One lock that it takes.
    public struct Lock: Sendable, Equatable {
        /// The table as the statement names it, with a schema where it gives one.
        public var relation: String { name.text }
        /// The schema that the statement gives; nil for none.
        public var schema: String? { name.schema }
        /// The table's name by itself, as the catalog has it.
        public var table: String { name.name }
        /// How strongly it is locked.
        public let mode: LockMode
        /// What is done meanwhile; where it depends on the catalog, the most.
        public internal(set) var work: Work
        /// The part of the statement that wants it: `ALTER COLUMN 'kind' TYPE`, `CREATE INDEX`.
        public let action: String
        /// Whether an earlier statement of the same file has created the table: then nobody waits for it.
        public internal(set) var isNew = false

        let name: ObjectName
        let cause: Cause
        let column: String?
        /// The type that a column gets.
        let type: TypeText?
        /// The byte of the script's text that it is about.
        let offset: Int?
    }

    /// The locks, in the statement's order.
    public internal(set) var locks: [Lock]
    /// Whether it runs in a transaction, and so with the statements round it or not at all.
    public let transactional: Bool
    /// Whether its foreign keys are added step by step: the locks are those of ADD CONSTRAINT … NOT VALID then, and going over the rows holds
    /// nobody up.
    public internal(set) var isStepwise = false

    /// Why a table is worked on.
    enum Cause {
        case other, columnType, notNull, check, index, volatileDefault, generated, requiredColumn, foreignKey,
            createIndex
        case wholeTable, materializedView, partition
    }

    /// The impact of every statement of a script, in order; empty where it could not be parsed.
    public static func all(in script: Script) -> [StatementImpact] {
        var transactional = [Bool](repeating: true, count: script.statements.count)
        var stepwise: Set<Int> = []
        for segment in script.segments where segment.kind != .transaction {
            for index in segment.statements { transactional[index] = false }
            if segment.kind == .stepwise { stepwise.formUnion(segment.statements) }
        }
        var created: Set<ObjectName> = []
        var last: StatementImpact?
        return script.statements.indices.map { index in
            if script.isRepetition(index), let last, last.transactional == transactional[index] { return last }
            guard let root = script.root(index) else { return StatementImpact(locks: [], transactional: true) }
            let node = script.statements[index].node
            var reading = ImpactReading()
            reading.read(node, root)
            for at in reading.locks.indices where created.contains(reading.locks[at].name) {
                reading.locks[at].isNew = true
            }
            if let name = ImpactReading.created(node, root) { created.insert(name) }
            var impact = StatementImpact(locks: reading.locks, transactional: transactional[index])
            if stepwise.contains(index) { impact.takeSteps() }
            last = impact
            return impact
        }
    }

    private mutating func takeSteps() {
        isStepwise = true
        for index in locks.indices { locks[index].work = .neither }
    }

    /// What statements do to each table together: the strongest lock and the most work, in the order in which the tables are first
    /// touched. Tables that the file itself has created, and locks that only SELECT takes, are left out: nobody waits for them.
    public static func strongest(_ impacts: some Sequence<StatementImpact>) -> [(
        relation: String, mode: LockMode, work: Work
    )] {
        var order: [String] = []
        var found: [String: (mode: LockMode, work: Work)] = [:]
        for lock in impacts.lazy.flatMap(\.locks) where !lock.isNew && lock.mode > .accessShare {
            if let known = found[lock.relation] {
                found[lock.relation] = (max(known.mode, lock.mode), max(known.work, lock.work))
            } else {
                order.append(lock.relation)
                found[lock.relation] = (lock.mode, lock.work)
            }
        }
        return order.compactMap { name in found[name].map { (name, $0.mode, $0.work) } }
    }
}
