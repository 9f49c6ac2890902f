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
        var goal: [Migration]?
        while true {
            var missing = "the database cannot be reached"
            do throws(RunFailure) {
                if goal == nil, version == nil { goal = try snapshot().set.migrations }
                let open = try unapplied(goal ?? [], version)
                if open.isEmpty { return }
                missing = "waiting for \(open.count) migration(s), the next is '\(open[0])'"
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

    /// Names of what is not applied yet.
    private func unapplied(_ goal: [Migration], _ version: String?) throws(RunFailure) -> [String] {
        let installed = try store.installedVersion(try sessions.books()) != nil
        let applied = installed ? try history.states().filter(\.status.isApplied) : []
        if let version {
            let number = Version(version)
            let found = applied.contains { state in
                state.version == version || state.name == version || (number != nil && Version(state.version) == number)
            }
            return found ? [] : [version]
        }
        let versions = Set(applied.map(\.version))
        let names = Set(applied.map(\.name))
        return goal.filter { migration in
            // A name, or a version that counts as it is written.
            if case .named(let key) = migration.identity { return !names.contains(key) && !versions.contains(key) }
            return !versions.contains(migration.version)
                && !applied.contains { Version($0.version) == Version(migration.version) }
        }.map(\.name)
    }

    private func pauseForNews(until end: Instant?) throws(RunFailure) {
        let span = TimeSpan.milliseconds(200)
        try sessions.pause(end.map { min($0 - .now(), span) } ?? span)
    }
}
