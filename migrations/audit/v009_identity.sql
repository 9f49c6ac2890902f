-- The history of migrated: version 9 of its schema. Migrations whose file was taken out of the directory for good; what is left out of the readings
-- of the catalog, and which server printed them.

-- The views below take their functions and operators from here.
SET LOCAL search_path = pg_catalog, pg_temp;

CREATE OR REPLACE VIEW "migrated".migration_status AS
SELECT DISTINCT ON (a.version)
       a.version, a.name,
       CASE WHEN a.event = 'adopted' OR (a.event = 'resolved' AND a.reason = 'applied') THEN 'applied'
            WHEN a.event = 'resolved' AND a.reason = 'retry' THEN 'retry_requested'
            -- A failure that passes by itself is tried again, by whoever comes next if its own process has died.
            WHEN a.event = 'failed' AND a.detail LIKE '%"retry_in_ms":%' THEN 'retry_requested'
            WHEN a.event = 'resolved' AND a.reason = 'retired' THEN 'retired'
            WHEN a.event = 'resolved' THEN 'rolled_back'
            ELSE a.event END AS status,
       -- The checksum of the migration itself, not of the file that undid it.
       CASE WHEN a.direction = 'down'
            THEN (SELECT u.checksum FROM "migrated".migration_rollback_audit AS u
                   WHERE u.version = a.version AND u.seq < a.seq AND u.direction = 'up' AND u.checksum IS NOT NULL
                   ORDER BY u.seq DESC LIMIT 1)
            ELSE a.checksum END AS checksum,
       a.reason, a.sqlstate, a.message, a.attempt_id, a.seq, a.event, a.recorded_at, a.initiated_by,
       coalesce(a.detail LIKE '%"repeatable":true%', false) AS repeatable
  FROM "migrated".migration_rollback_audit AS a
 WHERE a.version IS NOT NULL
   AND a.event IN ('started', 'applied', 'failed', 'interrupted', 'skipped', 'deferred', 'rolled_back', 'resolved', 'adopted')
   -- A rollback changes the state only once it is done.
   AND (a.direction IS DISTINCT FROM 'down' OR a.event = 'rolled_back')
 ORDER BY a.version, a.event IN ('skipped', 'deferred'), a.seq DESC;
COMMENT ON VIEW "migrated".migration_status IS
    'The newest state of each version that was ever met: applied, failed, started, interrupted, rolled_back, retry_requested, retired, skipped or deferred.';

-- A database without an encoding (SQL_ASCII) can have bytes that are no text in a default, a comment or a function.
CREATE FUNCTION "migrated".readable(words text) RETURNS text
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM convert_from(convert_to(words, 'SQL_ASCII'), 'UTF8');
    RETURN words;
EXCEPTION
    WHEN character_not_in_repertoire THEN RETURN encode(convert_to(words, 'SQL_ASCII'), 'escape');
END
$$;
COMMENT ON FUNCTION "migrated".readable(text) IS
    'A text of a database without an encoding, with octal escapes in the place of its bytes above 127 where they are no UTF-8.';
CREATE OR REPLACE VIEW "migrated".catalog_object AS
SELECT o.class, CASE getdatabaseencoding() WHEN 'SQL_ASCII' THEN "migrated".readable(o.object) ELSE o.object END AS object,
       CASE getdatabaseencoding() WHEN 'SQL_ASCII' THEN "migrated".readable("migrated".without_numbers(o.definition))
                                  ELSE "migrated".without_numbers(o.definition) END AS definition
  FROM "migrated".catalog_schema_object AS o
 -- Since PostgreSQL 18 NOT NULL has a row of its own among the constraints; the column says it anyway.
 WHERE (o.class = 'constraint' AND o.definition LIKE 'NOT NULL %' AND o.definition NOT LIKE '% NOT VALID') IS NOT TRUE
