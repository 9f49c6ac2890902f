internal import Reporting

/// diesel's folders: `<version>_<name>/up.sql`, `down.sql` and `metadata.toml` beside it, in the order of the versions as texts.
///
/// As the tool does, the version is what stands before the first underscore without its hyphens (`2025-01-02-030405_x` is
/// `20250102030405`); `10` runs before `2`; files beside the folders and empty folders do not count.
enum DieselLayout: Layout {
    static let name = LayoutName.diesel
    static let pattern = "'<version>_<name>/up.sql'"
    static let rule = Identity.Rule.byWrittenVersion
    private static let up = "up.sql"
    private static let down = "down.sql"

    static func claims(_ directory: Directory) -> Bool {
        directory.directories.contains { $0.child(up) != nil } && !HasuraLayout.claims(directory)
    }

    static func read(
        _ directory: Directory, order: OrderPin?, contents: (String) throws(Complaint) -> [UInt8]
    ) throws(Complaint) -> Reading {
        var reading = Reading()
        var taken: [String: String] = [:]
        for folder in directory.directories where !folder.children.isEmpty || folder.closure != nil {
            let version = String(folder.name.prefix { $0 != "_" }).split(separator: "-").joined()
            if let first = taken.updateValue(folder.path, forKey: version) {
                throw .duplicate(first, folder.path, version: version)
            }
            var migration = migration(folder, version: version, &reading)
            if migration.obstacle == nil, let metadata = folder.child("metadata.toml") {
                do throws(Complaint) {
                    let read = try DieselMetadata(try contents(metadata.path), path: metadata.path)
                    migration.withoutTransaction = !read.runsInTransaction
                    reading.findings += read.findings
                } catch {
                    if error.status == .tryLater { throw error }
                    migration.obstacle = Finding(.invalidFile, path: metadata.path, complaint: error)
                }
            }
            reading.migrations.append(migration)
        }
        reading.migrations.sort { NameOrder.bytes($0.version, $1.version) }
        return reading
    }

    static func sorts(_ migration: Migration, beforeVersion version: String, name: String, order: OrderPin?) -> Bool {
        NameOrder.bytes(migration.version, version)
    }

    private static func migration(_ folder: Directory.Item, version: String, _ reading: inout Reading) -> Migration {
        let path = folder.path + "/" + up
        var migration = Migration(
            version: version, name: folder.name, path: path, notation: .verbatim, identity: .named(version),
            obstacle: folder.obstacle(withText: up))
        if version.isEmpty, folder.nameObstacle == nil {
            migration.obstacle = Finding(
                .invalidFile, path: folder.path,
                "the directory name '\(folder.name)' has no version before its underscore")
        }
        if let entry = folder.child(down), entry.kind == .file { migration.downPath = entry.path }
        reading.known.insert(folder.path)
        for entry in folder.children
        where FileName.isSQL(entry.name) && entry.path != path && entry.path != migration.downPath {
            reading.findings.append(
                Finding(.unknownFile, path: entry.path, "'\(entry.path)' is not run: only '\(up)' and '\(down)' are"))
        }
        return migration
    }
}

/// diesel's `metadata.toml`: whether a migration runs in a transaction.
///
/// As the tool does, a file that does not say so means no. Only what the tool writes there is understood: keys with a value on one line.
struct DieselMetadata {
    private(set) var runsInTransaction = false
    private(set) var findings: [Finding] = []
    private static let key = "run_in_transaction"

    init(_ bytes: [UInt8], path: String) throws(Complaint) {
        var inTable = false
        for line in TextLines(bytes) {
            let statement = bytes.text(line).prefix { $0 != "#" }.trimmed
            if statement.isEmpty { continue }
            if statement.hasPrefix("["), statement.hasSuffix("]") {
                inTable = true
                findings.append(DieselMetadata.unknown(String(statement), path))
                continue
            }
            guard let equals = statement.firstIndex(of: "=") else {
                throw MigrationFile.complaint(
                    "'\(statement)' is no setting", at: line.lowerBound, in: bytes, path: path,
                    hint: "Write '\(DieselMetadata.key) = true' or '\(DieselMetadata.key) = false'.")
            }
            let name = statement[..<equals].trimmed
            let value = statement[statement.index(after: equals)...].trimmed
            guard name == DieselMetadata.key, !inTable else {
                findings.append(DieselMetadata.unknown(String(name), path))
                continue
            }
            guard value == "true" || value == "false" else {
                throw MigrationFile.complaint(
                    "'\(value)' is no value for '\(DieselMetadata.key)'", at: line.lowerBound, in: bytes,
                    path: path,
                    hint: "It must be true or false.")
            }
            runsInTransaction = value == "true"
        }
    }

    private static func unknown(_ name: String, _ path: String) -> Finding {
        Finding(
            .unknownSetting, path: path, "'\(name)' in '\(path)' has no meaning here, ignoring",
            hint:
                "Known is '\(key)': without it a directory that has this file runs outside of a transaction, as with diesel."
        )
    }
}
