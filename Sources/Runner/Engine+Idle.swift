internal import Migrations
internal import Postgres
internal import Reporting
internal import Systemd

extension Engine {
    /// Whether there is a working session that still stands.
    var isConnected: Bool { sessions.working?.isAlive == true }

    /// A look at the directory and the history that runs nothing and records nothing but the schema itself.
    func survey() throws(RunFailure) -> RunSummary {
        try prepareHistory()
        try keepListening()
        let snapshot = try snapshot()
        return try summary(of: try plan(snapshot, try standing().states), snapshot, RunSummary())
    }

    /// Keeps the idle session open: it hears of others' events.
    func keepListening() throws(RunFailure) { _ = try sessions.lock() }

    /// The sessions as sources of a loop that has nothing else to do: they tell of their own end, and of others' events.
    func idleSources(onChange: @escaping () -> Void) -> [any PollSource] {
        let own = Set(sessions.all.map(\.sessionPID))
        return sessions.all.filter(\.isAlive).map { connection in
            IdleSource(connection) { [sessions] in
                guard connection.consumeInput() else {
                    sessions.dropAll()
                    return onChange()
                }
                if connection.notifications().contains(where: { !own.contains($0.backendPID) }) { onChange() }
            }
        }
    }

    /// Forgets what was told of our own events.
    func forgetNotifications() { _ = sessions.locking?.notifications() }
}

/// An idle session in the loop.
private final class IdleSource: PollSource {
    let descriptor: Int32?
    let interest: PollInterest = .read
    let deadline: Instant? = nil
    private let onInput: () -> Void

    init(_ connection: Connection, onInput: @escaping () -> Void) {
        descriptor = connection.descriptor
        self.onInput = onInput
    }

    func ready(_ events: PollInterest, now: Instant) { onInput() }
    func deadlinePassed(now: Instant) {}
}
