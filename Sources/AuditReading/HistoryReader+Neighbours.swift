internal import AuditSchema
internal import Postgres
internal import Reporting

extension HistoryReader {
    /// What stands in the history's schema and is not of this program, belongs to an extension or another owner, or is written from elsewhere,
    /// one clause each.
    ///
    /// Only the owner and a superuser can put something there. Functions and relations are looked for in their own catalogs, everything else by
    /// what depends on the schema.
    func intruders(version: Int) throws(PostgresError) -> [String] {
        let functions = ShippedSchema(version: version, quotedSchema: quoted).functions.keys.sorted()
        let found = try connection.query(
            """
            WITH h AS (SELECT n.oid, n.nspowner FROM pg_catalog.pg_namespace AS n WHERE n.nspname = $1::pg_catalog.name
            ), inside AS (
                SELECT 'pg_catalog.pg_namespace'::pg_catalog.regclass::pg_catalog.oid AS class, h.oid, true AS ours FROM h
                UNION ALL
                SELECT 'pg_catalog.pg_class'::pg_catalog.regclass, c.oid, c.relname::text = ANY ($2::pg_catalog.text[])
                  FROM h JOIN pg_catalog.pg_class AS c ON c.relnamespace = h.oid
                 WHERE c.relkind NOT IN ('i', 'I', 't') AND NOT (c.relkind = 'S' AND EXISTS (
                     SELECT FROM pg_catalog.pg_depend AS d
                      WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')))
                UNION ALL
                SELECT 'pg_catalog.pg_proc'::pg_catalog.regclass, p.oid, p.proname::text = ANY ($3::pg_catalog.text[])
                  FROM h JOIN pg_catalog.pg_proc AS p ON p.pronamespace = h.oid
                UNION ALL
                SELECT d.classid, d.objid, false FROM h JOIN pg_catalog.pg_depend AS d ON d.refobjid = h.oid
                 WHERE d.refclassid = 'pg_catalog.pg_namespace'::pg_catalog.regclass
                   AND d.classid NOT IN ('pg_catalog.pg_class'::pg_catalog.regclass, 'pg_catalog.pg_proc'::pg_catalog.regclass)
                   -- What it is published by is told elsewhere; PostgreSQL 13 and 14 have no such catalog.
                   AND d.classid <> coalesce(pg_catalog.to_regclass('pg_catalog.pg_publication_namespace')::pg_catalog.oid, 0)
            )
            SELECT pg_catalog.format('%s is not of this program', pg_catalog.pg_describe_object(i.class, i.oid, 0)) FROM inside AS i WHERE NOT i.ours
            UNION ALL
            SELECT pg_catalog.format('%s belongs to extension ''%s''', pg_catalog.pg_describe_object(i.class, i.oid, 0), e.extname)
              FROM inside AS i JOIN pg_catalog.pg_depend AS d ON d.classid = i.class AND d.objid = i.oid AND d.deptype = 'e'
              JOIN pg_catalog.pg_extension AS e ON e.oid = d.refobjid
            UNION ALL
            -- foreign_rights looks for rights to what depends on the schema.
            SELECT pg_catalog.format('%s does not depend on its schema, as the catalog has it', pg_catalog.pg_describe_object(o.class, o.oid, 0))
              FROM h, LATERAL (
                  SELECT 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid AS class, c.oid FROM pg_catalog.pg_class AS c
                   WHERE c.relnamespace = h.oid AND c.relkind NOT IN ('i', 'I', 't', 'c')
                   UNION ALL SELECT 'pg_catalog.pg_proc'::pg_catalog.regclass, p.oid FROM pg_catalog.pg_proc AS p WHERE p.pronamespace = h.oid) AS o
             WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS d WHERE d.classid = o.class AND d.objid = o.oid
                                  AND d.refclassid = 'pg_catalog.pg_namespace'::pg_catalog.regclass AND d.refobjid = h.oid)
            UNION ALL
            SELECT pg_catalog.format('view ''%s'' has another owner than the schema', c.relname)
              FROM h JOIN pg_catalog.pg_class AS c ON c.relnamespace = h.oid WHERE c.relkind = 'v' AND c.relowner <> h.nspowner
            UNION ALL
            -- By the view: before PostgreSQL 14 the oid of a subscription was for superusers alone.
            SELECT DISTINCT pg_catalog.format('table ''%s'' is written by subscription ''%s''', c.relname, s.subname)
              FROM h JOIN pg_catalog.pg_class AS c ON c.relnamespace = h.oid JOIN pg_catalog.pg_subscription_rel AS r ON r.srrelid = c.oid
              JOIN pg_catalog.pg_stat_subscription AS s ON s.subid = r.srsubid
             ORDER BY 1
            """,
            [
                .text(schema), .text(Quoting.array(HistoryReader.relations.sorted())), .text(Quoting.array(functions)),
            ])
        return found.rows.indices.compactMap { found.text($0, 0) }
    }

