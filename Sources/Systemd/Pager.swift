internal import Glibc

/// A pager that shows what is written to it, as `man` and `journalctl` do.
///
/// While it runs an interrupt from the keyboard is the pager's business. It must be finished, so that the terminal is handed back in order.
public final class Pager {
    /// What is to be shown is written here; EPIPE once the person has left the pager.
    public var descriptor: Int32 { input?.number ?? -1 }
    private var input: Descriptor?
    private let process: pid_t

    /// Starts `command` by the shell; nil where that fails.
    ///
    /// It inherits our environment, with LESSSECURE=1 in it, so that nobody gets from less(1) into a shell that is not theirs.
    public init?(command: String) {
        var ends: [Int32] = [-1, -1]
        guard unsafe pipe(&ends) == 0 else { return nil }
        let (output, input) = (Descriptor(owning: ends[0]), Descriptor(owning: ends[1]))
        for end in [output, input] where fcntl(end.number, F_SETFD, FD_CLOEXEC) != 0 { return nil }
        let spawned = withExtendedLifetime(output) { Pager.spawn(command, reading: output.number) }
        guard let process = spawned else { return nil }
        self.process = process
        self.input = input
        _ = signal(SIGINT, SIG_IGN)
    }

    /// Tells the pager that this was all, and waits until the person leaves it.
    public func finish() {
        input = nil
        var status: Int32 = 0
        _ = retrying { unsafe waitpid(process, &status, 0) }
        _ = signal(SIGINT, SIG_DFL)
    }

    private static func spawn(_ command: String, reading descriptor: Int32) -> pid_t? {
        var actions = unsafe posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        guard unsafe posix_spawn_file_actions_init(&actions) == 0, unsafe posix_spawnattr_init(&attributes) == 0 else {
            return nil
        }
        defer {
            unsafe posix_spawn_file_actions_destroy(&actions)
            unsafe posix_spawnattr_destroy(&attributes)
        }
        // What we ignore would be ignored by the pager too.
        var defaults = sigset_t()
        unsafe sigemptyset(&defaults)
        unsafe sigaddset(&defaults, SIGPIPE)
        unsafe sigaddset(&defaults, SIGINT)
        guard unsafe posix_spawn_file_actions_adddup2(&actions, descriptor, 0) == 0,
            unsafe posix_spawnattr_setsigdefault(&attributes, &defaults) == 0,
            unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF)) == 0
        else { return nil }
        var process: pid_t = 0
        let done = unsafe Pager.withStrings(["/bin/sh", "-c", command]) { words in
            unsafe Pager.withStrings(environment()) { variables in
                unsafe posix_spawn(&process, "/bin/sh", &actions, &attributes, words, variables)
            }
        }
        return done == 0 ? process : nil
    }

    /// The environment that this process was started with; see proc(5).
    private static func environment() -> [String] {
        let bytes = (try? WholeFile.read("/proc/self/environ", limit: 4 << 20)) ?? []
        let variables = bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
        return variables.filter { !$0.hasPrefix("LESSSECURE=") } + ["LESSSECURE=1"]
    }

    /// Lends `strings` as a null-terminated list of C strings for the length of `body`.
    static func withStrings(
        _ strings: [String], _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Int32
    ) -> Int32 {
        var pointers = unsafe strings.map { unsafe strdup($0) } + [nil]
        defer { unsafe pointers.forEach { unsafe free($0) } }
        return unsafe pointers.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return ENOMEM }
            return unsafe body(base)
        }
    }
}
