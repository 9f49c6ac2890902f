internal import Audit
internal import Configuration
internal import JSON
internal import Migrations
internal import Postgres
public import Reporting
internal import SQLParsing
internal import Systemd

extension Engine {
    /// Applies what is pending, up to `limit` where one is given, and says where the line stands then.
    ///
    /// - Parameters:
    ///   - lockPatience: how long to wait for another process that is migrating.
    ///   - openWriters: files that are known to be open for writing.
    public func apply(
        limit: String? = nil, lockPatience: TimeSpan, openWriters: Set<String> = []
    ) throws(RunFailure) -> RunSummary {
        let snapshot = try readAhead(openWriters)
        try prepareHistory()
        // Most runs find nothing to do, and need no lock to see that.
        let seen = try standing()
        let glance = try plan(snapshot, seen.states, limit: limit)
        let news = try news(of: glance, snapshot)
        if glance.pending.isEmpty, news.isEmpty, newNames(in: glance).isEmpty, seen.openAttempts.isEmpty,
            triedDeferrals.isSuperset(of: try history.deferredKeysInReach())
        {
            return try summary(of: glance, snapshot, RunSummary())
        }
        do throws(RunFailure) {
            return try withLock(patience: lockPatience) { () throws(RunFailure) in
                try recover()
                try noteCatalogDrift()
                try refuseOtherHistory(snapshot, limit)
                try takeOverWhatStands(snapshot, limit)
                return try runLine(snapshot, limit)
            }
        } catch {
            if case .lockedElsewhere(let holder) = error { try recordLockedElsewhere(glance, snapshot, holder) }
            throw error
        }
    }

    /// Reads the directory while the session is on its way.
    private func readAhead(_ openWriters: Set<String>) throws(RunFailure) -> MigrationDirectory.Snapshot {
        sessions.connectAhead()
        do throws(RunFailure) {
            return try snapshot(openWriters: openWriters)
        } catch {
            sessions.dropAhead()
            throw error
        }
    }

    /// Like `apply`, and goes on by itself where the reason of an interruption passes: for verbs run by hand, which have no loop around them.
    public func applyPatiently(limit: String? = nil, lockPatience: TimeSpan) throws(RunFailure) -> RunSummary {
        var policy = RetryPolicy(settings)
        var wasInterrupted = false
        while true {
            do throws(RunFailure) {
                return try apply(limit: limit, lockPatience: lockPatience)
            } catch {
                if case .interrupted = error { wasInterrupted = true }
                guard let reason = error.passingReason(afterInterruption: wasInterrupted),
                    let wait = policy.next(after: reason, now: .now(), jitter: .random(in: 0...1))
                else { throw error }
                disconnect()
                reporter.say(5, "\(error.complaint.message); trying again in \(wait.brief)")
                try sessions.pause(wait)
            }
        }
    }

    /// The line itself: plan, prepare everything, run one after the other; after a failure plan again.
    private func runLine(
        _ snapshot: MigrationDirectory.Snapshot, _ limit: String?
    ) throws(RunFailure) -> RunSummary {
        var summary = RunSummary()
        while true {
            let states = try standing().states
            let plan = try plan(snapshot, states, limit: limit)
            if try recordNewNames(of: plan, snapshot, states) { continue }
            let (prepared, bad) = try prepare(plan, snapshot, states)
            FailPoint.filesParsed.pass()
            try record(try news(of: plan, snapshot, bad: bad))
            if prepared.isEmpty || !bad.isEmpty {
                if bad.isEmpty, summary.plan == nil { try addDeferredKeys(snapshot, try fileRun()) }
                summary.complaints += bad.map(\.complaint)
                return try self.summary(of: plan, snapshot, summary)
            }
            summary.plan = plan
            let whole = try run(prepared, snapshot, &summary)
            if whole {
                return try self.summary(
                    of: try self.plan(snapshot, try standing().states, limit: limit), snapshot, summary)
            }
        }
    }

    /// A pending file that cannot be run as it is.
    struct BadFile {
        var step: PlanStep
        var complaint: Complaint
    }

