public import JSON
internal import Reporting
internal import SQLLexing

/// What a folder's files make of an empty database, step by step, and how far another database is as they leave it.
///
/// An item counts that any of the files has made, changed or taken away: of those the database must have exactly the ones that the last file leaves.
/// What no file knows is told and is nobody's fault.
public struct FolderProof: Sendable {
    /// What one catalog says: the definition of each object.
    public typealias Catalog = [CatalogItem.Object: String]

    private struct Change {
        /// The index of the file.
        var file: Int
        /// Whether the item is there from then on.
        var isThere: Bool
    }

    /// The migrations' names, in the order in which they ran.
    private var files: [String] = []
    private var catalog: Catalog
    private let base: Set<CatalogItem>
    private var changes: [CatalogItem: [Change]] = [:]

    /// Begins with what was there before the first file.
    public init(before catalog: Catalog) {
        self.catalog = catalog
        base = FolderProof.items(catalog)
    }

    private static func items(_ catalog: Catalog) -> Set<CatalogItem> {
        catalog.reduce(into: []) { items, object in items.formUnion(CatalogItem.all(object.key, object.value)) }
    }

    /// Takes what was there behind the next file, or behind several of which `file` is the last.
    public mutating func add(_ file: String, _ after: Catalog) {
        files.append(file)
        for object in Set(catalog.keys).union(after.keys) where catalog[object]?.exact != after[object]?.exact {
            let old = Set(catalog[object].map { CatalogItem.all(object, $0) } ?? [])
            let new = Set(after[object].map { CatalogItem.all(object, $0) } ?? [])
            for item in old.subtracting(new) {
                changes[item, default: []].append(Change(file: files.count - 1, isThere: false))
            }
            for item in new.subtracting(old) {
                changes[item, default: []].append(Change(file: files.count - 1, isThere: true))
            }
        }
        catalog = after
    }

    /// How a database has it.
    public func compare(with database: Catalog) -> Verdict {
        let found = FolderProof.items(database)
        var verdict = Verdict()
        verdict.objects = catalog.keys.count { !(base.contains(CatalogItem(object: $0, text: ""))) }
        for (item, steps) in changes {
            guard let last = steps.last, last.isThere != found.contains(item) else { continue }
            verdict.differences.append(
                Difference(
                    item: item, isMissing: last.isThere, file: files[last.file],
                    isWholeObject: last.isThere ? database[item.object] == nil : catalog[item.object] == nil))
        }
        for item in found where changes[item] == nil && !base.contains(item) {
            verdict.unknown.append(
                Difference(item: item, isMissing: false, file: nil, isWholeObject: catalog[item.object] == nil))
        }
        // An object that is there or not as a whole is told once.
        verdict.differences = FolderProof.told(verdict.differences)
        verdict.unknown = FolderProof.told(verdict.unknown)
        verdict.standing = standing(found)
        return verdict
    }

    /// The last files behind which the folder's items are exactly those of the database, by their indexes; -1 stands for before the first one.
    private func standing(_ found: Set<CatalogItem>) -> ClosedRange<Int>? {
        var flips: [Int: Int] = [:]
        var wrong = 0
        for (item, steps) in changes {
            var isWrong = base.contains(item) != found.contains(item)
            if isWrong { wrong += 1 }
            for step in steps {
                let isWrongNow = step.isThere != found.contains(item)
                if isWrongNow != isWrong { flips[step.file, default: 0] += isWrongNow ? 1 : -1 }
                isWrong = isWrongNow
            }
        }
        var standing: ClosedRange<Int>? = wrong == 0 ? -1...(-1) : nil
        for file in files.indices {
            let stoodBefore = wrong == 0
            wrong += flips[file] ?? 0
            if wrong == 0 { standing = (stoodBefore ? standing?.lowerBound ?? file : file)...file }
        }
        return standing
    }

    private static func told(_ differences: [Difference]) -> [Difference] {
        let whole = Set(differences.filter { $0.isWholeObject && $0.item.text.isEmpty }.map(\.item.object))
        return differences.filter { $0.item.text.isEmpty || !whole.contains($0.item.object) }.sorted { left, right in
            if left.item.object != right.item.object { return left.item.object < right.item.object }
            if left.isMissing != right.isMissing { return left.isMissing }
            return left.item.text.exact < right.item.text.exact
        }
    }

    /// One item that the database has and the folder does not leave, or the other way round.
    public struct Difference: Sendable, Equatable {
        var item: CatalogItem
        /// Whether the files leave it and the database lacks it.
        var isMissing: Bool
        /// The migration that made it, or took it away; nil where none knows it.
        public var file: String?
        /// Whether all of its object is meant.
        var isWholeObject: Bool

        /// The object, as it is named to accept it.
        public var object: String { item.object.name }

        /// Whether that names its object: with its class before it or without.
        public func isNamed(by name: String) -> Bool { name == item.object.name || name == item.object.words }

        /// What a definition keeps secret stays so.
        private var text: String { Secrets.hidden(words: item.text, about: item.object.name) }

        /// One line, without control characters.
        public var line: String {
            let words = item.text.isEmpty ? item.object.words : "\(item.object.words): \(text)"
            let cause = file.map { isMissing ? "  (\($0) makes it)" : "  (\($0) takes it away)" } ?? ""
            let word = isMissing ? "missing " : file == nil ? "beside  " : "left    "
            return "\(word) \(Printable.line(words, limit: 300))\(Printable.line(cause))"
        }

        /// For machines.
        public var json: JSONValue {
            [
                "state": .string(isMissing ? "missing" : file == nil ? "beside" : "left"),
                "class": .string(item.object.kind), "object": .string(item.object.name),
                "definition": .string(text),
                "file": JSONValue(file),
            ]
        }
    }

    /// What a comparison came to.
    public struct Verdict: Sendable, Equatable {
        /// How many objects the files leave.
        public var objects = 0
        /// What the database lacks, and what it has still.
        public var differences: [Difference] = []
        /// What it has beside that.
        public var unknown: [Difference] = []
        /// The indexes of the last files behind any of which the database stands, because those behind the first of them change nothing that a catalog
        /// says; -1 for before the first file, nil where it stands behind none.
        public var standing: ClosedRange<Int>?
    }
}
