import Glibc
import Synchronization

/// The shell that outlives a test process by a moment and clears up after it.
///
/// Each test process starts one, once, and holds the only writing end of its standard input. Lines on that pipe tell it which
/// processes to end and which directories to remove; the end of the pipe, which the kernel delivers whatever became of
/// the test process (exit, crash, SIGKILL), is the order to do so.
final class Guardian: Sendable {
    static let shared = Guardian()

    private let pipe: Mutex<Int32>

    func willKill(_ process: pid_t) { tell("kill \(process)") }
    /// A PostgreSQL server, which on SIGQUIT ends its own children.
    func willQuit(_ server: pid_t) { tell("quit \(server)") }
    func hasEnded(_ process: pid_t) { tell("gone \(process)") }
    func willRemove(_ directory: String) { tell("remove \(directory)") }
    func hasRemoved(_ directory: String) { tell("removed \(directory)") }

    private func tell(_ line: String) {
        pipe.withLock { end in
            guard (try? writeAll(Array((line + "\n").utf8), to: end)) != nil else {
                preconditionFailure("the guardian ignores every signal and reads until we end: it cannot be gone")
            }
        }
    }

    private init() {
        var ends: [Int32] = [-1, -1]
        guard Glibc.pipe(&ends) == 0 else { preconditionFailure("no pipe for the guardian: \(lastError())") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        do {
            // A session of its own, so that a signal to the tests' process group does not reach it.
            _ = try Spawning(
                path: "/bin/sh", arguments: ["-c", Self.script], environment: ["PATH": "/usr/bin:/bin"],
                directory: "/", input: ends[0], newSession: true
            ).spawn()
        } catch {
            preconditionFailure("no guardian: \(error)")
        }
        close(ends[0])
        pipe = Mutex(ends[1])
    }

    private static let script = """
        trap '' HUP INT TERM
        kill= quit= directories=
        without() { for item in $1; do [ "$item" = "$2" ] || printf ' %s' "$item"; done; }
        lives() { read -r _ _ state _ 2>/dev/null </proc/$1/stat && [ "$state" != Z ]; }
        while read -r verb what; do
          case $verb in
            kill) kill="$kill $what" ;;
            quit) quit="$quit $what" ;;
            gone) kill=$(without "$kill" "$what") quit=$(without "$quit" "$what") ;;
            remove) directories="$directories $what" ;;
            removed) directories=$(without "$directories" "$what") ;;
          esac
        done
        for process in $quit; do kill -QUIT "$process"; done
        for process in $kill; do kill -KILL "$process"; done
        looks=0
        for process in $quit; do
          while lives "$process" && [ $looks -lt 200 ]; do sleep 0.05; looks=$((looks + 1)); done
          kill -KILL "$process"
        done
        for directory in $directories; do
          case $directory in
            /tmp/mt-*)
              for mounted in $directory/overlay $directory/disk; do
                [ ! -d $mounted ] || umount -l $mounted 2>/dev/null
              done
              rm -rf -- "$directory" ;;
          esac
        done
        """
}
