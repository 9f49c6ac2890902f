public import Reporting

/// Names that are two to PostgreSQL and to this file system, and one to another.
enum AlikeNames {
    /// Refuses two entries whose names differ only in the Unicode form of their letters: which of the two a name means, no one can see, and
    /// a copy onto a file system that has one form keeps one of them.
    static func refuse(in directory: Directory) throws(Complaint) {
        var taken: Set<String> = []
        for item in directory.items where item.isUTF8 && (FileName.isSQL(item.name) || !item.children.isEmpty) {
            guard taken.insert(item.path).inserted else {
                throw Complaint(
                    .badFile,
                    "two entries are called '\(item.path)' and differ only in the Unicode form of their letters",
                    hint: refusedHint, place: Place(file: item.path))
            }
        }
    }

    /// Tells of migrations whose names differ only in the case of letters.
    static func findings(_ migrations: [Migration]) -> [Finding] {
        var taken: [String: String] = [:]
        return migrations.compactMap { migration in
            guard let first = taken.updateValue(migration.name, forKey: migration.name.lowercased()) else { return nil }
            return Finding(
                .alikeNames, path: migration.path,
                "'\(first)' and '\(migration.name)' differ only in the case of letters",
                hint:
                    "Rename one of them: a file system that does not tell them apart, as on macOS and Windows, keeps one."
            )
        }
    }

    fileprivate static let refusedHint = "Keep one of them: 'ls | LC_ALL=C cat -v' shows their bytes."
}

extension MigrationSet {
    /// Whether reading a directory was refused because two names cannot be told apart.
    public static func isNameClash(_ complaint: Complaint) -> Bool { complaint.hint == AlikeNames.refusedHint }
}
