public import Migrations
public import Reporting

/// What a run came to, and where the line stands after it.
public struct RunSummary: Sendable {
    /// Names of what was applied, in order.
    public var applied: [String] = []
    /// What stands in the way, in the line's order: the first one gives the exit status.
    public var complaints: [Complaint] = []
    /// The plan after the run.
    public var plan: Plan?

    /// How many migrations stand applied.
    public var appliedCount: Int {
        plan?.steps.count { step in
            switch step.action {
            case .applied, .edited, .renamed, .unreadable: true
            default: false
            }
        } ?? 0
    }
    /// How many failed ones wait for mending.
    public var failedCount: Int {
        plan?.steps.count { if case .waitsForMending = $0.action { true } else { false } } ?? 0
    }
    /// How many others are not applied yet.
    public var pendingCount: Int {
        let needless =
            plan?.steps.count { step in
                switch step.action {
                case .covered, .retired: true
                default: false
                }
            } ?? 0
        return (plan?.steps.count ?? 0) - needless - appliedCount - failedCount
    }

    /// The line for STATUS and for people: `applied 12, pending 0, failed 0`.
    public var status: String {
        var text = "applied \(appliedCount), pending \(pendingCount), failed \(failedCount)"
        if let failed = plan?.steps.first(where: { if case .waitsForMending = $0.action { true } else { false } }) {
            text += " (\(failed.migration.name) waits for mending)"
        } else if let complaint = complaints.first {
            text += " (\(complaint.lines.first ?? ""))"
        }
        return text
    }

    /// 0 where nothing stands in the way, else the first complaint's.
    public var exitStatus: ExitStatus { complaints.first?.status ?? .done }
}
