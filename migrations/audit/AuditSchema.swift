/// The daemon's own numbered files: the schema of the history, and its upgrades.
///
/// The SQL beside this file is built into the program, so that a daemon always brings the schema that it writes to.
public enum AuditSchema {
    /// The name that the files use; another configured one takes its place.
    public static let standardName = "migrated"

    /// The files in order: number n is `files[n - 1]`.
    static let files: [[UInt8]] = [
        PackageResources.v001_history_sql, PackageResources.v002_orphans_sql, PackageResources.v003_acknowledged_sql,
        PackageResources.v004_token_sql, PackageResources.v005_catalog_sql, PackageResources.v006_append_sql,
        PackageResources.v007_rights_sql, PackageResources.v008_orphans_sql, PackageResources.v009_identity_sql,
        PackageResources.v010_restoration_sql, PackageResources.v011_evidence_sql,
        PackageResources.v012_changes_sql,
    ]

    /// The number of the newest file.
    public static var currentVersion: Int { files.count }

    /// The text of file `version` for a schema whose quoted identifier is `quotedSchema`.
    ///
    /// The files write their schema as `"migrated"`, in quotes and nowhere else, so that replacing it is exact.
    public static func sql(version: Int, quotedSchema: String) -> String {
        text(files[version - 1], quotedSchema: quotedSchema)
    }

    /// What a new history is made of, as the catalog of a server of that major version says it, one line each: `shape.txt`, and from PostgreSQL 16
    /// on, which names no table where there is only one, `views16.txt` in place of its views. The tests write both from a server.
    public static func shape(server: Int) -> [String] {
        let lines = lines(PackageResources.shape_txt)
        guard server >= 16 else { return lines }
        return lines.filter { !$0.hasPrefix("view ") } + self.lines(PackageResources.views16_txt)
    }

    /// The major version of the server that `shape.txt` is from.
    public static let shapeServer = 15

    /// The major versions that write views in the words of one of the two files.
    public static let shapeServers = 13...18

    private static func lines(_ file: [UInt8]) -> [String] {
        String(decoding: file, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    /// The text of `roles.sql` for that schema: who owns the history, and who may do what with it.
    public static func roles(quotedSchema: String) -> String {
        text(PackageResources.roles_sql, quotedSchema: quotedSchema)
    }

    private static func text(_ file: [UInt8], quotedSchema: String) -> String {
        let text = String(decoding: file, as: UTF8.self)
        let pieces = text.split(separator: "\"\(standardName)\"", omittingEmptySubsequences: false)
        return pieces.joined(separator: quotedSchema)
    }
}
