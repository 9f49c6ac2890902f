public import Reporting

/// Files against history: what is to be done with every migration, in the order in which it is done.
///
/// A plan assumes that what it lets run succeeds. Whoever runs it plans again after a failure: the failed one then waits for mending,
/// and what it holds up is `blocked`.
public struct Plan: Sendable, Equatable {
    /// One step for every migration: the versioned ones in the set's order, then the repeatable ones in the set's order.
    public let steps: [PlanStep]
    /// What the history knows as applied, or as applied in part, and the directory does not hold under any name.
    public let missing: [VersionState]
    /// Applied migrations without a file that a baseline in the directory stands for.
    public let replaced: [VersionState]
    /// What is wrong where the directory holds nothing of what is applied: then nothing runs.
    public let mismatch: Discrepancy?

    /// Compares a directory with a history. Pure: equal arguments give equal plans, whatever the order of `history`.
    ///
    /// - Parameters:
    ///   - set: the directory.
    ///   - candidates: one for each migration of the set, in the set's order.
    ///   - history: one state for each migration that the history knows.
    ///   - policy: how doubtful files are treated.
    ///   - limit: the last migration that may run, as an operator names it; nil for no limit.
    ///   - mayRunTwice: whether the text of a file that has another one's text may run again (`MigrationFile.mayRunTwice`). Asked of such files
    ///     alone.
    /// - Throws: `.usage` where `limit` names no migration of the set, or several, and whatever `mayRunTwice` throws.
    public init(
        set: MigrationSet, candidates: [Candidate], history: [VersionState], policy: PlanPolicy = PlanPolicy(),
        limit: String? = nil, mayRunTwice: (Migration) throws(Complaint) -> Bool = { _ in false }
    ) throws(Complaint) {
        precondition(
            candidates.map(\.migration) == set.migrations, "one candidate for each migration, in the set's order")
        var last = candidates.count - 1
        if let limit { last = try set.index(of: limit) }
        var planner = Planner(set: set, candidates: candidates, history: history, policy: policy, last: last)
        steps = try planner.steps(mayRunTwice)
        missing = planner.missing
        replaced = planner.match.replaced
        mismatch = planner.match.strangers.map { .wrongDirectory(applied: $0) }
    }

    /// The steps that are to run.
    public var pending: [PlanStep] { steps.filter(\.isPending) }
    /// The first step that is to run.
    public var next: PlanStep? { steps.first(where: \.isPending) }
    /// The first step that holds up the line, where one does and something waits behind it.
    public var blocker: PlanStep? {
        let blocking = steps.lazy.compactMap { step -> String? in
            if case .blocked(let version) = step.action { version } else { nil }
        }.first
        return blocking.flatMap { version in steps.first { $0.migration.version == version } }
    }
}
