internal import Reporting

/// `N_name.sql`, `N-name.sql` or `N.sql`, where N may end in letters or have several parts as releases do (`3.2.0_50_name.sql`: the
/// fiftieth file of 3.2.0); in numeric order.
///
/// Names ending in `.up.sql` and `.down.sql` are golang-migrate's and never run here: half of them would undo the other half.
enum FlatLayout: Layout {
    static let name = LayoutName.flat
    static let pattern = "files named like '1_name.sql'"
    static let rule = Identity.Rule.byVersion

    /// Files of other tools are named like these: Drizzle's journal, and what is written in them, decides whose they are.
    static func claims(_ directory: Directory) -> Bool {
        (directory.dialect == .plain || directory.dialect == .sqlx && !SqlxLayout.claims(directory))
            && hasFiles(directory) && !SupabaseLayout.claims(directory) && !AtlasLayout.claims(directory)
    }

    /// Whether files that are named like these are there, and no journal claims them.
    static func hasFiles(_ directory: Directory) -> Bool {
        !DrizzleLayout.hasJournal(directory) && directory.files.contains { parse($0) != nil }
    }

    static func read(
        _ directory: Directory, order: OrderPin?, contents: (String) throws(Complaint) -> [UInt8]
    ) throws(Complaint) -> Reading {
        var reading = Reading()
        var taken: [Version: String] = [:]
        var found: [(version: Version, migration: Migration)] = []
        for item in directory.items {
            guard let (leading, base) = parse(item) else { continue }
            if let first = taken.updateValue(item.path, forKey: leading.version), directory.versionBy == .number {
                throw .duplicateNumber(first, item.path, version: leading.text)
            }
            found.append(
                (
                    leading.version,
                    Migration(
                        version: leading.text, name: base, path: item.path,
                        identity: directory.versionBy == .name ? .named(base) : .version(leading.version),
                        obstacle: item.obstacle)
                ))
        }
        reading.migrations = found.sorted {
            $0.version != $1.version ? $0.version < $1.version : NameOrder.bytes($0.migration.name, $1.migration.name)
        }.map(\.migration)
        if directory.versionBy == .name { reading.migrations.nameVersionsApart() }
        return reading
    }

    private static func parse(_ item: Directory.Item) -> (LeadingNumber, String)? {
        guard item.name.hasSuffix(".sql") else { return nil }
        let base = String(item.name.dropLast(4))
        guard !base.hasSuffix(".up"), !base.hasSuffix(".down"), let leading = LeadingNumber(base, parts: true) else {
            return nil
        }
        return (leading, base)
    }
}