UNION ALL
SELECT CASE WHEN s.setrole = 0 AND s.setdatabase <> 0 THEN 'database setting' ELSE 'role setting' END,
       CASE WHEN s.setrole = 0 AND s.setdatabase = 0 THEN 'all roles'
            ELSE concat_ws(' in ', quote_ident(r.rolname), CASE WHEN s.setdatabase <> 0 THEN quote_ident(d.datname) END) END,
       -- A name with a dot is an application's, whose value may be a secret; a connection string may hold one.
       (SELECT string_agg(CASE WHEN strpos(split_part(c.line, '=', 1), '.') = 0
                                    AND c.line !~* 'password|passwd|passphrase|secret|token|credential|conninfo|://' THEN c.line
                               ELSE split_part(c.line, '=', 1) || ' sha256 ' || encode(sha256(convert_to(c.line, 'UTF8')), 'hex') END,
                          E'\n' ORDER BY c.line COLLATE "C")
          FROM (SELECT CASE getdatabaseencoding() WHEN 'SQL_ASCII' THEN "migrated".readable(u.line) ELSE u.line END
                  FROM unnest(s.setconfig) AS u(line)) AS c(line))
  FROM pg_db_role_setting AS s
  JOIN pg_database AS d ON d.datname = current_database() AND s.setdatabase IN (0, d.oid)
  LEFT JOIN pg_roles AS r ON r.oid = s.setrole
 -- Of the roles of the whole server those that have to do with this database.
 WHERE s.setdatabase <> 0 OR s.setrole = 0
    OR EXISTS (SELECT FROM pg_shdepend AS u WHERE u.dbid = d.oid AND u.refclassid = 'pg_authid'::regclass AND u.refobjid = s.setrole)
    OR EXISTS (SELECT FROM unnest(ARRAY['migrated_audit', 'migrator', 'auditor', 'source_reader']) AS w(word)
                 JOIN pg_roles AS p ON p.rolname = "migrated".role_name(w.word)
                WHERE pg_has_role(s.setrole, p.oid, 'MEMBER'));
CREATE OR REPLACE VIEW "migrated".catalog_change AS
WITH recorded AS MATERIALIZED (
    SELECT DISTINCT ON (d.class, d.object) d.class, d.object, "migrated".without_numbers(d.definition) AS definition
      FROM "migrated".catalog_definition AS d
     WHERE (d.class = 'constraint' AND d.definition LIKE 'NOT NULL %' AND d.definition NOT LIKE '% NOT VALID') IS NOT TRUE
     ORDER BY d.class, d.object, d.reading DESC
)
SELECT coalesce(o.class, r.class) AS class, coalesce(o.object, r.object) AS object, r.definition AS before, o.definition AS now
  FROM "migrated".catalog_object AS o
  FULL JOIN recorded AS r ON r.class = o.class AND r.object = o.object
 WHERE o.definition IS DISTINCT FROM r.definition;

ALTER TABLE "migrated".catalog_reading ADD COLUMN ignored text[] NOT NULL DEFAULT '{}';
COMMENT ON COLUMN "migrated".catalog_reading.ignored IS
    'The patterns of the setting catalog-ignore: objects whose names they match are left out of the reading, and of what is compared with it.';
ALTER TABLE "migrated".catalog_reading ADD COLUMN server integer;
COMMENT ON COLUMN "migrated".catalog_reading.server IS
    'The major version of the server that printed the definitions: another one has other words for the same. Null in readings of before version 9.';
COMMENT ON COLUMN "migrated".catalog_reading.digest IS
    'SHA-256 over those rows in the order of the bytes of class and object: class, object and definition as UTF-8 behind its length in four bytes (null: -1); then, where there are any, the ignored patterns as a JSON array in the same form.';

CREATE FUNCTION "migrated".other_histories() RETURNS SETOF text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT quote_ident(n.nspname)
      FROM pg_class AS h JOIN pg_namespace AS n ON n.oid = h.relnamespace
     WHERE h.relname = 'audit_head' AND h.relkind = 'r' AND h.oid <> $name$"migrated".audit_head$name$::regclass
       AND EXISTS (SELECT FROM pg_class AS a WHERE a.relnamespace = n.oid AND a.relname = 'migration_rollback_audit' AND a.relkind = 'r')
     ORDER BY n.nspname
