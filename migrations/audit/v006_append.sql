-- The history of migrated: version 6 of its schema. What one commit records goes in by one call, and what is asked before it by another.

CREATE FUNCTION "migrated".append_events(
    next_digest bytea, begun_checksum text, begun_source bytea, entries "migrated".migration_rollback_audit[]) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    head "migrated".audit_head;
    entry "migrated".migration_rollback_audit;
    last "migrated".migration_rollback_audit;
    applies boolean := false;
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
        head.seq := entry.seq;
        head.hash := entry.hash;
    END LOOP;
    INSERT INTO "migrated".migration_rollback_audit SELECT e.* FROM unnest(entries) AS e;
    IF begun_checksum IS NOT NULL THEN
        INSERT INTO "migrated".migration_source (checksum, source) VALUES (begun_checksum, begun_source) ON CONFLICT DO NOTHING;
    END IF;
    UPDATE "migrated".audit_head SET seq = head.seq, hash = head.hash, token = coalesce(next_digest, token);
    PERFORM pg_notify('migrated_audit', head.seq::text);
END
$$;
COMMENT ON FUNCTION "migrated".append_events(bytea, text, bytea, "migrated".migration_rollback_audit[]) IS
    'The only way in: checks place and hash of each event, refuses a second application, writes them, keeps the source of the file whose attempt begins, sets the next token where there is one, and moves the head.';

CREATE FUNCTION "migrated".append_attempt(
    given_token bytea, holder integer, next_digest bytea, begun_checksum text, begun_source bytea, entries "migrated".migration_rollback_audit[])
    RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM FROM "migrated".audit_head AS h WHERE h.token = sha256(given_token) FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no such token is expected' USING ERRCODE = 'MG005',
            HINT = 'Only migrated itself appends to its history, and another process may have begun an attempt meanwhile.';
    END IF;
    -- Here and not before: whoever asked was perhaps frozen since. 1835624306 and 1635018084 are the halves of the lock's key, the word
    -- "migrated" in ASCII.
    IF NOT EXISTS (SELECT FROM pg_lock_status() AS l
                    WHERE l.locktype = 'advisory' AND l.granted AND l.pid = holder
                      AND l.classid = 1835624306 AND l.objid = 1635018084 AND l.objsubid = 1)
    THEN
        RAISE EXCEPTION 'the lock on the database is not held by process %', holder USING ERRCODE = 'MG006';
    END IF;
    PERFORM "migrated".append_events(next_digest, begun_checksum, begun_source, entries);
    IF next_digest IS NULL THEN
        UPDATE "migrated".audit_head SET token = NULL;
    END IF;
END
$$;
COMMENT ON FUNCTION "migrated".append_attempt(bytea, integer, bytea, text, bytea, "migrated".migration_rollback_audit[]) IS
    'The way in for the session that runs a file: spends the token, makes sure that the backend "holder" has the database''s lock, sets the next token where there is one, and appends as append_events does.';

DROP FUNCTION "migrated".lock_head(bigint);
CREATE FUNCTION "migrated".lock_head(
    anchor bigint, OUT seq bigint, OUT hash text, OUT clock bigint, OUT hash_at_anchor text)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
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

DROP FUNCTION "migrated".append_attempt(bytea, bytea, "migrated".migration_rollback_audit[]);
DROP FUNCTION "migrated".append_event("migrated".migration_rollback_audit);

REVOKE ALL ON FUNCTION "migrated".lock_head(bigint),
    "migrated".append_events(bytea, text, bytea, "migrated".migration_rollback_audit[]),
    "migrated".append_attempt(bytea, integer, bytea, text, bytea, "migrated".migration_rollback_audit[]) FROM PUBLIC;

UPDATE "migrated".audit_head SET schema_version = 6;
