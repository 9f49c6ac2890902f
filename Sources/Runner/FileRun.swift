internal import Audit
internal import Configuration
internal import ForeignKeys
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
    /// Nil where the catalog is not read.
    let catalog: CatalogWatch?
    /// How much of a file goes into one message.
    var messages = Script.Messages.long

    /// Why applying a file stops.
    enum Stop: Error {
        /// The file's own failure; nothing of its open segment is left.
        case failure(Failure)
        /// Work with the database cannot go on; how the attempt ended is not known here.
        case run(RunFailure)

        /// The same with the values of rows in its words.
        var revealed: Stop {
            guard case .failure(var failure) = self else { return self }
            failure.reveal()
            return .failure(failure)
        }
    }

    /// Runs what is left of the file; `next` is the following attempt, whose `started` rides in the last commit.
    func apply(_ attempt: inout Attempt, next: Attempt?) throws(Stop) {
        attempt.begin()
        try run { () throws(RunFailure) in try sessions.probeClientCheck() }
        let script = attempt.prepared.script
        if script.isEmpty { reporter.say(6, "\(attempt.prepared.migration.name): nothing to do") }
        let deadline = attempt.prepared.file.directives.deadline ?? settings.deadline
        let limit = deadline.microseconds > 0 ? Instant.now() + deadline : nil
        let count = script.segments.count
        let verification = attempt.prepared.verification
        var isFinished = false
        for index in attempt.firstSegment..<count {
            let began = Instant.now()
            let segment = script.segments[index]
            // What verifies the file runs in its last transaction; behind what is none, before the record.
            let isLast = index == count - 1 && (verification == nil || segment.kind == .transaction)
            isFinished = isLast
            switch segment.kind {
            case .transaction:
                let body = { (attempt: inout Attempt, connection: Connection, closing: String) throws(Stop) -> Work in
                    // The file's own text, in one message.
                    guard isLast, verification != nil || !attempt.restores.isEmpty else {
                        return try pieces(&attempt, connection, index, limit, closing)
                    }
                    let work = try pieces(&attempt, connection, index, limit)
                    if let verification { try verify(verification, &attempt, connection, limit) }
                    return Work(events: work.events + (try restoreOrphans(&attempt, connection, limit)))
                }
                try transaction(
                    &attempt, index, limit, next: isLast ? next : nil, body
                ) { attempt in
                    isLast
                        ? finish(attempt, next) : [attempt.segmentApplied(index, since: began, by: actor)]
                }
            case .stepwise:
                let closing = Closing(next: isLast ? next : nil) { attempt in
                    isLast
                        ? finish(attempt, next) : [attempt.segmentApplied(index, since: began, by: actor)]
                }
                try stepwise(&attempt, index, limit, closing)
            case .alone:
                let done = try alone(&attempt, index, limit)
                FailPoint.aloneDone.pass()
                try confirmAlone(before: segment.statements.upperBound, &attempt, limit)
                var events = done.events + [attempt.segmentApplied(index, since: began, by: actor, found: done.found)]
                if isLast { events += finish(attempt, next) }
                try record(events, isLast ? next : nil, &attempt)
            }
        }
        if isFinished { return }
        if let verification { try verifyAlone(verification, &attempt, limit) }
        try record(finish(attempt, next), next, &attempt)
    }

    /// The end of this attempt and the begin of the next.
    private func finish(_ attempt: Attempt, _ next: Attempt?) -> [AuditEvent] {
        [attempt.finished(by: actor)] + (next.map { [$0.started(by: actor)] } ?? [])
    }

    // MARK: A segment that is one transaction

    /// What was done in a transaction.
    struct Work {
        /// What is to be recorded of it.
        var events: [AuditEvent] = []
        /// The answers of the last message, where that ended in the closing statements.
        var closed: [QueryResult]?
    }

    /// Does the work of a transaction in the session; the text is that of the closing statements, which it may send behind its last words.
    typealias Body = (inout Attempt, Connection, String) throws(Stop) -> Work

    /// `body` does the work and says what is to be recorded of it; `events` go behind that.
    func transaction(
        _ attempt: inout Attempt, _ index: Int, _ limit: Instant?, next: Attempt?,
        _ body: Body, _ events: (Attempt) -> [AuditEvent]
    ) throws(Stop) {
        let script = attempt.prepared.script
        let segment = script.segments[index]

        // BEGIN, with our limits around whatever the file does. A cleanup has to see what others have committed; what the database or the role
        // has set for all transactions is not about that.
        let cleans =
            attempt.prepared.foreignKeyPolicy(settings).orphans == .clean
            && ForeignKeyStatement.all(in: script).contains { segment.statements.contains($0.statement) }
        let opening = """
            \(segment.begin ?? (cleans ? "BEGIN ISOLATION LEVEL READ COMMITTED" : "BEGIN")); \(limits(attempt, scope: "SET LOCAL")) SET LOCAL synchronous_commit = on; \
            SET LOCAL idle_in_transaction_session_timeout = \(settings.idleTimeout.milliseconds); \
            \(beginningQuery)
            """
        var (connection, opened) = try handOver(
            script, before: segment.statements.lowerBound, opening, isOurs: segment.begin == nil)
        if attempt.isRead, try isChangedByOthers(script, segment.statements, opened.last) {
            try run { [connection] () throws(RunFailure) in
                try sessions.run(connection, "ROLLBACK")
                try catalog?.compare()
            }
            (connection, opened) = try handOver(
                script, before: segment.statements.lowerBound, opening, isOurs: segment.begin == nil)
        }
        let transaction = opened.last?.text(0, 0)
        try own(&attempt, connection)
        FailPoint.transactionOpen.pass()

        // Deferred triggers fire, so that nothing of the file runs behind the record. Who the file acts as is its own matter again in its
        // next segment. Still our transaction?
        let idle = settings.idleTimeout.milliseconds
        let silence = idle > 0 ? min(idle, AuditStore.silence) : AuditStore.silence
        let closing = """
            \(FileRun.closingMark)SET CONSTRAINTS ALL IMMEDIATE; \
            \(script.changesSettings ? "RESET SESSION AUTHORIZATION; RESET ROLE" : "SET LOCAL ROLE NONE"); \
            SET LOCAL synchronous_commit = on; SET LOCAL search_path = pg_catalog, pg_temp; SET LOCAL client_encoding = '\(connection.clientEncoding)'; SET LOCAL lock_timeout = '30s'; \
            SET LOCAL statement_timeout = '60s'; SET LOCAL idle_in_transaction_session_timeout = \(silence); \
            SELECT pg_catalog.pg_current_xact_id(); \(endingQuery(opened.last, isRead: attempt.isRead))
            """
        let work = try body(&attempt, connection, closing)
        FailPoint.statementsDone.pass()
        guard connection.transactionStatus == .inTransaction else { throw .failure(escaped(script)) }
        let closed =
            if let closed = work.closed { closed } else {
                try guarded(&attempt, connection, limit, { Failure($0, in: script, piece: nil) }) {
                    (connection: Connection) throws(PostgresError) in try connection.run(closing)
                }
            }
        guard let check = closed.dropLast().last, !check.rows.isEmpty, check.text(0, 0) == transaction else {
            throw .failure(escaped(script))
        }

        try confirm(attempt.skipped, before: segment.statements.upperBound, &attempt, connection, limit)

        // The record with the token that only now leaves this process, and COMMIT. What else this attempt may have to record needs a further
        // token.
        let holder = try run { () throws(RunFailure) in try sessions.lock().sessionPID }
        var list = work.events + events(attempt)
        let expected = next?.token ?? (list.contains { $0.event.endsAttempt } ? nil : OneTimeToken())
        let permit = AuditStore.Permit(token: attempt.token, holder: holder, next: expected)
        let ended: [QueryResult]
        (list, ended) = try readCatalog(list, of: transaction, closed, &attempt, connection, limit)
        FailPoint.beforeAppend.pass()
        FailPoint.beforeCommit.pass()
        let records = try store.commit(
            connection, list, behind: ended, beginning: next?.beginning, permit: permit
        ) { (failure) throws(Stop) in
            switch failure {
            case .refused(.server(let server)) where server.sqlstate == "MG006": throw .failure(lockLost(script))
            case .refused(.server(let server)): throw .failure(Failure(server, in: script, piece: nil))
            case .lost(let cause):
                // The answer to COMMIT was lost: the event itself tells whether it is committed.
                guard let first = list.first, try settle(first.eventID, transaction) else {
                    throw .failure(lost(cause, script))
                }
            default: throw .run(failure)
            }
        }
        if let expected { attempt.token = expected }
        if !records.isEmpty { attempt.isRead = true }
        FailPoint.afterCommit.pass()
        reporter.report(records)
    }

    /// Makes the session the one that may spend the attempt's token, where it is another than the attempt began with.
    func own(_ attempt: inout Attempt, _ connection: Connection) throws(Stop) {
        guard attempt.backend != connection.sessionPID else { return }
        attempt.backend = connection.sessionPID
        try run { [attempt] () throws(RunFailure) in try store.announce(attempt.token, from: attempt.backend) }
    }

    /// Tells whoever looks at the server's sessions where the file's text ends.
    static let closingMark = "/* migrated: the file ends here */ "

    private func lockLost(_ script: Script) -> Failure {
        Failure(
            "lock_lost",
            Complaint(
                .tryLater, "the lock on the database was lost while the file ran",
                hint: "What it had open is rolled back; it is tried again once the lock can be had.",
                place: Place(file: script.file)),
            interrupts: true)
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
    ///
    /// What the server has done in transactions of its own is read behind it, in the whole catalog.
    private func record(_ events: [AuditEvent], _ next: Attempt?, _ attempt: inout Attempt) throws(Stop) {
        let isRead = attempt.isRead && catalog?.isKnown == true
        let records = try run { () throws(RunFailure) in
            try store.record(
                isRead ? CatalogReading.unchanged(events) : events, beginning: next?.beginning,
                reading: isRead ? nil : catalog.map { CatalogReading(ignored: $0.ignored) })
        }
        attempt.isRead = true
        FailPoint.afterCommit.pass()
        reporter.report(records)
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
