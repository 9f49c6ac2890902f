internal import Postgres
internal import Reporting
internal import Systemd

/// Lets a connection wait in the one poll loop, so that signals, the watchdog, the journal and the directory are served meanwhile.
final class LoopWaiter: SocketWaiter {
    private let loop: PollLoop
    private let signals: Signals
    private var patience = Patience(limit: nil, yieldsToStop: true, cancellable: false)
    private var cancellation: Cancellation?

    init(loop: PollLoop, signals: Signals) {
        self.loop = loop
        self.signals = signals
    }

    /// Called once, when a request to stop is first seen.
    var onStop: (() -> Void)?

    /// Done when a file's statements have been sent, while the server is at work on them.
    var meanwhile: (() -> Void)?

    /// Why the last operation was ended early; nil where it was not.
    var cause: Patience.Cause? { patience.cause }

    /// Sets the patience for what follows; `cancellation` is used where the patience allows cancelling.
    func begin(_ patience: Patience, cancellation: Cancellation? = nil) {
        self.patience = patience
        self.cancellation = cancellation
    }

    func wait(for descriptor: Int32, _ interest: SocketInterest) -> Bool {
        if patience.cancellable { meanwhile?() }
        let source = SocketSource(descriptor, interest)
        loop.add(source)
        defer { loop.remove(source) }
        while true {
            if signals.stopRequested, let told = onStop {
                onStop = nil
                told()
            }
            switch patience.judge(now: .now(), stopRequested: signals.stopRequested) {
            case .giveUp: return false
            // PQcancel opens a connection of its own and blocks for as long as that takes: never in the loop's thread.
            case .cancel: cancellation?.cancelInBackground()
            case .wait(let until):
                do {
                    try loop.turn(until: until)
                } catch {
                    // poll(2) itself fails only without memory; the session cannot be waited for any more.
                    return false
                }
                if source.isReady { return true }
            }
        }
    }

    /// Has a further source served while operations wait.
    func employ(_ source: any PollSource) { loop.add(source) }

    /// Lets a source go that asks through a session, once its last answer has come.
    func dismiss(_ watch: StatementWatch) {
        let end = Instant.now() + .seconds(10)
        watch.finish { (try? loop.turn(until: end)) != nil && Instant.now() < end }
        loop.remove(watch)
    }

    /// Serves the loop for that long; false as soon as a stop is requested.
    func pause(_ span: TimeSpan) -> Bool {
        let end = Instant.now() + span
        while Instant.now() < end, !signals.stopRequested {
            do {
                try loop.turn(until: end)
            } catch {
                return false
            }
        }
        return !signals.stopRequested
    }
}

/// One socket in the loop, for one wait.
private final class SocketSource: PollSource {
    let descriptor: Int32?
    let interest: PollInterest
    let deadline: Instant? = nil
    private(set) var isReady = false

    init(_ descriptor: Int32, _ interest: SocketInterest) {
        self.descriptor = descriptor
        var wanted: PollInterest = []
        if interest.contains(.read) { wanted.insert(.read) }
        if interest.contains(.write) { wanted.insert(.write) }
        self.interest = wanted
    }

    func ready(_ events: PollInterest, now: Instant) { isReady = true }
    func deadlinePassed(now: Instant) {}
}
