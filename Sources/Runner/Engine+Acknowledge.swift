internal import Audit
internal import Digest
internal import JSON
internal import Postgres
public import Reporting
internal import Systemd

extension Engine {
    /// Records that an operator accepts a history that does not go on from its anchor, and begins a new epoch of anchors behind it.
    ///
    /// Returns the sentence that says what was accepted. Throws `.failed` where there is nothing to accept.
    public func acknowledge(reason: String, lockPatience: TimeSpan) throws(RunFailure) -> String {
        let connection = try sessions.books()
        let found = try lookAtHistory(connection)
        guard let anchor = found.anchor else {
            throw .complaint(
                Complaint(
                    .failed, "there is no anchor of this history here, and nothing to acknowledge",
                    hint: "Run it as the daemon's user and with its state directory."))
        }
        guard let refusal = found.refusal(timeline: witness.timeline) else {
            throw .complaint(
                Complaint(
                    .failed,
                    "the history goes on from its anchor, event \(anchor.head.seq): there is nothing to acknowledge",
                    hint: "See 'auditctl verify'."))
        }
        witness.isAcknowledging = true
        defer { witness.isAcknowledging = false }
        try store.install(connection, over: found.installed)
        try withLock(patience: lockPatience) { () throws(RunFailure) in
            let log: AnchorLog
            let earlier: [Anchor]
            do throws(SystemFailure) {
                log = try witness.log()
                earlier = try witness.earlierAnchors()
            } catch {
                throw .complaint(error.complaint)
            }
            let holding = try store.holding(try sessions.books(), (log.anchors + earlier).map(\.head))
            let common = holding.map(\.seq).max() ?? 0
            var event = AuditEvent(.acknowledged, by: try actor())
            event.reason = found.continuity.reason
            event.message = reason
            event.detail = [
                "lost_from": .integer(common + 1), "lost_to": .integer(anchor.head.seq),
                "anchor_seq": .integer(anchor.head.seq), "anchor_hash": .string(Hex.text(anchor.head.hash)),
                "epoch": .integer(Int64(log.epoch + 1)),
            ]
            if let timeline = anchor.timeline { event.detail["anchor_timeline"] = .integer(Int64(timeline)) }
            if let timeline = witness.timeline { event.detail["timeline"] = .integer(Int64(timeline)) }
            if let head = found.head {
                event.detail["head_seq"] = .integer(head.seq)
                event.detail["head_hash"] = .string(Hex.text(head.hash))
            }
            let records = try store.record([event])
            guard let event = records.last?.seq else { return }
            let genesis = try store.genesis(try sessions.books())
            do throws(SystemFailure) {
                try witness.begin(
                    epoch: log.epoch + 1, event: event, lost: anchor.head, common: common, genesis: genesis?.digits
                ) { holding.contains($0.head) }
            } catch {
                throw .complaint(error.complaint)
            }
            reporter.report(records)
        }
        return refusal.message
    }
}
