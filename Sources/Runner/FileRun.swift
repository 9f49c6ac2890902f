internal import Audit
internal import Configuration
internal import JSON
internal import Migrations
internal import Postgres
internal import Reporting
internal import SQLParsing
internal import Systemd

/// Applies one file: each segment in its transaction or alone, each with its record.
///
/// For a file that is one transaction, top to bottom of `transaction` is all that happens: BEGIN, the file's text, the checks, the
/// `applied` event, COMMIT.
struct FileRun {
    let sessions: Sessions
    let store: AuditStore
    let history: History
    let reporter: Reporter
    let settings: Settings
    let actor: AuditEvent.Actor

    /// Why applying a file stops.
    enum Stop: Error {
        /// The file's own failure; nothing of its open segment is left.
        case failure(Failure)
        /// Work with the database cannot go on; how the attempt ended is not known here.
        case run(RunFailure)
    }

    /// Runs what is left of the file; `next` is the following attempt, whose `started` rides in the last commit.
    func apply(_ attempt: inout Attempt, next: Attempt?) throws(Stop) {
        attempt.begin()
        try run { () throws(RunFailure) in try sessions.probeClientCheck(sessions.work()) }
        let script = attempt.prepared.script
        let deadline = attempt.prepared.file.directives.deadline ?? settings.deadline
        let limit = deadline.microseconds > 0 ? Instant.now() + deadline : nil
        let count = script.segments.count
        for index in attempt.firstSegment..<count {
            let began = Instant.now()
            let isLast = index == count - 1
            let segment = script.segments[index]
            switch segment.kind {
            case .transaction:
                try transaction(&attempt, index, limit, next: isLast ? next : nil) { attempt in
                    isLast
                        ? finish(attempt, next) : [attempt.segmentApplied(index, since: began, by: actor)]
                }
            case .alone:
                let found = try alone(&attempt, index, limit)
                FailPoint.aloneDone.pass()
                var events = [attempt.segmentApplied(index, since: began, by: actor, found: found)]
                if isLast { events += finish(attempt, next) }
                try record(events, isLast ? next : nil)
            }
        }
        if attempt.firstSegment == count { try record(finish(attempt, next), next) }
    }

    /// The end of this attempt and the begin of the next.
    private func finish(_ attempt: Attempt, _ next: Attempt?) -> [AuditEvent] {
        [attempt.finished(by: actor)] + (next.map { [$0.started(by: actor)] } ?? [])
    }

    // MARK: A segment that is one transaction

    private func transaction(
        _ attempt: inout Attempt, _ index: Int, _ limit: Instant?, next: Attempt?, _ events: (Attempt) -> [AuditEvent]
    ) throws(Stop) {
        let script = attempt.prepared.script
        let segment = script.segments[index]
        let connection = try run { () throws(RunFailure) in try sessions.work() }

        // BEGIN, with our limits around whatever the file does.
        let opened = try run { () throws(RunFailure) in
            try sessions.run(
                connection,
                """
                \(segment.begin ?? "BEGIN"); \(limits(attempt, scope: "SET LOCAL")) SET LOCAL synchronous_commit = on; \
                SET LOCAL idle_in_transaction_session_timeout = \(settings.idleTimeout.milliseconds); \
                SELECT pg_catalog.pg_current_xact_id()
                """)
        }
        let transaction = opened.last?.text(0, 0)
        FailPoint.transactionOpen.pass()

        // The file's own text, in one message.
        try statements(&attempt, connection, script.sql(in: segment), index, limit)
        FailPoint.statementsDone.pass()

        // Still our transaction? Deferred triggers fire now, so that nothing of the file runs behind the record.
        guard connection.transactionStatus == .inTransaction else { throw .failure(escaped(script)) }
        let lock = try run { () throws(RunFailure) in try sessions.lock() }
        let closed = try statements(
            &attempt, connection,
            Array(
                """
                SET CONSTRAINTS ALL IMMEDIATE; RESET SESSION AUTHORIZATION; RESET ROLE; SET LOCAL synchronous_commit = on; \
                SET LOCAL search_path = pg_catalog, pg_temp; SET LOCAL lock_timeout = '30s'; SET LOCAL statement_timeout = '60s'; \
                SELECT pg_catalog.pg_current_xact_id(), \(DatabaseLock.heldCondition(backendPID: lock.sessionPID)); \
                \(store.headQuery)
                """.utf8), nil, limit)
        guard let check = closed.dropLast().last, check.text(0, 0) == transaction else {
            throw .failure(escaped(script))
        }
        guard check.isTrue(0, 1) else {
            throw .failure(
                Failure(
                    "lock_lost",
                    Complaint(
                        .tryLater, "the lock on the database was lost while the file ran",
                        place: Place(file: script.file)),
                    interrupts: true))
        }

        // The record, and COMMIT.
        let (head, clock) = try run { () throws(RunFailure) in try store.head(closed.last) }
        let list = events(attempt)
        let records = store.link(list, behind: head, clock: clock)
        FailPoint.beforeAppend.pass()
        try commit(connection, sources(next) + records.map(store.append), records[0].event.eventID, transaction, script)
        FailPoint.afterCommit.pass()
        records.forEach(reporter.report)
    }

