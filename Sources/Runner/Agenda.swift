internal import Reporting
internal import Systemd

/// When the daemon looks at the directory again, and when it tries the database again.
///
/// A value that decides: the daemon tells it what happened, it says until when to wait. Moments are of a monotonic clock.
struct Agenda {
    /// What is due.
    enum Action: Equatable { case run, wait(until: Instant) }

    private let settle: TimeSpan
    private let rescan: TimeSpan
    private var due: Instant
    private var rescanAt: Instant
    /// Consecutive times that the database could not be worked with.
    private(set) var misses = 0

    init(settle: TimeSpan, rescan: TimeSpan, now: Instant) {
        self.settle = settle
        self.rescan = rescan
        // What lies there at the start may be a copy that is still going on.
        due = now + settle
        rescanAt = now + rescan
    }

    /// Something may have changed in the directory at `moment`: it must be quiet for the settle time first.
    mutating func directoryChanged(at moment: Instant) { due = moment + settle }
    /// A file was still being written, or changed while it was read.
    mutating func directoryBusy(now: Instant) { due = now + max(settle, .milliseconds(100)) }
    /// Somebody else wrote into the history, or an operator asked: worth a look at once.
    mutating func historyChanged(now: Instant) { due = min(due, now) }
    /// A run has come to its end.
    mutating func ran(now: Instant) {
        misses = 0
        rescanAt = now + rescan
        due = rescanAt
    }
    /// Another process holds the lock.
    mutating func lockedElsewhere(now: Instant, jitter: TimeSpan) { due = now + .milliseconds(500) + jitter }
    /// The database could not be worked with: wait longer each time, up to ten seconds, and not in step with others.
    mutating func databaseMissed(now: Instant, jitter: TimeSpan) {
        let steps: [Int64] = [200, 500, 1000, 2000, 5000, 10_000]
        due = now + .milliseconds(steps[min(misses, steps.count - 1)]) + jitter
        misses += 1
    }

    /// What to do at `now`.
    func next(now: Instant) -> Action {
        let moment = misses > 0 ? due : min(due, rescanAt)
        return now >= moment ? .run : .wait(until: moment)
    }
}
