-- The history of migrated: version 1 of its schema.
--
-- The daemon runs this file by itself, in one transaction, when it first meets a database; where another schema is configured, it puts
-- that name in place of "migrated" (in quotes here wherever it is meant).
-- It names every object with its schema and pins search_path in every function, so that nothing in another schema can stand in.

CREATE SCHEMA IF NOT EXISTS "migrated";
COMMENT ON SCHEMA "migrated" IS 'Append-only history of schema migrations, written by migrated, read by auditctl.';

CREATE TABLE "migrated".migration_rollback_audit (
    seq            bigint      NOT NULL CONSTRAINT migration_rollback_audit_pkey PRIMARY KEY,
    event_id       uuid        NOT NULL CONSTRAINT migration_rollback_audit_event_id_key UNIQUE,
    recorded_at    timestamptz NOT NULL,
    event          text        NOT NULL CONSTRAINT migration_rollback_audit_event_check CHECK (event IN (
        'started', 'applied', 'failed', 'interrupted', 'skipped', 'deferred', 'statement_applied',
        'orphans_deleted', 'orphans_nullified', 'orphans_restored', 'constraint_added', 'index_created',
        'invalid_index_dropped', 'rolled_back', 'rollback_failed', 'resolved', 'adopted', 'drift_detected',
        'daemon_started', 'daemon_stopped', 'anchor_gap')),
    attempt_id     uuid,
    version        text,
    name           text,
    checksum       text        CONSTRAINT migration_rollback_audit_checksum_check CHECK (checksum ~ '^sha256:[0-9a-f]{64}$'),
    direction      text        CONSTRAINT migration_rollback_audit_direction_check CHECK (direction IN ('up', 'down')),
    reason         text,
    object         text,
    row_count      bigint      CONSTRAINT migration_rollback_audit_row_count_check CHECK (row_count >= 0),
    duration_us    bigint      CONSTRAINT migration_rollback_audit_duration_us_check CHECK (duration_us >= 0),
    sqlstate       text,
    message        text,
    detail         text,
    initiated_by   text,
    host           text,
    db_user        text,
    pid            integer,
    invocation_id  text,
    prev_hash      bytea       NOT NULL CONSTRAINT migration_rollback_audit_prev_hash_check CHECK (pg_catalog.length(prev_hash) = 32),
    hash           bytea       NOT NULL CONSTRAINT migration_rollback_audit_hash_check CHECK (pg_catalog.length(hash) = 32)
);
CREATE INDEX migration_rollback_audit_version_idx ON "migrated".migration_rollback_audit (version, seq);
CREATE INDEX migration_rollback_audit_name_idx ON "migrated".migration_rollback_audit (name, seq);
CREATE INDEX migration_rollback_audit_attempt_id_idx ON "migrated".migration_rollback_audit (attempt_id, seq);
CREATE INDEX migration_rollback_audit_event_idx ON "migrated".migration_rollback_audit (event, seq);

COMMENT ON TABLE "migrated".migration_rollback_audit IS
    'Every attempt, skip and cleanup of migrated, one row an event, append-only and hash-chained. What is applied is what these rows say.';
