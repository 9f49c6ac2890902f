-- The roles of migrated in one database, and who owns its history: nobody who can log in.
--
-- 'migrated init' runs this file behind the history's own. It can also be run by hand, as often as one likes, by a superuser, or by a login
-- that may create roles and owns the history:
--
--     psql -X -v ON_ERROR_STOP=1 -1 -d DATABASE -c "SET migrated.migration_login = 'app'" -f roles.sql
--
-- Where the history has another schema, put its name in place of "migrated" (in quotes here wherever it is meant).
--
-- Roles belong to the whole server. Each carries the name of its database, and none can log in: a login becomes a member.
--
--     audit_owner_DATABASE     owns the schema and all that is in it; has no members
--     migrated_audit_DATABASE  the daemon's record: reads all of it, and appends     (migrated.audit_login)
--     migrator_DATABASE        runs the files: appends the end of an attempt, with the one-time token that the record has announced
--                                                                                    (migrated.migration_login)
--     auditor_DATABASE         reads the history                                     (migrated.auditors, an array as JSON)
--     source_reader_DATABASE   reads the files' texts and the values of rows, too    (migrated.source_readers)
--
-- None of them can update, delete, truncate or alter what is recorded, nor disable a trigger. What files may do to the rest of the
-- database is not decided here.

SET search_path = pg_catalog, pg_temp;
SET client_min_messages = warning;

DO LANGUAGE plpgsql $$
DECLARE
    history CONSTANT regnamespace := (SELECT c.relnamespace FROM pg_class AS c WHERE c.oid = $name$"migrated".audit_head$name$::regclass);
    owner CONSTANT name := "migrated".role_name('audit_owner');
    -- Whether these roles are those of an earlier run.
    are_ours CONSTANT boolean := (SELECT pg_get_userbyid(n.nspowner) = owner FROM pg_namespace AS n WHERE n.oid = history);
    -- Until version 6 the roles were one set for the whole server.
    was_shared CONSTANT boolean := (SELECT pg_get_userbyid(n.nspowner) = 'audit_owner' FROM pg_namespace AS n WHERE n.oid = history);
    logins jsonb := jsonb_build_object(
        'audit_owner', '[]'::jsonb,
        'migrated_audit', to_jsonb(array_remove(ARRAY[current_setting('migrated.audit_login', true)], '')),
        'migrator', to_jsonb(array_remove(ARRAY[current_setting('migrated.migration_login', true)], '')),
        'auditor', coalesce(nullif(current_setting('migrated.auditors', true), ''), '[]')::jsonb,
        'source_reader', coalesce(nullif(current_setting('migrated.source_readers', true), ''), '[]')::jsonb);
    role record;
    login name;
    found text;
    problems text := '';
    databases integer;
    command text;
    joins boolean;
