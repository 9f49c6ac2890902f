public import Reporting

/// One layout: how its directories look, and how they are read. Adding a layout is a type that conforms and a line in `all`.
protocol Layout: Sendable {
    /// Its name in the configuration.
    static var name: LayoutName { get }
    /// How its migrations are named, as the end of a sentence.
    static var pattern: String { get }
    /// What a migration is matched by.
    static var rule: Identity.Rule { get }
    /// Whether the directory looks like this layout's.
    static func claims(_ directory: Directory) -> Bool
    /// The directory's migrations, in the order in which they run.
    static func read(
        _ directory: Directory, order: OrderPin?, contents: (String) throws(Complaint) -> [UInt8]
    ) throws(Complaint) -> Reading
    /// Whether something that the history knows sorts after `migration`; false where only the directory itself could tell.
    static func sorts(_ migration: Migration, beforeVersion version: String, name: String, order: OrderPin?) -> Bool
}

extension Layout {
    /// By number; by the bytes of the names where files are known by those and share a number.
    static func sorts(_ migration: Migration, beforeVersion version: String, name: String, order: OrderPin?) -> Bool {
        guard let other = Version(version) ?? LeadingNumber(name, parts: true)?.version else { return false }
        if case .version(let own) = migration.identity { return own < other }
        guard let own = LeadingNumber(migration.name, parts: true)?.version else { return false }
        return own != other ? own < other : NameOrder.bytes(migration.name, name)
    }
}

/// What a layout has read.
struct Reading {
    /// In the order in which they run.
    var migrations: [Migration] = []
    var findings: [Finding] = []
    /// Paths that are accounted for, besides those of the migrations.
    var known: Set<String> = []
}

extension LayoutName {
    /// The layouts, in the order in which a directory is compared with them.
    static let all: [any Layout.Type] = [
        PrismaLayout.self, DrizzleLayout.self, GolangMigrateLayout.self, FlatLayout.self, FlywayLayout.self,
        GooseLayout.self, DbmateLayout.self, DieselLayout.self, SqlxLayout.self, SupabaseLayout.self, AtlasLayout.self,
        SqlMigrateLayout.self, NodePgMigrateLayout.self, MyBatisLayout.self, TernLayout.self, RamblerLayout.self,
        PlayLayout.self, HasuraLayout.self, GraphileLayout.self, PgmigrateLayout.self, LiquibaseLayout.self,
        SqitchLayout.self,
    ]

    var layout: any Layout.Type {
        guard let layout = LayoutName.all.first(where: { $0.name == self }) else {
            preconditionFailure("every name has its layout in 'all'")
        }
        return layout
    }

    /// The layout that the directory looks like; `flat` where it looks like none, so that an empty directory is an empty set.
    ///
    /// Throws where it looks like several: running a directory by the wrong rules could run its down files.
    static func found(by directory: Directory) throws(Complaint) -> LayoutName {
        let claiming = all.filter { $0.claims(directory) }.map { $0.name }
        if claiming.allSatisfy({ $0 == .flat }),
            let closed = directory.directories.first(where: { $0.mayDecide(directory) })?.closure
        {
            var complaint = closed.complaint
            complaint.status = .permission
            complaint.message += ", and without it the layout cannot be told"
            throw complaint
        }
        guard claiming.count > 1 else { return claiming.first ?? .flat }
        let names = claiming.map { "'\($0.rawValue)'" }.joined(separator: " and ")
        let choices = claiming.map { "'layout = \"\($0.rawValue)\"'" }.joined(separator: " or ")
        // One layout runs both kinds of file.
        let mixed =
            Set(claiming) == [.golangMigrate, .flat] && SqlxLayout.readsNames(of: directory)
            ? "; 'layout = \"sqlx\"' runs both '1_name.sql' and '1_name.up.sql'" : ""
        throw Complaint(
            .configuration, "the directory looks like the layouts \(names)",
            hint: "Set \(choices) in the configuration\(mixed).")
    }
}

extension Directory.Item {
    /// Whether the layout depends on what is in this directory, of which nothing is known: on Drizzle's journal, or on any folder where there
    /// is no file. What mkfs(8) makes holds no migrations.
    fileprivate func mayDecide(_ directory: Directory) -> Bool {
        closure != nil && name != "lost+found"
            && (name == "meta" || !directory.files.contains { FileName.isSQL($0.name) })
    }

    /// Why this entry cannot be run as the migration that its name says it is; nil where it can.
    var obstacle: Finding? {
        if !isUTF8 { return Finding(.invalidFile, path: path, "the file name is not UTF-8", hint: Self.renaming) }
        if let flaw = FileName.flaw(name, title: true) {
            return Finding(.invalidFile, path: path, "the file name '\(name)' \(flaw)", hint: Self.renaming)
        }
        if kind == .directory { return Finding(.invalidFile, path: path, "'\(path)' is a directory, not a file") }
        if kind == .other { return Finding(.invalidFile, path: path, "'\(path)' is not a regular file\(because)") }
        return nil
    }

    /// Why this directory cannot be run as the migration whose text is in its `file`; nil where it can.
    func obstacle(withText file: String) -> Finding? {
        // It may well be one: nothing behind it may go first.
        if let obstacle = nameObstacle ?? closure { return obstacle }
        guard let text = child(file) else {
            return Finding(
                .invalidFile, path: path, "the directory '\(path)' holds no '\(file)'",
                hint: "Put the file there, or move the directory away.")
        }
        return text.obstacle
    }

    /// Why a directory's name cannot be that of a migration; nil where it can.
    var nameObstacle: Finding? {
        if !isUTF8 { return Finding(.invalidFile, path: path, "the directory's name is not UTF-8") }
        guard let flaw = FileName.flaw(name) else { return nil }
        return Finding(.invalidFile, path: path, "the directory name '\(name)' \(flaw)")
    }

    fileprivate static let renaming = "Rename the file; letters, digits and '_', '-', '.' are always safe."
}

extension Migration {
    /// Why this cannot be run under its version, where that is taken from the file's name and stands in commands; nil where it can.
    ///
    /// - Parameter inFolders: whether it may name folders, too.
    func versionObstacle(inFolders: Bool) -> Finding? {
        FileName.flaw(version, inFolders: inFolders).map {
            Finding(.invalidFile, path: path, "the file name '\(path)' \($0)", hint: Directory.Item.renaming)
        }
    }
}

extension Complaint {
    /// Two files that claim one version.
    static func duplicate(_ first: String, _ second: String, version: some CustomStringConvertible) -> Complaint {
        Complaint(
            .badFile, "'\(first)' and '\(second)' both claim version '\(version)'",
            hint: duplicateHint, place: Place(file: second))
    }

    /// The same in a layout that can key by name.
    static func duplicateNumber(_ first: String, _ second: String, version: some CustomStringConvertible) -> Complaint {
        var complaint = duplicate(first, second, version: version)
        complaint.hint = duplicateNumberHint
        return complaint
    }

    fileprivate static let duplicateHint = "Give one of them a number of its own."
    fileprivate static let duplicateNumberHint =
        "Give one of them a number of its own; or, where both are applied already, set 'version-by = \"name\"': a file is then known by its whole name."
}

extension MigrationSet {
    /// Whether reading a directory was refused because two files claim one version.
    public static func isVersionClash(_ complaint: Complaint) -> Bool {
        complaint.hint == Complaint.duplicateHint || complaint.hint == Complaint.duplicateNumberHint
    }
}
