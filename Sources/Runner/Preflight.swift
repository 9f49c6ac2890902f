public import JSON
public import Reporting

/// What an `apply` would meet in the database now, found out without changing anything.
public struct Preflight: Sendable {
    /// One thing that was found.
    struct Remark: Sendable {
        var verdict: KeyForecast.Verdict
        /// `statement`, `foreign_key`, `table`, `invalid_index`, `session`, `login`, `secret` or `setting`.
        var kind: String
        /// The migration's name; nil for what concerns all of them.
        var migration: String?
        var place: Place?
        var object: String?
        var what: String
        /// Orphans, or rows of a table as the planner estimates them.
        var count: Int64?
        /// What a statement locks.
        var impact: StatementForecast?

        var line: String {
            let place =
                place.map { place in
                    ([place.file] + [place.line, place.column].compactMap { $0.map { String($0) } }).joined(
                        separator: ":")
                        + ": "
                } ?? ""
            let object = object.map { "\($0): " } ?? ""
            let word = verdict.rawValue + String(repeating: " ", count: max(0, 5 - verdict.rawValue.count))
            return word + Printable.line(place + object + what)
        }

        var json: JSONValue {
            let members: [String: JSONValue] = [
                "verdict": .string(verdict.rawValue), "kind": .string(kind), "migration": JSONValue(migration),
                "line": JSONValue(place?.line), "column": JSONValue(place?.column), "object": JSONValue(object),
                "what": .string(what), "count": JSONValue(count),
            ]
            return .object(members.merging(impact?.members ?? [:]) { member, _ in member })
        }

        /// Whether a person reads of it: a statement that nobody notices is for machines alone.
        var isWorthTelling: Bool { impact?.isWorthTelling ?? true }
    }

    /// Where the line stands.
    public var summary: RunSummary
    var pending: [String] = []
    var remarks: [Remark] = []

    /// How many things would fail.
    public var failures: Int { remarks.count { $0.verdict == .fail } + summary.complaints.count }
    /// What stands in the way already, else 1 where something would fail.
    public var exitStatus: ExitStatus {
        summary.exitStatus == .done && failures > 0 ? .failed : summary.exitStatus
    }

    /// For people.
    public var lines: [String] {
        remarks.filter(\.isWorthTelling).map(\.line) + [
            "\(summary.status); \(failures == 0 ? "nothing" : String(failures)) would fail"
        ]
    }

    /// For machines.
    public var json: JSONValue {
        [
            "pending": .array(pending.map(JSONValue.string)), "remarks": .array(remarks.map(\.json)),
            "complaints": .array(summary.complaints.map { .string($0.lines.first ?? "") }),
            "failures": JSONValue(failures), "status": .string(summary.status),
        ]
    }
}
