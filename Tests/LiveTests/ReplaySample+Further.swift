/// Classes of objects beside tables and what belongs to them.
extension ReplaySample {
    static let sequences = ReplaySample(
        description: "sequences", ground: "CREATE TABLE t (a int, b int)",
        statements: [
            "CREATE SEQUENCE s AS integer START WITH 5 INCREMENT BY 2 MAXVALUE 1000 CACHE 3 CYCLE OWNED BY t.a",
            "CREATE SEQUENCE public.plain",
        ],
        mutations: [
            Mutation(
                sql: "CREATE SEQUENCE s AS bigint START WITH 5 INCREMENT BY 2 MAXVALUE 1000 CACHE 3 CYCLE OWNED BY t.a",
                names: "data type"),
            Mutation(
                sql:
                    "CREATE SEQUENCE s AS integer START WITH 6 INCREMENT BY 2 MAXVALUE 1000 CACHE 3 CYCLE OWNED BY t.a",
                names: "start"),
            Mutation(
                sql:
                    "CREATE SEQUENCE s AS integer START WITH 5 INCREMENT BY 3 MAXVALUE 1000 CACHE 3 CYCLE OWNED BY t.a",
                names: "increment"),
            Mutation(
                sql:
                    "CREATE SEQUENCE s AS integer START WITH 5 INCREMENT BY 2 MAXVALUE 1000 CACHE 3 OWNED BY public.t.a",
                names: "cycle"),
            Mutation(
                sql:
                    "CREATE SEQUENCE s AS integer START WITH 5 INCREMENT BY 2 MAXVALUE 1000 CACHE 3 CYCLE OWNED BY t.b",
                names: "owned by"),
            Mutation(sql: "CREATE SEQUENCE plain OWNED BY t.a", names: "owned by"),
            Mutation(sql: "CREATE SEQUENCE t", names: "kind"),
        ])

    static let types = ReplaySample(
        description: "types",
        statements: [
            "CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy')",
            "ALTER TYPE public.mood ADD VALUE 'merry' BEFORE 'happy'",
            "CREATE TYPE pair AS (a int, b varchar(10))",
            "CREATE TYPE floats AS RANGE (subtype = float8, subtype_diff = float8mi, multirange_type_name = many_floats)",
        ],
        mutations: [
            Mutation(sql: "CREATE TYPE mood AS ENUM ('ok', 'sad', 'happy')", names: "the order of the values"),
            Mutation(sql: "CREATE TYPE mood AS ENUM ('sad', 'so-so', 'happy')", names: "value 'so-so'"),
            Mutation(sql: "ALTER TYPE mood ADD VALUE 'merry' AFTER 'happy'", names: "its place"),
            Mutation(sql: "CREATE TYPE pair AS (a int, b varchar(11))", names: "column 'b'"),
            Mutation(sql: "CREATE TYPE pair AS (b varchar(10), a int)", names: "the order of the columns"),
            Mutation(sql: "CREATE TYPE pair AS ENUM ('a')", names: "kind"),
            Mutation(
                sql: "CREATE TYPE floats AS RANGE (subtype = float8, multirange_type_name = many_floats)",
                names: "difference function"),
            Mutation(sql: "CREATE TYPE floats AS RANGE (subtype = float4)", names: "subtype"),
        ])

