CREATE TABLE error_logs (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id text,
    occurred_at timestamptz NOT NULL DEFAULT now(),
    severity smallint NOT NULL DEFAULT 3 CONSTRAINT error_logs_severity_check CHECK (severity BETWEEN 0 AND 7),
    message text NOT NULL,
    context jsonb
);

COMMENT ON COLUMN error_logs.user_id IS 'Whose request it was, where it was anybody''s';
