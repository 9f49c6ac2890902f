internal import Configuration
internal import Migrations
internal import Reporting
internal import SQLParsing

/// The script that says whether a migration has done what it should, ready to run: sqitch's `verify/<change>.sql`.
struct Verification {
    let path: String
    /// Without its own BEGIN, COMMIT and ROLLBACK.
    let script: Script

    /// Parses a script. Throws `.badFile` where it cannot be run at all.
    init(_ file: MigrationFile, _ settings: Settings) throws(Complaint) {
        path = file.migration.path
        try PreparedFile.refuseEmpty(file)
        var options = ScriptOptions(sizeLimit: settings.sizeLimit)
        options.rollsBack = true
        script = try Script(file.text(for: .up), file: path, options: options)
    }
}

extension MigrationDirectory {
    /// Reads and parses what verifies a migration of `snapshot`; nil where nothing does.
    func verification(of migration: Migration, in snapshot: Snapshot, _ settings: Settings) throws(Complaint)
        -> Verification?
    {
        guard let path = migration.verifyPath else { return nil }
        var verifying = migration
        verifying.path = path
        return try Verification(try read(verifying, in: snapshot, refusingWriters: true), settings)
    }
}
