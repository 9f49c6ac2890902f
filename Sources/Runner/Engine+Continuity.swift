internal import Audit
internal import AuditReading
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
        var identity: (database: String?, timeline: UInt32?) = (nil, nil)
        do throws(RunFailure) {
            let found = try sessions.query(connection, HistoryReader.identityQuery)
            if !found.rows.isEmpty {
                identity = (found.text(0, 0), found.text(0, 1).flatMap { UInt32($0.prefix(8), radix: 16) })
            }
        } catch {
            // A role that may not ask for the system's identifier has no anchor file; the journal still has anchors.
            guard case .refused = error else { throw error }
        }
        reporter.keeping { (witness) throws(SystemFailure) in
            try witness.attend(identity.database, timeline: identity.timeline)
        }
        reporter.context = witness.journalFields
        let installed = try store.installedVersion(connection)
        let (continuity, head) = try store.continuity(connection, installed: installed != nil)
        return Found(anchor: witness.newest, continuity: continuity, head: head, installed: installed)
    }

    /// So many events are told of again at most, where their anchors are missing.
    private static let lateLimit = 1000

    /// Makes up for the anchors of events behind the newest one: a crash came between COMMIT and anchor, or somebody wrote who keeps no
    /// anchors here. Where there was none at all, the head is the first.
    ///
    /// Each of those events must follow the one before it, from the anchor on; else nothing goes on.
    func makeUpAnchors(_ connection: Connection, for found: Found) throws(RunFailure) {
        let anchor = witness.newest?.head
        // Nothing is behind it.
        if let anchor, anchor == found.head { return }
        let limit = anchor == nil ? 1 : Engine.lateLimit
        let rows = try store.newestRows(connection, behind: anchor?.seq ?? 0, limit: limit)
        guard !rows.isEmpty else { return }
        var previous = anchor
        var heads: [ChainHead] = []
        var records: [AuditRecord] = []
        for row in rows {
            let head = ChainHead(seq: row.seq, hash: row[.hash] ?? [])
            let follows = previous.map { $0.seq &+ 1 != head.seq || $0.hash == row[.prevHash] } ?? true
            guard follows, row.computedHash == head.hash else {
                throw .complaint(
                    Complaint(
                        .configuration,
                        "event \(head.seq) of the history, behind the newest anchor, is not as it was written",
                        hint:
                            "Somebody changed it: look with 'auditctl verify'. 'migrated acknowledge --reason TEXT' records that it is accepted."
                    ))
            }
            previous = head
            heads.append(head)
            // An event that this program would write in the same way can be told of as it was.
            guard let event = row.event, let before = row[.prevHash] else { continue }
            let record = AuditRecord(
                event, after: ChainHead(seq: row.seq &- 1, hash: before), recordedAt: row.recordedAt.microseconds)
            if record.hash == head.hash { records.append(record) }
        }
        if anchor != nil, records.count == heads.count {
            reporter.report(records, isLate: true)
        } else {
            reporter.keeping { (witness) throws(SystemFailure) in
                try witness.keep(heads, signature: heads.last.flatMap(witness.sign), isLate: true)
            }
        }
        reporter.settle()
    }
}
