internal import Audit
internal import Configuration
internal import JSON
internal import Migrations
internal import Postgres
internal import Reporting

extension Engine {
    /// Events for what is not run and for what has drifted, as far as they were not recorded before: once per file, text and reason.
    func news(
        of plan: Plan, _ snapshot: MigrationDirectory.Snapshot, bad: [BadFile] = []
    ) throws(RunFailure) -> [AuditEvent] {
        var skipped: [AuditEvent] = []
        var drifted: [AuditEvent] = []
        let actor = try actor()
        let stopped = Dictionary(bad.map { ($0.step.migration.path, $0) }, uniquingKeysWith: { first, _ in first })
        for step in plan.steps {
            // Most files have nothing to tell.
            if case .applied = step.action { continue }
            var event = AuditEvent(.skipped, by: actor)
            event.version = step.migration.version
            event.name = step.migration.name
            if case .text(let checksum, _) = snapshot.content(of: step.migration) { event.checksum = checksum }
            if let complaint = stopped[step.migration.path]?.complaint {
                event.reason = step.skipReason ?? "invalid_file"
                event.explain(complaint)
                skipped.append(event)
            } else if step.isPending, let first = bad.first {
                event.reason = "blocked_by_failure"
                event.detail["blocked_by"] = .string(first.step.migration.version)
                skipped.append(event)
            } else if case .edited(let recorded) = step.action {
                event.event = .driftDetected
                event.reason = "file_changed"
                event.detail["recorded"] = .string(recorded)
                drifted.append(event)
            } else if case .renamed(let old) = step.action {
                event.event = .driftDetected
                event.reason = "file_renamed"
                event.detail["renamed_from"] = .string(old)
                drifted.append(event)
            } else if let reason = step.skipReason {
                event.reason = reason
                switch step.action {
                case .blocked(let by): event.detail["blocked_by"] = .string(by)
                case .late(let before): event.detail["before"] = .string(before)
                case .unmetRequirement(let version): event.detail["requires"] = .string(version)
                case .invalid(let finding), .unreadable(let finding): event.explain(finding.complaint)
                case .held(let discrepancy): event.explain(discrepancy.complaint(step.migration))
                default: break
                }
                skipped.append(event)
            }
        }
        // What keeps a migration from running is told with it.
        let obstacles = Set(plan.steps.compactMap { $0.migration.obstacle?.path })
        for finding in snapshot.set.findings where !obstacles.contains(finding.path) {
            var event = AuditEvent(.skipped, by: actor)
            event.name = finding.path
            event.reason = finding.reason.rawValue
            event.explain(finding.complaint)
            skipped.append(event)
        }
        for state in plan.missing {
            var event = AuditEvent(.driftDetected, by: actor)
            event.version = state.version
            event.name = state.name
            event.checksum = state.checksum
            event.reason = "file_missing"
            if !state.status.isApplied {
                event.reason = "partly_applied_file_missing"
                event.message = Engine.vanished(state)
                event.detail["segments_done"] = .integer(Int64(state.committed.count))
            }
            drifted.append(event)
        }
        var newlyDrifted = try unrecorded(drifted, .driftDetected)
        for index in newlyDrifted.indices {
            let event = newlyDrifted[index]
            guard event.reason == "file_changed", let recorded = event.detail["recorded"]?.string,
                let name = event.name, let words = try harmless(recorded, name, snapshot)
            else { continue }
            newlyDrifted[index].message = "\(name) differs from what was applied \(words)"
            newlyDrifted[index].detail["difference"] = .string(words)
        }
        return try unrecorded(skipped, .skipped) + newlyDrifted
    }

    /// What is said of a migration that was applied in part and has no file any more: nothing will ever go on with it by itself.
    static func vanished(_ state: VersionState) -> String {
        let parts = state.committed.count
        return
            "'\(state.name)' was applied in part (\(parts == 1 ? "1 part is" : "\(parts) parts are") committed), and its file is missing"
    }

    /// In what an applied file differs from its text in the history, where that changes nothing of what it does; nil where more differs or its text
    /// cannot be had.
    func harmless(
        _ recorded: String, _ name: String, _ snapshot: MigrationDirectory.Snapshot
    ) throws(RunFailure) -> String? {
        guard let migration = snapshot.set.migrations.first(where: { $0.name == name }),
            case .text(let checksum, _) = snapshot.content(of: migration), let applied = try history.source(recorded)
        else { return nil }
        do throws(Complaint) {
            return TextDifference.harmless(
                applied: applied, now: try directory.file(migration, checksum: checksum, in: snapshot).bytes)
        } catch {
            return nil
        }
    }

    private func unrecorded(_ events: [AuditEvent], _ kind: EventKind) throws(RunFailure) -> [AuditEvent] {
        guard !events.isEmpty else { return [] }
        let known = try history.skips(event: kind)
        return events.filter { event in
            !known.contains(History.Skip(name: event.name ?? "", checksum: event.checksum, reason: event.reason ?? ""))
        }
    }

