/// The folders of a directory that are read and watched with all that is below them: sqitch's, whose changes may lie in folders of their own
/// (`deploy/tables/users.sql`). Of every other folder one level is.
enum DeepFolders {
    /// The file beside them by which they are known.
    static let mark = Array("sqitch.plan".utf8)
    private static let names: Set<[UInt8]> = Set(["deploy", "revert", "verify"].map { Array($0.utf8) })
    /// How many folders may lie in one another below them.
    private static let most = 8

    /// Whether the directory at `path`, relative to the one with the mark, is read.
    static func holds(_ path: [UInt8]) -> Bool {
        let parts = path.split(separator: UInt8(ascii: "/"))
        return parts.count <= most + 1 && parts.first.map { names.contains(Array($0)) } == true
    }
}
