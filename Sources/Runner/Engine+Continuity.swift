internal import Audit
internal import AuditReading
internal import Digest
internal import Postgres
internal import Reporting
internal import Systemd

extension Engine {
    /// A history beside what is known of it outside of the database.
    struct Found {
        var anchor: Anchor?
        var continuity: Continuity
        var head: ChainHead?
        /// The version of its schema; nil where there is none.
        var installed: Int?

        /// Why the program does not go on; nil where it does.
        func refusal(timeline: UInt32?) -> Complaint? {
            anchor.flatMap { continuity.refusal($0, head, timeline: timeline) }
        }
    }

    /// Asks which database answers on a session that is new to us, and holds its history against the newest anchor.
    func lookAtHistory(_ connection: Connection) throws(RunFailure) -> Found {
        var identity: (database: String?, name: String?, timeline: UInt32?) = (nil, nil, nil)
        do throws(RunFailure) {
            let found = try sessions.query(connection, HistoryReader.identityQuery)
            if !found.rows.isEmpty {
                identity = (
                    found.text(0, 0), found.text(0, 2), found.text(0, 1).flatMap { UInt32($0.prefix(8), radix: 16) }
                )
            }
        } catch {
            // A role that may not ask for the system's identifier has no anchor file; the journal still has anchors.
            guard case .refused = error else { throw error }
        }
        reporter.keeping { (witness) throws(SystemFailure) in
            try witness.attend(
                identity.database, name: identity.name, address: connection.address, timeline: identity.timeline)
        }
        reporter.context = witness.journalFields
        let installed = try store.installedVersion(connection)
        if installed != nil { try lookAtPredecessors(connection) }
        let (continuity, head) = try store.continuity(connection, installed: installed != nil)
        return Found(anchor: witness.newest, continuity: continuity, head: head, installed: installed)
    }

    /// A history that is new here is held against the anchors of the databases that it may have been in before, or whose place it has taken: of
    /// a copy that was rewritten and put in the place of another they are all that is known.
    private func lookAtPredecessors(_ connection: Connection) throws(RunFailure) {
        guard witness.asksGenesis, let genesis = try store.genesis(connection) else { return }
        var predecessors: [Witness.Predecessor] = []
        witness.begin(genesis: genesis.digits)
        reporter.keeping { (witness) throws(SystemFailure) in
            predecessors = try witness.predecessors(seq: genesis.seq)
        }
        guard !predecessors.isEmpty else { return }
        let holding = try store.holding(connection, predecessors.map(\.anchor.head))
        let fitting = predecessors.filter { holding.contains($0.anchor.head) }
        if let found = (fitting.isEmpty ? predecessors : fitting).max(by: { $0.anchor.head.seq < $1.anchor.head.seq }) {
            witness.succeed(found)
        }
    }

    /// So many events are told of again at most, where their anchors are missing.
    private static let lateLimit = 1000

    /// Makes up for the anchors of events behind the newest one: a crash came between COMMIT and anchor, or somebody wrote who keeps no
    /// anchors here. Where there was none at all, the head is the first, unsigned.
    ///
    /// Each of those events must follow the one before it, from the anchor on; else nothing goes on. Vouched for are those that a process of this
    /// host has announced before their commit; of all others it is told that they are somebody else's.
    func makeUpAnchors(_ connection: Connection, for found: Found) throws(RunFailure) {
        let anchor = witness.newest?.head
        // Nothing is behind it.
        if let anchor, anchor == found.head { return }
        let limit = anchor == nil ? 1 : Engine.lateLimit
        let rows = try store.newestRows(connection, behind: anchor?.seq ?? 0, limit: limit)
        guard !rows.isEmpty else { return }
        try requireChain(rows, behind: anchor)
        guard anchor != nil else {
            return reportNew(rows)
        }
        guard let log = anchorLog() else { return }
        let announced = Set(log.intended.map(\.hash))
        reportLate(rows.filter { announced.contains($0.head.hash) })
        reportForeign(rows.filter { !announced.contains($0.head.hash) })
        reporter.settle()
    }

    /// Tells of what others have written behind the newest anchor, or between two commits of this process.
    func lookAtOthers(last: Int64) throws(RunFailure) {
        guard witness.keeps, !witness.isAcknowledging, let newest = witness.newest?.head else { return }
        let met = witness.takeMet()
        guard let (behind, last) = met ?? (last > newest.seq ? (newest, last) : nil) else { return }
        guard let log = anchorLog() else { return }
        let known = Set((log.anchors.map(\.head) + log.intended).map(\.hash))
        let rows = try store.newestRows(try sessions.books(), behind: behind.seq, limit: Engine.lateLimit)
            .filter { $0.seq <= last }
        try requireChain(rows, behind: rows.first?.seq == behind.seq + 1 ? behind : nil)
        reportForeign(rows.filter { !known.contains($0.head.hash) })
        if let last = rows.last { witness.see(last.head) }
    }

