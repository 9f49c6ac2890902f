internal import Reporting

/// Drizzle's files: `<tag>.sql` in the order of `meta/_journal.json`; or, as of 1.0, folders of `migration.sql` and `snapshot.json`.
///
/// The text is split at its breakpoint markers, whatever the journal's flag says, as the tool does.
enum DrizzleLayout: Layout {
    static let name = LayoutName.drizzle
    static let pattern = "the files that '\(journal)' names"
    static let rule = Identity.Rule.byName
    private static let journal = "meta/_journal.json"

    static func claims(_ directory: Directory) -> Bool { hasJournal(directory) || hasFolders(directory) }

    /// Whether a folder of Drizzle 1.0 is there: `migration.sql` with a snapshot beside it.
    static func hasFolders(_ directory: Directory) -> Bool {
        directory.directories.contains { $0.child(NamedFolders.file) != nil && $0.child("snapshot.json") != nil }
    }

    static func read(
        _ directory: Directory, order: OrderPin?, contents: (String) throws(Complaint) -> [UInt8]
    ) throws(Complaint) -> Reading {
        if hasFolders(directory) {
            guard !hasJournal(directory) else {
                throw Complaint(
                    .badFile, "'\(journal)' lies beside folders of Drizzle 1.0",
                    hint: "Let drizzle-kit upgrade the directory, or move one of the two away.",
                    place: Place(file: journal))
            }
            var reading = NamedFolders.read(directory, order: order, breakpoints: true)
            for index in reading.migrations.indices {
                reading.migrations[index].time = moment(reading.migrations[index].name)
            }
            return reading
        }
        guard hasJournal(directory) else {
            if directory.items.allSatisfy({ !FileName.isSQL($0.name) }) { return Reading() }
            throw Complaint(
                .badFile, "'\(journal)' is not there", hint: "Generate it with drizzle-kit, or set another layout.")
        }
        return try read(directory, DrizzleJournal(try contents(journal), path: journal))
    }

    static func sorts(_ migration: Migration, beforeVersion version: String, name: String, order: OrderPin?) -> Bool {
        // Folders are sorted by name; where there is a journal, it alone knows.
        migration.path.hasSuffix("/" + NamedFolders.file) && NamedFolders.precedes(migration.name, name, order: order)
    }

    private static func read(_ directory: Directory, _ journal: DrizzleJournal) throws(Complaint) -> Reading {
        var reading = Reading()
        for entry in journal.entries {
            let path = entry.tag + ".sql"
            guard let item = directory.item(path) else {
                throw journal.complaint("'\(entry.tag)' has no file '\(path)'", at: entry.offset)
            }
            var migration = Migration(
                version: LeadingNumber(entry.tag)?.text ?? entry.tag, name: entry.tag, path: path,
                breakpoints: true, notation: .verbatim,
                identity: .named(entry.tag), obstacle: item.obstacle)
            migration.time = entry.when
            reading.migrations.append(migration)
        }
        reading.migrations.nameVersionsApart()
        reading.findings = journal.findings
        let named = Set(reading.migrations.map(\.path))
        for item in directory.files where FileName.isSQL(item.name) && !named.contains(item.path) {
            reading.known.insert(item.path)
            let outside = Finding(
                .notInJournal, path: item.path, "'\(item.path)' is not run: '\(self.journal)' does not name it",
                hint: "Generate the journal with drizzle-kit, or move the file away.")
            reading.findings.append(item.obstacle ?? outside)
        }
        return reading
    }

    /// The moment that a folder's name begins with, fourteen digits in UTC, in milliseconds since 1970.
    static func moment(_ name: String) -> Int64? {
        let digits = name.utf8.prefix(14).map { Int64($0) - 48 }
        guard digits.count == 14, digits.allSatisfy({ (0...9).contains($0) }) else { return nil }
        func number(_ range: Range<Int>) -> Int64 { digits[range].reduce(0) { $0 * 10 + $1 } }
        // Days since 1970 in the Gregorian calendar, with years that begin in March.
        let month = number(4..<6)
        let year = number(0..<4) - (month <= 2 ? 1 : 0)
        let days =
            year * 365 + year / 4 - year / 100 + year / 400 + (153 * ((month + 9) % 12) + 2) / 5 + number(6..<8)
            - 719_469
        return (((days * 24 + number(8..<10)) * 60 + number(10..<12)) * 60 + number(12..<14)) * 1000
    }

    /// Whether the journal of the older layout is there.
    static func hasJournal(_ directory: Directory) -> Bool {
        directory.item("meta")?.child("_journal.json") != nil
    }
}
