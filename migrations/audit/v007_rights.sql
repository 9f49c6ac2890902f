-- The history of migrated: version 7 of its schema. Rights that are its own, a token that one session alone can spend, values of rows
-- that stay out of the chain.

-- The views below take their functions and operators from here.
SET LOCAL search_path = pg_catalog, pg_temp;

-- Without settings of its own, and every name in it qualified: so it is part of the statement that calls it.
CREATE FUNCTION "migrated".role_name(word text) RETURNS name
    LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    SELECT (CASE WHEN pg_catalog.octet_length(word OPERATOR(pg_catalog.||) '_' OPERATOR(pg_catalog.||) pg_catalog.current_database()::pg_catalog.text)
                      OPERATOR(pg_catalog.<=) 63
                 THEN word OPERATOR(pg_catalog.||) '_' OPERATOR(pg_catalog.||) pg_catalog.current_database()::pg_catalog.text
                 ELSE word OPERATOR(pg_catalog.||) '_' OPERATOR(pg_catalog.||) pg_catalog.left(pg_catalog.encode(
                      pg_catalog.sha256(pg_catalog.convert_to(pg_catalog.current_database()::pg_catalog.text, 'UTF8')), 'hex'), 16)
             END)::pg_catalog.name
$$;
COMMENT ON FUNCTION "migrated".role_name(text) IS
    'The role that has this part in the history of this database: roles belong to the whole server, so each carries the database''s name.';

ALTER TABLE "migrated".audit_head ADD COLUMN worker integer;
COMMENT ON COLUMN "migrated".audit_head.worker IS
    'The backend that alone may spend the token: whoever else reads it in a log of the server can do nothing with it.';

CREATE TABLE "migrated".row_value (
    event_id       uuid        NOT NULL,
    field          text        NOT NULL,
    salt           bytea       NOT NULL CONSTRAINT row_value_salt_check CHECK (pg_catalog.length(salt) = 32),
    value          text        NOT NULL,
    CONSTRAINT row_value_pkey PRIMARY KEY (event_id, field)
);
COMMENT ON TABLE "migrated".row_value IS
    'What the server said with values of rows in it, word for word; the event has it without them, and a salted digest. Append-only.';
COMMENT ON COLUMN "migrated".row_value.event_id IS 'The event.';
COMMENT ON COLUMN "migrated".row_value.field IS 'Which of its texts: message, detail or context.';
COMMENT ON COLUMN "migrated".row_value.salt IS '32 random bytes, so that the digest does not give a short value away.';
COMMENT ON COLUMN "migrated".row_value.value IS 'The text.';
CREATE TRIGGER row_value_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON "migrated".row_value
    FOR EACH STATEMENT EXECUTE FUNCTION "migrated".refuse_change();
ALTER TABLE "migrated".row_value ENABLE ALWAYS TRIGGER row_value_append_only;

CREATE FUNCTION "migrated".private_digests(OUT kind text, OUT name text, OUT digest text) RETURNS SETOF record
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT 'source', s.checksum, encode(sha256(s.source), 'hex') FROM "migrated".migration_source AS s
    UNION ALL
    SELECT 'row_value', v.event_id::text || ' ' || v.field, encode(sha256(v.salt || convert_to(v.value, 'UTF8')), 'hex')
      FROM "migrated".row_value AS v
$$;
COMMENT ON FUNCTION "migrated".private_digests() IS
    'The digests of what a reader of the history may not read itself: the files'' texts and the values of rows.';

DROP FUNCTION "migrated".expect_token(bytea);
CREATE FUNCTION "migrated".expect_token(digest bytea, backend integer) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    UPDATE "migrated".audit_head SET token = digest, worker = backend
$$;
COMMENT ON FUNCTION "migrated".expect_token(bytea, integer) IS
    'Says which token the end of the attempt that begins will carry, by its SHA-256, and which backend will spend it. Null: none.';

DROP FUNCTION "migrated".append_events(bytea, text, bytea, "migrated".migration_rollback_audit[]);
CREATE FUNCTION "migrated".append_events(
    next_digest bytea, backend integer, begun_checksum text, begun_source bytea, entries "migrated".migration_rollback_audit[])
    RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    head "migrated".audit_head;
    entry "migrated".migration_rollback_audit;
    last "migrated".migration_rollback_audit;
    applies boolean := false;
    ends boolean := false;
