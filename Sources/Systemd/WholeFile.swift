internal import Glibc

/// Reads all of a descriptor or a file.
enum WholeFile {
    /// The bytes of the file at `path`; the error EFBIG where it holds more than `limit`. A pipe that somebody has put there is not waited for.
    static func read(_ path: String, limit: Int) throws(SystemFailure) -> [UInt8] {
        let file = try Descriptor(opening: path, O_RDONLY | O_NOCTTY | O_NONBLOCK)
        // The files below /proc/sys give their value to the first read alone.
        return try read(file, limit: limit, expected: min(limit, 4095), path: path)
    }

    /// The whole lines among the last `count` bytes of the file at `path`; all of it where it is no longer than that.
    static func readEnd(_ path: String, count: Int) throws(SystemFailure) -> ArraySlice<UInt8> {
        let file = try Descriptor(opening: path, O_RDONLY | O_NOCTTY | O_NONBLOCK)
        let start = lseek(file.number, off_t(-count), SEEK_END)
        // Where it is shorter the descriptor still stands at its beginning.
        if start < 0, errno != EINVAL { throw .last("read", path: path) }
        let bytes = try read(file, limit: .max - 1, expected: count, path: path)
        guard start > 0 else { return bytes[...] }
        return (bytes.firstIndex(of: UInt8(ascii: "\n")).map { bytes[($0 + 1)...] }) ?? []
    }

    /// What is left to read of `file`, in as few calls as the `expected` size allows.
    ///
    /// Of a regular file, less than was asked for is the end.
    static func read(
        _ file: Descriptor, limit: Int, expected: Int, path: String, isRegular: Bool = false
    ) throws(SystemFailure) -> [UInt8] {
        var bytes: [UInt8] = []
        // One byte more than expected, so that the end is seen by the same call.
        var step = min(max(expected, 0), limit) + 1
        while true {
            let start = bytes.count
            bytes.append(contentsOf: repeatElement(0, count: step))
            let count = retrying {
                unsafe bytes.withUnsafeMutableBytes {
                    let room = unsafe UnsafeMutableRawBufferPointer(rebasing: $0[start...])
                    return unsafe Glibc.read(file.number, room.baseAddress, room.count)
                }
            }
            if count < 0 { throw .last("read", path: path) }
            bytes.removeLast(step - count)
            if count == 0 || (isRegular && count < step && bytes.count <= limit) { return bytes }
            if bytes.count > limit { throw SystemFailure("read", path: path, errno: EFBIG) }
            step = min(max(4096, bytes.count), 1 << 20)
        }
    }
}
