internal import Postgres
internal import Reporting

/// The advisory lock that lets one process at a time migrate a database, across hosts.
///
/// Always asked for by the try form: a session that blocks in `pg_advisory_lock` has a snapshot, and deadlocks with the holder's
/// CREATE INDEX CONCURRENTLY. It belongs to the session, so it dies with the process (PostgreSQL manual 13.3.5).
struct DatabaseLock {
    /// "migrated" in ASCII as an int8: the same for every schema, because it stands for the database.
    static let key: Int64 = 0x6D69_6772_6174_6564

    /// Takes the lock; false where another session has it.
    static func take(_ sessions: Sessions) throws(RunFailure) -> Bool {
        let connection = try sessions.lock()
        return try sessions.query(connection, "SELECT pg_catalog.pg_try_advisory_lock($1::bigint)", [.integer(key)])
            .isTrue(0, 0)
    }

    /// Gives it back.
    static func release(_ sessions: Sessions) throws(RunFailure) {
        guard let connection = sessions.locking, connection.isAlive else { return }
        try sessions.query(connection, "SELECT pg_catalog.pg_advisory_unlock($1::bigint)", [.integer(key)])
    }

    /// Whether the session that took it still has it; a session that was lost since has taken it along.
    static func isHeld(_ sessions: Sessions) throws(RunFailure) -> Bool {
        guard let connection = sessions.locking, connection.isAlive else { return false }
        let result = try sessions.query(
            connection,
            """
            SELECT EXISTS (SELECT FROM pg_catalog.pg_lock_status() AS l
                            WHERE l.locktype = 'advisory' AND l.granted AND l.pid = \(connection.sessionPID)
                              AND l.classid = \(UInt32(truncatingIfNeeded: key >> 32))
                              AND l.objid = \(UInt32(truncatingIfNeeded: key)) AND l.objsubid = 1)
            """)
        return result.isTrue(0, 0)
    }

    /// Who holds it, as far as this role may see: the role of a session always, its address only of those of the same login or with
    /// pg_read_all_stats (PostgreSQL manual 28.2).
    static func holder(_ store: AuditStore) throws(RunFailure) -> LockHolder? {
        let sessions = store.sessions
        let connection = try sessions.lock()
        let result = try sessions.query(
            connection,
            """
            SELECT l.pid, coalesce(a.application_name, ''), pg_catalog.host(a.client_addr),
                   greatest(pg_catalog.floor(extract(epoch FROM pg_catalog.clock_timestamp() - a.backend_start)), 0)::bigint,
                   a.usename, \(store.schema).keeps_history(a.usesysid)
              FROM pg_catalog.pg_locks AS l LEFT JOIN pg_catalog.pg_stat_activity AS a ON a.pid = l.pid
             WHERE l.locktype = 'advisory' AND l.granted AND l.classid = $1::bigint::oid AND l.objid = $2::bigint::oid
               AND l.objsubid = 1
               AND l.database = (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database())
            """, [.integer(key >> 32), .integer(key & 0xFFFF_FFFF)])
        guard !result.rows.isEmpty else { return nil }
        return LockHolder(
            backendPID: Int(result.integer(0, 0) ?? 0), application: result.text(0, 1) ?? "",
            address: result.text(0, 2), seconds: result.integer(0, 3), role: result.text(0, 4) ?? "",
            isOurs: result.isTrue(0, 5))
    }
}
