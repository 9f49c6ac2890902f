internal import JSON
internal import Postgres
internal import Reporting
internal import Systemd

/// A session that kept a migration waiting for a lock.
struct Blocker: Equatable {
    var backendPID: Int64
    var application: String
    var user: String
    var state: String
    var transactionSeconds: Int64?
    var query: String
    /// The locks that it holds on what was waited for: `AccessShareLock on public.users`.
    var locks: String

    var json: JSONValue {
        [
            "pid": .integer(backendPID), "application": .string(application), "user": .string(user),
            "state": .string(state),
            "transaction_seconds": JSONValue(transactionSeconds), "query": .string(query), "locks": .string(locks),
        ]
    }

    /// One line, for people.
    var description: String {
        let age = transactionSeconds.map { ", in a transaction for \(TimeSpan.seconds($0).brief)" } ?? ""
        return
            "pid \(backendPID) ('\(application)', user '\(user)', \(state)\(age)) holds \(locks); its query: \(query)"
    }
}

/// Looks, while a file's statement runs, for sessions that it waits for: after a lock timeout they could not be named any more.
///
/// It asks through the idle session that holds our lock, without waiting for the answer: a source of the loop like any other.
final class BlockerWatch: PollSource {
    private let connection: Connection
    private let question: String
    private let interval: TimeSpan
    private var isAsking = false
    private(set) var deadline: Instant?
    /// Who was seen last.
    private(set) var blockers: [Blocker] = []

    /// Watches the backend `waiting`, often enough to see a wait that ends after `lockTimeout`.
    init(_ connection: Connection, waiting: Int32, lockTimeout: TimeSpan) {
        self.connection = connection
        interval = max(.milliseconds(50), min(.seconds(1), TimeSpan(microseconds: lockTimeout.microseconds / 3)))
        deadline = .now() + interval
        question = BlockerWatch.question(waiting)
    }

    var descriptor: Int32? { isAsking ? connection.descriptor : nil }
    var interest: PollInterest { isAsking ? .read : [] }

    func deadlinePassed(now: Instant) {
        deadline = now + interval
        guard !isAsking else { return }
        isAsking = connection.ask(question)
        if !isAsking { deadline = nil }
    }

    func ready(_ events: PollInterest, now: Instant) {
        switch connection.answer() {
        case .pending: break
        case .failed:
            isAsking = false
            deadline = nil
        case .rows(let result):
            isAsking = false
            let seen = result.rows.indices.map { BlockerWatch.blocker(result, $0) }
            if !seen.isEmpty { blockers = seen }
        }
    }

    /// Takes the answer that is still on its way, so that the session is free for others: served by `turn` until it has come.
    func finish(_ turn: () -> Bool) {
        deadline = nil
        while isAsking, turn() {}
    }

    static func blocker(_ result: QueryResult, _ row: Int) -> Blocker {
        func text(_ column: Int, _ limit: Int) -> String {
            Printable.line(result.text(row, column) ?? "", limit: limit)
        }
        return Blocker(
            backendPID: result.integer(row, 0) ?? 0, application: text(1, 64), user: text(2, 64), state: text(3, 64),
            transactionSeconds: result.integer(row, 4), query: text(5, 300), locks: text(6, 300))
    }

    private static func question(_ waiting: Int32) -> String {
        """
        SELECT b.pid, coalesce(b.application_name, ''), coalesce(b.usename::text, ''), coalesce(b.state, ''),
               pg_catalog.floor(extract(epoch FROM pg_catalog.clock_timestamp() - b.xact_start))::bigint,
               coalesce(pg_catalog.left(b.query, 300), ''),
               coalesce((SELECT pg_catalog.string_agg(DISTINCT h.mode || ' on ' || coalesce(h.relation::pg_catalog.regclass::text, h.locktype), ', ')
                           FROM pg_catalog.pg_locks AS wanted
                           JOIN pg_catalog.pg_locks AS h ON h.granted AND h.pid = b.pid AND h.locktype = wanted.locktype
                            AND h.database IS NOT DISTINCT FROM wanted.database
                            AND h.relation IS NOT DISTINCT FROM wanted.relation
                            AND h.virtualxid IS NOT DISTINCT FROM wanted.virtualxid
                            AND h.transactionid IS NOT DISTINCT FROM wanted.transactionid
                          WHERE wanted.pid = w.pid AND NOT wanted.granted), 'a place in the queue')
          FROM pg_catalog.pg_stat_activity AS w
          CROSS JOIN LATERAL pg_catalog.unnest(pg_catalog.pg_blocking_pids(w.pid)) AS blocking(pid)
          JOIN pg_catalog.pg_stat_activity AS b ON b.pid = blocking.pid
         WHERE w.pid = \(waiting) AND w.wait_event_type = 'Lock'
         LIMIT 10
        """
    }
}
