extension OrphanOracle {
    /// Cleaning by hand, in every order that one may choose, and what came of it.
    static let hand = #"""
        -- Cleans the orphans of one key until none is left, the existing keys acting. How many rows were cleaned.
        CREATE FUNCTION harness.clean(s name, k harness.keys, way text) RETURNS int
        LANGUAGE plpgsql SET search_path = pg_catalog AS $f$
        DECLARE
            target text := harness.target(s, k.tab);
            condition text := harness.orphan(s, k);
            change text := format('DELETE FROM %s AS c WHERE ', target);
            doomed text[] := '{}'; found text[]; n int; total int := 0; rounds int := 0;
        BEGIN
            IF cardinality(k.nulls) > 0 THEN
                SELECT format('UPDATE %s AS c SET %s WHERE ', target, string_agg(format('%I = NULL', x), ', ')) INTO change
                  FROM unnest(k.nulls) AS u(x);
            END IF;
            -- A row that stays is still referred to.
            IF way = 'closure' AND cardinality(k.nulls) = 0 THEN
                -- All that would be an orphan in the end, found before anything goes.
                condition := harness.orphan(s, k, ' AND p.tableoid::text || p.ctid::text <> ALL ($1)');
                LOOP
                    EXECUTE format('SELECT array_agg(c.tableoid::text || c.ctid::text) FROM %s AS c WHERE %s', target, condition)
                       INTO found USING doomed;
                    EXIT WHEN coalesce(cardinality(found), 0) = cardinality(doomed);
                    doomed := found;
                END LOOP;
                EXECUTE change || 'c.tableoid::text || c.ctid::text = ANY ($1)' USING doomed;
            END IF;
            LOOP
                EXECUTE change || CASE way
                    WHEN 'upwards' THEN format('(c.tableoid, c.ctid) IN (SELECT c.tableoid, c.ctid FROM %s AS c WHERE %s ORDER BY 1, 2 LIMIT 1)', target, condition)
                    WHEN 'downwards' THEN format('(c.tableoid, c.ctid) IN (SELECT c.tableoid, c.ctid FROM %s AS c WHERE %s ORDER BY 1 DESC, 2 DESC LIMIT 1)', target, condition)
                    ELSE condition END USING '{}'::text[];
                GET DIAGNOSTICS n = ROW_COUNT;
                EXIT WHEN n = 0;
                total := total + n;
                rounds := rounds + 1;
                IF rounds > 2000 THEN RAISE EXCEPTION 'the cleaning does not end'; END IF;
            END LOOP;
            RETURN total;
        END $f$;

        -- What the tables, the counts and the catalog come to when the keys of case `c` are added by hand; or the server's refusal.
        CREATE FUNCTION harness.attempt(c int, way text) RETURNS jsonb LANGUAGE plpgsql AS $f$
        DECLARE s name; k harness.keys; was jsonb; now jsonb; counts jsonb := '{}'; result jsonb; n int;
        BEGIN
            SELECT schema INTO s FROM harness.cases AS x WHERE x.n = c;
            BEGIN
                now := harness.rows(s);
                IF way = 'joint' THEN
                    -- Both keys of one statement are cleaned for before either is there.
                    SET CONSTRAINTS ALL IMMEDIATE;
                    was := now;
                    LOOP
                        n := 0;
                        FOR k IN SELECT * FROM harness.keys AS x WHERE x.n = c ORDER BY place LOOP n := n + harness.clean(s, k, way); END LOOP;
                        EXIT WHEN n = 0;
                    END LOOP;
                    now := harness.rows(s);
                    counts := harness.gone(was, now);
                    FOR k IN SELECT * FROM harness.keys AS x WHERE x.n = c ORDER BY place LOOP EXECUTE k.sql; END LOOP;
                ELSE
                    FOR k IN SELECT * FROM harness.keys AS x WHERE x.n = c ORDER BY place LOOP
                        IF way = 'deferred' THEN SET CONSTRAINTS ALL DEFERRED; ELSE SET CONSTRAINTS ALL IMMEDIATE; END IF;
                        was := now;
                        PERFORM harness.clean(s, k, way);
                        SET CONSTRAINTS ALL IMMEDIATE;
                        now := harness.rows(s);
                        counts := harness.plus(counts, harness.gone(was, now));
                        EXECUTE k.sql;
                    END LOOP;
                END IF;
                result := jsonb_build_object('rows', now, 'counts', counts, 'catalog', harness.catalog(s));
                RAISE EXCEPTION USING ERRCODE = 'HX001';
            EXCEPTION
                WHEN SQLSTATE 'HX001' THEN NULL;
                WHEN OTHERS THEN result := jsonb_build_object('error', SQLSTATE || ' ' || SQLERRM);
            END;
            RETURN result || jsonb_build_object('way', way);
        END $f$;

