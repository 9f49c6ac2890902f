internal import Reporting

/// Supabase's files: `<timestamp>_name.sql` in `supabase/migrations`, in the order of the names' bytes, known by the digits as written.
///
/// By their names alone they look like those of layout `flat`: found by itself is a directory of that path.
enum SupabaseLayout: Layout {
    static let name = LayoutName.supabase
    static let pattern = "files named like '20250101000000_name.sql'"
    static let rule = Identity.Rule.byWrittenVersion

    static func claims(_ directory: Directory) -> Bool {
        directory.isSupabases && directory.dialect == .plain && FlatLayout.hasFiles(directory)
    }

    static func read(
        _ directory: Directory, order: OrderPin?, contents: (String) throws(Complaint) -> [UInt8]
    ) throws(Complaint) -> Reading {
        try Reading(writtenVersions: directory, notation: .plain) { name in MarkedFiles.digitsBeforeUnderscore(name) }
    }

    static func sorts(_ migration: Migration, beforeVersion version: String, name: String, order: OrderPin?) -> Bool {
        NameOrder.bytes(migration.version, version)
    }
}

extension Directory {
    /// Whether its path ends as Supabase's does.
    var isSupabases: Bool {
        let parts = (path ?? "").split(separator: "/")
        return parts.count > 1 && parts.suffix(2).elementsEqual(["supabase", "migrations"])
    }
}

extension Reading {
    /// Files in the order of their names' bytes, known by the version as it is written in the name.
    init(writtenVersions directory: Directory, notation: Notation, version: (String) -> String?) throws(Complaint) {
        self.init()
        var taken: [String: String] = [:]
        for item in directory.items where item.name.hasSuffix(".sql") {
            let name = String(item.name.dropLast(4))
            guard let version = version(name) else { continue }
            if let first = taken.updateValue(item.path, forKey: version) {
                throw .duplicate(first, item.path, version: version)
            }
            migrations.append(
                Migration(
                    version: version, name: name, path: item.path, notation: notation, identity: .named(version),
                    obstacle: item.obstacle))
        }
    }
}