    private func commit(
        _ connection: Connection, _ steps: [Connection.Step], _ first: UUID, _ transaction: String?, _ script: Script
    ) throws(Stop) {
        do throws(RunFailure) {
            FailPoint.beforeCommit.pass()
            try sessions.pipeline(connection, steps + [Connection.Step("COMMIT")])
        } catch {
            switch error {
            case .refused(.server(let server)): throw .failure(Failure(server, in: script, segment: nil))
            case .lost(let cause):
                // The answer to COMMIT was lost: the event itself tells whether it is committed.
                guard try settle(first, transaction) else { throw .failure(lost(cause, script)) }
            default: throw .run(error)
            }
        }
    }

    /// Whether the event is committed, once that is certain.
    private func settle(_ event: UUID, _ transaction: String?) throws(Stop) -> Bool {
        sessions.dropWork()
        return try run { () throws(RunFailure) in
            while true {
                if try history.seq(of: event) != nil { return true }
                guard let transaction else { return false }
                do throws(RunFailure) {
                    guard try history.isInProgress(transaction: transaction) else {
                        // It may have ended between the two questions.
                        return try history.seq(of: event) != nil
                    }
                } catch .refused {
                    // An id that this server does not know: another server answers now, and the row is all that counts.
                    return try history.seq(of: event) != nil
                }
                try sessions.pause(.milliseconds(200))
            }
        }
    }

    /// Records events in a transaction of their own; a lost answer is settled by the first of them.
    private func record(_ events: [AuditEvent], _ next: Attempt?) throws(Stop) {
        let records = try run { () throws(RunFailure) in try store.record(events, with: sources(next)) }
        FailPoint.afterCommit.pass()
        records.forEach(reporter.report)
    }

    /// What keeps the exact bytes of the file whose attempt begins.
    private func sources(_ next: Attempt?) -> [Connection.Step] {
        next.map { [store.keep(source: $0.prepared.file.bytes, checksum: $0.prepared.file.checksum)] } ?? []
    }

    // MARK: The file's text

    /// Sends text and waits, however long it takes; a stop and the deadline cancel it.
    @discardableResult
    func statements(
        _ attempt: inout Attempt, _ connection: Connection, _ sql: [UInt8], _ index: Int?, _ limit: Instant?
    ) throws(Stop) -> [QueryResult] {
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
            return try connection.run(sql)
        } catch {
            if let cause = sessions.waiter.cause { throw .failure(ended(cause, script)) }
            switch error {
            case .server(let server):
                var failure = Failure(server, in: script, segment: index)
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

    private func ended(_ cause: Patience.Cause, _ script: Script) -> Failure {
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
    private func lost(_ error: PostgresError, _ script: Script) -> Failure {
        var complaint = error.complaint
        complaint.status = .unavailable
        complaint.place = Place(file: script.file)
        return Failure("connection_lost", complaint, interrupts: true)
    }

    private func escaped(_ script: Script) -> Failure {
        Failure(
            "escaped_transaction",
            Complaint(
                .failed, "the file ended the transaction that it ran in; what it did before may be committed",
                hint: "Look at what is there, then 'migrated resolve' the version.", place: Place(file: script.file)))
    }

    /// A runner's failure as a reason to stop.
    func run<Value>(_ body: () throws(RunFailure) -> Value) throws(Stop) -> Value {
        do throws(RunFailure) {
            return try body()
        } catch {
            throw .run(error)
        }
    }
}
