/// Which entry of the history each file of a directory is, by number, name and checksum together.
///
/// Files are matched by their content first: the same bytes under the same key, then the same bytes under another key whose own file is
/// missing; only then by the key alone. So a file that was renumbered is found however the numbers around it have moved.
///
/// Repeatable files have no place in an order and are matched by their key alone.
struct HistoryMatch {
    /// What each candidate is, in their order; nil for one that the history does not know, or knows as not applied.
    private(set) var relations: [FileRelation?]
    /// Applied migrations without a file, in the order of their names. One that was renamed is not among them.
    private(set) var vanished: [VersionState] = []
    /// Applied migrations without a file that a baseline in the directory stands for, in the order of their names.
    private(set) var replaced: [VersionState] = []
    /// How many applied migrations there are, where not one of them is in the directory with the text that was applied; else nil.
    ///
    /// A single one whose text has changed under its own name is an edited file and no other project.
    private(set) var strangers: Int?

    /// Applied migrations whose text is not under their own key, and whether a file was found for each.
    private var open: [(state: VersionState, isFound: Bool)]

    /// - Parameters:
    ///   - known: for each candidate what the history has under its key.
    ///   - absent: what the history has under keys that no candidate has.
    init(_ candidates: [Candidate], known: [VersionState?], absent: [VersionState], baselines: Baselines) {
        relations = Array(repeating: nil, count: candidates.count)
        open = absent.lazy.filter(\.status.isApplied).map { ($0, false) }
        var keys: [(file: Int, state: Int)] = []
        for (index, file) in candidates.enumerated() {
            guard let state = known[index], state.status.isApplied else { continue }
            if file.directives.repeatable {
                relations[index] = state.checksum == file.checksum ? .same : .changed(from: state.checksum)
            } else if state.isSame(as: file) {
                relations[index] = state.name == file.migration.name ? .same : .renamed(from: state, edited: false)
            } else {
                keys.append((index, open.count))
                open.append((state, false))
            }
        }
        matchByContent(candidates, known)
        for (index, key) in keys where relations[index] == nil && !open[key].isFound {
            let state = open[key].state
            open[key].isFound = true
            relations[index] =
                state.name == candidates[index].migration.name
                ? .edited(recorded: state.checksum ?? "") : .numberReused(by: state.name)
        }
        let missing = open.lazy.filter { !$0.isFound && !$0.state.repeatable }.map(\.state)
            .sorted { NameOrder.current($0.name, $1.name) }
        vanished = missing.filter { !baselines.replaces($0) }
        replaced = missing.filter { baselines.replaces($0) }
        matchByTitle(candidates, known, absent)
        var applied = 0
        for state in absent where state.counts(baselines) { applied += 1 }
        for (index, state) in known.enumerated() where !candidates[index].directives.repeatable {
            if state?.counts(baselines) == true { applied += 1 }
        }
        strangers = strangers(applied)
    }

    /// The same bytes under another name, where the file with the old name is missing.
    private mutating func matchByContent(_ candidates: [Candidate], _ known: [VersionState?]) {
        var byContent: [String: [Int]] = [:]
        for (index, entry) in open.enumerated().sorted(by: {
            NameOrder.current($0.element.state.name, $1.element.state.name)
        })
        where !entry.state.repeatable {
            if let checksum = entry.state.checksum { byContent[checksum, default: []].append(index) }
        }
        guard !byContent.isEmpty else { return }
        for (index, file) in candidates.enumerated() where relations[index] == nil && file.isOrdered {
            // Where somebody has tried or decided about this very key, that counts.
            guard let checksum = file.checksum, known[index]?.status.leavesKeyFree ?? true,
                let old = byContent[checksum]?.first
            else { continue }
            byContent[checksum]?.removeFirst()
            open[old].isFound = true
            relations[index] = .renamed(from: open[old].state, edited: false)
        }
    }

