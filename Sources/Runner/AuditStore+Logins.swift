internal import Postgres
internal import Reporting

extension AuditStore {
    /// Makes known, in a transaction of its own, which token the end of something will carry that has no `started`.
    func announce(_ token: OneTimeToken) throws(RunFailure) {
        try sessions.pipeline(sessions.books(), [expect(token)])
    }

    /// What it means that the history cannot be read: most of all that it has an owner of its own, and this login no part in it.
    func refused(_ error: RunFailure, login: String) -> RunFailure {
        guard case .refused(let cause) = error, cause.sqlstate == "42501" else { return error }
        return .complaint(
            Complaint(
                .permission, "login '\(login)' may not read the history in schema \(schema)",
                hint: """
                    Set '[audit] database' to a login that keeps the history, or let this one do both: \
                    GRANT migrated_audit, migrator TO \(Quoting.identifier(login));
                    """, sqlstate: cause.sqlstate))
    }

    /// Refuses a login that could run a file and then not record it: nobody but the file would be blamed.
    func admit(_ connection: Connection) throws(RunFailure) {
        guard sessions.hasTwoLogins else { return }
        let found = try sessions.query(
            connection,
            """
            SELECT pg_catalog.has_schema_privilege($1::text, 'USAGE') AND EXISTS (
                SELECT FROM pg_catalog.pg_proc AS p JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
                 WHERE n.nspname = $1::text AND p.proname = 'append_attempt' AND pg_catalog.has_function_privilege(p.oid, 'EXECUTE'))
            """, [.text(name)])
        guard !found.isTrue(0, 0) else { return }
        throw .complaint(
            Complaint(
                .configuration,
                "login '\(connection.user)', which runs the files, may not append to the history in schema \(schema)",
                hint:
                    "Run 'migrated init' as a superuser, then GRANT migrator TO \(Quoting.identifier(connection.user));"
            ))
    }
}
