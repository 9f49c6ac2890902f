-- The history of migrated: version 5 of its schema. How each object of the database was left, so that a change from outside is seen.

-- The views below take their functions and operators from here.
SET LOCAL search_path = pg_catalog, pg_temp;

CREATE TABLE "migrated".catalog_reading (
    id             bigint      NOT NULL CONSTRAINT catalog_reading_pkey PRIMARY KEY,
    event_id       uuid        NOT NULL CONSTRAINT catalog_reading_event_id_key UNIQUE,
    changes        integer     NOT NULL,
    digest         bytea       NOT NULL CONSTRAINT catalog_reading_digest_check CHECK (pg_catalog.length(digest) = 32)
);
COMMENT ON TABLE "migrated".catalog_reading IS
    'Each time that the catalog was read: at the end of a run, and where something had changed from outside. Append-only.';
COMMENT ON COLUMN "migrated".catalog_reading.id IS '1, 2, 3 and so on without a gap.';
COMMENT ON COLUMN "migrated".catalog_reading.event_id IS 'The event that vouches for the reading: its detail has the digest.';
COMMENT ON COLUMN "migrated".catalog_reading.changes IS 'How many objects differ from the reading before: its rows in catalog_definition.';
COMMENT ON COLUMN "migrated".catalog_reading.digest IS
    'SHA-256 over those rows in the order of the bytes of class and object: class, object and definition as UTF-8 behind its length in four bytes (null: -1).';

CREATE TABLE "migrated".catalog_definition (
    reading        bigint      NOT NULL,
    class          text        NOT NULL,
    object         text        NOT NULL,
    definition     text,
    CONSTRAINT catalog_definition_pkey PRIMARY KEY (reading, class, object)
);
-- No foreign key to the reading: its row is written behind these, and is append-only itself.
CREATE INDEX catalog_definition_object_idx ON "migrated".catalog_definition (class, object, reading);
COMMENT ON TABLE "migrated".catalog_definition IS
    'Each object of the database as a reading found it changed; the newest row of an object is how it was left. Append-only.';
COMMENT ON COLUMN "migrated".catalog_definition.reading IS 'The reading that found it so.';
COMMENT ON COLUMN "migrated".catalog_definition.class IS 'schema, table, constraint, index, view, function, trigger and so on';
COMMENT ON COLUMN "migrated".catalog_definition.object IS 'Its name with its schema; behind the table''s where it belongs to one.';
COMMENT ON COLUMN "migrated".catalog_definition.definition IS 'What it is, in lines, owner and rights too; null where it is gone.';

