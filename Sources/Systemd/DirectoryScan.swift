internal import CLinux
internal import Glibc
public import Reporting

/// What a directory held at one moment, and the bytes of its files: the truth to which an event is only a hint.
///
/// The scan keeps the directory open. Files are read beneath it, so that a path that is swapped to another directory in the meantime (a
/// symbolic link to a new release) cannot mix two directories; symbolic links within it are followed only as long as they stay beneath it
/// (openat2(2), RESOLVE_BENEATH).
public struct DirectoryScan {
    /// The path that was scanned, as it was given.
    public let path: String
    /// What stat(2) says of the directory.
    public let facts: FileFacts
    /// Its entries and those of its directories, no deeper but for `DeepFolders`, in the order of their bytes. A name that vanished while
    /// it was looked at is left out.
    public let entries: [DirectoryEntry]
    let directory: Descriptor
    /// The directories among the entries, by name.
    private let folders: [[UInt8]: FileFacts]

    /// Scans `path`, which may be, or lead through, symbolic links.
    ///
    /// The complaint's status tells what is wrong: 74 (`inputOutput`) where there is no such directory or reading fails, 78
    /// (`configuration`) where it is something else than a directory, 77 (`permission`) where it may not be read.
    public static func scan(_ path: String) throws(Complaint) -> DirectoryScan { try DirectoryScan(path) }

    private init(_ path: String) throws(Complaint) {
        self.path = path
        do throws(SystemFailure) {
            directory = try Descriptor(opening: path, O_RDONLY | O_DIRECTORY)
            let facts = try FileFacts(of: directory, path: path)
            self.facts = facts
            entries = try DirectoryScan.entries(of: directory, facts, path: path)
            folders = Dictionary(
                uniqueKeysWithValues: entries.filter { $0.kind == .directory }.map { ($0.pathBytes, $0.facts) })
        } catch {
            throw DirectoryScan.complaint(error, about: path)
        }
    }

    /// What a directory that is open, and is at `path`, holds.
    static func entries(of directory: Descriptor, _ facts: FileFacts, path: String) throws(SystemFailure)
        -> [DirectoryEntry]
    {
        var lister = Lister(root: directory, rootFacts: facts, path: path)
        try lister.list(directory, below: [], throughLink: false)
        return lister.entries
    }

    private static func complaint(_ failure: SystemFailure, about path: String) -> Complaint {
        switch failure.errno {
        case ENOENT where failure.path == path:
            Complaint(
                .inputOutput, "directory '\(path)' does not exist",
                hint: "Create it, or name another directory with --directory or in the configuration.")
        case ENOTDIR where failure.path == path:
            Complaint(
                .configuration, "'\(path)' is not a directory", hint: "Name the directory that holds the migrations.")
        default: failure.complaint
        }
    }

    /// Why somebody else than root and `effectiveUser` could change what `entry` holds: by the file itself, by a directory on the way to it,
    /// or by the scanned one. Nil where nobody could.
    public func permissionProblem(of entry: DirectoryEntry, effectiveUser: UInt32) -> String? {
        if let problem = facts.permissionProblem(effectiveUser: effectiveUser) {
            return "directory '\(path)' \(problem)"
        }
        for slash in entry.pathBytes.indices where entry.pathBytes[slash] == UInt8(ascii: "/") {
            let name = Array(entry.pathBytes[..<slash])
            if let problem = folders[name]?.permissionProblem(effectiveUser: effectiveUser) {
                return "directory '\(path)/\(String(decoding: name, as: UTF8.self))' \(problem)"
            }
        }
        if let problem = entry.facts.permissionProblem(effectiveUser: effectiveUser) {
            return "file '\(path)/\(entry.path)' \(problem)"
        }
        // What a symbolic link leads to may lie deeper than what was listed.
        guard entry.isSymbolicLink else { return nil }
        let whole = Array(path.utf8) + [UInt8(ascii: "/")] + entry.pathBytes
        return SafePath.problem(above: whole, effectiveUser: effectiveUser)?.what
    }

    /// Opens what `name` (bytes, relative) is beneath `directory`: `following` symbolic links that stay beneath it, or refusing all.
    static func open(_ name: [UInt8], in directory: Descriptor, _ flags: Int32, following: Bool, path: String)
        throws(SystemFailure) -> Descriptor
    {
        if following {
            let number = retrying { unsafe withPath(name) { unsafe openat2_beneath(directory.number, $0, flags) } }
            if number < 0 { throw .last("open", path: path) }
            return Descriptor(owning: number)
        }
        var current = directory
        let components = name.split(separator: UInt8(ascii: "/"))
        for (index, component) in components.enumerated() {
            let last = index == components.count - 1
            let mode = (last ? flags : O_RDONLY | O_DIRECTORY) | O_NOFOLLOW | O_CLOEXEC
            let number = retrying { unsafe withPath(Array(component)) { unsafe openat(current.number, $0, mode) } }
            if number < 0 { throw .last("open", path: path) }
            current = Descriptor(owning: number)
        }
        return current
    }
}

