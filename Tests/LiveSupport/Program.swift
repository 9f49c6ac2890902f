import Glibc
import Synchronization

/// A child process of a test: started with a clean slate, its output kept, its end awaited with a limit.
///
/// It gets only the given environment (`Program.environment` where none is named), reads nothing unless text is given, and never
/// outlives the test: it is killed when this value goes, or by the guardian when the test process dies.
public final class Program: Sendable {
    /// How a process ended.
    public enum End: Sendable, Equatable {
        /// By itself, with this exit code.
        case exited(Int32)
        /// By this signal.
        case killed(Int32)
    }

    /// How a process ended and all it wrote.
    public struct Outcome: Sendable, CustomStringConvertible {
        /// Exit code or signal.
        public let end: End
        /// What it wrote to standard output.
        public let outputBytes: [UInt8]
        /// What it wrote to standard error.
        public let errorBytes: [UInt8]
        /// What it wrote to standard output, as text.
        public var output: String { String(decoding: outputBytes, as: UTF8.self) }
        /// What it wrote to standard error, as text.
        public var errors: String { String(decoding: errorBytes, as: UTF8.self) }
        /// The exit code, or 128 and the signal's number, as a shell counts.
        public var status: Int32 {
            switch end {
            case .exited(let code): code
            case .killed(let signal): 128 + signal
            }
        }
        /// All of it, for the message of a failed expectation.
        public var description: String { "\(end)\nstdout: \(output)\nstderr: \(errors)" }
    }

    /// What every child gets unless the test says otherwise: nothing of the caller's, so that no PG* variable, notification socket
    /// or configuration of the person who runs the tests reaches it.
    public static let environment = [
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": "/nonexistent", "LANG": "C.UTF-8", "TZ": "UTC",
    ]

    /// The process number.
    public let process: pid_t

    private let name: String
    private let output: Capture
    private let errors: Capture
    private let end = Mutex<End?>(nil)

    /// Starts a program by its absolute path.
    ///
    /// `launcher` is put before it: a program, by its absolute path, and its words, that becomes this one when it is done (execve(2)), such as
    /// prlimit(1) or nsenter(1).
    public convenience init(
        _ path: String, _ arguments: [String] = [], environment: [String: String] = Program.environment,
        directory: String = "/", input: String? = nil, user: String? = nil, launcher: [String] = []
    ) throws {
        try self.init(
            path, arguments, environment: environment, directory: directory, input: input, user: user,
            launcher: launcher, isServer: false)
    }

    /// Starts a program; a PostgreSQL server is left to the guardian as one.
    init(
        _ path: String, _ arguments: [String], environment: [String: String], directory: String, input: String?,
        user: String?, launcher: [String], isServer: Bool
    ) throws {
        name = path.split(separator: "/").last.map(String.init) ?? path
        output = try Capture()
        errors = try Capture()
        let fed = try input.map { try Capture(holding: Array($0.utf8)) }
        process = try Spawning(
            path: path, arguments: arguments, environment: environment, directory: directory,
            input: fed?.descriptor ?? -1, output: output.descriptor, errors: errors.descriptor, user: user,
            launcher: launcher
        ).spawn()
        isServer ? Guardian.shared.willQuit(process) : Guardian.shared.willKill(process)
    }

    deinit {
        signal(SIGKILL)
        _ = try? wait()
    }

    /// One of the project's own programs, `migrated` or `auditctl`, from the build that these tests belong to.
    public static func built(_ name: String) throws -> String {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/self/exe", &buffer, buffer.count)
        guard count > 0 else { throw LiveFailure("readlink '/proc/self/exe': \(lastError())") }
        let own = String(decoding: buffer[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self)
        let path = own.split(separator: "/").dropLast().map { "/" + $0 }.joined() + "/" + name
        guard access(path, X_OK) == 0 else { throw LiveFailure("no program '\(path)': build it first") }
        return path
    }

    /// Starts a program, waits for its end and returns all it said.
    public static func run(
        _ path: String, _ arguments: [String] = [], environment: [String: String] = Program.environment,
        directory: String = "/", input: String? = nil, user: String? = nil, launcher: [String] = [],
        within limit: Duration = .seconds(120)
    ) throws -> Outcome {
        try Program(
            path, arguments, environment: environment, directory: directory, input: input, user: user,
            launcher: launcher
        ).outcome(within: limit)
    }

    /// Sends a signal, unless the process has ended.
    public func signal(_ number: Int32) {
        end.withLock { end in
            // Not reaped yet, so the number still is this process's.
            if end == nil { kill(process, number) }
        }
    }

    /// Whether it still runs.
    public var isRunning: Bool { look() == nil }

    /// What it has written to standard output so far.
    public var outputSoFar: String { String(decoding: output.bytes, as: UTF8.self) }

    /// What it has written to standard error so far.
    public var errorsSoFar: String { String(decoding: errors.bytes, as: UTF8.self) }

    /// Waits for the end.
    ///
    /// When the limit passes the process is left as it is and the failure says what it wrote.
    @discardableResult
    public func wait(within limit: Duration = .seconds(60)) throws -> End {
        let stop = ContinuousClock.now + limit
        while true {
            if let end = look() { return end }
            if ContinuousClock.now > stop {
                throw LiveFailure("'\(name)' did not end within \(limit)\n\(outputSoFar)\(errorsSoFar)")
            }
            usleep(2_000)
        }
    }

    /// Waits for the end and returns it with everything that was written.
    public func outcome(within limit: Duration = .seconds(60)) throws -> Outcome {
        Outcome(end: try wait(within: limit), outputBytes: output.bytes, errorBytes: errors.bytes)
    }

    /// Whether a signal has stopped it; see proc_pid_status(5).
    public var isStopped: Bool {
        guard let file = fopen("/proc/\(process)/status", "r") else { return false }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 256)
        while fgets(&line, 256, file) != nil {
            let text = String(decoding: line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
            if text.contains("T (stopped)") { return true }
        }
        return false
    }

    private func look() -> End? {
        end.withLock { end in
            if let end { return end }
            var status: Int32 = 0
            guard waitpid(process, &status, WNOHANG) == process else { return nil }
            Guardian.shared.hasEnded(process)
            // The macros of sys/wait.h: the low seven bits are the signal, the next byte the exit code.
            end = status & 0x7f == 0 ? .exited(status >> 8 & 0xff) : .killed(status & 0x7f)
            return end
        }
    }
}

/// An unnamed file that a child writes to or reads from: no pipe to drain, readable at any moment.
private final class Capture: Sendable {
    let descriptor: Int32

    init(holding bytes: [UInt8] = []) throws {
        var template = Array("/tmp/mt-capture-XXXXXX".utf8CString)
        descriptor = mkstemp(&template)
        guard descriptor >= 0 else { throw LiveFailure("mkstemp: \(lastError())") }
        unlink(template)
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        // Two writers of one file must not overwrite each other; another user may reopen it as /dev/stderr.
        _ = fcntl(descriptor, F_SETFL, O_APPEND)
        _ = fchmod(descriptor, 0o666)
        try writeAll(bytes, to: descriptor)
        lseek(descriptor, 0, SEEK_SET)
    }

    deinit { close(descriptor) }

    var bytes: [UInt8] { LiveSupport.bytes(of: descriptor) }
}
