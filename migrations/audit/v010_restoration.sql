-- The history of migrated: version 10 of its schema. Rows that all came back are recorded by their event.

-- A row for each row that came back cost a quarter of a restoration.
ALTER TABLE "migrated".orphan_restoration
    DROP CONSTRAINT orphan_restoration_pkey,
    ALTER COLUMN quarantine_id DROP NOT NULL,
    ADD COLUMN cleanup_event_id uuid,
    ADD COLUMN row_count bigint,
    ADD CONSTRAINT orphan_restoration_row_key UNIQUE (quarantine_id, event_id),
    ADD CONSTRAINT orphan_restoration_rows_check CHECK (
        (quarantine_id IS NULL) <> (cleanup_event_id IS NULL) AND (cleanup_event_id IS NULL) = (row_count IS NULL)
        AND (cleanup_event_id IS NULL OR outcome = 'restored'));
CREATE UNIQUE INDEX orphan_restoration_cleanup_event_id_idx ON "migrated".orphan_restoration (cleanup_event_id, event_id);

COMMENT ON TABLE "migrated".orphan_restoration IS
    'What became of the kept rows when they were to be put back, append-only: a row for each, or one for all of an event that came back together.';
COMMENT ON COLUMN "migrated".orphan_restoration.quarantine_id IS 'The kept row; null where the row stands for all of an event.';
COMMENT ON COLUMN "migrated".orphan_restoration.cleanup_event_id IS
    'The event orphans_deleted or orphans_nullified of which all rows came back that had not before; null where it is one row.';
COMMENT ON COLUMN "migrated".orphan_restoration.row_count IS 'How many rows of that event came back with it.';

UPDATE "migrated".audit_head SET schema_version = 10;
