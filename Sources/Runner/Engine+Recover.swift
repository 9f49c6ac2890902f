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
        let open = try history.openAttempts()
        guard !open.isEmpty else { return }
        try endLeftoverSessions(of: open)
        for attempt in try history.openAttempts() {
            var event = AuditEvent(.interrupted, by: try actor())
            event.attemptID = attempt.attemptID
            event.version = attempt.version
            event.name = attempt.name
            event.checksum = attempt.checksum
            event.direction = attempt.direction
            event.reason = "process_died"
            if attempt.detail["repeatable"] != nil { event.detail["repeatable"] = true }
            try record([event])
        }
    }

    /// Ends sessions of processes that have left an attempt open, and waits until they are gone.
    ///
    /// Only of those: another daemon that waits for the lock is left in peace.
    private func endLeftoverSessions(of attempts: [History.OpenAttempt]) throws(RunFailure) {
        let ids = attempts.map { Quoting.literal($0.attemptID.description) }.joined(separator: ", ")
        let lock = try sessions.lock().sessionPID
        let own = try sessions.work().sessionPID
        while true {
            let left = try sessions.query(
                sessions.work(),
                """
                SELECT pg_catalog.pg_terminate_backend(a.pid)
                  FROM pg_catalog.pg_stat_activity AS a
                 WHERE a.datname = pg_catalog.current_database() AND a.pid NOT IN ($1::integer, $2::integer)
                   AND a.application_name IN (
                       SELECT pg_catalog.left('migrated ' || s.host || ' ' || s.pid, 63)
                         FROM \(store.schema).migration_rollback_audit AS s WHERE s.event = 'started' AND s.attempt_id IN (\(ids)))
                """, [.integer(lock), .integer(own)])
            if left.rows.isEmpty { return }
            reporter.say(5, "waiting for \(left.rows.count) session(s) that an interrupted attempt left behind")
            try sessions.pause(.milliseconds(100))
        }
    }
}
