-- The history of migrated: version 4 of its schema. How a login that only runs files records what they did.

ALTER TABLE "migrated".audit_head ADD COLUMN token bytea
    CONSTRAINT audit_head_token_check CHECK (pg_catalog.length(token) = 32);
COMMENT ON COLUMN "migrated".audit_head.token IS
    'SHA-256 of the one-time token with which the attempt that is under way may append its end; null where none is.';

CREATE FUNCTION "migrated".lock_head(
    anchor bigint, OUT seq bigint, OUT hash text, OUT clock bigint, OUT hash_at_anchor text)
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT h.seq, encode(h.hash, 'hex'),
           (extract(epoch FROM clock_timestamp() - '2000-01-01 00:00:00+00'::timestamptz) * 1000000)::bigint,
           CASE WHEN h.seq > anchor
                THEN (SELECT encode(a.hash, 'hex') FROM "migrated".migration_rollback_audit AS a WHERE a.seq = anchor) END
      FROM "migrated".audit_head AS h FOR UPDATE
$$;
COMMENT ON FUNCTION "migrated".lock_head(bigint) IS
    'Locks the head until the end of the transaction and tells it, with the server''s clock in microseconds since 2000, and what stands at the anchor.';

CREATE FUNCTION "migrated".expect_token(digest bytea) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    UPDATE "migrated".audit_head SET token = digest
$$;
COMMENT ON FUNCTION "migrated".expect_token(bytea) IS
    'Says which token the end of the attempt that begins will carry, by its SHA-256. Null: none.';

CREATE FUNCTION "migrated".append_attempt(
    given_token bytea, next_digest bytea, entries "migrated".migration_rollback_audit[]) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    entry "migrated".migration_rollback_audit;
BEGIN
    UPDATE "migrated".audit_head AS h SET token = next_digest WHERE h.token = sha256(given_token);
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no such token is expected' USING ERRCODE = 'MG005',
            HINT = 'Only migrated itself appends to its history, and another process may have begun an attempt meanwhile.';
    END IF;
    FOREACH entry IN ARRAY entries LOOP
        PERFORM "migrated".append_event(entry);
    END LOOP;
END
$$;
COMMENT ON FUNCTION "migrated".append_attempt(bytea, bytea, "migrated".migration_rollback_audit[]) IS
    'The way in for the session that runs a file: spends the token, sets the next one, and appends the events as append_event does.';

REVOKE ALL ON FUNCTION "migrated".lock_head(bigint), "migrated".expect_token(bytea),
    "migrated".append_attempt(bytea, bytea, "migrated".migration_rollback_audit[]) FROM PUBLIC;

UPDATE "migrated".audit_head SET schema_version = 4;
