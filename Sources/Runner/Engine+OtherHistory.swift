internal import Audit
internal import Migrations
internal import Postgres
public import Reporting
internal import Systemd

extension Engine {
    /// Refuses to run files that another history of this database has applied: with another `schema` in the configuration every file is pending again.
    ///
    /// A history of another owner is not read, because reading it could run what that owner has written: it is another deployment's, and told.
    func refuseOtherHistory(_ snapshot: MigrationDirectory.Snapshot, _ limit: String?) throws(RunFailure) {
        guard !isInScratch else { return }
        let pending = try plan(snapshot, try standing().states, limit: limit).pending
        let files = pending.compactMap { step -> (name: String, checksum: String)? in
            guard case .text(let checksum, _) = snapshot.content(of: step.migration) else { return nil }
            return (step.migration.name, checksum)
        }
        guard !files.isEmpty else { return }
        let connection = try sessions.books()
        for other in try store.otherHistories(connection) {
            guard other.isReadable else {
                reporter.say(
                    5,
                    "schema '\(other.schema)' holds another history, which is not this login's and is not compared, ignoring"
                )
                continue
            }
            guard let found = try store.applied(files, in: other, connection) else { continue }
            throw .complaint(
                Complaint(
                    .configuration,
                    "the history in schema '\(other.schema)' of this database says that \(found.count) of the \(files.count) pending file(s) are applied, '\(found.first)' the first",
                    hint:
                        "Where 'schema' was changed by mistake, set schema = \"\(other.schema)\" again. Where the files are to run once more: migrated acknowledge --history '\(other.schema)' --reason TEXT."
                ))
        }
    }

    /// Records that an operator knows the other history in `schema`, and lets this one run files that are applied in it.
    public func acknowledge(history schema: String, reason: String, lockPatience: TimeSpan) throws(RunFailure) -> String
    {
        try prepareHistory()
        let connection = try sessions.books()
        guard try store.otherHistories(connection).contains(where: { $0.schema == schema }) else {
            throw .complaint(
                Complaint(
                    .failed, "schema '\(schema)' holds no other history, or one that was acknowledged before",
                    hint: "The refusal of 'migrated apply' names it."))
        }
        try withLock(patience: lockPatience) { () throws(RunFailure) in
            var event = AuditEvent(.acknowledged, by: try actor())
            event.reason = AuditStore.OtherHistory.reason
            event.object = schema
            event.message = reason
            try record([event])
        }
        return "files that the history in schema '\(schema)' has applied may run again"
    }
}
