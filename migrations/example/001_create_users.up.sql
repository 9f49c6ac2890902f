CREATE TABLE users (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id text NOT NULL CONSTRAINT users_user_id_key UNIQUE,
    email text NOT NULL,
    display_name text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE UNIQUE INDEX users_email_key ON users (lower(email));

CREATE FUNCTION touch_updated_at() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_at := now();
    RETURN NEW;
END;
$$;

CREATE TRIGGER users_touch_updated_at BEFORE UPDATE ON users
    FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

-- The accounts that every installation starts with.
INSERT INTO users (user_id, email, display_name) VALUES
    ('usr_operator', 'operator@example.com', 'Operator'),
    ('usr_reports', 'reports@example.com', 'Nightly reports'),
    ('usr_support', 'support@example.com', 'Support desk');
