internal import Audit
internal import Configuration
internal import JSON
internal import Migrations

extension Engine {
    /// Files that are applied under another name, as far as the policy accepts new names.
    func newNames(in plan: Plan) -> [(migration: Migration, old: String)] {
        guard settings.onDrift == .report else { return [] }
        return plan.steps.compactMap { step in
            if case .renamed(let old) = step.action { (step.migration, old) } else { nil }
        }
    }

    /// Records new names of applied files, so that the history knows each by its name from now on, however it is edited later. Call it only
    /// under the lock. Returns whether there were any: the plan is then another one.
    func recordNewNames(
        of plan: Plan, _ snapshot: MigrationDirectory.Snapshot, _ states: [VersionState]
    ) throws(RunFailure) -> Bool {
        let renamed = newNames(in: plan)
        guard !renamed.isEmpty else { return false }
        let actor = try actor()
        var (told, left, taken): ([AuditEvent], [AuditEvent], [AuditEvent]) = ([], [], [])
        for (migration, old) in renamed {
            guard let state = states.first(where: { $0.name == old && $0.status.isApplied }) else { continue }
            var event = AuditEvent(.driftDetected, by: actor)
            event.version = migration.version
            event.name = migration.name
            event.checksum = state.checksum
            event.reason = "file_renamed"
            event.detail["renamed_from"] = .string(old)
            told.append(event)
            event.eventID = UUID()
            event.event = .resolved
            event.direction = .up
            event.reason = Resolution.applied.rawValue
            event.message = "the file was renamed and its text is the same"
            event.version = migration.recordedVersion(states)
            taken.append(event)
            // Another title is not another number.
            if event.version == state.version { continue }
            event = retirement(of: state, event)
            event.detail["renamed_to"] = .string(migration.name)
            left.append(event)
        }
        // A number that one file leaves and the next one takes belongs to the next one.
        try record(told + left + taken)
        return !told.isEmpty
    }
}
