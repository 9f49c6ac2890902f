internal import AuditSchema
public import Configuration
internal import JSON
internal import Postgres
internal import Reporting
public import Systemd

/// Sets the history up as it should be in production: its schema at this program's version, owned by a role that nobody logs in as, and the
/// rights of those that keep it, run files or read.
///
/// Needs a login that may create roles and that owns what is there already, or a superuser. All of it is one transaction, and doing it again
/// changes nothing.
public struct Installation {
    /// Logins that get a role: those of the configuration, by name.
    public struct Logins: Sendable {
        /// Who runs the files.
        public var migration: String?
        /// Who keeps the history.
        public var audit: String?
        /// Who reads it.
        public var auditors: [String]
        /// Who reads the files' texts and the values of rows as well.
        public var sourceReaders: [String]

        /// Logins from their names. Where neither files nor history have one, whoever owned the history before goes on with both.
        public init(migration: String?, audit: String?, auditors: [String], sourceReaders: [String]) {
            self.migration = migration
            self.audit = audit
            self.auditors = auditors
            self.sourceReaders = sourceReaders
        }

        /// The settings from which `roles.sql` reads them, until the transaction's end.
        var settings: String {
            let values = [
                ("migration_login", migration ?? ""), ("audit_login", audit ?? ""),
                ("auditors", JSONValue.array(auditors.map(JSONValue.string)).text),
                ("source_readers", JSONValue.array(sourceReaders.map(JSONValue.string)).text),
            ]
            let calls = values.map { "pg_catalog.set_config('migrated.\($0.0)', \(Quoting.literal($0.1)), true)" }
            return "SELECT \(calls.joined(separator: ",\n       "));"
        }
    }

    /// What was done, or would be.
    public struct Report: Sendable {
        /// The version of the history's schema before; nil where there was none.
        public var versionBefore: Int?
        /// The version now.
        public var version: Int
        /// Everything that runs, in order, as one text for psql.
        public var sql: String
        /// What the roles do not achieve, in sentences.
        public var weaknesses: [String] = []
        /// The role that owns the history.
        var owner = ""
        /// Who has which role.
        var grants: [String] = []
        /// Rights of others that were taken, as the statements that did so.
        var revoked: [String] = []

        /// For people.
        public var lines: [String] {
            let what =
                switch versionBefore {
                case nil: "the history is set up, version \(version)"
                case version: "the history was there, version \(version)"
                case let before?: "the history was upgraded from version \(before) to \(version)"
                }
            return [what + "; it belongs to \(owner)"] + grants.map { "granted \($0)" }
                + revoked.map { "took a right of others: \($0)" } + weaknesses.map { "note: \($0)" }
        }
    }

    private let settings: Settings
    private let sessions: Sessions
    private let store: AuditStore
    private let logins: Logins

    /// An installation that has not touched anything yet. `settings.database` is the login that sets up.
    public init(_ settings: Settings, logins: Logins, loop: PollLoop, signals: Signals) throws(RunFailure) {
        var own = settings
        own.auditDatabase = nil
        self.settings = own
        self.logins = logins
        sessions = try Sessions(own, waiter: LoopWaiter(loop: loop, signals: signals), listens: false)
        do throws(Complaint) {
            store = AuditStore(sessions: sessions, schema: own.schema, witness: try Witness(own))
        } catch {
            throw .complaint(error)
        }
    }

    /// Installs, upgrades, and grants; with `dryRun` only says what would run.
    public func run(dryRun: Bool) throws(RunFailure) -> Report {
        let connection = try sessions.work()
        // A database can have a role of its own for every session.
        try sessions.run(connection, "SET ROLE NONE")
        var logins = logins
        if logins.migration == nil, logins.audit == nil {
            logins.migration = try formerOwner()
            logins.audit = logins.migration
        }
        if dryRun {
            let before = try store.installedVersion(connection)
            let sql =
                "BEGIN;\n" + (try upgrades(from: before) + roles(logins)).joined(separator: "\n") + "\nCOMMIT;\n"
            return Report(versionBefore: before, version: AuditSchema.currentVersion, sql: sql)
        }
        var report = try patiently { () throws(RunFailure) in try install(logins) }
        for (login, runsFiles) in [(logins.migration, true), (logins.audit, false)] {
            guard let login, let powers = try sessions.powers(of: login, runsFiles: runsFiles, schema: settings.schema)
            else { continue }
            if let weakness = powers.weakness { report.weaknesses.append(weakness) }
        }
        return report
    }

