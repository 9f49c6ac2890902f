internal import Reporting

/// Hasura's folders: `<milliseconds>_name/up.sql` with `down.sql` beside it, in numeric order.
///
/// By themselves they are found where every folder's number has the 13 digits of the tool's own. A migration in YAML, as older versions
/// wrote them, holds its place and cannot be run.
enum HasuraLayout: Layout {
    static let name = LayoutName.hasura
    static let pattern = "'<milliseconds>_name/up.sql'"
    static let rule = Identity.Rule.byVersion

    static func claims(_ directory: Directory) -> Bool {
        let folders = directory.directories.filter { !$0.children.isEmpty }
        return folders.contains { $0.child("up.sql") != nil }
            && folders.allSatisfy { MarkedFiles.digitsBeforeUnderscore($0.name)?.count == 13 }
    }

    static func read(
        _ directory: Directory, order: OrderPin?, contents: (String) throws(Complaint) -> [UInt8]
    ) throws(Complaint) -> Reading {
        var reading = Reading()
        var found: [Version: Migration] = [:]
        for folder in directory.directories where !folder.children.isEmpty || folder.closure != nil {
            guard let text = MarkedFiles.digits(folder.name), let version = Version(text) else { continue }
            let path = folder.path + "/up.sql"
            var migration = Migration(
                version: text, name: folder.name, path: path, notation: .verbatim, identity: .version(version),
                obstacle: folder.obstacle(withText: "up.sql"))
            if folder.child("up.sql") == nil, folder.child("up.yaml") != nil {
                migration.obstacle = Finding(
                    .invalidFile, path: folder.path,
                    "'\(folder.path)/up.yaml' is a migration in YAML, which only Hasura can run",
                    hint: "Run it by Hasura and 'migrated adopt', or write it in SQL.")
            }
            if let down = folder.child("down.sql"), down.kind == .file { migration.downPath = down.path }
            reading.known.insert(folder.path)
            for entry in folder.children
            where FileName.isSQL(entry.name) && entry.path != path && entry.path != migration.downPath {
                reading.findings.append(
                    Finding(
                        .unknownFile, path: entry.path, "'\(entry.path)' is not run: only 'up.sql' and 'down.sql' are"))
            }
            if let first = found.updateValue(migration, forKey: version) {
                throw .duplicate(first.path, path, version: text)
            }
        }
        reading.migrations = found.sorted { $0.key < $1.key }.map(\.value)
        return reading
    }
}