$$;
COMMENT ON FUNCTION "migrated".other_histories() IS
    'The schemas of this database that hold the history of another migrated: what is in them is that one''s own.';

CREATE FUNCTION "migrated".left_out(ignored text[]) RETURNS text[]
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce(array_agg(p.pattern || e.ending), '{}')
      FROM (SELECT replace(regexp_replace(w.pattern, '([\\%_])', '\\\1', 'g'), '*', '%') FROM unnest(ignored) AS w(pattern)
            UNION ALL
            SELECT regexp_replace(o.name, '([\\%_])', '\\\1', 'g') FROM "migrated".other_histories() AS o(name)) AS p(pattern)
      CROSS JOIN (VALUES (''), ('.%')) AS e(ending)
$$;
COMMENT ON FUNCTION "migrated".left_out(text[]) IS
    'Patterns for LIKE of the objects that are left out where these patterns are ignored: those objects, what belongs to them, and other histories.';

CREATE OR REPLACE VIEW "migrated".catalog_state AS
SELECT r.id AS reading, e.seq,
       NOT EXISTS (SELECT FROM "migrated".migration_rollback_audit AS a
                    WHERE a.seq > e.seq AND a.reason IS DISTINCT FROM 'no_down_file'
                      AND a.event IN ('started', 'applied', 'failed', 'interrupted', 'statement_applied', 'constraint_added', 'index_created',
                                      'invalid_index_dropped', 'rolled_back', 'rollback_failed')) AS is_last_word,
       r.ignored, r.server, current_setting('server_version_num')::integer / 10000 AS server_now
  FROM "migrated".catalog_reading AS r JOIN "migrated".migration_rollback_audit AS e ON e.event_id = r.event_id
 ORDER BY r.id DESC LIMIT 1;

CREATE OR REPLACE VIEW "migrated".catalog_outside_change AS
SELECT c.class, c.object, c.before, c.now FROM "migrated".catalog_change AS c
 WHERE CASE WHEN c.class IN ('database setting', 'role setting') THEN (SELECT bool_or(r.settings) FROM "migrated".catalog_reading AS r)
            ELSE c.object NOT LIKE ALL ("migrated".left_out((SELECT s.ignored FROM "migrated".catalog_state AS s))) END;

DROP FUNCTION "migrated".catalog_drift(integer);
CREATE FUNCTION "migrated".catalog_drift(
    most integer, ignored text[], OUT class text, OUT object text, OUT before text, OUT now text, OUT total bigint) RETURNS SETOF record
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET lock_timeout = '2s' SET jit = off
    SET plan_cache_mode = force_generic_plan
    SET quote_all_identifiers = off SET timezone = 'UTC' SET datestyle = 'ISO, YMD' SET intervalstyle = 'postgres'
    SET extra_float_digits = 1 SET bytea_output = 'hex' SET lc_monetary = 'C' SET standard_conforming_strings = on
AS $$
DECLARE
    left_out CONSTANT text[] := "migrated".left_out(ignored);
    has_settings CONSTANT boolean := (SELECT bool_or(r.settings) FROM "migrated".catalog_reading AS r);
    reprinted boolean;
BEGIN
    SELECT coalesce(s.server <> s.server_now, false) INTO reprinted FROM "migrated".catalog_state AS s WHERE s.is_last_word;
    IF NOT FOUND THEN RETURN; END IF;
    RETURN QUERY
        SELECT c.class, c.object, c.before, c.now, count(*) OVER ()
          FROM "migrated".catalog_change AS c
         WHERE CASE WHEN c.class IN ('database setting', 'role setting') THEN has_settings ELSE c.object NOT LIKE ALL (left_out) END
           -- Another major version prints the same in other words: only what has come and gone can be told then.
           AND NOT (reprinted AND c.before IS NOT NULL AND c.now IS NOT NULL)
         ORDER BY c.class, c.object LIMIT most;
