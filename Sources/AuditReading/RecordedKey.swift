internal import Postgres

/// A foreign key of the database, with what it takes to count its orphans.
struct RecordedKey {
    /// `schema.table.constraint`, as events name it.
    var object: String
    /// `schema.table`.
    var table: String
    var columns: String
    var isValidated: Bool
    /// Whether an index leads with its columns.
    var isCovered: Bool
    /// PostgreSQL 18: declared NOT ENFORCED, so that nothing is promised.
    var isUnenforced: Bool
    /// Counts orphans; nil where the key is about periods of time, which no comparison of columns decides, or where comparing would call functions
    /// of this database.
    var count: String?

    /// The foreign keys: every one, or those that the history names and those that nobody has proved.
    ///
    /// Keys of partitions belong to their parent's. The operators are the constraint's own (`pg_constraint.conpfeqop`), so that what is
    /// counted is what the server's own check would find (manual, "pg_constraint").
    static func all(_ everyKey: Bool, in table: String) -> String {
        """
        SELECT n.nspname || '.' || r.relname || '.' || c.conname, n.nspname || '.' || r.relname,
               (SELECT string_agg(a.attname, ', ' ORDER BY x.place)
                  FROM unnest(c.conkey) WITH ORDINALITY AS x(attnum, place)
                  JOIN pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = x.attnum),
               c.convalidated,
               EXISTS (SELECT FROM pg_index AS i
                         JOIN pg_class AS ic ON ic.oid = i.indexrelid
                         JOIN pg_am AS m ON m.oid = ic.relam AND m.amname = 'btree'
                        WHERE i.indrelid = c.conrelid AND i.indisvalid AND i.indisready AND i.indpred IS NULL
                          AND i.indnkeyatts >= cardinality(c.conkey)
                          -- Numbered from 0, unlike other arrays.
                          AND (i.indkey::int2[])[0:cardinality(c.conkey) - 1] @> c.conkey),
               -- Columns that PostgreSQL 18 brought.
               coalesce(to_jsonb(c) ->> 'conenforced', 'true') <> 'true',
               CASE WHEN coalesce(to_jsonb(c) ->> 'conperiod', 'false') <> 'true' AND NOT runs.code_of_others THEN
               'SELECT count(*) FROM '
               || CASE r.relkind WHEN 'p' THEN '' ELSE 'ONLY ' END || format('%I.%I AS c WHERE (', n.nspname, r.relname)
               || (SELECT string_agg(format('c.%I IS NOT NULL', a.attname),
                                     CASE c.confmatchtype WHEN 'f' THEN ' OR ' ELSE ' AND ' END ORDER BY x.place)
                     FROM unnest(c.conkey) WITH ORDINALITY AS x(attnum, place)
                     JOIN pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = x.attnum)
               || ') AND NOT EXISTS (SELECT FROM '
               || CASE p.relkind WHEN 'p' THEN '' ELSE 'ONLY ' END || format('%I.%I AS p WHERE ', pn.nspname, p.relname)
               || (SELECT string_agg(format('p.%I OPERATOR(%I.%s) c.%I%s', pa.attname, oname.nspname, o.oprname, ca.attname,
                                            CASE WHEN pa.attcollation <> ca.attcollation AND ca.attcollation <> 0
                                            THEN (SELECT format(' COLLATE %I.%I', cn.nspname, co.collname)
                                                    FROM pg_collation AS co JOIN pg_namespace AS cn ON cn.oid = co.collnamespace
                                                   WHERE co.oid = pa.attcollation) END), ' AND ' ORDER BY x.place)
                     FROM unnest(c.conkey, c.confkey, c.conpfeqop) WITH ORDINALITY AS x(child, parent, operator, place)
                     JOIN pg_attribute AS ca ON ca.attrelid = c.conrelid AND ca.attnum = x.child
                     JOIN pg_attribute AS pa ON pa.attrelid = c.confrelid AND pa.attnum = x.parent
                     JOIN pg_operator AS o ON o.oid = x.operator
                     JOIN pg_namespace AS oname ON oname.oid = o.oprnamespace)
               || ')' END
          FROM pg_constraint AS c
          JOIN pg_class AS r ON r.oid = c.conrelid AND r.relpersistence <> 't'
          JOIN pg_namespace AS n ON n.oid = r.relnamespace
          JOIN pg_class AS p ON p.oid = c.confrelid
          JOIN pg_namespace AS pn ON pn.oid = p.relnamespace
          -- A comparison can call a function of the owner of a type, a cast or an operator, with the rights of the login that counts. The server's own
          -- types and enumerations have none.
          CROSS JOIN LATERAL (
              SELECT coalesce(bool_or(NOT (o.oid < 16384 AND cb.oid < 16384 AND pb.oid < 16384 OR o.oid < 16384 AND cb.oid = pb.oid AND cb.typtype = 'e')), true)
                FROM unnest(c.conkey, c.confkey, c.conpfeqop) AS x(child, parent, operator)
                JOIN pg_operator AS o ON o.oid = x.operator
                JOIN pg_attribute AS ca ON ca.attrelid = c.conrelid AND ca.attnum = x.child
                JOIN pg_attribute AS pa ON pa.attrelid = c.confrelid AND pa.attnum = x.parent
                JOIN pg_type AS ct ON ct.oid = ca.atttypid JOIN pg_type AS cb ON cb.oid = CASE ct.typtype WHEN 'd' THEN ct.typbasetype ELSE ct.oid END
                JOIN pg_type AS pt ON pt.oid = pa.atttypid JOIN pg_type AS pb ON pb.oid = CASE pt.typtype WHEN 'd' THEN pt.typbasetype ELSE pt.oid END
          ) AS runs(code_of_others)
         WHERE c.contype = 'f' AND c.conparentid = 0
           AND (\(everyKey) OR NOT c.convalidated
                OR EXISTS (SELECT FROM \(table) AS a
                            WHERE (a.event = 'constraint_added' OR a.event = 'skipped' AND a.reason = 'object_exists')
                              -- A key without a name of its own is recorded by its table.
                              AND a.object IN (n.nspname || '.' || r.relname || '.' || c.conname,
                                               n.nspname || '.' || r.relname)))
         ORDER BY 1
        """
    }

    init(_ found: QueryResult, _ row: Int) {
        object = found.text(row, 0) ?? ""
        table = found.text(row, 1) ?? ""
        columns = found.text(row, 2) ?? ""
        isValidated = found.isTrue(row, 3)
        isCovered = found.isTrue(row, 4)
        isUnenforced = found.isTrue(row, 5)
        count = found.text(row, 6)
    }
}
