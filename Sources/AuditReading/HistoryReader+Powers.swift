internal import Postgres

extension HistoryReader {
    /// The roles that `migrated init` hands out and the logins that are members of them, by which way ever; and whether they were handed out.
    ///
    /// The members are taken from the catalog: pg_has_role(3) says yes to everything for a superuser. From PostgreSQL 16 on a member may be one
    /// that neither inherits the role nor can become it.
    private func roleTables() -> String {
        """
        WITH RECURSIVE h AS (
            SELECT n.oid AS history, n.nspacl, c.relowner AS owner, pg_catalog.pg_get_userbyid(c.relowner) AS owner_name
              FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
             WHERE n.nspname = $1::pg_catalog.name AND c.relname = 'audit_head'
        ), named AS (
            SELECT w.word, r.oid FROM pg_catalog.unnest('{audit_owner,migrated_audit,migrator,auditor,source_reader}'::pg_catalog.text[]) AS w(word)
              JOIN pg_catalog.pg_roles AS r ON r.rolname = \(quoted).role_name(w.word)
        ), setup AS (
            SELECT h.owner_name = \(quoted).role_name('audit_owner') OR EXISTS (
                SELECT FROM pg_catalog.aclexplode(h.nspacl) AS a JOIN named AS o ON o.oid = a.grantee) AS done FROM h
        ), ours AS (
            SELECT o.word, r.* FROM named AS o JOIN pg_catalog.pg_roles AS r ON r.oid = o.oid, setup WHERE setup.done AND o.word <> 'audit_owner'
            UNION ALL SELECT 'audit_owner', r.* FROM h, setup, pg_catalog.pg_roles AS r WHERE setup.done AND r.oid = h.owner
        ), member AS (
            SELECT r.oid AS login, r.oid AS role FROM pg_catalog.pg_roles AS r
             UNION
            SELECT m.login, a.roleid FROM member AS m JOIN pg_catalog.pg_auth_members AS a ON a.member = m.role
             WHERE coalesce(pg_catalog.to_jsonb(a) ->> 'set_option', 'true') = 'true' OR coalesce(pg_catalog.to_jsonb(a) ->> 'inherit_option', 'true') = 'true'
        ), login AS (
            SELECT r.*, pg_catalog.current_setting('server_version_num')::integer < 160000 AND r.rolcreaterole AS joins FROM pg_catalog.pg_roles AS r WHERE r.rolcanlogin
        ), strong AS (
            SELECT m.login, g.rolname FROM member AS m JOIN pg_catalog.pg_roles AS g ON g.oid = m.role
             WHERE g.rolname IN ('pg_execute_server_program', 'pg_write_server_files')
        )
        """
    }

    /// What roles and logins of the history have that `migrated init` gives none of them, one clause each.
    func unfitRoles() throws(PostgresError) -> [String] {
        try clauses(
            """
            \(roleTables())
            SELECT pg_catalog.format('the history is owned by ''%s'', and its roles are those of ''%s''', h.owner_name, \(quoted).role_name('audit_owner'))
              FROM h, setup WHERE setup.done AND h.owner_name <> \(quoted).role_name('audit_owner')
            UNION ALL
            SELECT pg_catalog.format('role ''%s'' %s', o.rolname, p.words) FROM ours AS o, LATERAL (VALUES
                (o.rolsuper, 'is a superuser'), (o.rolcreaterole, 'may create roles'), (o.rolreplication, 'may replicate'),
                (o.rolbypassrls, 'bypasses row security'),
                -- The history's own function says it of the owner, as long as that has its name.
                (o.rolcanlogin AND o.rolname <> \(quoted).role_name('audit_owner'), 'can log in')) AS p(holds, words)
             WHERE p.holds
            UNION ALL
            SELECT pg_catalog.format('role ''%s'' is a member of ''%s''', o.rolname, g.rolname)
              FROM ours AS o JOIN pg_catalog.pg_auth_members AS a ON a.member = o.oid JOIN pg_catalog.pg_roles AS g ON g.oid = a.roleid
            UNION ALL
            SELECT pg_catalog.format('login ''%s'', which %s, %s', l.rolname,
                          pg_catalog.string_agg(DISTINCT CASE o.word WHEN 'migrator' THEN 'runs files' ELSE 'keeps the history' END, ' and '), p.words)
              FROM login AS l JOIN member AS m ON m.login = l.oid JOIN ours AS o ON o.oid = m.role AND o.word IN ('migrated_audit', 'migrator'),
                   LATERAL (SELECT 'is a superuser' WHERE l.rolsuper
                             UNION ALL SELECT 'may create roles and so become the history''s owner' WHERE l.joins AND NOT l.rolsuper
                             UNION ALL SELECT pg_catalog.format('is a member of ''%s''', s.rolname) FROM strong AS s WHERE s.login = l.oid) AS p(words)
             GROUP BY l.rolname, p.words
             ORDER BY 1
            """)
    }

    /// Who could change the history beside the daemon, and may: one clause for each power.
    func powers() throws(PostgresError) -> [String] {
        try clauses(
            """
            \(roleTables())
            SELECT pg_catalog.format('%s: %s', w.words, w.logins) FROM (
                SELECT 1, 'the history is owned by a login, which can change and drop it', pg_catalog.string_agg(pg_catalog.format('''%s''', l.rolname), ', ' ORDER BY l.rolname)
                  FROM login AS l JOIN member AS m ON m.login = l.oid JOIN h ON h.owner = m.role, setup
                 WHERE NOT setup.done AND NOT l.rolsuper
                UNION ALL
                SELECT CASE o.word WHEN 'migrated_audit' THEN 2 ELSE 3 END,
                       CASE o.word WHEN 'migrated_audit' THEN 'logins that append events' ELSE 'logins that append the end of an attempt' END,
                       pg_catalog.string_agg(DISTINCT pg_catalog.format('''%s''', l.rolname), ', ')
                  FROM ours AS o JOIN member AS m ON m.role = o.oid JOIN login AS l ON l.oid = m.login
                 WHERE o.word IN ('migrated_audit', 'migrator') GROUP BY o.word
                UNION ALL
                SELECT 4, 'superusers, who can change the history and all that guards it', pg_catalog.string_agg(pg_catalog.format('''%s''', l.rolname), ', ' ORDER BY l.rolname)
                  FROM login AS l WHERE l.rolsuper
                UNION ALL
                SELECT 5, 'logins that can act as the server''s user on its machine', pg_catalog.string_agg(DISTINCT pg_catalog.format('''%s''', l.rolname), ', ')
                  FROM login AS l JOIN strong AS s ON s.login = l.oid WHERE NOT l.rolsuper
                UNION ALL
                SELECT 6, 'logins that can make themselves members of the history''s owner', pg_catalog.string_agg(DISTINCT pg_catalog.format('''%s''', l.rolname), ', ')
                  FROM login AS l LEFT JOIN pg_catalog.pg_auth_members AS a ON a.member = l.oid AND a.admin_option AND a.roleid = (SELECT h.owner FROM h)
                 WHERE NOT l.rolsuper AND (l.joins OR a.member IS NOT NULL)) AS w(place, words, logins)
             WHERE w.logins IS NOT NULL ORDER BY w.place
            """)
    }

    func clauses(_ sql: String) throws(PostgresError) -> [String] {
        let found = try connection.query(sql, [.text(schema)])
        return found.rows.indices.compactMap { found.text($0, 0) }
    }
}
