internal import CSystemd
internal import Reporting

/// The service manager's watchdog, fed from the loop and from nowhere else: a loop that hangs is killed, one that waits for a long
/// statement is not. See sd_watchdog_enabled(3) and `WatchdogSec=` in systemd.service(5).
public final class Watchdog: PollSource {
    private let notifier: Notifier
    private let period: TimeSpan
    private var next: Instant

    /// The watchdog of this process; nil where none is asked for. Takes WATCHDOG_USEC and WATCHDOG_PID out of the environment.
    public convenience init?(notifier: Notifier) {
        var interval: UInt64 = 0
        guard unsafe sd_watchdog_enabled(1, &interval) > 0, interval > 0 else { return nil }
        self.init(interval: TimeSpan(microseconds: Int64(clamping: interval)), notifier: notifier, now: .now())
    }

    /// A watchdog that bites after `interval`, fed three times as often. The first sign of life is sent at once.
    init(interval: TimeSpan, notifier: Notifier, now: Instant) {
        self.notifier = notifier
        period = TimeSpan(microseconds: max(1000, interval.microseconds / 3))
        next = now
    }

    /// None.
    public var descriptor: Int32? { nil }
    /// Nothing.
    public var interest: PollInterest { [] }
    /// When the next sign of life is due.
    public var deadline: Instant? { next }
    /// Nothing to do.
    public func ready(_ events: PollInterest, now: Instant) {}

    /// Sends a sign of life. Those that were missed are not made up for.
    public func deadlinePassed(now: Instant) {
        notifier.alive()
        next = now + period
    }
}
