internal import CLinux
internal import Glibc

/// A file without a name that lives in memory as long as somebody has it open; see memfd_create(2).
struct MemoryFile {
    private let file: Descriptor
    var number: Int32 { file.number }

    /// A file that holds `bytes`, to be read from its begin.
    init(holding bytes: [UInt8] = []) throws(SystemFailure) {
        let number = open_memory()
        if number < 0 { throw .last("make a file in memory") }
        file = Descriptor(owning: number)
        try Process.write(bytes, to: number)
        try rewind()
    }

    /// All of it, at most 1 MiB.
    func contents() throws(SystemFailure) -> [UInt8] {
        try rewind()
        return try WholeFile.read(file, limit: 1 << 20, expected: 4096, path: "a file in memory")
    }

    private func rewind() throws(SystemFailure) {
        if lseek(file.number, 0, Int32(SEEK_SET)) < 0 { throw .last("rewind a file in memory") }
    }
}
