internal import Reporting
internal import Systemd

/// How long an operation on the database may take, and what ends it early.
///
/// A value that decides: the waiter tells it what happened, it says what to do. First the statement is cancelled, and only when even
/// that brings no answer the session is given up.
struct Patience {
    /// Why an operation was ended.
    enum Cause: Equatable { case stop, deadline }
    /// What the waiter has to do.
    enum Action: Equatable { case wait(until: Instant?), cancel, giveUp }

    /// When it is over.
    var limit: Instant?
    /// Whether a request to stop ends it.
    var yieldsToStop: Bool
    /// Whether it is worth cancelling: false where nothing runs yet that could be cancelled.
    var cancellable: Bool
    /// How long a cancelled statement has to end.
    var grace: TimeSpan = .seconds(10)

    private(set) var cause: Cause?
    private var cancelledAt: Instant?

    /// A file's statements: cancelled by a stop and by the deadline.
    static func statements(until limit: Instant?) -> Patience {
        Patience(limit: limit, yieldsToStop: true, cancellable: true)
    }
    /// Our own short work, which a stop does not interrupt.
    static func bookkeeping(from now: Instant) -> Patience {
        Patience(limit: now + .seconds(60), yieldsToStop: false, cancellable: false)
    }
    /// Opening a session.
    static func connecting(from now: Instant, yieldsToStop: Bool) -> Patience {
        Patience(limit: now + .seconds(yieldsToStop ? 10 : 3), yieldsToStop: yieldsToStop, cancellable: false)
    }

    init(limit: Instant?, yieldsToStop: Bool, cancellable: Bool) {
        self.limit = limit
        self.yieldsToStop = yieldsToStop
        self.cancellable = cancellable
    }

    /// What to do at `now`.
    mutating func judge(now: Instant, stopRequested: Bool) -> Action {
        if let cancelledAt {
            return now >= cancelledAt + grace ? .giveUp : .wait(until: cancelledAt + grace)
        }
        if yieldsToStop, stopRequested {
            cause = .stop
        } else if let limit, now >= limit {
            cause = .deadline
        } else {
            return .wait(until: limit)
        }
        guard cancellable else { return .giveUp }
        cancelledAt = now
        return .cancel
    }
}
