internal import Audit
internal import Configuration
internal import Migrations
internal import Postgres
public import Reporting
internal import SQLParsing
internal import Systemd

/// How far a rollback goes.
public enum RollbackGoal: Sendable, Equatable {
    /// Everything that was applied after that version.
    case to(String)
    /// That many, the one applied last first.
    case last(Int)
}

/// What a rollback came to.
public struct RollbackSummary: Sendable {
    /// Names of what was undone, in that order.
    public var rolledBack: [String] = []
    /// What stopped it.
    public var complaint: Complaint?
}

extension Engine {
    /// Undoes applied migrations by their down files, the one applied last first: each an attempt of its own, under the same lock,
    /// limits and segments as going up.
    ///
    /// Everything is found, read and parsed before anything runs. A version without a down file is refused, unless
    /// `recordWithoutDownFile` says to record it as undone without doing anything. `reason` is the operator's, for the record.
    public func rollback(
        _ goal: RollbackGoal, reason: String? = nil, recordWithoutDownFile: Bool, restoresOrphans: Bool,
        lockPatience: TimeSpan
    ) throws(RunFailure) -> RollbackSummary {
        let snapshot = try snapshot()
        try prepareHistory()
        return try withLock(patience: lockPatience) { () throws(RunFailure) in
            try recover()
            try noteCatalogDrift()
            try requireManifest(snapshot)
            let files = try downFiles(try goalVersions(goal), snapshot, recordWithoutDownFile)
            let run = FileRun(
                sessions: sessions, store: store, history: history, reporter: reporter, settings: settings,
                actor: try actor(), catalog: catalogWatch, messages: try messages(files.compactMap(\.prepared)))
            var summary = RollbackSummary()
            for (index, file) in files.enumerated() {
                switch file {
                case .prepared(let prepared):
                    reporter.proceeds("rolling back", prepared.migration.name, index + 1, of: files.count)
                    var attempt = try attempt(prepared, snapshot.set.layout)
                    attempt.why = reason
                    attempt.undone = try undoneKeys(version: prepared.version, snapshot, by: run.actor)
                    if restoresOrphans { attempt.restores = try history.cleanupAttempts(version: prepared.version) }
                    try start(attempt, run.actor)
                    summary.complaint = try perform(attempt, next: nil, run)
                    if summary.complaint != nil { return summary }
                    // A file that ends outside of a transaction has no last one for the rows to come back in.
                    if prepared.script.segments.last?.kind != .transaction {
                        for cleanup in attempt.restores {
                            _ = try restoreOrphans(attempt: cleanup, lockPatience: lockPatience)
                        }
                    }
                    summary.rolledBack.append(prepared.migration.name)
                case .none(let version, let name):
                    var event = AuditEvent(.rolledBack, by: run.actor)
                    event.version = version
                    event.name = name
                    event.direction = .down
                    event.reason = "no_down_file"
                    event.message = reason
                    try record([event])
                    summary.rolledBack.append(name)
                }
            }
            return summary
        }
    }

    private enum DownFile {
        case prepared(PreparedFile)
        case none(version: String, name: String)

        var prepared: PreparedFile? {
            if case .prepared(let file) = self { file } else { nil }
        }
    }

    private func goalVersions(_ goal: RollbackGoal) throws(RunFailure) -> [(version: String, name: String)] {
        let applied = try history.appliedInReverse()
        switch goal {
        case .last(let count): return Array(applied.prefix(count))
        case .to(let version):
            let number = Version(version)
            let kept = applied.firstIndex { entry in
                entry.version == version || entry.name == version || (number != nil && Version(entry.version) == number)
            }
            guard let kept else {
                throw .complaint(
                    Complaint(
                        .usage, "version '\(version)' is not applied",
                        hint: "See 'auditctl status' for what is, and in which order."))
            }
            return Array(applied.prefix(kept))
        }
    }

    private func downFiles(
        _ versions: [(version: String, name: String)], _ snapshot: MigrationDirectory.Snapshot,
        _ recordWithoutDownFile: Bool
    ) throws(RunFailure) -> [DownFile] {
        var files: [DownFile] = []
        let committed = try history.committedParts(of: versions.map(\.version), .down)
        for (version, name) in versions {
            let identity = snapshot.set.identity(version: version, name: name)
            let migration = snapshot.set.migrations.first { $0.identity == identity }
            do throws(Complaint) {
                var file: MigrationFile?
                if var down = migration, let path = down.downPath {
                    down.path = path
                    file = try directory.read(down, in: snapshot)
                }
                if let file, file.has(.down) {
                    var prepared = try PreparedFile(
                        down: file, version: version, committed: committed[version] ?? [], settings: settings)
                    prepared.signature = directory.signature(of: file, in: snapshot)
                    files.append(.prepared(prepared))
                } else if recordWithoutDownFile {
                    files.append(.none(version: version, name: name))
                } else {
                    throw Complaint(
                        .badFile,
                        "'\(name)' has no down \(file == nil ? "file" : "section"), nothing was rolled back",
                        hint:
                            "Add what undoes it, or give --record-without-down-file once it is undone by hand.")
                }
            } catch {
                throw .complaint(error)
            }
        }
        return files
    }
}
