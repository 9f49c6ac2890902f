internal import Glibc

/// An open file descriptor that is closed with its last reference.
final class Descriptor: Sendable {
    let number: Int32

    /// Takes over an open descriptor.
    init(owning number: Int32) { self.number = number }

    deinit { close(number) }

    /// Opens `path` with `flags`, never inherited by a child.
    convenience init(opening path: String, _ flags: Int32, mode: mode_t = 0) throws(SystemFailure) {
        try self.init(opening: Array(path.utf8), flags, mode: mode)
    }

    /// The same for a path of any bytes.
    init(opening path: [UInt8], _ flags: Int32, mode: mode_t = 0) throws(SystemFailure) {
        number = path.contains(0) ? -1 : retrying { unsafe withPath(path) { unsafe open($0, flags | O_CLOEXEC, mode) } }
        if number < 0 {
            throw SystemFailure(
                "open", path: String(decoding: path, as: UTF8.self), errno: path.contains(0) ? EINVAL : errno)
        }
    }
}
