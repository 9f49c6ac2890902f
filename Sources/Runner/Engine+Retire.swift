internal import Audit
public import JSON
internal import Migrations
internal import Replay
public import Reporting

/// What a retirement came to.
public struct RetireReport: Sendable {
    /// Names of what is retired now, in the order in which they were given.
    public var retired: [String] = []
    /// The migration that stands for them from now on.
    public var replacement: String?
    /// How much of what the replacement creates exists.
    var evidence: FileEvidence?
    /// Why nothing was recorded; nil where it was.
    public var refusal: Complaint?

    /// For people: what was compared, then a line a migration.
    public var lines: [String] {
        var lines = evidence?.lines ?? []
        guard refusal == nil else { return lines }
        lines += retired.map { "retired  \(Printable.line($0))" }
        if let replacement { lines.append("applied  \(Printable.line(replacement))  (it stands for them)") }
        return lines
    }

    /// For machines.
    public var json: JSONValue {
        [
            "retired": .array((refusal == nil ? retired : []).map(JSONValue.string)),
            "replaced_by": JSONValue(replacement), "evidence": evidence?.json ?? .null,
            "refused": JSONValue(refusal?.message),
        ]
    }
}

extension Engine {
    /// Records that the files of applied migrations are gone for good, and which file stands for them from now on. Runs nothing.
    ///
    /// The replacement is compared with the database first: each object that it creates must exist as it says, unless `acceptsDifferences`.
    /// It is then applied itself. All events are one transaction. Throws `.usage` where a name means no applied migration, and `.failed`
    /// where its file is still in the directory.
    public func retire(
        _ names: [String], replacedBy replacement: String?, reason: String, acceptsDifferences: Bool,
        lockPatience: TimeSpan
    ) throws(RunFailure) -> RetireReport {
        let snapshot = try snapshot()
        try prepareHistory()
        return try withLock(patience: lockPatience) { () throws(RunFailure) in
            try recover()
            let states = try history.states()
            let plan = try plan(snapshot, states)
            var retiring: [VersionState] = []
            for name in names {
                let state = try retirable(name, states, plan)
                if !retiring.contains(state) { retiring.append(state) }
            }
            var report = RetireReport()
            report.retired = retiring.map(\.name)
            var cause = AuditEvent(.resolved, by: try actor())
            cause.direction = .up
            cause.message = reason
            var events = retiring.map { retirement(of: $0, cause) }
            if let replacement {
                let migration: Migration
                do throws(Complaint) {
                    migration = snapshot.set.migrations[try snapshot.set.index(of: replacement)]
                } catch {
                    throw .complaint(error)
                }
                report.replacement = migration.name
                let evidence = try evidence([migration], snapshot).first
                report.evidence = evidence
                if let evidence, !evidence.stands, !acceptsDifferences {
                    report.refusal = RetireReport.refusal(of: migration.name)
                    return report
                }
                for index in events.indices { events[index].detail["replaced_by"] = .string(migration.name) }
                events.append(try stand(migration, for: retiring, evidence, snapshot, states, reason))
            }
            try record(events)
            return report
        }
    }

    /// The applied migration that `name` means, whose file must be gone.
    private func retirable(
        _ name: String, _ states: [VersionState], _ plan: Plan
    ) throws(RunFailure) -> VersionState {
        guard let state = states.meant(by: name), state.status.isApplied else {
            throw .complaint(
                Complaint(.usage, "'\(name)' is not applied", hint: "See 'auditctl status' for what is."))
        }
        let stays = plan.steps.contains { step in
            guard step.migration.name == state.name else { return false }
            switch step.action {
            case .applied, .edited, .unreadable, .blocked, .held: return true
            default: return false
            }
        }
        if stays {
            throw .complaint(
                Complaint(
                    .failed, "the file of '\(state.name)' is still in the directory",
                    hint: "Delete the file first; nothing was recorded."))
        }
        return state
    }

    /// The event that makes `migration` applied for what it replaces.
    private func stand(
        _ migration: Migration, for replaced: [VersionState], _ evidence: FileEvidence?,
        _ snapshot: MigrationDirectory.Snapshot, _ states: [VersionState], _ reason: String
    ) throws(RunFailure) -> AuditEvent {
        var event = AuditEvent(.resolved, by: try actor())
        event.version = migration.recordedVersion(states)
        event.name = migration.name
        event.direction = .up
        event.reason = Resolution.applied.rawValue
        event.message = reason
        if case .text(let checksum, _) = snapshot.content(of: migration) { event.checksum = checksum }
        event.detail["replaces"] = .array(replaced.map { .string($0.name) })
        if let evidence { event.detail.merge(evidence.detail) { _, found in found } }
        return event
    }
}

extension RetireReport {
    fileprivate static func refusal(of name: String) -> Complaint {
        Complaint(
            .failed, "the database does not hold what '\(name)' creates",
            hint:
                "Apply what is missing first. With --accept-differences it is recorded all the same, with what is missing."
        )
    }
}
