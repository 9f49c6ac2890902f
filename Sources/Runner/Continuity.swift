internal import Audit
internal import Digest
internal import Reporting

/// Whether a history goes on from where an anchor outside of the database says that it was.
enum Continuity: Equatable {
    /// It does.
    case whole
    /// There is no history any more.
    case gone
    /// It ends before the anchor.
    case behind
    /// It has another event in the anchor's place.
    case forked

    /// - Parameters:
    ///   - anchor: the newest head that is known outside of the database.
    ///   - head: the head in the database; nil where there is no history.
    ///   - hashAtAnchor: the hash of the event with the anchor's number.
    init(anchor: ChainHead, head: ChainHead?, hashAtAnchor: [UInt8]?) {
        guard let head else {
            self = .gone
            return
        }
        if head.seq < anchor.seq {
            self = .behind
        } else {
            let hash = head.seq == anchor.seq ? head.hash : hashAtAnchor
            self = hash == anchor.hash ? .whole : .forked
        }
    }

    /// The stable word of an acknowledgement.
    var reason: String {
        switch self {
        case .whole: "whole"
        case .gone, .behind: "truncated"
        case .forked: "fork"
        }
    }

    /// Why the program does not go on; nil where it does.
    func refusal(_ anchor: Anchor, _ head: ChainHead?, timeline: UInt32?) -> Complaint? {
        let known = "the anchor outside of the database is of event \(anchor.head.seq)"
        let lines =
            switch (anchor.timeline, timeline) {
            case (let before?, let now?) where before != now:
                "; the server is on timeline \(now), the anchor is of timeline \(before)"
            default: ""
            }
        let message: String
        switch self {
        case .whole: return nil
        case .gone: message = "the history is gone, and \(known)"
        case .behind: message = "the history ends at event \(head?.seq ?? 0), and \(known)"
        case .forked:
            message = "event \(anchor.head.seq) of the history is not the one that was anchored outside of the database"
        }
        return Complaint(
            .configuration, message + lines,
            hint:
                "A backup was restored, a failover lost events, or somebody changed them: look with 'auditctl verify'. 'migrated acknowledge --reason TEXT' records that the loss is accepted."
        )
    }
}
