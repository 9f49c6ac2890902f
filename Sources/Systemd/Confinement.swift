internal import CLinux
internal import Glibc

/// Keeps a program, and all that it starts, from reading some files, though it runs as this user: landlock(7).
///
/// It holds for good, over any exec. Such a program cannot trace a process outside of it either, nor read that one's memory or root folder
/// by /proc; its environment only with a capability (CAP_PERFMON). It can still write where it may, and connect to what this user may connect to.
public struct Confinement: Sendable {
    private let ruleset: Descriptor

    /// A confinement that hides the files and folders at `hidden`; those that do not exist are left out.
    ///
    /// Files that are made later in a folder that has one of them somewhere below it cannot be read either: the kernel knows only what is allowed.
    /// Nil where the kernel has no Landlock: it is older than 5.13, or has it switched off, or a filter of system calls forbids it.
    public init?(hiding hidden: [String]) {
        let number = landlock_reading()
        guard number >= 0 else { return nil }
        ruleset = Descriptor(owning: number)
        let hidden = Set(hidden.compactMap(Confinement.real))
        allow("", hidden)
    }

    /// Allows everything in `folder` but what is hidden, in as few rules as can be. What cannot be opened is left out, and so not allowed.
    private func allow(_ folder: String, _ hidden: Set<String>) {
        guard let open = try? Descriptor(opening: folder + "/", O_RDONLY | O_DIRECTORY),
            let names = try? DirectoryNames.list(open, path: folder)
        else { return }
        for name in names {
            let path = folder + "/" + String(decoding: name, as: UTF8.self)
            if hidden.contains(path) { continue }
            if hidden.contains(where: { $0.hasPrefix(path + "/") }) {
                allow(path, hidden)
            } else if let entry = try? Descriptor(opening: path, O_PATH | O_NOFOLLOW) {
                _ = landlock_allow(ruleset.number, entry.number)
            }
        }
    }

    /// The path without symbolic links; nil where nothing is there.
    private static func real(_ path: String) -> String? {
        guard let found = unsafe realpath(path, nil) else { return nil }
        defer { unsafe free(found) }
        return unsafe String(cString: found)
    }

    /// Does `body` on a thread that is confined, and so are the programs that it starts; returns its error number, or that of the confinement.
    func run(_ body: () -> Int32) -> Int32 {
        // The body is done before this returns.
        withoutActuallyEscaping(body) { body in
            let work = Work(ruleset.number, body)
            var thread = pthread_t()
            let started = unsafe pthread_create(
                &thread, nil,
                { work in
                    guard let work = unsafe work else { preconditionFailure("the thread is started with its work") }
                    unsafe Unmanaged<Work>.fromOpaque(work).takeUnretainedValue().run()
                    return nil
                }, Unmanaged.passUnretained(work).toOpaque())
            guard started == 0 else { return started }
            // `work` is touched by that thread alone until it has been joined.
            pthread_join(thread, nil)
            return withExtendedLifetime(work) { work.failed }
        }
    }

    private final class Work {
        private let ruleset: Int32
        private let body: () -> Int32
        var failed: Int32 = 0

        init(_ ruleset: Int32, _ body: @escaping () -> Int32) {
            self.ruleset = ruleset
            self.body = body
        }

        func run() {
            failed = landlock_confine(ruleset)
            if failed == 0 { failed = body() }
        }
    }
}
