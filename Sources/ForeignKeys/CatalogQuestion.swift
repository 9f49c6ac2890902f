internal import JSON
internal import Reporting

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
            'settings', \(CleanupSettings.current),
            'role', CURRENT_USER, 'session_role', SESSION_USER,
            'schema', pg_catalog.current_schema(),
            'table', \(relation("w.tab")),
            'referenced', \(relation("w.ref")),
            'columns', \(attributes("w.tab", "w.columns")),
            'referenced_columns', \(attributes("w.ref", "pk.columns")),
            'isolation', pg_catalog.current_setting('transaction_isolation'),
            'equality', (
                -- What ADD FOREIGN KEY will find (tablecmds.c): the operator of the unique index's family for the two types, else that of its own
                -- type, to which both columns are converted then.
                SELECT found.comparison
                  FROM (SELECT i.indisprimary, i.indexrelid,
                               pg_catalog.jsonb_agg(\(comparison) ORDER BY pl.place) AS comparison, pg_catalog.count(*) AS number
                          FROM pg_catalog.pg_index AS i
                          CROSS JOIN pg_catalog.jsonb_array_elements_text(pk.columns) WITH ORDINALITY AS pl(attname, place)
                          JOIN pg_catalog.pg_attribute AS pa ON pa.attrelid OPERATOR(pg_catalog.=) w.ref
                               AND pa.attname OPERATOR(pg_catalog.=) pl.attname
                          JOIN pg_catalog.pg_attribute AS ca ON ca.attrelid OPERATOR(pg_catalog.=) w.tab
                               AND ca.attname OPERATOR(pg_catalog.=) (w.columns OPERATOR(pg_catalog.->>) (pl.place OPERATOR(pg_catalog.-) 1)::pg_catalog.int4)
                          JOIN pg_catalog.pg_type AS ct ON ct.oid OPERATOR(pg_catalog.=) ca.atttypid
                          CROSS JOIN pg_catalog.generate_series(0, i.indnkeyatts OPERATOR(pg_catalog.-) 1) AS s(at)
                          JOIN pg_catalog.pg_opclass AS oc ON oc.oid OPERATOR(pg_catalog.=) i.indclass[s.at]
                          CROSS JOIN LATERAL (
                               SELECT ao.amopopr FROM pg_catalog.pg_amop AS ao
                                WHERE ao.amopfamily OPERATOR(pg_catalog.=) oc.opcfamily AND ao.amopstrategy OPERATOR(pg_catalog.=) 3
                                  AND ao.amoplefttype OPERATOR(pg_catalog.=) oc.opcintype
                                  AND (ao.amoprighttype OPERATOR(pg_catalog.=) CASE ct.typtype WHEN 'd' THEN ct.typbasetype ELSE ct.oid END
                                       OR ao.amoprighttype OPERATOR(pg_catalog.=) oc.opcintype AND (
                                          EXISTS (SELECT FROM pg_catalog.pg_type AS pt WHERE pt.oid OPERATOR(pg_catalog.=) oc.opcintype
                                                     AND pt.typtype OPERATOR(pg_catalog.=) 'p')
                                          OR EXISTS (SELECT FROM pg_catalog.pg_cast AS k WHERE k.casttarget OPERATOR(pg_catalog.=) oc.opcintype
                                                        AND k.castcontext OPERATOR(pg_catalog.=) 'i' AND k.castsource OPERATOR(pg_catalog.=)
                                                            CASE ct.typtype WHEN 'd' THEN ct.typbasetype ELSE ct.oid END)))
                                ORDER BY ao.amoprighttype OPERATOR(pg_catalog.=) oc.opcintype LIMIT 1) AS ao
                          JOIN pg_catalog.pg_operator AS o ON o.oid OPERATOR(pg_catalog.=) ao.amopopr
                         WHERE i.indrelid OPERATOR(pg_catalog.=) w.ref AND i.indisunique AND i.indimmediate AND i.indisvalid
                           AND i.indpred IS NULL AND i.indkey[s.at] OPERATOR(pg_catalog.=) pa.attnum
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
            'key', \(rowKey("w.tab")),
            'rows', \(everyColumn("w.tab")),
            'related', EXISTS (SELECT FROM (\(family("w.tab"))) AS f(oid) WHERE f.oid OPERATOR(pg_catalog.=) w.ref),
            'pinned', \(needsPinnedText("w.tab")),
            'leaf', (
                SELECT \(relation("p.relid")) FROM pg_catalog.pg_partition_tree(w.tab) AS p JOIN pg_catalog.pg_class AS r ON r.oid OPERATOR(pg_catalog.=) p.relid
                 WHERE p.isleaf AND r.relkind OPERATOR(pg_catalog.=) 'r' LIMIT 1),
            'reaches', (
                SELECT EXISTS (SELECT FROM pg_catalog.pg_constraint AS c
                                WHERE c.contype OPERATOR(pg_catalog.=) 'f' AND c.confrelid OPERATOR(pg_catalog.=) ANY (f.oids)
                                  AND \(acts("c")))
                    OR EXISTS (SELECT FROM pg_catalog.pg_trigger AS t
                                WHERE t.tgrelid OPERATOR(pg_catalog.=) ANY (f.oids) AND NOT t.tgisinternal
                                  AND t.tgenabled OPERATOR(pg_catalog.<>) 'D' AND (t.tgtype::pg_catalog.int4 OPERATOR(pg_catalog.&) 24) OPERATOR(pg_catalog.<>) 0)
                    OR EXISTS (SELECT FROM pg_catalog.pg_rewrite AS r WHERE r.ev_class OPERATOR(pg_catalog.=) ANY (f.oids))
                  FROM (SELECT ARRAY(\(family("w.tab"))) AS oids) AS f),
            'holders', (
                SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
                         'name', c.conname, 'table', \(relation("c.conrelid")), 'columns', \(names("c.conrelid", "c.conkey")),
                         'referenced_columns', \(names("c.confrelid", "c.confkey")), 'comparison', \(comparisons)) ORDER BY c.conname)
                  FROM pg_catalog.pg_constraint AS c
                 WHERE c.contype OPERATOR(pg_catalog.=) 'f' AND c.confrelid OPERATOR(pg_catalog.=) w.tab
                   AND c.confdeltype OPERATOR(pg_catalog.=) ANY ('{a,r}'::"char"[]) AND c.conparentid OPERATOR(pg_catalog.=) 0),
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
    static func relation(_ oid: String) -> String {
        """
        (SELECT pg_catalog.jsonb_build_object('schema', n.nspname, 'name', r.relname, 'kind', r.relkind, 'oid', r.oid::pg_catalog.int8, \
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
        'generated', a.attgenerated OPERATOR(pg_catalog.<>) '', 'null_trials', (\
        SELECT pg_catalog.jsonb_agg(trial.text) FROM ( \
        SELECT pg_catalog.format('(SELECT (%s) IS NOT FALSE FROM (SELECT CAST(NULL AS %s) AS %I OFFSET 0) AS %I)', \
        pg_catalog.pg_get_expr(ck.conbin, ck.conrelid), pg_catalog.format_type(a.atttypid, a.atttypmod), a.attname, tc.relname) AS text \
        FROM pg_catalog.pg_constraint AS ck JOIN pg_catalog.pg_class AS tc ON tc.oid OPERATOR(pg_catalog.=) ck.conrelid \
        WHERE ck.conrelid OPERATOR(pg_catalog.=) a.attrelid AND ck.contype OPERATOR(pg_catalog.=) 'c' \
        AND ck.conkey OPERATOR(pg_catalog.=) ARRAY[a.attnum] \
        UNION ALL SELECT pg_catalog.format('CAST(NULL AS %s) IS NULL', \
        pg_catalog.format_type(a.atttypid, a.atttypmod)) WHERE t.typtype OPERATOR(pg_catalog.=) 'd') AS trial)) END ORDER BY x.place) \
        FROM pg_catalog.jsonb_array_elements_text(\(names)) WITH ORDINALITY AS x(name, place) \
        LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid OPERATOR(pg_catalog.=) \(oid) \
        AND a.attname OPERATOR(pg_catalog.=) x.name AND a.attnum OPERATOR(pg_catalog.>) 0 AND NOT a.attisdropped \
        LEFT JOIN pg_catalog.pg_type AS t ON t.oid OPERATOR(pg_catalog.=) a.atttypid)
        """
    }

    /// The names behind an array of column numbers.
    static func names(_ oid: String, _ numbers: String, limit: String? = nil) -> String {
        """
        (SELECT pg_catalog.jsonb_agg(a.attname ORDER BY x.place) \
        FROM pg_catalog.unnest(\(numbers)) WITH ORDINALITY AS x(attnum, place), pg_catalog.pg_attribute AS a \
        WHERE a.attrelid OPERATOR(pg_catalog.=) \(oid) AND a.attnum OPERATOR(pg_catalog.=) x.attnum\
        \(limit.map { " AND x.place OPERATOR(pg_catalog.<=) \($0)" } ?? ""))
        """
    }

    /// regproc, regoper, regclass and the like (PostgreSQL's pg_type.dat), as an array of oids.
    static let namedTypes = "{24,2202,2203,2204,2205,2206,3734,3769,4089,4096,4191}"
    /// bool, the integers, text, varchar and numeric: JSON holds their values exactly. Not the floats, whose -0 it does not know, nor jsonb, in
    /// which a null and a quoted number would be taken for others.
    static let plainTypes = "{16,20,21,23,25,1043,1700}"

    /// Every column of a table as far as keeping its values goes.
    static func everyColumn(_ oid: String) -> String {
        """
        (SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('name', a.attname, 'number', a.attnum, 'type', \(typeName("a.atttypid")), \
        'plain', a.atttypid OPERATOR(pg_catalog.=) ANY ('\(plainTypes)'::pg_catalog.oid[]), \
        'numbers', CASE WHEN a.atttypid OPERATOR(pg_catalog.=) ANY ('\(namedTypes)'::pg_catalog.oid[]) THEN 'pg_catalog.oid' \
        WHEN ty.typelem OPERATOR(pg_catalog.=) ANY ('\(namedTypes)'::pg_catalog.oid[]) THEN 'pg_catalog.oid[]' END, \
        'wide', a.atttypid OPERATOR(pg_catalog.=) ANY ('{17,25,1043}'::pg_catalog.oid[])) ORDER BY a.attnum) \
        FROM pg_catalog.pg_attribute AS a JOIN pg_catalog.pg_type AS ty ON ty.oid OPERATOR(pg_catalog.=) a.atttypid \
        WHERE a.attrelid OPERATOR(pg_catalog.=) \(oid) AND a.attnum OPERATOR(pg_catalog.>) 0 AND NOT a.attisdropped)
        """
    }

    /// The columns that tell a row from all others.
    static func rowKey(_ oid: String) -> String {
        """
        (SELECT \(names("i.indrelid", "i.indkey::pg_catalog.int2[]", limit: "i.indnkeyatts")) FROM \(rowKeyIndex(oid)) AS i)
        """
    }

    /// The index that tells a row from all others: the primary key's, else a unique one without nulls.
    static func rowKeyIndex(_ oid: String) -> String {
        """
        (SELECT i.* FROM pg_catalog.pg_index AS i \
        WHERE i.indrelid OPERATOR(pg_catalog.=) \(oid) AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL \
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_attribute AS a WHERE a.attrelid OPERATOR(pg_catalog.=) i.indrelid \
        AND a.attnum OPERATOR(pg_catalog.=) ANY (i.indkey) AND NOT a.attnotnull) \
        ORDER BY i.indisprimary DESC, i.indnkeyatts, i.indexrelid LIMIT 1)
        """
    }

    /// Whether the text of a table's rows depends on search_path: a value of regclass or the like is in them, however deep.
    static func needsPinnedText(_ oid: String) -> String {
        """
        (WITH RECURSIVE built_of(oid) AS (\
        SELECT a.atttypid FROM pg_catalog.pg_attribute AS a \
        WHERE a.attrelid OPERATOR(pg_catalog.=) \(oid) AND a.attnum OPERATOR(pg_catalog.>) 0 AND NOT a.attisdropped \
        UNION SELECT x.oid FROM built_of AS p JOIN pg_catalog.pg_type AS t ON t.oid OPERATOR(pg_catalog.=) p.oid CROSS JOIN LATERAL (\
        SELECT t.typelem AS oid UNION ALL SELECT t.typbasetype \
        UNION ALL SELECT r.rngsubtype FROM pg_catalog.pg_range AS r WHERE r.rngtypid OPERATOR(pg_catalog.=) t.oid \
        UNION ALL SELECT m.atttypid FROM pg_catalog.pg_attribute AS m WHERE m.attrelid OPERATOR(pg_catalog.=) t.typrelid \
        AND m.attnum OPERATOR(pg_catalog.>) 0 AND NOT m.attisdropped) AS x) \
        SELECT EXISTS (SELECT FROM built_of AS o WHERE o.oid OPERATOR(pg_catalog.=) ANY ('\(namedTypes)'::pg_catalog.oid[])))
        """
    }

    /// A table's whole family as rows stand in it: itself, its partitioned ancestors and all their partitions.
    static func family(_ oid: String) -> String {
        """
        SELECT \(oid)::pg_catalog.oid UNION SELECT p.relid::pg_catalog.oid \
        FROM pg_catalog.pg_partition_tree(pg_catalog.pg_partition_root(\(oid))) AS p
        """
    }

    /// Whether a key does something to its rows when the row that they refer to goes or changes.
    static func acts(_ key: String) -> String {
        """
        (\(key).confdeltype OPERATOR(pg_catalog.=) ANY ('{c,n,d}'::"char"[]) OR \(key).confupdtype OPERATOR(pg_catalog.=) ANY ('{c,n,d}'::"char"[]))
        """
    }

    // MARK: How columns compare

    /// What the key `name` of `table` compares with, as JSON that `ForeignKeyFacts.Comparison` reads; null for one about periods.
    static func comparison(of name: String, table: TableName) -> String {
        """
        SELECT \(comparisons)::pg_catalog.text \
        FROM pg_catalog.pg_constraint AS c WHERE c.conrelid OPERATOR(pg_catalog.=) pg_catalog.to_regclass(\(Quoting.literal(table.sql)))::pg_catalog.oid \
        AND c.contype OPERATOR(pg_catalog.=) 'f' AND c.conname OPERATOR(pg_catalog.=) \(Quoting.literal(name)) \
        AND coalesce(pg_catalog.to_jsonb(c) OPERATOR(pg_catalog.->>) 'conperiod', 'false') OPERATOR(pg_catalog.=) 'false'
        """
    }

    /// Of each column of the key `c`, in order.
    private static let comparisons = """
        (SELECT pg_catalog.jsonb_agg(\(comparison) ORDER BY x.place) \
        FROM ROWS FROM (pg_catalog.unnest(c.conpfeqop), pg_catalog.unnest(c.confkey), pg_catalog.unnest(c.conkey)) \
        WITH ORDINALITY AS x(operator, referenced, referencing, place) \
        JOIN pg_catalog.pg_operator AS o ON o.oid OPERATOR(pg_catalog.=) x.operator \
        JOIN pg_catalog.pg_attribute AS pa ON pa.attrelid OPERATOR(pg_catalog.=) c.confrelid AND pa.attnum OPERATOR(pg_catalog.=) x.referenced \
        JOIN pg_catalog.pg_attribute AS ca ON ca.attrelid OPERATOR(pg_catalog.=) c.conrelid AND ca.attnum OPERATOR(pg_catalog.=) x.referencing)
        """

    /// Of the referenced column `pa`, the referencing one `ca` and the operator `o`.
    private static let comparison = """
        pg_catalog.jsonb_build_object(\
        'referenced_cast', CASE WHEN pa.atttypid OPERATOR(pg_catalog.<>) o.oprleft THEN \(typeName("o.oprleft")) END, \
        'operator', (SELECT pg_catalog.format('OPERATOR(%I.%s)', n.nspname, o.oprname) FROM pg_catalog.pg_namespace AS n \
        WHERE n.oid OPERATOR(pg_catalog.=) o.oprnamespace), \
        'cast', CASE WHEN ca.atttypid OPERATOR(pg_catalog.<>) o.oprright THEN \(typeName("o.oprright")) END, \
        'collation', CASE WHEN pa.attcollation OPERATOR(pg_catalog.<>) ca.attcollation THEN \
        (SELECT pg_catalog.format('%I.%I', cn.nspname, co.collname) FROM pg_catalog.pg_collation AS co \
        JOIN pg_catalog.pg_namespace AS cn ON cn.oid OPERATOR(pg_catalog.=) co.collnamespace \
        WHERE co.oid OPERATOR(pg_catalog.=) pa.attcollation) END)
        """

    /// A type by its plain name: `char` would mean one of length 1.
    private static func typeName(_ oid: String) -> String {
        """
        (SELECT pg_catalog.format('%I.%I', tn.nspname, ty.typname) FROM pg_catalog.pg_type AS ty \
        JOIN pg_catalog.pg_namespace AS tn ON tn.oid OPERATOR(pg_catalog.=) ty.typnamespace WHERE ty.oid OPERATOR(pg_catalog.=) \(oid))
        """
    }
}
