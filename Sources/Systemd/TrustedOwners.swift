/// The users whose files are believed: root, the user of this process, and the owner of a directory that is believed already; as git's
/// `safe.directory` has it (git-config(1)).
public struct TrustedOwners: Sendable {
    private let users: Set<UInt32>

    /// Those that go with `directory`. Its owner is not one where nothing can be seen of it.
    public init(of directory: String) {
        users = [0, Process.effectiveUser, FileFacts(at: Array(directory.utf8), followed: true)?.user ?? 0]
    }

    /// Whether what lies at `path` is theirs and not everybody's to write: the entry itself, and what it leads to where it is a link.
    public func own(_ path: String) -> Bool {
        [false, true].allSatisfy { followed in
            guard let facts = FileFacts(at: Array(path.utf8), followed: followed) else { return false }
            // The mode of a link means nothing. In a directory like /tmp only an entry's owner removes it.
            let isOpen = facts.kind != .symbolicLink && facts.mode & 0o1002 == 0o002
            return users.contains(facts.user) && !isOpen
        }
    }
}
