/// A check of the history beside what was kept of it elsewhere.
public struct Examination: Sendable {
    /// What became of the history.
    public var verdict: Verdict
    /// What the anchors say.
    public var testimony: Testimony
    /// What is no tampering and yet makes the evidence weaker.
    public var warnings: [String] = []

    /// A check that came to nothing.
    public init(_ verdict: Verdict, _ testimony: Testimony = Testimony([]), warnings: [String] = []) {
        self.verdict = verdict
        self.testimony = testimony
        self.warnings = warnings
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
