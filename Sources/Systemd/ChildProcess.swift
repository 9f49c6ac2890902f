internal import CLinux
internal import Glibc
public import Reporting

/// Runs another program to its end while the loop serves everything else.
public enum ChildProcess {
    /// How it ended and what it said.
    public struct Outcome: Sendable {
        /// Its exit status; nil where a signal ended it, ours at the time limit included.
        public var status: Int32?
        /// What it wrote to standard output.
        public var output: [UInt8]
        /// What it wrote to standard error.
        public var errors: [UInt8]
    }

    /// Starts the program at `path` with nothing of our environment but a plain PATH and locale, gives it `input` to read, and turns the loop until
    /// it has ended. It is killed when `limit` has passed.
    public static func run(
        _ path: String, _ arguments: [String], input: [UInt8], limit: TimeSpan, loop: PollLoop
    ) throws(SystemFailure) -> Outcome {
        let files = (try memory(holding: input), try memory(), try memory())
        let process = try spawn(path, [path] + arguments, files)
        let end = ChildEnd(process, killAt: .now() + limit)
        loop.add(end)
        defer { loop.remove(end) }
        while !end.hasEnded {
            do throws(SystemFailure) { try loop.turn(until: end.deadline) } catch {
                // The loop cannot be turned any more; the child is not left behind.
                end.abandon()
                throw error
            }
        }
        return Outcome(
            status: end.status, output: try contents(of: files.1, path), errors: try contents(of: files.2, path))
    }

    /// A file without a name.
    private static func memory(holding bytes: [UInt8] = []) throws(SystemFailure) -> Descriptor {
        let number = open_memory()
        if number < 0 { throw .last("make a file in memory") }
        let file = Descriptor(owning: number)
        try Process.write(bytes, to: number)
        if lseek(number, 0, Int32(SEEK_SET)) < 0 { throw .last("rewind a file in memory") }
        return file
    }

    private static func contents(of file: Descriptor, _ path: String) throws(SystemFailure) -> [UInt8] {
        if lseek(file.number, 0, Int32(SEEK_SET)) < 0 { throw .last("rewind a file in memory") }
        return try WholeFile.read(file, limit: 1 << 20, expected: 4096, path: path)
    }

    private static func spawn(
        _ path: String, _ words: [String], _ files: (Descriptor, Descriptor, Descriptor)
    ) throws(SystemFailure) -> pid_t {
        var actions = unsafe posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        guard unsafe posix_spawn_file_actions_init(&actions) == 0, unsafe posix_spawnattr_init(&attributes) == 0 else {
            throw SystemFailure("start", path: path, errno: ENOMEM)
        }
        defer {
            unsafe posix_spawn_file_actions_destroy(&actions)
            unsafe posix_spawnattr_destroy(&attributes)
        }
        // What we block and ignore is not the child's business.
        var none = sigset_t()
        unsafe sigemptyset(&none)
        var defaults = none
        unsafe sigaddset(&defaults, SIGPIPE)
        unsafe posix_spawnattr_setsigmask(&attributes, &none)
        unsafe posix_spawnattr_setsigdefault(&attributes, &defaults)
        unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))
        for (number, file) in [files.0, files.1, files.2].enumerated() {
            unsafe posix_spawn_file_actions_adddup2(&actions, file.number, Int32(number))
        }
        var process: pid_t = 0
        let failed = unsafe Pager.withStrings(words) { words in
            unsafe Pager.withStrings(["PATH=/usr/bin:/bin", "LC_ALL=C", "HOME=/nonexistent"]) { variables in
                unsafe posix_spawn(&process, path, &actions, &attributes, words, variables)
            }
        }
        if failed != 0 { throw SystemFailure("start", path: path, errno: failed) }
        return process
    }
}

/// Waits in the loop for the end of one process.
private final class ChildEnd: PollSource {
    private let process: pid_t
    private let file: Descriptor?
    private(set) var hasEnded = false
    private(set) var status: Int32?
    private(set) var deadline: Instant?
    let interest = PollInterest.read
    var descriptor: Int32? { file?.number }

    init(_ process: pid_t, killAt deadline: Instant) {
        self.process = process
        self.deadline = deadline
        let number = open_process(process)
        file = number < 0 ? nil : Descriptor(owning: number)
        // Without a descriptor of the process (a kernel before 5.3) there is nothing to wait on but its end.
        if file == nil { reap() }
    }

    func ready(_ events: PollInterest, now: Instant) { reap() }

    func deadlinePassed(now: Instant) {
        deadline = nil
        kill(process, SIGKILL)
    }

    func abandon() {
        kill(process, SIGKILL)
        reap()
    }

    private func reap() {
        guard !hasEnded else { return }
        var word: Int32 = 0
        _ = retrying { unsafe waitpid(process, &word, 0) }
        hasEnded = true
        deadline = nil
        // The macros of sys/wait.h: the low seven bits are the signal, the next byte the exit status.
        status = word & 0x7F == 0 ? word >> 8 & 0xFF : nil
    }
}
