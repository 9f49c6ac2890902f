internal import JSON
internal import Postgres
internal import Reporting
internal import SQLLexing

/// A session that kept a migration waiting for a lock.
struct Blocker: Equatable {
    var backendPID: Int64
    var application: String
    var user: String
    var state: String
    var transactionSeconds: Int64?
    /// Its statement without literals: they are other people's data.
    var query: String
    /// The locks that it holds on what was waited for: `AccessShareLock on public.users`.
    var locks: String

    /// A row of `question`.
    init(_ result: QueryResult, _ row: Int) {
        func text(_ column: Int, _ limit: Int) -> String {
            Printable.line(result.text(row, column) ?? "", limit: limit)
        }
        backendPID = result.integer(row, 0) ?? 0
        application = text(1, 64)
        user = text(2, 64)
        state = text(3, 64)
        transactionSeconds = result.integer(row, 4)
        query = Printable.line(Secrets.withoutLiterals(result.text(row, 5) ?? ""), limit: 300)
        locks = text(6, 300)
    }

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

    /// Whom the backend `waiting` waits for.
    static func question(_ waiting: Int32) -> String {
        """
        SELECT b.pid, coalesce(b.application_name, ''), coalesce(b.usename::text, ''), coalesce(b.state, ''),
               CASE WHEN b.xact_start IS NOT NULL THEN greatest(pg_catalog.floor(extract(epoch FROM pg_catalog.clock_timestamp() - b.xact_start)), 0)::bigint END,
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
