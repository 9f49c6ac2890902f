internal import Audit
internal import Configuration
internal import Postgres
internal import Reporting

/// A database beside the real one in which the files run, so that it can be seen what they make. It is dropped in any case; what a process that was
/// killed has left is dropped by the next one.
struct ScratchDatabase {
    /// Where it is made.
    struct Plan: Sendable {
        /// Whether it is a copy of the database from which it is made, and not empty.
        var isCopy: Bool
        /// The oid of the real database, which tells its leftovers from those of others.
        var database: Int64
        /// How the real database writes text: encoding, locale and its provider.
        var locale: String
        /// What the real database or this login in it has set, as libpq's option string.
        var options: String
        /// Extensions of the real database that no file creates, each with its schema.
        var extensions: [(name: String, schema: String)]
        /// Whether it is on the server of the real database.
        var isBesideTheReal: Bool
    }

    let name: String
    /// Sessions of the database from which it is made and dropped.
    private let maker: Sessions
    /// The way into it, with what the real database has set.
    let target: ConnectionTarget
    /// Extensions of the real database that could not be made, each with the reason.
    private(set) var missingExtensions: [String] = []

    private static let prefix = "migrated_scratch_"

    /// How one is made from the database that `maker` reaches, so that it is like the real one, which `sessions` reach. `made` names the extensions that
    /// the files create themselves.
    static func plan(
        _ sessions: Sessions, _ maker: Sessions, isCopy: Bool, made: Set<String>
    ) throws(RunFailure) -> Plan {
        let versions = (
            scratch: try maker.work().serverVersion / 10000, real: try sessions.work().serverVersion / 10000
        )
        guard versions.scratch == versions.real else {
            throw .complaint(
                Complaint(
                    .configuration,
                    "the server of the scratch database is PostgreSQL \(versions.scratch), that of the real one \(versions.real): each prints the same objects in other words",
                    hint: "Name a database on a server of the same major version with --scratch CONNINFO."))
        }
        let found = try sessions.query(sessions.work(), planQuery)
        let extensions = try sessions.query(
            sessions.work(),
            """
            SELECT x.extname, n.nspname FROM pg_catalog.pg_extension AS x JOIN pg_catalog.pg_namespace AS n ON n.oid = x.extnamespace
             WHERE x.extname <> 'plpgsql' ORDER BY x.oid
            """)
        let system = try maker.query(
            maker.work(), "SELECT k.system_identifier::pg_catalog.text FROM pg_catalog.pg_control_system() AS k")
        return Plan(
            isCopy: isCopy, database: found.integer(0, 0) ?? 0, locale: found.text(0, 1) ?? "",
            options: found.text(0, 2) ?? "",
            extensions: extensions.rows.indices.map { (extensions.text($0, 0) ?? "", extensions.text($0, 1) ?? "") }
                .filter { !made.contains($0.0) },
            isBesideTheReal: system.text(0, 0) == found.text(0, 3))
    }

    /// The words of CREATE DATABASE; what the real database has set (ALTER DATABASE … SET, ALTER ROLE … IN DATABASE) as far as this login may set it; the
    /// server. The locale's provider has other columns in each major version.
    private static let planQuery = """
        SELECT d.oid::pg_catalog.int8,
               pg_catalog.format('ENCODING %L LC_COLLATE %L LC_CTYPE %L', pg_catalog.pg_encoding_to_char(d.encoding), d.datcollate, d.datctype)
               || CASE j ->> 'datlocprovider'
                  WHEN 'i' THEN pg_catalog.format(' LOCALE_PROVIDER icu ICU_LOCALE %L', coalesce(j ->> 'datlocale', j ->> 'daticulocale'))
                  WHEN 'b' THEN pg_catalog.format(' LOCALE_PROVIDER builtin BUILTIN_LOCALE %L', j ->> 'datlocale') ELSE '' END,
               (SELECT pg_catalog.string_agg('-c ' || pg_catalog.regexp_replace(c.line, '([\\s\\\\])', '\\\\\\1', 'g'), ' ' ORDER BY s.setrole, c.place)
                  FROM pg_catalog.pg_db_role_setting AS s
                  JOIN pg_catalog.pg_roles AS r ON r.rolname = current_user
                 CROSS JOIN pg_catalog.unnest(s.setconfig) WITH ORDINALITY AS c(line, place)
                  LEFT JOIN pg_catalog.pg_settings AS g ON pg_catalog.lower(g.name) = pg_catalog.lower(pg_catalog.split_part(c.line, '=', 1))
                 WHERE s.setdatabase = d.oid AND s.setrole IN (0, r.oid) AND (coalesce(g.context, 'user') = 'user' OR r.rolsuper)),
               k.system_identifier::pg_catalog.text
          FROM pg_catalog.pg_database AS d, pg_catalog.to_jsonb(d) AS j, pg_catalog.pg_control_system() AS k
         WHERE d.datname = pg_catalog.current_database()
        """