-- The server's own objects have numbers below 16384, whatever schema they are in: an index finds the others.
CREATE VIEW "migrated".catalog_object AS
WITH schemas AS MATERIALIZED (
    SELECT n.oid, n.nspname, n.nspowner, n.nspacl
      FROM pg_namespace AS n
     WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
       AND n.oid <> (SELECT h.relnamespace FROM pg_class AS h WHERE h.oid = $name$"migrated".audit_head$name$::regclass)
), extended AS MATERIALIZED (
    SELECT d.classid, d.objid FROM pg_depend AS d WHERE d.deptype = 'e' AND d.objid >= 16384
), relations AS MATERIALIZED (
    SELECT c.oid, c.relkind, c.relowner, c.relacl, c.reloptions, c.relpersistence, c.relrowsecurity, c.relforcerowsecurity,
           c.relispartition, c.relpartbound, c.relreplident, c.reltype, format('%I.%I', n.nspname, c.relname) AS name
      FROM pg_class AS c JOIN schemas AS n ON n.oid = c.relnamespace
     WHERE c.oid >= 16384 AND c.relpersistence <> 't' AND c.relkind IN ('r', 'p', 'f', 'v', 'm', 'S', 'c')
       AND NOT EXISTS (SELECT FROM extended AS e WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid)
), routines AS MATERIALIZED (
    SELECT p.oid, p.prokind, p.proowner, p.proacl, format('%I.%I(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)) AS name
      FROM pg_proc AS p JOIN schemas AS n ON n.oid = p.pronamespace
     WHERE p.oid >= 16384
       AND NOT EXISTS (SELECT FROM extended AS e WHERE e.classid = 'pg_proc'::regclass AND e.objid = p.oid)
), types AS MATERIALIZED (
    SELECT t.oid, t.typtype, t.typowner, t.typacl, t.typbasetype, t.typtypmod, t.typnotnull, t.typdefault, t.typcollation, t.typrelid,
           format('%I.%I', n.nspname, t.typname) AS name
      FROM pg_type AS t JOIN schemas AS n ON n.oid = t.typnamespace
     WHERE t.oid >= 16384 AND t.typtype IN ('e', 'd', 'r', 'b', 'c') AND t.typelem = 0
       AND (t.typtype <> 'c' OR EXISTS (SELECT FROM relations AS r WHERE r.oid = t.typrelid AND r.relkind = 'c'))
       AND NOT EXISTS (SELECT FROM extended AS e WHERE e.classid = 'pg_type'::regclass AND e.objid = t.oid)
), columns AS MATERIALIZED (
    SELECT a.attrelid,
           string_agg(concat(
               'column ', quote_ident(a.attname), ' ', format_type(a.atttypid, a.atttypmod),
               CASE WHEN a.attcollation <> t.typcollation THEN ' collate ' || a.attcollation::regcollation::text END,
               CASE WHEN a.attnotnull THEN ' not null' END,
               CASE WHEN a.attidentity = 'a' THEN ' generated always as identity'
                    WHEN a.attidentity = 'd' THEN ' generated by default as identity'
                    WHEN a.attgenerated <> '' THEN ' generated always as (' || pg_get_expr(d.adbin, d.adrelid) || ')'
                    WHEN d.adbin IS NOT NULL THEN ' default ' || pg_get_expr(d.adbin, d.adrelid) END,
               CASE WHEN a.attstorage <> t.typstorage THEN ' storage ' || a.attstorage::text END,
               CASE WHEN NOT a.attislocal THEN ' inherited' END,
               ' options ' || array_to_string(a.attoptions || a.attfdwoptions, ', '),
               ' rights ' || array_to_string(a.attacl, ', ')), E'\n' ORDER BY a.attnum) AS lines
      FROM relations AS r
      JOIN pg_attribute AS a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
      JOIN pg_type AS t ON t.oid = a.atttypid
      LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
     WHERE r.relkind IN ('r', 'p', 'f', 'c')
     GROUP BY a.attrelid
)
SELECT 'schema' AS class, quote_ident(n.nspname) AS object,
       concat_ws(E'\n', 'owner ' || pg_get_userbyid(n.nspowner), 'rights ' || array_to_string(n.nspacl, ', ')) AS definition
  FROM schemas AS n
 WHERE NOT EXISTS (SELECT FROM extended AS e WHERE e.classid = 'pg_namespace'::regclass AND e.objid = n.oid)
UNION ALL
SELECT CASE r.relkind WHEN 'f' THEN 'foreign table' ELSE 'table' END, r.name,
       concat_ws(E'\n', c.lines,
           CASE r.relpersistence WHEN 'u' THEN 'unlogged' END,
           'partitioned by ' || CASE r.relkind WHEN 'p' THEN pg_get_partkeydef(r.oid) END,
           (SELECT string_agg(CASE WHEN r.relispartition THEN 'partition of ' ELSE 'inherits ' END || i.inhparent::regclass::text, E'\n' ORDER BY i.inhseqno)
              FROM pg_inherits AS i WHERE i.inhrelid = r.oid),
           CASE WHEN r.relispartition THEN pg_get_expr(r.relpartbound, r.oid) END,
           (SELECT format('server %I %s', s.srvname, array_to_string(f.ftoptions, ', '))
              FROM pg_foreign_table AS f JOIN pg_foreign_server AS s ON s.oid = f.ftserver WHERE f.ftrelid = r.oid),
           'options ' || array_to_string(r.reloptions, ', '),
           CASE WHEN r.relrowsecurity THEN 'row level security enabled' END,
           CASE WHEN r.relforcerowsecurity THEN 'row level security forced' END,
           CASE WHEN r.relreplident <> 'd' AND r.relkind <> 'f' THEN 'replica identity ' || r.relreplident::text END,
           'owner ' || pg_get_userbyid(r.relowner), 'rights ' || array_to_string(r.relacl, ', '))
  FROM relations AS r LEFT JOIN columns AS c ON c.attrelid = r.oid
 WHERE r.relkind IN ('r', 'p', 'f')
UNION ALL
SELECT CASE r.relkind WHEN 'm' THEN 'materialized view' ELSE 'view' END, r.name,
       concat_ws(E'\n', pg_get_viewdef(r.oid), 'options ' || array_to_string(r.reloptions, ', '),
           'owner ' || pg_get_userbyid(r.relowner), 'rights ' || array_to_string(r.relacl, ', '))
  FROM relations AS r
 WHERE r.relkind IN ('v', 'm')
UNION ALL
SELECT 'sequence', r.name,
       concat_ws(E'\n',
           format('%s start %s increment %s minimum %s maximum %s cache %s%s', format_type(s.seqtypid, NULL), s.seqstart, s.seqincrement,
                  s.seqmin, s.seqmax, s.seqcache, CASE WHEN s.seqcycle THEN ' cycle' END),
           (SELECT format('belongs to %s column %s', d.refobjid::regclass, d.refobjsubid) FROM pg_depend AS d
             WHERE d.classid = 'pg_class'::regclass AND d.objid = r.oid AND d.objsubid = 0 AND d.refclassid = 'pg_class'::regclass
               AND d.deptype IN ('a', 'i')),
           'owner ' || pg_get_userbyid(r.relowner), 'rights ' || array_to_string(r.relacl, ', '))
  FROM relations AS r JOIN pg_sequence AS s ON s.seqrelid = r.oid
 WHERE r.relkind = 'S'
UNION ALL
SELECT 'constraint', format('%s.%I', r.name, k.conname), pg_get_constraintdef(k.oid)
  FROM relations AS r JOIN pg_constraint AS k ON k.conrelid = r.oid
 WHERE k.contype <> 't'
UNION ALL
SELECT 'index', format('%s.%I', r.name, x.relname),
       concat_ws(E'\n', pg_get_indexdef(i.indexrelid), CASE WHEN NOT i.indisvalid THEN 'invalid' END,
           CASE WHEN i.indisclustered THEN 'clustered' END, CASE WHEN i.indisreplident THEN 'replica identity' END)
  FROM relations AS r JOIN pg_index AS i ON i.indrelid = r.oid JOIN pg_class AS x ON x.oid = i.indexrelid
 WHERE NOT EXISTS (SELECT FROM pg_constraint AS k WHERE k.conindid = i.indexrelid AND k.conrelid = r.oid AND k.contype IN ('p', 'u', 'x'))
UNION ALL
SELECT 'trigger', format('%s.%I', r.name, t.tgname),
       concat_ws(E'\n', pg_get_triggerdef(t.oid),
           CASE t.tgenabled WHEN 'D' THEN 'disabled' WHEN 'A' THEN 'enabled always' WHEN 'R' THEN 'enabled for replicas' END)
  FROM relations AS r JOIN pg_trigger AS t ON t.tgrelid = r.oid
 WHERE NOT t.tgisinternal
UNION ALL
SELECT 'policy', format('%s.%I', r.name, p.polname),
       concat_ws(E'\n', CASE WHEN p.polpermissive THEN 'permissive' ELSE 'restrictive' END || ' for '
               || CASE p.polcmd WHEN 'r' THEN 'select' WHEN 'a' THEN 'insert' WHEN 'w' THEN 'update' WHEN 'd' THEN 'delete' ELSE 'all' END,
           'to ' || (SELECT string_agg(CASE o.role WHEN 0 THEN 'public' ELSE quote_ident(pg_get_userbyid(o.role)) END, ', ' ORDER BY o.place)
                       FROM unnest(p.polroles) WITH ORDINALITY AS o(role, place)),
           'using ' || pg_get_expr(p.polqual, p.polrelid), 'with check ' || pg_get_expr(p.polwithcheck, p.polrelid))
  FROM relations AS r JOIN pg_policy AS p ON p.polrelid = r.oid
UNION ALL
SELECT 'rule', format('%s.%I', r.name, w.rulename),
       concat_ws(E'\n', pg_get_ruledef(w.oid), CASE WHEN w.ev_enabled <> 'O' THEN 'enabled ' || w.ev_enabled::text END)
  FROM relations AS r JOIN pg_rewrite AS w ON w.ev_class = r.oid
 WHERE w.rulename <> '_RETURN'
UNION ALL
SELECT CASE p.prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate' ELSE 'function' END, p.name,
       concat_ws(E'\n',
           CASE WHEN p.prokind = 'a'
                THEN (SELECT format('transition %s type %s final %s initial %L', a.aggtransfn::regprocedure, format_type(a.aggtranstype, NULL),
                                    a.aggfinalfn::regproc, a.agginitval)
                        FROM pg_aggregate AS a WHERE a.aggfnoid = p.oid)
                ELSE pg_get_functiondef(p.oid) END,
           'owner ' || pg_get_userbyid(p.proowner), 'rights ' || array_to_string(p.proacl, ', '))
  FROM routines AS p
UNION ALL
SELECT CASE t.typtype WHEN 'd' THEN 'domain' ELSE 'type' END, t.name,
       concat_ws(E'\n',
           'enum ' || (SELECT string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder) FROM pg_enum AS e WHERE e.enumtypid = t.oid),
           CASE t.typtype WHEN 'd' THEN format_type(t.typbasetype, t.typtypmod) || CASE WHEN t.typnotnull THEN ' not null' ELSE '' END
               || coalesce(' default ' || t.typdefault, '') END,
           (SELECT string_agg(format('constraint %I %s', k.conname, pg_get_constraintdef(k.oid)), E'\n' ORDER BY k.conname)
              FROM pg_constraint AS k WHERE k.contypid = t.oid AND k.contype = 'c'),
           (SELECT 'range over ' || format_type(g.rngsubtype, NULL) FROM pg_range AS g WHERE g.rngtypid = t.oid),
           (SELECT c.lines FROM columns AS c WHERE c.attrelid = t.typrelid),
           'owner ' || pg_get_userbyid(t.typowner), 'rights ' || array_to_string(t.typacl, ', '))
  FROM types AS t