BEGIN
    logins := (SELECT jsonb_object_agg(l.key, (SELECT coalesce(jsonb_agg(e), '[]') FROM jsonb_array_elements(l.value) AS e WHERE e <> 'null'))
                 FROM jsonb_each(logins) AS l);

    -- The logins of the shared roles go on with the roles of this database, where it is certain that they are this database's.
    IF was_shared AND NOT EXISTS (SELECT FROM jsonb_each(logins) AS l WHERE l.value <> '[]') THEN
        SELECT count(DISTINCT d.dbid) INTO databases
          FROM pg_shdepend AS d JOIN pg_roles AS r ON r.oid = d.refobjid
         WHERE d.refclassid = 'pg_authid'::regclass AND d.dbid <> 0 AND r.rolname IN ('audit_owner', 'migrated_audit', 'migrator', 'auditor');
        IF databases > 1 OR EXISTS (SELECT FROM pg_roles AS r WHERE r.rolname LIKE 'audit\_owner\_%') THEN
            RAISE EXCEPTION 'the roles audit_owner, migrated_audit, migrator and auditor are shared by several databases, and whose logins are this one''s is not known: %',
                (SELECT string_agg(format('%s has %s', r.rolname, m.rolname), ', ' ORDER BY r.rolname, m.rolname)
                   FROM pg_auth_members AS a JOIN pg_roles AS r ON r.oid = a.roleid JOIN pg_roles AS m ON m.oid = a.member
                  WHERE r.rolname IN ('migrated_audit', 'migrator', 'auditor'))
                USING ERRCODE = 'MG007', HINT = 'Name them: migrated init --migration-login LOGIN --audit-login LOGIN --auditor LOGIN.';
        END IF;
        SELECT jsonb_object_agg(l.key, coalesce(
                   (SELECT jsonb_agg(m.rolname) FROM pg_auth_members AS a JOIN pg_roles AS r ON r.oid = a.roleid JOIN pg_roles AS m ON m.oid = a.member
                     WHERE r.rolname = l.key AND l.key <> 'audit_owner'), '[]'))
          INTO logins FROM jsonb_each(logins) AS l;
    END IF;

    FOR role IN
        SELECT w.word, "migrated".role_name(w.word) AS name, r.*
          FROM unnest(ARRAY['audit_owner', 'migrated_audit', 'migrator', 'auditor', 'source_reader']) AS w(word)
          LEFT JOIN pg_roles AS r ON r.rolname = "migrated".role_name(w.word)
    LOOP
        IF role.oid IS NULL THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS', role.name);
        ELSE
            -- A role that was there before is somebody's: it is taken only where it is what would be made here.
            SELECT string_agg(p.words, ', ') INTO found FROM (
                SELECT words FROM (VALUES
                    (role.rolsuper, 'is a superuser'), (role.rolcanlogin, 'can log in'), (role.rolcreaterole, 'may create roles'),
                    (role.rolcreatedb, 'may create databases'), (role.rolreplication, 'may replicate'), (role.rolbypassrls, 'bypasses row security'),
                    (NOT role.rolinherit, 'does not inherit'),
                    (EXISTS (SELECT FROM pg_db_role_setting AS s WHERE s.setrole = role.oid), 'has settings of its own')) AS v(holds, words)
                 WHERE v.holds
                UNION ALL
                SELECT format('is a member of %I', g.rolname)
                  FROM pg_auth_members AS a JOIN pg_roles AS g ON g.oid = a.roleid WHERE a.member = role.oid
                UNION ALL
                SELECT format('has the member %I', m.rolname)
                  FROM pg_auth_members AS a JOIN pg_roles AS m ON m.oid = a.member
                 WHERE a.roleid = role.oid AND (role.word = 'audit_owner' OR NOT are_ours)
                   AND NOT (logins -> role.word) ? m.rolname
                   -- Whoever is no superuser has to be one while this runs, and from PostgreSQL 16 on administers what it has made.
                   AND m.rolname <> current_user
                UNION ALL
                SELECT 'owns or may use something in ' || string_agg(DISTINCT CASE WHEN d.datname IS NULL THEN 'the whole server' ELSE format('database %I', d.datname) END, ' and ')
                  FROM pg_shdepend AS u LEFT JOIN pg_database AS d ON d.oid = u.dbid
                 WHERE u.refclassid = 'pg_authid'::regclass AND u.refobjid = role.oid AND NOT are_ours
                   AND u.classid <> 'pg_auth_members'::regclass
                   AND (u.dbid <> (SELECT b.oid FROM pg_database AS b WHERE b.datname = current_database()) OR u.deptype <> 'a')
                HAVING count(*) > 0) AS p;
            IF found IS NOT NULL THEN
                problems := concat_ws('; ', nullif(problems, ''), format('role %I %s', role.name, found));
            END IF;
        END IF;
    END LOOP;
    IF problems <> '' THEN
        RAISE EXCEPTION 'not taken, for being otherwise than ''migrated init'' makes it: %', problems USING ERRCODE = 'MG007',
            HINT = 'Find out whose role it is. Drop or rename it, take from it what is named here, or name a login that is to be its member.';
    END IF;

    EXECUTE format('COMMENT ON ROLE %I IS %L', owner, format('Owns the history of migrated in database %I; nobody is a member.', current_database()));
    EXECUTE format('COMMENT ON ROLE %I IS %L', "migrated".role_name('migrated_audit'),
                   format('The record of migrated in database %I: reads the history and appends to it.', current_database()));
    EXECUTE format('COMMENT ON ROLE %I IS %L', "migrated".role_name('migrator'),
                   format('Runs files for migrated in database %I; appends to its history with a one-time token only.', current_database()));
    EXECUTE format('COMMENT ON ROLE %I IS %L', "migrated".role_name('auditor'),
                   format('Reads the history of migrated in database %I.', current_database()));
    EXECUTE format('COMMENT ON ROLE %I IS %L', "migrated".role_name('source_reader'),
                   format('Reads the files'' texts and the values of rows in the history of migrated in database %I.', current_database()));

    -- Only a member of a role can give something to it; a superuser is one of all.
    joins := NOT pg_has_role(owner, 'MEMBER') OR NOT pg_has_role(owner, 'USAGE');
    IF joins THEN EXECUTE format('GRANT %I TO %I', owner, current_user); END IF;
    FOR command IN
        SELECT format('ALTER SCHEMA %s OWNER TO %I', history, owner)
          FROM pg_namespace AS n WHERE n.oid = history AND pg_get_userbyid(n.nspowner) <> owner
        UNION ALL
        SELECT format('ALTER %s %s OWNER TO %I', CASE c.relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END, c.oid::regclass, owner)
          FROM pg_class AS c
         WHERE c.relnamespace = history AND c.relkind IN ('r', 'p', 'v') AND pg_get_userbyid(c.relowner) <> owner
        UNION ALL
        SELECT format('ALTER ROUTINE %s OWNER TO %I', p.oid::regprocedure, owner)
          FROM pg_proc AS p WHERE p.pronamespace = history AND pg_get_userbyid(p.proowner) <> owner
    LOOP
        EXECUTE command;
    END LOOP;

    -- What was granted otherwise goes first, by what the catalog says, so that nothing is left that is not written here.
    PERFORM "migrated".revoke_foreign_rights();
    FOREACH command IN ARRAY ARRAY[
        'GRANT USAGE ON SCHEMA %1$s TO %2$I, %3$I, %4$I, %5$I',
        'GRANT SELECT ON ALL TABLES IN SCHEMA %1$s TO %2$I, %5$I',
        'GRANT EXECUTE ON FUNCTION %1$s.role_name(text), %1$s.without_numbers(text), %1$s.readable(text), %1$s.other_histories(), %1$s.left_out(text[]), %1$s.keeps_history(oid), %1$s.foreign_rights() TO %2$I, %3$I, %4$I, %5$I',
        'GRANT EXECUTE ON FUNCTION %1$s.event_hash(%1$s.migration_rollback_audit), %1$s.private_digests() TO %2$I, %4$I, %5$I',
        'GRANT SELECT (checksum) ON %1$s.migration_source TO %4$I',

        'GRANT EXECUTE ON FUNCTION %1$s.catalog_drift(integer, text[], boolean), %1$s.catalog_left(xid8, text[]), %1$s.have_relations_changed(text[], text[]), %1$s.read_catalog(uuid, text[], json, jsonb) TO %2$I',
        'GRANT EXECUTE ON FUNCTION %1$s.read_catalog_at_end(bytea, uuid, text[], json, jsonb), %1$s.catalog_counters(), %1$s.end_of_file(bigint[], bigint) TO %3$I',

        'GRANT INSERT ON %1$s.migration_source, %1$s.row_value TO %2$I',
        'GRANT EXECUTE ON FUNCTION %1$s.lock_head(bigint) TO %2$I, %3$I',
        'GRANT EXECUTE ON FUNCTION %1$s.append_events(bytea, integer, text, bytea, %1$s.migration_rollback_audit[]) TO %2$I',
        'GRANT EXECUTE ON FUNCTION %1$s.expect_token(bytea, integer) TO %2$I',

        'GRANT EXECUTE ON FUNCTION %1$s.append_attempt(bytea, integer, bytea, text, bytea, %1$s.migration_rollback_audit[]) TO %3$I',
        'GRANT SELECT ON %1$s.orphan_quarantine, %1$s.orphan_restoration TO %3$I',
        -- Neither the number of a row nor its salt is the writer's to choose.
        'GRANT INSERT (event_id, attempt_id, schema_name, table_name, column_names, action, key, old_row, old_text, row_hash, new_values) ON %1$s.orphan_quarantine TO %3$I',
        'GRANT INSERT (quarantine_id, event_id, outcome, reason, cleanup_event_id, row_count) ON %1$s.orphan_restoration TO %3$I',
        'GRANT EXECUTE ON FUNCTION %1$s.rows_digest(uuid), %1$s.require_rows(uuid, bigint, text) TO %2$I, %3$I']
    LOOP
        EXECUTE format(command, history, "migrated".role_name('migrated_audit'), "migrated".role_name('migrator'),
                       "migrated".role_name('auditor'), "migrated".role_name('source_reader'));
    END LOOP;
    FOR command IN
        SELECT format('GRANT SELECT ON %s TO %I', c.oid::regclass, "migrated".role_name('auditor'))
          FROM pg_class AS c
         WHERE c.relnamespace = history AND c.relkind IN ('r', 'p', 'v') AND c.relname NOT IN ('migration_source', 'row_value')
    LOOP
        EXECUTE command;
    END LOOP;

    FOR role IN SELECT "migrated".role_name(l.key) AS name, e.value #>> '{}' AS login FROM jsonb_each(logins) AS l, jsonb_array_elements(l.value) AS e LOOP
        -- A role is no member of itself.
        IF role.name <> role.login THEN EXECUTE format('GRANT %I TO %I', role.name, role.login); END IF;
    END LOOP;

    -- What is left is for a superuser, and no history that others may write is left to be trusted.
    SELECT string_agg(format('%s may %s %s %s (%s)', f.role, f.privilege, f.class, f.object, f.remedy), '; ') INTO problems
      FROM "migrated".foreign_rights() AS f WHERE f.privilege <> 'MEMBER' OR f.object <> quote_ident(owner) OR f.role <> current_user;
    IF problems IS NOT NULL THEN
        RAISE EXCEPTION 'others may write to the history: %', problems USING ERRCODE = 'MG007',
            HINT = 'Take these rights as a superuser, then run this again.';
    END IF;
    -- From here on nothing of the history is in reach of whoever is no superuser.
    IF joins THEN EXECUTE format('REVOKE %I FROM %I', owner, current_user); END IF;
END
$$;
RESET client_min_messages;
RESET search_path;
