internal import Reporting

/// sqlx's files: `N_name.sql`, or `N_name.up.sql` with `N_name.down.sql` beside it, in numeric order.
///
/// As the tool does, N is a signed 64-bit number, and an SQL file with an underscore and another beginning is an error. By its names alone
/// such a directory looks like the layouts `flat` or `golang-migrate`: it is found by itself only where a file begins with
/// `-- no-transaction`.
enum SqlxLayout: Layout {
    static let name = LayoutName.sqlx
    static let pattern = "files named like '1_name.sql' or '1_name.up.sql'"
    static let rule = Identity.Rule.byVersion

    static func claims(_ directory: Directory) -> Bool {
        directory.dialect == .sqlx && FlatLayout.hasFiles(directory) && readsNames(of: directory)
    }

    /// Whether no name is one that the tool refuses.
    static func readsNames(of directory: Directory) -> Bool {
        directory.files.allSatisfy {
            !$0.name.hasSuffix(".sql") || !$0.name.contains("_") || MarkedFiles.digitsBeforeUnderscore($0.name) != nil
        }
    }

    static func read(
        _ directory: Directory, order: OrderPin?, contents: (String) throws(Complaint) -> [UInt8]
    ) throws(Complaint) -> Reading {
        var ups: [Version: Migration] = [:]
        var downs: [Version: Directory.Item] = [:]
        for item in directory.items where item.kind != .directory {
            guard item.name.hasSuffix(".sql"), item.name.contains("_") else { continue }
            guard let text = MarkedFiles.digitsBeforeUnderscore(item.name), let version = Version(text) else {
                throw Complaint(
                    .badFile, "'\(item.path)' does not begin with a number, which sqlx refuses",
                    hint: "Give the file a number, or move it away.", place: Place(file: item.path))
            }
            if item.name.hasSuffix(".down.sql") {
                if let first = downs.updateValue(item, forKey: version) {
                    throw .duplicate(first.path, item.path, version: text)
                }
                continue
            }
            let tooLarge = Int64(version.digits) == nil ? Finding.tooLarge(item.path, limit: UInt64(Int64.max)) : nil
            let base = item.name.dropLast(item.name.hasSuffix(".up.sql") ? 7 : 4)
            let migration = Migration(
                version: text, name: String(base), path: item.path, notation: .sqlx, identity: .version(version),
                obstacle: item.obstacle ?? tooLarge)
            if let first = ups.updateValue(migration, forKey: version) {
                throw .duplicate(first.path, item.path, version: text)
            }
        }
        var reading = Reading()
        reading.pair(&ups, with: downs, called: "'.up.sql'")
        reading.migrations = ups.sorted { $0.key < $1.key }.map(\.value)
        return reading
    }

}

extension Reading {
    /// Gives each migration the file that undoes it, and tells of those that undo nothing.
    mutating func pair<Key: Hashable & Comparable>(
        _ ups: inout [Key: Migration], with downs: [Key: Directory.Item], called kind: String
    ) {
        for (version, down) in downs.sorted(by: { $0.key < $1.key }) {
            known.insert(down.path)
            if ups[version] == nil {
                findings.append(
                    Finding(.downWithoutUp, path: down.path, "'\(down.path)' undoes a version that has no \(kind) file")
                )
            } else if let obstacle = down.obstacle {
                findings.append(obstacle)
            } else {
                ups[version]?.downPath = down.path
            }
        }
    }
}
