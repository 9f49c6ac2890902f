internal import AuditSchema
package import Postgres
internal import Reporting

extension HistoryReader {
    /// What in the history's schema would run other code than this program's own as soon as the history is read, written or upgraded, one clause
    /// each: functions with another text, and triggers, constraints, defaults, policies, rules, views and types that lead out of the schema.
    ///
    /// A login that owns the history can change all of that; a superuser must not run it. Asks the server's catalog alone, in the open
    /// transaction, and calls nothing of the schema.
    package func foreignCode() throws(PostgresError) -> [String] {
        let leading = try outsideDependencies(
            Set(
                (1...AuditSchema.currentVersion).flatMap {
                    ShippedSchema(version: $0, quotedSchema: quoted).functions.keys
                }))
        // Its row is not read before reading it runs nothing.
        guard leading.isEmpty else { return leading }
        let found = try connection.query(
            """
            SELECT c.relkind = 'r' AND NOT c.relhasrules FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
             WHERE n.nspname = $1::pg_catalog.name AND c.relname = 'audit_head'
            """, [.text(schema)])
        guard !found.rows.isEmpty else { return ["schema \(quoted) has objects, and no history"] }
        guard found.isTrue(0, 0) else { return ["table 'audit_head' is not an ordinary table"] }
        let version = Int(
            try connection.query("SELECT h.schema_version FROM \(quoted).audit_head AS h").integer(0, 0) ?? 0)
        // What a newer program has written is not known here, and is refused as such.
        guard (1...AuditSchema.currentVersion).contains(version) else { return [] }
        return try functionDeviations(ShippedSchema(version: version, quotedSchema: quoted), onlyCode: true)
            + shapeDeviations(version: version)
    }

    /// Whether a login that is no superuser owns something there, or can become who does.
    package func isInOthersHands() throws(PostgresError) -> Bool {
        try connection.query(
            """
            SELECT EXISTS (
                SELECT FROM (SELECT n.nspowner AS owner FROM pg_catalog.pg_namespace AS n WHERE n.nspname = $1::pg_catalog.name
                             UNION SELECT c.relowner FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
                                    WHERE n.nspname = $1::pg_catalog.name
                             UNION SELECT p.proowner FROM pg_catalog.pg_proc AS p JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
                                    WHERE n.nspname = $1::pg_catalog.name) AS o
                  JOIN pg_catalog.pg_roles AS r ON r.oid = o.owner
                 WHERE NOT r.rolsuper
                   AND (r.rolcanlogin OR EXISTS (SELECT FROM pg_catalog.pg_auth_members AS a JOIN pg_catalog.pg_roles AS m ON m.oid = a.member
                                                  WHERE a.roleid = r.oid AND NOT m.rolsuper)))
            """, [.text(schema)]
        ).isTrue(0, 0)
    }

