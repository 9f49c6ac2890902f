import Glibc
import Testing

@testable import Systemd

/// A directory of its own for one test, gone with the last reference; and what one does in a directory.
final class TemporaryDirectory {
    let path: String

    init() throws {
        var template = Array("/tmp/migrated-test-XXXXXX".utf8CString)
        let made = unsafe mkdtemp(&template)
        try #require(made != nil)
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { TemporaryDirectory.remove(path) }

    func at(_ name: String) -> String { "\(path)/\(name)" }

    func write(_ name: String, _ text: String = "SELECT 1;\n") throws {
        let file = try Descriptor(opening: at(name), O_WRONLY | O_CREAT | O_TRUNC, mode: 0o644)
        try Process.write(Array(text.utf8), to: file.number)
    }

    func make(_ name: String) { #expect(mkdir(at(name), 0o755) == 0) }
    func link(_ name: String, to target: String) { #expect(symlink(target, at(name)) == 0) }
    func move(_ name: String, to new: String) { #expect(rename(at(name), at(new)) == 0) }
    func remove(_ name: String) { TemporaryDirectory.remove(at(name)) }

    /// Puts a new symbolic link in the place of an old one, as `ln -sfn` and `mv -T` do.
    func swap(_ name: String, to target: String) {
        link("swap-in", to: target)
        move("swap-in", to: name)
    }

    private static func remove(_ path: String) { remove(Array(path.utf8)) }

    private static func remove(_ path: [UInt8]) {
        if let directory = try? Descriptor(opening: path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW),
            let names = try? DirectoryNames.list(directory, path: "")
        {
            for name in names { remove(path + [UInt8(ascii: "/")] + name) }
        }
        _ = withPath(path) { Glibc.remove($0) }
    }
}

/// A datagram socket that somebody listens on.
final class Listener {
    let descriptor: Int32

    init(_ path: String) throws {
        descriptor = Glibc.socket(
            AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(bound == 0)
    }

    deinit { close(descriptor) }

    /// The next datagram that waits.
    func take() -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: 4 << 20)
        let count = recv(descriptor, &bytes, bytes.count, 0)
        return count < 0 ? nil : Array(bytes[..<count])
    }

    /// All that wait.
    func takeAll() -> [[UInt8]] {
        var all: [[UInt8]] = []
        while let next = take() { all.append(next) }
        return all
    }

    func text() -> String? { take().map { String(decoding: $0, as: UTF8.self) } }
}

/// Turns a loop until `done`, at most for a generous time that no test measures.
func turn(_ loop: PollLoop, until done: () -> Bool) throws {
    let end = Instant.now() + .seconds(20)
    while !done(), Instant.now() < end { try loop.turn(until: .now() + .milliseconds(50)) }
}
