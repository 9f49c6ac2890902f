import CSpawn
import Glibc

/// What a child process gets, and the one place that calls posix_spawn(3).
///
/// Guaranteed: no descriptor but 0, 1 and 2 reaches the child; no signal is blocked or ignored in it (threads of the test
/// runner block most of them, and a child would inherit that); the environment is exactly the given one.
struct Spawning {
    var path: String
    var arguments: [String]
    var environment: [String: String]
    var directory: String
    /// Descriptors to become 0, 1 and 2; -1 stands for /dev/null.
    var input: Int32 = -1
    var output: Int32 = -1
    var errors: Int32 = -1
    /// Another user of this machine; needs root.
    var user: String?
    /// A program and its words, put before the others, that becomes the named one: `prlimit --nofile=20`.
    var launcher: [String] = []
    var newSession = false

    func spawn() throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addchdir_np(&actions, directory)
        for (number, descriptor) in [input, output, errors].enumerated() {
            if descriptor >= 0 {
                posix_spawn_file_actions_adddup2(&actions, descriptor, Int32(number))
            } else {
                posix_spawn_file_actions_addopen(&actions, Int32(number), "/dev/null", O_RDWR, 0)
            }
        }
        posix_spawn_file_actions_addclosefrom_np(&actions, 3)

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        var all = sigset_t()
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        let flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | (newSession ? Self.setSession : 0)
        posix_spawnattr_setflags(&attributes, Int16(flags))

        var words = [path] + arguments
        if let user {
            guard let entry = getpwnam(user) else { throw LiveFailure("no user '\(user)' on this machine") }
            // setpriv(1) replaces itself by the program, so the process number stays the program's.
            words =
                ["/usr/bin/setpriv", "--reuid=\(user)", "--regid=\(entry.pointee.pw_gid)", "--init-groups", "--"]
                + words
        }
        words = launcher + words
        let arguments = CStrings(words)
        let variables = CStrings(environment.map { "\($0.key)=\($0.value)" })
        var process: pid_t = 0
        let result = posix_spawn(&process, words[0], &actions, &attributes, arguments.pointers, variables.pointers)
        guard result == 0 else {
            throw LiveFailure("cannot start '\(words[0])' in '\(directory)': \(String(cString: strerror(result)))")
        }
        return process
    }

    /// POSIX_SPAWN_SETSID of glibc's spawn.h, which Swift does not import.
    private static let setSession: Int32 = 0x80
}

/// A null-terminated array of C strings that lives as long as this value.
private final class CStrings {
    let pointers: [UnsafeMutablePointer<CChar>?]

    init(_ words: [String]) {
        pointers = words.map { strdup($0) } + [nil]
    }

    deinit {
        for pointer in pointers { free(pointer) }
    }
}