    /// Objects of the schema that lean on a function, operator, relation or type which is neither the server's nor the history's own: so the server
    /// keeps book of what triggers, constraints, defaults, policies, rules and views call (PostgreSQL manual 53.18, pg_depend).
    private func outsideDependencies(_ functions: Set<String>) throws(PostgresError) -> [String] {
        let found = try connection.query(
            """
            WITH ours AS (
                SELECT c.oid FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace WHERE n.nspname = $1::pg_catalog.name
            ), parts AS (
                SELECT 'pg_catalog.pg_class'::pg_catalog.regclass AS class, o.oid FROM ours AS o
                UNION ALL SELECT 'pg_catalog.pg_constraint'::pg_catalog.regclass, k.oid FROM pg_catalog.pg_constraint AS k JOIN ours AS o ON o.oid = k.conrelid
                UNION ALL SELECT 'pg_catalog.pg_attrdef'::pg_catalog.regclass, d.oid FROM pg_catalog.pg_attrdef AS d JOIN ours AS o ON o.oid = d.adrelid
                UNION ALL SELECT 'pg_catalog.pg_rewrite'::pg_catalog.regclass, w.oid FROM pg_catalog.pg_rewrite AS w JOIN ours AS o ON o.oid = w.ev_class
                UNION ALL SELECT 'pg_catalog.pg_trigger'::pg_catalog.regclass, t.oid FROM pg_catalog.pg_trigger AS t JOIN ours AS o ON o.oid = t.tgrelid
                UNION ALL SELECT 'pg_catalog.pg_policy'::pg_catalog.regclass, p.oid FROM pg_catalog.pg_policy AS p JOIN ours AS o ON o.oid = p.polrelid
            )
            SELECT DISTINCT pg_catalog.format('%s calls %s', pg_catalog.pg_describe_object(d.classid, d.objid, 0),
                                              pg_catalog.pg_describe_object(d.refclassid, d.refobjid, 0))
              FROM parts AS x JOIN pg_catalog.pg_depend AS d ON d.classid = x.class AND d.objid = x.oid
              JOIN pg_catalog.pg_namespace AS n ON n.nspname = $1::pg_catalog.name
             WHERE d.refobjid >= 16384
               AND CASE d.refclassid
                   WHEN 'pg_catalog.pg_proc'::pg_catalog.regclass THEN NOT EXISTS (
                       SELECT FROM pg_catalog.pg_proc AS p WHERE p.oid = d.refobjid AND p.pronamespace = n.oid AND p.proname = ANY ($2::pg_catalog.text[]))
                   WHEN 'pg_catalog.pg_class'::pg_catalog.regclass THEN NOT EXISTS (SELECT FROM ours AS o WHERE o.oid = d.refobjid)
                   WHEN 'pg_catalog.pg_type'::pg_catalog.regclass THEN NOT EXISTS (
                       SELECT FROM pg_catalog.pg_type AS t WHERE t.oid = d.refobjid AND t.typnamespace = n.oid AND t.typrelid <> 0)
                   ELSE d.refclassid IN ('pg_catalog.pg_operator'::pg_catalog.regclass, 'pg_catalog.pg_cast'::pg_catalog.regclass,
                                         'pg_catalog.pg_opclass'::pg_catalog.regclass, 'pg_catalog.pg_collation'::pg_catalog.regclass) END
            UNION ALL
            SELECT pg_catalog.format('function %s is not of this program', p.oid::pg_catalog.regprocedure)
              FROM pg_catalog.pg_proc AS p JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
             WHERE n.nspname = $1::pg_catalog.name AND p.proname <> ALL ($2::pg_catalog.text[])
            UNION ALL
            SELECT pg_catalog.format('operator %s is not of this program', o.oid::pg_catalog.regoperator)
              FROM pg_catalog.pg_operator AS o JOIN pg_catalog.pg_namespace AS n ON n.oid = o.oprnamespace
             WHERE n.nspname = $1::pg_catalog.name
             ORDER BY 1 LIMIT 20
            """, [.text(schema), .text(Quoting.array(functions.sorted()))])
        return found.rows.indices.compactMap { found.text($0, 0) }
    }

    /// Parts of the shape that are not as this program makes them, in a schema that may be older: what is not there yet is none.
    private func shapeDeviations(version: Int) throws(PostgresError) -> [String] {
        let isCurrent = version == AuditSchema.currentVersion
        return try shapeDeviations().filter { clause in
            guard !isCurrent else { return !clause.hasSuffix(HistoryReader.missing) }
            let kind = clause.prefix { $0 != " " }
            return ["column", "constraint", "trigger"].contains(kind) && !clause.hasSuffix(HistoryReader.missing)
                // Version 3 has put a word into it.
                && !(version < 3 && clause.contains("migration_rollback_audit_event_check"))
        }
    }

    /// The code of the error by which a session of a superuser does not go on.
    static let foreignCodeState = "MG008"

    /// Refuses to go on as a superuser where that would run what a lesser login has written. Asked once for each reader.
    func refuseForeignCode() throws(PostgresError) {
        guard !hasLookedForForeignCode, connection.reported("is_superuser") == "on" else { return }
        let found = try isInOthersHands() ? foreignCode() : []
        guard let first = found.first else {
            hasLookedForForeignCode = true
            return
        }
        let more = found.count > 1 ? ", and \(found.count - 1) more" : ""
        throw .server(ServerError(sqlstate: HistoryReader.foreignCodeState, message: first + more))
    }
}