    /// What reaches into the database's sessions or out of the history and need not be anybody's ill will, one clause each.
    func reaches() throws(PostgresError) -> [String] {
        try clauses(
            """
            SELECT pg_catalog.format('publication ''%s'' hands on %s', p.pubname, pg_catalog.string_agg(pg_catalog.format('''%s''', p.tablename), ', ' ORDER BY p.tablename))
              FROM pg_catalog.pg_publication_tables AS p WHERE p.schemaname = $1::pg_catalog.name GROUP BY p.pubname
            UNION ALL
            SELECT pg_catalog.format('event trigger ''%s'' of ''%s'' calls %s at %s%s', t.evtname, pg_catalog.pg_get_userbyid(t.evtowner),
                                     t.evtfoid::pg_catalog.regprocedure, t.evtevent, CASE t.evtenabled WHEN 'D' THEN ' (disabled)' END)
              FROM pg_catalog.pg_event_trigger AS t
            UNION ALL
            SELECT pg_catalog.format('sessions of %s start with settings: %s', w.who, pg_catalog.string_agg(DISTINCT pg_catalog.format('''%s''', w.name), ', '))
              FROM (SELECT pg_catalog.concat_ws(' in ', CASE WHEN s.setrole = 0 THEN 'every login' ELSE pg_catalog.format('''%s''', pg_catalog.pg_get_userbyid(s.setrole)) END,
                                                CASE WHEN s.setdatabase <> 0 THEN 'this database' END),
                           pg_catalog.split_part(c.setting, '=', 1)
                      FROM pg_catalog.pg_db_role_setting AS s, pg_catalog.unnest(s.setconfig) AS c(setting)
                     WHERE s.setdatabase IN (0, (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database()))) AS w(who, name)
             GROUP BY w.who
            UNION ALL
            -- An extension's own members are as old as it, or its last update; those of one that the server brought are the server's. Where all are
            -- younger, pg_upgrade has put it together. A transaction ahead of this one is of before pg_upgrade.
            SELECT pg_catalog.format('extension ''%s'' was given %s, which readings of the catalog leave out', e.extname, pg_catalog.pg_describe_object(d.classid, d.objid, 0))
              FROM (SELECT x.oid, x.extname, pg_catalog.age(x.xmin)::bigint & 4294967295 AS age FROM pg_catalog.pg_extension AS x) AS e
              JOIN LATERAL (
                  SELECT m.classid, m.objid, pg_catalog.age(m.xmin)::bigint & 4294967295 AS age,
                         pg_catalog.max(pg_catalog.age(m.xmin)::bigint & 4294967295) OVER () AS oldest
                    FROM pg_catalog.pg_depend AS m
                   WHERE m.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND m.refobjid = e.oid AND m.deptype = 'e') AS d
                ON d.age < e.age AND d.oldest >= e.age OR e.oid < 16384 AND d.objid >= 16384
             ORDER BY 1
            """)
    }

    /// The names of the history's relations: none of its schema's versions had one that the newest has not.
    static let relations = Set(
        AuditSchema.shape(server: AuditSchema.shapeServer).filter { $0.hasPrefix("relation ") }.map { line in
            String(line.dropFirst(9).prefix { $0 != " " })
        })
}
