internal import Reporting

/// `N_name.sql`, `N-name.sql` or `N.sql`, where N may end in letters or have several parts as releases do (`3.2.0_50_name.sql`: the
/// fiftieth file of 3.2.0); in numeric order.
///
/// Names ending in `.up.sql` and `.down.sql` are golang-migrate's and never run here: half of them would undo the other half. Beside files of
/// this layout one that applies something holds its place, because what is behind it may rely on it.
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
        let isMixed = directory.items.contains { parse($0) != nil }
        for item in directory.items {
            let held = isMixed && item.name.hasSuffix(".up.sql") ? upFile(item, in: directory) : nil
            guard let (leading, base) = parse(item, up: held != nil) else { continue }
            if let first = taken.updateValue(item.path, forKey: leading.version), directory.versionBy == .number {
                throw .duplicateNumber(first, item.path, version: leading.text)
            }
            found.append(
                (
                    leading.version,
                    Migration(
                        version: leading.text, name: base, path: item.path,
                        identity: directory.versionBy == .name ? .named(base) : .version(leading.version),
                        obstacle: item.obstacle ?? held)
                ))
        }
        reading.migrations = found.sorted {
            $0.version != $1.version ? $0.version < $1.version : NameOrder.bytes($0.migration.name, $1.migration.name)
        }.map(\.migration)
        if directory.versionBy == .name { reading.migrations.nameVersionsApart() }
        return reading
    }

    /// Why an up file cannot be run among files of this layout.
    private static func upFile(_ item: Directory.Item, in directory: Directory) -> Finding {
        let other =
            SqlxLayout.readsNames(of: directory) ? "Set 'layout = \"sqlx\"', which runs both kinds; or name" : "Name"
        return Finding(
            .invalidFile, path: item.path,
            "'\(item.path)' is not run by layout 'flat', and files behind it may need it",
            hint: "\(other) it '\(item.name.dropLast(7)).sql'.")
    }

    private static func parse(_ item: Directory.Item, up: Bool = false) -> (LeadingNumber, String)? {
        guard item.name.hasSuffix(".sql") else { return nil }
        let base = String(item.name.dropLast(4))
        guard up || !base.hasSuffix(".up"), !base.hasSuffix(".down"), let leading = LeadingNumber(base, parts: true)
        else { return nil }
        return (leading, base)
    }
}
