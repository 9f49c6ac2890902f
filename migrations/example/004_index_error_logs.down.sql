DROP VIEW open_errors;
DROP INDEX CONCURRENTLY error_logs_open_idx;
ALTER TABLE error_logs DROP COLUMN resolved_at;
