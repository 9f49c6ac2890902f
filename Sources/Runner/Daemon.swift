internal import Audit
public import Configuration
internal import JSON
internal import Migrations
internal import Postgres
public import Reporting
public import Systemd

/// The daemon: waits for hints, for time and for the database, and lets the engine run.
///
/// READY is told after the first look at the directory and the database, or where the database cannot be reached yet; STATUS always
/// tells where the line stands. It ends on SIGTERM with 0, and by itself only where a restart could not mend the reason.
public final class Daemon {
    private let loop: PollLoop
    private let signals: Signals
    private let reporter: Reporter
    private let identity: Engine.Identity
    private let reload: () throws(Complaint) -> Settings
    private var notifier: Notifier
    private var settings: Settings
    private var engine: Engine
    private var watcher: DirectoryWatcher
    private var agenda: Agenda
    private var isReady = false
    private var hasStarted = false
    private var lastWords = ""
    /// Whether something was done since memory was last given back.
    private var isUntidy = true
    /// When the catalog is looked at next without a file that is to run; nil before the first time.
    private var catalogDue: Instant?
    private var metrics: MetricsFile?
    private var hooks: Hooks

    /// A daemon that has not begun; `reload` reads the configuration again.
    public init(
        _ settings: Settings, identity: Engine.Identity, loop: PollLoop, signals: Signals, notifier: Notifier,
        reporter: Reporter,
        reload: @escaping () throws(Complaint) -> Settings
    ) throws(RunFailure) {
        self.loop = loop
        self.signals = signals
        self.reporter = reporter
        self.identity = identity
        self.notifier = notifier
        self.reload = reload
        self.settings = settings
        engine = try Engine(
            settings, identity: identity, loop: loop, signals: signals, reporter: reporter, isDaemon: true)
        watcher = DirectoryWatcher(path: engine.directory.path)
        agenda = Agenda(settle: settings.settle, rescan: settings.rescan, now: .now())
        metrics = settings.metricsFile.map { MetricsFile($0, reporter) }
        hooks = Hooks(settings, loop: loop, reporter: reporter)
        loop.add(watcher)
        reporter.onProgress = { [self] progress in
            // Where it is being stopped, that is the news.
            if !signals.stopRequested { self.notifier.status(progress.text) }
            // The next outage is news, even where its words are the same.
            if agenda.misses > 0 { told.removeAll() }
        }
        reporter.listener = { [self] record in
            metrics?.happened(record)
            hooks.happened(record)
        }
    }

    /// Runs until a signal or a reason that a restart cannot mend; returns the exit status.
    public func run() -> ExitStatus {
        engine.sessions.waiter.onStop = { [self] in stopping() }
        if let refusal = open() { return refusal }
        while !signals.stopRequested {
            if signals.takeReload() { reloadConfiguration() }
            noticeChanges()
            switch agenda.next(now: .now()) {
            case .run: if let refusal = work() { return refusal }
            case .wait(let until): idle(until: until)
            }
        }
        stopping()
        recordStop()
        hooks.finish(until: .now() + .seconds(5))
        reporter.flush(until: .now() + .seconds(1))
        return .done
    }

    // MARK: Looking and working

    /// The first look, which does not run anything yet.
    private func open() -> ExitStatus? {
        do throws(RunFailure) {
            let summary = try engine.survey()
            try started()
            stands(summary)
        } catch {
            return took(error)
        }
        return nil
    }

    private func work() -> ExitStatus? {
        isUntidy = true
        mendWatcher()
        do throws(RunFailure) {
            let summary = try engine.apply(lockPatience: .seconds(0), openWriters: watcher.openWriters)
            try started()
            try recordJournalGap()
            try watchCatalog()
            try engine.keepListening()
            engine.forgetNotifications()
            agenda.ran(now: .now())
            stands(summary)
            summary.complaints.forEach(tell)
        } catch {
            return took(error)
        }
        return nil
    }

    /// What a failure means for the daemon: an exit status where it has to end.
    private func took(_ failure: RunFailure) -> ExitStatus? {
        let jitter = TimeSpan.milliseconds(.random(in: 0...250))
        switch failure {
        case .stopped: return nil
        case .lockedElsewhere(let holder):
            agenda.lockedElsewhere(now: .now(), jitter: jitter)
            ready("standby: " + (holder?.description ?? "another process") + " is migrating this database")
        case .lost(let error):
            engine.disconnect()
            // Wrong credentials or a missing database at the start are no outage: a restart would only try the same again.
            if !hasStarted, !isReady, [.permission, .configuration].contains(error.complaint.status) {
                return refuse(error.complaint)
            }
            waitForDatabase(error.complaint, jitter)
        case .unresponsive:
            engine.disconnect()
            waitForDatabase(failure.complaint, jitter)
        case .refused(let error):
            engine.disconnect()
            waitForDatabase(error.complaint, jitter, words: "the database refuses")
        case .interrupted(let complaint):
            engine.disconnect()
            waitForDatabase(complaint, jitter)
        case .complaint(let complaint): return took(complaint, jitter)
        }
        return nil
    }

    private func took(_ complaint: Complaint, _ jitter: TimeSpan) -> ExitStatus? {
        switch complaint.status {
        case .tryLater:
            agenda.directoryBusy(now: .now())
            notifier.status(complaint.lines.first ?? "")
        case .configuration: return refuse(complaint)
        case .permission where !isReady: return refuse(complaint)
        default:
            // The directory is not as it should be: it is looked at again when it changes, and at every rescan.
            tell(complaint)
            agenda.ran(now: .now())
            ready(complaint.lines.first ?? "")
        }
        return nil
    }

