internal import Glibc

/// A file in a state directory that only grows, kept open; its lines are made durable while other work goes on.
///
/// What was appended is on disk once `settle` has returned, or the next `append`; whoever needs it earlier settles earlier. Several
/// processes may append to one file: their lines do not mix, and a file that another process has replaced is opened anew.
public final class GrowingFile {
    private let directory: StateDirectory
    private let name: String
    private var file: Descriptor?
    private var thread: SyncThread?
    /// The file that the thread is at, which stays open until it is done.
    private var syncing: Descriptor?

    /// The file `name` in `directory`; neither need exist yet.
    public init(_ directory: StateDirectory, _ name: String) {
        StateDirectory.check(name)
        self.directory = directory
        self.name = name
    }

    deinit {
        // The thread must not be left with a number that another file gets.
        if syncing != nil { _ = thread?.wait() }
    }

    private var path: String { "\(directory.path)/\(name)" }

    /// Bytes of the file when something was last appended.
    public private(set) var size: Int64 = 0

    /// Adds lines, and begins to make them durable. Waits for what was appended before. Where this throws, they may or may not be found
    /// later, and what is appended next is a line of its own.
    public func append(_ lines: [String]) throws(SystemFailure) {
        try settle()
        let file = try locked()
        defer { _ = flock(file.number, LOCK_UN) }
        try write(lines, to: file)
        if thread == nil { thread = SyncThread() }
        if thread?.begin(file) == true {
            syncing = file
        } else if retrying({ fdatasync(file.number) }) != 0 {
            throw .last("sync", path: path)
        }
    }

    /// Adds lines that outlive this process, and the machine only once something is appended behind them.
    public func note(_ lines: [String]) throws(SystemFailure) {
        let file = try locked()
        defer { _ = flock(file.number, LOCK_UN) }
        try write(lines, to: file)
    }

    private func write(_ lines: [String], to file: Descriptor) throws(SystemFailure) {
        let facts = try FileFacts(of: file, path: path)
        var last: UInt8 = UInt8(ascii: "\n")
        if facts.size > 0, retrying({ unsafe pread(file.number, &last, 1, off_t(facts.size - 1)) }) != 1 {
            throw .last("read", path: path)
        }
        // A line that a crash left unfinished is closed, never joined with ours.
        let start = last == UInt8(ascii: "\n") ? "" : "\n"
        let bytes = Array((start + lines.map { $0 + "\n" }.joined()).utf8)
        do throws(SystemFailure) { try Process.write(bytes, to: file.number) } catch {
            throw SystemFailure("append to", path: path, errno: error.errno)
        }
        size = facts.size + Int64(bytes.count)
        // A name that is not on disk would take its file with it.
        if facts.size == 0 { try directory.sync() }
    }

    /// Returns once everything that was appended is on disk.
    public func settle() throws(SystemFailure) {
        guard syncing != nil, let thread else { return }
        defer { syncing = nil }
        let failed = thread.wait()
        if failed != 0 { throw SystemFailure("sync", path: path, errno: failed) }
    }

    /// Puts what `change` makes of the finished lines in the file's place: both the old file and the new one are whole at every moment. The
    /// old one is kept under `backup`, where that is given.
    public func replace(keepingOldAs backup: String? = nil, _ change: ([String]) -> [String]) throws(SystemFailure) {
        try settle()
        let old = try locked()
        defer { _ = flock(old.number, LOCK_UN) }
        let fresh = "\(path).new"
        _ = unsafe unlink(fresh)
        let lines = change(try directory.lines(of: name))
        let file = try Descriptor(opening: fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o640)
        try Process.write(Array(lines.map { $0 + "\n" }.joined().utf8), to: file.number)
        if retrying({ fsync(file.number) }) != 0 { throw .last("sync", path: fresh) }
        if let backup {
            StateDirectory.check(backup)
            if unsafe link(path, "\(directory.path)/\(backup)") != 0, errno != EEXIST {
                throw .last("keep", path: path)
            }
        }
        if unsafe rename(fresh, path) != 0 { throw .last("replace", path: path) }
        try directory.sync()
        self.file = nil
    }

    /// The file that has the name now, under an exclusive lock.
    private func locked() throws(SystemFailure) -> Descriptor {
        while true {
            if file == nil { try directory.create() }
            let flags = O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK
            let file: Descriptor
            if let open = self.file { file = open } else { file = try Descriptor(opening: path, flags, mode: 0o640) }
            if retrying({ flock(file.number, LOCK_EX) }) != 0 { throw .last("lock", path: path) }
            let facts = try FileFacts(of: file, path: path)
            guard facts.kind == .regular else { throw SystemFailure("append to", path: path, errno: EINVAL) }
            if let named = FileFacts(at: Array(path.utf8), followed: false), named.inode == facts.inode,
                named.device == facts.device
            {
                self.file = file
                return file
            }
            // Replaced or removed since it was opened.
            self.file = nil
        }
    }
}
