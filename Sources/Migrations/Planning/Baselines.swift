/// What baselines stand for.
///
/// A baseline is one file that brings an empty database to a version at once. As Flyway does: where nothing is applied, the newest baseline
/// runs and stands for every migration up to its version; where something is applied, no baseline runs any more.
struct Baselines {
    /// Migrations that need not run, and the version that stands for each.
    private(set) var covered: [Identity: String] = [:]

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
            state.segmentsDone > 0 && !files.contains { $0.by == state.version }
        }
        let chosen =
            recorded.max { $0.version < $1.version }
            ?? (applied.isEmpty && !began ? files.max { $0.version < $1.version } : nil)
        let newest = applied.max { left, right in
            guard let one = Version(left.version), let other = Version(right.version) else { return false }
            return one < other
        }
        for migration in set.migrations where history[migration.identity]?.status.isApplied != true {
            if let own = migration.baseline {
                if let chosen, chosen.by != migration.version || recorded.contains(where: { $0.version == own }) {
                    covered[migration.identity] = chosen.by
                } else if chosen == nil {
                    covered[migration.identity] = newest?.version ?? migration.version
                }
            } else if let chosen, case .version(let version) = migration.identity, version <= chosen.version {
                covered[migration.identity] = chosen.by
            }
        }
    }
}