END
$$;
COMMENT ON FUNCTION "migrated".catalog_drift(integer, text[]) IS
    'What has changed since the newest reading but for what these patterns match, as far as nothing of migrated''s own has been under way since; so many at most, and how many in all. On a server of another major version than the reading''s, only what was added and removed.';

DROP FUNCTION "migrated".read_catalog(uuid);
CREATE FUNCTION "migrated".read_catalog(
    event uuid, ignored text[], OUT changes integer, OUT digest text, OUT problem text, OUT others text[])
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '2s' SET jit = off
    SET plan_cache_mode = force_generic_plan
    SET quote_all_identifiers = off SET timezone = 'UTC' SET datestyle = 'ISO, YMD' SET intervalstyle = 'postgres'
    SET extra_float_digits = 1 SET bytea_output = 'hex' SET lc_monetary = 'C' SET standard_conforming_strings = on
AS $$
DECLARE
    left_out CONSTANT text[] := "migrated".left_out(ignored);
    patterns bytea := '';
    number bigint;
BEGIN
    -- The head's lock puts readers in a queue.
    PERFORM FROM "migrated".audit_head FOR UPDATE;
    number := coalesce((SELECT max(r.id) FROM "migrated".catalog_reading AS r), 0) + 1;
    others := ARRAY(SELECT o.name FROM "migrated".other_histories() AS o(name));
    IF cardinality(ignored) > 0 THEN
        patterns := convert_to(array_to_json(ignored)::text, 'UTF8');
        patterns := int4send(length(patterns)) || patterns;
    END IF;
    WITH found AS (
        INSERT INTO "migrated".catalog_definition (reading, class, object, definition)
        SELECT number, c.class, c.object, c.now FROM "migrated".catalog_change AS c
         WHERE c.class IN ('database setting', 'role setting') OR c.object NOT LIKE ALL (left_out)
        RETURNING convert_to(class, 'UTF8') AS class, convert_to(object, 'UTF8') AS object, convert_to(definition, 'UTF8') AS definition
    )
    SELECT count(*),
           encode(sha256(coalesce(string_agg(int4send(length(f.class)) || f.class || int4send(length(f.object)) || f.object
               || CASE WHEN f.definition IS NULL THEN decode('ffffffff', 'hex') ELSE int4send(length(f.definition)) || f.definition END,
               '' ORDER BY f.class, f.object), '') || patterns), 'hex')
      INTO changes, digest FROM found AS f;
    INSERT INTO "migrated".catalog_reading (id, event_id, changes, digest, ignored, server)
    VALUES (number, event, changes, decode(digest, 'hex'), ignored, current_setting('server_version_num')::integer / 10000);
EXCEPTION
    -- A table that somebody else holds locked, or that goes just now, is no reason to undo a migration: the event tells that nothing was read.
    WHEN lock_not_available OR internal_error OR undefined_object OR undefined_table OR undefined_function
      OR character_not_in_repertoire OR untranslatable_character THEN
        problem := concat_ws(' ', SQLSTATE, SQLERRM);
END
$$;
COMMENT ON FUNCTION "migrated".read_catalog(uuid, text[]) IS
    'Keeps what the catalog has otherwise than the newest reading, as a reading for which that event vouches, but for what these patterns match; tells how many objects, their digest, and the schemas of other histories.';

DROP FUNCTION "migrated".read_catalog_at_end(bytea, uuid);
CREATE FUNCTION "migrated".read_catalog_at_end(
    given_token bytea, event uuid, ignored text[], OUT changes integer, OUT digest text, OUT problem text, OUT others text[])
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM "migrated".require_token(given_token);
    SELECT r.* INTO changes, digest, problem, others FROM "migrated".read_catalog(event, ignored) AS r;