BEGIN
    SELECT * INTO STRICT head FROM "migrated".audit_head FOR UPDATE;
    FOREACH entry IN ARRAY entries LOOP
        -- Written so that a null is refused, too.
        IF (entry.seq = head.seq + 1 AND entry.prev_hash = head.hash) IS NOT TRUE THEN
            RAISE EXCEPTION 'event % does not follow the head of the chain, which is at %', entry.seq, head.seq
                USING ERRCODE = 'MG001';
        END IF;
        IF (entry.hash = "migrated".event_hash(entry)) IS NOT TRUE THEN
            RAISE EXCEPTION 'event % does not have the hash that it states', entry.seq USING ERRCODE = 'MG002';
        END IF;
        -- A second application is refused here even if the advisory lock failed us: the head's row lock puts all writers in a queue.
        IF entry.event = 'applied' AND entry.direction = 'up' THEN
            SELECT found.* INTO last
              FROM ((SELECT a.* FROM "migrated".migration_rollback_audit AS a
                      WHERE a.version = entry.version AND a.event IN ('applied', 'adopted', 'resolved', 'rolled_back')
                      ORDER BY a.seq DESC LIMIT 1)
                    UNION ALL
                    (SELECT a.* FROM "migrated".migration_rollback_audit AS a
                      WHERE a.name = entry.name AND a.event IN ('applied', 'adopted', 'resolved', 'rolled_back')
                      ORDER BY a.seq DESC LIMIT 1)) AS found
             ORDER BY found.seq DESC
             LIMIT 1;
            IF FOUND AND (last.event IN ('applied', 'adopted') OR (last.event = 'resolved' AND last.reason = 'applied'))
               AND NOT (entry.reason IS NOT DISTINCT FROM 'repeatable' AND last.checksum IS DISTINCT FROM entry.checksum)
            THEN
                RAISE EXCEPTION 'version % is already applied, see event %', entry.version, last.seq USING ERRCODE = 'MG003';
            END IF;
            -- What the call itself holds is not in the table yet.
            IF applies THEN
                RAISE EXCEPTION 'event % is the second application of one call', entry.seq USING ERRCODE = 'MG003';
            END IF;
            applies := true;
        END IF;
        ends := ends OR entry.event IN ('applied', 'failed', 'interrupted', 'rolled_back', 'rollback_failed');
        head.seq := entry.seq;
        head.hash := entry.hash;
    END LOOP;
    INSERT INTO "migrated".migration_rollback_audit SELECT e.* FROM unnest(entries) AS e;
    IF begun_checksum IS NOT NULL THEN
        INSERT INTO "migrated".migration_source (checksum, source) VALUES (begun_checksum, begun_source) ON CONFLICT DO NOTHING;
    END IF;
    -- A token ends with its attempt, whoever records the end.
    UPDATE "migrated".audit_head AS h
       SET seq = head.seq, hash = head.hash,
           token = CASE WHEN next_digest IS NOT NULL THEN next_digest WHEN NOT ends THEN h.token END,
           worker = CASE WHEN next_digest IS NOT NULL THEN backend WHEN NOT ends THEN h.worker END;
    PERFORM pg_notify('migrated_audit', head.seq::text);
END
$$;
COMMENT ON FUNCTION "migrated".append_events(bytea, integer, text, bytea, "migrated".migration_rollback_audit[]) IS
    'The only way in: checks place and hash of each event, refuses a second application, writes them, keeps the source of the file whose attempt begins, sets the next token where there is one, ends the old one with its attempt, and moves the head.';

CREATE FUNCTION "migrated".keeps_history(login oid) RETURNS boolean
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    -- Found once for a session: it is asked in every commit.
    RETURN has_function_privilege(
        login, $name$"migrated".append_events(bytea, integer, text, bytea, "migrated".migration_rollback_audit[])$name$::regprocedure, 'EXECUTE');
END
$$;
COMMENT ON FUNCTION "migrated".keeps_history(oid) IS 'Whether this login may append to the history without a token.';

