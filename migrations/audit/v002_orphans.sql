-- The history of migrated: version 2 of its schema. Rows that a cleanup of foreign keys took out, and what came back.

CREATE TABLE "migrated".orphan_quarantine (
    id             bigint      NOT NULL GENERATED ALWAYS AS IDENTITY CONSTRAINT orphan_quarantine_pkey PRIMARY KEY,
    event_id       uuid        NOT NULL,
    attempt_id     uuid        NOT NULL,
    schema_name    text        NOT NULL,
    table_name     text        NOT NULL,
    column_names   text[]      NOT NULL,
    action         text        NOT NULL CONSTRAINT orphan_quarantine_action_check CHECK (action IN ('deleted', 'nullified')),
    key            jsonb,
    old_row        jsonb,
    old_text       text,
    CONSTRAINT orphan_quarantine_row_check CHECK ((old_row IS NULL) <> (old_text IS NULL))
);
-- No foreign key to the event: its row is written behind these, and is append-only itself.
CREATE INDEX orphan_quarantine_event_id_idx ON "migrated".orphan_quarantine (event_id, id);
CREATE INDEX orphan_quarantine_attempt_id_idx ON "migrated".orphan_quarantine (attempt_id, id);

COMMENT ON TABLE "migrated".orphan_quarantine IS
    'Every row that a cleanup of orphans deleted or changed, as it was before, append-only. What came back is in orphan_restoration.';
COMMENT ON COLUMN "migrated".orphan_quarantine.id IS 'Order in which rows were kept.';
COMMENT ON COLUMN "migrated".orphan_quarantine.event_id IS 'The event that counts this row: orphans_deleted or orphans_nullified.';
COMMENT ON COLUMN "migrated".orphan_quarantine.attempt_id IS 'The attempt that the cleanup was part of.';
COMMENT ON COLUMN "migrated".orphan_quarantine.schema_name IS 'Schema of the row''s table.';
COMMENT ON COLUMN "migrated".orphan_quarantine.table_name IS 'The row''s table.';
COMMENT ON COLUMN "migrated".orphan_quarantine.column_names IS 'The referencing columns: those set to null, or those of the key for which the row was deleted.';
COMMENT ON COLUMN "migrated".orphan_quarantine.action IS 'deleted: the row went. nullified: it stayed, with the columns changed.';
COMMENT ON COLUMN "migrated".orphan_quarantine.key IS 'The columns that tell the row apart, with their values; null where its table has no such columns.';
COMMENT ON COLUMN "migrated".orphan_quarantine.old_row IS 'The whole row before, by column: JSON where that is exact, else PostgreSQL''s text of the value.';
COMMENT ON COLUMN "migrated".orphan_quarantine.old_text IS 'The whole row before as PostgreSQL''s text, where it is too wide for old_row.';

CREATE TABLE "migrated".orphan_restoration (
    quarantine_id  bigint      NOT NULL,
    event_id       uuid        NOT NULL,
    outcome        text        NOT NULL CONSTRAINT orphan_restoration_outcome_check CHECK (outcome IN (
        'restored', 'key_taken', 'parent_missing', 'row_gone', 'column_gone', 'table_gone', 'now_filled', 'no_key', 'refused')),
    reason         text,
    CONSTRAINT orphan_restoration_pkey PRIMARY KEY (quarantine_id, event_id),
    CONSTRAINT orphan_restoration_quarantine_id_fkey FOREIGN KEY (quarantine_id) REFERENCES "migrated".orphan_quarantine (id)
);
CREATE INDEX orphan_restoration_event_id_idx ON "migrated".orphan_restoration (event_id);

COMMENT ON TABLE "migrated".orphan_restoration IS 'What became of each kept row when it was to be put back, append-only.';
COMMENT ON COLUMN "migrated".orphan_restoration.quarantine_id IS 'The kept row.';
COMMENT ON COLUMN "migrated".orphan_restoration.event_id IS 'The event orphans_restored that counts it.';
COMMENT ON COLUMN "migrated".orphan_restoration.outcome IS 'restored, or why not: its key is taken, its referenced row is still missing, its row, column or table is gone, the column is filled now, nothing tells the row apart, the server refused.';
COMMENT ON COLUMN "migrated".orphan_restoration.reason IS 'The server''s words where it refused.';

CREATE TRIGGER orphan_quarantine_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON "migrated".orphan_quarantine
    FOR EACH STATEMENT EXECUTE FUNCTION "migrated".refuse_change();
ALTER TABLE "migrated".orphan_quarantine ENABLE ALWAYS TRIGGER orphan_quarantine_append_only;
CREATE TRIGGER orphan_restoration_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON "migrated".orphan_restoration
    FOR EACH STATEMENT EXECUTE FUNCTION "migrated".refuse_change();
ALTER TABLE "migrated".orphan_restoration ENABLE ALWAYS TRIGGER orphan_restoration_append_only;

REVOKE ALL ON "migrated".orphan_quarantine, "migrated".orphan_restoration FROM PUBLIC;

UPDATE "migrated".audit_head SET schema_version = 2;
