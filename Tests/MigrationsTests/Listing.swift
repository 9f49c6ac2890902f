import Reporting

@testable import Migrations

/// A listing from paths: one ending in `/` is a directory, one ending in `|` is a FIFO; parents come of themselves.
func listing(_ paths: String...) -> DirectoryListing { listing(paths) }

func listing(_ paths: [String]) -> DirectoryListing {
    var entries: [DirectoryEntry] = []
    for path in paths {
        for slash in path.dropLast().indices where path[slash] == "/" {
            let parent = String(path[..<slash])
            if !entries.contains(where: { $0.path.utf8.elementsEqual(parent.utf8) }) {
                entries.append(DirectoryEntry(path: parent, kind: .directory))
            }
        }
        switch path.last {
        case "/": entries.append(DirectoryEntry(path: String(path.dropLast()), kind: .directory))
        case "|": entries.append(DirectoryEntry(path: String(path.dropLast()), kind: .other))
        default: entries.append(DirectoryEntry(path: path, kind: .file))
        }
    }
    return DirectoryListing(entries: entries)
}

func set(
    _ listing: DirectoryListing, _ layout: LayoutName? = nil, order: OrderPin? = nil, files: [String: String] = [:]
) throws(Complaint) -> MigrationSet {
    try MigrationSet(listing: listing, layout: layout, order: order) { path throws(Complaint) in
        guard let text = files[path] else { throw Complaint(.inputOutput, "no file '\(path)'") }
        return Array(text.utf8)
    }
}

extension MigrationSet {
    var names: [String] { migrations.map(\.name) }
    var versions: [String] { migrations.map(\.version) }
    /// `reason path` of every finding.
    var told: [String] { findings.map { "\($0.reason.rawValue) \($0.path)" } }
}
