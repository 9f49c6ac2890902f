public import Reporting

/// Why a file may not run although it is not applied under its own name: what the directory and the history say of it does not agree.
///
/// No policy lets such a file run. Somebody has to say which of the two is right.
public enum Discrepancy: Sendable, Equatable {
    /// Its number is that of an applied migration with another name and another text.
    case numberReused(by: String)
    /// An applied migration with its title has no file any more, under another number and with another text.
    case renamedAndEdited(from: String)
    /// Its text is, byte for byte, that of an applied or retired migration, and may not run twice by accident.
    case copy(of: String)
    /// It is a baseline, and the newest applied version lies before it: what lies between has never run and has no file.
    case behindBaseline(applied: String)
    /// A part of it that is committed has changed: the number of the part, from 1.
    case committedPartChanged(part: Int)
    /// Not one of so many applied migrations is in the directory with the text that was applied.
    case wrongDirectory(applied: Int)

    /// The audit's word for it.
    public var reason: String {
        switch self {
        case .numberReused: "number_reused"
        case .renamedAndEdited: "renamed"
        case .copy: "copied"
        case .behindBaseline: "behind_baseline"
        case .committedPartChanged: "committed_part_changed"
        case .wrongDirectory: "wrong_directory"
        }
    }

    /// In a few words, for lists.
    public var words: String {
        switch self {
        case .numberReused(let name): "its number is that of '\(name)', which is applied"
        case .renamedAndEdited(let name): "'\(name)' is applied, and was renamed and edited"
        case .copy(let name): "a copy of '\(name)'"
        case .behindBaseline(let version): "the database is at version '\(version)'"
        case .committedPartChanged(let part): "part \(part) is committed, and has changed"
        case .wrongDirectory: "another project's directory, or another database"
        }
    }

    /// What is wrong with `migration`, and the ways out. The status is `.badFile`.
    public func complaint(_ migration: Migration) -> Complaint {
        complaint(name: migration.name, version: migration.version, path: migration.path)
    }

    /// The same of a directory without a file to name.
    public func complaint(of directory: String) -> Complaint {
        complaint(name: directory, version: "", path: directory)
    }

    private func complaint(name: String, version: String, path: String) -> Complaint {
        let (message, hint): (String, String) =
            switch self {
            case .numberReused(let applied):
                (
                    "'\(name)' has the number of '\(applied)', which is applied and is another migration",
                    "Give '\(name)' a number of its own and restore the file of '\(applied)'. "
                        + "If both are the same migration: 'migrated resolve \(version) --applied --reason TEXT'."
                )
            case .renamedAndEdited(let applied):
                (
                    "'\(name)' has the title of '\(applied)', which is applied and has no file, and another text",
                    "If both are the same migration: 'migrated resolve \(version) --applied --reason TEXT'. "
                        + "If it is a new one: 'migrated retry \(version) --reason TEXT' runs it."
                )
            case .copy(let original):
                (
                    "'\(name)' has the same text as '\(original)', which is applied",
                    "Delete the copy. If the text must run again: 'migrated retry \(version) --reason TEXT'; "
                        + "if it has run: 'migrated resolve \(version) --applied --reason TEXT'."
                )
            case .behindBaseline(let applied):
                (
                    "the baseline '\(name)' stands for migrations that this database has not run: it is at version '\(applied)'",
                    "Put the files between the two back until they are applied here. "
                        + "If their effects exist: 'migrated resolve \(version) --applied --reason TEXT'."
                )
            case .committedPartChanged(let part):
                (
                    "part \(part) of '\(name)' is committed and has changed: nothing tells what is left to run",
                    "Restore the committed part (see 'auditctl show \(version)'), or run the whole file again: "
                        + "'migrated retry \(version) --from-start --reason TEXT'."
                )
            case .wrongDirectory(let count):
                (
                    "the directory holds none of the \(count) applied migrations with the text that was applied: "
                        + "it looks like another project's directory or another database",
                    "Check 'directory' and 'database'. If the files were replaced on purpose: "
                        + "'migrated retire VERSION... --replaced-by VERSION --reason TEXT'."
                )
            }
        return Complaint(.badFile, message, hint: hint, place: Place(file: path))
    }

    /// What is wrong with a file that undoes `migration`, a committed part of which has changed.
    public static func changedDown(_ migration: Migration, part: Int) -> Complaint {
        Complaint(
            .badFile,
            "part \(part) of '\(migration.path)' is committed and has changed: nothing tells what is left to undo",
            hint: "Restore the committed part (see 'auditctl show \(migration.version)').",
            place: Place(file: migration.path))
    }
}