END
$$;
COMMENT ON FUNCTION "migrated".read_catalog_at_end(bytea, uuid, text[]) IS
    'The same for the session that runs a file, with the token that append_attempt spends thereafter.';

DROP FUNCTION "migrated".foreign_rights();
CREATE FUNCTION "migrated".foreign_rights(OUT class text, OUT object text, OUT role text, OUT privilege text, OUT remedy text)
    RETURNS SETOF record LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    head CONSTANT oid := $name$"migrated".audit_head$name$::regclass;
    record CONSTANT oid := to_regrole(quote_ident("migrated".role_name('migrated_audit')));
    files CONSTANT oid := to_regrole(quote_ident("migrated".role_name('migrator')));
    reader CONSTANT oid := to_regrole(quote_ident("migrated".role_name('auditor')));
    texts CONSTANT oid := to_regrole(quote_ident("migrated".role_name('source_reader')));
    history oid;
    owner oid;
    relations oid[];
    routines oid[];
    found record;
BEGIN
    SELECT c.relnamespace, c.relowner INTO history, owner FROM pg_class AS c WHERE c.oid = head;
    -- By what depends on the schema: that has an index.
    SELECT array_agg(d.objid) FILTER (WHERE d.classid = 'pg_class'::regclass), array_agg(d.objid) FILTER (WHERE d.classid = 'pg_proc'::regclass)
      INTO relations, routines FROM pg_depend AS d WHERE d.refclassid = 'pg_namespace'::regclass AND d.refobjid = history;
    FOR found IN
        SELECT 'SCHEMA' AS class, n.oid AS object, NULL::name AS attribute, a.grantee, a.privilege_type
          FROM pg_namespace AS n, aclexplode(n.nspacl) AS a
         WHERE n.oid = history AND a.grantee NOT IN (owner, n.nspowner)
           AND (a.privilege_type = 'USAGE' AND NOT a.is_grantable AND a.grantee IN (record, files, reader, texts)) IS NOT TRUE
        UNION ALL
        SELECT CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, c.oid, NULL, a.grantee, a.privilege_type
          FROM pg_class AS c, aclexplode(c.relacl) AS a
         WHERE c.oid = ANY (relations) AND a.grantee NOT IN (owner, c.relowner)
           AND (NOT a.is_grantable AND CASE a.privilege_type
                    WHEN 'SELECT' THEN a.grantee IN (record, texts)
                        OR a.grantee = reader AND c.relname NOT IN ('migration_source', 'row_value')
                        OR a.grantee = files AND c.relname IN ('orphan_quarantine', 'orphan_restoration')
                    WHEN 'INSERT' THEN a.grantee = record AND c.relname IN ('migration_source', 'row_value')
                        OR a.grantee = files AND c.relname IN ('orphan_quarantine', 'orphan_restoration') END) IS NOT TRUE
        UNION ALL
        SELECT 'TABLE', t.attrelid, t.attname, a.grantee, a.privilege_type
          FROM pg_attribute AS t, aclexplode(t.attacl) AS a
         WHERE t.attrelid = ANY (relations) AND a.grantee <> owner
           AND (NOT a.is_grantable AND a.privilege_type = 'SELECT' AND a.grantee = reader AND t.attname = 'checksum') IS NOT TRUE
        UNION ALL
        SELECT 'ROUTINE', r.oid, NULL, a.grantee, a.privilege_type
          FROM pg_proc AS r, aclexplode(coalesce(r.proacl, acldefault('f', r.proowner))) AS a
         WHERE r.oid = ANY (routines) AND a.grantee NOT IN (owner, r.proowner)
           AND (NOT a.is_grantable AND CASE r.proname
                    WHEN 'role_name' THEN a.grantee IN (record, files, reader, texts)
                    WHEN 'without_numbers' THEN a.grantee IN (record, files, reader, texts)
                    WHEN 'readable' THEN a.grantee IN (record, files, reader, texts)
                    WHEN 'other_histories' THEN a.grantee IN (record, files, reader, texts)
                    WHEN 'left_out' THEN a.grantee IN (record, files, reader, texts)
                    WHEN 'keeps_history' THEN a.grantee IN (record, files, reader, texts)
                    WHEN 'foreign_rights' THEN a.grantee IN (record, files, reader, texts)
                    WHEN 'event_hash' THEN a.grantee IN (record, reader, texts)
                    WHEN 'private_digests' THEN a.grantee IN (record, reader, texts)
                    WHEN 'lock_head' THEN a.grantee IN (record, files)
                    WHEN 'append_attempt' THEN a.grantee = files
                    WHEN 'read_catalog_at_end' THEN a.grantee = files
                    ELSE a.grantee = record AND r.proname IN ('append_events', 'expect_token', 'catalog_drift', 'read_catalog') END) IS NOT TRUE
    LOOP
        class := found.class;
        object := CASE class WHEN 'SCHEMA' THEN found.object::regnamespace::text WHEN 'ROUTINE' THEN found.object::regprocedure::text
                             ELSE found.object::regclass::text END;
        privilege := found.privilege_type;
        role := CASE found.grantee WHEN 0 THEN 'public' ELSE pg_get_userbyid(found.grantee) END;
        remedy := format('REVOKE %s%s ON %s %s FROM %s CASCADE', privilege, ' (' || quote_ident(found.attribute) || ')', class, object,
                         CASE found.grantee WHEN 0 THEN 'PUBLIC' ELSE found.grantee::regrole::text END);
        object := object || coalesce('.' || quote_ident(found.attribute), '');
        RETURN NEXT;
    END LOOP;

    -- Whoever is a member of the owner can become it. Only the owner that 'migrated init' makes is nobody's: where a login owns the history,
    -- its members are its own matter. pg_write_all_data, since PostgreSQL 14, may write to every table. From PostgreSQL 16 on whoever made a
    -- role is a member that can not become it, as long as it is not told to.
    class := 'ROLE';
    FOR found IN
        SELECT a.roleid, a.member FROM pg_auth_members AS a
         WHERE (a.roleid = owner AND pg_get_userbyid(owner) = "migrated".role_name('audit_owner')
                OR a.roleid = to_regrole('pg_write_all_data') AND a.member <> owner)
           AND (coalesce(to_jsonb(a) ->> 'set_option', 'true') = 'true' OR coalesce(to_jsonb(a) ->> 'inherit_option', 'true') = 'true')
    LOOP
        CONTINUE WHEN (SELECT r.rolsuper FROM pg_roles AS r WHERE r.oid = found.member);
        object := found.roleid::regrole::text;
        role := pg_get_userbyid(found.member);
        privilege := 'MEMBER';
        remedy := format('REVOKE %s FROM %s', object, found.member::regrole);
        RETURN NEXT;
    END LOOP;
    IF pg_get_userbyid(owner) = "migrated".role_name('audit_owner') AND (SELECT r.rolcanlogin FROM pg_roles AS r WHERE r.oid = owner) THEN
        object := owner::regrole::text;
        role := pg_get_userbyid(owner);
        privilege := 'LOGIN';
        remedy := format('ALTER ROLE %s NOLOGIN', object);
        RETURN NEXT;
    END IF;
END
$$;
COMMENT ON FUNCTION "migrated".foreign_rights() IS
    'Every right to the history that neither its owner has nor one of the roles that ''migrated init'' hands out should have, and how it ends.';

REVOKE ALL ON FUNCTION "migrated".foreign_rights(), "migrated".readable(text), "migrated".other_histories(), "migrated".left_out(text[]), "migrated".catalog_drift(integer, text[]),
    "migrated".read_catalog(uuid, text[]), "migrated".read_catalog_at_end(bytea, uuid, text[]) FROM PUBLIC;

UPDATE "migrated".audit_head SET schema_version = 9;
