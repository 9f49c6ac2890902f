internal import AuditReading
internal import Postgres
internal import Reporting
internal import Systemd

extension AuditStore {
    /// Makes known, in a transaction of its own, which token the end of something will carry, and from which backend: where it has no `started`,
    /// or goes on in another session than that one named.
    func announce(_ token: OneTimeToken, from backend: Int32) throws(RunFailure) {
        // Not where a file's transaction may be open.
        try sessions.pipeline(sessions.lock(), [expect(token, from: backend)])
    }

    /// Refuses to go on as a superuser where that would run functions, triggers, constraints or views of others.
    func refuseForeignCode(_ connection: Connection) throws(RunFailure) {
        guard connection.reported("is_superuser") == "on" else { return }
        sessions.waiter.begin(.bookkeeping(from: .now()))
        let found: [String]
        do throws(PostgresError) {
            let reader = HistoryReader(connection, schema: name)
            guard try reader.isInOthersHands() else { return }
            let isOpen = connection.transactionStatus == .inTransaction
            if !isOpen { try connection.run("BEGIN READ ONLY") }
            found = try reader.foreignCode()
            if !isOpen { try connection.run("COMMIT") }
        } catch {
            throw sessions.failure(error)
        }
        guard let first = found.first else { return }
        let more = found.count > 1 ? ", and \(found.count - 1) more" : ""
        throw .complaint(
            Complaint(
                .configuration,
                "the history in schema \(schema) would run code that is not migrated's, as a superuser: \(first)\(more)",
                hint: """
                    Nothing was run. A login that owned the history has changed it: look with 'auditctl verify' as that login, and find out who did that, \
                    before anything is set right as a superuser.
                    """))
    }

    /// The error code by which our own SQL refuses roles and rights that are otherwise than it makes them.
    static let unfitRights = "MG007"

    /// The first version of the history's schema that says who else has rights to it.
    static let rightsVersion = 7

    /// Asks who else may change the history.
    var foreignRightsQuery: String {
        "SELECT r.role, r.privilege, r.class, r.object, r.remedy FROM \(schema).foreign_rights() AS r"
    }

    /// Refuses a history that others may write: what it says would not have to be true.
    func refuseForeignRights(_ found: QueryResult) throws(RunFailure) {
        guard !found.rows.isEmpty else { return }
        func text(_ column: Int) -> String { Printable.line(found.text(0, column) ?? "", limit: 200) }
        let what =
            switch (text(1), text(2)) {
            case ("MEMBER", _): "is a member of '\(text(3))'"
            case ("LOGIN", _): "owns it and can log in"
            case (let privilege, let kind): "has \(privilege) on \(kind.lowercased()) \(text(3))"
            }
        let more = found.rows.count > 1 ? ", and \(found.rows.count - 1) further rights like it" : ""
        throw .complaint(
            Complaint(
                .configuration, "the history in schema \(schema) is open to others: role '\(text(0))' \(what)\(more)",
                hint: """
                    Nothing was run, because what the history says may not be true. Run 'migrated init' as a superuser, or by hand: \
                    \(text(4)); then look with 'auditctl verify'.
                    """))
    }

    /// What it means that the history cannot be read: most of all that it has an owner of its own, and this login no part in it.
    func refused(_ error: RunFailure, login: String) -> RunFailure {
        guard case .refused(let cause) = error, cause.sqlstate == "42501" else { return error }
        return .complaint(
            Complaint(
                .permission, "login '\(login)' may not read the history in schema \(schema)",
                hint: """
                    Set '[audit] database' to a login that keeps the history, or let this one do both, as a superuser: \
                    migrated init --audit-login '\(login)' --migration-login '\(login)'
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
                hint: "Run as a superuser: migrated init --migration-login '\(connection.user)'"
            ))
    }
}
