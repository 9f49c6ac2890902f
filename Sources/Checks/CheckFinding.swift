public import Reporting

/// One thing that a check has found.
public struct CheckFinding: Sendable, Equatable {
    /// Another place that belongs to it.
    public struct Related: Sendable, Equatable {
        /// The place.
        public var place: Place
        /// What is there, as a clause.
        public var message: String
    }

    /// Which rule found it.
    public var rule: Rule
    /// How much it matters here.
    public var severity: Severity
    /// Where; a place without a line is about the file or directory as a whole.
    public var place: Place
    /// What, as the project's errors are worded.
    public var message: String
    /// The way out, as a sentence.
    public var hint: String?
    /// The offending line, where showing it helps.
    public var excerpt: String?
    /// The column of `excerpt` that is meant, where parts of the line are hidden.
    public var caret: Int?
    /// The other places it is about.
    public var related: [Related]

    /// A finding from its parts.
    public init(
        _ rule: Rule, _ severity: Severity? = nil, place: Place, _ message: String, hint: String? = nil,
        excerpt: String? = nil, related: [Related] = []
    ) {
        self.rule = rule
        self.severity = severity ?? rule.severity
        self.place = place
        self.message = message
        self.hint = hint
        self.excerpt = excerpt
        self.related = related
    }

    /// The lines to print, each safe for a terminal: `file:line:column: severity CODE sentence`, the excerpt, `HINT: …`.
    public var lines: [String] {
        var complaint = Complaint(
            .badFile, "\(severity.rawValue) \(rule.code) \(message)", hint: hint, place: place, excerpt: excerpt)
        complaint.caret = caret
        return complaint.lines
    }
}
