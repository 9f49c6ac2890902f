internal import Glibc
public import Reporting

/// A file named on the command line or by convention, read as a whole.
public enum ConfigurationFile {
    /// Whether there is something at `path` that may be read.
    public static func exists(_ path: String) -> Bool { unsafe faccessat(AT_FDCWD, path, R_OK, AT_EACCESS) == 0 }

    /// What stat(2) says of the file that `path` leads to; throws `.configuration` where there is none.
    public static func facts(_ path: String) throws(Complaint) -> FileFacts {
        guard let facts = FileFacts(at: Array(path.utf8), followed: true) else {
            throw Complaint(.configuration, "'\(path)' does not exist or cannot be reached")
        }
        return facts
    }

    /// The bytes of a file that is nobody else's to read, 64 KiB at most. Throws `.permission` where others than its owner may read or write
    /// it, and `.configuration` where it cannot be read. A systemd credential satisfies that (systemd.exec(5)).
    public static func readSecret(_ path: String) throws(Complaint) -> [UInt8] {
        let facts: FileFacts
        let bytes: [UInt8]
        do throws(SystemFailure) {
            let file = try Descriptor(opening: path, O_RDONLY | O_NONBLOCK)
            facts = try FileFacts(of: file, path: path)
            bytes = try WholeFile.read(file, limit: 65536, expected: 4096, path: path)
        } catch {
            var complaint = error.complaint
            complaint.status = .configuration
            throw complaint
        }
        guard facts.mode & 0o037 == 0 else {
            throw Complaint(
                .permission, "'\(path)' can be read or written by others (mode 0\(String(facts.mode, radix: 8)))",
                hint: "Make it its owner's alone: chmod 0600.")
        }
        try SafePath.require(path, facts)
        return bytes
    }

    /// The bytes of a file that decides what the program does, 1 MiB at most, and its mode. Throws `.permission` where others than root and
    /// this process's own user could write it or put another in its place, and `.configuration` as `read` does.
    public static func readTrusted(_ path: String) throws(Complaint) -> (bytes: [UInt8], mode: UInt32) {
        let bytes: [UInt8]
        let facts: FileFacts
        do throws(SystemFailure) {
            let file = try Descriptor(opening: path, O_RDONLY | O_NONBLOCK)
            facts = try FileFacts(of: file, path: path)
            bytes = try WholeFile.read(file, limit: 1 << 20, expected: 4096, path: path)
        } catch {
            var complaint = error.complaint
            complaint.status = .configuration
            throw complaint
        }
        try SafePath.require(path, facts)
        return (bytes, facts.mode)
    }

    /// Its bytes, 1 MiB at most. Throws `.configuration`, because what cannot be read will not be mended by a restart.
    public static func read(_ path: String) throws(Complaint) -> [UInt8] {
        do throws(SystemFailure) {
            let file = try Descriptor(opening: path, O_RDONLY | O_NONBLOCK)
            return try WholeFile.read(file, limit: 1 << 20, expected: 4096, path: path)
        } catch {
            var complaint = error.complaint
            complaint.status = .configuration
            throw complaint
        }
    }
}
