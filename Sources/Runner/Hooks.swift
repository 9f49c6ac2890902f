internal import Audit
internal import AuditReading
internal import Configuration
internal import Postgres
internal import Reporting
internal import Systemd

/// The operator's programs that are run after an event: every executable of a directory, one after the other, with the event as JSON on
/// standard input.
///
/// They are beside the work: a migration neither waits for them nor fails with them. The loop that works serves them too. They run as the
/// daemon's user, but cannot read what it proves itself and signs with.
final class Hooks {
    /// The events that they are told of.
    static let events: Set<EventKind> = [.applied, .failed, .deferred, .driftDetected]

    private struct Task {
        var path: String
        var record: AuditRecord
    }

    private let directory: String
    private let limit: TimeSpan
    private let loop: PollLoop
    private let reporter: Reporter
    private var waiting: [Task] = []
    private var running: ChildProcess?
    private var dropped = 0
    /// What they must not read.
    private let secrets: [String]
    private var hasWarned = false
    /// More than this is not kept waiting.
    private static let most = 1000

    init(_ settings: Settings, loop: PollLoop, reporter: Reporter) {
        directory = settings.hooks ?? "/etc/migrated/hooks.d"
        limit = settings.hookTimeout
        secrets = Hooks.secrets(settings)
        self.loop = loop
        self.reporter = reporter
    }

    /// Something happened and is committed.
    func happened(_ record: AuditRecord) {
        guard Hooks.events.contains(record.event.event) else { return }
        for path in programs() {
            if waiting.count < Hooks.most { waiting.append(Task(path: path, record: record)) } else { dropped += 1 }
        }
        next()
    }

    /// Serves the loop until all have run, at most until `end`; what runs then is killed.
    func finish(until end: Instant) {
        while running != nil, Instant.now() < end, (try? loop.turn(until: end)) != nil {}
        if let running { loop.remove(running) }
        running = nil
        waiting = []
    }

    private func programs() -> [String] {
        do throws(SystemFailure) {
            return try ProgramDirectory.programs(in: directory) { [self] name, why in
                reporter.say(4, "hook '\(name)' is not run: \(why)")
            }
        } catch {
            // Nobody has to have hooks.
            if !error.isMissing { reporter.say(4, error.complaint) }
            return []
        }
    }

    private func next() {
        guard running == nil, !waiting.isEmpty else { return }
        let task = waiting.removeFirst()
        let event = task.record.event
        do throws(SystemFailure) {
            let child = try ChildProcess(
                task.path, environment: Hooks.environment(event),
                input: HistoryRow(task.record).jsonBytes + [UInt8(ascii: "\n")], confinement: confinement(),
                until: .now() + limit
            ) { [self] end in ended(task, end) }
            running = child
            loop.add(child)
        } catch {
            reporter.say(4, error.complaint)
            next()
        }
    }

    /// Nil where the kernel has none: they are run all the same, for they may be what pages on-call, and that is reported once.
    private func confinement() -> Confinement? {
        if let confinement = Confinement(hiding: secrets) { return confinement }
        if !hasWarned {
            hasWarned = true
            reporter.say(
                4,
                Complaint(
                    .permission, "hooks can read the daemon's signing key and passwords: the kernel has no Landlock",
                    hint:
                        "It takes Linux 5.13 with 'landlock' among its security modules; else keep both away from the daemon, or have no hooks."
                ))
        }
        return nil
    }

    /// The daemon's credentials, its key, and what its connections prove themselves with.
    private static func secrets(_ settings: Settings) -> [String] {
        let targets = [settings.database, settings.auditDatabase ?? ""].compactMap {
            try? ConnectionTarget($0, applicationName: "")
        }
        return [Process.environment("CREDENTIALS_DIRECTORY"), settings.signingKey].compactMap(\.self)
            + targets.flatMap(\.secretFiles)
    }

    private func ended(_ task: Task, _ end: ChildProcess.End) {
        if let running { loop.remove(running) }
        running = nil
        let what = "hook '\(task.path)' for \(task.record.event.event.rawValue) (seq \(task.record.seq))"
        switch end {
        case .exited(0): break
        case .exited(let status): reporter.say(4, "\(what) ended with exit code \(status)")
        case .killed(let signal): reporter.say(4, "\(what) was killed by signal \(signal)")
        case .timedOut: reporter.say(4, "\(what) was killed: it took longer than \(limit.brief)")
        }
        if dropped > 0, waiting.isEmpty {
            reporter.say(4, "\(dropped) runs of hooks were left out, because \(Hooks.most) were waiting")
            dropped = 0
        }
        next()
    }

    private static func environment(_ event: AuditEvent) -> [String] {
        ["PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8", "MIGRATED_EVENT=\(event.event.rawValue)"]
            + (event.version.map { ["MIGRATED_VERSION=\($0)"] } ?? [])
    }
}
