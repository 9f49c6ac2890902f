internal import Reporting

/// goose's files: `N_name.sql` with both directions in one file, in numeric order.
///
/// As the tool does, N is a number above zero with an underscore behind it, and files that are named otherwise do not count. A migration
/// in Go holds its place and cannot be run.
enum GooseLayout: Layout {
    static let name = LayoutName.goose
    static let pattern = "files named like '1_name.sql'"
    static let rule = Identity.Rule.byVersion

    static func claims(_ directory: Directory) -> Bool {
        directory.dialect == .goose && directory.files.contains { number($0.name, ".sql") != nil }
    }

    static func read(
        _ directory: Directory, order: OrderPin?, contents: (String) throws(Complaint) -> [UInt8]
    ) throws(Complaint) -> Reading {
        var found: [Version: Migration] = [:]
        for item in directory.items {
            let isGo = item.name.hasSuffix(".go") && !item.name.hasSuffix("_test.go")
            guard let text = number(item.name, isGo ? ".go" : ".sql"), let version = Version(text) else { continue }
            var migration = Migration(
                version: text, name: String(item.name.dropLast(isGo ? 3 : 4)), path: item.path, downPath: item.path,
                notation: .goose, identity: .version(version), obstacle: item.obstacle)
            if isGo {
                migration.obstacle = Finding(
                    .invalidFile, path: item.path, "'\(item.path)' is a migration in Go, which only goose can run",
                    hint: "Run it by goose and 'migrated adopt', or write it in SQL.")
            } else if Int64(version.digits) == nil {
                migration.obstacle = .tooLarge(item.path, limit: UInt64(Int64.max))
            }
            if let first = found.updateValue(migration, forKey: version) {
                throw .duplicate(first.path, item.path, version: text)
            }
        }
        return Reading(migrations: found.sorted { $0.key < $1.key }.map(\.value))
    }

    /// The digits before the first underscore, where they are a number above zero.
    private static func number(_ name: String, _ suffix: String) -> String? {
        guard name.hasSuffix(suffix), let end = name.firstIndex(of: "_") else { return nil }
        let text = name[..<end]
        guard !text.isEmpty, text.allSatisfy({ $0.isASCII && $0.isNumber }), text.contains(where: { $0 != "0" }) else {
            return nil
        }
        return String(text)
    }
}

extension Finding {
    /// A number that the layout's tool cannot hold.
    static func tooLarge(_ path: String, limit: UInt64) -> Finding {
        Finding(
            .invalidFile, path: path, "the number of '\(path)' does not fit 64 bits",
            hint: "Give the file a number up to \(limit).")
    }
}
