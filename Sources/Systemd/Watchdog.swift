internal import Glibc
internal import Reporting

/// The service manager's watchdog, fed from the loop and from nowhere else: a loop that hangs is killed, one that waits for a long
/// statement is not. See sd_watchdog_enabled(3) and `WatchdogSec=` in systemd.service(5).
public final class Watchdog: PollSource {
    private let notifier: Notifier
    private let period: TimeSpan
    private var next: Instant

    /// The watchdog of this process; nil where none is asked for. Takes WATCHDOG_USEC and WATCHDOG_PID out of the environment.
    public convenience init?(notifier: Notifier) {
        let names = ["WATCHDOG_USEC", "WATCHDOG_PID"]
        let values = names.map { Process.environment($0) }
        for name in names { unsafe unsetenv(name) }
        // Another process's where it is inherited through one that did not take it out.
        guard let interval = values[0].flatMap({ Int64($0) }), interval > 0,
            values[1].map({ $0 == String(Process.pid) }) ?? true
        else { return nil }
        self.init(interval: TimeSpan(microseconds: interval), notifier: notifier, now: .now())
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
