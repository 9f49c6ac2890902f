internal import Glibc

/// The names that a directory holds; see readdir(3).
enum DirectoryNames {
    /// The names in `directory`, as bytes, without `.` and `..`, in no order. `path` is for the error.
    static func list(_ directory: Descriptor, path: String) throws(SystemFailure) -> [[UInt8]] {
        // A descriptor of its own: closedir closes it, and the offset of `directory` is left alone.
        let own = retrying { unsafe openat(directory.number, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        if own < 0 { throw .last("read directory", path: path) }
        guard let stream = unsafe fdopendir(own) else {
            let failure = SystemFailure.last("read directory", path: path)
            close(own)
            throw failure
        }
        defer { unsafe closedir(stream) }
        var names: [[UInt8]] = []
        while true {
            errno = 0
            guard let entry = unsafe readdir(stream) else {
                if errno != 0 { throw .last("read directory", path: path) }
                return names
            }
            let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { unsafe Array($0.prefix { $0 != 0 }) }
            if name != [UInt8(ascii: ".")], name != Array("..".utf8) { names.append(name) }
        }
    }
}
