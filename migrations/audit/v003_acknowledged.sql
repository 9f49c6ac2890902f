-- The history of migrated: version 3 of its schema. An operator's word that a part of the history is lost.

ALTER TABLE "migrated".migration_rollback_audit DROP CONSTRAINT migration_rollback_audit_event_check;
ALTER TABLE "migrated".migration_rollback_audit ADD CONSTRAINT migration_rollback_audit_event_check CHECK (event IN (
    'started', 'applied', 'failed', 'interrupted', 'skipped', 'deferred', 'statement_applied',
    'orphans_deleted', 'orphans_nullified', 'orphans_restored', 'constraint_added', 'index_created',
    'invalid_index_dropped', 'rolled_back', 'rollback_failed', 'resolved', 'adopted', 'drift_detected',
    'daemon_started', 'daemon_stopped', 'anchor_gap', 'acknowledged'));

UPDATE "migrated".audit_head SET schema_version = 3;
