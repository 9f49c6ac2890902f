/// What a restoration does in the server, in PL/pgSQL. Words between § stand for what `RestoreSQL` puts in.
extension RestoreSQL {
    static let body = """
        DECLARE
            events CONSTANT jsonb := §events§;
            -- The event that counts a row once it is back, by the one that counts it as gone.
            names CONSTANT jsonb := (SELECT jsonb_object_agg(e ->> 'event', e ->> 'restoration') FROM jsonb_array_elements(events) AS e);
            counting CONSTANT text := format('(%L::jsonb ->> %%s.event_id::text)::uuid', names);
            restoration CONSTANT text := §restoration§;
            -- The kept rows, each with the touches that it stands for: itself, and those of the same row before it.
            source text := '(SELECT q.*, q.id AS first, ARRAY[q.id] AS ids, ARRAY[q.event_id] AS events FROM §history§.orphan_quarantine AS q)';
            recorded CONSTANT text := format('INSERT INTO %s (quarantine_id, event_id, outcome, reason) SELECT m.id, %s', restoration, format(counting, 'm'));
            touched_by CONSTANT text := 'CROSS JOIN LATERAL unnest(q.ids, q.events) AS m(id, event_id)';
            -- What is to be done for the rows of one event that changed in the same columns.
            parts jsonb := '[]';
            groups jsonb;
            part record;
            kept record;
            touched record;
            target regclass;
            only_target text;
            numbered boolean;
            shape record;
            matching text;
            after CONSTANT text := §after§;
            image text;
            gone text[];
            head text;
            tail text;
            problem text;
            filter text;
            untouched text;
            -- Whether each row's outcome is recorded, and one that was touched more than once comes back as it was before the first: not as long as
            -- all may come back at the first try.
            records boolean := false;
            pieces text[];
            counted bigint[];
            hashed numeric[];
            missing bigint;
            before bigint;
            setwise boolean := true;
            is_last boolean := false;
            touches bigint;
            state text;
            words text;
        BEGIN
            -- What is checked at COMMIT only is checked with each statement: there it would take everything along.
            BEGIN
                SET CONSTRAINTS ALL IMMEDIATE;
            EXCEPTION WHEN integrity_constraint_violation THEN
                NULL; -- The file's own matter, which it may fix until COMMIT.
            END;

            <<tries>>
            LOOP
                IF records THEN
                    §touches§
                    source := '(SELECT t.*, q.old_row, q.old_text, q.row_hash FROM pg_temp.migrated_touches AS t '
                              'JOIN §history§.orphan_quarantine AS q ON q.id = t.first)';
                END IF;
                parts := '[]';

                -- By event first: what is common to its rows is looked at once. Few groups of many rows, which the server takes for few rows, and would sort.
                words := current_setting('enable_sort');
                PERFORM set_config('enable_sort', 'off', true);
                EXECUTE format(
                    'SELECT jsonb_agg(to_jsonb(g)) FROM ('
                    'SELECT q.event_id, q.schema_name, q.table_name, q.action, q.column_names, q.old_row IS NULL AS is_text, count(*) AS number, '
                    'CASE WHEN §proves§ THEN sum(q.row_hash) END AS hash, min(q.first) AS sample, max(q.id) AS newest '
                    'FROM %s AS q WHERE q.event_id = ANY ($1) AND %s '
                    'GROUP BY q.event_id, q.schema_name, q.table_name, q.action, q.column_names, q.old_row IS NULL) AS g', source, §unrestored§)
                   INTO groups USING ARRAY(SELECT (e ->> 'event')::uuid FROM jsonb_array_elements(events) AS e);
                PERFORM set_config('enable_sort', words, true);

                -- Rows whose text names objects are read and compared where every name is whole; such a table's triggers have to find theirs there, too.
                IF EXISTS (SELECT FROM (SELECT (e -> 'place' ->> 'oid')::oid AS oid FROM jsonb_array_elements(events) AS e
                                        UNION SELECT to_regclass(format('%I.%I', g ->> 'schema_name', g ->> 'table_name'))
                                          FROM jsonb_array_elements(groups) AS g) AS t
                            WHERE §pinned§)
                THEN
                    SET LOCAL search_path = pg_catalog, pg_temp;
                END IF;

                FOR part IN
                    SELECT array_agg(g.event_id) AS events, e.value -> 'place' AS place, g.schema_name, g.table_name, g.action, g.column_names,
                           g.is_text, sum(g.number)::bigint AS number, sum(g.hash) AS hash, min(g.sample) AS sample
                      FROM jsonb_to_recordset(groups) AS g(event_id uuid, schema_name text, table_name text, action text, column_names text[],
                                                           is_text boolean, number bigint, hash numeric, sample bigint, newest bigint)
                      JOIN jsonb_array_elements(events) AS e ON (e.value ->> 'event')::uuid = g.event_id
                     GROUP BY e.value -> 'place', g.schema_name, g.table_name, g.action, g.column_names, g.is_text
                     ORDER BY max(g.newest) DESC
                LOOP
                    -- By its number, if that is still the same table: it may have another name by now. By its name, if the database comes from a dump.
                    target := to_regclass(format('%I.%I', part.schema_name, part.table_name));
                    SELECT c.oid::regclass AS oid INTO kept
                      FROM pg_class AS c
                     WHERE c.oid = (part.place ->> 'oid')::oid AND c.relkind IN ('r', 'p')
                       AND (c.oid = target OR EXISTS (
                               SELECT FROM pg_attribute AS a WHERE a.attrelid = c.oid AND NOT a.attisdropped
                                  AND a.attnum = (part.place -> 'columns' ->> a.attname::text)::integer));
                    numbered := FOUND;
                    IF numbered THEN target := kept.oid; END IF;
                    only_target := CASE (SELECT c.relkind FROM pg_class AS c WHERE c.oid = target) WHEN 'p' THEN '' ELSE 'ONLY ' END || target::text;

                    -- Its columns of now, under the names by which the rows were kept. A row that is kept as text says no names.
                    SELECT array_agg(k.name) AS names,
                           string_agg(format('%I', a.attname), ', ' ORDER BY a.attnum) FILTER (WHERE a.attgenerated = '') AS fields,
                           string_agg(v.given, ', ' ORDER BY a.attnum) FILTER (WHERE a.attgenerated = '') AS given,
                           -- A function takes a hundred arguments.
                           string_agg(format('jsonb_build_object(%L, %s)', k.name, v.kept), ' || ' ORDER BY a.attnum) AS image,
                           format('hashtextextended(ROW(%s)::text, 0)', string_agg(format('t.%I', a.attname), ', ' ORDER BY k.number, a.attnum)) AS hash,
                           string_agg(format('%I = %s', a.attname, v.given), ', ')
                               FILTER (WHERE k.name = ANY (part.column_names) AND a.attgenerated = '') AS changes,
                           coalesce(string_agg(format('coalesce(to_jsonb(%s), ''null'')::text = coalesce(%s -> %L, ''null'')::text', v.kept, after, k.name), ' AND ')
                               FILTER (WHERE k.name = ANY (part.column_names) AND a.attgenerated = ''), 'true') AS as_left
                      INTO shape
                      FROM (SELECT n.key AS name, n.value::integer AS number FROM jsonb_each_text(part.place -> 'columns') AS n WHERE numbered
                            UNION ALL
                            SELECT n.name, NULL FROM §history§.orphan_quarantine AS q, jsonb_object_keys(q.old_row) AS n(name)
                             WHERE q.id = part.sample AND NOT numbered
                            UNION ALL
                            SELECT a.attname::text, NULL FROM pg_attribute AS a
                             WHERE a.attrelid = target AND a.attnum > 0 AND NOT a.attisdropped AND part.is_text AND NOT numbered) AS k
                      JOIN pg_attribute AS a ON a.attrelid = target AND a.attnum > 0 AND NOT a.attisdropped
                           AND CASE WHEN numbered THEN a.attnum = k.number ELSE a.attname = k.name END
                      JOIN pg_type AS t ON t.oid = a.atttypid
                     CROSS JOIN LATERAL (
                           SELECT CASE WHEN t.oid = ANY (§named§) THEN '::oid' WHEN t.typelem = ANY (§named§) THEN '::oid[]' ELSE '' END AS numbers) AS c
                     CROSS JOIN LATERAL (
                           SELECT CASE WHEN part.is_text THEN format('(q.r).%I', a.attname)
                                       ELSE format('(q.old_row ->> %L)%s::%s', k.name, c.numbers, format_type(a.atttypid, -1)) END AS given,
                                  CASE WHEN a.atttypid = ANY (§plain§) THEN format('t.%I', a.attname)
                                       ELSE format('CASE WHEN t.%I IS DISTINCT FROM NULL THEN concat(t.%I%s) END', a.attname, a.attname, c.numbers) END AS kept) AS v;

                    -- What tells a row from all others: its key, with the operators of the key's own index; else the whole of it.
                    SELECT string_agg(format('t.%1$I OPERATOR(%2$I.%3$s) coalesce(q.new_values ->> %4$L, q.%5$I ->> %4$L)%6$s::%7$s', a.attname, n.nspname,
                                             o.oprname, k.name, CASE WHEN part.is_text THEN 'key' ELSE 'old_row' END,
                                             CASE WHEN a.atttypid = ANY (§named§) THEN '::oid' ELSE '' END, format_type(a.atttypid, -1)), ' AND ')
                      INTO matching
                      FROM §key§ AS i
                     CROSS JOIN generate_series(0, i.indnkeyatts - 1) AS s(at)
                      JOIN pg_attribute AS a ON a.attrelid = target AND a.attnum = i.indkey[s.at]
                      JOIN pg_opclass AS oc ON oc.oid = i.indclass[s.at]
                      JOIN pg_amop AS ao ON ao.amopfamily = oc.opcfamily AND ao.amoplefttype = oc.opcintype AND ao.amoprighttype = oc.opcintype
                           AND ao.amopstrategy = 3
                      JOIN pg_operator AS o ON o.oid = ao.amopopr
                      JOIN pg_namespace AS n ON n.oid = o.oprnamespace
                      LEFT JOIN LATERAL (
                           SELECT c.name FROM unnest(shape.names) AS c(name)
                            WHERE CASE WHEN numbered THEN (part.place -> 'columns' ->> c.name)::integer = a.attnum ELSE c.name = a.attname END) AS k ON true
                    HAVING bool_and(k.name IS NOT NULL);

                    problem := CASE
                        WHEN target IS NULL THEN 'table_gone'
                        WHEN shape.names IS NULL THEN 'column_gone'
                        WHEN part.action = 'nullified' AND (shape.changes IS NULL OR NOT shape.names @> part.column_names) THEN 'column_gone'
                        WHEN part.action = 'nullified' AND matching IS NULL AND part.is_text THEN 'no_key' END;
                    filter := format('q.event_id = ANY (%L) AND q.schema_name = %L AND q.table_name = %L AND q.action = %L AND q.column_names = %L '
                                     'AND (q.old_row IS NULL) = %L AND NOT EXISTS (SELECT FROM %s AS r '
                                     'WHERE r.quarantine_id = q.id AND (r.outcome = ''restored'' OR r.event_id = %s))',
                                     part.events, part.schema_name, part.table_name, part.action, part.column_names, part.is_text, restoration,
                                     format(counting, 'q'));
                    -- Where all rows that its events count are to come back in this one way, nothing else has to be asked of each.
                    untouched := CASE WHEN part.number = (SELECT sum((e ->> 'rows')::bigint) FROM jsonb_array_elements(events) AS e
                                                           WHERE (e ->> 'event')::uuid = ANY (part.events))
                                      THEN format('q.event_id = ANY (%L)', part.events) ELSE filter END;
                    IF problem IS NOT NULL THEN
                        IF NOT records THEN
                            records := true;
                            CONTINUE tries;
                        END IF;
                        EXECUTE format('%s, %L, NULL FROM %s AS q %s WHERE %s', recorded, problem, source, touched_by, filter);
                        CONTINUE;
                    END IF;

                    -- The statement, around its condition on the kept rows.
                    IF part.action = 'deleted' THEN
                        head := format('INSERT INTO %s AS t (%s) OVERRIDING SYSTEM VALUE SELECT %s FROM ', target, shape.fields, shape.given);
                        IF part.is_text THEN
                            -- Read once: hundreds of megabytes for every column would be the end of the server.
                            head := head || format('(SELECT q.old_text::%s AS r FROM %s AS q WHERE ', target, source);
                            tail := ' OFFSET 0) AS q';
                        ELSE
                            head := head || source || ' AS q WHERE ';
                            tail := '';
                        END IF;
                        tail := tail || ' RETURNING ' || CASE WHEN §proves§ THEN shape.hash ELSE 'NULL::bigint' END || ' AS hash';
                    ELSIF matching IS NOT NULL THEN
                        head := format('UPDATE %s AS t SET %s FROM (SELECT q.*, %s AS r FROM %s AS q WHERE ', only_target, shape.changes,
                                       CASE WHEN part.is_text THEN format('q.old_text::%s', target) ELSE 'NULL' END, source);
                        tail := format('%s) AS q WHERE %s AND %s', CASE WHEN part.is_text THEN ' OFFSET 0' END, matching, shape.as_left);
                    ELSE
                        -- Of rows that are alike each kept one takes its own.
                        gone := ARRAY(SELECT jsonb_object_keys(part.place -> 'columns') EXCEPT SELECT unnest(shape.names));
                        -- As text, which tells 1.0 from 1.00.
                        image := format('((q.old_row || %s) - %L::text[])::text', after, gone);
                        head := format('UPDATE %s AS t SET %s FROM (SELECT q.*, row_number() OVER (PARTITION BY %s ORDER BY q.id) AS n FROM %s AS q WHERE ',
                                       only_target, shape.changes, image, source);
                        tail := format(') AS q, (SELECT t.part, t.place, t.image, row_number() OVER (PARTITION BY t.image ORDER BY t.place) AS n '
                                       'FROM (SELECT t.tableoid AS part, t.ctid AS place, (%s)::text AS image FROM %s AS t) AS t) AS s '
                                       'WHERE t.tableoid = s.part AND t.ctid = s.place AND s.image = %s AND s.n = q.n', shape.image, only_target, image);
                    END IF;
                    IF part.action = 'nullified' THEN
                        tail := tail || ' RETURNING q.ids, q.events, '
                            || CASE WHEN §proves§ THEN shape.hash || ' IS NOT DISTINCT FROM q.row_hash' ELSE 'true' END || ' AS same';
                    END IF;
                    parts := parts || jsonb_build_object(
                        'action', part.action, 'number', part.number, 'hash', part.hash,
                        'head', head, 'tail', tail, 'keyless', matching IS NULL AND part.action = 'nullified',
                        'left', CASE WHEN matching IS NULL THEN 'false'
                                     ELSE format('EXISTS (SELECT FROM %s AS t WHERE %s AND %s)', only_target, matching, shape.as_left) END,
                        'there', CASE WHEN matching IS NULL THEN 'false' ELSE format('EXISTS (SELECT FROM %s AS t WHERE %s)', only_target, matching) END,
                        'filter', filter, 'untouched', untouched);
                END LOOP;

                -- All at once, and again where a row without a key was touched twice: the touch before can be undone only then. A loop in the loop over whole tables
                -- is never right for rows without a key, however few the server takes them for.
                IF parts @> '[{"keyless": true}]' THEN
                    PERFORM set_config('enable_nestloop', 'off', true);
                END IF;
                missing := (SELECT coalesce(sum((p ->> 'number')::bigint), 0) FROM jsonb_array_elements(parts) AS p);
                WHILE missing > 0 AND setwise LOOP
                    before := missing;
                    BEGIN
                        pieces := '{}';
                        FOR part IN SELECT p.value ->> 'head' AS head, p.value ->> CASE WHEN records THEN 'filter' ELSE 'untouched' END AS filter,
                                           p.value ->> 'tail' AS tail, p.value ->> 'action' AS action, p.place
                                      FROM jsonb_array_elements(parts) WITH ORDINALITY AS p(value, place)
                        LOOP
                            pieces := pieces || (format('w%s AS (', part.place) || part.head || part.filter || part.tail || ')');
                            IF part.action = 'nullified' AND records THEN
                                pieces := pieces || format(
                                    'r%1$s AS (%2$s, CASE WHEN d.differs THEN ''refused'' ELSE ''restored'' END, CASE WHEN d.differs THEN ''not as it was'' END '
                                    'FROM w%1$s AS q CROSS JOIN LATERAL (SELECT §proves§ AND NOT q.same AS differs) AS d %3$s)', part.place, recorded, touched_by);
                            END IF;
                        END LOOP;
                        EXECUTE format('WITH %s SELECT array_agg(p.number ORDER BY p.place), array_agg(p.hash ORDER BY p.place) FROM (%s) AS p',
                                       array_to_string(pieces, ', '), (
                                           SELECT string_agg(format(
                                                      'SELECT %s AS place, count(*)%s AS number, %s AS hash FROM w%1$s AS w', n,
                                                      CASE WHEN records OR parts -> (n - 1) ->> 'action' = 'deleted' THEN '' ELSE ' FILTER (WHERE w.same)' END,
                                                      CASE WHEN parts -> (n - 1) ->> 'action' = 'deleted' THEN 'sum(w.hash)' ELSE 'NULL::numeric' END), ' UNION ALL ')
                                             FROM generate_series(1, jsonb_array_length(parts)) AS n))
                           INTO counted, hashed;
                        FOR part IN SELECT p.value ->> 'action' AS action, (p.value ->> 'number')::bigint AS number, (p.value ->> 'hash')::numeric AS hash,
                                           p.value ->> 'filter' AS filter, p.place
                                      FROM jsonb_array_elements(parts) WITH ORDINALITY AS p(value, place)
                        LOOP
                            missing := missing - counted[part.place];
                            CONTINUE WHEN part.action <> 'deleted' OR counted[part.place] = 0;
                            IF counted[part.place] <> part.number OR §proves§ AND hashed[part.place] IS DISTINCT FROM part.hash THEN
                                RAISE EXCEPTION USING ERRCODE = 'MG009', MESSAGE = 'not all rows came back as they were';
                            END IF;
                            CONTINUE WHEN NOT records;
                            EXECUTE format('%s, ''restored'', NULL FROM %s AS q %s WHERE %s', recorded, source, touched_by, part.filter);
                        END LOOP;
                        IF NOT records THEN
                            IF missing > 0 THEN
                                RAISE EXCEPTION USING ERRCODE = 'MG009', MESSAGE = 'not all rows came back as they were';
                            END IF;
                            -- All came back at the first try: one row for all rows of an event, and none for a proof.
                            IF §proves§ THEN
                                PERFORM set_config('migrated.proved', 'all', true);
                            ELSE
                                INSERT INTO §history§.orphan_restoration (cleanup_event_id, event_id, outcome, row_count)
                                SELECT (g ->> 'event_id')::uuid, (names ->> (g ->> 'event_id'))::uuid, 'restored', sum((g ->> 'number')::bigint)
                                  FROM jsonb_array_elements(groups) AS g GROUP BY g ->> 'event_id';
                            END IF;
                            RETURN;
                        END IF;
                    EXCEPTION WHEN OTHERS THEN
                        GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE;
                        IF §grave§ THEN RAISE; END IF;
                        IF NOT records THEN
                            records := true;
                            CONTINUE tries;
                        END IF;
                        missing := before;
                        setwise := false;
                        CONTINUE;
                    END;
                    EXIT WHEN missing = before;
                END LOOP;

                -- One by one, as long as one more comes back: its parent may have come meanwhile.
                WHILE missing > 0 AND NOT setwise LOOP
                    before := missing;
                    FOR part IN SELECT p.value ->> 'head' AS head, p.value ->> 'filter' AS filter, p.value ->> 'tail' AS tail,
                                       p.value ->> 'action' AS action
                                  FROM jsonb_array_elements(parts) WITH ORDINALITY AS p(value, place) ORDER BY p.place
                    LOOP
                        FOR kept IN EXECUTE format('SELECT q.id, q.row_hash, q.ids, q.events FROM %s AS q WHERE %s ORDER BY q.id DESC', source, part.filter) LOOP
                            BEGIN
                                EXECUTE part.head || format('q.id = %s', kept.id) || part.tail INTO touched;
                                GET DIAGNOSTICS touches = ROW_COUNT;
                                IF part.action = 'deleted' THEN
                                    IF touches = 0 THEN
                                        RAISE EXCEPTION USING ERRCODE = 'MG009', MESSAGE = 'a trigger of the table held the row back';
                                    END IF;
                                    IF §proves§ AND touched.hash IS DISTINCT FROM kept.row_hash THEN
                                        RAISE EXCEPTION USING ERRCODE = 'MG009', MESSAGE = 'not as it was';
                                    END IF;
                                ELSIF touches > 0 AND §proves§ AND NOT touched.same THEN
                                    RAISE EXCEPTION USING ERRCODE = 'MG009', MESSAGE = 'not as it was';
                                END IF;
                                IF touches > 0 THEN
                                    EXECUTE format('%s, ''restored'', NULL FROM (SELECT $1, $2) AS q(ids, events) %s', recorded, touched_by)
                                      USING kept.ids, kept.events;
                                    missing := missing - 1;
                                END IF;
                            EXCEPTION WHEN OTHERS THEN
                                GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, words = MESSAGE_TEXT;
                                IF §grave§ THEN RAISE; END IF;
                                IF is_last THEN
                                    EXECUTE format('%s, $3, $4 FROM (SELECT $1, $2) AS q(ids, events) %s', recorded, touched_by)
                                      USING kept.ids, kept.events, CASE state WHEN '23505' THEN 'key_taken' WHEN '23P01' THEN 'key_taken'
                                            WHEN '23503' THEN 'parent_missing' ELSE 'refused' END, left(words, 4096);
                                END IF;
                            END;
                        END LOOP;
                    END LOOP;
                    EXIT WHEN is_last;
                    is_last := missing = before;
                END LOOP;

                EXIT;
            END LOOP;

            -- What has not come back until now was changed, and is not as the cleanup left it; or it is, and something holds it there.
            FOR part IN SELECT p ->> 'filter' AS filter, p ->> 'left' AS held, p ->> 'there' AS there FROM jsonb_array_elements(parts) AS p WHERE missing > 0
            LOOP
                BEGIN
                    EXECUTE format('%s, CASE WHEN %s THEN ''refused'' WHEN %s THEN ''now_filled'' ELSE ''row_gone'' END, '
                                   'CASE WHEN %s THEN ''a trigger of the table held the row back'' END FROM %s AS q %s WHERE %s',
                                   recorded, part.held, part.there, part.held, source, touched_by, part.filter);
                EXCEPTION WHEN OTHERS THEN
                    -- Not even looking is allowed: a policy would hide rows.
                    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, words = MESSAGE_TEXT;
                    IF §grave§ THEN RAISE; END IF;
                    EXECUTE format('%s, ''refused'', %L FROM %s AS q %s WHERE %s', recorded, left(words, 4096), source, touched_by, part.filter);
                END;
            END LOOP;
            IF records THEN
                DROP TABLE pg_temp.migrated_touches;
            END IF;
        END
        """
}
