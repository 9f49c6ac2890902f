import Glibc

/// A fresh directory directly under `/tmp`, removed with everything in it when the value goes, and by the guardian when
/// the test process dies first.
///
/// The path is short, because a socket's path must stay under 108 bytes (unix(7)), and starts with `/tmp/mt-`, the only
/// prefix that the guardian agrees to remove.
public final class TemporaryDirectory: Sendable {
    /// The absolute path, without a slash at the end.
    public let path: String

    /// Makes the directory with exactly this mode, whatever the umask.
    public init(mode: mode_t = 0o700) throws {
        var template = Array("/tmp/mt-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else { throw LiveFailure("mkdtemp: \(lastError())") }
        path = String(cString: made)
        Guardian.shared.willRemove(path)
        guard chmod(path, mode) == 0 else { throw LiveFailure("chmod '\(path)': \(lastError())") }
    }

    deinit {
        removeTree(path)
        Guardian.shared.hasRemoved(path)
    }

    /// The path of `name` in this directory.
    public func path(_ name: String) -> String { path + "/" + name }

    /// Writes a file in place, making the directories above it, and returns its path.
    @discardableResult
    public func write(_ name: String, _ text: String, mode: mode_t = 0o644) throws -> String {
        try write(name, bytes: Array(text.utf8), mode: mode)
    }

    /// Writes a file of any bytes in place, making the directories above it, and returns its path.
    @discardableResult
    public func write(_ name: String, bytes: [UInt8], mode: mode_t = 0o644) throws -> String {
        let target = path(name)
        var upTo = path
        for part in name.split(separator: "/").dropLast() {
            upTo += "/" + part
            guard mkdir(upTo, 0o755) == 0 || errno == EEXIST else {
                throw LiveFailure("mkdir '\(upTo)': \(lastError())")
            }
        }
        let descriptor = open(target, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw LiveFailure("open '\(target)': \(lastError())") }
        defer { close(descriptor) }
        try writeAll(bytes, to: descriptor)
        guard fchmod(descriptor, mode) == 0 else { throw LiveFailure("chmod '\(target)': \(lastError())") }
        return target
    }

    /// Writes a file beside its place and renames it in, as a careful deployment does.
    public func renameIn(_ name: String, _ text: String, mode: mode_t = 0o644) throws {
        let hidden = try write(".incoming", text, mode: mode)
        guard rename(hidden, path(name)) == 0 else { throw LiveFailure("rename to '\(name)': \(lastError())") }
    }

    /// The text of a file in this directory.
    public func read(_ name: String) throws -> String { try readText(path(name)) }

    /// Removes one file.
    public func remove(_ name: String) throws {
        guard unlink(path(name)) == 0 else { throw LiveFailure("unlink '\(name)': \(lastError())") }
    }
}

/// The whole text of a file, bytes that are no UTF-8 replaced.
func readText(_ path: String) throws -> String {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw LiveFailure("open '\(path)': \(lastError())") }
    defer { close(descriptor) }
    return String(decoding: bytes(of: descriptor), as: UTF8.self)
}

/// Everything in a file from its beginning, without moving the descriptor's own place.
func bytes(of descriptor: Int32) -> [UInt8] {
    var all: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65536)
    while true {
        let count = pread(descriptor, &buffer, buffer.count, off_t(all.count))
        if count < 0 && errno == EINTR { continue }
        if count <= 0 { return all }
        all += buffer[..<count]
    }
}

func writeAll(_ bytes: [UInt8], to descriptor: Int32) throws {
    var rest = bytes[...]
    while !rest.isEmpty {
        let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
        if count < 0 && errno == EINTR { continue }
        guard count > 0 else { throw LiveFailure("write: \(lastError())") }
        rest = rest.dropFirst(count)
    }
}

/// What errno says now.
func lastError() -> String { String(cString: strerror(errno)) }

/// Removes a directory and what is in it; links are removed, never followed.
private func removeTree(_ path: String) {
    _ = try? Program.run("/bin/rm", ["-rf", "--", path])
}
