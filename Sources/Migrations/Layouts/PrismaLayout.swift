internal import Reporting

/// Prisma's folders: `<name>/migration.sql`, `down.sql` beside it where the team wrote one, `migration_lock.toml` above them.
enum PrismaLayout: Layout {
    static let name = LayoutName.prisma
    static let pattern = "'<name>/migration.sql'"
    static let rule = Identity.Rule.byName

    static func claims(_ directory: Directory) -> Bool {
        if directory.item("migration_lock.toml") != nil { return true }
        return directory.directories.contains { $0.child(NamedFolders.file) != nil }
            && !DrizzleLayout.hasFolders(directory)
    }

    static func read(
        _ directory: Directory, order: OrderPin?, contents: (String) throws(Complaint) -> [UInt8]
    ) throws(Complaint) -> Reading {
        NamedFolders.read(directory, order: order, breakpoints: false)
    }

    static func sorts(_ migration: Migration, beforeVersion version: String, name: String, order: OrderPin?) -> Bool {
        NamedFolders.precedes(migration.name, name, order: order)
    }
}