CREATE FUNCTION "migrated".require_token(given_token bytea) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM FROM "migrated".audit_head AS h WHERE h.token = sha256(given_token) AND h.worker = pg_backend_pid() FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no such token is expected' USING ERRCODE = 'MG005',
            HINT = 'Only migrated itself appends to its history, and another process may have begun an attempt meanwhile.';
    END IF;
END
$$;
COMMENT ON FUNCTION "migrated".require_token(bytea) IS
    'Refuses a token that is not expected of this very backend; for the functions that the session of a file calls.';

DROP FUNCTION "migrated".append_attempt(bytea, integer, bytea, text, bytea, "migrated".migration_rollback_audit[]);
CREATE FUNCTION "migrated".append_attempt(
    given_token bytea, holder integer, next_digest bytea, begun_checksum text, begun_source bytea, entries "migrated".migration_rollback_audit[])
    RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM "migrated".require_token(given_token);
    -- Here and not before: whoever asked was perhaps frozen since. 1835624306 and 1635018084 are the halves of the lock's key, the word
    -- "migrated" in ASCII. Only a session of a login that keeps the history counts.
    IF NOT EXISTS (SELECT FROM pg_lock_status() AS l, pg_stat_get_activity(holder) AS s
                    WHERE l.locktype = 'advisory' AND l.granted AND l.pid = holder
                      AND l.classid = 1835624306 AND l.objid = 1635018084 AND l.objsubid = 1
                      AND s.pid = holder AND "migrated".keeps_history(s.usesysid))
    THEN
        RAISE EXCEPTION 'the lock on the database is not held by process %', holder USING ERRCODE = 'MG006';
    END IF;
    PERFORM "migrated".append_events(next_digest, pg_backend_pid(), begun_checksum, begun_source, entries);
    IF next_digest IS NULL THEN
        UPDATE "migrated".audit_head SET token = NULL, worker = NULL;
    END IF;
END
$$;
COMMENT ON FUNCTION "migrated".append_attempt(bytea, integer, bytea, text, bytea, "migrated".migration_rollback_audit[]) IS
    'The way in for the session that runs a file: spends the token, makes sure that the backend "holder" has the database''s lock and belongs to a login that keeps the history, sets the next token where there is one, and appends as append_events does.';

DROP FUNCTION "migrated".read_catalog_at_end(bytea, uuid);
CREATE FUNCTION "migrated".read_catalog_at_end(
    given_token bytea, event uuid, OUT changes integer, OUT digest text, OUT problem text)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM "migrated".require_token(given_token);
    SELECT r.* INTO changes, digest, problem FROM "migrated".read_catalog(event) AS r;
END
$$;
COMMENT ON FUNCTION "migrated".read_catalog_at_end(bytea, uuid) IS
    'The same for the session that runs a file, with the token that append_attempt spends thereafter.';

DROP FUNCTION "migrated".lock_head(bigint);
CREATE FUNCTION "migrated".lock_head(
    anchor bigint, OUT seq bigint, OUT hash text, OUT clock bigint, OUT hash_at_anchor text)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    -- Who holds the head holds up every record: of the sessions that run files only the one whose attempt it is.
    IF NOT EXISTS (SELECT FROM "migrated".audit_head AS h WHERE h.worker = pg_backend_pid())
       AND NOT "migrated".keeps_history((SELECT r.oid FROM pg_roles AS r WHERE r.rolname = session_user))
    THEN
        RAISE EXCEPTION 'no attempt of this session is under way' USING ERRCODE = 'MG005',
            HINT = 'Only migrated itself locks the head of its history.';
    END IF;
    SELECT h.seq, encode(h.hash, 'hex'), (extract(epoch FROM clock_timestamp() - '2000-01-01 00:00:00+00'::timestamptz) * 1000000)::bigint
      INTO seq, hash, clock
      FROM "migrated".audit_head AS h FOR UPDATE;
    IF seq > anchor THEN
        SELECT encode(a.hash, 'hex') INTO hash_at_anchor FROM "migrated".migration_rollback_audit AS a WHERE a.seq = anchor;
    END IF;
END
$$;
COMMENT ON FUNCTION "migrated".lock_head(bigint) IS
    'Locks the head until the end of the transaction and tells it, with the server''s clock in microseconds since 2000, and what stands at the anchor.';

