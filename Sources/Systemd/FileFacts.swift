internal import Glibc

/// What stat(2) says of a file, as far as it matters here. Two that are equal are of one file that did not change in between.
public struct FileFacts: Sendable, Equatable {
    /// What kind of file it is.
    public enum Kind: Sendable, Equatable {
        /// A regular file.
        case regular
        /// A directory.
        case directory
        /// A symbolic link itself.
        case symbolicLink
        /// Anything else, in words: `a named pipe`.
        case special(String)
    }

    /// The kind.
    public var kind: Kind
    /// Bytes.
    public var size: Int64
    /// When its content changed, in nanoseconds since 1970. Only good for telling two states apart.
    public var modified: Int64
    /// When its content, owner or mode changed, in nanoseconds since 1970. Only good for telling two states apart.
    public var changed: Int64
    /// The inode.
    public var inode: UInt64
    /// The device that the inode is on.
    public var device: UInt64
    /// The owner.
    public var user: UInt32
    /// The group.
    public var group: UInt32
    /// The permission bits, `0o7777` at most.
    public var mode: UInt32
    /// How many names it has.
    public var links: UInt64

    /// Facts from their parts.
    public init(
        kind: Kind, size: Int64 = 0, modified: Int64 = 0, changed: Int64 = 0, inode: UInt64 = 0, device: UInt64 = 0,
        user: UInt32 = 0, group: UInt32 = 0, mode: UInt32,
        links: UInt64 = 1
    ) {
        self.kind = kind
        self.size = size
        self.modified = modified
        self.changed = changed
        self.inode = inode
        self.device = device
        self.user = user
        self.group = group
        self.mode = mode
        self.links = links
    }

    init(_ facts: stat) {
        kind =
            switch facts.st_mode & S_IFMT {
            case S_IFREG: .regular
            case S_IFDIR: .directory
            case S_IFLNK: .symbolicLink
            case S_IFIFO: .special("a named pipe")
            case S_IFSOCK: .special("a socket")
            case S_IFCHR: .special("a character device")
            case S_IFBLK: .special("a block device")
            default: .special("of an unknown kind")
            }
        size = Int64(facts.st_size)
        modified = Int64(facts.st_mtim.tv_sec) * 1_000_000_000 + Int64(facts.st_mtim.tv_nsec)
        changed = Int64(facts.st_ctim.tv_sec) * 1_000_000_000 + Int64(facts.st_ctim.tv_nsec)
        inode = UInt64(facts.st_ino)
        device = UInt64(facts.st_dev)
        user = facts.st_uid
        group = facts.st_gid
        mode = facts.st_mode & 0o7777
        links = UInt64(facts.st_nlink)
    }

    /// The facts of an open file.
    init(of file: Descriptor, path: String) throws(SystemFailure) {
        var facts = stat()
        if unsafe fstat(file.number, &facts) != 0 { throw .last("examine", path: path) }
        self.init(facts)
    }

    /// The facts of the file that `name` (bytes) is in `directory`; of a symbolic link itself where it is one.
    init(of name: [UInt8], in directory: Descriptor, path: String) throws(SystemFailure) {
        var facts = stat()
        let result = unsafe withPath(name) { unsafe fstatat(directory.number, $0, &facts, AT_SYMLINK_NOFOLLOW) }
        if result != 0 { throw .last("examine", path: path) }
        self.init(facts)
    }

    /// The facts of the file at `path` (bytes): of a symbolic link itself, or of what it leads to where it is `followed`. Nil where there is
    /// none.
    init?(at path: [UInt8], followed: Bool) {
        var facts = stat()
        let flags = followed ? 0 : AT_SYMLINK_NOFOLLOW
        guard unsafe withPath(path, { unsafe fstatat(AT_FDCWD, $0, &facts, flags) }) == 0 else { return nil }
        self.init(facts)
    }

    /// Why somebody else than root and `effectiveUser` could change the file: its owner, or its mode. Nil where nobody could.
    ///
    /// The sticky bit is no excuse: it keeps others from removing files, not from adding them. An access control list shows in the bits of
    /// the group (acl(5)).
    public func permissionProblem(effectiveUser: UInt32) -> String? {
        if user != 0, user != effectiveUser {
            return "is owned by user \(user), who is neither root nor the user of this process"
        }
        let octal = "0" + String(mode, radix: 8)
        if mode & 0o002 != 0 { return "can be written by everybody (mode \(octal))" }
        if mode & 0o020 != 0 { return "can be written by its group (mode \(octal))" }
        return nil
    }
}

/// Passes a path of bytes to a system call.
func withPath<Result>(_ path: [UInt8], _ body: (UnsafePointer<CChar>) -> Result) -> Result {
    precondition(!path.contains(0), "the system gave us this path, and none of its paths holds a NUL")
    let terminated = path.map { CChar(bitPattern: $0) } + [0]
    return unsafe terminated.withUnsafeBufferPointer { buffer in
        guard let start = buffer.baseAddress else { preconditionFailure("it holds at least the terminator") }
        return unsafe body(start)
    }
}
