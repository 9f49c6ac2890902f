/// A listing in one order, with each level sorted into the one above it.
struct Directory {
    struct Item {
        /// The last part of the path.
        var name: String
        var path: String
        var kind: DirectoryEntry.Kind
        var isUTF8: Bool
        var isEmpty: Bool
        /// Why it is neither file nor directory, or why nothing is known of what the directory holds, as the end of a sentence.
        var because = ""
        /// What a directory holds, hidden entries left out, by the bytes of the names.
        var children: [Item] = []

        func child(_ name: String) -> Item? { children.first { $0.name == name } }

        /// Everything below it, however deep.
        var descendants: [Item] { children.flatMap { [$0] + $0.descendants } }

        /// Why a directory cannot be the migration that it may be; nil where it can be looked into.
        var closure: Finding? {
            guard kind == .directory, !because.isEmpty else { return nil }
            return Finding(
                .unsafePermissions, path: path, "the directory '\(path)' cannot be looked into\(because)",
                hint: "Let the service's user read and search it: chmod u+rx, or chown.")
        }
    }

    /// The first level, hidden entries left out, by the bytes of the names: the same for every order of the listing.
    ///
    /// Names that begin with a dot are left out as every tool does: editors and copying programs put half-written files there.
    let items: [Item]
    /// Which tool its numbered files are written for, as far as that was looked at.
    var dialect = Dialect.plain
    /// Where it is, as far as that is known.
    var path: String?
    /// What a file of a numbered layout is known by.
    var versionBy = VersionBy.number

    init(_ listing: DirectoryListing) {
        var below: [String: [Item]] = [:]
        for entry in listing.entries {
            let parts = entry.path.split(separator: "/", omittingEmptySubsequences: false)
            guard let last = parts.last, !parts.contains(where: { $0.isEmpty || $0.hasPrefix(".") }) else { continue }
            var item = Item(
                name: String(last), path: entry.path, kind: entry.kind, isUTF8: entry.nameIsUTF8, isEmpty: entry.isEmpty
            )
            if let reason = entry.reason { item.because = ": \(reason)" }
            below[String(entry.path[..<last.startIndex].dropLast()), default: []].append(item)
        }
        func level(_ folder: String) -> [Item] {
            below[folder, default: []].sorted(by: Directory.precedes).map { item in
                var item = item
                if item.kind == .directory { item.children = level(item.path) }
                return item
            }
        }
        items = level("")
    }

    func item(_ name: String) -> Item? { items.first { $0.name == name } }
    var files: [Item] { items.filter { $0.kind != .directory } }
    var directories: [Item] { items.filter { $0.kind == .directory } }

    /// Findings for everything that looks like SQL, is not in `known`, and so is not run.
    func strangers(known: Set<String>, layout: any Layout.Type) -> [Finding] {
        items.compactMap { item in
            if known.contains(item.path) { return nil }
            let named = "layout '\(layout.name.rawValue)' runs \(layout.pattern)"
            switch item.kind {
            case .file where FileName.isSQL(item.name):
                if let obstacle = item.obstacle { return obstacle }
                return Finding(.unknownFile, path: item.path, "'\(item.path)' is not run: \(named)")
            case .directory where FileName.isSQL(item.name), .other where FileName.isSQL(item.name):
                return item.obstacle
            case .directory where item.children.contains { FileName.isSQL($0.name) && !known.contains($0.path) }:
                return Finding(.unknownFile, path: item.path, "not every SQL file in '\(item.path)/' is run: \(named)")
            case .file, .directory, .other: return nil
            }
        }
    }

    private static func precedes(_ left: Item, _ right: Item) -> Bool {
        if left.path != right.path { return NameOrder.bytes(left.path, right.path) }
        return left.isUTF8 && !right.isUTF8
    }
}
