"""Made-up migrations, always the same for the same numbers."""

import os

NOUNS = ["account", "invoice", "order", "shipment", "session", "token", "widget", "report", "comment", "tag"]


def small(index):
    """One small migration as people write them: every fifth makes a table, the others add to it. Two to four statements."""
    noun = NOUNS[index % len(NOUNS)]
    table = f"{noun}_{index // 5:04d}"
    kind = index % 5
    if kind == 0:
        return f"""-- {noun}s, first version
CREATE TABLE {table_of(index)} (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    email text,
    status text NOT NULL DEFAULT 'new' CHECK (status IN ('new', 'active', 'closed')),
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE {table_of(index)} IS 'what we know of a {noun}';
"""
    table = table_of(index - kind)
    if kind == 1:
        return f"""CREATE INDEX {table}_created_at_idx ON {table} (created_at);
CREATE INDEX {table}_email_idx ON {table} (lower(email)) WHERE email IS NOT NULL;
"""
    if kind == 2:
        return f"""INSERT INTO {table} (name, email, status) VALUES
    ('Ada', 'ada@example.org', 'active'),
    ('Bert', NULL, 'new'),
    ('Cleo', 'cleo@example.org', 'closed');
UPDATE {table} SET status = 'active' WHERE status = 'new';
"""
    if kind == 3:
        return f"""ALTER TABLE {table} ADD COLUMN score integer NOT NULL DEFAULT 0;
ALTER TABLE {table} ADD COLUMN notes text;
ALTER TABLE {table} ADD CONSTRAINT {table}_score_check CHECK (score >= 0);
"""
    return f"""CREATE FUNCTION {table}_active(minimum integer) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT count(*) FROM {table} WHERE status = 'active' AND score >= minimum
$$;
COMMENT ON FUNCTION {table}_active(integer) IS 'how many are active';
"""


def table_of(index):
    return f"{NOUNS[(index // 5) % len(NOUNS)]}_{index // 5:04d}"


def tiny(index):
    """The smallest migration that changes a schema: one statement."""
    return f"CREATE TABLE t{index:04d} (id bigint PRIMARY KEY, name text NOT NULL);\n"


def large(index):
    """A text as a schema dump or a long-lived project has it: tables with constraints, indexes, functions, rows."""
    parts = []
    for part in range(20):
        noun = NOUNS[(index + part) % len(NOUNS)]
        table = f"{noun}_{index:04d}_{part:02d}"
        parts.append(f"""
-- {noun}s: what the billing service stores of them. Kept apart from the events, which are partitioned by month.
CREATE TABLE IF NOT EXISTS public.{table} (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    owner_id      bigint NOT NULL,
    external_ref  varchar(64),
    amount        numeric(12, 2) NOT NULL DEFAULT 0.00 CHECK (amount >= 0),
    currency      char(3) NOT NULL DEFAULT 'EUR',
    payload       jsonb NOT NULL DEFAULT '{{}}'::jsonb,
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz,
    CONSTRAINT {table}_ref_key UNIQUE (owner_id, external_ref),
    CONSTRAINT {table}_dates_check CHECK (updated_at IS NULL OR updated_at >= created_at)
);
CREATE INDEX {table}_created_idx ON public.{table} USING btree (created_at DESC) WHERE updated_at IS NULL;
CREATE INDEX {table}_payload_idx ON public.{table} USING gin (payload jsonb_path_ops);
ALTER TABLE public.{table} ADD CONSTRAINT {table}_owner_fkey
    FOREIGN KEY (owner_id) REFERENCES public.accounts (id) ON DELETE CASCADE;
COMMENT ON COLUMN public.{table}.external_ref IS 'the number that the payment provider gave to this {noun}';

CREATE OR REPLACE FUNCTION public.{table}_touch() RETURNS trigger LANGUAGE plpgsql AS $body$
DECLARE
    changed boolean := false;
BEGIN
    IF NEW.payload IS DISTINCT FROM OLD.payload OR NEW.amount <> OLD.amount THEN
        changed := true;
    END IF;
    IF changed THEN
        NEW.updated_at := now();
        PERFORM pg_notify('{table}', json_build_object('id', NEW.id, 'amount', NEW.amount)::text);
    END IF;
    RETURN NEW;
END
$body$;
CREATE TRIGGER {table}_touch BEFORE UPDATE ON public.{table} FOR EACH ROW EXECUTE FUNCTION public.{table}_touch();

INSERT INTO public.{table} (owner_id, external_ref, amount, currency, payload) VALUES
""" + ",\n".join(
            f"    ({row + 1}, 'pay-{index:04d}-{part:02d}-{row:03d}', {row * 7 + 0.5:.2f}, 'EUR', "
            f"'{{\"kind\": \"{noun}\", \"line\": {row}}}')" for row in range(10)) + f""";

CREATE VIEW public.{table}_recent AS
SELECT t.id, t.owner_id, t.amount, a.name AS owner_name, count(*) OVER (PARTITION BY t.owner_id) AS of_owner
  FROM public.{table} AS t
  JOIN public.accounts AS a ON a.id = t.owner_id
 WHERE t.created_at > now() - interval '30 days' AND t.currency IN ('EUR', 'USD', 'CHF')
 ORDER BY t.created_at DESC;
GRANT SELECT ON public.{table}_recent TO PUBLIC;
""")
    return "".join(parts)


def write(folder, count, text):
    """`count` files 0001_….sql in `folder`; their paths in order."""
    os.makedirs(folder, exist_ok=True)
    paths = []
    for index in range(count):
        path = f"{folder}/{index + 1:04d}_{NOUNS[index % len(NOUNS)]}.sql"
        with open(path, "w") as file:
            file.write(text(index))
        paths.append(path)
    return paths
