-- migrated: orphans=clean orphan-limit=20 index-foreign-keys=yes missing-table=skip
-- Written as a generator writes it. Rows of users who are gone would make PostgreSQL refuse these keys: they go into quarantine first, and
-- a rollback brings them back. The table of saved views is not on every installation: its key waits for it.
ALTER TABLE dashboard_widgets ADD CONSTRAINT dashboard_widgets_user_id_fkey
    FOREIGN KEY (user_id) REFERENCES users (user_id);
ALTER TABLE error_logs ADD CONSTRAINT error_logs_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (user_id);
ALTER TABLE saved_views ADD CONSTRAINT saved_views_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (user_id);
