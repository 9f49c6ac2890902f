internal import Reporting

/// Files of one migration for several database engines, `name.postgres.up.sql` beside `name.mysql.up.sql` and `name.up.sql`: the one for
/// PostgreSQL runs, or else the one for all.
struct EngineVariants {
    private static let ours: Set<Substring> = ["postgres", "postgresql", "pg", "psql"]
    private static let others: Set<Substring> = [
        "mysql", "mariadb", "sqlite", "sqlite3", "cockroach", "cockroachdb", "crdb", "mssql", "sqlserver", "oracle",
    ]

    /// Names without their engine for which a file for PostgreSQL is there.
    private let own: Set<String>
    private let passed: [String]

    init(_ names: [String]) {
        let own = Set(
            names.filter { EngineVariants.engine($0).map(EngineVariants.ours.contains) == true }.map(
                EngineVariants.bare))
        self.own = own
        passed = names.filter { EngineVariants.isPassedOver($0, own) }
    }

    /// What is said of a file that is another engine's; nil for one that runs.
    func passedOver(_ item: Directory.Item) -> Finding? {
        guard EngineVariants.isPassedOver(item.name, own) else { return nil }
        let more = passed.count > 1 ? " and \(passed.count - 1) more are" : " is"
        return Finding(
            .unknownFile, path: item.path,
            "'\(item.path)'\(more) not run: for another engine, or beside one for PostgreSQL")
    }

    /// Whether it is the one that is reported for all.
    func isFirst(_ name: String) -> Bool { passed.first == name }

    /// A name before its `.up.sql`, without the engine at its end.
    static func withoutEngine(_ base: some StringProtocol) -> String {
        guard let dot = base.lastIndex(of: "."), case let last = Substring(base[base.index(after: dot)...]),
            ours.contains(last) || others.contains(last)
        else { return String(base) }
        return String(base[..<dot])
    }

    private static func isPassedOver(_ name: String, _ own: Set<String>) -> Bool {
        guard let engine = engine(name) else { return own.contains(name) }
        return others.contains(engine)
    }

    private static func parts(_ name: String) -> (base: Substring, direction: String)? {
        for direction in [".up.sql", ".down.sql"] where name.hasSuffix(direction) {
            return (name.dropLast(direction.count), direction)
        }
        return nil
    }

    private static func engine(_ name: String) -> Substring? {
        guard let base = parts(name)?.base, let dot = base.lastIndex(of: ".") else { return nil }
        let last = base[base.index(after: dot)...]
        return ours.contains(last) || others.contains(last) ? last : nil
    }

    private static func bare(_ name: String) -> String {
        guard let (base, direction) = parts(name) else { return name }
        return withoutEngine(base) + direction
    }
}
