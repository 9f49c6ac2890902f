internal import CLinux
internal import Glibc

/// SIGTERM, SIGINT and SIGHUP as a source of the loop, by signalfd(2); SIGPIPE is ignored.
///
/// Made first thing on the main thread: the three signals are blocked in this thread and in every thread that it starts from then on, and
/// stay blocked for the life of the process. A child that is started inherits the mask and the ignored SIGPIPE: start it by
/// posix_spawn(3) with POSIX_SPAWN_SETSIGMASK (an empty set) and POSIX_SPAWN_SETSIGDEF (a full set), else it cannot be stopped by a
/// signal.
public final class Signals: PollSource {
    private let source: Descriptor

    /// SIGTERM or SIGINT has come.
    public private(set) var stopRequested = false
    /// Another SIGTERM or SIGINT came after the first was taken note of: somebody is losing patience.
    public private(set) var stopRequestedAgain = false
    /// The name of the signal that asked for the stop.
    public private(set) var stopSignal: String?
    private var reloadRequested = false

    /// Blocks the signals and opens the descriptor.
    public init() throws(SystemFailure) {
        var set = sigset_t()
        unsafe sigemptyset(&set)
        for signal in [SIGTERM, SIGINT, SIGHUP] { unsafe sigaddset(&set, signal) }
        let refused = unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
        if refused != 0 { throw SystemFailure("block signals", errno: refused) }
        let number = unsafe signalfd(-1, &set, Int32(SFD_NONBLOCK | SFD_CLOEXEC))
        if number < 0 { throw .last("open a signal descriptor") }
        source = Descriptor(owning: number)
        signal(SIGPIPE, SIG_IGN)
    }

    /// Whether SIGHUP has come since this was last asked.
    public func takeReload() -> Bool {
        defer { reloadRequested = false }
        return reloadRequested
    }

    /// The signal descriptor.
    public var descriptor: Int32? { source.number }
    /// Always for reading.
    public var interest: PollInterest { .read }
    /// None.
    public var deadline: Instant? { nil }

    /// Takes note of every signal that is pending.
    public func ready(_ events: PollInterest, now: Instant) {
        var record = signalfd_siginfo()
        let size = MemoryLayout<signalfd_siginfo>.size
        while retrying({ unsafe read(source.number, &record, size) }) == size { note(Int32(record.ssi_signo)) }
    }

    /// Nothing to do.
    public func deadlinePassed(now: Instant) {}

    private func note(_ signal: Int32) {
        if signal == SIGHUP {
            reloadRequested = true
        } else if stopRequested {
            stopRequestedAgain = true
        } else {
            stopRequested = true
            stopSignal = signal == SIGTERM ? "SIGTERM" : "SIGINT"
        }
    }
}
