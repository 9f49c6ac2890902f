internal import Postgres
internal import Reporting

extension AuditStore {
    /// Runs statements of which one locks the head; where that cannot be had in time, says whose session has it (exit 75).
    func lockingHead(_ connection: Connection, _ sql: String) throws(RunFailure) -> [QueryResult] {
        do throws(RunFailure) {
            return try sessions.run(connection, sql)
        } catch {
            // lock_not_available, query_canceled by the timeout.
            guard case .refused(let cause) = error, ["55P03", "57014"].contains(cause.sqlstate) else { throw error }
            try sessions.run(connection, "ROLLBACK")
            throw .complaint(try headHeld(connection))
        }
    }

    /// The session that holds the head: a row lock comes with a lock on the table until the end of the transaction (PostgreSQL manual 13.3).
    private func headHeld(_ connection: Connection) throws(RunFailure) -> Complaint {
        let found = try sessions.query(
            connection,
            """
            SELECT l.pid, a.usename, a.application_name
              FROM pg_catalog.pg_locks AS l LEFT JOIN pg_catalog.pg_stat_activity AS a ON a.pid = l.pid
             WHERE l.locktype = 'relation' AND l.granted AND l.mode <> 'AccessShareLock' AND l.pid <> pg_catalog.pg_backend_pid()
               AND l.relation = (SELECT c.oid FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
                                  WHERE n.nspname = $1::pg_catalog.name AND c.relname = 'audit_head')
               AND l.database = (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database())
             ORDER BY l.pid LIMIT 1
            """, [.text(name)])
        guard !found.rows.isEmpty, let backend = found.integer(0, 0) else {
            return Complaint(
                .tryLater, "the head of the history in schema \(schema) could not be locked in time",
                hint: "It is not locked any more; it is safe to try again.")
        }
        let role = Printable.line(found.text(0, 1) ?? "", limit: 80)
        let application = Printable.line(found.text(0, 2) ?? "", limit: 80)
        return Complaint(
            .tryLater,
            "the head of the history in schema \(schema) is locked by backend \(backend), role '\(role)', '\(application)'",
            hint: """
                Nothing can be recorded until that transaction ends. If it does not end by itself: SELECT pg_terminate_backend(\(backend)); \
                as a superuser.
                """)
    }
}
