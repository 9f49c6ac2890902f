internal import Postgres
internal import Reporting
internal import Systemd

/// Looks, while a file's statement runs, for sessions that it waits for, which after a lock timeout could not be named any more, and for
/// how far it has come.
///
/// It asks through the idle session that holds our lock, without waiting for the answer: a source of the loop like any other. Nothing is
/// asked of a statement that has ended before its first look.
final class StatementWatch: PollSource {
    private enum Question { case blockers, progress }

    private let connection: Connection
    private let backend: Int32
    private let began = Instant.now()
    private let lookInterval: TimeSpan
    /// When blockers are looked for next; nil where no limit makes them matter.
    private var nextLook: Instant?
    /// When progress is told next; nil where nobody listens.
    private var nextTelling: Instant?
    private var asking: Question?
    private var isOver = false
    /// Who was seen last.
    private(set) var blockers: [Blocker] = []

    /// Told every second how long the statement has run and what the server says of it; nil before the first answer and where it has none.
    var onProgress: ((TimeSpan, Activity?) -> Void)? {
        didSet { nextTelling = onProgress == nil ? nil : began + StatementWatch.tellInterval }
    }
    private static let tellInterval = TimeSpan.seconds(1)

    /// Watches the backend, often enough to see a wait that ends after `lockTimeout`; 0 is no limit.
    init(_ connection: Connection, backend: Int32, lockTimeout: TimeSpan) {
        self.connection = connection
        self.backend = backend
        lookInterval = max(.milliseconds(50), min(.seconds(1), TimeSpan(microseconds: lockTimeout.microseconds / 3)))
        nextLook = lockTimeout.microseconds > 0 ? began + lookInterval : nil
    }

    var descriptor: Int32? { asking == nil ? nil : connection.descriptor }
    var interest: PollInterest { asking == nil ? [] : .read }
    /// While an answer is awaited, nothing further is asked.
    var deadline: Instant? {
        isOver || asking != nil ? nil : [nextLook, nextTelling].compactMap(\.self).min()
    }

    func deadlinePassed(now: Instant) {
        if let next = nextTelling, next <= now, nextLook.map({ next <= $0 }) ?? true {
            nextTelling = now + StatementWatch.tellInterval
            ask(.progress, Activity.question(of: backend, serverVersion: connection.serverVersion))
        } else {
            nextLook = now + lookInterval
            ask(.blockers, Blocker.question(backend))
        }
    }

    private func ask(_ question: Question, _ sql: String) {
        if connection.ask(sql) { asking = question } else { isOver = true }
    }

    func ready(_ events: PollInterest, now: Instant) {
        switch connection.answer() {
        case .pending: break
        case .failed:
            asking = nil
            isOver = true
        case .rows(let result):
            let question = asking
            asking = nil
            switch question {
            case .blockers:
                let seen = result.rows.indices.map { Blocker(result, $0) }
                if !seen.isEmpty { blockers = seen }
            case .progress:
                // An answer that comes when the statement has ended is old.
                if !isOver { onProgress?(now - began, result.rows.isEmpty ? nil : Activity(result, 0)) }
            case nil: break
            }
        }
    }

    /// Takes the answer that is still on its way, so that the session is free for others: served by `turn` until it has come.
    func finish(_ turn: () -> Bool) {
        isOver = true
        while asking != nil, turn() {}
    }
}