    /// What is left and unknown to the history: a vanished one under another number, with another text; a copy; or new.
    private mutating func matchByTitle(
        _ candidates: [Candidate], _ known: [VersionState?], _ absent: [VersionState]
    ) {
        let files = candidates.indices.filter { relations[$0] == nil && candidates[$0].isOrdered }
        guard !files.isEmpty else { return }
        var titles = Dictionary(
            vanished.filter { !$0.title.isEmpty }.map { ($0.title, $0) }, uniquingKeysWith: { first, _ in first })
        var contents: [String: String] = [:]
        for state in known.lazy.compactMap(\.self) + absent where state.isEvidence {
            // Of several the first name, whatever the order of the history.
            if let checksum = state.checksum { contents[checksum] = min(contents[checksum] ?? state.name, state.name) }
        }
        for index in files {
            let (file, state) = (candidates[index], known[index])
            if state?.status == .retired, state?.checksum == file.checksum {
                relations[index] = .retired
                continue
            }
            let isFree = state?.status.leavesKeyFree ?? true
            // A failed file may be fixed, but not by the text of another one; what an operator has asked for runs.
            guard isFree || state?.status != .retryRequested && state?.checksum != file.checksum else { continue }
            if isFree, let old = titles.removeValue(forKey: file.migration.title) {
                vanished.removeAll { $0 == old }
                relations[index] = .renamed(from: old, edited: true)
            } else if let checksum = file.checksum, let original = contents[checksum] {
                relations[index] = .copy(of: original)
            }
        }
    }

    private func strangers(_ applied: Int) -> Int? {
        guard applied > 0 else { return nil }
        for relation in relations {
            switch relation {
            case .same, .renamed(_, edited: false): return nil
            case .edited where applied == 1: return nil
            default: break
            }
        }
        return applied
    }

    /// Whether the effects of the candidate at `index` are in the database.
    func isApplied(_ index: Int) -> Bool {
        switch relations[index] {
        case .same, .changed, .edited, .renamed(_, edited: false): true
        case .renamed(_, edited: true), .numberReused, .copy, .retired, nil: false
        }
    }
}

/// What a file is to the history.
enum FileRelation: Equatable {
    /// It is applied, with this text as far as one was recorded.
    case same
    /// It is repeatable, and was applied with another text, or nobody recorded with which.
    case changed(from: String?)
    /// It is applied under this name with another text.
    case edited(recorded: String)
    /// The text of an applied one whose own file is missing; `edited`: only its title is.
    case renamed(from: VersionState, edited: Bool)
    /// Its number is that of an applied one with another name and another text.
    case numberReused(by: String)
    /// The text of an applied or retired one under a name of its own.
    case copy(of: String)
    /// It was retired with this text.
    case retired
}

extension VersionState.Status {
    /// Whether nobody has tried or decided about a file under this key that is not matched otherwise: an applied one has left it.
    fileprivate var leavesKeyFree: Bool { isApplied || !wasAttempted || self == .retired }
}

extension VersionState {
    /// What the name says beside the number, in lower case: what somebody who renumbers a file leaves as it is.
    var title: String { MigrationTitle.of(name) }

    /// Whether its text has been applied once.
    fileprivate var isEvidence: Bool { !repeatable && (status.isApplied || status == .retired) }

    /// Whether it is one of those of which a directory should hold some.
    fileprivate func counts(_ baselines: Baselines) -> Bool {
        status.isApplied && !repeatable && !baselines.replaces(self)
    }

    /// Whether the file has the name's text, as far as one was recorded. A file that cannot be read is no evidence of another text under
    /// the same name.
    fileprivate func isSame(as file: Candidate) -> Bool {
        guard let checksum, let found = file.checksum else { return name == file.migration.name }
        return checksum == found
    }
}

extension Candidate {
    /// Whether it has a place among the numbered ones.
    fileprivate var isOrdered: Bool { !directives.repeatable && migration.baseline == nil }
}

extension Migration {
    var title: String { MigrationTitle.of(name) }
}

private enum MigrationTitle {
    static func of(_ name: String) -> String {
        let rest = LeadingNumber(name, parts: true)?.rest ?? Substring(name).flywayTitle
        return rest.drop { $0 == "_" || $0 == "-" || $0 == "." || $0 == " " }.lowercased()
    }
}

extension Substring {
    /// `add_email` of `V2__add_email`.
    fileprivate var flywayTitle: Substring {
        guard let kind = first, "VBU".contains(kind), let number = LeadingNumber(dropFirst(), parts: true) else {
            return self
        }
        return number.rest
    }
}
