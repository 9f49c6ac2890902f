internal import AuditSchema
internal import Postgres
internal import Reporting

extension HistoryReader {
    /// How the history's schema differs from what this program installs, one clause each: functions with another text, owner or rights, tables
    /// of another owner, triggers of others, columns, constraints, indexes and views that are not as a new history has them, and rights to change what is recorded.
    ///
    /// Rows of the catalog, whose word a superuser can bend; the chain and its anchors do not rest on it.
    func deviations(version: Int) throws(PostgresError) -> [String] {
        let functions = try functionDeviations(ShippedSchema(version: version, quotedSchema: quoted))
        return functions + (try tableDeviations())
            + (version == AuditSchema.currentVersion ? try shapeDeviations() : [])
    }

    /// `onlyCode`: only what decides which code runs, and how.
    func functionDeviations(_ shipped: ShippedSchema, onlyCode: Bool = false) throws(PostgresError) -> [String] {
        let found = try connection.query(
            """
            SELECT p.proname, p.prosrc, p.prosecdef,
                   coalesce('search_path=pg_catalog, pg_temp' = ANY (p.proconfig), false), p.proowner = n.nspowner,
                   EXISTS (SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS a WHERE a.grantee = 0)
              FROM pg_catalog.pg_proc AS p JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
             WHERE n.nspname = $1::name ORDER BY 1
            """, [.text(schema)])
        var clauses: [String] = []
        var missing = Set(shipped.functions.keys)
        for row in found.rows.indices {
            let name = found.text(row, 0) ?? ""
            // Functions that others have put there are called by none of ours.
            guard let expected = shipped.functions[name] else { continue }
            let isFirst = missing.remove(name) != nil
            let deviations = [
                (!isFirst, "is there twice"),
                (found.text(row, 1)?.exact != expected.body.exact, "has another text than this program's"),
                (found.isTrue(row, 2) != expected.isDefiner, "runs with other rights than it should"),
                (found.isTrue(row, 3) != expected.isPinned, "does not pin its search_path as it should"),
                (!onlyCode && !found.isTrue(row, 4), "has another owner than the schema"),
                (!onlyCode && found.isTrue(row, 5), "may be called by everybody"),
            ]
            clauses += deviations.filter(\.0).map { "function '\(name)' \($0.1)" }
        }
        return clauses + missing.sorted().map { "function '\($0)' is not there" }
    }

    private func tableDeviations() throws(PostgresError) -> [String] {
        let found = try connection.query(
            """
            SELECT format('table ''%s'' has another owner than the schema', c.relname)
              FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
             WHERE n.nspname = $1::name AND c.relname = ANY ($2::name[]) AND c.relowner <> n.nspowner
            UNION ALL
            SELECT format('table ''%s'' has a trigger ''%s'' that is not its own', c.relname, t.tgname)
              FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
              JOIN pg_catalog.pg_trigger AS t ON t.tgrelid = c.oid AND NOT t.tgisinternal
             WHERE n.nspname = $1::name AND c.relname = ANY ($2::name[]) AND t.tgname::text <> c.relname || '_append_only'
               AND NOT (c.relname IN ('orphan_quarantine', 'orphan_restoration') AND t.tgname::text = c.relname || '_of_attempt')
            UNION ALL
            SELECT format('table ''%s'' is inherited from', c.relname)
              FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
             WHERE n.nspname = $1::name AND c.relname = ANY ($2::name[])
               AND EXISTS (SELECT FROM pg_catalog.pg_inherits AS i WHERE i.inhparent = c.oid)
            UNION ALL
            SELECT format('table ''%s'' may be changed by %s (%s)', c.relname,
                          CASE a.grantee WHEN 0 THEN 'everybody' ELSE format('''%s''', pg_get_userbyid(a.grantee)) END,
                          string_agg(a.privilege_type, ', ' ORDER BY a.privilege_type))
              FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
              CROSS JOIN LATERAL aclexplode(c.relacl) AS a
             WHERE n.nspname = $1::name AND c.relname = ANY ($2::name[]) AND a.grantee <> c.relowner
               AND (a.privilege_type IN ('UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER')
                    OR a.privilege_type = 'INSERT' AND c.relname NOT IN ('migration_source', 'orphan_quarantine', 'orphan_restoration', 'row_value'))
             GROUP BY c.relname, a.grantee
             ORDER BY 1
            """,
            [
                .text(schema),
                .text(
                    "{audit_head,catalog_definition,catalog_reading,migration_rollback_audit,migration_source,orphan_quarantine,orphan_restoration,row_value}"
                ),
            ])
        return found.rows.indices.compactMap { found.text($0, 0) }
    }
}
