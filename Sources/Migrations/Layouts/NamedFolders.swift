internal import Reporting

/// Folders that each hold a `migration.sql` and are sorted by name: Prisma's, and those of Drizzle 1.0.
enum NamedFolders {
    static let file = "migration.sql"

    /// The folders as migrations. Every folder holds a place, also one without a file: the tools fail when they come to it.
    static func read(_ directory: Directory, order: OrderPin?, breakpoints: Bool) -> Reading {
        var reading = Reading()
        let folders = directory.directories.map { folder in migration(folder, breakpoints, &reading) }
        let inCurrentOrder = folders.sorted { NameOrder.current($0.name, $1.name) }
        reading.migrations =
            order == .bytes ? folders.sorted { NameOrder.bytes($0.name, $1.name) } : inCurrentOrder
        reading.migrations.nameVersionsApart()
        for item in directory.items where item.kind == .other {
            reading.known.insert(item.path)
            reading.findings.append(
                Finding(.invalidFile, path: item.path, "'\(item.path)' is neither file nor directory\(item.because)"))
        }
        if order == nil { reading.findings += ambiguities(inCurrentOrder) }
        return reading
    }

    static func precedes(_ left: String, _ right: String, order: OrderPin?) -> Bool {
        order == .bytes ? NameOrder.bytes(left, right) : NameOrder.current(left, right)
    }

    private static func migration(_ folder: Directory.Item, _ breakpoints: Bool, _ reading: inout Reading) -> Migration
    {
        let path = folder.path + "/" + file
        var migration = Migration(
            version: LeadingNumber(folder.name)?.text ?? folder.name, name: folder.name, path: path,
            breakpoints: breakpoints, notation: .verbatim, identity: .named(folder.name),
            obstacle: folder.obstacle(withText: file))
        if let down = folder.child("down.sql"), down.kind == .file { migration.downPath = down.path }
        reading.known.insert(folder.path)
        for entry in folder.children
        where FileName.isSQL(entry.name) && entry.path != path && entry.path != migration.downPath {
            reading.findings.append(
                Finding(.unknownFile, path: entry.path, "'\(entry.path)' is not run: only '\(file)' is"))
        }
        return migration
    }

    /// Neighbours that the byte order would turn round, or whose order ICU alone knows. Where the orders differ at all, at least one such
    /// pair exists.
    private static func ambiguities(_ migrations: [Migration]) -> [Finding] {
        zip(migrations, migrations.dropFirst()).compactMap { first, second in
            let differs = NameOrder.bytes(second.name, first.name)
            guard differs || !NameOrder.isExact(first.name, second.name) else { return nil }
            let doubt =
                differs ? "by the bytes of their names it is the other way round" : "another collation may not agree"
            return Finding(
                .ambiguousOrder, path: second.name, "'\(first.name)' runs before '\(second.name)', but \(doubt)",
                hint: "Set 'order = \"current\"' or 'order = \"bytes\"' to pin the order.")
        }
    }
}

extension [Migration] {
    /// Where two share their number, the whole name becomes the version of both.
    mutating func nameVersionsApart() {
        var uses: [Version: Int] = [:]
        for migration in self { if let version = Version(migration.version) { uses[version, default: 0] += 1 } }
        for index in indices {
            if let version = Version(self[index].version), uses[version, default: 0] > 1 {
                self[index].version = self[index].name
            }
        }
    }
}
