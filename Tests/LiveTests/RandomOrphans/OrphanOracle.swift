/// What is right, in plain SQL by PostgreSQL's own rules and none of the program's: what a careful administrator would do by hand.
///
/// Everything is tried out in subtransactions that are rolled back, in the very tables that `migrated` gets behind it.
enum OrphanOracle {
    /// Needs no extension; what a server lacks is left out by `OrphanServer`.
    static let schema = #"""
        CREATE SCHEMA harness;
        CREATE TABLE harness.cases (
            n int PRIMARY KEY, name text, schema name, separate boolean,
            before jsonb, catalog text, outcomes jsonb, broken text, merged boolean);
        CREATE TABLE harness.keys (
            n int, place int, tab text, cols text[], parent text, pcols text[], isfull boolean, nulls text[], sql text);

        -- The rows of every table as text, a partitioned one whole, all others without their heirs.
        CREATE FUNCTION harness.rows(s name) RETURNS jsonb LANGUAGE plpgsql SET search_path = pg_catalog AS $f$
        DECLARE u record; r jsonb; total jsonb := '{}';
        BEGIN
            FOR u IN SELECT relname, CASE relkind WHEN 'r' THEN 'ONLY ' ELSE '' END AS only FROM pg_class
                      WHERE relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = s)
                        AND relkind IN ('r', 'p') AND NOT relispartition LOOP
                EXECUTE format('SELECT coalesce(jsonb_agg(x.v ORDER BY x.v COLLATE "C"), ''[]'')
                                  FROM (SELECT "_r_"::text AS v FROM %s%I.%I AS "_r_") AS x', u.only, s, u.relname) INTO r;
                total := total || jsonb_build_object(u.relname, r);
            END LOOP;
            RETURN total;
        END $f$;

        -- Everything that stands in the schema: relations, columns, constraints, functions, and how many triggers.
        -- No definition of a partition's own copy of a key: some servers lose its ON DELETE SET NULL (columns) and cannot print it.
        CREATE FUNCTION harness.catalog(s name) RETURNS text LANGUAGE sql SET search_path = pg_catalog AS $f$
            WITH n AS (SELECT oid FROM pg_namespace WHERE nspname = s),
                 r AS (SELECT c.* FROM pg_class AS c, n WHERE c.relnamespace = n.oid)
            SELECT string_agg(x, E'\n' ORDER BY x) FROM (
                SELECT format('relation %s %s triggers %s', relname, relkind,
                              (SELECT count(*) FROM pg_trigger WHERE tgrelid = r.oid)) FROM r
                UNION ALL SELECT format('column %s %s %s %s', relname, attname, attnum, attnotnull) FROM r, pg_attribute
                           WHERE attrelid = r.oid AND attnum > 0
                UNION ALL SELECT format('constraint %s %s %s %s %s %s', relname, conname, convalidated, condeferrable,
                                        condeferred, CASE conparentid WHEN 0 THEN pg_get_constraintdef(c.oid) END) FROM pg_constraint AS c, r WHERE conrelid = r.oid
                UNION ALL SELECT format('function %s', proname) FROM pg_proc, n WHERE pronamespace = n.oid) AS y(x)
        $f$;

        CREATE FUNCTION harness.lines(wanted text, found text) RETURNS text LANGUAGE sql AS $f$
            WITH w AS (SELECT unnest(string_to_array(wanted, E'\n')) AS x), f AS (SELECT unnest(string_to_array(found, E'\n')) AS x)
            SELECT string_agg(y, E'\n') FROM (
                SELECT '  missing ' || x FROM (TABLE w EXCEPT ALL TABLE f) AS d
                UNION ALL SELECT '  too much ' || x FROM (TABLE f EXCEPT ALL TABLE w) AS d) AS z(y)
        $f$;

        -- How many rows of each table are not as they were.
        CREATE FUNCTION harness.gone(a jsonb, b jsonb) RETURNS jsonb LANGUAGE sql AS $f$
            SELECT coalesce(jsonb_object_agg(u, n) FILTER (WHERE n > 0), '{}') FROM (
                SELECT u, (SELECT count(*) FROM (SELECT jsonb_array_elements_text(a -> u)
                                      EXCEPT ALL SELECT jsonb_array_elements_text(b -> u)) AS x) AS n
                  FROM jsonb_object_keys(a) AS k(u)) AS y
        $f$;
        CREATE FUNCTION harness.plus(a jsonb, b jsonb) RETURNS jsonb LANGUAGE sql AS $f$
            SELECT coalesce(jsonb_object_agg(key, n), '{}') FROM (
                SELECT key, sum(value::int) AS n FROM (SELECT * FROM jsonb_each_text(a) UNION ALL SELECT * FROM jsonb_each_text(b)) AS z GROUP BY key) AS w
        $f$;
        CREATE FUNCTION harness.differences(wanted jsonb, found jsonb) RETURNS text LANGUAGE sql AS $f$
            SELECT left(string_agg(u || side || coalesce(v, 'NULL'), E'\n' ORDER BY u, v), 3000) FROM (
                SELECT u, '  missing ' AS side, v FROM jsonb_object_keys(wanted) AS k(u), LATERAL (
                    SELECT jsonb_array_elements_text(wanted -> u) EXCEPT ALL SELECT jsonb_array_elements_text(found -> u)) AS x(v)
                UNION ALL
                SELECT u, '  too many ', v FROM jsonb_object_keys(found) AS k(u), LATERAL (
                    SELECT jsonb_array_elements_text(found -> u) EXCEPT ALL SELECT jsonb_array_elements_text(wanted -> u)) AS x(v)) AS y
        $f$;

        -- A partitioned table whole, any other without its heirs: as a key sees it.
        CREATE FUNCTION harness.target(s name, t text) RETURNS text LANGUAGE sql SET search_path = pg_catalog AS $f$
            SELECT format('%s%I.%I', CASE relkind WHEN 'r' THEN 'ONLY ' ELSE '' END, s, t) FROM pg_class
             WHERE oid = format('%I.%I', s, t)::regclass
        $f$;
        CREATE FUNCTION harness.list(names text[]) RETURNS text LANGUAGE sql SET search_path = pg_catalog AS $f$
            SELECT string_agg(quote_ident(x), ', ' ORDER BY o) FROM unnest(names) WITH ORDINALITY AS u(x, o)
        $f$;

        -- The condition under which row c is an orphan, p being a row that is looked for: with the operators, casts and collations
        -- of the key itself (RI_Initial_Check in ri_triggers.c), which an empty table of the same columns tells.
        CREATE FUNCTION harness.orphan(s name, k harness.keys, further text DEFAULT '') RETURNS text
        LANGUAGE plpgsql SET search_path = pg_catalog AS $f$
        DECLARE matches text; filled text;
        BEGIN
            BEGIN
                EXECUTE format('CREATE TABLE %I.harness_probe (LIKE %I.%I)', s, s, k.tab);
                EXECUTE format('ALTER TABLE %I.harness_probe ADD CONSTRAINT harness_probe FOREIGN KEY (%s) REFERENCES %I.%I (%s) MATCH %s',
                               s, harness.list(k.cols), s, k.parent, harness.list(k.pcols),
                               CASE WHEN k.isfull THEN 'FULL' ELSE 'SIMPLE' END);
                SELECT string_agg(format('p.%I%s OPERATOR(%I.%s) c.%I%s%s', p.attname,
                           CASE WHEN p.atttypid <> o.oprleft THEN format('::%I.%I', ln.nspname, l.typname) END, n.nspname, o.oprname,
                           c.attname,
                           CASE WHEN c.atttypid <> o.oprright THEN format('::%I.%I', rn.nspname, r.typname) END,
                           CASE WHEN p.attcollation <> c.attcollation THEN (
                               SELECT format(' COLLATE %I.%I', x.nspname, y.collname) FROM pg_collation AS y
                                 JOIN pg_namespace AS x ON x.oid = y.collnamespace WHERE y.oid = p.attcollation) END), ' AND ')
                  INTO matches
                  FROM pg_constraint AS f
                 CROSS JOIN LATERAL unnest(f.conpfeqop, f.conkey, f.confkey) AS x(op, ckey, pkey)
                  JOIN pg_operator AS o ON o.oid = x.op JOIN pg_namespace AS n ON n.oid = o.oprnamespace
                  JOIN pg_type AS l ON l.oid = o.oprleft JOIN pg_namespace AS ln ON ln.oid = l.typnamespace
                  JOIN pg_type AS r ON r.oid = o.oprright JOIN pg_namespace AS rn ON rn.oid = r.typnamespace
                  JOIN pg_attribute AS c ON c.attrelid = f.conrelid AND c.attnum = x.ckey
                  JOIN pg_attribute AS p ON p.attrelid = f.confrelid AND p.attnum = x.pkey
                 WHERE f.conrelid = format('%I.harness_probe', s)::regclass AND f.contype = 'f' AND f.conparentid = 0;
                RAISE EXCEPTION USING ERRCODE = 'HX001';
            EXCEPTION WHEN SQLSTATE 'HX001' THEN NULL;
            END;
            SELECT string_agg(format('c.%I IS NOT NULL', x), CASE WHEN k.isfull THEN ' OR ' ELSE ' AND ' END) INTO filled
              FROM unnest(k.cols) AS u(x);
            RETURN format('(%s) AND NOT EXISTS (SELECT FROM %s AS p WHERE %s%s)', filled, harness.target(s, k.parent), matches, further);
        END $f$;
        """#
}
