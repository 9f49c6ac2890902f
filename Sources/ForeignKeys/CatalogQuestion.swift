internal import JSON

/// What the planner asks the catalog: one statement that only reads, for any number of keys.
///
/// It runs in the file's own session, so that a name without a schema means there what it means to the file's statements. Every
/// function and table in it names its schema; the keys go along as one parameter. One row comes back for each key, in order: one column
/// of JSON, which `ForeignKeyFacts` reads.
public struct CatalogQuestion: Sendable, Equatable {
    /// The statement, with one parameter of type text.
    public static let sql = text
    /// The value of its parameter.
    public let parameter: String

    /// Asks about `keys`.
    public init(_ keys: [ForeignKey]) {
        parameter =
            JSONValue.array(
                keys.enumerated().map { number, key in
                    [
                        "n": JSONValue(number), "table": .string(key.table.sql),
                        "referenced": .string(key.referenced.sql),
                        "columns": .array(key.columns.map(JSONValue.string)),
                        "referenced_columns": .array(key.referencedColumns.map(JSONValue.string)),
                    ]
                }
            ).text
    }

    private static let text = """
        WITH wanted AS (
            SELECT (k.value OPERATOR(pg_catalog.->>) 'n')::pg_catalog.int4 AS n,
                   pg_catalog.to_regclass(k.value OPERATOR(pg_catalog.->>) 'table')::pg_catalog.oid AS tab,
                   pg_catalog.to_regclass(k.value OPERATOR(pg_catalog.->>) 'referenced')::pg_catalog.oid AS ref,
                   k.value OPERATOR(pg_catalog.->) 'columns' AS columns, k.value OPERATOR(pg_catalog.->) 'referenced_columns' AS given
              FROM pg_catalog.jsonb_array_elements($1::pg_catalog.jsonb) AS k
        ), pk AS (
            -- The referenced columns: as given, else those of the primary key.
            SELECT w.n, CASE WHEN pg_catalog.jsonb_array_length(w.given) OPERATOR(pg_catalog.>) 0 THEN w.given ELSE coalesce((
                     SELECT pg_catalog.jsonb_agg(a.attname ORDER BY p.place)
                       FROM pg_catalog.pg_constraint AS c,
                            pg_catalog.unnest(c.conkey) WITH ORDINALITY AS p(attnum, place), pg_catalog.pg_attribute AS a
                      WHERE c.conrelid OPERATOR(pg_catalog.=) w.ref AND c.contype OPERATOR(pg_catalog.=) 'p'
                        AND a.attrelid OPERATOR(pg_catalog.=) w.ref AND a.attnum OPERATOR(pg_catalog.=) p.attnum),
                     '[]'::pg_catalog.jsonb) END AS columns
              FROM wanted AS w
        )
        SELECT pg_catalog.jsonb_build_object(
            'server_version', pg_catalog.current_setting('server_version_num')::pg_catalog.int4,
            'settings', pg_catalog.jsonb_build_object(
                'row_security', pg_catalog.current_setting('row_security'), 'datestyle', pg_catalog.current_setting('datestyle'),
                'intervalstyle', pg_catalog.current_setting('intervalstyle'), 'bytea_output', pg_catalog.current_setting('bytea_output'),
                'extra_float_digits', pg_catalog.current_setting('extra_float_digits')),
            'role', CURRENT_USER, 'session_role', SESSION_USER,
            'schema', pg_catalog.current_schema(),
            'table', \(relation("w.tab")),
            'referenced', \(relation("w.ref")),
            'columns', \(attributes("w.tab", "w.columns")),
            'referenced_columns', \(attributes("w.ref", "pk.columns")),
            'equality', (
                -- The operator of the unique index that stands behind the key, column by column in the key's order.
                SELECT found.operators
                  FROM (SELECT i.indisprimary, i.indexrelid,
                               pg_catalog.jsonb_agg(pg_catalog.format('OPERATOR(%I.%s)', n.nspname, o.oprname) ORDER BY pl.place)
                                   AS operators, pg_catalog.count(*) AS number
                          FROM pg_catalog.pg_index AS i
                          CROSS JOIN pg_catalog.jsonb_array_elements_text(pk.columns) WITH ORDINALITY AS pl(attname, place)
                          JOIN pg_catalog.pg_attribute AS a ON a.attrelid OPERATOR(pg_catalog.=) w.ref
                               AND a.attname OPERATOR(pg_catalog.=) pl.attname
                          CROSS JOIN pg_catalog.generate_series(0, i.indnkeyatts OPERATOR(pg_catalog.-) 1) AS s(at)
                          JOIN pg_catalog.pg_opclass AS oc ON oc.oid OPERATOR(pg_catalog.=) i.indclass[s.at]
                          JOIN pg_catalog.pg_amop AS ao ON ao.amopfamily OPERATOR(pg_catalog.=) oc.opcfamily
                               AND ao.amoplefttype OPERATOR(pg_catalog.=) oc.opcintype
                               AND ao.amoprighttype OPERATOR(pg_catalog.=) oc.opcintype
                               AND ao.amopstrategy OPERATOR(pg_catalog.=) 3
                          JOIN pg_catalog.pg_operator AS o ON o.oid OPERATOR(pg_catalog.=) ao.amopopr
                          JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) o.oprnamespace
                         WHERE i.indrelid OPERATOR(pg_catalog.=) w.ref AND i.indisunique AND i.indimmediate AND i.indisvalid
                           AND i.indpred IS NULL AND i.indkey[s.at] OPERATOR(pg_catalog.=) a.attnum
                           AND i.indnkeyatts OPERATOR(pg_catalog.=) pg_catalog.jsonb_array_length(pk.columns)
                         GROUP BY i.indexrelid, i.indisprimary) AS found
                 WHERE found.number OPERATOR(pg_catalog.=) pg_catalog.jsonb_array_length(pk.columns)
                 ORDER BY found.indisprimary DESC, found.indexrelid LIMIT 1),
            'constraints', (
                SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
                         'name', c.conname, 'type', c.contype, 'definition', pg_catalog.pg_get_constraintdef(c.oid),
                         'columns', \(names("c.conrelid", "c.conkey")),
                         'same_referenced', c.confrelid OPERATOR(pg_catalog.=) w.ref,
                         'referenced_columns', \(names("c.confrelid", "c.confkey")),
                         'match', c.confmatchtype, 'on_update', c.confupdtype, 'on_delete', c.confdeltype,
                         -- By way of JSON, because the column is younger than PostgreSQL 14.
                         'on_delete_columns', (SELECT pg_catalog.jsonb_agg(a.attname)
                             FROM pg_catalog.jsonb_array_elements_text(
                                      CASE WHEN pg_catalog.jsonb_typeof(pg_catalog.to_jsonb(c) OPERATOR(pg_catalog.->) 'confdelsetcols') OPERATOR(pg_catalog.=) 'array'
                                      THEN pg_catalog.to_jsonb(c) OPERATOR(pg_catalog.->) 'confdelsetcols' ELSE '[]' END) AS s(attnum),
                                  pg_catalog.pg_attribute AS a
                            WHERE a.attrelid OPERATOR(pg_catalog.=) c.conrelid
                              AND a.attnum OPERATOR(pg_catalog.=) s.attnum::pg_catalog.int2),
                         'deferrable', c.condeferrable, 'deferred', c.condeferred, 'validated', c.convalidated)
                       ORDER BY c.conname)
                  FROM pg_catalog.pg_constraint AS c WHERE c.conrelid OPERATOR(pg_catalog.=) w.tab),
            'indexes', (
                SELECT pg_catalog.jsonb_agg(\(names("i.indrelid", "i.indkey::pg_catalog.int2[]", limit: "i.indnkeyatts")))
                  FROM pg_catalog.pg_index AS i
                  JOIN pg_catalog.pg_class AS ic ON ic.oid OPERATOR(pg_catalog.=) i.indexrelid
                  JOIN pg_catalog.pg_am AS m ON m.oid OPERATOR(pg_catalog.=) ic.relam
                 WHERE i.indrelid OPERATOR(pg_catalog.=) w.tab AND i.indisvalid AND i.indisready AND i.indpred IS NULL
                   AND m.amname OPERATOR(pg_catalog.=) 'btree'),
            'key', (
                -- What tells a row from all others: the primary key, else a unique index without nulls.
                SELECT \(names("i.indrelid", "i.indkey::pg_catalog.int2[]", limit: "i.indnkeyatts"))
                  FROM pg_catalog.pg_index AS i
                 WHERE i.indrelid OPERATOR(pg_catalog.=) w.tab AND i.indisunique AND i.indisvalid AND i.indpred IS NULL
                   AND i.indexprs IS NULL
                   AND NOT EXISTS (SELECT FROM pg_catalog.pg_attribute AS a WHERE a.attrelid OPERATOR(pg_catalog.=) i.indrelid
                                      AND a.attnum OPERATOR(pg_catalog.=) ANY (i.indkey) AND NOT a.attnotnull)
                 ORDER BY i.indisprimary DESC, i.indnkeyatts, i.indexrelid LIMIT 1),
            'rows', \(everyColumn("w.tab")),
            'dependents', (
                WITH RECURSIVE d AS (
                    SELECT c.oid, c.conrelid, c.confrelid, c.conname, c.conkey, c.confkey, c.confdeltype, c.confupdtype,
                           1 AS level, ARRAY[c.oid] AS path
                      FROM pg_catalog.pg_constraint AS c
                     WHERE c.contype OPERATOR(pg_catalog.=) 'f' AND c.confrelid OPERATOR(pg_catalog.=) w.tab
                       AND c.conparentid OPERATOR(pg_catalog.=) 0
                    UNION ALL
                    SELECT c.oid, c.conrelid, c.confrelid, c.conname, c.conkey, c.confkey, c.confdeltype, c.confupdtype,
                           d.level OPERATOR(pg_catalog.+) 1, d.path OPERATOR(pg_catalog.||) c.oid
                      FROM d JOIN pg_catalog.pg_constraint AS c ON c.confrelid OPERATOR(pg_catalog.=) d.conrelid
                     WHERE c.contype OPERATOR(pg_catalog.=) 'f' AND d.confdeltype OPERATOR(pg_catalog.=) 'c'
                       AND c.conparentid OPERATOR(pg_catalog.=) 0
                       AND c.oid OPERATOR(pg_catalog.<>) ALL (d.path) AND d.level OPERATOR(pg_catalog.<) 16)
                SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
                         'name', d.conname, 'path', pg_catalog.to_jsonb(d.path::pg_catalog.int8[]), 'on_delete', d.confdeltype,
                         'on_update', d.confupdtype, 'table', \(relation("d.conrelid")),
                         'cyclic', d.confdeltype OPERATOR(pg_catalog.=) 'c' AND (d.conrelid OPERATOR(pg_catalog.=) w.tab
                             OR EXISTS (SELECT FROM pg_catalog.pg_constraint AS b WHERE b.oid OPERATOR(pg_catalog.=) ANY (d.path)
                                           AND b.confrelid OPERATOR(pg_catalog.=) d.conrelid)),
                         'columns', \(names("d.conrelid", "d.conkey")),
                         'referenced_columns', \(names("d.confrelid", "d.confkey")),
                         'key', (SELECT \(names("i.indrelid", "i.indkey::pg_catalog.int2[]", limit: "i.indnkeyatts"))
                                   FROM pg_catalog.pg_index AS i
                                  WHERE i.indrelid OPERATOR(pg_catalog.=) d.conrelid AND i.indisprimary),
                         'rows', \(everyColumn("d.conrelid")))
                       ORDER BY d.level, d.conname, d.path)
                  FROM d),
            'triggers', (
                SELECT pg_catalog.jsonb_agg(t.tgname ORDER BY t.tgname) FROM pg_catalog.pg_trigger AS t
                 WHERE t.tgrelid OPERATOR(pg_catalog.=) w.tab AND NOT t.tgisinternal
                   AND t.tgenabled OPERATOR(pg_catalog.<>) 'D' AND (t.tgtype::pg_catalog.int4 OPERATOR(pg_catalog.&) 24) OPERATOR(pg_catalog.<>) 0),
            'deferred', (
                -- Whose checks may wait in the queue, so that ALTER TABLE would refuse.
                SELECT pg_catalog.jsonb_agg(DISTINCT pg_catalog.format('%I.%I', n.nspname, c.conname))
                  FROM pg_catalog.pg_trigger AS t
                  JOIN pg_catalog.pg_constraint AS c ON c.oid OPERATOR(pg_catalog.=) t.tgconstraint
                  JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.connamespace
                 WHERE (t.tgrelid OPERATOR(pg_catalog.=) w.tab OR t.tgrelid OPERATOR(pg_catalog.=) w.ref) AND t.tginitdeferred),
            'taken_constraints', (
                SELECT pg_catalog.jsonb_agg(DISTINCT c.conname) FROM pg_catalog.pg_constraint AS c, pg_catalog.pg_class AS t
                 WHERE t.oid OPERATOR(pg_catalog.=) w.tab AND c.connamespace OPERATOR(pg_catalog.=) t.relnamespace
                   AND c.conname OPERATOR(pg_catalog.~) '_fkey[0-9]*$'),
            'taken_relations', (
                SELECT pg_catalog.jsonb_agg(r.relname) FROM pg_catalog.pg_class AS r, pg_catalog.pg_class AS t
                 WHERE t.oid OPERATOR(pg_catalog.=) w.tab AND r.relnamespace OPERATOR(pg_catalog.=) t.relnamespace
                   AND r.relname OPERATOR(pg_catalog.~) '_idx[0-9]*$')
        )::pg_catalog.text
          FROM wanted AS w JOIN pk ON pk.n OPERATOR(pg_catalog.=) w.n
         ORDER BY w.n
        """