/// Collects the entries of a directory and of its directories.
private struct Lister {
    let root: Descriptor
    let rootFacts: FileFacts
    let path: String
    var entries: [DirectoryEntry] = []
    /// Whether the root has folders that are read with all that is below them.
    private var isDeep = false
    /// The directories on the way to the one that is listed, without the root.
    private var way: [FileFacts] = []

    init(root: Descriptor, rootFacts: FileFacts, path: String) {
        self.root = root
        self.rootFacts = rootFacts
        self.path = path
    }

    mutating func list(_ directory: Descriptor, below parent: [UInt8], throughLink: Bool) throws(SystemFailure) {
        let shown = parent.isEmpty ? path : "\(path)/\(String(decoding: parent, as: UTF8.self))"
        let names = try DirectoryNames.list(directory, path: shown)
        if parent.isEmpty { isDeep = names.contains(DeepFolders.mark) }
        for name in names.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
            let relative = parent.isEmpty ? name : parent + [UInt8(ascii: "/")] + name
            guard let entry = try entry(name, relative, in: directory, throughLink: throughLink) else { continue }
            entries.append(entry)
            guard entry.kind == .directory, parent.isEmpty || isDeep && DeepFolders.holds(relative) else { continue }
            try descend(into: entries.count - 1)
        }
    }

    /// What there is by that name; nil where it has vanished. Throws where that cannot be told: a file that is taken for missing would be
    /// told as removed.
    private func entry(_ name: [UInt8], _ relative: [UInt8], in directory: Descriptor, throughLink: Bool)
        throws(SystemFailure) -> DirectoryEntry?
    {
        let shown = "\(path)/\(String(decoding: relative, as: UTF8.self))"
        let facts: FileFacts
        do throws(SystemFailure) {
            facts = try FileFacts(of: name, in: directory, path: shown)
        } catch {
            if error.isMissing { return nil }
            throw error
        }
        guard facts.kind == .symbolicLink else {
            return DirectoryEntry(relative, Lister.kind(facts), facts, isSymbolicLink: throughLink)
        }
        do throws(SystemFailure) {
            let target = try DirectoryScan.open(relative, in: root, O_PATH, following: true, path: shown)
            let targetFacts = try FileFacts(of: target, path: shown)
            if (targetFacts.device, targetFacts.inode) == (rootFacts.device, rootFacts.inode) {
                let kind = DirectoryEntry.Kind.other(reason: "it is a symbolic link to the directory that it is in")
                return DirectoryEntry(relative, kind, facts, isSymbolicLink: true)
            }
            return DirectoryEntry(relative, Lister.kind(targetFacts), targetFacts, isSymbolicLink: true)
        } catch {
            guard error.isAboutItsObject else { throw error }
            return DirectoryEntry(relative, .other(reason: Lister.unfollowed(error)), facts, isSymbolicLink: true)
        }
    }

    /// Lists the directory at `index` of the entries; the entry of one that cannot be read says so.
    private mutating func descend(into index: Int) throws(SystemFailure) {
        let entry = entries[index]
        let shown = "\(path)/\(entry.path)"
        // Each round would list everything once more.
        if way.contains(where: { ($0.device, $0.inode) == (entry.facts.device, entry.facts.inode) }) {
            entries[index].closedBecause = "it is a symbolic link to a directory that it is in"
            return
        }
        way.append(entry.facts)
        defer { way.removeLast() }
        do throws(SystemFailure) {
            let directory = try DirectoryScan.open(
                entry.pathBytes, in: root, O_RDONLY | O_DIRECTORY, following: entry.isSymbolicLink, path: shown)
            try list(directory, below: entry.pathBytes, throughLink: entry.isSymbolicLink)
        } catch {
            guard error.isAboutItsObject else { throw error }
            if error.errno != ENOENT { entries[index].closedBecause = "it cannot be read: \(error.reason)" }
        }
    }

    private static func kind(_ facts: FileFacts) -> DirectoryEntry.Kind {
        switch facts.kind {
        case .regular: .file
        case .directory: .directory
        case .symbolicLink: .other(reason: "it is a symbolic link")
        case .special(let words): .other(reason: "it is \(words)")
        }
    }

    private static func unfollowed(_ failure: SystemFailure) -> String {
        switch failure.errno {
        case EXDEV: "it is a symbolic link that leads out of the directory"
        case ELOOP: "it is a loop of symbolic links"
        case ENOENT: "it is a symbolic link to nothing"
        default: "it is a symbolic link that cannot be followed: \(failure.reason)"
        }
    }
}
