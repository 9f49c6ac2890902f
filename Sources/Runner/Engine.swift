internal import Audit
public import Configuration
internal import JSON
internal import Migrations
internal import Postgres
internal import Reporting
public import Systemd

/// Everything that one process needs to migrate one database, and the verbs upon it.
///
/// One thread. The daemon and the commands run by hand use the same engine, the same lock and the same record.
public final class Engine {
    let settings: Settings
    let reporter: Reporter
    let sessions: Sessions
    let store: AuditStore
    let history: History
    let directory: MigrationDirectory
    private let identity: Identity
    /// Where other programs run.
    let loop: PollLoop
    let witness: Witness
    /// The session that was held against the anchors last.
    private weak var attended: Connection?
    /// Whether what a rollback undid is applied again although its text is the same: yes where a person asks, no in the daemon.
    let reappliesRolledBack: Bool
    /// Whether the files only run to see what they make: what verifies one may rest on rows that are not there.
    let isInScratch: Bool

    /// How things stood in that session when this was asked last.
    private var lastStanding: History.Standing?

    /// The attempts that this process has begun.
    var ownAttempts: Set<UUID> = []

    /// The deferred keys that this process has tried to add.
    var triedDeferrals: Set<Int64> = []

    /// What is known of the catalog; nil where it is not read.
    let catalogWatch: CatalogWatch?

    /// Where this run comes from, once it is known.
    var provenance: Provenance?

    /// Whether a directory that cannot be understood is waited for: yes in a daemon that is up, where it is what somebody put there
    /// since.
    var awaitsDirectory = false

    /// Who runs this process.
    public struct Identity: Sendable {
        /// Unit and invocation, or a login name.
        public var initiatedBy: String
        /// systemd's invocation id.
        public var invocationID: String?

        /// An identity from its parts.
        public init(initiatedBy: String, invocationID: String?) {
            self.initiatedBy = initiatedBy
            self.invocationID = invocationID
        }
    }

    /// An engine that has not touched anything yet.
    public init(
        _ settings: Settings, identity: Identity, loop: PollLoop, signals: Signals, reporter: Reporter,
        isDaemon: Bool = false
    ) throws(RunFailure) {
        self.settings = settings
        self.identity = identity
        self.loop = loop
        self.reporter = reporter
        sessions = try Sessions(settings, waiter: LoopWaiter(loop: loop, signals: signals), listens: isDaemon)
        reappliesRolledBack = !isDaemon
        isInScratch = false
        do throws(Complaint) {
            for file in sessions.files { try SafePath.require(file) }
            witness = try Witness(settings)
        } catch {
            throw .complaint(error)
        }
        for weakness in sessions.weaknesses { reporter.say(4, weakness) }
        reporter.witness = witness
        sessions.waiter.meanwhile = { [reporter] in reporter.tell() }
        catalogWatch = CatalogWatch(settings)
        store = AuditStore(sessions: sessions, schema: settings.schema, witness: witness, catalog: catalogWatch)
        history = History(store)
        directory = try told { () throws(Complaint) in try MigrationDirectory(settings, loop: loop) }
        catalogWatch?.compare = { [unowned self] () throws(RunFailure) in try noteCatalogDrift(isKnown: true) }
    }

    /// An engine in a scratch database that `other` has made: the same files under the same settings, without witnesses and without a word.
    init(inside scratch: ScratchDatabase, of other: Engine) throws(RunFailure) {
        var settings = other.settings
        settings.auditDatabase = nil
        settings.catalogDrift = .off
        settings.preflight = .no
        self.settings = settings
        identity = other.identity
        loop = other.loop
        reporter = Reporter(journal: JournalWriter(path: "", isExpected: false), quiet: true)
        sessions = Sessions(scratch.target, waiter: other.sessions.waiter)
        reappliesRolledBack = false
        isInScratch = true
        witness = Witness(keepingNothingOf: settings.schema)
        store = AuditStore(sessions: sessions, schema: settings.schema, witness: witness)
        history = History(store)
        catalogWatch = nil
        directory = try told { [settings] () throws(Complaint) in try MigrationDirectory(settings, loop: other.loop) }
    }

    /// Who and where, for every event.
    func actor() throws(RunFailure) -> AuditEvent.Actor {
        AuditEvent.Actor(
            initiatedBy: identity.initiatedBy, host: Process.hostName, dbUser: try sessions.work().user,
            pid: Process.pid,
            invocationID: identity.invocationID)
    }

    /// Connects, refuses a history that does not go on from its anchor, brings the history's schema up to date, and makes up for anchors
    /// that a crash has left out.
    func prepareHistory() throws(RunFailure) {
        let connection = try sessions.books()
        guard attended !== connection else { return }
        let found = try lookAtHistory(connection)
        if let refusal = found.refusal(timeline: witness.timeline) { throw .complaint(refusal) }
        try store.install(connection, over: found.installed)
        try store.admit(sessions.work())
        try makeUpAnchors(connection, for: found)
        attended = connection
        lastStanding = nil
    }

    /// How things stand, as the history tells it; what was recorded before is not asked for again.
    func standing() throws(RunFailure) -> History.Standing {
        let now = try history.standing(since: lastStanding)
        try lookAtOthers(last: now.seq)
        lastStanding = now
        return now
    }