COMMENT ON COLUMN "migrated".migration_rollback_audit.seq IS 'Position in the chain: 1, 2, 3 and so on without a gap.';
COMMENT ON COLUMN "migrated".migration_rollback_audit.event_id IS 'Names the event everywhere, in the journal too.';
COMMENT ON COLUMN "migrated".migration_rollback_audit.recorded_at IS 'The server''s clock when the event was written; informative only, no decision rests on it.';
COMMENT ON COLUMN "migrated".migration_rollback_audit.event IS 'What happened.';
COMMENT ON COLUMN "migrated".migration_rollback_audit.attempt_id IS 'Groups the events of one attempt at one file.';
COMMENT ON COLUMN "migrated".migration_rollback_audit.version IS 'The migration''s version as its layout writes it.';
COMMENT ON COLUMN "migrated".migration_rollback_audit.name IS 'The migration''s whole name as its layout writes it.';
COMMENT ON COLUMN "migrated".migration_rollback_audit.checksum IS 'sha256: and 64 hexadecimal digits of the file''s bytes.';
COMMENT ON COLUMN "migrated".migration_rollback_audit.direction IS 'up, or down for a rollback.';
COMMENT ON COLUMN "migrated".migration_rollback_audit.reason IS 'A stable word: why it was skipped, failed, resolved.';
COMMENT ON COLUMN "migrated".migration_rollback_audit.object IS 'The database object the event is about.';
COMMENT ON COLUMN "migrated".migration_rollback_audit.row_count IS 'Rows deleted, set to null, or restored.';
COMMENT ON COLUMN "migrated".migration_rollback_audit.duration_us IS 'How long it took, in microseconds of a monotonic clock.';
COMMENT ON COLUMN "migrated".migration_rollback_audit.sqlstate IS 'PostgreSQL''s error code of a failure.';
COMMENT ON COLUMN "migrated".migration_rollback_audit.message IS 'The error of a failure, control characters escaped, bounded.';
COMMENT ON COLUMN "migrated".migration_rollback_audit.detail IS 'Canonical JSON: statement, line, column, hint, notices, layout and so on';
COMMENT ON COLUMN "migrated".migration_rollback_audit.initiated_by IS 'Who: a unit and its invocation, or the login name of a person.';
COMMENT ON COLUMN "migrated".migration_rollback_audit.host IS 'The machine that migrated ran on.';
COMMENT ON COLUMN "migrated".migration_rollback_audit.db_user IS 'The role of its session.';
COMMENT ON COLUMN "migrated".migration_rollback_audit.pid IS 'Its process id.';
COMMENT ON COLUMN "migrated".migration_rollback_audit.invocation_id IS 'systemd''s id of that run of the unit (journalctl _SYSTEMD_INVOCATION_ID=).';
COMMENT ON COLUMN "migrated".migration_rollback_audit.prev_hash IS 'The hash of the row before; of the first row, the genesis.';
COMMENT ON COLUMN "migrated".migration_rollback_audit.hash IS 'SHA-256 over this row and prev_hash, see event_hash.';

CREATE TABLE "migrated".audit_head (
    only_one       boolean     NOT NULL DEFAULT true CONSTRAINT audit_head_pkey PRIMARY KEY,
    schema_version integer     NOT NULL,
    genesis        bytea       NOT NULL,
    seq            bigint      NOT NULL,
    hash           bytea       NOT NULL,
    CONSTRAINT audit_head_only_one_check CHECK (only_one)
) WITH (fillfactor = 10);
COMMENT ON TABLE "migrated".audit_head IS 'The newest position of the chain, in one row whose lock puts writers in a queue.';
COMMENT ON COLUMN "migrated".audit_head.only_one IS 'Keeps the table at one row.';
COMMENT ON COLUMN "migrated".audit_head.schema_version IS 'Number of the newest of migrated''s own files that ran here.';
COMMENT ON COLUMN "migrated".audit_head.genesis IS 'prev_hash of the first row: random, so that a rebuilt history differs from the first.';
COMMENT ON COLUMN "migrated".audit_head.seq IS 'seq of the newest row, 0 before the first.';
COMMENT ON COLUMN "migrated".audit_head.hash IS 'hash of the newest row, the genesis before the first.';
INSERT INTO "migrated".audit_head (schema_version, genesis, seq, hash)
SELECT 1, start.value, 0, start.value
  FROM (SELECT pg_catalog.sha256(pg_catalog.uuid_send(pg_catalog.gen_random_uuid())
               OPERATOR(pg_catalog.||) pg_catalog.uuid_send(pg_catalog.gen_random_uuid())) AS value) AS start;

CREATE TABLE "migrated".migration_source (
    checksum       text        NOT NULL CONSTRAINT migration_source_pkey PRIMARY KEY,
    source         bytea       NOT NULL,
    CONSTRAINT migration_source_checksum_check
        CHECK (checksum = 'sha256:' OPERATOR(pg_catalog.||) pg_catalog.encode(pg_catalog.sha256(source), 'hex'))
);
COMMENT ON TABLE "migrated".migration_source IS 'The exact bytes of every file that was ever attempted, once per checksum.';
COMMENT ON COLUMN "migrated".migration_source.checksum IS 'sha256: and 64 hexadecimal digits of the source.';
COMMENT ON COLUMN "migrated".migration_source.source IS 'The bytes as they were read.';

CREATE FUNCTION "migrated".event_hash(entry "migrated".migration_rollback_audit) RETURNS bytea
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    chain bytea := decode('01', 'hex') || convert_to('migrated-audit-v1', 'UTF8') || int8send(entry.seq) || entry.prev_hash;
    field bytea;
