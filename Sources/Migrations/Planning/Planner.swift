/// The walk along the line that makes a plan.
struct Planner {
    private let set: MigrationSet
    private let candidates: [Candidate]
    private let history: [Identity: VersionState]
    private let policy: PlanPolicy
    private let last: Int

    /// What the history knows and the directory does not hold.
    let missing: [VersionState]
    /// The names of applied versioned ones that the directory does not hold, by their lower case.
    private let gone: [String: String]
    /// For each candidate the next applied versioned one, where there is one.
    private let nextApplied: [String?]

    /// The version that holds up the line, once one does.
    private var blocker: String?
    /// Which migrations need not run, because a baseline stands for them, or they are baselines that nobody needs; and whose work that is.
    private let covered: [Identity: String]
    /// What is applied, or will be once the steps so far have run.
    private var reached: Set<Identity> = []

    init(set: MigrationSet, candidates: [Candidate], history: [VersionState], policy: PlanPolicy, last: Int) {
        self.set = set
        self.candidates = candidates
        self.policy = policy
        self.last = last
        self.history = Dictionary(
            history.map { (set.identity(version: $0.version, name: $0.name), $0) },
            uniquingKeysWith: { _, newer in newer })
        reached = Set(self.history.filter { $0.value.status.isApplied }.keys)
        missing = Self.missing(set, self.history)
        gone = Dictionary(
            missing.filter { $0.status.isApplied && !$0.repeatable }.map { ($0.name.lowercased(), $0.name) },
            uniquingKeysWith: { first, _ in first })
        covered = Baselines(set, self.history).covered
        var next: String?
        var following: [String?] = []
        for candidate in candidates.reversed() {
            following.append(next)
            let applied = self.history[candidate.migration.identity]?.status.isApplied == true
            if applied, !candidate.directives.repeatable { next = candidate.migration.version }
        }
        nextApplied = following.reversed()
    }

    mutating func steps() -> [PlanStep] {
        let order =
            candidates.indices.filter { !candidates[$0].directives.repeatable }
            + candidates.indices.filter { candidates[$0].directives.repeatable }
        var steps: [PlanStep] = []
        for index in order { steps.append(step(index)) }
        return steps
    }

    /// States of the history without a file, in the order of their names.
    static func missing(_ set: MigrationSet, _ history: [Identity: VersionState]) -> [VersionState] {
        let present = Set(set.migrations.map(\.identity))
        return history.filter { !present.contains($0.key) }.map(\.value)
            .filter { $0.status.isApplied || $0.segmentsDone > 0 }
            .sorted { NameOrder.current($0.name, $1.name) }
    }

    // MARK: One step

    private mutating func step(_ index: Int) -> PlanStep {
        let candidate = candidates[index]
        let migration = candidate.migration
        let directives = candidate.directives
        var step = PlanStep(
            migration: migration, action: wish(candidate), lateBefore: nil, repeatable: directives.repeatable,
            letsOthersPass: directives.onFailure == .continue)
        if step.isPending || step.action.isInvalid, !directives.repeatable { step.lateBefore = lateBefore(index) }
        if step.isPending { step.action = hindrance(step, directives, index) ?? step.action }
        if case .invalid = step.action, index > last { step.action = .beyondLimit }
        if step.isPending || step.action.isCovered, migration.baseline == nil || step.isPending {
            reached.insert(migration.identity)
        }
        if blocker == nil, index <= last, holdsUpTheLine(step) { blocker = migration.version }
        return step
    }

    /// What history and text alone ask for.
    private func wish(_ candidate: Candidate) -> PlanStep.Action {
        if let other = covered[candidate.migration.identity] { return .covered(by: other) }
        let state = history[candidate.migration.identity]
        guard case .text(let checksum, let directives) = candidate.content else {
            guard case .unusable(let finding) = candidate.content else { return .applied }
            return state?.status.isApplied == true ? .unreadable(finding) : .invalid(finding)
        }
        guard let state else {
            // A name in other letters is no reason to run a file again.
            if !directives.repeatable, let old = gone[candidate.migration.name.lowercased()] {
                return .invalid(AlikeNames.renamed(candidate.migration, from: old))
            }
            return .pending(resumeAt: 0, because: .new)
        }
        let same = state.checksum == checksum
        switch state.status {
        case .applied, .adopted:
            if same { return .applied }
            if directives.repeatable { return .pending(resumeAt: 0, because: .changed(from: state.checksum)) }
            return state.checksum.map { .drifted(recorded: $0) } ?? .applied
        case .started: return .running
        case .skipped: return .pending(resumeAt: 0, because: .new)
        case .failed where same || state.checksum == nil: return .waitsForMending
        case .rolledBack where same && !policy.reappliesRolledBack: return .rolledBack
        case .failed, .interrupted, .retryRequested, .rolledBack: break
        }
        // Segments of another text say nothing about this one: it begins at its beginning, and the cause tells what is committed.
        if let recorded = state.checksum, !same {
            return .pending(resumeAt: 0, because: .mended(from: recorded, segmentsDone: state.segmentsDone))
        }
        let cause: PlanStep.Cause =
            switch state.status {
            case .interrupted: .interrupted
            case .rolledBack: .rolledBack
            default: .retryRequested
            }
        return .pending(resumeAt: same ? state.segmentsDone : 0, because: cause)
    }

    /// Why a pending step may not run now.
    private func hindrance(_ step: PlanStep, _ directives: Directives, _ index: Int) -> PlanStep.Action? {
        if index > last { return .beyondLimit }
        if let blocker { return .blocked(by: blocker) }
        if let before = step.lateBefore, (policy.late ?? set.layout.lateByDefault) == .stop {
            return .late(before: before)
        }
        if let unmet = directives.requires.first(where: { !isReached($0) }) { return .unmetRequirement(unmet) }
        return nil
    }

    private func holdsUpTheLine(_ step: PlanStep) -> Bool {
        switch step.action {
        case .waitsForMending, .rolledBack, .unmetRequirement: !step.letsOthersPass
        case .running, .late, .invalid: true
        case .drifted, .unreadable: policy.onDrift == .stop
        case .applied, .covered, .pending, .blocked, .beyondLimit: false
        }
    }

    /// Whether what a `requires` names is applied, or will be before the step at hand.
    private func isReached(_ required: String) -> Bool {
        if let index = try? set.index(of: required) { return reached.contains(set.migrations[index].identity) }
        // Its file may be gone, its effects are not.
        return reached.contains(set.identity(version: required, name: required))
    }

    /// The first applied version that the migration at `index`, never attempted, sorts before.
    private func lateBefore(_ index: Int) -> String? {
        let migration = candidates[index].migration
        if history[migration.identity]?.status.wasAttempted == true { return nil }
        if let next = nextApplied[index] { return next }
        return missing.first { state in
            state.status.isApplied && !state.repeatable
                && set.layout.layout.sorts(migration, beforeVersion: state.version, name: state.name, order: set.order)
        }?.version
    }
}

extension PlanStep.Action {
    fileprivate var isCovered: Bool { if case .covered = self { true } else { false } }
    fileprivate var isInvalid: Bool { if case .invalid = self { true } else { false } }
}