UNION ALL
SELECT 'extension', quote_ident(x.extname), format('version %s in schema %I', x.extversion, n.nspname)
  FROM pg_extension AS x JOIN pg_namespace AS n ON n.oid = x.extnamespace
UNION ALL
SELECT 'event trigger', quote_ident(v.evtname),
       format('on %s tags %s calls %s enabled %s', v.evtevent, coalesce(array_to_string(v.evttags, ', '), 'all'), v.evtfoid::regprocedure, v.evtenabled)
  FROM pg_event_trigger AS v
 WHERE NOT EXISTS (SELECT FROM extended AS e WHERE e.classid = 'pg_event_trigger'::regclass AND e.objid = v.oid);
COMMENT ON VIEW "migrated".catalog_object IS
    'Each object of the database as it is now: all schemas but the server''s own, temporary ones and this one; without what belongs to an extension.';

CREATE VIEW "migrated".catalog_change AS
WITH recorded AS MATERIALIZED (
    SELECT DISTINCT ON (d.class, d.object) d.class, d.object, d.definition
      FROM "migrated".catalog_definition AS d
     ORDER BY d.class, d.object, d.reading DESC
)
SELECT coalesce(o.class, r.class) AS class, coalesce(o.object, r.object) AS object, r.definition AS before, o.definition AS now
  FROM "migrated".catalog_object AS o
  FULL JOIN recorded AS r ON r.class = o.class AND r.object = o.object
 WHERE o.definition IS DISTINCT FROM r.definition;