    static let domains = ReplaySample(
        description: "domains",
        statements: [
            "CREATE DOMAIN zip AS varchar(5) COLLATE \"C\" DEFAULT '00000' NOT NULL CONSTRAINT digits CHECK (value ~ '^[0-9]+$')"
        ],
        mutations: [
            Mutation(
                sql:
                    "CREATE DOMAIN zip AS varchar(6) COLLATE \"C\" DEFAULT '00000' NOT NULL CONSTRAINT digits CHECK (value ~ '^[0-9]+$')",
                names: "base type"),
            Mutation(
                sql:
                    "CREATE DOMAIN zip AS varchar(5) DEFAULT '00000' NOT NULL CONSTRAINT digits CHECK (value ~ '^[0-9]+$')",
                names: "collation"),
            Mutation(
                sql:
                    "CREATE DOMAIN zip AS varchar(5) COLLATE \"C\" DEFAULT '1' NOT NULL CONSTRAINT digits CHECK (value ~ '^[0-9]+$')",
                names: "default"),
            Mutation(
                sql:
                    "CREATE DOMAIN zip AS varchar(5) COLLATE \"C\" DEFAULT '00000' CONSTRAINT digits CHECK (value ~ '^[0-9]+$')",
                names: "not null"),
            Mutation(
                sql:
                    "CREATE DOMAIN zip AS varchar(5) COLLATE \"C\" DEFAULT '00000' NOT NULL CONSTRAINT digits CHECK (value ~ '^[1-9]+$')",
                names: "constraint 'digits'"),
        ])

    static let views = ReplaySample(
        description: "views", ground: "CREATE TABLE t (a int, b text)",
        statements: [
            "CREATE VIEW v (x, y) WITH (security_barrier) AS SELECT a, b FROM t WHERE a > 0",
            "CREATE MATERIALIZED VIEW public.mv AS SELECT a, count(*) FROM public.t GROUP BY a WITH DATA",
            "CREATE RECURSIVE VIEW r (n) AS VALUES (1) UNION ALL SELECT n + 1 FROM r WHERE n < 5",
        ],
        mutations: [
            Mutation(
                sql: "CREATE VIEW v (x, y) WITH (security_barrier) AS SELECT a, b FROM t WHERE a >= 0",
                names: "definition"),
            Mutation(
                sql: "CREATE VIEW v (x, z) WITH (security_barrier) AS SELECT a, b FROM t WHERE a > 0",
                names: "definition"),
            Mutation(
                sql: "CREATE VIEW v (x, y) WITH (security_barrier = off) AS SELECT a, b FROM t WHERE a > 0",
                names: "security_barrier"),
            Mutation(
                sql: "CREATE MATERIALIZED VIEW mv AS SELECT a, sum(a) AS count FROM t GROUP BY a WITH NO DATA",
                names: "definition"),
            Mutation(sql: "CREATE VIEW mv AS SELECT a, count(*) FROM t GROUP BY a", names: "kind"),
            Mutation(
                sql: "CREATE RECURSIVE VIEW r (n) AS VALUES (1) UNION ALL SELECT n + 1 FROM r WHERE n < 6",
                names: "definition"),
        ])

    private static let total = """
        CREATE FUNCTION public.total(a int, b int DEFAULT 2) RETURNS int LANGUAGE plpgsql STABLE COST 7 SET work_mem = '8MB' AS $$
        BEGIN
          -- two lines
          RETURN a + b;
        END $$
        """

    static let routines = ReplaySample(
        description: "routines", ground: "CREATE FUNCTION total(text) RETURNS int LANGUAGE sql AS 'SELECT 1'",
        statements: [
            total, "CREATE PROCEDURE clear() LANGUAGE sql AS 'SELECT 1'",
            "CREATE FUNCTION once(n int) RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT n; SELECT n + 1; END",
        ],
        mutations: [
            change(total, "a + b", "a - b", names: "definition, from line"),
            change(total, "STABLE", "IMMUTABLE", names: "definition"),
            change(total, "DEFAULT 2", "DEFAULT 3", names: "definition"),
            change(total, "COST 7", "COST 8", names: "definition"),
            change(total, "'8MB'", "'9MB'", names: "definition"),
            change(total, "RETURNS int", "RETURNS bigint", names: "definition"),
            change(total, "-- two lines", "-- other lines", names: "definition"),
            Mutation(
                sql: "CREATE PROCEDURE clear() LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'", names: "definition"),
            Mutation(sql: "CREATE FUNCTION clear() RETURNS void LANGUAGE sql AS 'SELECT 1'", names: "kind"),
        ])