    private func install(_ logins: Logins) throws(RunFailure) -> Report {
        let connection = try sessions.work()
        return try store.installing(connection) { () throws(RunFailure) in
            // What is checked now must be what runs then: nobody replaces a function meanwhile. A login that is no superuser risks no more than it has.
            if connection.reported("is_superuser") == "on" {
                try sessions.query(
                    connection,
                    """
                    SELECT FROM pg_catalog.pg_proc AS p JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
                     WHERE n.nspname = $1::pg_catalog.name FOR UPDATE OF p
                    """, [.text(settings.schema)])
            }
            let joined = try joinOwner()
            let before = try store.installedVersion(connection)
            for step in try upgrades(from: before) { try sessions.run(connection, step) }
            var report = Report(versionBefore: before, version: AuditSchema.currentVersion, sql: "")
            // Before the roles do it: what others had is worth a word. What the shared roles of earlier versions had is none.
            report.revoked =
                before == AuditSchema.currentVersion ? try texts("SELECT \(store.schema).revoke_foreign_rights()") : []
            let names = try texts(
                """
                SELECT \(store.schema).role_name(w.word)
                  FROM pg_catalog.unnest(ARRAY['audit_owner', 'migrated_audit', 'migrator', 'auditor', 'source_reader']) AS w(word)
                """)
            // Behind them a login that is no superuser has no right to the history any more.
            for step in roles(logins) { try sessions.run(connection, step) }
            if let joined { try sessions.run(connection, "REVOKE \(joined)") }
            report.owner = names.first ?? ""
            report.grants = try texts(
                """
                SELECT pg_catalog.format('%s to ''%s''', r.rolname, m.rolname)
                  FROM pg_catalog.unnest(\(Quoting.literal(Quoting.array(Array(names.dropFirst()))))::pg_catalog.name[])
                       WITH ORDINALITY AS w(name, place)
                  JOIN pg_catalog.pg_roles AS r ON r.rolname = w.name
                  JOIN pg_catalog.pg_auth_members AS a ON a.roleid = r.oid JOIN pg_catalog.pg_roles AS m ON m.oid = a.member
                 WHERE coalesce(pg_catalog.to_jsonb(a) ->> 'inherit_option', 'true') = 'true' ORDER BY w.place, m.rolname
                """)
            return report
        }
    }

    /// Makes the login a member of the owner, where the history has one that it is not but may become: the login that made the role administers it, from
    /// PostgreSQL 16 on. Returns what to take again behind GRANT and REVOKE; nil where nothing was given.
    private func joinOwner() throws(RunFailure) -> String? {
        let found = try sessions.query(
            sessions.work(),
            """
            SELECT pg_catalog.format('%I', pg_catalog.pg_get_userbyid(n.nspowner)), pg_catalog.format('%I', current_user)
              FROM pg_catalog.pg_namespace AS n WHERE n.nspname = $1::pg_catalog.name AND NOT pg_catalog.pg_has_role(n.nspowner, 'USAGE')
            """, [.text(settings.schema)])
        guard !found.rows.isEmpty, let owner = found.text(0, 0), let login = found.text(0, 1) else { return nil }
        try sessions.run(sessions.work(), "GRANT \(owner) TO \(login)")
        return "\(owner) FROM \(login)"
    }

    /// Does it again where another database of the server was set up at the same moment: the rows of roles are the whole server's.
    private func patiently<Value>(_ body: () throws(RunFailure) -> Value) throws(RunFailure) -> Value {
        for _ in 1..<5 {
            do throws(RunFailure) {
                return try body()
            } catch {
                // internal_error ("tuple concurrently updated"), unique_violation and duplicate_object of a role made meanwhile.
                guard ["XX000", "23505", "42710"].contains(error.complaint.sqlstate) else { throw error }
                try sessions.pause(.milliseconds(.random(in: 50...250)))
            }
        }
        return try body()
    }

    private func texts(_ sql: String) throws(RunFailure) -> [String] {
        let found = try sessions.query(sessions.work(), sql)
        return found.rows.indices.compactMap { found.text($0, 0) }
    }

    private func upgrades(from before: Int?) throws(RunFailure) -> [String] {
        let current = AuditSchema.currentVersion
        if let before, before > current { throw store.newer(before) }
        return ((before ?? 0)..<current).map { AuditSchema.sql(version: $0 + 1, quotedSchema: store.schema) }
    }

    private func roles(_ logins: Logins) -> [String] {
        [logins.settings, AuditSchema.roles(quotedSchema: store.schema)]
    }

    /// The login that has owned the history so far and would lose its rights to it; a superuser loses none.
    private func formerOwner() throws(RunFailure) -> String? {
        let found = try sessions.query(
            sessions.work(),
            """
            SELECT o.rolname FROM pg_catalog.pg_namespace AS n JOIN pg_catalog.pg_roles AS o ON o.oid = n.nspowner
             WHERE n.nspname = $1::pg_catalog.name AND o.rolcanlogin AND NOT o.rolsuper
            """, [.text(settings.schema)])
        return found.rows.isEmpty ? nil : found.text(0, 0)
    }
}
