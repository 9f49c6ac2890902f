ALTER TABLE IF EXISTS saved_views DROP CONSTRAINT IF EXISTS saved_views_user_id_fkey;
DROP INDEX IF EXISTS error_logs_user_id_idx;
ALTER TABLE error_logs DROP CONSTRAINT error_logs_user_id_fkey;
DROP INDEX IF EXISTS dashboard_widgets_user_id_idx;
ALTER TABLE dashboard_widgets DROP CONSTRAINT dashboard_widgets_user_id_fkey;
