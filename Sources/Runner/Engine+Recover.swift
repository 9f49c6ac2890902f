internal import Audit
internal import JSON
internal import Postgres
internal import Reporting

extension Engine {
    /// Closes attempts that have started and not ended. Call it only under the lock: then nobody can be at them.
    ///
    /// What their sessions had open can outlive their process until the server notices; those sessions are ended first, so that the
    /// outcome is certain before it is recorded.
    func recover() throws(RunFailure) {
        let open = try standing().openAttempts
        guard !open.isEmpty else { return }
        try endLeftoverSessions(of: open)
        for attempt in try history.openAttempts() {
            var event = AuditEvent(.interrupted, by: try actor())
            event.attemptID = attempt.attemptID
            event.version = attempt.version
            event.name = attempt.name
            event.checksum = attempt.checksum
            event.direction = attempt.direction
            // Where it was this very process, it is the session that was lost, and with it the record of the end.
            event.reason = ownAttempts.contains(attempt.attemptID) ? "connection_lost" : "process_died"
            if attempt.detail["repeatable"] != nil { event.detail["repeatable"] = true }
            try recordEnd(event)
        }
    }

    /// Ends sessions of processes that have left an attempt open, and waits until they are gone.
    ///
    /// Only of those: another daemon that waits for the lock is left in peace.
    private func endLeftoverSessions(of attempts: [History.OpenAttempt]) throws(RunFailure) {
        let ids = attempts.map { Quoting.literal($0.attemptID.description) }.joined(separator: ", ")
        // The history is read as who keeps it, the sessions are ended as who they belong to.
        let known = try sessions.query(
            sessions.books(),
            """
            SELECT DISTINCT pg_catalog.left('migrated ' || s.host || ' ' || s.pid, 63)
              FROM \(store.schema).migration_rollback_audit AS s WHERE s.event = 'started' AND s.attempt_id IN (\(ids))
            """)
        let names = known.rows.indices.compactMap { known.text($0, 0).map(Quoting.literal) }
        guard !names.isEmpty else { return }
        let asking = try sessions.hasTwoLogins ? [sessions.books(), sessions.work()] : [sessions.work()]
        _ = try sessions.lock()
        let own = sessions.all.map { String($0.sessionPID) }.joined(separator: ", ")
        for connection in asking {
            // A login may end its own sessions, not the other's.
            let mine = sessions.hasTwoLogins ? "AND a.usename = current_user" : ""
            while true {
                let left = try sessions.query(
                    connection,
                    """
                    SELECT pg_catalog.pg_terminate_backend(a.pid)
                      FROM pg_catalog.pg_stat_activity AS a
                     WHERE a.datname = pg_catalog.current_database() AND a.pid NOT IN (\(own)) \(mine)
                       AND a.application_name IN (\(names.joined(separator: ", ")))
                    """)
                if left.rows.isEmpty { break }
                reporter.say(5, "waiting for \(left.rows.count) session(s) that an interrupted attempt left behind")
                try sessions.pause(.milliseconds(100))
            }
        }
    }
}
