internal import Audit
internal import Configuration
internal import JSON
internal import Migrations
internal import Postgres
internal import Reporting
internal import SQLLexing
internal import SQLParsing
internal import Systemd

extension FileRun {
    /// Sends a segment that nothing is to be cut from, with statements of ours behind it where there are any; returns what the last message
    /// was answered with.
    func statements(
        _ attempt: inout Attempt, _ connection: Connection, _ segment: Segment, _ index: Int, _ limit: Instant?,
        _ closing: String?
    ) throws(Stop) -> [QueryResult] {
        let script = attempt.prepared.script
        let parts = script.messages(segment.statements, messages)
        // Where the text could not be parsed there are no statements.
        guard parts.count > 1 else {
            return try statements(&attempt, connection, Piece(segment, index, script), limit, closing)
        }
        var answers: [QueryResult] = []
        for range in parts {
            let isLast = range.upperBound == segment.statements.upperBound
            answers = try statements(
                &attempt, connection, Piece(range, index, script, script.text), limit, isLast ? closing : nil)
        }
        return answers
    }

    /// Sends some statements of a segment, of a copy of the script's text in which parts are blanked.
    func statements(
        _ attempt: inout Attempt, _ connection: Connection, _ range: Range<Int>, _ index: Int, _ text: [UInt8],
        _ limit: Instant?
    ) throws(Stop) {
        for range in attempt.prepared.script.messages(range, messages) {
            try statements(&attempt, connection, Piece(range, index, attempt.prepared.script, text), limit)
        }
    }

    /// Sends a piece of the file, with statements of ours behind it where there are any, and waits, however long it takes; a stop and the
    /// deadline cancel it.
    @discardableResult
    func statements(
        _ attempt: inout Attempt, _ connection: Connection, _ piece: Piece, _ limit: Instant?, _ closing: String? = nil
    ) throws(Stop) -> [QueryResult] {
        let script = attempt.prepared.script
        // Behind a line end, because a comment may be the piece's last word.
        let ours = closing.map { Array("\n;\($0)".utf8) } ?? []
        return try guarded(
            &attempt, connection, limit, at: piece.statements,
            { Failure($0, in: script, piece: piece.contains(result: $0.statementsDone) ? piece : nil) }
        ) { (connection: Connection) throws(PostgresError) in
            try connection.run(piece.sql + ours, copying: CopiedRows(script.rowBytes, piece.rows))
        }
    }

    /// Lets the server work for the file under its limits, keeps what it says meanwhile, and tells a refusal from an interruption.
    ///
    /// `range` names the statements of the file that it is about, where it is about any.
    func guarded<Value>(
        _ attempt: inout Attempt, _ connection: Connection, _ limit: Instant?,
        at range: @autoclosure @escaping () -> Range<Int>? = nil, _ failure: (ServerError) -> Failure,
        _ body: (Connection) throws(PostgresError) -> Value
    ) throws(Stop) -> Value {
        let script = attempt.prepared.script
        var notices = attempt.notices
        connection.onNotice = { [reporter, event = attempt.event(.started, by: actor)] notice in
            guard let notice = notices.take(notice) else { return }
            reporter.say(
                notice.severity == "WARNING" ? 4 : 6, "\(event.name ?? ""): \(notice.severity): \(notice.message)",
                [("MIGRATED_VERSION", event.version ?? ""), ("MIGRATED_NAME", event.name ?? "")])
        }
        defer {
            connection.onNotice = nil
            attempt.notices = notices
        }
        let watch = try watch(attempt, connection, range)
        defer { if let watch { sessions.waiter.dismiss(watch) } }
        sessions.waiter.begin(.statements(until: limit), cancellation: connection.cancellation())
        let value: Value
        do throws(PostgresError) {
            value = try body(connection)
        } catch {
            if let cause = sessions.waiter.cause { throw .failure(ended(cause, script)) }
            switch error {
            case .server(let server):
                var failure = failure(server)
                if server.sqlstate == "25006" { readOnly(connection, script, &failure) }
                if failure.reason == "lock_timeout", let watch { name(watch.blockers, attempt, &failure) }
                throw .failure(failure)
            case .lost: throw .failure(lost(error, script))
            case .abandoned, .invalidTarget: throw .run(sessions.failure(error))
            }
        }
        try run { () throws(RunFailure) in try sessions.keepEncoding(connection) }
        return value
    }

    /// Looks how far the file's statements have come and who is in their way, for as long as they run.
    private func watch(
        _ attempt: Attempt, _ connection: Connection, _ range: @escaping () -> Range<Int>?
    ) throws(Stop) -> StatementWatch? {
        let lockTimeout = attempt.prepared.file.directives.lockTimeout ?? settings.lockTimeout
        guard lockTimeout.microseconds > 0 || reporter.onProgress != nil else { return nil }
        let asking = try run { () throws(RunFailure) in try sessions.watch() }
        let watch = StatementWatch(asking, backend: connection.sessionPID, lockTimeout: lockTimeout)
        if reporter.onProgress != nil {
            let count = attempt.prepared.script.statements.count
            watch.onProgress = { [reporter] running, activity in
                reporter.progressed(Progress.Work(statements: range(), of: count, running: running, activity: activity))
            }
        }
        sessions.waiter.employ(watch)
        return watch
    }

    /// Tells a database that takes no writes for now from a file that makes its own transaction read-only.
    private func readOnly(_ connection: Connection, _ script: Script, _ failure: inout Failure) {
        sessions.waiter.begin(.bookkeeping(from: .now()))
        // What cannot be asked leaves the failure as the server has put it.
        guard (try? connection.run("ROLLBACK")) != nil, let answer = try? connection.query(ReadOnlyPeriod.question)
        else { return }
        if let period = ReadOnlyPeriod(answer) {
            failure.hold(period)
        } else if !script.saysReadOnly {
            // It was over as soon as it was asked for, or a function has done it: trying again a few times tells which.
            failure.reason = "read_only"
        }
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
    ///
    /// - Parameters:
    ///   - isConcurrent: whether the statement is CONCURRENTLY, which has a limit of its own.
    ///   - waitsForSnapshots: whether it waits for old transactions with locks that block no one, as the concurrent build of an index does.
    func limits(
        _ attempt: Attempt, scope: String, isConcurrent: Bool = false, waitsForSnapshots: Bool = false
    ) -> String {
        let directives = attempt.prepared.file.directives
        let statement =
            isConcurrent
            ? directives.concurrentTimeout ?? settings.concurrentTimeout
            : directives.statementTimeout ?? settings.statementTimeout
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
        let words = script.secrets.hiding(in: error.serverError?.message ?? "")
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