    /// Why this login can make none, as a clause; nil where it can.
    static func obstacle(_ sessions: Sessions) throws(RunFailure) -> String? {
        let found = try sessions.query(
            sessions.work(),
            "SELECT r.rolcreatedb OR r.rolsuper FROM pg_catalog.pg_roles AS r WHERE r.rolname = current_user")
        return found.isTrue(0, 0) ? nil : "login '\(try sessions.work().user)' may not create databases"
    }

    /// Makes one from the database that `maker` reaches.
    init(_ plan: Plan, _ maker: Sessions) throws(RunFailure) {
        self.maker = maker
        name = "\(ScratchDatabase.prefix)\(plan.database)_\(String(UUID().description.filter { $0 != "-" }.prefix(12)))"
        target = maker.target.inside(name, options: plan.options)
        try dropLeftovers(of: plan.database)
        FailPoint.scratchNamed.pass()
        try maker.query(
            maker.work(), "SELECT pg_catalog.pg_advisory_lock(\(ScratchDatabase.key))", [.text(name)])
        do throws(RunFailure) {
            let source = plan.isCopy ? Quoting.identifier(try currentDatabase()) : "template0 \(plan.locale)"
            try create(from: source)
        } catch {
            throw ScratchDatabase.notMade(error)
        }
        FailPoint.scratchMade.pass()
        do throws(RunFailure) {
            try bring(plan.extensions)
        } catch {
            // Why it cannot be used counts; the next one drops what is left.
            try? drop()
            throw error
        }
    }

    private func currentDatabase() throws(RunFailure) -> String {
        try maker.query(maker.work(), "SELECT pg_catalog.current_database()").text(0, 0) ?? ""
    }

    private static func notMade(_ failure: RunFailure) -> RunFailure {
        guard case .refused(let cause) = failure else { return failure }
        var complaint = cause.complaint
        complaint.message = "the scratch database could not be made: \(complaint.message)"
        complaint.hint =
            "Name another with --scratch CONNINFO, of which it becomes a copy; or --scratch none compares file by file."
        return .complaint(complaint)
    }

    /// Copies the template, which may take as long as it takes.
    private func create(from source: String) throws(RunFailure) {
        let connection = try maker.work()
        try maker.run(connection, "SET statement_timeout = 0")
        maker.waiter.begin(.statements(until: nil), cancellation: connection.cancellation())
        do throws(PostgresError) {
            _ = try connection.run("CREATE DATABASE \(name) TEMPLATE \(source)")
        } catch {
            throw maker.failure(error)
        }
        try maker.run(connection, "SET statement_timeout = '60s'")
    }

    /// The advisory lock that its maker has in the database that it was made from, as long as it is in use; the name is the parameter.
    private static let key = "pg_catalog.hashtextextended($1::text, 0)"

    /// Drops what killed processes have left of this database's scratches.
    private func dropLeftovers(of database: Int64) throws(RunFailure) {
        let found = try maker.query(
            maker.work(),
            """
            SELECT d.datname FROM pg_catalog.pg_database AS d
             WHERE d.datname ~ $1::text AND pg_catalog.pg_has_role(d.datdba, 'MEMBER') ORDER BY d.datname
            """, [.text("^\(ScratchDatabase.prefix)\(database)_[0-9a-f]{12}$")])
        for row in found.rows.indices {
            let name = found.text(row, 0) ?? ""
            let isFree = try maker.query(
                maker.work(), "SELECT pg_catalog.pg_try_advisory_lock(\(ScratchDatabase.key))", [.text(name)])
            guard isFree.isTrue(0, 0) else { continue }
            try maker.run(maker.work(), "DROP DATABASE IF EXISTS \(Quoting.identifier(name)) WITH (FORCE)")
            try unlock(name)
        }
    }

    /// What the real database has and no file creates.
    private mutating func bring(_ extensions: [(name: String, schema: String)]) throws(RunFailure) {
        guard !extensions.isEmpty else { return }
        let inside = Sessions(target, waiter: maker.waiter)
        defer { inside.dropAll() }
        for (name, schema) in extensions {
            do throws(RunFailure) {
                try inside.run(
                    try inside.work(),
                    """
                    CREATE SCHEMA IF NOT EXISTS \(Quoting.identifier(schema)); \
                    CREATE EXTENSION IF NOT EXISTS \(Quoting.identifier(name)) SCHEMA \(Quoting.identifier(schema)) CASCADE
                    """)
            } catch {
                guard case .refused(let cause) = error else { throw error }
                missingExtensions.append("'\(name)' (\(cause.complaint.message))")
            }
        }
    }

    /// Drops it; a request to stop does not interrupt that.
    func drop() throws(RunFailure) {
        FailPoint.scratchDone.pass()
        try maker.run(maker.work(), "DROP DATABASE IF EXISTS \(name) WITH (FORCE)")
        try unlock(name)
    }

    private func unlock(_ name: String) throws(RunFailure) {
        try maker.query(
            maker.work(), "SELECT pg_catalog.pg_advisory_unlock(\(ScratchDatabase.key))", [.text(name)])
    }
}
