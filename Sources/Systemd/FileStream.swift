internal import Glibc

/// A file that is read from its beginning to its end, a piece at a time.
public final class FileStream {
    private let file: Descriptor
    private let path: String

    /// Opens the file at `path` for reading; `-` is standard input.
    public init(_ path: String) throws(SystemFailure) {
        self.path = path
        file = try Descriptor(opening: path == "-" ? "/dev/stdin" : path, O_RDONLY | O_NOCTTY)
    }

    /// The next bytes, at most `size`; empty at the end.
    public func next(_ size: Int = 256 << 10) throws(SystemFailure) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: size)
        let count = retrying {
            unsafe bytes.withUnsafeMutableBytes { unsafe read(file.number, $0.baseAddress, $0.count) }
        }
        if count < 0 { throw .last("read", path: path) }
        bytes.removeLast(size - count)
        return bytes
    }
}
