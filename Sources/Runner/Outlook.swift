internal import Checks
public import JSON
internal import Migrations
internal import Reporting
internal import SQLParsing

/// What an `apply` would do now: the plan, with the segments of what is pending.
public struct Outlook: Sendable {
    /// One migration of the plan.
    struct Entry: Sendable {
        var step: PlanStep
        var checksum: String?
        var script: Script?
        /// The first of the script's segments that is not committed.
        var firstSegment = 0
        var complaint: Complaint?
        var skips: [Skip] = []
        /// In what an applied file differs from its recorded text, where that is harmless.
        var difference: String?
    }

    /// An object of a pending file that stands already and is passed over.
    struct Skip: Sendable {
        var object: String
        var kind: String
        var place: Place
        /// Whether it is compared first, and anything but the same is an error.
        var isCompared: Bool
    }

    let layout: LayoutName
    let directory: String
    /// Where the line stands.
    public var summary: RunSummary
    var entries: [Entry]
    /// What is told of the directory: files that are not run, orders in doubt.
    var findings: [Finding]
    /// Names of what is applied and has no file.
    var missing: [String]
    /// What was applied in part and has no file any more, each in a clause.
    var vanished: [String]

    /// For people: one line a migration, and one more for each segment of a file that is not one transaction.
    public var lines: [String] {
        var lines = entries.flatMap(\.lines)
        lines += missing.map { "missing  \(Printable.line($0))  (applied, and its file is not there)" }
        lines += vanished.map { "missing  \(Printable.line($0))" }
        lines += findings.map {
            "told     \(Printable.line($0.path))  (\($0.reason.rawValue): \(Printable.line($0.complaint.message)))"
        }
        lines.append(summary.status)
        return lines
    }

    /// For machines.
    public var json: JSONValue {
        [
            "layout": .string(layout.rawValue), "directory": .string(directory),
            "migrations": .array(entries.map(\.json)),
            "findings": .array(
                findings.map { finding in
                    [
                        "reason": .string(finding.reason.rawValue), "path": .string(finding.path),
                        "message": .string(finding.complaint.message),
                    ]
                }),
            "missing": .array(missing.map(JSONValue.string)), "missing_in_part": .array(vanished.map(JSONValue.string)),
            "status": .string(summary.status),
        ]
    }
}

extension Outlook.Entry {
    /// The state in a word and why.
    var state: (word: String, why: String?) {
        if let complaint { return ("invalid", complaint.lines.first) }
        return switch step.action {
        case .applied: ("applied", nil)
        case .covered(let other): ("covered", "by '\(other)'")
        case .edited: ("edited", "its text has changed since it was applied" + (difference.map { ", \($0)" } ?? ""))
        case .renamed(let old): ("renamed", "applied as '\(old)'")
        case .retired: ("retired", nil)
        case .held(let discrepancy): ("held", discrepancy.words)
        case .unreadable(let finding): ("applied", finding.complaint.lines.first)
        case .pending(_, let cause): ("pending", step.copyOf.map { "the same text as '\($0)'" } ?? cause.words)
        case .waitsForMending: ("failed", "waits for a mended file")
        case .rolledBack: ("rolled back", nil)
        case .running: ("running", nil)
        case .blocked(let by): ("blocked", "by '\(by)'")
        case .late(let before): ("late", "sorts before '\(before)', which is applied")
        case .unmetRequirement(let version): ("blocked", "requires '\(version)'")
        case .invalid(let finding): ("invalid", finding.complaint.lines.first)
        case .beyondLimit: ("beyond", "lies behind the version asked for")
        }
    }

    var lines: [String] {
        let state = state
        var text =
            state.word + String(repeating: " ", count: max(1, 9 - state.word.count))
            + Printable.line(step.migration.name)
        if let why = state.why { text += "  (\(Printable.line(why)))" }
        guard let script else { return [text] }
        let impacts = StatementImpact.all(in: script)
        let isPlain = script.segments.count == 1 && script.segments[0].kind == .transaction
        var lines = [text]
        for (index, segment) in script.segments.enumerated() {
            let place = segment.statements.first.map { "line \(script.statements[$0].line)" } ?? "line 1"
            if !isPlain {
                lines.append(
                    "           \(index + 1)/\(script.segments.count) \(segment.words), \(place), \(segment.statements.count) statement(s)"
                )
            }
            let locks = segment.locks(impacts).map { lock in
                let work = lock.work == .neither ? "" : " (\(lock.work.rawValue))"
                return "\(lock.mode.rawValue) on '\(Printable.line(lock.relation))'\(work)"
            }
            if !locks.isEmpty { lines.append("           locks " + locks.joined(separator: ", ")) }
        }
        for skip in skips {
            let line = skip.place.line.map { ", line \($0)" } ?? ""
            lines.append(
                "           skips \(skip.kind) '\(Printable.line(skip.object))'\(line): it exists"
                    + (skip.isCompared ? ", if it is the same" : ", whatever it is"))
        }
        return lines
    }

    var json: JSONValue {
        let state = state
        var members: [String: JSONValue] = [
            "version": .string(step.migration.version), "name": .string(step.migration.name),
            "path": .string(step.migration.path),
            "state": .string(state.word), "why": JSONValue(state.why), "checksum": JSONValue(checksum),
            "repeatable": .bool(step.repeatable), "down": JSONValue(step.migration.downPath),
            "reason": JSONValue(step.skipReason), "late_before": JSONValue(step.lateBefore),
            "copy_of": JSONValue(step.copyOf),
        ]
        if firstSegment > 0 { members["resume_at"] = .integer(Int64(firstSegment + 1)) }
        if let script {
            members["skips"] = .array(
                skips.map { skip in
                    [
                        "reason": "object_exists", "object": .string(skip.object), "kind": .string(skip.kind),
                        "line": JSONValue(skip.place.line), "column": JSONValue(skip.place.column),
                        "compared": .bool(skip.isCompared),
                    ]
                })
            let impacts = StatementImpact.all(in: script)
            members["segments"] = .array(
                script.segments.map { segment in
                    [
                        "kind": .string(segment.kind.word),
                        "statements": .integer(Int64(segment.statements.count)),
                        "line": JSONValue(segment.statements.first.map { script.statements[$0].line }),
                        "locks": .array(
                            segment.locks(impacts).map { lock in
                                [
                                    "relation": .string(lock.relation), "mode": .string(lock.mode.rawValue),
                                    "work": .string(lock.work.rawValue),
                                ]
                            }),
                    ]
                })
        }
        return .object(members)
    }
}

extension Segment {
    fileprivate var words: String {
        switch kind {
        case .alone: "outside of a transaction"
        case .transaction: "one transaction"
        case .stepwise: "foreign keys step by step"
        }
    }

    /// What its statements lock, as far as their text tells; nothing where it could not be parsed.
    fileprivate func locks(_ impacts: [StatementImpact]) -> [(
        relation: String, mode: LockMode, work: StatementImpact.Work
    )] {
        StatementImpact.strongest(statements.lazy.filter(impacts.indices.contains).map { impacts[$0] })
    }
}

extension Segment.Kind {
    fileprivate var word: String {
        switch self {
        case .alone: "alone"
        case .transaction: "transaction"
        case .stepwise: "stepwise"
        }
    }
}

extension PlanStep.Cause {
    fileprivate var words: String? {
        switch self {
        case .new: nil
        case .mended: "the file was mended"
        case .interrupted: "an earlier attempt was interrupted"
        case .retryRequested: "a retry was asked for"
        case .rolledBack: "it was rolled back"
        case .changed: "its text has changed"
        }
    }
}
