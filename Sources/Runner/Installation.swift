internal import AuditSchema
public import Configuration
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

        /// Logins from their names. Where neither files nor history have one, whoever owned the history before goes on with both.
        public init(migration: String?, audit: String?, auditors: [String]) {
            self.migration = migration
            self.audit = audit
            self.auditors = auditors
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
        /// Who got which role.
        var grants: [String] = []

        /// For people.
        public var lines: [String] {
            let what =
                switch versionBefore {
                case nil: "the history is set up, version \(version)"
                case version: "the history was there, version \(version)"
                case let before?: "the history was upgraded from version \(before) to \(version)"
                }
            return [what + "; it belongs to audit_owner"] + grants.map { "granted \($0)" }
                + weaknesses.map { "note: \($0)" }
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
        var logins = logins
        if logins.migration == nil, logins.audit == nil {
            logins.migration = try formerOwner()
            logins.audit = logins.migration
        }
        if dryRun {
            let before = try store.installedVersion(connection)
            let sql = "BEGIN;\n" + (try steps(from: before, logins)).joined(separator: "\n") + "\nCOMMIT;\n"
            return Report(versionBefore: before, version: AuditSchema.currentVersion, sql: sql)
        }
        var report = try store.installing(connection) { () throws(RunFailure) in
            let before = try store.installedVersion(connection)
            let steps = try steps(from: before, logins)
            for step in steps { try sessions.run(connection, step) }
            return Report(
                versionBefore: before, version: AuditSchema.currentVersion, sql: steps.joined(separator: "\n"),
                grants: memberships(logins).map { "\($0.role) to '\($0.login)'" })
        }
        for (login, runsFiles) in [(logins.migration, true), (logins.audit, false)] {
            guard let login, let powers = try sessions.powers(of: login, runsFiles: runsFiles, schema: settings.schema)
            else { continue }
            if let weakness = powers.weakness { report.weaknesses.append(weakness) }
        }
        return report
    }

    private func steps(from before: Int?, _ logins: Logins) throws(RunFailure) -> [String] {
        let current = AuditSchema.currentVersion
        if let before, before > current { throw store.newer(before) }
        let upgrades = ((before ?? 0)..<current).map { AuditSchema.sql(version: $0 + 1, quotedSchema: store.schema) }
        let grants = memberships(logins).map { "GRANT \($0.role) TO \(Quoting.identifier($0.login));" }
        return upgrades + [AuditSchema.roles(quotedSchema: store.schema)] + grants
    }

    private func memberships(_ logins: Logins) -> [(role: String, login: String)] {
        let wanted =
            [("migrated_audit", logins.audit), ("migrator", logins.migration)] + logins.auditors.map { ("auditor", $0) }
        return wanted.compactMap { role, login in
            // A role is no member of itself.
            guard let login, login != role else { return nil }
            return (role, login)
        }
    }

    /// The login that has owned the history so far and would lose its rights to it; a superuser loses none.
    private func formerOwner() throws(RunFailure) -> String? {
        let found = try sessions.query(
            sessions.work(),
            """
            SELECT o.rolname FROM pg_catalog.pg_namespace AS n JOIN pg_catalog.pg_roles AS o ON o.oid = n.nspowner
             WHERE n.nspname = $1::pg_catalog.name AND o.rolname <> 'audit_owner' AND o.rolcanlogin AND NOT o.rolsuper
            """, [.text(settings.schema)])
        return found.rows.isEmpty ? nil : found.text(0, 0)
    }
}
