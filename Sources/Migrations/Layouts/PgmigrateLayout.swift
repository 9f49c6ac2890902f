internal import Reporting

/// PGmigrate's files: `V0001__Name.sql`, in `migrations/` beside `migrations.yml` or in the directory itself, in numeric order.
///
/// As the tool does, a name that holds `NONTRANSACTIONAL` runs outside of a transaction. Its callbacks are not run. Without the
/// `migrations.yml` such a directory looks like one of Flyway's.
enum PgmigrateLayout: Layout {
    static let name = LayoutName.pgmigrate
    static let pattern = "files named like 'migrations/V0001__Name.sql'"
    static let rule = Identity.Rule.byVersion
    private static let folder = "migrations"

    static func claims(_ directory: Directory) -> Bool {
        (directory.item("migrations.yml") ?? directory.item("migrations.yaml")) != nil
            && directory.item(folder)?.children.contains { version($0.name) != nil } == true
    }

    static func read(
        _ directory: Directory, order: OrderPin?, contents: (String) throws(Complaint) -> [UInt8]
    ) throws(Complaint) -> Reading {
        var reading = Reading()
        var found: [Version: Migration] = [:]
        let inner = directory.item(folder)
        for item in inner?.children ?? directory.items {
            guard let text = version(item.name), let version = Version(text) else { continue }
            let base = String(item.name.dropLast(4))
            var migration = Migration(
                version: text, name: base, path: item.path, notation: .verbatim, identity: .version(version),
                obstacle: item.obstacle)
            migration.withoutTransaction = base.contains("NONTRANSACTIONAL")
            if let first = found.updateValue(migration, forKey: version) {
                throw .duplicate(first.path, item.path, version: text)
            }
        }
        if let closed = inner?.closure { reading.findings.append(closed) }
        reading.migrations = found.sorted { $0.key < $1.key }.map(\.value)
        return reading
    }

    private static func version(_ name: String) -> String? {
        guard name.hasPrefix("V"), name.hasSuffix(".sql"), let digits = MarkedFiles.digits(name.dropFirst()) else {
            return nil
        }
        let rest = name.dropFirst(1 + digits.count)
        return rest.hasPrefix("__") && rest.utf8.count > 6 ? digits : nil
    }
}
