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
        /// Extensions of the real database, each with its schema.
        var extensions: [(name: String, schema: String)]
        /// What tells its server from others.
        var system: String
        /// The server's major version.
        var version: Int
    }

    let name: String
    /// Sessions of the database from which it is made and dropped.
    private let maker: Sessions
    /// The way into it, with what the real database has set.
    let target: ConnectionTarget
    /// Whether it is on the server of the real database.
    let isBesideTheReal: Bool
    /// Extensions of the real database that could not be made, each with the reason.
    private(set) var missingExtensions: [String] = []

    private static let prefix = "migrated_scratch_"

    /// The real database as `sessions` reach it.
    static func plan(_ sessions: Sessions, isCopy: Bool) throws(RunFailure) -> Plan {
        let found = try sessions.query(sessions.work(), planQuery)
        let extensions = try sessions.query(
            sessions.work(),
            """
            SELECT x.extname, n.nspname FROM pg_catalog.pg_extension AS x JOIN pg_catalog.pg_namespace AS n ON n.oid = x.extnamespace
             WHERE x.extname <> 'plpgsql' ORDER BY x.oid
            """)
        return Plan(
            isCopy: isCopy, database: found.integer(0, 0) ?? 0, locale: found.text(0, 1) ?? "",
            options: found.text(0, 2) ?? "",
            extensions: extensions.rows.indices.map { (extensions.text($0, 0) ?? "", extensions.text($0, 1) ?? "") },
            system: found.text(0, 3) ?? "", version: try sessions.work().serverVersion / 10000)
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

    /// Makes one from the database that `maker` reaches. `made` names the extensions that the files create themselves.
    init(_ plan: Plan, _ maker: Sessions, made: Set<String>) throws(RunFailure) {
        self.maker = maker
        let version = try maker.work().serverVersion / 10000
        guard version == plan.version else {
            throw .complaint(
                Complaint(
                    .configuration,
                    "the server of the scratch database is PostgreSQL \(version), that of the real one \(plan.version): each prints the same objects in other words",
                    hint: "Name a database on a server of the same major version with --scratch CONNINFO."))
        }
        name = "\(ScratchDatabase.prefix)\(plan.database)_\(String(UUID().description.filter { $0 != "-" }.prefix(12)))"
        target = maker.target.inside(name, options: plan.options)
        let system = try maker.query(
            maker.work(), "SELECT k.system_identifier::pg_catalog.text FROM pg_catalog.pg_control_system() AS k")
        isBesideTheReal = system.text(0, 0) == plan.system
        try dropLeftovers(of: plan.database)
        FailPoint.scratchNamed.pass()
        try maker.query(
            maker.work(), "SELECT pg_catalog.pg_advisory_lock($1::int8)", [.integer(ScratchDatabase.key(name))])
        do throws(RunFailure) {
            let source = plan.isCopy ? Quoting.identifier(try currentDatabase()) : "template0 \(plan.locale)"
            try create(from: source)
        } catch {
            throw ScratchDatabase.notMade(error)
        }
        FailPoint.scratchMade.pass()
        do throws(RunFailure) {
            try bring(plan.extensions.filter { !made.contains($0.name) })
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

    /// A session in it has this key's advisory lock in the database that it was made from, as long as it is in use.
    private static func key(_ name: String) -> Int64 {
        // FNV-1a; the bytes of "migrated" are no such sum.
        name.utf8.reduce(Int64(bitPattern: 0xCBF2_9CE4_8422_2325)) { ($0 ^ Int64($1)) &* 0x100_0000_01B3 }
    }

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
            let key = ScratchDatabase.key(name)
            let isFree = try maker.query(
                maker.work(), "SELECT pg_catalog.pg_try_advisory_lock($1::int8)", [.integer(key)])
            guard isFree.isTrue(0, 0) else { continue }
            try maker.run(maker.work(), "DROP DATABASE IF EXISTS \(Quoting.identifier(name)) WITH (FORCE)")
            try maker.query(maker.work(), "SELECT pg_catalog.pg_advisory_unlock($1::int8)", [.integer(key)])
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
        try maker.query(
            maker.work(), "SELECT pg_catalog.pg_advisory_unlock($1::int8)", [.integer(ScratchDatabase.key(name))])
    }
}
