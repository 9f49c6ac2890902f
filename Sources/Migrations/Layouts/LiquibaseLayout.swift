internal import Reporting

/// Liquibase's formatted SQL: `*.sql` that begin with `--liquibase formatted sql`, in the order of the names' bytes, as `includeAll` has it.
///
/// A file is one migration with all its changesets. What would keep a changeset from running, or run it again, is refused with its line
/// (`Sections.liquibase`).
enum LiquibaseLayout: Layout {
    static let name = LayoutName.liquibase
    static let pattern = "files named '*.sql' that begin with '--liquibase formatted sql'"
    static let rule = Identity.Rule.byName

    static func claims(_ directory: Directory) -> Bool { directory.dialect == .liquibase }

    static func read(
        _ directory: Directory, order: OrderPin?, contents: (String) throws(Complaint) -> [UInt8]
    ) throws(Complaint) -> Reading {
        var reading = Reading()
        for item in directory.items where item.name.hasSuffix(".sql") {
            let name = String(item.name.dropLast(4))
            reading.migrations.append(
                Migration(
                    version: MarkedFiles.digits(name) ?? name, name: name, path: item.path, downPath: item.path,
                    notation: .liquibase, identity: .named(name), obstacle: item.obstacle))
        }
        reading.migrations.nameVersionsApart()
        return reading
    }

    static func sorts(_ migration: Migration, beforeVersion version: String, name: String, order: OrderPin?) -> Bool {
        NameOrder.bytes(migration.name + ".sql", name + ".sql")
    }
}
