internal import Reporting

/// golang-migrate's and Encore's files: `N_title.up.sql` with `N_title.down.sql` beside it, in numeric order.
///
/// As the tools do, a file belongs to another by its number, whatever the titles say, and numbers are unsigned 64-bit. Beyond them, up
/// to two letters may follow the number (`024a`), and the title may be left out (`1.up.sql`).
enum GolangMigrateLayout: Layout {
    static let name = LayoutName.golangMigrate
    static let pattern = "files named like '1_title.up.sql'"
    static let rule = Identity.Rule.byVersion

    private struct Parsed {
        var leading: LeadingNumber
        var base: String
        var isUp: Bool
    }

    static func claims(_ directory: Directory) -> Bool { directory.files.contains { parse($0.name)?.isUp == true } }

    static func read(
        _ directory: Directory, order: OrderPin?, contents: (String) throws(Complaint) -> [UInt8]
    ) throws(Complaint) -> Reading {
        var ups: [Version: Migration] = [:]
        var downs: [Version: Directory.Item] = [:]
        for item in directory.items {
            guard let parsed = parse(item.name) else { continue }
            let version = parsed.leading.version
            if parsed.isUp {
                let migration = Migration(
                    version: parsed.leading.text, name: parsed.base, path: item.path, notation: .verbatim,
                    identity: .version(version),
                    obstacle: item.obstacle ?? tooLarge(version, item))
                if let first = ups.updateValue(migration, forKey: version) {
                    throw .duplicate(first.path, item.path, version: parsed.leading.text)
                }
            } else if let first = downs.updateValue(item, forKey: version) {
                throw .duplicate(first.path, item.path, version: parsed.leading.text)
            }
        }
        var reading = Reading()
        reading.pair(&ups, with: downs, called: "'.up.sql'")
        reading.migrations = ups.sorted { $0.key < $1.key }.map(\.value)
        return reading
    }

    static func sorts(_ migration: Migration, beforeVersion version: String, name: String, order: OrderPin?) -> Bool {
        FlatLayout.sorts(migration, beforeVersion: version, name: name, order: order)
    }

    private static func parse(_ name: String) -> Parsed? {
        let isUp = name.hasSuffix(".up.sql")
        guard isUp || name.hasSuffix(".down.sql") else { return nil }
        let base = String(name.dropLast(isUp ? 7 : 9))
        guard let leading = LeadingNumber(base), leading.rest.first != "-" else { return nil }
        return Parsed(leading: leading, base: base, isUp: isUp)
    }

    private static func tooLarge(_ version: Version, _ item: Directory.Item) -> Finding? {
        UInt64(version.digits) == nil ? .tooLarge(item.path, limit: .max) : nil
    }
}
