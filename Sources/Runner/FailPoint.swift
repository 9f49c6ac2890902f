#if FAILPOINTS
    internal import Glibc
    internal import Synchronization
    internal import Systemd
#endif

/// A named place between the first byte read and the journal's line, where a test can end the process.
///
/// `MIGRATED_FAILPOINT=name:n` kills the process, as kill -9 would, when the place `name` is passed for the n-th time; with `:stop` behind it
/// the process is frozen there. Only debug builds have it; in a release build `pass` is empty.
enum FailPoint: String, CaseIterable {
    case directoryRead = "directory-read"
    case filesParsed = "files-parsed"
    case lockTaken = "lock-taken"
    case beforeStarted = "before-started"
    case afterStarted = "after-started"
    case transactionOpen = "transaction-open"
    case keyStep = "key-step"
    case statementsDone = "statements-done"
    case beforeAppend = "before-append"
    case beforeCommit = "before-commit"
    case afterCommit = "after-commit"
    case aloneDone = "alone-done"
    case beforeFailed = "before-failed"
    case afterFailed = "after-failed"
    case beforeJournal = "before-journal"
    case beforeAnchor = "before-anchor"
    case scratchNamed = "scratch-named"
    case scratchMade = "scratch-made"
    case scratchBuilt = "scratch-built"
    case scratchDone = "scratch-done"

    #if FAILPOINTS
        private static let armed: (name: String, count: Int, signal: Int32)? = {
            guard let text = Process.environment("MIGRATED_FAILPOINT") else { return nil }
            let parts = text.split(separator: ":")
            guard let name = parts.first else { return nil }
            return (String(name), parts.count > 1 ? Int(parts[1]) ?? 1 : 1, parts.last == "stop" ? SIGSTOP : SIGKILL)
        }()
        private static let passed = Atomic<Int>(0)

        /// Ends the process here, if a test asked for it.
        func pass() {
            guard let armed = FailPoint.armed, armed.name == rawValue else { return }
            let count = FailPoint.passed.wrappingAdd(1, ordering: .relaxed).newValue
            if count == armed.count { kill(getpid(), armed.signal) }
        }
    #else
        @inline(__always) func pass() {}
    #endif
}
