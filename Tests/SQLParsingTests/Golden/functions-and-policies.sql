CREATE OR REPLACE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $fn$
BEGIN
    NEW.updated_at := now(); -- a ; and a $$ inside
    RETURN NEW;
END;
$fn$;
CREATE TRIGGER touch BEFORE UPDATE ON accounts FOR EACH ROW EXECUTE FUNCTION touch();
DO $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM pg_type WHERE typname = 'mood') THEN
        CREATE TYPE mood AS ENUM ('sad', 'ok');
    END IF;
    COMMIT;
END
$$;
CREATE FUNCTION twice(a int) RETURNS int LANGUAGE sql BEGIN ATOMIC; SELECT CASE WHEN a > 0 THEN a * 2 END; END;
CREATE RULE log AS ON DELETE TO accounts DO ALSO (INSERT INTO gone VALUES (OLD.id); NOTIFY gone);
ALTER TABLE accounts ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON accounts USING (owner = current_user) WITH CHECK (owner = current_user);
GRANT SELECT ON accounts TO PUBLIC;
CALL tidy();
SAVEPOINT a; RELEASE a; ROLLBACK TO a;
REFRESH MATERIALIZED VIEW CONCURRENTLY totals;
CLUSTER accounts USING accounts_pkey;
ANALYZE accounts;
REINDEX TABLE accounts;
COPY accounts FROM '/srv/accounts.csv';