        CREATE FUNCTION harness.build(c int, case_name text, ddl text) RETURNS void LANGUAGE plpgsql AS $f$
        DECLARE s name := 'c' || c;
        BEGIN
            EXECUTE format('CREATE SCHEMA %I', s);
            PERFORM set_config('search_path', s || ', public', true);
            EXECUTE ddl;
            PERFORM set_config('search_path', 'pg_catalog', true);
            INSERT INTO harness.cases (n, name, schema, before, catalog)
            VALUES (c, case_name, s, harness.rows(s), harness.catalog(s));
        EXCEPTION WHEN OTHERS THEN
            INSERT INTO harness.cases (n, name, schema, broken) VALUES (c, case_name, s, SQLSTATE || ' ' || SQLERRM);
        END $f$;

        -- The first way is the plain one: where it succeeds, so must `migrated`. The others allow for another order.
        CREATE FUNCTION harness.judge(c int, ways text[]) RETURNS void LANGUAGE sql AS $f$
            UPDATE harness.cases SET outcomes = (
                SELECT jsonb_agg(harness.attempt(c, w) ORDER BY o) FROM unnest(ways) WITH ORDINALITY AS u(w, o))
             WHERE n = c AND broken IS NULL
        $f$;
        """#

    /// Compares what `migrated` left, went by and brought back with all that. Each finding is a line `kind: what`, further lines indented.
    static let comparison = #"""
        -- How many keys had been added when the row was kept.
        CREATE FUNCTION harness.statement(q migrated.orphan_quarantine) RETURNS bigint LANGUAGE sql AS $f$
            SELECT count(b.seq) FROM migrated.migration_rollback_audit AS a
              LEFT JOIN migrated.migration_rollback_audit AS b
                ON b.attempt_id = a.attempt_id AND b.event = 'constraint_added' AND b.seq < a.seq
             WHERE a.event_id = q.event_id
        $f$;

        CREATE FUNCTION harness.kept(c int, touches boolean) RETURNS jsonb LANGUAGE sql SET search_path = pg_catalog AS $f$
            SELECT coalesce(jsonb_object_agg(t, n), '{}') FROM (
                SELECT (SELECT relname FROM pg_class WHERE oid = coalesce(
                            pg_partition_root(to_regclass(format('%I.%I', q.schema_name, q.table_name))),
                            to_regclass(format('%I.%I', q.schema_name, q.table_name)))) AS t, count(*) AS n
                  FROM migrated.orphan_quarantine AS q
                 WHERE q.schema_name = (SELECT schema FROM harness.cases AS x WHERE x.n = c)
                   -- A row that was touched twice for one statement is kept twice; by hand it counts once, or once for each of two keys.
                   AND (touches OR NOT EXISTS (SELECT FROM migrated.orphan_quarantine AS e
                                    WHERE e.attempt_id = q.attempt_id AND e.id < q.id AND e.schema_name = q.schema_name
                                      AND e.table_name = q.table_name AND e.old_row || e.new_values = q.old_row
                                      AND harness.statement(e) = harness.statement(q)))
                 GROUP BY 1) AS y
        $f$;

        CREATE FUNCTION harness.applied(c int) RETURNS boolean LANGUAGE sql AS $f$
            SELECT EXISTS (SELECT FROM migrated.migration_rollback_audit AS a JOIN harness.cases AS x ON a.name = x.name
                            WHERE x.n = c AND a.event = 'applied')
        $f$;

