/// What baselines stand for.
///
/// A baseline is one file that brings an empty database to a version at once. As Flyway does: where nothing is applied, the newest baseline
/// runs and stands for every migration up to its version; where something is applied, no baseline runs any more.
struct Baselines {
    /// Migrations that need not run, and the version that stands for each.
    private(set) var covered: [Identity: String] = [:]
    /// Baselines that the database is behind, and the newest version that is applied: what lies between the two has never run, and has no file.
    private(set) var behind: [Identity: String] = [:]
    /// The newest version that a baseline in the directory stands for.
    private var newest: Version?

    init(_ set: MigrationSet, _ history: [Identity: VersionState]) {
        let applied = history.values.filter { $0.status.isApplied && !$0.repeatable }
        guard set.layout == .flyway else { return }
        let recorded = applied.compactMap { state in
            FlywayLayout.baseline(recordedAs: state.version).map { (version: $0, by: state.version) }
        }
        let files = set.migrations.compactMap { migration in
            migration.baseline.map { (version: $0, by: migration.version) }
        }
        // Segments that are committed of a migration that is not applied mean that the database is not empty either.
        let began = history.contains { identity, state in
            !state.committed.isEmpty && !files.contains { $0.by == state.version }
        }
        let chosen =
            recorded.max { $0.version < $1.version }
            ?? (applied.isEmpty && !began ? files.max { $0.version < $1.version } : nil)
        newest = files.map(\.version).max()
        let versions = Set(set.migrations.compactMap { $0.baseline == nil ? Version($0.version) : nil })
        let reached = (recorded + applied.compactMap { state in Version(state.version).map { ($0, state.version) } })
            .max { $0.version < $1.version }
        for migration in set.migrations where history[migration.identity]?.status.isApplied != true {
            if let own = migration.baseline {
                if let reached, reached.version < own, !versions.contains(own) {
                    behind[migration.identity] = reached.by
                } else if let by = reached?.by ?? chosen?.by ?? (began ? migration.version : nil),
                    chosen?.by != migration.version
                {
                    covered[migration.identity] = by
                }
            } else if let chosen, case .version(let version) = migration.identity, version <= chosen.version {
                covered[migration.identity] = chosen.by
            }
        }
    }

    /// Whether a baseline in the directory stands for what the history knows.
    func replaces(_ state: VersionState) -> Bool {
        guard let newest, let version = Version(state.version) else { return false }
        return version <= newest
    }
}
