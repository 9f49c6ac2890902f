internal import Checks
internal import ForeignKeys
internal import JSON
internal import Reporting

/// What one statement of a pending file would lock and for how long: what its text tells, beside the sizes that the catalog has.
struct StatementForecast: Sendable {
    /// One table lock.
    struct Lock: Sendable {
        /// The table as the statement names it.
        var relation: String
        var mode: LockMode
        var work: StatementImpact.Work
        var action: String
        /// The table's size; nil where it is not there yet.
        var table: Surroundings.Table?
        /// Whether this file or an earlier pending one creates it: nobody can be waiting for it.
        var isNew: Bool

        /// Whether those who use the table now notice.
        var isFelt: Bool { !isNew && table != nil && mode >= .shareUpdateExclusive }
        /// Whether writers wait for as long as it takes to go over rows that are there.
        var holdsUpWriters: Bool { isFelt && mode.blocksWrites && work != .neither && table?.rows != 0 }

        /// Who waits meanwhile.
        var blocks: String? { mode.blocksReads ? "readers and writers" : mode.blocksWrites ? "writers" : nil }

        var words: String {
            let rows =
                switch work {
                case .neither: ""
                case .scan: ", reads all rows"
                case .rewrite: ", writes all rows anew"
                }
            let waiting = blocks.map { ", \($0) wait" } ?? ""
            let size = table.map { " (\($0.size))" } ?? ""
            return "\(action) takes \(mode.rawValue) on '\(relation)'\(size)\(rows)\(waiting)"
        }

        var json: JSONValue {
            [
                "relation": .string(relation), "mode": .string(mode.rawValue), "work": .string(work.rawValue),
                "action": .string(action), "blocks": JSONValue(blocks), "rows": JSONValue(table?.rows),
                "bytes": JSONValue(table?.bytes), "is_new": .bool(isNew), "is_there": .bool(table != nil),
            ]
        }
    }

    /// The statement in its file, from 1.
    var number: Int
    var isTransactional: Bool
    /// Whether its foreign keys are added step by step.
    var isStepwise: Bool
    var locks: [Lock]

    /// What an impact means for the tables that are there; `sizes` by the names that `TableName` writes.
    init(
        _ impact: StatementImpact, number: Int, _ sizes: [String: Surroundings.Table], _ before: Forthcoming
    ) {
        self.number = number
        isTransactional = impact.transactional
        isStepwise = impact.isStepwise
        locks = impact.locks.filter { $0.mode > .accessShare }.map { lock in
            let name = TableName(schema: lock.schema, lock.table)
            return Lock(
                relation: lock.relation, mode: lock.mode, work: lock.work, action: lock.action, table: sizes[name.sql],
                isNew: lock.isNew || before.replaces(name))
        }
    }

    /// Whether there is anything to tell a person of it.
    var isWorthTelling: Bool { !isTransactional || locks.contains(where: \.isFelt) }
    /// A note where writers wait for work that grows with the table.
    var verdict: KeyForecast.Verdict { locks.contains(where: \.holdsUpWriters) ? .note : .ok }

    var words: String {
        let felt = locks.filter(\.isFelt).map(\.words)
        let place =
            isStepwise
            ? "step by step, each in a transaction of its own"
            : isTransactional ? "in a transaction" : "outside of a transaction"
        return (felt + [place]).joined(separator: "; ")
    }

    /// The members that it adds to its remark.
    var members: [String: JSONValue] {
        [
            "statement": .integer(Int64(number)), "transactional": .bool(isTransactional),
            "stepwise": .bool(isStepwise),
            "locks": .array(locks.map(\.json)),
        ]
    }
}
