/// Which entry of the history each file of a directory is, by number, name and checksum together.
///
/// Files are matched by their content first: the same bytes under the same key, then the same bytes under another key whose own file is
/// missing; only then by the key alone. So a file that was renumbered is found however the numbers around it have moved.
///
/// Repeatable files have no place in an order and are matched by their key alone.
struct HistoryMatch {
    /// What each migration of the directory is, by its key.
    private(set) var relations: [Identity: FileRelation] = [:]
    /// Applied migrations without a file, in the order of their names. One that was renamed is not among them.
    private(set) var vanished: [VersionState] = []
    /// Applied migrations without a file that a baseline in the directory stands for, in the order of their names.
    private(set) var replaced: [VersionState] = []
    /// How many applied migrations there are, where not one of them is in the directory with the text that was applied; else nil.
    ///
    /// A single one whose text has changed under its own name is an edited file and no other project.
    private(set) var strangers: Int?

    init(
        _ set: MigrationSet, _ candidates: [Candidate], _ history: [Identity: VersionState], baselines: Baselines
    ) {
        let states = history.filter { $0.value.status.isApplied }
        // Applied ones whose file is not found yet.
        var open = states
        let files = candidates.filter { !$0.directives.repeatable && $0.migration.baseline == nil }

        for file in candidates {
            let key = file.migration.identity
            guard let state = states[key] else { continue }
            if file.directives.repeatable {
                relations[key] = state.checksum == file.checksum ? .same : .changed(from: state.checksum)
            } else if state.isSame(as: file) {
                relations[key] = state.name == file.migration.name ? .same : .renamed(from: state, edited: false)
            } else {
                continue
            }
            open[key] = nil
        }
        matchByContent(files, history, &open)
        for file in candidates where relations[file.migration.identity] == nil {
            let key = file.migration.identity
            guard let state = open[key] else { continue }
            open[key] = nil
            relations[key] =
                state.name == file.migration.name
                ? .edited(recorded: state.checksum ?? "") : .numberReused(by: state.name)
        }
        let missing = open.values.filter { !$0.repeatable }.sorted { NameOrder.current($0.name, $1.name) }
        vanished = missing.filter { !baselines.replaces($0) }
        replaced = missing.filter { baselines.replaces($0) }
        matchByTitle(files, history)
        let again = Set(candidates.lazy.filter(\.directives.repeatable).map(\.migration.identity))
        strangers = strangers(
            states.count { !$0.value.repeatable && !again.contains($0.key) && !baselines.replaces($0.value) })
    }

    /// The same bytes under another name, where the file with the old name is missing.
    private mutating func matchByContent(
        _ files: [Candidate], _ history: [Identity: VersionState], _ open: inout [Identity: VersionState]
    ) {
        var byContent: [String: [Identity]] = [:]
        for (key, state) in open.sorted(by: { NameOrder.current($0.value.name, $1.value.name) }) where !state.repeatable
        {
            if let checksum = state.checksum { byContent[checksum, default: []].append(key) }
        }
        guard !byContent.isEmpty else { return }
        for file in files where relations[file.migration.identity] == nil {
            let key = file.migration.identity
            // Where somebody has tried or decided about this very key, that counts.
            guard let checksum = file.checksum, history[key]?.status.leavesKeyFree ?? true,
                let old = byContent[checksum]?.first, let state = open[old]
            else { continue }
            byContent[checksum]?.removeFirst()
            open[old] = nil
            relations[key] = .renamed(from: state, edited: false)
        }
    }

    /// What is left and unknown to the history: a vanished one under another number, with another text; a copy; or new.
    private mutating func matchByTitle(_ files: [Candidate], _ history: [Identity: VersionState]) {
        var titles = Dictionary(
            vanished.filter { !$0.title.isEmpty }.map { ($0.title, $0) }, uniquingKeysWith: { first, _ in first })
        var contents: [String: String] = [:]
        for state in history.values.sorted(by: { NameOrder.current($0.name, $1.name) })
        where !state.repeatable && (state.status.isApplied || state.status == .retired) {
            if let checksum = state.checksum, contents[checksum] == nil { contents[checksum] = state.name }
        }
        for file in files where relations[file.migration.identity] == nil {
            let state = history[file.migration.identity]
            if state?.status == .retired, state?.checksum == file.checksum {
                relations[file.migration.identity] = .retired
                continue
            }
            let isFree = state?.status.leavesKeyFree ?? true
            // A failed file may be fixed, but not by the text of another one; what an operator has asked for runs.
            guard isFree || state?.status != .retryRequested && state?.checksum != file.checksum else { continue }
            if isFree, let old = titles.removeValue(forKey: file.migration.title) {
                vanished.removeAll { $0 == old }
                relations[file.migration.identity] = .renamed(from: old, edited: true)
            } else if let checksum = file.checksum, let original = contents[checksum] {
                relations[file.migration.identity] = .copy(of: original)
            }
        }
    }

    private func strangers(_ applied: Int) -> Int? {
        guard applied > 0 else { return nil }
        for relation in relations.values {
            switch relation {
            case .same, .renamed(_, edited: false): return nil
            case .edited where applied == 1: return nil
            default: break
            }
        }
        return applied
    }
}

extension HistoryMatch {
    /// Whether the migration's effects are in the database.
    func isApplied(_ migration: Migration) -> Bool {
        switch relations[migration.identity] {
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

    /// Whether the file has the name's text, as far as one was recorded. A file that cannot be read is no evidence of another text under
    /// the same name.
    fileprivate func isSame(as file: Candidate) -> Bool {
        guard let checksum, let found = file.checksum else { return name == file.migration.name }
        return checksum == found
    }
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
