/// What becomes of a pending file that sorts before an applied one and was never attempted: `late =`.
public enum Late: String, CaseIterable, Sendable {
    /// It holds up the line until it is renamed, resolved or the policy changes.
    case stop
    /// It runs, out of order, and that is recorded.
    case apply
}

/// What becomes of later files when an applied one was edited, renamed or deleted: `on-drift =`.
public enum OnDrift: String, CaseIterable, Sendable {
    /// They wait until it is restored, resolved or retired.
    case stop
    /// They run; the change is reported, and a new name of the same text is recorded.
    case report
}

/// What becomes of objects of the database that were changed by others than migrations: `catalog-drift =`.
public enum CatalogDrift: String, CaseIterable, Sendable {
    /// Each is reported once; nothing waits for it.
    case report
    /// The catalog is not looked at.
    case off
}

/// How the operator wants doubtful files treated.
public struct PlanPolicy: Sendable, Equatable {
    /// For late files; nil does as the layout's own tool.
    public var late: Late?
    /// For applied files that were edited, renamed or deleted, or can no longer be read.
    public var onDrift: OnDrift

    /// Whether what a rollback undid runs again although its text is the same: where a person asks for it, not by itself.
    public var reappliesRolledBack: Bool

    /// Why nothing may run that would, where a manifest is demanded and does not allow it.
    public var refusal: Finding?

    /// A policy from its parts.
    public init(
        late: Late? = nil, onDrift: OnDrift = .report, reappliesRolledBack: Bool = true, refusal: Finding? = nil
    ) {
        self.late = late
        self.onDrift = onDrift
        self.reappliesRolledBack = reappliesRolledBack
        self.refusal = refusal
    }
}