    /// Records that what is not applied yet waits for another process, which may be at some of it.
    func recordLockedElsewhere(
        _ plan: Plan, _ snapshot: MigrationDirectory.Snapshot, _ holder: LockHolder?
    ) throws(RunFailure) {
        let actor = try actor()
        let events = plan.steps.filter(\.waitsForProcess).map { step in
            var event = AuditEvent(.skipped, by: actor)
            event.version = step.migration.version
            event.name = step.migration.name
            if case .text(let checksum, _) = snapshot.content(of: step.migration) { event.checksum = checksum }
            event.reason = holder.map(\.isOurs) ?? true ? "locked_elsewhere" : AuditEvent.lockedByOtherRole
            if let holder {
                event.detail["holder"] = [
                    "application": .string(holder.application), "backend_pid": .integer(Int64(holder.backendPID)),
                    "address": JSONValue(holder.address), "connected_seconds": JSONValue(holder.seconds),
                    "db_user": .string(holder.role),
                ]
            }
            return event
        }
        try record(try unrecorded(events, .skipped))
    }

    /// Where the line stands: the plan, and what stands in its way.
    func summary(
        of plan: Plan, _ snapshot: MigrationDirectory.Snapshot, _ summary: RunSummary
    ) throws(RunFailure) -> RunSummary {
        var summary = summary
        summary.plan = plan
        guard summary.complaints.isEmpty else { return summary }
        if let mismatch = plan.mismatch, plan.steps.isEmpty {
            summary.complaints.append(mismatch.complaint(of: directory.path))
        }
        if settings.onDrift == .stop { summary.complaints += plan.missing.compactMap(deleted) }
        for step in plan.steps {
            switch step.action {
            case .waitsForMending: summary.complaints.append(try earlierFailure(step))
            case .rolledBack:
                summary.complaints.append(
                    Complaint(
                        .failed, "'\(step.migration.name)' was rolled back and holds up the line",
                        hint: "Mend the file, or 'migrated retry \(step.migration.version)' to apply it as it is.",
                        place: Place(file: step.migration.path)))
            case .late(let before):
                summary.complaints.append(
                    Complaint(
                        .failed, "'\(step.migration.name)' sorts before '\(before)', which is applied already",
                        hint: "Give it a later number, or set late = \"apply\" to run it out of order.",
                        place: Place(file: step.migration.path)))
            case .held(let discrepancy): summary.complaints.append(discrepancy.complaint(step.migration))
            case .renamed(let old) where settings.onDrift == .stop:
                let version = step.migration.version
                summary.complaints.append(
                    Complaint(
                        .badFile, "'\(step.migration.name)' is '\(old)', which is applied, under another name",
                        hint:
                            "Restore the old name, or accept the new one: 'migrated resolve \(version) --applied --reason TEXT'.",
                        place: Place(file: step.migration.path)))
            case .edited where settings.onDrift == .stop:
                guard case .edited(let recorded) = step.action else { break }
                let version = step.migration.version
                let words = try harmless(recorded, step.migration.name, snapshot).map { " (\($0))" } ?? ""
                summary.complaints.append(
                    Complaint(
                        .failed,
                        "'\(step.migration.name)' has changed since it was applied\(words), and blocks later migrations",
                        hint:
                            "Put the file back as it was (see 'auditctl show \(version)'), or accept its text: 'migrated resolve \(version) --applied'.",
                        place: Place(file: step.migration.path)))
            case .unmetRequirement(let version):
                summary.complaints.append(
                    Complaint(
                        .failed, "'\(step.migration.name)' requires '\(version)', which is not applied before it",
                        hint: "Add that migration, or mend the 'requires' directive.",
                        place: Place(file: step.migration.path)))
            case .invalid(let finding): summary.complaints.append(finding.complaint)
            default: break
            }
        }
        return summary
    }

    /// What keeps later files from running where an applied one is missing; nil for what was applied only in part.
    private func deleted(_ state: VersionState) -> Complaint? {
        guard state.status.isApplied, !state.repeatable else { return nil }
        return Complaint(
            .badFile, "'\(state.name)' is applied, and its file is missing",
            hint: "Restore the file, or 'migrated retire \(state.version) --reason TEXT'.")
    }

    /// What an earlier attempt at the same text said.
    private func earlierFailure(_ step: PlanStep) throws(RunFailure) -> Complaint {
        let found = try sessions.query(
            sessions.books(),
            """
            SELECT message, sqlstate, detail FROM \(store.schema).migration_rollback_audit
             WHERE event = 'failed' AND name = $1 ORDER BY seq DESC LIMIT 1
            """, [try sessions.written(name: step.migration.name)])
        let detail = found.rows.isEmpty ? .null : History.json(found.rows[0][2])
        return Complaint(
            .failed, "failed before and waits for mending: \(found.rows.isEmpty ? "" : found.text(0, 0) ?? "")",
            hint:
                "Mend the file, and it is tried at once; or 'migrated retry \(step.migration.version)' to try it as it is.",
            place: Place(
                file: detail["verify"]?.string ?? step.migration.path, line: detail["line"]?.integer.map(Int.init),
                column: detail["column"]?.integer.map(Int.init)),
            sqlstate: found.rows.isEmpty ? nil : found.text(0, 1))
    }
}

extension PlanStep {
    /// Whether it would run, or is perhaps running, in the process that holds the lock.
    fileprivate var waitsForProcess: Bool {
        switch action {
        case .pending, .running: true
        default: false
        }
    }
}

extension AuditEvent {
    /// Takes over what a complaint says.
    mutating func explain(_ complaint: Complaint) {
        message = complaint.message
        if let hint = complaint.hint { detail["hint"] = .string(hint) }
        if let line = complaint.place?.line { detail["line"] = .integer(Int64(line)) }
        if let column = complaint.place?.column { detail["column"] = .integer(Int64(column)) }
    }
}
