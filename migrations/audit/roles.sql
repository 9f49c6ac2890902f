-- The roles of migrated, and who owns the history: nobody who can log in.
--
-- 'migrated init' runs this file behind the history's own. It can also be run by hand, as often as one likes, by a superuser, or by whoever
-- may create roles and owns the history:
--
--     psql -X -v ON_ERROR_STOP=1 -1 -d DATABASE -f roles.sql
--
-- Where the history has another schema, put its name in place of "migrated" (in quotes here wherever it is meant).
--
--     audit_owner     cannot log in; owns the schema and all that is in it
--     migrated_audit  the daemon's record: reads all of it, and appends
--     migrator        runs the files: appends the end of an attempt, with the one-time token that migrated_audit has announced
--     auditor         reads
--
-- The last three can be logged in as (no password is set here), or granted to a login that is there already: GRANT migrator TO app;
-- None of them can update, delete, truncate or alter what is recorded, nor switch a trigger off. What files may do to the rest of the
-- database is not decided here.

SET search_path = pg_catalog, pg_temp;

DO LANGUAGE plpgsql $$
DECLARE
    role record;
BEGIN
    FOR role IN
        SELECT wanted.name, wanted.login
          FROM (VALUES ('audit_owner', 'NOLOGIN'), ('migrated_audit', 'LOGIN'), ('migrator', 'LOGIN'), ('auditor', 'LOGIN'))
               AS wanted (name, login)
         WHERE NOT EXISTS (SELECT FROM pg_roles AS r WHERE r.rolname = wanted.name)
    LOOP
        EXECUTE format('CREATE ROLE %I %s NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS', role.name, role.login);
    END LOOP;
END
$$;
ALTER ROLE audit_owner NOLOGIN;
ALTER ROLE auditor SET default_transaction_read_only = on;
COMMENT ON ROLE audit_owner IS 'Owns the history of migrated; nobody logs in as it.';
COMMENT ON ROLE migrated_audit IS 'The record of migrated: reads the history and appends to it.';
COMMENT ON ROLE migrator IS 'Runs files for migrated; appends to its history with a one-time token only.';
COMMENT ON ROLE auditor IS 'Reads the history of migrated.';

DO LANGUAGE plpgsql $$
DECLARE
    history CONSTANT text := $name$"migrated"$name$;
    owner CONSTANT oid := 'audit_owner'::regrole;
    -- Only a member of a role can give something to it; a superuser is one of all.
    joins CONSTANT boolean := NOT pg_has_role('audit_owner', 'MEMBER');
    command text;
BEGIN
    IF to_regnamespace(history) IS NULL THEN
        RAISE NOTICE 'there is no history here yet: run this file again once there is, or ''migrated init''';
        RETURN;
    END IF;
    IF joins THEN EXECUTE format('GRANT audit_owner TO %I', CURRENT_USER); END IF;

    FOR command IN
        SELECT format('ALTER SCHEMA %s OWNER TO audit_owner', history)
          FROM pg_namespace AS n WHERE n.oid = to_regnamespace(history) AND n.nspowner <> owner
        UNION ALL
        SELECT format('ALTER %s %s OWNER TO audit_owner', CASE c.relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END, c.oid::regclass)
          FROM pg_class AS c
         WHERE c.relnamespace = to_regnamespace(history) AND c.relkind IN ('r', 'p', 'v') AND c.relowner <> owner
        UNION ALL
        SELECT format('ALTER ROUTINE %s OWNER TO audit_owner', p.oid::regprocedure)
          FROM pg_proc AS p WHERE p.pronamespace = to_regnamespace(history) AND p.proowner <> owner
    LOOP
        EXECUTE command;
    END LOOP;

    -- What was granted otherwise goes first, so that nothing is left that is not written here.
    FOREACH command IN ARRAY ARRAY[
        'REVOKE ALL ON SCHEMA HISTORY FROM PUBLIC, migrated_audit, migrator, auditor',
        'REVOKE ALL ON ALL TABLES IN SCHEMA HISTORY FROM PUBLIC, migrated_audit, migrator, auditor',
        'REVOKE ALL ON ALL SEQUENCES IN SCHEMA HISTORY FROM PUBLIC, migrated_audit, migrator, auditor',
        'REVOKE ALL ON ALL ROUTINES IN SCHEMA HISTORY FROM PUBLIC, migrated_audit, migrator, auditor',

        'GRANT USAGE ON SCHEMA HISTORY TO migrated_audit, migrator, auditor',
        'GRANT SELECT ON ALL TABLES IN SCHEMA HISTORY TO migrated_audit, auditor',
        'GRANT EXECUTE ON FUNCTION HISTORY.event_hash(HISTORY.migration_rollback_audit) TO migrated_audit, auditor',

        'GRANT EXECUTE ON FUNCTION HISTORY.catalog_drift(integer), HISTORY.read_catalog(uuid) TO migrated_audit',
        'GRANT EXECUTE ON FUNCTION HISTORY.read_catalog_at_end(bytea, uuid) TO migrator',

        'GRANT INSERT ON HISTORY.migration_source TO migrated_audit',
        'GRANT EXECUTE ON FUNCTION HISTORY.lock_head(bigint) TO migrated_audit, migrator',
        'GRANT EXECUTE ON FUNCTION HISTORY.append_events(bytea, text, bytea, HISTORY.migration_rollback_audit[]), HISTORY.expect_token(bytea) TO migrated_audit',

        'GRANT EXECUTE ON FUNCTION HISTORY.append_attempt(bytea, integer, bytea, text, bytea, HISTORY.migration_rollback_audit[]) TO migrator',
        'GRANT SELECT, INSERT ON HISTORY.orphan_quarantine, HISTORY.orphan_restoration TO migrator']
    LOOP
        EXECUTE replace(command, 'HISTORY', history);
    END LOOP;

    IF joins THEN EXECUTE format('REVOKE audit_owner FROM %I', CURRENT_USER); END IF;
END
$$;
RESET search_path;
