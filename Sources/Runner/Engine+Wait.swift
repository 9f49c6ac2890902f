internal import Configuration
internal import Migrations
internal import Postgres
public import Reporting
internal import Systemd

extension Engine {
    /// Waits until all migrations that are in the directory at the start are applied, or until `version` is.
    ///
    /// Takes no lock and writes nothing. A database that cannot be reached yet, and a failed migration that may still be mended, are
    /// waited for. Throws `.tryLater` once `limit` is over.
    public func wait(for version: String?, limit: TimeSpan?, tell: (String) -> Void) throws(RunFailure) {
        let end = limit.map { Instant.now() + $0 }
        var words = ""
        var goal: MigrationDirectory.Snapshot?
        while true {
            var missing = "the database cannot be reached"
            do throws(RunFailure) {
                if goal == nil, version == nil || settings.directory != nil { goal = try snapshot() }
                guard let reason = try closed(goal, version) else { return }
                missing = reason
            } catch {
                switch error {
                case .lost, .unresponsive, .refused:
                    disconnect()
                    missing = error.complaint.lines.first ?? missing
                case .complaint(let complaint) where complaint.status == .tryLater:
                    missing = complaint.lines.first ?? missing
                default: throw error
                }
            }
            if missing != words { tell(Printable.line(missing)) }
            words = missing
            if let end, Instant.now() >= end {
                throw .complaint(
                    Complaint(
                        .tryLater, "not applied within \(limit?.description ?? ""): \(missing)",
                        hint: "See 'auditctl status' and 'journalctl -u migrated'."))
            }
            try pauseForNews(until: end)
        }
    }

    /// Why the gate stays closed; nil where it opens.
    private func closed(_ goal: MigrationDirectory.Snapshot?, _ version: String?) throws(RunFailure) -> String? {
        let installed = try store.installedVersion(try sessions.books()) != nil
        let states = installed ? try history.states() : []
        guard let goal else { return version.flatMap { states.applied($0) == nil ? waiting([$0]) : nil } }
        let plan = try unsignedPlan(goal, states)
        guard let version else {
            if let mismatch = plan.mismatch { return mismatch.complaint(of: directory.path).message }
            return waiting(plan.steps.filter { !$0.isDone(settings.onDrift) }.map(\.migration.name))
        }
        // What means no file of the directory, or several, may be applied all the same.
        if let index = try? goal.set.index(of: version) {
            let name = goal.set.migrations[index].name
            let step = plan.steps.first { $0.migration.name == name }
            return waiting(step.map { $0.isDone(settings.onDrift) } == true ? [] : [name])
        }
        guard let state = states.applied(version) else { return waiting([version]) }
        let isMissing = plan.missing.contains(state)
        return isMissing && settings.onDrift == .stop ? "'\(state.name)' is applied, and its file is missing" : nil
    }

    private func waiting(_ names: [String]) -> String? {
        names.first.map { "waiting for \(names.count) migration(s), the next is '\($0)'" }
    }

    private func pauseForNews(until end: Instant?) throws(RunFailure) {
        let span = TimeSpan.milliseconds(200)
        try sessions.pause(end.map { min($0 - .now(), span) } ?? span)
    }
}

extension [VersionState] {
    /// The one that an operator means: by its name, its version as written, or its number.
    func meant(by text: String) -> VersionState? {
        let number = Version(text)
        return first { $0.name == text } ?? first { $0.version == text }
            ?? first { number != nil && Version($0.version) == number }
    }

    /// The same of those that were applied, also where their file was retired.
    fileprivate func applied(_ text: String) -> VersionState? {
        filter { $0.status.isApplied || $0.status == .retired }.meant(by: text)
    }
}

extension PlanStep {
    /// Whether its effects are in the database, and nothing that the policy stops at is in doubt.
    fileprivate func isDone(_ onDrift: OnDrift) -> Bool {
        switch action {
        case .applied, .covered, .retired: true
        case .edited, .renamed, .unreadable: onDrift == .report
        case .held, .pending, .waitsForMending, .rolledBack, .running, .blocked, .late, .unmetRequirement, .invalid,
            .beyondLimit:
            false
        }
    }
}
