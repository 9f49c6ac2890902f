internal import Glibc

/// A file that appears under its name only once it is whole: until then whoever reads that name finds what was there before.
///
/// Written beside it under another name, synced, renamed, and the directory synced (rename(2), fsync(2)). What is no regular file, such
/// as a pipe or `/dev/stdout`, cannot be put in place of; it is written as it comes.
public final class NewFile {
    private let path: String
    private let temporary: String?
    private let file: Descriptor
    private var isDone = false

    /// Begins the file that shall stand at `path`, with exactly that mode, or readable as the umask says.
    public init(_ path: String, mode: UInt32? = nil) throws(SystemFailure) {
        self.path = path
        if let facts = FileFacts(at: Array(path.utf8), followed: true), facts.kind != .regular {
            temporary = nil
            file = try Descriptor(opening: path, O_WRONLY | O_NOCTTY)
            return
        }
        let name = "\(path).\(getpid()).part"
        file = try Descriptor(opening: name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o666)
        temporary = name
        if let mode, fchmod(file.number, mode) != 0 { throw .last("set the mode of", path: name) }
    }

    /// Puts a file with these bytes in place.
    public static func put(_ path: String, _ bytes: [UInt8], mode: UInt32) throws(SystemFailure) {
        let file = try NewFile(path, mode: mode)
        try file.write(bytes)
        try file.finish()
    }

    deinit {
        if let temporary, !isDone { unsafe unlink(temporary) }
    }

    /// Adds bytes.
    public func write(_ bytes: [UInt8]) throws(SystemFailure) {
        do throws(SystemFailure) { try Process.write(bytes, to: file.number) } catch {
            throw SystemFailure("write", path: path, errno: error.errno)
        }
    }

    /// Puts the file in place. When this returns, it is on disk under its name.
    public func finish() throws(SystemFailure) {
        guard let temporary else { return }
        if retrying({ fsync(file.number) }) != 0 { throw .last("sync", path: path) }
        if unsafe rename(temporary, path) != 0 { throw .last("put in place", path: path) }
        isDone = true
        let slash = path.lastIndex(of: "/")
        let parent = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let directory = try Descriptor(opening: parent, O_RDONLY | O_DIRECTORY)
        if retrying({ fsync(directory.number) }) != 0 { throw .last("sync", path: parent) }
    }
}
