internal import Reporting

/// Folders of files that hold both directions and are named by a number: what sql-migrate, node-pg-migrate, MyBatis, tern, rambler and Play
/// have in common.
struct MarkedFiles: Sendable {
    /// What makes a file the same migration as one in the history.
    enum Key: Sendable { case number, name }

    var notation: Notation
    var key: Key
    /// The version that a file's name gives, as written; nil for a file that is none. A name without `.sql`.
    var version: @Sendable (String) -> String?
    /// Names of files that are migrations in a program, by what stands behind their number; the tool that can run them.
    var programs: (suffixes: [String], tool: String)?

    func read(
        _ directory: Directory, sortedBy precedes: (Migration, Migration) -> Bool
    ) throws(Complaint) -> Reading {
        var reading = Reading()
        var taken: [Version: String] = [:]
        for item in directory.items {
            let program = programs?.suffixes.first { item.name.hasSuffix($0) }
            guard let suffix = program ?? (item.name.hasSuffix(".sql") ? ".sql" : nil),
                case let name = String(item.name.dropLast(suffix.count)), let version = version(name)
            else { continue }
            var identity = Identity.named(name)
            if key == .number, let number = Version(version) {
                if let first = taken.updateValue(item.path, forKey: number) {
                    throw .duplicate(first, item.path, version: version)
                }
                identity = .version(number)
            }
            var migration = Migration(
                version: version, name: name, path: item.path, downPath: item.path, notation: notation,
                identity: identity, obstacle: item.obstacle)
            if program != nil, let tool = programs?.tool {
                migration.obstacle = Finding(
                    .invalidFile, path: item.path,
                    "'\(item.path)' is a migration that is a program, which only \(tool) can run",
                    hint: "Run it by \(tool) and 'migrated adopt', or write it in SQL.")
            }
            reading.migrations.append(migration)
        }
        reading.migrations.sort(by: precedes)
        if key == .name { reading.migrations.nameVersionsApart() }
        return reading
    }

    /// The digits that a name begins with; nil where it begins otherwise.
    static func digits(_ name: some StringProtocol) -> String? {
        let digits = name.prefix { $0.isASCII && $0.isNumber }
        return digits.isEmpty ? nil : String(digits)
    }

    /// The digits before the first underscore; nil where something else stands there.
    static func digitsBeforeUnderscore(_ name: String) -> String? {
        guard let end = name.firstIndex(of: "_"), let digits = digits(name), digits.endIndex == end else { return nil }
        return digits
    }

    /// By number, and by the bytes of the names where the numbers are equal; names without a number come last.
    static func byNumber(_ left: Migration, _ right: Migration) -> Bool {
        precedes(left.name, right.name)
    }

    static func precedes(_ left: String, _ right: String) -> Bool {
        switch (digits(left).flatMap { Version($0) }, digits(right).flatMap { Version($0) }) {
        case (let one?, let other?): one != other ? one < other : NameOrder.bytes(left, right)
        case (_?, nil): true
        case (nil, _?): false
        case (nil, nil): NameOrder.bytes(left, right)
        }
    }
}

/// sql-migrate's files: `*.sql` with `-- +migrate Up` and `-- +migrate Down`, by the number they begin with, then by name.
///
/// As the tool does, a file is known by its whole name: numbers may repeat.
enum SqlMigrateLayout: Layout {
    static let name = LayoutName.sqlMigrate
    static let pattern = "files named like '1_name.sql' with '-- +migrate Up'"
    static let rule = Identity.Rule.byName
    private static let files = MarkedFiles(notation: .sqlMigrate, key: .name) { MarkedFiles.digits($0) ?? $0 }

    static func claims(_ directory: Directory) -> Bool { directory.dialect == .sqlMigrate }

    static func read(
        _ directory: Directory, order: OrderPin?, contents: (String) throws(Complaint) -> [UInt8]
    ) throws(Complaint) -> Reading {
        try files.read(directory, sortedBy: MarkedFiles.byNumber)
    }

    static func sorts(_ migration: Migration, beforeVersion version: String, name: String, order: OrderPin?) -> Bool {
        MarkedFiles.precedes(migration.name, name)
    }
}

/// node-pg-migrate's files in SQL: `N_name.sql` with `-- Up Migration` and `-- Down Migration`, by the moment that the number is.
///
/// As the tool does, 17 digits are a moment in UTC and other numbers are one in milliseconds; a file is known by its whole name. A migration
/// in JavaScript or TypeScript holds its place and cannot be run.
enum NodePgMigrateLayout: Layout {
    static let name = LayoutName.nodePgMigrate
    static let pattern = "files named like '1700000000000_name.sql'"
    static let rule = Identity.Rule.byName
    private static let files = MarkedFiles(
        notation: .nodePgMigrate, key: .name, version: { MarkedFiles.digits($0) },
        programs: ([".js", ".cjs", ".mjs", ".ts", ".cts", ".mts"], "node-pg-migrate"))

