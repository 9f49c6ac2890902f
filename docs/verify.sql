-- Checks the chain of migrated's history with the server's own functions: the second verifier, in one query.
--
--     psql -X -v schema=migrated -d DATABASE -f verify.sql
--
-- Prints one row: intact, the number of events and the head's hash; or the first thing that is wrong, with its seq. It asks the server,
-- which whoever rules the server can make lie; 'auditctl verify' recomputes outside of it and looks at triggers, files and anchors too.
\if :{?schema} \else \set schema migrated \endif
BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY;
SET LOCAL search_path TO pg_catalog, pg_temp;
SET LOCAL quote_all_identifiers TO off;
SET LOCAL standard_conforming_strings TO on;
SET LOCAL transform_null_equals TO off;
SET LOCAL row_security TO off;
SET LOCAL client_encoding TO 'UTF8';
WITH head AS (SELECT * FROM :"schema".audit_head),
event AS (
    SELECT a.seq, a.prev_hash, a.hash, lag(a.seq, 1, 0::bigint) OVER w AS seq_before,
           lag(a.hash, 1, head.genesis) OVER w AS hash_before,
           a.hash = sha256('\x01'::bytea || convert_to('migrated-audit-v1', 'UTF8') || int8send(a.seq) || a.prev_hash || (
               SELECT string_agg(coalesce(int4send(length(f.value)) || f.value, '\xffffffff'), ''::bytea ORDER BY f.place)
                 FROM unnest(ARRAY[
                     uuid_send(a.event_id), timestamptz_send(a.recorded_at), convert_to(a.event, 'UTF8'), uuid_send(a.attempt_id),
                     convert_to(a.version, 'UTF8'), convert_to(a.name, 'UTF8'), convert_to(a.checksum, 'UTF8'),
                     convert_to(a.direction, 'UTF8'), convert_to(a.reason, 'UTF8'), convert_to(a.object, 'UTF8'), int8send(a.row_count),
                     int8send(a.duration_us), convert_to(a.sqlstate, 'UTF8'), convert_to(a.message, 'UTF8'),
                     convert_to(a.detail, 'UTF8'), convert_to(a.initiated_by, 'UTF8'), convert_to(a.host, 'UTF8'),
                     convert_to(a.db_user, 'UTF8'), int4send(a.pid), convert_to(a.invocation_id, 'UTF8')])
                      WITH ORDINALITY AS f(value, place))) AS holds
      FROM :"schema".migration_rollback_audit AS a, head WINDOW w AS (ORDER BY a.seq)),
-- Kept rows and outcomes, and what their events say of them: version 1 kept none.
leaf AS (
    SELECT q.event_id, row_number() OVER (PARTITION BY q.event_id ORDER BY q.id) - 1 AS place,
           sha256(record_send(ROW(q.salt, q.id, q.event_id, q.attempt_id, q.schema_name, q.table_name, q.column_names, q.action, q.key,
                                  q.old_row, q.old_text, q.row_hash, q.new_values))) AS hash
      FROM :"schema".orphan_quarantine AS q
     UNION ALL
    SELECT r.event_id, row_number() OVER (PARTITION BY r.event_id ORDER BY r.id) - 1,
           sha256(record_send(ROW(r.salt, r.id, r.quarantine_id, r.event_id, r.outcome, r.reason, r.cleanup_event_id, r.row_count)))
      FROM :"schema".orphan_restoration AS r),
node AS (
    SELECT event_id, place / 1024 AS place, count(*) AS number, sha256('\x01'::bytea || string_agg(hash, ''::bytea ORDER BY place)) AS hash
      FROM leaf GROUP BY event_id, place / 1024),
kept AS (
    SELECT event_id, sum(number) AS number, encode(sha256('\x02'::bytea || string_agg(hash, ''::bytea ORDER BY place)), 'hex') AS root
      FROM node GROUP BY event_id),
counted AS (
    SELECT a.seq, a.event_id, a.detail::jsonb #>> '{digest,root}' AS root,
           CASE WHEN a.event = 'orphans_restored' THEN (a.detail::jsonb #>> '{digest,rows}')::bigint ELSE a.row_count END AS number
      FROM :"schema".migration_rollback_audit AS a WHERE a.event IN ('orphans_deleted', 'orphans_nullified', 'orphans_restored')),
link AS (SELECT *, lag(holds, 1, true) OVER (ORDER BY seq) AS held_before FROM event),
last AS (SELECT coalesce(max(seq), 0) AS seq, (SELECT hash FROM event ORDER BY seq DESC LIMIT 1) AS hash FROM event),
wrong(verdict, seq, what) AS (
    SELECT 'edited', seq, 'its content is not what its hash was made of' FROM event WHERE NOT holds AND seq > 0
    UNION ALL SELECT 'removed', seq_before + 1, 'missing up to ' || seq - 1 FROM event WHERE seq > greatest(seq_before, 0) + 1
    UNION ALL SELECT 'inserted', seq, 'stands before the first place of the chain' FROM event WHERE seq < 1
    UNION ALL SELECT 'edited', greatest(seq_before, 1), 'event ' || seq || ' follows another hash' FROM link
               WHERE seq = seq_before + 1 AND prev_hash <> hash_before AND holds AND held_before
    UNION ALL SELECT 'truncated', last.seq + 1, 'missing up to ' || head.seq FROM head, last WHERE last.seq < head.seq
    UNION ALL SELECT 'inserted', head.seq + 1, 'stands behind the head' FROM head, last WHERE last.seq > head.seq
    UNION ALL SELECT 'edited', head.seq, 'does not have the head''s hash' FROM head, last
               WHERE last.seq = head.seq AND last.hash <> head.hash AND NOT EXISTS (SELECT FROM event WHERE seq = last.seq AND NOT holds)
    UNION ALL SELECT CASE WHEN coalesce(k.number, 0) < c.number THEN 'removed' WHEN k.number > c.number THEN 'inserted' ELSE 'edited' END, c.seq,
                     'the rows kept for it are not those that it was recorded with'
                FROM counted AS c LEFT JOIN kept AS k USING (event_id) WHERE k.number <> c.number OR k.root <> c.root OR k.number IS NULL AND c.root IS NOT NULL
    UNION ALL SELECT 'inserted', NULL, 'rows are kept of ' || k.event_id || ', which is no event that keeps any'
                FROM kept AS k WHERE NOT EXISTS (SELECT FROM counted AS c WHERE c.event_id = k.event_id))
SELECT * FROM ((SELECT verdict, seq, what FROM wrong ORDER BY seq LIMIT 1)
               UNION ALL SELECT 'intact', seq, encode(hash, 'hex') FROM head WHERE NOT EXISTS (SELECT FROM wrong)) AS result;
COMMIT;
