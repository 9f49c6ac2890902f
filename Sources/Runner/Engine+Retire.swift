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
    /// How far the database is as the folder without the retired files leaves it.
    var proof: DatabaseProof?
    /// Without a scratch database: how much of what the replacement says exists.
    var evidence: FileEvidence?
    /// Why nothing was recorded; nil where it was.
    public var refusal: Complaint?

    /// For people: what was compared, then a line a migration.
    public var lines: [String] {
        var lines = proof?.lines ?? evidence?.lines ?? []
        guard refusal == nil else { return lines }
        lines += retired.map { "retired  \(Printable.line($0))" }
        if let replacement { lines.append("applied  \(Printable.line(replacement))  (it stands for them)") }
        return lines
    }

    /// For machines.
    public var json: JSONValue {
        [
            "retired": .array((refusal == nil ? retired : []).map(JSONValue.string)),
            "replaced_by": JSONValue(replacement), "proof": proof?.json ?? .null, "evidence": evidence?.json ?? .null,
            "refused": JSONValue(refusal?.message),
        ]
    }
}

extension Engine {
    /// Records that the files of applied migrations are gone for good, and which file stands for them from now on. Runs nothing.
    ///
    /// With a replacement the folder as it is now is built in a scratch database first, up to the last applied file: the database must be what comes out, but
    /// for what is `accepted` by name; so the replacement creates all that the retired files left. It is then applied itself. All events are one
    /// transaction. Throws `.usage` where a name means no applied migration, and `.failed`
    /// where its file is still in the directory.
    public func retire(
        _ names: [String], replacedBy replacement: String?, reason: String, _ scratch: ScratchChoice,
        accepted: [String],
        lockPatience: TimeSpan
    ) throws(RunFailure) -> RetireReport {
        let snapshot = try snapshot()
        try prepareHistory()
        return try withLock(patience: lockPatience) { () throws(RunFailure) in
            try recover()
            let states = try history.states()
            let plan = try unsignedPlan(snapshot, states)
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
                let found: [String: JSONValue]
                if scratch == .none {
                    let evidence = try evidence([migration], snapshot)[0]
                    report.evidence = evidence
                    found = evidence.detail
                    if evidence.verdict != .present, !accepted.contains(migration.name) {
                        report.refusal = RetireReport.refusal(of: migration.name)
                    }
                } else {
                    let applied = plan.steps.filter { step in
                        switch step.action {
                        case .applied, .edited, .renamed, .unreadable: true
                        default: step.migration == migration
                        }
                    }
                    let last = snapshot.set.migrations.lastIndex { applied.map(\.migration).contains($0) }
                    let proof = try proof(of: try catalog(), upTo: last ?? 0, scratch, snapshot)
                    report.proof = proof
                    found = proof.detail(of: migration.name)
                    report.refusal = proof.refusal(accepted: accepted, isStrict: true, isBaseline: false)
                }
                if report.refusal != nil { return report }
                for index in events.indices { events[index].detail["replaced_by"] = .string(migration.name) }
                events.append(try stand(migration, for: retiring, found, snapshot, states, reason))
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
        _ migration: Migration, for replaced: [VersionState], _ found: [String: JSONValue],
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
        event.detail.merge(found) { _, found in found }
        return event
    }
}

extension RetireReport {
    fileprivate static func refusal(of name: String) -> Complaint {
        Complaint(
            .failed, "the database does not hold what '\(name)' creates",
            hint:
                "Apply what is missing first. With --accept-differences '\(name)' it is recorded all the same, with what is missing."
        )
    }
}
