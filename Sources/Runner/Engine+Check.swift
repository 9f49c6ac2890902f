internal import Audit
internal import Configuration
internal import Migrations
internal import Postgres
internal import Reporting

extension Engine {
    /// What can be said of the directory with its history beside it: as without a database, but for the statements of applied files, which
    /// nobody can change any more; and of applied files that were changed or have gone. Reads alone.
    public func check(files: [String] = []) throws(RunFailure) -> DirectoryCheck {
        let installed = try store.installedVersion(try sessions.books()) != nil
        let states = installed ? try history.states() : []
        var recorded = DirectoryCheck.Recorded()
        recorded.count = states.count { $0.status.isApplied }
        if let (snapshot, plan) = try planned(states) {
            recorded.refusal = plan.pending.isEmpty ? nil : try manifestRefusal(snapshot)
            recorded.gone = plan.missing.filter(\.status.isApplied).map(\.name)
            for step in plan.steps {
                let path = step.migration.path
                switch step.action {
                case .applied, .renamed, .retired, .unreadable, .covered: recorded.applied.append(path)
                case .edited(let checksum):
                    recorded.edited.append(
                        .init(path: path, from: try history.source(checksum), to: snapshot.files[path]?.bytes))
                default: break
                }
            }
        }
        do throws(Complaint) {
            return try DirectoryCheck(directory, settings, files: files, recorded: recorded)
        } catch {
            throw .complaint(error)
        }
    }

    /// The directory against the history; nil for one that cannot be put in order, of which the check itself tells.
    private func planned(_ states: [VersionState]) throws(RunFailure) -> (MigrationDirectory.Snapshot, Plan)? {
        let snapshot: MigrationDirectory.Snapshot
        do throws(Complaint) {
            snapshot = try directory.read()
        } catch {
            guard error.status == .badFile else { throw .complaint(error) }
            return nil
        }
        return (snapshot, try unsignedPlan(snapshot, states))
    }
}
