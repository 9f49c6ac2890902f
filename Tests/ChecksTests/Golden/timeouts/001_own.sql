SET statement_timeout = 0;
SET LOCAL lock_timeout = '10min';
SELECT pg_catalog.set_config('search_path', '', false);
SELECT set_config('idle_in_transaction_session_timeout', '0', false);
RESET statement_timeout;
SET search_path TO app;
SET work_mem = '1GB';