    /// A table's own facts; null where there is none.
    private static func relation(_ oid: String) -> String {
        """
        (SELECT pg_catalog.jsonb_build_object('schema', n.nspname, 'name', r.relname, 'kind', r.relkind, \
        'estimate', r.reltuples::pg_catalog.int8, \
        'row_security', r.relrowsecurity, 'forced', r.relforcerowsecurity, \
        'lockable', pg_catalog.has_table_privilege(r.oid, 'UPDATE, DELETE, TRUNCATE')) \
        FROM pg_catalog.pg_class AS r JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) r.relnamespace \
        WHERE r.oid OPERATOR(pg_catalog.=) \(oid))
        """
    }

    /// Facts about named columns, in the names' order; null for a column that is not there.
    private static func attributes(_ oid: String, _ names: String) -> String {
        """
        (SELECT pg_catalog.jsonb_agg(CASE WHEN a.attname IS NOT NULL THEN pg_catalog.jsonb_build_object('name', a.attname, \
        'type', pg_catalog.format_type(a.atttypid, a.atttypmod), 'required', a.attnotnull OR t.typnotnull, \
        'generated', a.attgenerated OPERATOR(pg_catalog.<>) '', \
        'collation', (SELECT pg_catalog.format('%I.%I', cn.nspname, co.collname) FROM pg_catalog.pg_collation AS co \
        JOIN pg_catalog.pg_namespace AS cn ON cn.oid OPERATOR(pg_catalog.=) co.collnamespace \
        WHERE co.oid OPERATOR(pg_catalog.=) a.attcollation)) END ORDER BY x.place) \
        FROM pg_catalog.jsonb_array_elements_text(\(names)) WITH ORDINALITY AS x(name, place) \
        LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid OPERATOR(pg_catalog.=) \(oid) \
        AND a.attname OPERATOR(pg_catalog.=) x.name AND a.attnum OPERATOR(pg_catalog.>) 0 AND NOT a.attisdropped \
        LEFT JOIN pg_catalog.pg_type AS t ON t.oid OPERATOR(pg_catalog.=) a.atttypid)
        """
    }

