internal import Reporting

/// The walk along the line that makes a plan.
struct Planner {
    private let set: MigrationSet
    private let candidates: [Candidate]
    /// For each candidate what the history has under its key.
    private let known: [VersionState?]
    private let policy: PlanPolicy
    private let last: Int

    /// What each file is to the history.
    let match: HistoryMatch
    /// What the history knows and the directory does not hold.
    let missing: [VersionState]
    /// For each candidate the next applied versioned one, where there is one.
    private let nextApplied: [String?]

    /// The version that holds up the line, once one does.
    private var blocker: String?
    /// Which migrations need not run, because a baseline stands for them, or they are baselines that nobody needs; and whose work that is.
    private let baselines: Baselines
    /// What is applied, or will be once the steps so far have run.
    private var reached: Set<Identity> = []

    init(set: MigrationSet, candidates: [Candidate], history: [VersionState], policy: PlanPolicy, last: Int) {
        self.set = set
        self.candidates = candidates
        self.policy = policy
        self.last = last
        let states = Dictionary(
            history.map { (set.identity(version: $0.version, name: $0.name), $0) },
            uniquingKeysWith: { _, newer in newer })
        reached = Set(states.filter { $0.value.status.isApplied || $0.value.status == .retired }.keys)
        baselines = Baselines(set, states)
        known = candidates.map { states[$0.migration.identity] }
        var absent: [VersionState] = []
        if known.count(where: { $0 != nil }) < states.count {
            let present = Set(set.migrations.map(\.identity))
            absent = states.filter { !present.contains($0.key) }.map(\.value)
        }
        match = HistoryMatch(candidates, known: known, absent: absent, baselines: baselines)
        missing = Planner.missing(absent, match)
        if policy.onDrift == .stop { blocker = match.vanished.first?.version }
        var next: String?
        var following: [String?] = []
        for index in candidates.indices.reversed() {
            following.append(next)
            if match.isApplied(index), !candidates[index].directives.repeatable {
                next = candidates[index].migration.version
            }
        }
        nextApplied = following.reversed()
    }

    mutating func steps(_ mayRunTwice: (Migration) throws(Complaint) -> Bool) throws(Complaint) -> [PlanStep] {
        let order =
            candidates.indices.filter { !candidates[$0].directives.repeatable }
            + candidates.indices.filter { candidates[$0].directives.repeatable }
        var steps: [PlanStep] = []
        for index in order { steps.append(try step(index, mayRunTwice)) }
        return steps
    }

    /// States of the history without a file, in the order of their names; what ran in part is among them.
    private static func missing(_ absent: [VersionState], _ match: HistoryMatch) -> [VersionState] {
        let further = absent.filter { state in
            state.status.isApplied ? state.repeatable : !state.committed.isEmpty
        }
        return (match.vanished + further).sorted { NameOrder.current($0.name, $1.name) }
    }

    // MARK: One step

    private mutating func step(
        _ index: Int, _ mayRunTwice: (Migration) throws(Complaint) -> Bool
    ) throws(Complaint) -> PlanStep {
        let candidate = candidates[index]
        let migration = candidate.migration
        let directives = candidate.directives
        var step = PlanStep(
            migration: migration, action: wish(index), lateBefore: nil, repeatable: directives.repeatable,
            letsOthersPass: directives.onFailure == .continue)
        if case .copy(let original) = match.relations[index] {
            step.copyOf = original
            if try mayRunTwice(migration) { step.action = .pending(resumeAt: .start, because: .new) }
        }
        if step.isPending || step.action.isInvalid, !directives.repeatable { step.lateBefore = lateBefore(index) }
        if step.isPending { step.action = hindrance(step, directives, index) ?? step.action }
        if step.isPending, let refusal = policy.refusal { step.action = .invalid(refusal) }
        if step.action.isInvalid || step.action.isHeld, index > last { step.action = .beyondLimit }
        // Nothing of a directory without anything that was applied runs, and what its numbers are compared with says nothing.
        if let count = match.strangers, !step.action.isCovered {
            step.action = blocker.map { .blocked(by: $0) } ?? .held(.wrongDirectory(applied: count))
        }
        if step.isPending || step.action.isCovered, migration.baseline == nil || step.isPending {
            reached.insert(migration.identity)
        }
        if blocker == nil, index <= last, holdsUpTheLine(step) { blocker = migration.version }
        return step
    }

    /// What history and text alone ask for.
    private func wish(_ index: Int) -> PlanStep.Action {
        let candidate = candidates[index]
        let key = candidate.migration.identity
        if let other = baselines.covered[key] { return .covered(by: other) }
        if let applied = baselines.behind[key] { return .held(.behindBaseline(applied: applied)) }
        if let relation = match.relations[index] { return action(relation, candidate.content) }
        guard case .text(let checksum, let directives) = candidate.content else {
            guard case .unusable(let finding) = candidate.content else { return .applied }
            return .invalid(finding)
        }
        // Where a file has left a number, its state says nothing about the next one with that number.
        guard let state = known[index], !state.status.isApplied else {
            return .pending(resumeAt: .start, because: .new)
        }
        let same = state.checksum == checksum
        let cause: PlanStep.Cause
        switch state.status {
        case .started: return .running
        case .skipped, .retired: return .pending(resumeAt: .start, because: .new)
        case .failed where same || state.checksum == nil: return .waitsForMending
        case .rolledBack where same && !policy.reappliesRolledBack: return .rolledBack
        case .interrupted where same: cause = .interrupted
        case .rolledBack where same: cause = .rolledBack
        default:
            if let recorded = state.checksum, !same { cause = .mended(from: recorded) } else { cause = .retryRequested }
        }
        if state.committed.isEmpty || directives.repeatable { return .pending(resumeAt: .start, because: cause) }
        switch candidate.parts?.position(behind: state.committed) {
        case .success(let position): return .pending(resumeAt: position, because: cause)
        case .failure(let changed): return .held(.committedPartChanged(part: changed.index + 1))
        case nil: return .held(.committedPartChanged(part: 1))
        }
    }

    /// What becomes of a file that the history knows.
    private func action(_ relation: FileRelation, _ content: Candidate.Content) -> PlanStep.Action {
        switch relation {
        case .same:
            if case .unusable(let finding) = content { return .unreadable(finding) }
            return .applied
        case .changed(let recorded): return .pending(resumeAt: .start, because: .changed(from: recorded))
        case .edited(let recorded): return .edited(recorded: recorded)
        case .renamed(let state, edited: false): return .renamed(from: state.name)
        case .renamed(let state, edited: true): return .held(.renamedAndEdited(from: state.name))
        case .numberReused(let name): return .held(.numberReused(by: name))
        case .copy(let name): return .held(.copy(of: name))
        case .retired: return .retired
        }
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
        case .running, .late, .invalid, .held: true
        case .edited, .renamed, .unreadable: policy.onDrift == .stop
        case .applied, .covered, .retired, .pending, .blocked, .beyondLimit: false
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
        if let state = known[index], state.status.wasAttempted, !state.status.isApplied,
            state.status != .retired
        {
            return nil
        }
        if let next = nextApplied[index] { return next }
        return match.vanished.first { state in
            !state.repeatable
                && set.layout.layout.sorts(migration, beforeVersion: state.version, name: state.name, order: set.order)
        }?.version
    }
}

extension PlanStep.Action {
    fileprivate var isCovered: Bool { if case .covered = self { true } else { false } }
    fileprivate var isInvalid: Bool { if case .invalid = self { true } else { false } }
    fileprivate var isHeld: Bool { if case .held = self { true } else { false } }
}