    /// Ends the sessions; what is open on the server rolls back.
    public func disconnect() {
        sessions.dropAll()
        attended = nil
        lastStanding = nil
    }

    /// Records an event of the process itself and tells of it.
    func record(_ events: [AuditEvent]) throws(RunFailure) {
        reporter.report(try store.record(events))
        reporter.settle()
    }

    /// Records how an attempt has ended, and tells of it; false where somebody else has done that: who loses the lock while it is frozen or
    /// cut off finds its attempt closed by the one that has it now.
    ///
    /// `isRead`: what the attempt has committed is read already, so that the catalog is as it was.
    @discardableResult
    func recordEnd(
        _ event: AuditEvent, withheld: [RowValues.Withheld] = [], isRead: Bool = false
    ) throws(RunFailure) -> Bool {
        guard let attempt = event.attemptID else { preconditionFailure("an end is an attempt's") }
        var event = event
        let isRead = isRead && catalogWatch?.isKnown == true
        if isRead { event.detail["catalog"] = "unchanged" } else { catalogWatch?.isKnown = false }
        let reading = event.detail["retry_in_ms"] == nil && !isRead ? catalogReading : nil
        let values = withheld.map { store.keep($0, of: reading?.event ?? event.eventID) }
        let records = try store.record([event], with: values, unlessEnded: attempt, reading: reading)
        reporter.report(records)
        reporter.settle()
        return !records.isEmpty
    }

    /// Reads the directory.
    func snapshot(openWriters: Set<String> = []) throws(RunFailure) -> MigrationDirectory.Snapshot {
        do throws(Complaint) {
            return try directory.read(openWriters: openWriters)
        } catch {
            var complaint = error
            if awaitsDirectory, complaint.status == .configuration { complaint.status = .inputOutput }
            throw .complaint(complaint)
        }
    }

    /// The directory against the history, and where a manifest is demanded, what that allows.
    func plan(
        _ snapshot: MigrationDirectory.Snapshot, _ states: [VersionState], limit: String? = nil
    ) throws(RunFailure) -> Plan {
        let plan = try unsignedPlan(snapshot, states, limit: limit)
        // What runs nothing needs nobody's leave: a manifest expires once its work is done.
        guard !plan.pending.isEmpty, let refusal = try manifestRefusal(snapshot) else { return plan }
        return try unsignedPlan(snapshot, states, limit: limit, refusal: refusal)
    }

    /// The directory against the history, whoever has signed it: for verbs that run nothing.
    func unsignedPlan(
        _ snapshot: MigrationDirectory.Snapshot, _ states: [VersionState], limit: String? = nil,
        refusal: Finding? = nil
    ) throws(RunFailure) -> Plan {
        do throws(Complaint) {
            return try Plan(
                set: snapshot.set, candidates: candidates(snapshot, states), history: states,
                policy: PlanPolicy(
                    late: settings.late, onDrift: settings.onDrift, reappliesRolledBack: reappliesRolledBack,
                    refusal: refusal),
                limit: limit,
                mayRunTwice: { (migration) throws(Complaint) in
                    guard case .text(let checksum, _) = snapshot.content(of: migration) else { return false }
                    return try directory.file(migration, checksum: checksum, in: snapshot).mayRunTwice
                })
        } catch {
            throw .complaint(error)
        }
    }

    /// The files, with the parts of those of which some are committed.
    private func candidates(
        _ snapshot: MigrationDirectory.Snapshot, _ states: [VersionState]
    ) throws(Complaint) -> [Candidate] {
        var candidates = snapshot.candidates
        for state in states where !state.committed.isEmpty {
            let identity = snapshot.set.identity(version: state.version, name: state.name)
            guard let index = candidates.firstIndex(where: { $0.migration.identity == identity }),
                case .text(let checksum, _) = candidates[index].content
            else { continue }
            let migration = candidates[index].migration
            do throws(Complaint) {
                let file = try directory.file(migration, checksum: checksum, in: snapshot)
                candidates[index].parts = FileParts(try PreparedFile.script(of: file, .up, settings: settings))
            } catch {
                guard error.status == .badFile else { throw error }
                let finding = Finding(.invalidFile, path: migration.path, complaint: error)
                candidates[index] = Candidate(migration, unusable: finding)
            }
        }
        return candidates
    }

    /// Runs `body` while holding the lock. Throws `.lockedElsewhere` where it cannot be had within `patience`.
    func withLock<Value>(
        patience: TimeSpan, _ body: () throws(RunFailure) -> Value
    ) throws(RunFailure) -> Value {
        let end = Instant.now() + patience
        while try !DatabaseLock.take(sessions) {
            guard Instant.now() < end else { throw .lockedElsewhere(try DatabaseLock.holder(store)) }
            try sessions.pause(.milliseconds(.random(in: 100...200)))
        }
        FailPoint.lockTaken.pass()
        // A release may have been swapped in since the last run.
        provenance = nil
        let value: Value
        do throws(RunFailure) {
            // Another host may have been upgraded while this process waited, and rights given.
            try store.refuseUnfit(sessions.books())
            value = try body()
        } catch {
            reporter.settle()
            // Where the session itself is gone, the lock is gone with it.
            try? DatabaseLock.release(sessions)
            throw error
        }
        reporter.settle()
        try DatabaseLock.release(sessions)
        return value
    }
}