COMMENT ON VIEW "migrated".catalog_change IS 'What the database has otherwise than the newest reading of each object.';

CREATE VIEW "migrated".catalog_state AS
SELECT r.id AS reading, e.seq,
       NOT EXISTS (SELECT FROM "migrated".migration_rollback_audit AS a
                    WHERE a.seq > e.seq AND a.reason IS DISTINCT FROM 'no_down_file'
                      AND a.event IN ('started', 'applied', 'failed', 'interrupted', 'statement_applied', 'constraint_added', 'index_created',
                                      'invalid_index_dropped', 'rolled_back', 'rollback_failed')) AS is_last_word
  FROM "migrated".catalog_reading AS r JOIN "migrated".migration_rollback_audit AS e ON e.event_id = r.event_id
 ORDER BY r.id DESC LIMIT 1;
COMMENT ON VIEW "migrated".catalog_state IS
    'The newest reading and the event that vouches for it. Behind the end of an attempt that was not read, what it did cannot be told from what others did.';

CREATE FUNCTION "migrated".catalog_drift(
    most integer, OUT class text, OUT object text, OUT before text, OUT now text, OUT total bigint) RETURNS SETOF record
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET lock_timeout = '2s' SET jit = off
    SET plan_cache_mode = force_generic_plan
AS $$
BEGIN
    IF NOT coalesce((SELECT s.is_last_word FROM "migrated".catalog_state AS s), false) THEN RETURN; END IF;
    RETURN QUERY
        SELECT c.class, c.object, c.before, c.now, count(*) OVER ()
          FROM "migrated".catalog_change AS c ORDER BY c.class, c.object LIMIT most;