    /// Reads and parses everything that is pending, before anything runs.
    private func prepare(
        _ plan: Plan, _ snapshot: MigrationDirectory.Snapshot, _ states: [VersionState]
    ) throws(RunFailure) -> (prepared: [PreparedFile], bad: [BadFile]) {
        var prepared: [PreparedFile] = []
        var bad: [BadFile] = []
        for step in plan.steps {
            switch step.action {
            case .invalid(let finding): bad.append(BadFile(step: step, complaint: finding.complaint))
            case .held(let discrepancy):
                bad.append(BadFile(step: step, complaint: discrepancy.complaint(step.migration)))
            default: break
            }
            guard step.isPending, case .text(let checksum, _) = snapshot.content(of: step.migration) else { continue }
            do throws(Complaint) {
                prepared.append(
                    try self.prepared(
                        step, checksum, version: step.migration.recordedVersion(states), in: snapshot))
            } catch {
                if error.status == .tryLater { throw .complaint(error) }
                bad.append(BadFile(step: step, complaint: error))
            }
        }
        try setApartCalls(&prepared, plan, &bad)
        return (prepared, bad)
    }

    /// Reads and parses a pending file, with what verifies it.
    func prepared(
        _ step: PlanStep, _ checksum: String, version: String, in snapshot: MigrationDirectory.Snapshot
    ) throws(Complaint) -> PreparedFile {
        var prepared = try PreparedFile(
            step: step, file: try directory.file(step.migration, checksum: checksum, in: snapshot), version: version,
            settings: settings,
            verification: isInScratch
                ? nil : try directory.verification(of: step.migration, in: snapshot, settings))
        prepared.signature = directory.signature(of: prepared.file, in: snapshot)
        return prepared
    }

    /// Reads those files again that call procedures which end transactions, of the database or of an earlier file: such a CALL runs outside of
    /// any transaction.
    private func setApartCalls(
        _ prepared: inout [PreparedFile], _ plan: Plan, _ bad: inout [BadFile]
    ) throws(RunFailure) {
        let called = prepared.reduce(into: Set<String>()) { $0.formUnion($1.script.calledProcedures) }
        guard !called.isEmpty else { return }
        let created = prepared.reduce(into: Set<String>()) { $0.formUnion($1.script.committingProcedures) }
        let committing = created.union(try committingProcedures(among: called))
        for index in prepared.indices where !prepared[index].script.calledProcedures.isDisjoint(with: committing) {
            let file = prepared[index]
            guard let step = plan.steps.first(where: { $0.migration.path == file.migration.path }) else { continue }
            do throws(Complaint) {
                prepared[index] = try PreparedFile(
                    step: step, file: file.file, version: file.version, settings: settings,
                    verification: file.verification, committing: committing)
                prepared[index].signature = file.signature
            } catch {
                bad.append(BadFile(step: step, complaint: error))
            }
        }
    }

    /// Those of the database's procedures of these names whose bodies end transactions.
    private func committingProcedures(among names: Set<String>) throws(RunFailure) -> Set<String> {
        let list = JSONValue.array(names.sorted().map(JSONValue.string)).text
        let found = try sessions.query(
            sessions.work(),
            """
            SELECT p.proname, l.lanname, p.prosrc FROM pg_catalog.pg_proc AS p JOIN pg_catalog.pg_language AS l ON l.oid = p.prolang
             WHERE p.prokind = 'p' AND p.proname IN (SELECT pg_catalog.jsonb_array_elements_text($1::pg_catalog.jsonb))
            """, [.text(list)])
        return Set(
            found.rows.indices.compactMap { row in
                guard let name = found.text(row, 0), let language = found.text(row, 1), let body = found.text(row, 2),
                    Script.endsTransactions(body: body, language: language)
                else { return nil }
                return name
            })
    }

    /// Runs files one after the other. True where all of them were applied; false where one failed and others may go on.
    private func run(
        _ files: [PreparedFile], _ snapshot: MigrationDirectory.Snapshot, _ summary: inout RunSummary
    ) throws(RunFailure) -> Bool {
        var run = try fileRun()
        run.messages = try messages(files)
        var attempts: [Attempt] = []
        let preflights = try preflights(of: files)
        for (file, preflight) in zip(files, preflights) {
            var attempt = try attempt(file, snapshot.set.layout)
            attempt.preflight = preflight
            attempts.append(attempt)
        }
        FailPoint.beforeStarted.pass()
        if let first = attempts.first { try start(first, run.actor) }
        for index in attempts.indices {
            let name = attempts[index].prepared.migration.name
            reporter.proceeds("applying", name, index + 1, of: attempts.count)
            let next = index + 1 < attempts.count ? attempts[index + 1] : nil
            let began = Instant.now()
            if let complaint = try perform(attempts[index], next: next, run) {
                summary.complaints.append(complaint)
                try addDeferredKeys(snapshot, run)
                return false
            }
            summary.applied.append(name)
            // It may have made a table large, and the next file goes over that.
            if Instant.now() - began > .seconds(1) { run.messages = .short }
        }
        try addDeferredKeys(snapshot, run)
        return true
    }

