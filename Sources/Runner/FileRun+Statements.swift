internal import Audit
internal import Configuration
internal import JSON
internal import Migrations
internal import Postgres
internal import Reporting
internal import SQLParsing
internal import Systemd

extension FileRun {
    /// Sends a piece of the file and waits, however long it takes; a stop and the deadline cancel it.
    func statements(
        _ attempt: inout Attempt, _ connection: Connection, _ piece: Piece, _ limit: Instant?
    ) throws(Stop) {
        let script = attempt.prepared.script
        _ = try guarded(&attempt, connection, limit, { Failure($0, in: script, piece: piece) }) {
            (connection: Connection) throws(PostgresError) in try connection.run(piece.sql)
        }
    }

    /// Lets the server work for the file under its limits, keeps what it says meanwhile, and tells a refusal from an interruption.
    func guarded<Value>(
        _ attempt: inout Attempt, _ connection: Connection, _ limit: Instant?, _ failure: (ServerError) -> Failure,
        _ body: (Connection) throws(PostgresError) -> Value
    ) throws(Stop) -> Value {
        let script = attempt.prepared.script
        var notices = attempt.notices
        connection.onNotice = { [reporter, event = attempt.event(.started, by: actor)] notice in
            guard notices.take(notice) else { return }
            reporter.say(
                notice.severity == "WARNING" ? 4 : 6, "\(event.name ?? ""): \(notice.severity): \(notice.message)",
                [("MIGRATED_VERSION", event.version ?? ""), ("MIGRATED_NAME", event.name ?? "")])
        }
        defer {
            connection.onNotice = nil
            attempt.notices = notices
        }
        let watch = try watchBlockers(attempt, connection)
        defer { if let watch { sessions.waiter.dismiss(watch) } }
        sessions.waiter.begin(.statements(until: limit), cancellation: connection.cancellation())
        do throws(PostgresError) {
            return try body(connection)
        } catch {
            if let cause = sessions.waiter.cause { throw .failure(ended(cause, script)) }
            switch error {
            case .server(let server):
                var failure = failure(server)
                if failure.reason == "lock_timeout", let watch { name(watch.blockers, attempt, &failure) }
                throw .failure(failure)
            case .lost: throw .failure(lost(error, script))
            case .abandoned, .invalidTarget: throw .run(sessions.failure(error))
            }
        }
    }

    /// Looks for who is in the way, for as long as the file's statements run.
    private func watchBlockers(_ attempt: Attempt, _ connection: Connection) throws(Stop) -> BlockerWatch? {
        let lockTimeout = attempt.prepared.file.directives.lockTimeout ?? settings.lockTimeout
        guard lockTimeout.microseconds > 0 else { return nil }
        let asking = try run { () throws(RunFailure) in try sessions.lock() }
        let watch = BlockerWatch(asking, waiting: connection.sessionPID, lockTimeout: lockTimeout)
        sessions.waiter.employ(watch)
        return watch
    }

    /// Names the sessions that the file had waited for, in the failure and in the journal.
    private func name(_ blockers: [Blocker], _ attempt: Attempt, _ failure: inout Failure) {
        guard !blockers.isEmpty else { return }
        failure.detail["blockers"] = .array(blockers.map(\.json))
        for blocker in blockers {
            reporter.say(
                4, "\(attempt.prepared.migration.name): waited for a lock: \(blocker.description)",
                [("MIGRATED_VERSION", attempt.prepared.version), ("MIGRATED_NAME", attempt.prepared.migration.name)])
        }
    }

    /// The statements that set our limits; `scope` is SET or SET LOCAL.
    func limits(_ attempt: Attempt, scope: String, waitsForSnapshots: Bool = false) -> String {
        let directives = attempt.prepared.file.directives
        let statement = directives.statementTimeout ?? settings.statementTimeout
        // A concurrent build waits for old snapshots with locks that hold up nobody: there the statement's limit is the bound.
        let lock = waitsForSnapshots ? TimeSpan.seconds(0) : directives.lockTimeout ?? settings.lockTimeout
        return "\(scope) statement_timeout = \(statement.milliseconds); \(scope) lock_timeout = \(lock.milliseconds); "
            + sessions.clientCheck(scope: scope)
    }

    func ended(_ cause: Patience.Cause, _ script: Script) -> Failure {
        switch cause {
        case .stop:
            Failure(
                "stopped",
                Complaint(
                    .tryLater, "stopped by a signal; the statement was cancelled", place: Place(file: script.file)),
                interrupts: true)
        case .deadline:
            Failure(
                "deadline",
                Complaint(
                    .failed, "the file did not end before its deadline; it was cancelled",
                    hint: "Raise 'deadline' in the configuration or in the file's head, or cut the file in two.",
                    place: Place(file: script.file), sqlstate: "57014"))
        }
    }

    /// What the loss of the session means for the file.
    func lost(_ error: PostgresError, _ script: Script) -> Failure {
        let words = error.serverError?.message ?? ""
        let complaint = Complaint(
            .unavailable, "the session was lost while the file ran" + (words.isEmpty ? "" : ": \(words)"),
            hint: "What it had open is rolled back; the next attempt goes on behind what is recorded.",
            place: Place(file: script.file), sqlstate: error.sqlstate)
        return Failure("connection_lost", complaint, interrupts: true)
    }

    func escaped(_ script: Script) -> Failure {
        Failure(
            "escaped_transaction",
            Complaint(
                .failed, "the file ended the transaction that it ran in; what it did before may be committed",
                hint: "Look at what is there, then 'migrated resolve' the version.", place: Place(file: script.file)))
    }
}