BEGIN
    FOREACH field IN ARRAY ARRAY[
        uuid_send(entry.event_id), timestamptz_send(entry.recorded_at), convert_to(entry.event, 'UTF8'),
        uuid_send(entry.attempt_id), convert_to(entry.version, 'UTF8'), convert_to(entry.name, 'UTF8'),
        convert_to(entry.checksum, 'UTF8'), convert_to(entry.direction, 'UTF8'), convert_to(entry.reason, 'UTF8'),
        convert_to(entry.object, 'UTF8'), int8send(entry.row_count), int8send(entry.duration_us),
        convert_to(entry.sqlstate, 'UTF8'), convert_to(entry.message, 'UTF8'), convert_to(entry.detail, 'UTF8'),
        convert_to(entry.initiated_by, 'UTF8'), convert_to(entry.host, 'UTF8'), convert_to(entry.db_user, 'UTF8'),
        int4send(entry.pid), convert_to(entry.invocation_id, 'UTF8')]
    LOOP
        chain := chain || CASE WHEN field IS NULL THEN decode('ffffffff', 'hex') ELSE int4send(length(field)) || field END;
    END LOOP;
    RETURN sha256(chain);
END
$$;
COMMENT ON FUNCTION "migrated".event_hash("migrated".migration_rollback_audit) IS
    'SHA-256 over 0x01, a domain word, seq, prev_hash and each further column in its binary form behind its length (null: -1).';

CREATE FUNCTION "migrated".append_event(entry "migrated".migration_rollback_audit) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    head "migrated".audit_head;
    last "migrated".migration_rollback_audit;
BEGIN
    SELECT * INTO STRICT head FROM "migrated".audit_head FOR UPDATE;
    IF entry.seq <> head.seq + 1 OR entry.prev_hash <> head.hash THEN
        RAISE EXCEPTION 'event % does not follow the head of the chain, which is at %', entry.seq, head.seq
            USING ERRCODE = 'MG001';
    END IF;
    IF entry.hash <> "migrated".event_hash(entry) THEN
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
    END IF;
    INSERT INTO "migrated".migration_rollback_audit SELECT entry.*;
    UPDATE "migrated".audit_head SET seq = entry.seq, hash = entry.hash;
    PERFORM pg_notify('migrated_audit', entry.seq::text);
END
$$;
COMMENT ON FUNCTION "migrated".append_event("migrated".migration_rollback_audit) IS
    'The only way in: checks place and hash of the event, refuses a second application, writes it and moves the head.';

CREATE FUNCTION "migrated".refuse_change() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION '% on %.% is refused: the history is append-only', TG_OP, TG_TABLE_SCHEMA, TG_TABLE_NAME
        USING ERRCODE = 'MG004', HINT = 'What was recorded stays; a correction is a new event.';
END
$$;
COMMENT ON FUNCTION "migrated".refuse_change() IS 'Refuses to change or remove what was recorded.';

CREATE TRIGGER migration_rollback_audit_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON "migrated".migration_rollback_audit
    FOR EACH STATEMENT EXECUTE FUNCTION "migrated".refuse_change();
ALTER TABLE "migrated".migration_rollback_audit ENABLE ALWAYS TRIGGER migration_rollback_audit_append_only;
CREATE TRIGGER migration_source_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON "migrated".migration_source
    FOR EACH STATEMENT EXECUTE FUNCTION "migrated".refuse_change();
ALTER TABLE "migrated".migration_source ENABLE ALWAYS TRIGGER migration_source_append_only;

CREATE VIEW "migrated".migration_status AS
SELECT DISTINCT ON (a.version)
       a.version, a.name,
       CASE WHEN a.event = 'adopted' OR (a.event = 'resolved' AND a.reason = 'applied') THEN 'applied'
            WHEN a.event = 'resolved' AND a.reason = 'retry' THEN 'retry_requested'
            -- A failure that passes by itself is tried again, by whoever comes next if its own process has died.
            WHEN a.event = 'failed' AND a.detail LIKE '%"retry_in_ms":%' THEN 'retry_requested'
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
    'The newest state of each version that was ever met: applied, failed, started, interrupted, rolled_back, retry_requested, skipped or deferred.';

REVOKE ALL ON ALL TABLES IN SCHEMA "migrated" FROM PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA "migrated" FROM PUBLIC;