    /// What the anchor file says; nil where it cannot be read, which is told.
    private func anchorLog() -> AnchorLog? {
        var log: AnchorLog?
        reporter.keeping { (witness) throws(SystemFailure) in log = try witness.log() }
        return log
    }

    /// Refuses events that are not linked, from `anchor` on.
    private func requireChain(_ rows: [HistoryRow], behind anchor: ChainHead?) throws(RunFailure) {
        var previous = anchor
        for row in rows {
            let follows = previous.map { $0.seq &+ 1 != row.seq || $0.hash == row[.prevHash] } ?? true
            guard follows, row.computedHash == row[.hash] else {
                throw .complaint(
                    Complaint(
                        .configuration,
                        "event \(row.seq) of the history, behind the newest anchor, is not as it was written",
                        hint:
                            "Somebody changed it: look with 'auditctl verify'. 'migrated acknowledge --reason TEXT' records that it is accepted."
                    ))
            }
            previous = row.head
        }
    }

    /// Tells of events that were committed a while ago as they were, where this program would write them in the same way.
    private func reportLate(_ rows: [HistoryRow]) {
        let records = rows.compactMap(\.record)
        guard records.count < rows.count else { return reporter.report(records, isLate: true) }
        let heads = rows.map(\.head)
        reporter.keeping { (witness) throws(SystemFailure) in
            try witness.keep(heads, signature: heads.last.flatMap(witness.sign), isLate: true)
        }
    }

    /// The first anchor of a history that others have written: who compares it with what another host, or an export, says of that event knows
    /// more than this host does.
    private func reportNew(_ rows: [HistoryRow]) {
        guard let head = rows.last?.head else { return }
        reporter.keeping { (witness) throws(SystemFailure) in
            try witness.keep([head], signature: nil, isLate: false, isForeign: true)
        }
        reporter.settle()
        reporter.say(
            5,
            Complaint(
                .failed, "the history is new to this host: nothing here vouches for its \(head.seq) events",
                hint:
                    "Another host's migrated wrote it, or one with another state directory; or an anchor file was removed. The newest event's hash is \(Hex.text(head.hash))."
            ))
    }

    private func reportForeign(_ rows: [HistoryRow]) {
        guard let first = rows.first, let last = rows.last else { return }
        let records = rows.compactMap(\.record)
        for record in records { reporter.reportForeign(record) }
        reporter.keeping { (witness) throws(SystemFailure) in
            try witness.keep(rows.map(\.head), signature: nil, isLate: false, isForeign: true)
        }
        let names = rows.prefix(5).map { row in
            guard let record = row.told else { return "\(row.seq), of a kind that is not known here" }
            let actor = record.event.actor
            return "\(row.seq) '\(record.sentence)' (\(actor.initiatedBy) on \(actor.host), pid \(actor.pid))"
        }
        let further = rows.count - names.count
        // Where daemons of several hosts take turns, each reads what the others have written.
        let isOfOthers = records.count == rows.count && !records.contains { $0.event.actor.host == Process.hostName }
        reporter.say(
            isOfOthers ? 5 : 4,
            Complaint(
                .failed,
                "\(rows.count == 1 ? "event \(first.seq) was" : "events \(first.seq) to \(last.seq) were") not written by migrated on this host: "
                    + names.joined(separator: ", ") + (further > 0 ? " and \(further) more" : ""),
                hint:
                    "Another host's migrated wrote it, or a process with another state directory, or somebody in the database: nothing here vouches for it. If this machine went down at that very moment, it can be its own."
            ))
    }
}

extension HistoryRow {
    fileprivate var head: ChainHead { ChainHead(seq: seq, hash: self[.hash] ?? []) }

    /// The record that this program would have made of it; nil where it would have made another.
    fileprivate var record: AuditRecord? { told.flatMap { $0.hash == self[.hash] ? $0 : nil } }

    /// A record with the same words; nil where its kind is not known.
    fileprivate var told: AuditRecord? {
        guard let event, let before = self[.prevHash] else { return nil }
        return AuditRecord(
            event, after: ChainHead(seq: seq &- 1, hash: before), recordedAt: recordedAt.microseconds)
    }
}
