internal import Audit
internal import Postgres
internal import Reporting

extension AuditStore {
    /// A history that another `schema` keeps in this database.
    struct OtherHistory {
        /// Its schema.
        var schema: String
        /// Whether this login may read it, and reading it runs nothing that a lesser one has written.
        var isReadable: Bool
    }

    /// The other histories of this database that no operator has acknowledged in this one.
    func otherHistories(_ connection: Connection) throws(RunFailure) -> [OtherHistory] {
        let found = try sessions.query(
            connection,
            """
            SELECT n.nspname, c.relkind = 'r' AND NOT c.relrowsecurity AND c.relowner = own.relowner
                   AND pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND pg_catalog.has_table_privilege(c.oid, 'SELECT')
              FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
              JOIN pg_catalog.pg_class AS own ON own.relname = c.relname AND own.relnamespace <> c.relnamespace
              JOIN pg_catalog.pg_namespace AS ours ON ours.oid = own.relnamespace AND ours.nspname = $1::text
             WHERE c.relname = 'migration_rollback_audit'
               AND EXISTS (SELECT FROM pg_catalog.pg_class AS h WHERE h.relnamespace = n.oid AND h.relname = 'audit_head')
             ORDER BY 1
            """, [.text(name)])
        guard !found.rows.isEmpty else { return [] }
        let accepted = try sessions.query(
            connection,
            """
            SELECT a.object FROM \(schema).migration_rollback_audit AS a
             WHERE a.event = 'acknowledged' AND a.reason = '\(OtherHistory.reason)'
            """)
        let known = Set(accepted.rows.indices.compactMap { accepted.text($0, 0) }.exact)
        return found.rows.indices.compactMap { row in
            guard let other = found.text(row, 0), !known.contains(other.exact) else { return nil }
            return OtherHistory(schema: other, isReadable: found.isTrue(row, 1))
        }
    }

    /// How many of some files, by name and checksum, are applied by what the other history says, and the first of them.
    func applied(
        _ files: [(name: String, checksum: String)], in other: OtherHistory, _ connection: Connection
    ) throws(RunFailure) -> (count: Int64, first: String)? {
        let found = try sessions.query(
            connection,
            """
            SELECT pg_catalog.count(DISTINCT f.name), pg_catalog.min(f.name)
              FROM ROWS FROM (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[])) AS f(name, checksum)
              JOIN \(Quoting.identifier(other.schema)).migration_rollback_audit AS a ON a.name = f.name AND a.checksum = f.checksum
             WHERE a.event IN ('applied', 'adopted')
            """,
            [.text(Quoting.array(files.map(\.name))), .text(Quoting.array(files.map(\.checksum)))])
        guard !found.rows.isEmpty, let count = found.integer(0, 0), let first = found.text(0, 1) else { return nil }
        return (count, first)
    }
}

extension AuditStore.OtherHistory {
    /// What the event says that accepts it.
    static let reason = "other_history"
}
