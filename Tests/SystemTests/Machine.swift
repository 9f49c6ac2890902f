import Glibc
import LiveSupport

/// A throw-away machine: this one's files under a real systemd, with the programs of this build, the project's units and
/// their user installed where the package installs them, or with the package itself at hand.
struct Machine {
    /// Further files: path on this machine, path inside, mode.
    var files: [(from: String, to: String, mode: String)] = []
    /// Folders of this machine that are visible inside at the same path, writable; the socket of a private server, say.
    var binds: [String] = []
    /// Units that the boot starts.
    var started: [String] = []
    /// Shell text that is run before the boot; `$ROOT` is the machine's root folder.
    var setup: [String] = []
    /// How much fits on its disk.
    var disk: String?
    /// The root folder of another Debian, whose files are booted instead of this machine's.
    var root: String?
    /// A Debian package of the project, put at /srv/migrated.deb for the script to install, instead of this build's files.
    var package: String?

    /// Boots, runs shell text as root, and powers off.
    func run(_ script: String, within limit: Duration = .seconds(120)) throws -> Program.Outcome {
        try boot(script, within: limit).outcome(within: limit + .seconds(30))
    }

    /// Boots and leaves the rest to the caller.
    func boot(_ script: String, within limit: Duration = .seconds(120)) throws -> Program {
        var arguments = ["--timeout", "\(limit.components.seconds)"]
        if let disk { arguments += ["--disk", disk] }
        if let root { arguments += ["--root", root] }
        if let package {
            arguments += ["--file", "\(package):/srv/migrated.deb"]
        } else {
            arguments += try buildsFiles()
        }
        arguments += files.flatMap { ["--file", "\($0.from):\($0.to):\($0.mode)"] }
        arguments += binds.flatMap { ["--bind", $0] }
        arguments += started.flatMap { ["--start", $0] }
        arguments += setup.flatMap { ["--setup", $0] }
        return try Program(
            Self.project + "/deploy/with-systemd", arguments + ["--", "/bin/bash", "-c", script],
            directory: Self.project)
    }

    /// The programs of this build, the project's units and their user, where the package installs them.
    private func buildsFiles() throws -> [String] {
        var arguments: [String] = []
        for (name, place) in [("migrated", "migrated"), ("auditctl", "auditctl"), ("auditctl", "migrated-auditctl")] {
            arguments += ["--file", "\(try Program.built(name)):/usr/bin/\(place):0755"]
        }
        arguments += ["--file", Self.project + "/units/migrated.sysusers:/usr/lib/sysusers.d/migrated.conf"]
        let units = [
            "migrated.service", "migrated@.service", "migrated-verify@.service", "migrated-integrity@.service",
            "migrated-alert@.service",
        ]
        for unit in units { arguments += ["--unit", Self.project + "/units/" + unit] }
        // A build for tests loads Swift's own libraries from the toolchain; the package's build has them inside.
        let libraries = try Self.swiftLibraries()
        arguments += ["--bind-ro", libraries]
        arguments += [
            "--setup",
            """
            for unit in \(units.joined(separator: " ")); do
                mkdir -p "$ROOT/etc/systemd/system/$unit.d"
                printf '[Service]\\nExecPaths=\(libraries)\\n' >"$ROOT/etc/systemd/system/$unit.d/toolchain.conf"
            done
            """,
        ]
        return arguments
    }

    /// The package that `deploy/package` has built, where the environment names it.
    static let packageUnderTest = getenv("MIGRATED_PACKAGE").map { String(cString: $0) }

    /// The root folder that `deploy/bare-debian` has made, where the environment names it.
    static let bareRoot = getenv("MIGRATED_BARE_ROOT").map { String(cString: $0) }

    /// The project's folder, three levels above this file.
    static let project = #filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined()

    /// The folder that libswiftCore.so is loaded from.
    private static func swiftLibraries() throws -> String {
        let loaded = try Program.run("/usr/bin/ldd", [try Program.built("migrated")]).output
        for line in loaded.split(separator: "\n") where line.contains("libswiftCore.so") {
            guard let path = line.split(separator: " ").first(where: { $0.hasPrefix("/") }) else { continue }
            return path.split(separator: "/").dropLast().map { "/" + $0 }.joined()
        }
        throw LiveFailure("cannot see where libswiftCore.so is loaded from: \(loaded)")
    }
}
