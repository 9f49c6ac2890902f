-- The history of migrated: version 8 of its schema. What is kept of rows, so that their way back can be proved.

ALTER TABLE "migrated".orphan_quarantine ADD COLUMN row_hash bigint;
COMMENT ON COLUMN "migrated".orphan_quarantine.row_hash IS
    'hashtextextended(row, 0) of the whole row before as PostgreSQL''s text: what comes back is compared with it. Null in rows of before version 8.';
ALTER TABLE "migrated".orphan_quarantine ADD COLUMN new_values jsonb;
COMMENT ON COLUMN "migrated".orphan_quarantine.new_values IS
    'Of a row that was changed: its changed columns after the change, in the form of old_row. A row that has other values by now is not put back.';

-- It locked every kept row that came back, one by one, and cost more than the restoration itself; kept rows are append-only.
ALTER TABLE "migrated".orphan_restoration DROP CONSTRAINT orphan_restoration_quarantine_id_fkey;

UPDATE "migrated".audit_head SET schema_version = 8;
