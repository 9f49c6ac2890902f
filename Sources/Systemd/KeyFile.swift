internal import Glibc

/// A file of a key: it is made anew and never in another's place.
public enum KeyFile {
    /// Makes the file with that text and mode, and puts it on disk. Throws EEXIST where something of that name is there.
    public static func write(_ text: String, to path: String, mode: UInt32) throws(SystemFailure) {
        let file = try Descriptor(opening: path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: mode)
        do throws(SystemFailure) {
            try Process.write(Array(text.utf8), to: file.number)
            if retrying({ fsync(file.number) }) != 0 { throw .last("sync", path: path) }
        } catch {
            // Half a key is worse than none.
            _ = unsafe unlink(path)
            throw error
        }
    }

    /// Takes a file away again that `write` has made.
    public static func remove(_ path: String) throws(SystemFailure) {
        if unsafe unlink(path) != 0 { throw .last("remove", path: path) }
    }
}
