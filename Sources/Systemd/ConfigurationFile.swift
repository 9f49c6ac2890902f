internal import Glibc
public import Reporting

/// A file named on the command line or by convention, read as a whole.
public enum ConfigurationFile {
    /// Whether there is something at `path`.
    public static func exists(_ path: String) -> Bool { (try? Descriptor(opening: path, O_RDONLY | O_NONBLOCK)) != nil }

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
