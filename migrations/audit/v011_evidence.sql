-- The history of migrated: version 11 of its schema. The rows that are kept, and what became of them, are under the chain.

ALTER TABLE "migrated".orphan_quarantine ADD COLUMN salt uuid NOT NULL DEFAULT gen_random_uuid();
COMMENT ON COLUMN "migrated".orphan_quarantine.salt IS
    'Chance: whoever is shown the digest of this row cannot find its values by trying.';
ALTER TABLE "migrated".orphan_restoration
    ADD COLUMN id bigint NOT NULL GENERATED ALWAYS AS IDENTITY CONSTRAINT orphan_restoration_pkey PRIMARY KEY,
    ADD COLUMN salt uuid NOT NULL DEFAULT gen_random_uuid();
COMMENT ON COLUMN "migrated".orphan_restoration.id IS 'Order in which outcomes were recorded.';
COMMENT ON COLUMN "migrated".orphan_restoration.salt IS 'As in orphan_quarantine.';
-- Nothing is looked for by the attempt that the event does not find.
DROP INDEX "migrated".orphan_quarantine_attempt_id_idx;

ALTER TABLE "migrated".audit_head ADD COLUMN kept bigint NOT NULL DEFAULT 0;
ALTER TABLE "migrated".audit_head ADD COLUMN outcomes bigint NOT NULL DEFAULT 0;
COMMENT ON COLUMN "migrated".audit_head.kept IS 'The last row of orphan_quarantine when the newest event was recorded.';
COMMENT ON COLUMN "migrated".audit_head.outcomes IS 'The last row of orphan_restoration then.';
UPDATE "migrated".audit_head
   SET kept = coalesce((SELECT max(q.id) FROM "migrated".orphan_quarantine AS q), 0),
       outcomes = coalesce((SELECT max(r.id) FROM "migrated".orphan_restoration AS r), 0);

-- A tree of two levels: a row can be shown with the 1,023 digests beside it and one for each thousand others.
CREATE FUNCTION "migrated".rows_digest(event uuid, OUT number bigint, OUT root text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_encoding = 'UTF8'
AS $$
    SELECT coalesce(sum(n.number), 0)::bigint, encode(sha256('\x02'::bytea || string_agg(n.node, ''::bytea ORDER BY n.place)), 'hex')
      FROM (SELECT l.place, count(*) AS number, sha256('\x01'::bytea || string_agg(l.leaf, ''::bytea ORDER BY l.id)) AS node
              FROM (SELECT (row_number() OVER (ORDER BY d.id) - 1) / 1024 AS place, d.id, d.leaf
                      -- Digested before they are sorted: a row may have any width.
                      FROM (SELECT q.id, sha256(record_send(ROW(q.salt, q.id, q.event_id, q.attempt_id, q.schema_name, q.table_name, q.column_names,
                                                                q.action, q.key, q.old_row, q.old_text, q.row_hash, q.new_values))) AS leaf
                              FROM "migrated".orphan_quarantine AS q WHERE q.event_id = event
                            UNION ALL
                            SELECT r.id, sha256(record_send(ROW(r.salt, r.id, r.quarantine_id, r.event_id, r.outcome, r.reason, r.cleanup_event_id,
                                                                r.row_count)))
                              FROM "migrated".orphan_restoration AS r WHERE r.event_id = event
                            OFFSET 0) AS d) AS l
             GROUP BY l.place) AS n
$$;
COMMENT ON FUNCTION "migrated".rows_digest(uuid) IS
    'How many rows an event has kept, or outcomes it has recorded, and a digest over them: sha256(0x02, nodes), of which each is sha256(0x01, leaves) of 1024 rows, of which each is sha256 of its columns as record_send gives them in UTF-8.';

CREATE FUNCTION "migrated".require_rows(event uuid, expected bigint, expected_root text) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    found record;
BEGIN
    found := "migrated".rows_digest(event);
    IF found.number <> expected OR found.root <> expected_root THEN
        RAISE EXCEPTION 'the rows kept for event % are not those that it was recorded with', event USING ERRCODE = 'MG011',
            HINT = 'Somebody has changed orphan_quarantine, and nothing is put back from it. See ''auditctl verify''.';
    END IF;
END
$$;
COMMENT ON FUNCTION "migrated".require_rows(uuid, bigint, text) IS
    'Refuses kept rows of which there are more or fewer than their event counts, or whose digest, where it has one, is another.';

CREATE FUNCTION "migrated".require_attempt() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM "migrated".audit_head AS h WHERE h.worker = pg_backend_pid()) THEN
        RAISE EXCEPTION 'no attempt of this session is under way' USING ERRCODE = 'MG005',
            HINT = 'Only migrated itself keeps rows, while it cleans or restores.';
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION "migrated".require_attempt() IS 'Refuses rows of a session that has no attempt under way.';
CREATE TRIGGER orphan_quarantine_of_attempt BEFORE INSERT ON "migrated".orphan_quarantine
    FOR EACH STATEMENT EXECUTE FUNCTION "migrated".require_attempt();
