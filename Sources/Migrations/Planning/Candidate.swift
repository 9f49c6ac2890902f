public import Reporting

/// A migration as the plan sees it: without its text, so that a thousand files need not be held in memory.
public struct Candidate: Sendable, Equatable {
    /// What became of reading its file.
    public enum Content: Sendable, Equatable {
        /// It was read.
        case text(checksum: String, directives: Directives)
        /// It cannot be run.
        case unusable(Finding)
    }

    /// The migration.
    public let migration: Migration
    /// What became of reading its file.
    public let content: Content
    /// Its text as it would be sent. Needed only where the history knows of parts that are committed; such a file is not run without it.
    public var parts: FileParts?

    /// A file that was read.
    public init(_ file: MigrationFile) {
        migration = file.migration
        content = .text(checksum: file.checksum, directives: file.directives)
    }

    /// A file that cannot be run: the migration's own obstacle, or one that was met on reading it.
    public init(_ migration: Migration, unusable finding: Finding) {
        self.migration = migration
        content = .unusable(finding)
    }

    /// The result of reading the file: `file` is called unless the migration has an obstacle of its own, and what it throws becomes one.
    public init(_ migration: Migration, file: (Migration) throws(Complaint) -> MigrationFile) {
        do throws(Complaint) {
            if let obstacle = migration.obstacle {
                self.init(migration, unusable: obstacle)
            } else {
                self.init(try file(migration))
            }
        } catch {
            let reason: Finding.Reason = error.status == .permission ? .unsafePermissions : .invalidFile
            self.init(migration, unusable: Finding(reason, path: migration.path, complaint: error))
        }
    }

    var directives: Directives {
        if case .text(_, let directives) = content { directives } else { Directives() }
    }

    /// Of the text; nil where it could not be read.
    var checksum: String? {
        if case .text(let checksum, _) = content { checksum } else { nil }
    }
}
