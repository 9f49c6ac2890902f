-- Ordinary statements and one that PostgreSQL runs only outside a transaction, in one file.
ALTER TABLE error_logs ADD COLUMN resolved_at timestamptz;

CREATE INDEX CONCURRENTLY error_logs_open_idx ON error_logs (occurred_at DESC) WHERE resolved_at IS NULL;

CREATE VIEW open_errors AS
    SELECT id, user_id, occurred_at, severity, message FROM error_logs WHERE resolved_at IS NULL;
