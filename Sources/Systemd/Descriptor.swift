internal import Glibc

/// An open file descriptor that is closed with its last reference.
final class Descriptor {
    let number: Int32

    /// Takes over an open descriptor.
    init(owning number: Int32) { self.number = number }

    deinit { close(number) }

    /// Opens `path` with `flags`, never inherited by a child.
    init(opening path: String, _ flags: Int32, mode: mode_t = 0) throws(SystemFailure) {
        number = retrying { unsafe open(path, flags | O_CLOEXEC, mode) }
        if number < 0 { throw .last("open", path: path) }
    }
}
