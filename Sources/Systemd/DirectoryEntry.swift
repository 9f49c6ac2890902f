/// One name in a scanned directory.
public struct DirectoryEntry: Sendable, Equatable {
    /// What it is good for.
    public enum Kind: Sendable, Equatable {
        /// A regular file, or a symbolic link to one within the directory.
        case file
        /// A directory, or a symbolic link to one within the directory.
        case directory
        /// Nothing that is read, and why: `it is a named pipe`.
        case other(reason: String)
    }

    /// The name relative to the scanned directory: `a.sql` or `a/migration.sql`. Where the name is no UTF-8, the wrong bytes are replaced.
    public var path: String
    /// The name as the file system has it.
    public var pathBytes: [UInt8]
    /// Whether the name is UTF-8.
    public var nameIsUTF8: Bool { String(validating: pathBytes, as: UTF8.self) != nil }
    /// What it is good for.
    public var kind: Kind
    /// What stat(2) says: of the target where it is a symbolic link that could be followed.
    public var facts: FileFacts
    /// Why a directory's own entries are not known: `it cannot be read: Permission denied`. Nil where they are.
    public var closedBecause: String?
    /// Whether a symbolic link within the directory leads to it.
    public var isSymbolicLink: Bool

    init(_ pathBytes: [UInt8], _ kind: Kind, _ facts: FileFacts, isSymbolicLink: Bool) {
        path = String(decoding: pathBytes, as: UTF8.self)
        self.pathBytes = pathBytes
        self.kind = kind
        self.facts = facts
        self.isSymbolicLink = isSymbolicLink
    }
}