END
$$;
COMMENT ON FUNCTION "migrated".catalog_drift(integer) IS
    'What has changed since the newest reading, as far as nothing of migrated''s own has been under way since; so many at most, and how many in all.';

CREATE FUNCTION "migrated".read_catalog(event uuid, OUT changes integer, OUT digest text, OUT problem text)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '2s' SET jit = off
    SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    number bigint;
BEGIN
    -- The head's lock puts readers in a queue.
    PERFORM FROM "migrated".audit_head FOR UPDATE;
    number := coalesce((SELECT max(r.id) FROM "migrated".catalog_reading AS r), 0) + 1;
    WITH found AS (
        INSERT INTO "migrated".catalog_definition (reading, class, object, definition)
        SELECT number, c.class, c.object, c.now FROM "migrated".catalog_change AS c
        RETURNING convert_to(class, 'UTF8') AS class, convert_to(object, 'UTF8') AS object, convert_to(definition, 'UTF8') AS definition
    )
    SELECT count(*),
           encode(sha256(coalesce(string_agg(int4send(length(f.class)) || f.class || int4send(length(f.object)) || f.object
               || CASE WHEN f.definition IS NULL THEN decode('ffffffff', 'hex') ELSE int4send(length(f.definition)) || f.definition END,
               '' ORDER BY f.class, f.object), '')), 'hex')
      INTO changes, digest FROM found AS f;
    INSERT INTO "migrated".catalog_reading (id, event_id, changes, digest) VALUES (number, event, changes, decode(digest, 'hex'));
EXCEPTION
    -- A table that somebody else holds locked, or that goes just now, is no reason to undo a migration: the event tells that nothing was read.
    WHEN lock_not_available OR internal_error OR undefined_object OR undefined_table OR undefined_function THEN
        problem := concat_ws(' ', SQLSTATE, SQLERRM);
END
$$;
COMMENT ON FUNCTION "migrated".read_catalog(uuid) IS
    'Keeps what the catalog has otherwise than the newest reading, as a reading for which that event vouches; tells how many objects, and their digest.';

CREATE FUNCTION "migrated".read_catalog_at_end(
    given_token bytea, event uuid, OUT changes integer, OUT digest text, OUT problem text)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM "migrated".audit_head AS h WHERE h.token = sha256(given_token)) THEN
        RAISE EXCEPTION 'no such token is expected' USING ERRCODE = 'MG005',
            HINT = 'Only migrated itself reads the catalog for its history.';
    END IF;
    SELECT r.* INTO changes, digest, problem FROM "migrated".read_catalog(event) AS r;
END
$$;
COMMENT ON FUNCTION "migrated".read_catalog_at_end(bytea, uuid) IS
    'The same for the session that runs a file, with the token that append_attempt spends thereafter.';

CREATE TRIGGER catalog_reading_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON "migrated".catalog_reading
    FOR EACH STATEMENT EXECUTE FUNCTION "migrated".refuse_change();
ALTER TABLE "migrated".catalog_reading ENABLE ALWAYS TRIGGER catalog_reading_append_only;
CREATE TRIGGER catalog_definition_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON "migrated".catalog_definition
    FOR EACH STATEMENT EXECUTE FUNCTION "migrated".refuse_change();
ALTER TABLE "migrated".catalog_definition ENABLE ALWAYS TRIGGER catalog_definition_append_only;

REVOKE ALL ON "migrated".catalog_reading, "migrated".catalog_definition, "migrated".catalog_object, "migrated".catalog_change,
    "migrated".catalog_state FROM PUBLIC;
REVOKE ALL ON FUNCTION "migrated".read_catalog(uuid), "migrated".read_catalog_at_end(bytea, uuid),
    "migrated".catalog_drift(integer) FROM PUBLIC;

UPDATE "migrated".audit_head SET schema_version = 5;
