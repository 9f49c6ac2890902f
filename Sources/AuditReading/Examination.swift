/// A check of the history beside what was kept of it elsewhere.
public struct Examination: Sendable {
    /// What became of the history.
    public var verdict: Verdict
    /// What the anchors say.
    public var testimony: Testimony
    /// What is no tampering and yet makes the evidence weaker.
    public var warnings: [String] = []
    /// Who else could change the history, and what reaches into the database's sessions or out of the history: no tampering, and for whoever
    /// answers for it to know.
    public var reach: [String] = []

    /// A check that came to nothing.
    public init(
        _ verdict: Verdict, _ testimony: Testimony = Testimony([]), warnings: [String] = [], reach: [String] = []
    ) {
        self.verdict = verdict
        self.testimony = testimony
        self.warnings = warnings
        self.reach = reach
    }

    /// The verdict as one stable word: `intact`, `intact_up_to_anchor`, that of the first finding, or `cannot_tell`.
    public var word: String {
        switch verdict {
        case .intact: isAnchoredToItsEnd ? "intact" : "intact_up_to_anchor"
        case .tampered(let findings): findings.first?.kind.rawValue ?? "edited"
        case .cannotTell: "cannot_tell"
        }
    }

    /// Whether the newest event has an anchor; where there is no anchor at all, that is a warning and no limit.
    private var isAnchoredToItsEnd: Bool {
        guard case .intact(_, let head) = verdict, !testimony.isEmpty else { return true }
        return testimony.lastAnchored != nil && testimony.lastHash == head
    }
}
