import Glibc

/// A file system of a few mebibytes in memory, mounted for one test and unmounted when the value goes.
///
/// `isPossible` says whether this process may mount; a suite that needs it is left out visibly where it may not.
public final class SmallDisk: Sendable {
    /// Where it is mounted.
    public let path: String
    private let folder: TemporaryDirectory
    private let size: Int

    /// Whether a file system can be mounted here, found by doing it.
    public static let isPossible = (try? SmallDisk(mebibytes: 1)) != nil

    /// Mounts one of that size; it belongs to that user.
    public init(mebibytes: Int, owner: String? = nil) throws {
        folder = try TemporaryDirectory(mode: 0o755)
        path = folder.path("disk")
        guard mkdir(path, 0o755) == 0 else { throw LiveFailure("mkdir '\(path)': \(lastError())") }
        size = mebibytes
        try mount()
        if let owner { try Self.run("/usr/bin/chown", [owner, path]) }
    }

    deinit {
        if access(folder.path("overlay"), F_OK) == 0 {
            _ = try? Program.run("/usr/bin/umount", ["-l", folder.path("overlay")])
        }
        _ = try? Program.run("/usr/bin/umount", ["-l", path])
    }

    /// Writes until nothing more goes in.
    public func fill() throws {
        let outcome = try Program.run("/usr/bin/dd", ["if=/dev/zero", "of=\(path)/filler", "bs=4096"])
        guard outcome.errors.contains("No space left on device") else {
            throw LiveFailure("the disk is not full: \(outcome)")
        }
    }

    /// Takes the filling out again.
    public func free() throws { try Self.run("/bin/rm", ["\(path)/filler"]) }

    /// Shows its folder `lower` in another place, which is returned, through an overlay: what is written into that folder comes to be seen
    /// there, and no event tells of it, as on a network file system that another host writes to.
    public func overlay() throws -> String {
        for name in ["lower", "upper", "work"] {
            guard mkdir(path + "/" + name, 0o755) == 0 else { throw LiveFailure("mkdir '\(name)': \(lastError())") }
        }
        let place = folder.path("overlay")
        guard mkdir(place, 0o755) == 0 else { throw LiveFailure("mkdir '\(place)': \(lastError())") }
        let layers = "lowerdir=\(path)/lower,upperdir=\(path)/upper,workdir=\(path)/work"
        try Self.run("/usr/bin/mount", ["-t", "overlay", "-o", layers, "overlay", place])
        return place
    }

    /// Writes a file on it.
    public func write(_ name: String, _ text: String) throws { try folder.write("disk/" + name, text) }

    /// Mounts it, empty: for one that was taken away.
    public func mount() throws {
        try Self.run("/usr/bin/mount", ["-t", "tmpfs", "-o", "size=\(size)m,mode=0755", "tmpfs", path])
    }

    /// Takes it away, as if it were unplugged; what is seen in its place is the empty folder below.
    public func unmount() throws { try Self.run("/usr/bin/umount", ["-l", path]) }

    /// Forbids writing, or allows it again.
    public func remount(readOnly: Bool) throws {
        try Self.run("/usr/bin/mount", ["-o", "remount,\(readOnly ? "ro" : "rw")", path])
    }

    private static func run(_ program: String, _ arguments: [String]) throws {
        let outcome = try Program.run(program, arguments)
        guard outcome.status == 0 else { throw LiveFailure("\(program): \(outcome)") }
    }
}