ALTER TABLE "migrated".orphan_quarantine ENABLE ALWAYS TRIGGER orphan_quarantine_of_attempt;
CREATE TRIGGER orphan_restoration_of_attempt BEFORE INSERT ON "migrated".orphan_restoration
    FOR EACH STATEMENT EXECUTE FUNCTION "migrated".require_attempt();
ALTER TABLE "migrated".orphan_restoration ENABLE ALWAYS TRIGGER orphan_restoration_of_attempt;

CREATE FUNCTION "migrated".require_counted(entries "migrated".migration_rollback_audit[]) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    head "migrated".audit_head;
    kept bigint;
    outcomes bigint;
BEGIN
    SELECT * INTO STRICT head FROM "migrated".audit_head;
    -- Rows of nobody's, without a look at the entries, which are many and large.
    IF NOT EXISTS (SELECT FROM "migrated".orphan_quarantine AS q WHERE q.id > head.kept)
       AND NOT EXISTS (SELECT FROM "migrated".orphan_restoration AS r WHERE r.id > head.outcomes)
    THEN
        RETURN;
    END IF;
    SELECT coalesce(sum(d.number) FILTER (WHERE e.event <> 'orphans_restored' AND d.number = e.row_count), 0),
           coalesce(sum(d.number) FILTER (WHERE e.event = 'orphans_restored'), 0)
      INTO kept, outcomes
      FROM unnest(entries) AS e CROSS JOIN LATERAL (SELECT (e.detail::jsonb #>> '{digest,rows}')::bigint AS number) AS d
     WHERE e.event IN ('orphans_deleted', 'orphans_nullified', 'orphans_restored');
    IF kept <> (SELECT count(*) FROM "migrated".orphan_quarantine AS q WHERE q.id > head.kept)
       OR outcomes <> (SELECT count(*) FROM "migrated".orphan_restoration AS r WHERE r.id > head.outcomes)
    THEN
        RAISE EXCEPTION 'the file has written into orphan_quarantine or orphan_restoration itself' USING ERRCODE = 'MG010',
            HINT = 'These tables are the history''s: take the statement out of the file.';
    END IF;
END
$$;
COMMENT ON FUNCTION "migrated".require_counted("migrated".migration_rollback_audit[]) IS
    'Refuses the end of a transaction that has kept rows, or recorded outcomes, which none of its events counts.';

CREATE OR REPLACE FUNCTION "migrated".append_events(
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
           worker = CASE WHEN next_digest IS NOT NULL THEN backend WHEN NOT ends THEN h.worker END,
           kept = coalesce((SELECT max(q.id) FROM "migrated".orphan_quarantine AS q), 0),
           outcomes = coalesce((SELECT max(r.id) FROM "migrated".orphan_restoration AS r), 0);
    PERFORM pg_notify('migrated_audit', head.seq::text);
END
$$;

CREATE OR REPLACE FUNCTION "migrated".append_attempt(
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
    PERFORM "migrated".require_counted(entries);
    PERFORM "migrated".append_events(next_digest, pg_backend_pid(), begun_checksum, begun_source, entries);
    IF next_digest IS NULL THEN
        UPDATE "migrated".audit_head SET token = NULL, worker = NULL;
    END IF;
END
$$;

CREATE OR REPLACE FUNCTION "migrated".foreign_rights(OUT class text, OUT object text, OUT role text, OUT privilege text, OUT remedy text)
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
                    WHEN 'INSERT' THEN a.grantee = record AND c.relname IN ('migration_source', 'row_value') END) IS NOT TRUE
        UNION ALL
        SELECT 'TABLE', t.attrelid, t.attname, a.grantee, a.privilege_type
          FROM pg_attribute AS t, aclexplode(t.attacl) AS a
         WHERE t.attrelid = ANY (relations) AND a.grantee <> owner
           AND (NOT a.is_grantable AND CASE a.privilege_type WHEN 'SELECT' THEN a.grantee = reader AND t.attname = 'checksum'
                    WHEN 'INSERT' THEN a.grantee = files AND t.attname NOT IN ('id', 'salt')
                        AND t.attrelid IN ($name$"migrated".orphan_quarantine$name$::regclass, $name$"migrated".orphan_restoration$name$::regclass) END) IS NOT TRUE
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
                    WHEN 'rows_digest' THEN a.grantee IN (record, files)
                    WHEN 'require_rows' THEN a.grantee IN (record, files)
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

REVOKE ALL ON FUNCTION "migrated".rows_digest(uuid), "migrated".require_rows(uuid, bigint, text), "migrated".require_attempt(),
    "migrated".require_counted("migrated".migration_rollback_audit[]) FROM PUBLIC;

UPDATE "migrated".audit_head SET schema_version = 11;