    private static let stamp =
        "CREATE TRIGGER stamp BEFORE INSERT OR UPDATE OF b ON public.t FOR EACH ROW WHEN (NEW.a > 0) EXECUTE FUNCTION f()"

    static let triggers = ReplaySample(
        description: "triggers",
        ground: """
            CREATE TABLE t (a int, b text); CREATE VIEW v AS SELECT * FROM t;
            CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
            CREATE FUNCTION g() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'
            """,
        statements: [
            stamp, "CREATE TRIGGER instead INSTEAD OF INSERT ON v FOR EACH ROW EXECUTE FUNCTION f('x')",
            "CREATE CONSTRAINT TRIGGER late AFTER DELETE ON t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION f()",
        ],
        mutations: [
            change(stamp, "BEFORE", "AFTER", names: "definition"),
            change(stamp, "INSERT OR UPDATE OF b", "INSERT", names: "definition"),
            change(stamp, "NEW.a > 0", "NEW.a > 1", names: "definition"),
            change(stamp, "f()", "g()", names: "definition"),
            Mutation(
                sql: "CREATE TRIGGER instead INSTEAD OF INSERT ON v FOR EACH ROW EXECUTE FUNCTION f('y')",
                names: "definition"),
            Mutation(
                sql: "CREATE CONSTRAINT TRIGGER late AFTER DELETE ON t FOR EACH ROW EXECUTE FUNCTION f()",
                names: "definition"),
        ])

    static let policies = ReplaySample(
        description: "policies", ground: "CREATE TABLE t (a int, owner text); CREATE TABLE members (name text)",
        statements: [
            "ALTER TABLE t ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY",
            "CREATE POLICY own ON t FOR UPDATE TO pg_monitor USING (public.t.owner = CURRENT_USER) WITH CHECK (t.a > 0)",
            "CREATE POLICY known ON public.t AS RESTRICTIVE USING (EXISTS (SELECT FROM members AS m WHERE m.name = t.owner))",
        ],
        mutations: [
            Mutation(
                sql: "CREATE POLICY own ON t FOR UPDATE TO pg_monitor USING (owner <> CURRENT_USER) WITH CHECK (a > 0)",
                names: "USING"),
            Mutation(
                sql: "CREATE POLICY own ON t FOR UPDATE TO pg_monitor USING (owner = CURRENT_USER) WITH CHECK (a > 1)",
                names: "WITH CHECK"),
            Mutation(
                sql: "CREATE POLICY own ON t FOR UPDATE TO pg_monitor USING (owner = CURRENT_USER)", names: "WITH CHECK"
            ),
            Mutation(
                sql: "CREATE POLICY own ON t FOR ALL TO pg_monitor USING (owner = CURRENT_USER) WITH CHECK (a > 0)",
                names: "command"),
            Mutation(
                sql: "CREATE POLICY own ON t FOR UPDATE TO PUBLIC USING (owner = CURRENT_USER) WITH CHECK (a > 0)",
                names: "roles"),
            Mutation(
                sql: "CREATE POLICY known ON t USING (EXISTS (SELECT FROM members AS m WHERE m.name = owner))",
                names: "kind"),
        ])

    static let others = ReplaySample(
        description: "schemas and extensions",
        statements: [
            "CREATE SCHEMA app", "CREATE SCHEMA mine AUTHORIZATION pg_monitor", "CREATE EXTENSION btree_gist",
        ],
        mutations: [
            Mutation(sql: "CREATE SCHEMA app AUTHORIZATION pg_monitor", names: "owner"),
            Mutation(sql: "CREATE SCHEMA mine AUTHORIZATION CURRENT_USER", names: "owner"),
            Mutation(sql: "CREATE EXTENSION btree_gist VERSION '0.9'", names: "version"),
            Mutation(sql: "CREATE EXTENSION btree_gist SCHEMA app", names: "schema"),
        ])
}