    private func fileRun() throws(RunFailure) -> FileRun {
        FileRun(
            sessions: sessions, store: store, history: history, reporter: reporter, settings: settings,
            actor: try actor(), catalog: catalogWatch)
    }

    /// Runs one started attempt to its end, with further attempts where the reason of a failure passes by itself.
    ///
    /// Returns what stands in the way where the last of them failed; throws where it was cut off.
    func perform(_ attempt: Attempt, next: Attempt?, _ run: FileRun) throws(RunFailure) -> Complaint? {
        var attempt = attempt
        var policy = RetryPolicy(settings)
        while true {
            do throws(FileRun.Stop) {
                try run.apply(&attempt, next: next)
                if attempt.prepared.changesSettings { sessions.dropWork() } else { sessions.takeBack() }
                return nil
            } catch let stop {
                let error = settings.rowValues == .keep ? stop.revealed : stop
                guard case .failure(let failure) = error, !failure.interrupts,
                    let wait = policy.next(after: failure.reason, now: .now(), jitter: .random(in: 0...1))
                else { return try end(attempt, error, run.actor) }
                guard try record(failure, of: attempt, retryIn: wait, run.actor) else {
                    throw RunFailure.interrupted(failure.complaint)
                }
                reporter.say(5, "trying \(attempt.prepared.migration.name) again in \(wait.brief)")
                try sessions.pause(wait)
                guard try DatabaseLock.isHeld(sessions) else { throw RunFailure.interrupted(failure.complaint) }
                let failed = attempt
                attempt = try self.attempt(failed.prepared, failed.layout, again: true)
                (attempt.restores, attempt.undone, attempt.why) = (failed.restores, failed.undone, failed.why)
                attempt.preflight = try preflights(of: [attempt.prepared])[0]
                try start(attempt, run.actor)
            }
        }
    }

    /// Makes the begin of an attempt durable, before the file's first statement.
    ///
    /// Throws where the database takes no writes for now: then there is no attempt.
    func start(_ attempt: Attempt, _ actor: AuditEvent.Actor) throws(RunFailure) {
        if let period = ReadOnlyPeriod(try sessions.query(sessions.work(), ReadOnlyPeriod.question)),
            !attempt.prepared.script.saysReadOnly
        {
            throw .lost(.lost(period.error))
        }
        // Where it is not known how the objects were left before, what they are now is no work of the file's.
        reporter.report(
            try store.record(
                [attempt.started(by: actor)], beginning: attempt.beginning,
                reading: catalogWatch?.isKnown == false ? catalogReading : nil))
        FailPoint.afterStarted.pass()
    }

    /// A try at a file, from its first segment that is not committed yet; `again`: behind another try of the same run.
    func attempt(_ file: PreparedFile, _ layout: LayoutName, again: Bool = false) throws(RunFailure) -> Attempt {
        var done = file.firstSegment
        if again, let parts = file.parts {
            let committed = try history.committedParts(of: [file.version], file.direction)[file.version] ?? []
            // It is the same text, cut where its last attempt went on.
            guard case .success(let position) = parts.position(behind: committed) else {
                throw .complaint(Discrepancy.committedPartChanged(part: 1).complaint(file.migration))
            }
            done = parts.segments(before: position)
        }
        let resumes = again || file.direction == .down || (file.cause != .new && file.cause != .rolledBack)
        let builds = file.script.segments.contains { $0.concurrentIndex != nil || $0.kind == .stepwise }
        var isInDoubt = false
        if resumes, done < file.script.segments.count, file.script.segments[done].kind == .alone {
            isInDoubt = try history.isInDoubt(version: file.version, file.direction)
        }
        var attempt = Attempt(
            file, layout: layout, firstSegment: done, isInDoubt: isInDoubt,
            invalidIndexes: builds ? try invalidIndexes() : nil, backend: try sessions.work().sessionPID)
        var provenance = self.provenance ?? Provenance(directory: directory.path, loop: loop)
        attempt.provenance = provenance.members(of: directory.facts(of: file.migration.path))
        self.provenance = provenance
        ownAttempts.insert(attempt.id)
        return attempt
    }