-- What the catalog prints depends on settings, which a database or a role can have its own of.
ALTER FUNCTION "migrated".read_catalog(uuid) SET quote_all_identifiers = off;
ALTER FUNCTION "migrated".read_catalog(uuid) SET timezone = 'UTC';
ALTER FUNCTION "migrated".read_catalog(uuid) SET datestyle = 'ISO, YMD';
ALTER FUNCTION "migrated".read_catalog(uuid) SET intervalstyle = 'postgres';
ALTER FUNCTION "migrated".read_catalog(uuid) SET extra_float_digits = 1;
ALTER FUNCTION "migrated".read_catalog(uuid) SET bytea_output = 'hex';
ALTER FUNCTION "migrated".read_catalog(uuid) SET lc_monetary = 'C';
ALTER FUNCTION "migrated".read_catalog(uuid) SET standard_conforming_strings = on;

-- What the sessions of a role or a database start with is as much a part of how the database was left: it changes what every later file does.
-- PostgreSQL 15.20, and the others of its day, keep a number in the options of each column that changes with every ALTER TABLE.
CREATE FUNCTION "migrated".without_numbers(definition text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT CASE WHEN pg_catalog.strpos(definition, 'pg_attver=') OPERATOR(pg_catalog.=) 0 THEN definition
                ELSE pg_catalog.regexp_replace(pg_catalog.regexp_replace(definition, 'pg_attver=[0-9]+, |, pg_attver=[0-9]+', '', 'g'),
                                               ' options pg_attver=[0-9]+', '', 'g') END
$$;
COMMENT ON FUNCTION "migrated".without_numbers(text) IS 'A definition without what the server counts in it for itself.';
ALTER VIEW "migrated".catalog_object RENAME TO catalog_schema_object;
CREATE VIEW "migrated".catalog_object AS
SELECT o.class, o.object, "migrated".without_numbers(o.definition) AS definition FROM "migrated".catalog_schema_object AS o
UNION ALL
SELECT CASE WHEN s.setrole = 0 AND s.setdatabase <> 0 THEN 'database setting' ELSE 'role setting' END,
       CASE WHEN s.setrole = 0 AND s.setdatabase = 0 THEN 'all roles'
            ELSE concat_ws(' in ', quote_ident(r.rolname), CASE WHEN s.setdatabase <> 0 THEN quote_ident(d.datname) END) END,
       -- A name with a dot is an application's, whose value may be a secret; a connection string may hold one.
       (SELECT string_agg(CASE WHEN strpos(split_part(c.line, '=', 1), '.') = 0
                                    AND c.line !~* 'password|passwd|passphrase|secret|token|credential|conninfo|://' THEN c.line
                               ELSE split_part(c.line, '=', 1) || ' sha256 ' || encode(sha256(convert_to(c.line, 'UTF8')), 'hex') END,
                          E'\n' ORDER BY c.line COLLATE "C")
          FROM unnest(s.setconfig) AS c(line))
  FROM pg_db_role_setting AS s
  JOIN pg_database AS d ON d.datname = current_database() AND s.setdatabase IN (0, d.oid)
  LEFT JOIN pg_roles AS r ON r.oid = s.setrole
 -- Of the roles of the whole server those that have to do with this database.
 WHERE s.setdatabase <> 0 OR s.setrole = 0
    OR EXISTS (SELECT FROM pg_shdepend AS u WHERE u.dbid = d.oid AND u.refclassid = 'pg_authid'::regclass AND u.refobjid = s.setrole)
    OR EXISTS (SELECT FROM unnest(ARRAY['migrated_audit', 'migrator', 'auditor', 'source_reader']) AS w(word)
                 JOIN pg_roles AS p ON p.rolname = "migrated".role_name(w.word)
                WHERE pg_has_role(s.setrole, p.oid, 'MEMBER'));
COMMENT ON VIEW "migrated".catalog_object IS
    'Each object of the database as it is now, and the settings that the database and its roles have of their own.';
CREATE OR REPLACE VIEW "migrated".catalog_change AS
WITH recorded AS MATERIALIZED (
    SELECT DISTINCT ON (d.class, d.object) d.class, d.object, "migrated".without_numbers(d.definition) AS definition
      FROM "migrated".catalog_definition AS d
     ORDER BY d.class, d.object, d.reading DESC
)
SELECT coalesce(o.class, r.class) AS class, coalesce(o.object, r.object) AS object, r.definition AS before, o.definition AS now
  FROM "migrated".catalog_object AS o
  FULL JOIN recorded AS r ON r.class = o.class AND r.object = o.object
 WHERE o.definition IS DISTINCT FROM r.definition;

-- Readings of before did not have the settings: the first one that has takes them in.
ALTER TABLE "migrated".catalog_reading ADD COLUMN settings boolean NOT NULL DEFAULT false;
ALTER TABLE "migrated".catalog_reading ALTER COLUMN settings SET DEFAULT true;
COMMENT ON COLUMN "migrated".catalog_reading.settings IS 'Whether the settings of the database and its roles were read as well.';
CREATE VIEW "migrated".catalog_outside_change AS
SELECT c.class, c.object, c.before, c.now FROM "migrated".catalog_change AS c
 WHERE c.class NOT IN ('database setting', 'role setting') OR (SELECT bool_or(r.settings) FROM "migrated".catalog_reading AS r);
COMMENT ON VIEW "migrated".catalog_outside_change IS
    'What the database has otherwise than the newest reading of each object, as far as there was one.';

DROP FUNCTION "migrated".catalog_drift(integer);
CREATE FUNCTION "migrated".catalog_drift(
    most integer, OUT class text, OUT object text, OUT before text, OUT now text, OUT total bigint) RETURNS SETOF record
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET lock_timeout = '2s' SET jit = off
    SET plan_cache_mode = force_generic_plan
    SET quote_all_identifiers = off SET timezone = 'UTC' SET datestyle = 'ISO, YMD' SET intervalstyle = 'postgres'
    SET extra_float_digits = 1 SET bytea_output = 'hex' SET lc_monetary = 'C' SET standard_conforming_strings = on
AS $$
BEGIN
    IF NOT coalesce((SELECT s.is_last_word FROM "migrated".catalog_state AS s), false) THEN RETURN; END IF;
    RETURN QUERY
        SELECT c.class, c.object, c.before, c.now, count(*) OVER ()
          FROM "migrated".catalog_outside_change AS c ORDER BY c.class, c.object LIMIT most;
END
$$;
COMMENT ON FUNCTION "migrated".catalog_drift(integer) IS
    'What has changed since the newest reading, as far as nothing of migrated''s own has been under way since; so many at most, and how many in all.';

-- Small questions one after the other: as one view they took three times as long to plan as to answer.
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

CREATE FUNCTION "migrated".revoke_foreign_rights() RETURNS SETOF text
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    command text;
BEGIN
    FOR command IN SELECT f.remedy FROM "migrated".foreign_rights() AS f WHERE f.class <> 'ROLE' LOOP
        EXECUTE command;
        RETURN NEXT command;
    END LOOP;
END
$$;
COMMENT ON FUNCTION "migrated".revoke_foreign_rights() IS
    'Takes every right that foreign_rights shows, such as those of ALTER DEFAULT PRIVILEGES, and says how; what a role is a member of is for a superuser.';

REVOKE ALL ON "migrated".row_value, "migrated".catalog_object, "migrated".catalog_outside_change FROM PUBLIC;
REVOKE ALL ON FUNCTION "migrated".catalog_drift(integer), "migrated".without_numbers(text), "migrated".role_name(text), "migrated".private_digests(), "migrated".expect_token(bytea, integer),
    "migrated".append_events(bytea, integer, text, bytea, "migrated".migration_rollback_audit[]), "migrated".keeps_history(oid),
    "migrated".require_token(bytea),
    "migrated".append_attempt(bytea, integer, bytea, text, bytea, "migrated".migration_rollback_audit[]),
    "migrated".read_catalog_at_end(bytea, uuid), "migrated".lock_head(bigint), "migrated".foreign_rights(), "migrated".revoke_foreign_rights() FROM PUBLIC;

UPDATE "migrated".audit_head SET schema_version = 7;
