internal import Configuration
internal import ForeignKeys
internal import Migrations
internal import Postgres
internal import Replay
internal import Reporting
internal import SQLParsing

extension Engine {
    /// What an `apply` would do now. Writes nothing, not even the history's schema.
    public func outlook(limit: String? = nil) throws(RunFailure) -> Outlook {
        let snapshot = try snapshot()
        let installed = try store.installedVersion(try sessions.books()) != nil
        let states = installed ? try history.states() : []
        let plan = try plan(snapshot, states, limit: limit)
        var summary = RunSummary()
        var entries: [Outlook.Entry] = []
        for step in plan.steps {
            var entry = Outlook.Entry(step: step)
            if case .edited(let recorded) = step.action {
                entry.difference = try harmless(recorded, step.migration.name, snapshot)
            }
            if case .text(let checksum, _) = snapshot.content(of: step.migration) {
                entry.checksum = checksum
                if step.isPending {
                    switch prepared(step, checksum, snapshot) {
                    case .success(let file):
                        entry.script = file.script
                        entry.firstSegment = file.firstSegment
                        entry.skips = try skips(of: file)
                    case .failure(let complaint):
                        entry.complaint = complaint
                        summary.complaints.append(complaint)
                    }
                }
            }
            entries.append(entry)
        }
        let obstacles = Set(plan.steps.compactMap { $0.migration.obstacle?.path })
        var findings = snapshot.set.findings.filter { !obstacles.contains($0.path) }
        // Where nothing is pending it keeps nothing from running, and will.
        if case .failure(let finding)? = snapshot.manifest,
            !plan.steps.contains(where: { $0.action == .invalid(finding) })
        {
            findings.append(finding)
        }
        return Outlook(
            layout: snapshot.set.layout, directory: directory.path,
            summary: try self.summary(of: plan, snapshot, summary), entries: entries,
            findings: findings,
            missing: plan.missing.filter(\.status.isApplied).map(\.name),
            vanished: plan.missing.filter { !$0.status.isApplied }.map(Engine.vanished))
    }

    private func prepared(
        _ step: PlanStep, _ checksum: String, _ snapshot: MigrationDirectory.Snapshot
    ) -> Result<PreparedFile, Complaint> {
        do throws(Complaint) {
            return .success(try prepared(step, checksum, version: step.migration.version, in: snapshot))
        } catch {
            return .failure(error)
        }
    }

    /// Which of a file's objects stand already, where its policy passes over such. By their names as the catalog has them now: what earlier
    /// files will make or drop is not in it, and whether they are the same is compared only when the file runs.
    private func skips(of file: PreparedFile) throws(RunFailure) -> [Outlook.Skip] {
        let existing = file.existing(settings)
        guard existing != .fail else { return [] }
        let script = file.script
        let keys = file.foreignKeyPolicy(settings).leavesFilesAlone ? [] : ForeignKeyStatement.all(in: script)
        let replaying = Replaying(
            existing, script, StatementCut(script, without: keys).text, in: script.statements.indices)
        let items = replaying.statements.sorted().flatMap { replaying[$0] }.filter {
            existing != .skip || !$0.isNameless
        }
        guard !items.isEmpty else { return [] }
        let answers = try look { (connection: Connection) throws(PostgresError) in
            var found: [(item: ReplayItem, standing: Standing)] = []
            for item in items {
                let results = try connection.run(item.question)
                guard results.count >= ReplayItem.answerFromEnd else { continue }
                let answer = results[results.count - ReplayItem.answerFromEnd]
                let row = answer.rows.indices.first.map { answer.texts($0) }
                if let standing = row.flatMap({ Standing($0) }) { found.append((item, standing)) }
            }
            return found
        }
        switch answers {
        case .success(let found):
            return found.map { item, standing in
                Outlook.Skip(
                    object: standing.object, kind: item.word, place: script.place(at: item.range.lowerBound),
                    isCompared: existing != .skip)
            }
        case .failure(let complaint): throw .complaint(complaint)
        }
    }
}
