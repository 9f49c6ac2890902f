public import JSON

/// One thing that was looked at.
public struct IntegrityLine: Sendable, Equatable {
    /// What came of it.
    public enum Verdict: String, Sendable {
        case pass = "PASS"
        case fail = "FAIL"
        /// Nothing wrong, and worth knowing.
        case note = "NOTE"
    }

    /// What is looked at, as stable words.
    public enum Check: String, Sendable {
        /// Rows that refer to a row that is not there.
        case orphans
        /// Whether the server itself has proved the key over all rows.
        case validation
        /// Whether an index leads with the referencing columns.
        case index
        /// Indexes that PostgreSQL keeps up and does not use.
        case invalidIndex = "invalid_index"
        /// Keys that wait for a table.
        case deferredKey = "deferred_key"
        /// Whether recorded keys are still there.
        case recordedKey = "recorded_key"
        /// Objects of the database against how migrations left them.
        case catalog
        /// Applied files against their recorded checksums.
        case file
    }

    /// The keys of its JSON form, in order.
    public static let columns = ["verdict", "check", "object", "what", "count"]

    public var verdict: Verdict
    public var check: Check
    /// The key, index or file; nil where it is about all of them.
    public var object: String?
    /// The finding as a clause, with raw names in it.
    public var what: String
    /// How many, where something was counted.
    public var count: Int64?

    /// A line from its parts.
    public init(_ verdict: Verdict, _ check: Check, _ object: String?, _ what: String, count: Int64? = nil) {
        self.verdict = verdict
        self.check = check
        self.object = object
        self.what = what
        self.count = count
    }

    /// An object with the keys of `columns`.
    public var json: JSONValue {
        [
            "verdict": .string(verdict.rawValue), "check": .string(check.rawValue), "object": JSONValue(object),
            "what": .string(what), "count": JSONValue(count),
        ]
    }

    /// The values in the order of `columns`; nil for null.
    public var fields: [String?] { [verdict.rawValue, check.rawValue, object, what, count.map { String($0) }] }
}

/// Everything that was looked at.
public struct IntegrityReport: Sendable, Equatable {
    public var lines: [IntegrityLine]

    /// A report of these lines.
    public init(_ lines: [IntegrityLine]) { self.lines = lines }

    /// How many lines failed.
    public var failures: Int { lines.count { $0.verdict == .fail } }
    /// `PASS` where none failed.
    public var verdict: IntegrityLine.Verdict { failures == 0 ? .pass : .fail }

    /// One object: verdict and lines.
    public var json: JSONValue {
        ["verdict": .string(verdict.rawValue), "lines": .array(lines.map(\.json))]
    }
}
