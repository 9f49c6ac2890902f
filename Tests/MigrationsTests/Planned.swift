import Reporting

@testable import Migrations

/// A plan of files called by their base name (a `|` at the end makes a FIFO, a `/` in it a Prisma folder). A file's text is its directive
/// line out of `heads`, and its name; each has the same `parts`.
func planned(
    _ names: [String], _ history: [VersionState] = [], _ policy: PlanPolicy = PlanPolicy(), limit: String? = nil,
    heads: [String: String] = [:], parts: FileParts? = nil
) throws(Complaint) -> Plan {
    let paths = names.map { name in
        if name.contains("/") { return name }
        return name.hasSuffix("|") ? "\(name.dropLast()).sql|" : "\(name).sql"
    }
    let set = try set(listing(paths))
    let candidates = set.migrations.map { migration in
        var candidate = Candidate(migration) { migration throws(Complaint) in
            let head = heads[migration.name].map { "-- migrated: \($0)\n" } ?? ""
            return try MigrationFile(migration: migration, bytes: Array((head + "SELECT '\(migration.name)'").utf8))
        }
        candidate.parts = parts
        return candidate
    }
    // A recorded text of nil or "old" is taken as it is; any other means "the text of today".
    let today = Dictionary(
        candidates.map { candidate in
            guard case .text(let checksum, _) = candidate.content else {
                return (candidate.migration.identity, "unread")
            }
            return (candidate.migration.identity, checksum)
        }, uniquingKeysWith: { first, _ in first })
    let recorded = history.map { state in
        var state = state
        if let checksum = state.checksum, checksum != "old" {
            state.checksum = today[set.identity(version: state.version, name: state.name)] ?? "gone \(state.name)"
        }
        return state
    }
    return try Plan(set: set, candidates: candidates, history: recorded, policy: policy, limit: limit)
}

/// A state of the history. `text` is "old" for another text than today's, nil for none recorded.
func state(
    _ name: String, _ status: VersionState.Status = .applied, version: String? = nil, text: String? = "today",
    done: [CommittedPart] = []
) -> VersionState {
    VersionState(
        version: version ?? String(name.prefix { $0 != "_" }), name: name, checksum: text, status: status,
        committed: done)
}

extension Plan {
    /// Each migration's action in a few words.
    var actions: [String: String] {
        Dictionary(steps.map { ($0.migration.name, Plan.words($0.action)) }, uniquingKeysWith: { first, _ in first })
    }

    private static func words(_ action: PlanStep.Action) -> String {
        switch action {
        case .applied: "applied"
        case .covered(let other): "covered by \(other)"
        case .edited: "edited"
        case .renamed(let old): "renamed from \(old)"
        case .retired: "retired"
        case .held(let discrepancy): "held: \(discrepancy.reason)"
        case .unreadable: "unreadable"
        case .pending(let position, let cause):
            "pending \(words(cause))" + (position == .start ? "" : " at \(position.statements)")
        case .waitsForMending: "waits"
        case .rolledBack: "rolled back"
        case .running: "running"
        case .blocked(let version): "blocked by \(version)"
        case .late(let version): "late \(version)"
        case .unmetRequirement(let version): "unmet \(version)"
        case .invalid: "invalid"
        case .beyondLimit: "beyond"
        }
    }

    private static func words(_ cause: PlanStep.Cause) -> String {
        switch cause {
        case .new: "new"
        case .mended: "mended"
        case .interrupted: "interrupted"
        case .retryRequested: "retry"
        case .rolledBack: "rolled back"
        case .changed: "changed"
        }
    }
}