    /// The names behind an array of column numbers.
    private static func names(_ oid: String, _ numbers: String, limit: String? = nil) -> String {
        """
        (SELECT pg_catalog.jsonb_agg(a.attname ORDER BY x.place) \
        FROM pg_catalog.unnest(\(numbers)) WITH ORDINALITY AS x(attnum, place), pg_catalog.pg_attribute AS a \
        WHERE a.attrelid OPERATOR(pg_catalog.=) \(oid) AND a.attnum OPERATOR(pg_catalog.=) x.attnum\
        \(limit.map { " AND x.place OPERATOR(pg_catalog.<=) \($0)" } ?? ""))
        """
    }

    /// regproc, regoper, regclass and the like (PostgreSQL's pg_type.dat), as an array of oids.
    static let namedTypes = "{24,2202,2203,2204,2205,2206,3734,3769,4089,4096,4191}"

    /// Every column of a table: whether JSON has an exact form for its type, whether that is regclass or another whose text depends on
    /// the session, and whether it can be very wide.
    private static func everyColumn(_ oid: String) -> String {
        """
        (SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('name', a.attname, \
        'plain', a.atttypid OPERATOR(pg_catalog.=) ANY ('{16,20,21,23,25,700,701,1043,1700,3802}'::pg_catalog.oid[]), \
        'named', a.atttypid OPERATOR(pg_catalog.=) ANY \
        ('\(namedTypes)'::pg_catalog.oid[]), \
        'wide', a.atttypid OPERATOR(pg_catalog.=) ANY ('{17,25,1043}'::pg_catalog.oid[])) ORDER BY a.attnum) \
        FROM pg_catalog.pg_attribute AS a WHERE a.attrelid OPERATOR(pg_catalog.=) \(oid) \
        AND a.attnum OPERATOR(pg_catalog.>) 0 AND NOT a.attisdropped)
        """
    }
}
