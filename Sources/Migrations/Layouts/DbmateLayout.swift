internal import Reporting

/// dbmate's files: digits, then anything, then `.sql`, with both directions in one file, in the order of the file names' bytes.
///
/// As the tool does, the version is the digits as they are written: `1` and `01` are two, and `10_x.sql` runs before `2_x.sql`.
enum DbmateLayout: Layout {
    static let name = LayoutName.dbmate
    static let pattern = "files named like '20250101000000_name.sql'"
    static let rule = Identity.Rule.byWrittenVersion

    static func claims(_ directory: Directory) -> Bool {
        directory.dialect == .dbmate && directory.files.contains { version($0.name) != nil }
    }

    static func read(
        _ directory: Directory, order: OrderPin?, contents: (String) throws(Complaint) -> [UInt8]
    ) throws(Complaint) -> Reading {
        var reading = Reading()
        var taken: [String: String] = [:]
        // The directory's own order is that of the names' bytes.
        for item in directory.items {
            guard let version = version(item.name) else { continue }
            if let first = taken.updateValue(item.path, forKey: version) {
                throw .duplicate(first, item.path, version: version)
            }
            reading.migrations.append(
                Migration(
                    version: version, name: String(item.name.dropLast(4)), path: item.path, downPath: item.path,
                    notation: .dbmate, identity: .named(version), obstacle: item.obstacle))
        }
        return reading
    }

    static func sorts(_ migration: Migration, beforeVersion version: String, name: String, order: OrderPin?) -> Bool {
        NameOrder.bytes(migration.name + ".sql", name + ".sql")
    }

    private static func version(_ name: String) -> String? {
        guard name.hasSuffix(".sql") else { return nil }
        let digits = name.prefix { $0.isASCII && $0.isNumber }
        return digits.isEmpty ? nil : String(digits)
    }
}