    static func claims(_ directory: Directory) -> Bool { directory.dialect == .nodePgMigrate }

    static func read(
        _ directory: Directory, order: OrderPin?, contents: (String) throws(Complaint) -> [UInt8]
    ) throws(Complaint) -> Reading {
        try files.read(directory) { precedes($0.name, $1.name) }
    }

    static func sorts(_ migration: Migration, beforeVersion version: String, name: String, order: OrderPin?) -> Bool {
        precedes(migration.name, name)
    }

    private static func precedes(_ left: String, _ right: String) -> Bool {
        switch (moment(left), moment(right)) {
        case (let one?, let other?) where one != other: one < other
        case (_?, nil): true
        case (nil, _?): false
        default: NameOrder.current(left, right)
        }
    }

    private static func moment(_ name: String) -> Version? {
        guard let digits = MarkedFiles.digits(name) else { return nil }
        guard digits.count == 17, let seconds = DrizzleLayout.moment(digits), let rest = Int64(digits.suffix(3)) else {
            return Version(digits)
        }
        return Version(String(seconds + rest))
    }
}

/// MyBatis Migrations' files: `N_description.sql`, in numeric order; what stands below `-- //@UNDO` undoes the migration.
enum MyBatisLayout: Layout {
    static let name = LayoutName.mybatis
    static let pattern = "files named like '20250101000000_name.sql'"
    static let rule = Identity.Rule.byVersion
    private static let files = MarkedFiles(
        notation: .mybatis, key: .number, version: MarkedFiles.digitsBeforeUnderscore)

    static func claims(_ directory: Directory) -> Bool { directory.dialect == .mybatis }

    static func read(
        _ directory: Directory, order: OrderPin?, contents: (String) throws(Complaint) -> [UInt8]
    ) throws(Complaint) -> Reading {
        try files.read(directory, sortedBy: MarkedFiles.byNumber)
    }
}

/// tern's files: `N_name.sql`, in numeric order; what stands below `---- create above / drop below ----` undoes the migration.
enum TernLayout: Layout {
    static let name = LayoutName.tern
    static let pattern = "files named like '001_name.sql'"
    static let rule = Identity.Rule.byVersion
    private static let files = MarkedFiles(notation: .tern, key: .number, version: MarkedFiles.digitsBeforeUnderscore)

    static func claims(_ directory: Directory) -> Bool { directory.dialect == .tern }

    static func read(
        _ directory: Directory, order: OrderPin?, contents: (String) throws(Complaint) -> [UInt8]
    ) throws(Complaint) -> Reading {
        try files.read(directory, sortedBy: MarkedFiles.byNumber)
    }
}

/// rambler's files: `*.sql` with `-- rambler up` and `-- rambler down`, in the order of the names' bytes, known by their names.
///
/// The tool runs several `-- rambler down` of one file last one first; a file with more than one is not undone here.
enum RamblerLayout: Layout {
    static let name = LayoutName.rambler
    static let pattern = "files named like '201501010000_name.sql' with '-- rambler up'"
    static let rule = Identity.Rule.byName
    private static let files = MarkedFiles(notation: .rambler, key: .name) { MarkedFiles.digits($0) ?? $0 }

    static func claims(_ directory: Directory) -> Bool { directory.dialect == .rambler }

    static func read(
        _ directory: Directory, order: OrderPin?, contents: (String) throws(Complaint) -> [UInt8]
    ) throws(Complaint) -> Reading {
        try files.read(directory) { NameOrder.bytes($0.path, $1.path) }
    }

    static func sorts(_ migration: Migration, beforeVersion version: String, name: String, order: OrderPin?) -> Bool {
        NameOrder.bytes(migration.name + ".sql", name + ".sql")
    }
}

/// Play's evolutions: `1.sql`, `2.sql` and so on, with `# --- !Ups` and `# --- !Downs`; `;;` stands for a `;` that ends no statement.
///
/// The tool stops at the first number that is missing; here a file behind a gap holds its place and is not run.
enum PlayLayout: Layout {
    static let name = LayoutName.play
    static let pattern = "files named like '1.sql'"
    static let rule = Identity.Rule.byVersion
    private static let files = MarkedFiles(notation: .play, key: .number) { name in
        MarkedFiles.digits(name).flatMap { $0.count == name.count ? $0 : nil }
    }

    static func claims(_ directory: Directory) -> Bool { directory.dialect == .play }

    static func read(
        _ directory: Directory, order: OrderPin?, contents: (String) throws(Complaint) -> [UInt8]
    ) throws(Complaint) -> Reading {
        var reading = try files.read(directory, sortedBy: MarkedFiles.byNumber)
        for (index, migration) in reading.migrations.enumerated()
        where migration.obstacle == nil && Version(migration.version) != Version(String(index + 1)) {
            reading.migrations[index].obstacle = Finding(
                .invalidFile, path: migration.path,
                "'\(migration.path)' has no '\(index + 1).sql' before it, where Play stops",
                hint: "Number the files from 1 without a gap.")
        }
        return reading
    }
}
