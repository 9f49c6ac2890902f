internal import Glibc
public import Reporting

/// The directory in which facts are kept that must outlive the process and the database: lines in files that only grow.
public struct StateDirectory: Sendable {
    /// Where it is.
    public let path: String

    /// The directory at `path`, which need not exist yet.
    public init(path: String) { self.path = path }

    /// The directory that the command line names (`option`); else the first of STATE_DIRECTORY, which systemd sets for `StateDirectory=`
    /// (systemd.exec(5)); else `$XDG_STATE_HOME/migrated`; else `~/.local/state/migrated`.
    public static func locate(option: String?, environment: (String) -> String? = Process.environment) throws(Complaint)
        -> StateDirectory
    {
        if let option {
            guard !option.isEmpty else { throw Complaint(.usage, "the state directory's name is empty") }
            return StateDirectory(path: option)
        }
        if let first = environment("STATE_DIRECTORY")?.split(separator: ":").first {
            return StateDirectory(path: String(first))
        }
        // The XDG base directory specification has relative paths ignored.
        if let base = environment("XDG_STATE_HOME"), base.hasPrefix("/") {
            return StateDirectory(path: base + "/migrated")
        }
        if let home = environment("HOME"), home.hasPrefix("/") {
            return StateDirectory(path: home + "/.local/state/migrated")
        }
        throw Complaint(
            .configuration, "there is no state directory: neither STATE_DIRECTORY nor XDG_STATE_HOME nor HOME is set",
            hint: "Name one with --state-directory.")
    }

    /// A directory within this one, for the facts of one database.
    public func subdirectory(_ name: String) -> StateDirectory {
        StateDirectory.check(name)
        return StateDirectory(path: "\(path)/\(name)")
    }

    /// The names of the directories within this one; none where it is not there.
    public func subdirectories() throws(SystemFailure) -> [String] {
        let names: [[UInt8]]
        do throws(SystemFailure) {
            names = try DirectoryNames.list(try Descriptor(opening: path, O_RDONLY | O_DIRECTORY), path: path)
        } catch {
            if error.errno == ENOENT { return [] }
            throw error
        }
        return names.compactMap { String(validating: $0, as: UTF8.self) }.filter { name in
            !name.hasPrefix(".")
                && FileFacts(at: Array("\(path)/\(name)".utf8), followed: false)?.kind == .directory
        }.sorted()
    }

    /// Adds `line` to the file `name`. When this returns, the line is on disk, and so is the file's name (fsync(2) of both).
    ///
    /// The directory and the file are created where they are missing, for their owner and, as far as the umask allows, its group to read. Two processes that append at once do not mix
    /// their lines. A line that an earlier crash left unfinished is closed first, never joined with the new one. Where this throws, the
    /// line may or may not be found later.
    public func append(_ line: String, to name: String) throws(SystemFailure) {
        StateDirectory.check(name)
        precondition(!line.utf8.contains(UInt8(ascii: "\n")), "a line that holds a line feed would be two lines")
        try create()
        let path = "\(path)/\(name)"
        let file = try Descriptor(opening: path, O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK, mode: 0o640)
        if retrying({ flock(file.number, LOCK_EX) }) != 0 { throw .last("lock", path: path) }
        let facts = try FileFacts(of: file, path: path)
        guard facts.kind == .regular else { throw SystemFailure("append to", path: path, errno: EINVAL) }

        var last: UInt8 = UInt8(ascii: "\n")
        if facts.size > 0, retrying({ unsafe pread(file.number, &last, 1, off_t(facts.size - 1)) }) != 1 {
            throw .last("read", path: path)
        }
        let start = last == UInt8(ascii: "\n") ? "" : "\n"
        do throws(SystemFailure) {
            try Process.write(Array("\(start)\(line)\n".utf8), to: file.number)
            if retrying({ fsync(file.number) }) != 0 { throw .last("sync", path: path) }
        } catch {
            throw SystemFailure("append to", path: path, errno: error.errno)
        }
        // Also when the file is not new: the crash that came between its creation and this call is not to be told from here.
        if facts.size == 0 { try sync() }
    }

    /// The finished lines of the file `name`; none where there is no such file. A last line without its line feed was never promised to
    /// anybody and is left out.
    public func lines(of name: String, limit: Int = 256 << 20) throws(SystemFailure) -> [String] {
        try lines(of: name) { (path) throws(SystemFailure) in try WholeFile.read(path, limit: limit)[...] }
    }

    /// The finished lines that are whole among the last `count` bytes of the file `name`.
    public func lastLines(of name: String, count: Int) throws(SystemFailure) -> [String] {
        try lines(of: name) { (path) throws(SystemFailure) in try WholeFile.readEnd(path, count: count) }
    }

    private func lines(
        of name: String, _ read: (String) throws(SystemFailure) -> ArraySlice<UInt8>
    ) throws(SystemFailure) -> [String] {
        StateDirectory.check(name)
        let bytes: ArraySlice<UInt8>
        do throws(SystemFailure) { bytes = try read("\(path)/\(name)") } catch {
            if error.errno == ENOENT { return [] }
            throw error
        }
        let parts = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        return parts.dropLast().map { String(decoding: $0, as: UTF8.self) }
    }

    /// Makes the directory and what is missing above it, each for its owner, and its group to read.
    func create() throws(SystemFailure) {
        var missing: [String] = []
        var current = path
        while unsafe access(current, F_OK) != 0 {
            if errno != ENOENT { throw .last("reach", path: current) }
            missing.append(current)
            guard let slash = current.lastIndex(of: "/"), slash != current.startIndex else { break }
            current = String(current[..<slash])
        }
        for directory in missing.reversed() {
            if unsafe mkdir(directory, 0o750) != 0, errno != EEXIST { throw .last("create directory", path: directory) }
            try StateDirectory(path: StateDirectory.parent(directory)).sync()
        }
    }

    private static func parent(_ path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// Puts the names in the directory on disk.
    func sync() throws(SystemFailure) {
        let directory = try Descriptor(opening: path, O_RDONLY | O_DIRECTORY)
        if retrying({ fsync(directory.number) }) != 0 { throw .last("sync", path: path) }
    }

    static func check(_ name: String) {
        precondition(
            !name.isEmpty && !name.hasPrefix(".") && !name.contains("/"), "names in the state directory are ours")
    }
}
