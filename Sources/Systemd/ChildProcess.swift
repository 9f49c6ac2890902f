internal import CLinux
internal import Glibc

/// A program that runs beside the loop: its end is an event of the loop, its time is limited.
///
/// It gets `input` on its standard input, our standard output and error unless they are to be captured, the environment that is given and
/// no other, and a process group of its own, which is killed as a whole. See posix_spawn(3), pidfd_open(2), memfd_create(2).
public final class ChildProcess: PollSource {
    /// How it ended.
    public enum End: Equatable, Sendable {
        case exited(Int32)
        case killed(signal: Int32)
        /// Its time was over, and it was killed.
        case timedOut
    }

    private let process: pid_t
    private let handle: Descriptor
    private let whenDone: (End) -> Void
    private var isLate = false
    private var isDone = false
    public private(set) var deadline: Instant?

    /// Starts `path`, within `confinement` where there is one; `whenDone` is called once, by the loop that this source is in.
    public convenience init(
        _ path: String, _ arguments: [String] = [], environment: [String], input: [UInt8],
        confinement: Confinement? = nil, until limit: Instant,
        whenDone: @escaping (End) -> Void
    ) throws(SystemFailure) {
        try self.init(
            path, arguments, environment, input, capturing: nil, confinement: confinement, until: limit,
            whenDone: whenDone)
    }

    /// The same, with its standard output and error in `captured`.
    init(
        _ path: String, _ arguments: [String], _ environment: [String], _ input: [UInt8], capturing captured: Captured?,
        confinement: Confinement? = nil, until limit: Instant, whenDone: @escaping (End) -> Void
    ) throws(SystemFailure) {
        let fed = try MemoryFile(holding: input)
        var process: pid_t = 0
        let failed = withExtendedLifetime((fed, captured)) {
            let further = captured.map { [$0.output.number, $0.errors.number] } ?? []
            let files = [fed.number] + further
            let spawn = { ChildProcess.spawn(path, [path] + arguments, environment, files, &process) }
            return confinement?.run(spawn) ?? spawn()
        }
        if failed != 0 { throw SystemFailure("start", path: path, errno: failed) }
        let opened = open_process(process)
        if opened < 0 {
            let cause = errno
            kill(-process, SIGKILL)
            var status: Int32 = 0
            _ = retrying { unsafe waitpid(process, &status, 0) }
            throw SystemFailure("watch", path: path, errno: cause)
        }
        self.process = process
        handle = Descriptor(owning: opened)
        deadline = limit
        self.whenDone = whenDone
    }

    deinit {
        guard !isDone else { return }
        kill(-process, SIGKILL)
        var status: Int32 = 0
        _ = retrying { unsafe waitpid(process, &status, 0) }
    }

    public var descriptor: Int32? { isDone ? nil : handle.number }
    public var interest: PollInterest { .read }

    public func deadlinePassed(now: Instant) {
        deadline = nil
        isLate = true
        kill(-process, SIGKILL)
    }

    public func ready(_ events: PollInterest, now: Instant) {
        var status: Int32 = 0
        guard retrying({ unsafe waitpid(process, &status, WNOHANG) }) == process else { return }
        isDone = true
        deadline = nil
        // wait(2): the low seven bits are the signal, the next byte the exit status.
        let signal = status & 0x7F
        whenDone(isLate ? .timedOut : signal == 0 ? .exited((status >> 8) & 0xFF) : .killed(signal: signal))
    }

    private static func spawn(
        _ path: String, _ arguments: [String], _ environment: [String], _ files: [Int32],
        _ process: inout pid_t
    ) -> Int32 {
        var actions = unsafe posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        guard unsafe posix_spawn_file_actions_init(&actions) == 0, unsafe posix_spawnattr_init(&attributes) == 0 else {
            return ENOMEM
        }
        defer {
            unsafe posix_spawn_file_actions_destroy(&actions)
            unsafe posix_spawnattr_destroy(&attributes)
        }
        // What we block or ignore would be blocked and ignored there too.
        var all = sigset_t()
        var none = sigset_t()
        unsafe sigfillset(&all)
        unsafe sigemptyset(&none)
        let flags = POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP
        for (number, file) in files.enumerated()
        where unsafe posix_spawn_file_actions_adddup2(&actions, file, Int32(number)) != 0 { return ENOMEM }
        guard unsafe posix_spawnattr_setsigdefault(&attributes, &all) == 0,
            unsafe posix_spawnattr_setsigmask(&attributes, &none) == 0,
            unsafe posix_spawnattr_setpgroup(&attributes, 0) == 0,
            unsafe posix_spawnattr_setflags(&attributes, Int16(flags)) == 0
        else { return EINVAL }
        return unsafe Pager.withStrings(arguments) { words in
            unsafe Pager.withStrings(environment) { variables in
                unsafe posix_spawn(&process, path, &actions, &attributes, words, variables)
            }
        }
    }
}
