public import JSON
internal import Migrations
internal import Replay
public import Reporting

/// What an adoption came to, or would.
public struct AdoptionReport: Sendable {
    struct Adopted: Sendable {
        var entry: AdoptedEntry
        var version: String
        var file: MigrationFile?
    }

    let adoption: Adoption
    let layout: LayoutName
    let dryRun: Bool
    var adopted: [Adopted] = []
    /// Names of what the history knew as applied before.
    public internal(set) var alreadyApplied: [String] = []

    /// For a baseline: how far the database is as a scratch database in which the files ran.
    var proof: DatabaseProof?
    /// For a baseline without a scratch database: how much of what each migration says stands in the database.
    var evidence: [FileEvidence] = []
    /// What is recorded although it differs: names of objects, or of migrations where there is no scratch database.
    var accepted: [String] = []
    /// Whether nobody has asked for it: the folder was found in the database as it is.
    var isReplay = false

    init(adoption: Adoption, layout: LayoutName, dryRun: Bool) {
        self.adoption = adoption
        self.layout = layout
        self.dryRun = dryRun
    }

    /// Names of what is now recorded as adopted, in order.
    public var names: [String] { adopted.map(\.entry.migration.name) }

    /// The audit's word for why it counts as applied.
    func reason(_ entry: AdoptedEntry) -> String {
        if adoption.source == nil { return isReplay ? "replayed" : "baseline" }
        return entry.assumption == nil ? "history" : "assumed"
    }

    func detail(_ entry: AdoptedEntry) -> [String: JSONValue] {
        var detail: [String: JSONValue] = [
            "layout": .string(layout.rawValue), "path": .string(entry.migration.path),
        ]
        if let source = adoption.source {
            detail["tool"] = .string(source.tool.rawValue)
            detail["table"] = .string("\(source.table.schema).\(source.table.name)")
            detail["tool_checksum"] = .string(entry.checksum.rawValue)
        }
        if let proof {
            detail.merge(proof.detail(of: entry.migration.name)) { _, found in found }
        } else if let found = evidence.first(where: { $0.name == entry.migration.name }) {
            detail.merge(found.detail) { _, found in found }
        } else if let assumption = entry.assumption {
            detail["assumed"] = .string(assumption.rawValue)
        }
        if let at = entry.appliedAt { detail["applied_at"] = .string(at) }
        if entry.migration.repeatable { detail["repeatable"] = true }
        return detail
    }

    /// For people: a line a migration, a line for whatever a person should know, and the sum.
    public var lines: [String] {
        var lines = (proof?.lines ?? []) + evidence.flatMap(\.lines)
        if refusal != nil { return lines }
        lines += adopted.map { adopted in
            var notes: [String] = []
            switch adopted.entry.assumption {
            case .version? where adoption.source == nil: notes += word(for: adopted.entry)
            case .version?: notes.append("assumed from how far the history had come")
            case .text?: notes.append("assumed that the text is the same: no checksum was kept")
            case nil: if adopted.entry.checksum != .same { notes.append(adopted.entry.checksum.words) }
            }
            if let at = adopted.entry.appliedAt { notes.append("applied \(at)") }
            let note = notes.isEmpty ? "" : "  (\(Printable.line(notes.joined(separator: ", "))))"
            return "adopted  \(Printable.line(adopted.entry.migration.name))\(note)"
        }
        lines += adoption.findings.map { "note     \(Printable.line($0.message))" }
        lines.append(sum)
        return lines
    }

    private func word(for entry: AdoptedEntry) -> [String] {
        switch evidence.first(where: { $0.name == entry.migration.name })?.verdict {
        case .present, nil: []
        case .partly, .absent: ["differences accepted"]
        case .untold: ["on your word"]
        }
    }

    private var sum: String {
        var sum = dryRun ? "would adopt \(adopted.count) migration(s)" : "adopted \(adopted.count) migration(s)"
        if let source = adoption.source {
            sum += " of \(source.tool.rawValue), from \(Printable.line("\(source.table.schema).\(source.table.name)"))"
        }
        if !alreadyApplied.isEmpty { sum += "; \(alreadyApplied.count) applied already" }
        return sum
    }

    /// Why a baseline is not taken over; nil where it is.
    public var refusal: Complaint? {
        if let proof { return proof.refusal(accepted: accepted, isStrict: false, isBaseline: true) }
        let names = Set(adopted.map(\.entry.migration.name))
        let wanting = evidence.filter {
            names.contains($0.name) && $0.verdict != .present && !accepted.contains($0.name)
        }
        guard let first = wanting.first else { return nil }
        let more = wanting.count > 1 ? ", and \(wanting.count - 1) more" : ""
        let verdict =
            switch first.verdict {
            case .absent: "is absent"
            case .untold: "creates nothing that can be looked for"
            case .partly, .present: "is not there as its file says"
            }
        let way =
            highestPresent.map { "Up to '\($0)' everything is there: 'migrated adopt --baseline \($0)'." }
            ?? "Not even the first migration is there as its file says."
        return Complaint(
            .failed, "the database does not bear the baseline out: '\(first.name)' \(verdict)\(more)",
            hint: "\(way) Each migration that is there all the same can be named: --accept-differences '\(first.name)'."
        )
    }

    /// The version up to which everything stands; nil where not even the first migration does.
    private var highestPresent: String? {
        guard let last = evidence.prefix(while: { $0.verdict == .present }).last else { return nil }
        return adoption.entries.first { $0.migration.name == last.name }?.migration.version
    }

    /// For machines.
    public var json: JSONValue {
        [
            "tool": JSONValue(adoption.source?.tool.rawValue),
            "table": JSONValue(adoption.source.map { "\($0.table.schema).\($0.table.name)" }),
            "dry_run": .bool(dryRun),
            "proof": proof?.json ?? .null,
            "evidence": .array(evidence.map(\.json)),
            "refused": JSONValue(refusal?.message),
            "adopted": .array(
                (refusal == nil ? adopted : []).map { adopted in
                    var members = detail(adopted.entry)
                    members["version"] = .string(adopted.version)
                    members["name"] = .string(adopted.entry.migration.name)
                    members["checksum"] = JSONValue(adopted.file?.checksum)
                    members["reason"] = .string(reason(adopted.entry))
                    return .object(members)
                }),
            "already_applied": .array(alreadyApplied.map(JSONValue.string)),
            "findings": .array(
                adoption.findings.map { finding in
                    [
                        "kind": .string(finding.kind.rawValue), "name": .string(finding.name),
                        "message": .string(finding.message),
                    ]
                }),
        ]
    }
}

extension ChecksumMatch {
    fileprivate var words: String {
        switch self {
        case .same: "the checksum agrees"
        case .sameButLineEnds: "the checksum agrees but for line ends"
        case .different: "another text than the one that was applied"
        case .notKept: "no checksum was kept"
        case .unread: "its file could not be read"
        }
    }
}