    private func waitForDatabase(_ complaint: Complaint, _ jitter: TimeSpan, words: String = "waiting for database") {
        agenda.databaseMissed(now: .now(), jitter: jitter)
        ready("\(words): " + (complaint.lines.first ?? ""))
        tell(complaint, priority: 4)
    }

    private func refuse(_ complaint: Complaint) -> ExitStatus {
        reporter.say(3, complaint)
        notifier.status(complaint.lines.first ?? "")
        reporter.flush(until: .now() + .seconds(1))
        return complaint.status
    }

    // MARK: Waiting

    private func idle(until: Instant) {
        if isUntidy { Process.returnFreeMemory() }
        isUntidy = false
        let sources = engine.idleSources { [self] in agenda.historyChanged(now: .now()) }
        sources.forEach(loop.add)
        defer { sources.forEach(loop.remove) }
        do throws(SystemFailure) {
            try loop.turn(until: until)
        } catch {
            tell(error.complaint)
        }
    }

    private func noticeChanges() {
        guard watcher.takeHint() else { return }
        agenda.directoryChanged(at: watcher.lastActivity ?? .now())
    }

    /// Without events a change is seen at the next rescan, which is told and mended then where that is possible.
    private func mendWatcher() {
        watcher.mend()
        guard let failure = watcher.failure else { return }
        var complaint = failure.complaint
        complaint.message += ": changes of the directory may not be seen at once"
        var hint = "It is looked at every \(settings.rescan.brief) all the same."
        if complaint.status != .permission {
            hint += " The limits are fs.inotify.max_user_watches and max_user_instances, and that of open files."
        }
        complaint.hint = hint
        tell(complaint, priority: 4)
    }

    private func reloadConfiguration() {
        notifier.reloading()
        do throws(RunFailure) {
            let fresh: Settings
            do throws(Complaint) {
                fresh = try reload()
            } catch {
                throw .complaint(error)
            }
            let replacement = try Engine(
                fresh, identity: identity, loop: loop, signals: signals, reporter: reporter, isDaemon: true)
            replacement.sessions.waiter.onStop = { [self] in stopping() }
            replacement.ownAttempts = engine.ownAttempts
            loop.remove(watcher)
            settings = fresh
            if metrics?.path != fresh.metricsFile { metrics = fresh.metricsFile.map { MetricsFile($0, reporter) } }
            hooks.finish(until: .now() + .seconds(1))
            hooks = Hooks(fresh, loop: loop, reporter: reporter)
            engine = replacement
            watcher = DirectoryWatcher(path: engine.directory.path)
            loop.add(watcher)
            agenda = Agenda(settle: fresh.settle, rescan: fresh.rescan, now: .now())
            reporter.say(6, "configuration reloaded")
        } catch {
            tell(error.complaint)
            reporter.say(4, "configuration not reloaded, the old one stays in force")
        }
        notifier.ready(status: lastWords)
    }

    // MARK: Telling

    /// Where the line stands, for systemd and for the metrics.
    private func stands(_ summary: RunSummary) {
        ready(summary.status)
        metrics?.write(summary, database: engine.sessions.working?.database ?? "")
    }

    private func ready(_ status: String) {
        lastWords = status
        if isReady { notifier.status(status) } else { notifier.ready(status: status) }
        isReady = true
        engine.awaitsDirectory = true
    }

    /// Cancelling a statement, rolling back and recording that may take longer than the unit's limit: what is asked for is bounded.
    private func stopping() {
        notifier.stopping(status: "stopping: \(lastWords)")
        notifier.extendTimeout(.seconds(30))
    }

    /// Tells of a complaint unless it is the one that was told last.
    private func tell(_ complaint: Complaint) { tell(complaint, priority: 3) }

    private var told: Set<String> = []
    private func tell(_ complaint: Complaint, priority: Int) {
        let text = complaint.lines.joined(separator: " — ")
        if told.count > 1000 { told.removeAll() }
        guard told.insert(text).inserted else { return }
        reporter.say(priority, complaint)
    }

    /// The first time that the history can be written to.
    private func started() throws(RunFailure) {
        guard !hasStarted else { return }
        var event = AuditEvent(.daemonStarted, by: try engine.actor())
        event.detail = ["directory": .string(engine.directory.path), "schema": .string(settings.schema)]
        try engine.recordStart(event)
        hasStarted = true
        told.removeAll()
    }

    /// Once a day and at the start; while another process is migrating, the next round does it.
    private func watchCatalog() throws(RunFailure) {
        guard catalogDue.map({ Instant.now() >= $0 }) ?? true else { return }
        do throws(RunFailure) {
            try engine.watchCatalog()
        } catch {
            guard case .lockedElsewhere = error else { throw error }
            return
        }
        catalogDue = .now() + .seconds(86_400)
    }

    /// What the journal has lost is told by the history itself: there its anchors are missing.
    private func recordJournalGap() throws(RunFailure) {
        let dropped = reporter.takeDropped()
        guard dropped > 0 else { return }
        var event = AuditEvent(.anchorGap, by: try engine.actor())
        event.reason = "journal_dropped"
        event.detail["entries"] = .integer(Int64(dropped))
        try engine.record([event])
    }

    private func recordStop() {
        guard hasStarted, engine.isConnected else { return }
        do throws(RunFailure) {
            var event = AuditEvent(.daemonStopped, by: try engine.actor())
            event.reason = signals.stopSignal?.lowercased()
            try engine.record([event])
        } catch {
            reporter.say(4, error.complaint)
        }
    }
}