        CREATE FUNCTION harness.check_applied(c int, proof boolean, stepwise boolean) RETURNS SETOF text LANGUAGE plpgsql AS $f$
        DECLARE
            k harness.cases; after jsonb; done boolean := harness.applied(c); o jsonb; matching jsonb; message text; e record;
        BEGIN
            SELECT * INTO k FROM harness.cases AS x WHERE x.n = c;
            o := k.outcomes -> 0;
            after := harness.rows(k.schema);
            SELECT string_agg(a.message, E'\n  ') INTO message FROM migrated.migration_rollback_audit AS a
             WHERE a.name = k.name AND a.event = 'failed';
            IF NOT done AND stepwise THEN RETURN; END IF;
            IF NOT done THEN
                IF o ? 'rows' THEN RETURN NEXT format(E'refused: %s\n  by hand: %s', message, o -> 'counts'); END IF;
                IF after <> k.before OR harness.catalog(k.schema) <> k.catalog THEN
                    RETURN NEXT E'changed though it failed:\n' || harness.differences(k.before, after); END IF;
                IF harness.kept(c, true) <> '{}' THEN RETURN NEXT 'kept though it failed: ' || harness.kept(c, true); END IF;
                RETURN;
            END IF;
            -- A partition's own key that is the like of a new one of the whole table becomes a part of that, and goes with it: by hand, too.
            UPDATE harness.cases AS x SET merged = EXISTS (
                SELECT FROM pg_constraint AS o JOIN pg_class AS r ON r.oid = o.conrelid JOIN pg_namespace AS n ON n.oid = r.relnamespace
                 WHERE n.nspname = k.schema AND o.conparentid <> 0 AND strpos(E'\n' || k.catalog, format(
                     E'\nconstraint %s %s %s %s %s FOREIGN', r.relname, o.conname, o.convalidated, o.condeferrable, o.condeferred)) > 0)
             WHERE x.n = c;
            SELECT jsonb_agg(x) INTO matching FROM jsonb_array_elements(k.outcomes) AS u(x) WHERE x -> 'rows' = after;
            IF matching IS NULL THEN
                SELECT x INTO o FROM jsonb_array_elements(k.outcomes) AS u(x) WHERE x ? 'rows' LIMIT 1;
                IF o IS NULL THEN RETURN NEXT format('accepted: by hand %s', k.outcomes -> 0 ->> 'error');
                ELSE RETURN NEXT E'wrong rows:\n' || coalesce(harness.differences(o -> 'rows', after), '');
                END IF;
                matching := jsonb_build_array(jsonb_build_object('counts', harness.gone(k.before, after)) || coalesce(o - 'rows' - 'counts', '{}'));
            END IF;
            -- In which order the server's own triggers come to a row, and so how often it is touched before it goes, is its own matter: each row that is
            -- gone or changed in the end is kept, once, or as often as by hand.
            IF harness.kept(c, true) <> harness.gone(k.before, after)
               AND NOT EXISTS (SELECT FROM jsonb_array_elements(matching) AS u(x) WHERE x -> 'counts' IN (harness.kept(c, true), harness.kept(c, false))) THEN
                RETURN NEXT format(E'kept rows: %s\n  gone or changed: %s', harness.kept(c, false), matching -> 0 -> 'counts'); END IF;
            IF NOT EXISTS (SELECT FROM jsonb_array_elements(matching) AS u(x) WHERE x ->> 'catalog' = harness.catalog(k.schema)) THEN
                RETURN NEXT E'catalog:\n' || harness.lines(matching -> 0 ->> 'catalog', harness.catalog(k.schema));
            END IF;
            FOR e IN SELECT a.object, a.row_count, a.detail::jsonb AS detail,
                            (SELECT count(*) FROM migrated.orphan_quarantine AS q WHERE q.event_id = a.event_id) AS kept
                       FROM migrated.migration_rollback_audit AS a
                      WHERE a.name = k.name AND a.event IN ('orphans_deleted', 'orphans_nullified') LOOP
                IF e.row_count <> e.kept THEN RETURN NEXT format('count: %s says %s, %s are kept', e.object, e.row_count, e.kept); END IF;
                IF proof AND e.detail ->> 'reversible' IS DISTINCT FROM format('%s of %s', e.row_count, e.row_count) THEN
                    RETURN NEXT format('proof: %s of %s: %s', e.object, e.row_count, e.detail); END IF;
            END LOOP;
            IF EXISTS (SELECT FROM migrated.orphan_quarantine AS q WHERE q.schema_name = k.schema AND NOT EXISTS (
                           SELECT FROM migrated.migration_rollback_audit AS a WHERE a.event_id = q.event_id AND a.name = k.name)) THEN
                RETURN NEXT 'count: rows are kept for no event'; END IF;
        END $f$;

        CREATE FUNCTION harness.check_rolled_back(c int) RETURNS SETOF text LANGUAGE plpgsql AS $f$
        DECLARE k harness.cases; after jsonb; total int; back int; details text;
        BEGIN
            SELECT * INTO k FROM harness.cases AS x WHERE x.n = c;
            after := harness.rows(k.schema);
            SELECT string_agg(format('%s %s %s', a.event, a.message, a.detail), E'\n  ') INTO details FROM migrated.migration_rollback_audit AS a
             WHERE a.name = k.name AND (a.event = 'rollback_failed' OR a.event = 'orphans_restored' AND a.reason IS NOT NULL);
            IF EXISTS (SELECT FROM migrated.migration_rollback_audit AS a WHERE a.name = k.name AND a.event = 'rollback_failed') THEN
                RETURN NEXT 'rollback failed: ' || details;
                RETURN;
            END IF;
            IF after <> k.before THEN RETURN NEXT format(E'not restored: %s\n%s', details, harness.differences(k.before, after)); END IF;
            IF harness.catalog(k.schema) <> k.catalog AND k.merged IS NOT TRUE THEN RETURN NEXT E'catalog after the rollback:\n' || harness.lines(k.catalog, harness.catalog(k.schema)); END IF;
            SELECT count(*) INTO total FROM migrated.orphan_quarantine AS q WHERE q.schema_name = k.schema;
            SELECT coalesce(sum(row_count), 0) INTO back FROM migrated.migration_rollback_audit AS a
             WHERE a.name = k.name AND a.event = 'orphans_restored';
            IF after = k.before AND back <> total THEN RETURN NEXT format('restored count: %s of %s: %s', back, total, details); END IF;
        END $f$;
        """#
}
