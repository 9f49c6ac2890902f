/// What a migrations directory holds, as names only: what a scanner has read.
public struct DirectoryListing: Sendable, Equatable {
    /// Every entry, two levels deep or, where sqitch's plan is, of all folders, in any order.
    public var entries: [DirectoryEntry]
    /// In how many folders below `deploy/` a script of sqitch's may lie: what lies deeper is in no listing.
    static let mostFolders = 8

    /// A listing of those entries.
    public init(entries: [DirectoryEntry]) { self.entries = entries }
}

/// One entry of a migrations directory.
public struct DirectoryEntry: Sendable, Equatable {
    /// What an entry is once links are followed.
    public enum Kind: Sendable, Equatable {
        /// A regular file.
        case file
        /// A directory.
        case directory
        /// A FIFO, device or socket, or a link that is broken or loops.
        case other
    }

    /// The path relative to the migrations directory, its parts separated by `/`.
    public var path: String
    /// What the entry is.
    public var kind: Kind
    /// Whether the name's bytes are UTF-8; where not, `path` shows replacement characters and opens nothing.
    public var nameIsUTF8: Bool
    /// Whether it is a file without a byte.
    public var isEmpty: Bool
    /// Why the entry is `other`, or why a directory's own entries are not known, as a clause: `it is a named pipe`, `it cannot be read`.
    public var reason: String?

    /// An entry from its parts.
    public init(
        path: String, kind: Kind, nameIsUTF8: Bool = true, isEmpty: Bool = false, reason: String? = nil
    ) {
        self.path = path
        self.kind = kind
        self.nameIsUTF8 = nameIsUTF8
        self.isEmpty = isEmpty
        self.reason = reason
    }
}
