internal import Reporting

/// golang-migrate's and Encore's files: `N_title.up.sql` with `N_title.down.sql` beside it, in numeric order.
///
/// As the tools do, a file belongs to another by its number, whatever the titles say, and numbers are unsigned 64-bit. Beyond them, up
/// to two letters may follow the number (`024a`), the title may be left out (`1.up.sql`), a `V` may stand before the number or a dot behind
/// it (`V0001.Name.up.sql`), and of files for several engines (`1_a.postgres.up.sql`) those for PostgreSQL run.
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
        var ups: [Key: Migration] = [:]
        var downs: [Key: Directory.Item] = [:]
        var reading = Reading()
        let variants = EngineVariants(directory.items.map(\.name))
        for item in directory.items {
            guard let parsed = parse(item.name) else { continue }
            if let finding = variants.passedOver(item) {
                reading.known.insert(item.path)
                if variants.isFirst(item.name) { reading.findings.append(finding) }
                continue
            }
            let version = parsed.leading.version
            let byName = directory.versionBy == .name
            let key = Key(version: version, name: byName ? parsed.base : "")
            if parsed.isUp {
                let migration = Migration(
                    version: parsed.leading.text, name: parsed.base, path: item.path, notation: .verbatim,
                    identity: byName ? .named(parsed.base) : .version(version),
                    obstacle: item.obstacle)
                if let first = ups.updateValue(migration, forKey: key) {
                    throw .duplicateNumber(first.path, item.path, version: parsed.leading.text)
                }
            } else if let first = downs.updateValue(item, forKey: key) {
                throw .duplicateNumber(first.path, item.path, version: parsed.leading.text)
            }
        }
        reading.pair(&ups, with: downs, called: "'.up.sql'")
        reading.migrations = ups.sorted { $0.key < $1.key }.map(\.value)
        reading.allowEmptyPairs(in: directory)
        if directory.versionBy == .name { reading.migrations.nameVersionsApart() }
        return reading
    }

    /// A number; with a name where files are known by that.
    private struct Key: Hashable, Comparable {
        var version: Version
        var name: String

        static func < (left: Key, right: Key) -> Bool {
            left.version != right.version ? left.version < right.version : NameOrder.bytes(left.name, right.name)
        }
    }

    private static func parse(_ name: String) -> Parsed? {
        let isUp = name.hasSuffix(".up.sql")
        guard isUp || name.hasSuffix(".down.sql") else { return nil }
        let base = EngineVariants.withoutEngine(name.dropLast(isUp ? 7 : 9))
        guard let leading = leading(base), leading.rest.first != "-" else { return nil }
        return Parsed(leading: leading, base: base, isUp: isUp)
    }

    /// The number that a name begins with; as some write it, behind a `V` or with a dot behind it (`V0001.name`).
    private static func leading(_ base: String) -> LeadingNumber? {
        if let leading = LeadingNumber(base) { return leading }
        let bare = base.first == "V" || base.first == "v" ? base.dropFirst() : base[...]
        let digits = bare.prefix { $0.isASCII && $0.isNumber }
        let rest = bare[digits.endIndex...]
        // Two underscores are Flyway's.
        guard !digits.isEmpty, rest.first == "." || rest.first == "_" && !rest.hasPrefix("__") else { return nil }
        return LeadingNumber(digits + "_" + rest.dropFirst())
    }
}

extension Reading {
    /// Marks the pairs that are as `migrate create` makes them, without a byte, and have later files behind them that are written: nobody is
    /// about to fill them, and a copy that broke off left nothing behind it.
    fileprivate mutating func allowEmptyPairs(in directory: Directory) {
        let empty = Set(directory.items.lazy.filter(\.isEmpty).map(\.path))
        let written = migrations.lastIndex { !empty.contains($0.path) } ?? 0
        for index in migrations.indices.prefix(written) {
            guard let down = migrations[index].downPath else { continue }
            migrations[index].mayBeEmpty = empty.contains(migrations[index].path) && empty.contains(down)
        }
    }
}