    /// How finely the files are sent: where a table is large, what takes as long as it is goes by itself, so that it can be told which
    /// statement runs. Elsewhere that would only be slower.
    func messages(_ files: [PreparedFile]) throws(RunFailure) -> Script.Messages {
        guard files.contains(where: \.script.hasLongStatements) else { return .long }
        // 8 MB, by the last VACUUM or ANALYZE; where there was none, by the rows that the server has counted, of a hundred bytes each. Not by
        // pg_relation_size(): that waits for whoever has the table locked.
        let result = try sessions.query(
            sessions.work(),
            """
            SELECT EXISTS (SELECT FROM pg_catalog.pg_class AS c
                            WHERE c.relkind IN ('r', 'm') AND c.oid >= 16384
                              AND CASE c.relpages WHEN 0 THEN pg_catalog.pg_stat_get_live_tuples(c.oid) * 100 ELSE c.relpages * 8192::bigint END
                                  >= 8 * 1048576)
            """)
        return result.isTrue(0, 0) ? .short : .long
    }

    private func invalidIndexes() throws(RunFailure) -> [String] {
        let result = try sessions.query(
            sessions.work(),
            """
            SELECT pg_catalog.format('%I.%I', n.nspname, c.relname)
              FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
              JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
             WHERE NOT i.indisvalid ORDER BY 1 LIMIT 1000
            """)
        return result.rows.indices.compactMap { result.text($0, 0) }
    }

    /// Records how an attempt ended, behind its rollback and on a session of its own. Returns what to tell of a failure.
    private func end(_ attempt: Attempt, _ stop: FileRun.Stop, _ actor: AuditEvent.Actor) throws(RunFailure)
        -> Complaint?
    {
        switch stop {
        case .failure(var failure):
            do throws(RunFailure) {
                if failure.interrupts, failure.reason != "stopped" {
                    sessions.dropWork()
                    // A file that ends its own session, or the one with the lock, each time must not be tried for ever.
                    let before = try history.interruptions(
                        version: attempt.prepared.version, checksum: attempt.prepared.file.checksum)
                    failure.interrupts = before + 1 < settings.retryTries
                }
                _ = try record(failure, of: attempt, retryIn: nil, actor)
            } catch {
                // The table cannot take it now, for want of space or of a server: the journal says what happened, and the next run closes
                // the attempt as interrupted.
                reporter.say(3, failure.complaint)
                throw error
            }
            guard failure.interrupts else { return failure.complaint }
            throw failure.reason == "stopped" ? .stopped : .interrupted(failure.complaint)
        case .run(let failure):
            sessions.dropWork()
            throw failure
        }
    }

    /// Makes the bad end of an attempt durable. Closing the session is the rollback: nothing of the file's session state can reach the
    /// record, and a request to stop does not keep it from being written.
    private func record(
        _ failure: Failure, of attempt: Attempt, retryIn wait: TimeSpan?, _ actor: AuditEvent.Actor
    ) throws(RunFailure) -> Bool {
        sessions.dropWork()
        sessions.isFinishing = true
        defer { sessions.isFinishing = false }
        FailPoint.beforeFailed.pass()
        let recorded = try recordEnd(
            attempt.failed(failure, retryIn: wait, by: actor), withheld: failure.withheld, isRead: attempt.isRead)
        FailPoint.afterFailed.pass()
        return recorded
    }
}

extension Migration {
    /// The version under which it is recorded: as the history writes its number already; the whole name where another migration of the
    /// history has its number and names tell migrations apart.
    func recordedVersion(_ states: [VersionState]) -> String {
        switch identity {
        case .version(let number): states.first { Version($0.version) == number }?.version ?? version
        case .named(let key) where key == version: version
        case .named: states.contains { $0.version == version && $0.name != name } ? name : version
        }
    }
}
