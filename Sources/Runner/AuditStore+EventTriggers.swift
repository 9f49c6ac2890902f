internal import Postgres
internal import Reporting

extension AuditStore {
    /// The complaint about an event trigger of the database that has failed, or refused something, while the history was set up; nil where it was
    /// something else.
    ///
    /// The server does not name an event trigger whose function fails, but the call stack of the error names the function (PostgreSQL manual 40.1
    /// "Overview of Event Trigger Behavior").
    func failedTrigger(_ error: RunFailure, _ connection: Connection) -> Complaint? {
        guard case .refused(.server(let refusal)) = error, let context = refusal.context, connection.isAlive else {
            return nil
        }
        let found: QueryResult
        do throws(RunFailure) {
            try sessions.run(connection, "ROLLBACK")
            found = try sessions.query(
                connection,
                """
                SELECT pg_catalog.format('%I', v.evtname), v.evtevent, v.evtfoid::pg_catalog.regprocedure::text, p.proname
                  FROM pg_catalog.pg_event_trigger AS v JOIN pg_catalog.pg_proc AS p ON p.oid = v.evtfoid
                 WHERE v.evtenabled <> 'D' ORDER BY v.evtname
                """)
        } catch {
            return nil
        }
        for row in found.rows.indices {
            let (trigger, event) = (found.text(row, 0) ?? "", found.text(row, 1) ?? "")
            let (function, name) = (found.text(row, 2) ?? "", found.text(row, 3) ?? "")
            // As PL/pgSQL writes it: with its schema where that is not on the path.
            guard context.contains("function \(name)(") || context.contains(".\(name)(") else { continue }
            return Complaint(
                .configuration,
                """
                the history's schema \(schema) could not be set up: event trigger \(trigger) (\(event)) of this database calls \(function), \
                which failed: \(refusal.message)
                """,
                hint: """
                    Let that function pass what happens in schema \(schema), or set up without it, as a superuser: ALTER EVENT TRIGGER \(trigger) DISABLE; \
                    then 'migrated init'; then ALTER EVENT TRIGGER \(trigger) ENABLE.
                    """, sqlstate: refusal.sqlstate)
        }
        return nil
    }
}
