internal import Reporting

/// Queries for what the catalog says of relations; each gives place, group, name, text and another text. To be asked with search_path
/// pinned to pg_catalog, so that every other name comes out with its schema.
enum RelationFacts {
    /// The oid of a relation in a schema, as SQL.
    static func oid(_ schemaLiteral: String, _ nameLiteral: String) -> String {
        """
        (SELECT c.oid FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace \
        WHERE n.nspname = \(schemaLiteral) AND c.relname = \(nameLiteral))
        """
    }

    /// Whether a relation has a name, schema and all, as SQL.
    static func isNamed(_ oid: String, _ object: String) -> String {
        """
        EXISTS (SELECT FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace \
        WHERE c.oid = \(oid) AND pg_catalog.concat_ws('.', n.nspname, c.relname) = \(Quoting.literal(object)))
        """
    }

    /// What kind of relation it is.
    static func kind(_ oid: String) -> String {
        """
        SELECT 0 AS place, 'property' AS grp, 'kind' AS name, \(kindWord("c.relkind"))
               || CASE c.relpersistence WHEN 'u' THEN ', unlogged' WHEN 't' THEN ', temporary' ELSE '' END AS text, NULL AS also
          FROM pg_catalog.pg_class AS c WHERE c.oid = \(oid)
        """
    }

    static func kindWord(_ column: String) -> String {
        """
        CASE \(column) WHEN 'r' THEN 'table' WHEN 'p' THEN 'table' WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' \
        WHEN 'S' THEN 'sequence' WHEN 'i' THEN 'index' WHEN 'I' THEN 'index' WHEN 'f' THEN 'foreign table' \
        WHEN 'c' THEN 'composite type' ELSE \(column)::pg_catalog.text END
        """
    }

    /// How a table is cut or what it is a part of.
    static func partition(_ oid: String) -> String {
        """
        SELECT 1, 'property', 'partition key', pg_catalog.pg_get_partkeydef(c.oid), NULL
          FROM pg_catalog.pg_class AS c WHERE c.oid = \(oid) AND c.relkind = 'p'
        UNION ALL
        SELECT 2, 'property', 'partition of',
               p.inhparent::pg_catalog.regclass || ' ' || pg_catalog.pg_get_expr(c.relpartbound, c.oid), NULL
          FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_inherits AS p ON p.inhrelid = c.oid
         WHERE c.oid = \(oid) AND c.relispartition
        UNION ALL
        SELECT 3, 'property', 'inherits', pg_catalog.string_agg(p.inhparent::pg_catalog.regclass::pg_catalog.text, ', '
               ORDER BY p.inhseqno), NULL
          FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_inherits AS p ON p.inhrelid = c.oid
         WHERE c.oid = \(oid) AND NOT c.relispartition HAVING pg_catalog.count(*) > 0
        UNION ALL
        SELECT 4, 'property', 'of type', c.reloftype::pg_catalog.regtype::pg_catalog.text, NULL
          FROM pg_catalog.pg_class AS c WHERE c.oid = \(oid) AND c.reloftype <> 0
        """
    }

    /// Storage parameters, tablespace, access method.
    static func options(_ oid: String) -> String {
        """
        SELECT 5, 'option', o.prefix || o.name, \(optionText("o")), NULL
          FROM (SELECT CASE c.relkind WHEN 't' THEN 'toast.' ELSE '' END AS prefix, pg_catalog.split_part(s.setting, '=', 1) AS name,
                       pg_catalog.substr(s.setting, pg_catalog.strpos(s.setting, '=') + 1) AS value
                  FROM pg_catalog.pg_class AS r JOIN pg_catalog.pg_class AS c ON c.oid IN (r.oid, r.reltoastrelid),
                       pg_catalog.unnest(c.reloptions) AS s(setting) WHERE r.oid = \(oid)) AS o
        UNION ALL
        SELECT 6, 'option', 'tablespace', s.spcname, NULL
          FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_tablespace AS s ON s.oid = c.reltablespace WHERE c.oid = \(oid)
        UNION ALL
        SELECT 7, 'option', 'access method', m.amname, NULL
          FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_am AS m ON m.oid = c.relam
         WHERE c.oid = \(oid) AND c.relkind IN ('r', 'm')
        """
    }

    /// A parameter's value; of one that is on or off, whatever word was used for it.
    static func optionText(_ option: String) -> String {
        """
        CASE WHEN \(option).name IN ('autovacuum_enabled', 'vacuum_truncate', 'user_catalog_table', 'security_barrier', 'security_invoker', \
        'fastupdate', 'deduplicate_items') AND \(option).value ~* '^(on|off|true|false|yes|no|t|f|y|n|1|0)$' \
        THEN \(option).value::boolean::pg_catalog.text ELSE \(option).value END
        """
    }

    /// The columns in their order, or the one named by a literal.
    static func columns(_ oid: String, only nameLiteral: String? = nil) -> String {
        let condition = nameLiteral.map { " AND a.attname = \($0)" } ?? ""
        return """
            SELECT 1000 + a.attnum, 'column', a.attname,
                   \(ColumnText.type)
                   || CASE WHEN a.attgenerated <> '' THEN
                          ' GENERATED ALWAYS AS (' || pg_catalog.pg_get_expr(d.adbin, d.adrelid) || ')'
                          || CASE a.attgenerated WHEN 's' THEN ' STORED' ELSE ' VIRTUAL' END
                      WHEN d.adbin IS NULL THEN ''
                      WHEN \(ColumnText.isOwn) THEN ' DEFAULT nextval of its own sequence'
                      ELSE ' DEFAULT ' || pg_catalog.pg_get_expr(d.adbin, d.adrelid) END
                   || \(ColumnText.rest),
                   CASE WHEN d.adbin IS NOT NULL AND \(ColumnText.isOwn) THEN
                       \(ColumnText.type) || ' DEFAULT ' || pg_catalog.pg_get_expr(d.adbin, d.adrelid) || \(ColumnText.rest) END
              FROM \(ColumnText.source)
             WHERE a.attrelid = \(oid) AND a.attnum > 0 AND NOT a.attisdropped\(condition)
            UNION ALL
            SELECT 3000 + a.attnum, 'option', 'the sequence of column ''' || a.attname || '''', \(SequenceFacts.text("q")), NULL
              FROM \(ColumnText.source) JOIN pg_catalog.pg_sequence AS q ON q.seqrelid = own.oid
             WHERE a.attrelid = \(oid) AND a.attnum > 0 AND NOT a.attisdropped\(condition)
               AND (a.attidentity <> '' OR \(ColumnText.isOwn))
            """
    }

    /// What neither a constraint's definition says of its index nor an index's of its place.
    static func indexExtra(_ index: String) -> String {
        """
        pg_catalog.concat(' WITH (' || pg_catalog.array_to_string(\(index).reloptions, ', ') || ')', ' TABLESPACE ' || (\
        SELECT s.spcname FROM pg_catalog.pg_tablespace AS s WHERE s.oid = \(index).reltablespace))
        """
    }

    /// Its valid indexes that are no constraint's. What a table has of them beside the file's is nobody's fault.
    static func indexes(_ oid: String) -> String {
        """
        SELECT 7000 + pg_catalog.row_number() OVER (ORDER BY x.relname), 'constraint', x.relname,
               CASE WHEN i.indisunique THEN 'UNIQUE ' ELSE '' END || 'INDEX ' || pg_catalog.substr(
               pg_catalog.pg_get_indexdef(x.oid), pg_catalog.strpos(pg_catalog.pg_get_indexdef(x.oid), ' USING ') + 1) || \(indexExtra("x")), NULL
          FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_class AS x ON x.oid = i.indexrelid
         WHERE i.indrelid = \(oid) AND i.indisvalid
           AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint AS k WHERE k.conindid = x.oid AND k.contype IN ('p', 'u', 'x'))
        """
    }

    /// Its extended statistics.
    static func statistics(_ oid: String) -> String {
        """
        SELECT 8000 + pg_catalog.row_number() OVER (ORDER BY s.stxname), 'constraint', s.stxname, 'STATISTICS ' || s.stxkind::pg_catalog.text
               || pg_catalog.regexp_replace(pg_catalog.substr(d.text, pg_catalog.strpos(d.text, ' ON ')), ' FROM [^ ]+$', ''), NULL
          FROM pg_catalog.pg_statistic_ext AS s, LATERAL (SELECT pg_catalog.pg_get_statisticsobjdef(s.oid)) AS d(text) WHERE s.stxrelid = \(oid)
        """
    }

    /// Its constraints but for foreign keys, which are looked after by themselves. `condition` is about `k`, the row of pg_constraint.
    static func constraints(_ oid: String, where condition: String = "true", name: String = "k.conname") -> String {
        """
        SELECT 5000 + pg_catalog.row_number() OVER (ORDER BY k.conname), 'constraint', \(name), pg_catalog.pg_get_constraintdef(k.oid) || i.extra,
               CASE WHEN NOT k.convalidated THEN
                   pg_catalog.regexp_replace(pg_catalog.pg_get_constraintdef(k.oid), ' NOT VALID$', '') || i.extra END
          FROM pg_catalog.pg_constraint AS k
         CROSS JOIN LATERAL (
               SELECT coalesce(pg_catalog.max(\(indexExtra("x"))), '') AS extra FROM pg_catalog.pg_class AS x WHERE x.oid = k.conindid) AS i
         WHERE k.conrelid = \(oid) AND k.contype IN ('c', 'p', 'u', 'x') AND (\(condition))
        """
    }
}

/// The parts of a column's text, about `a`, its row of pg_attribute.
private enum ColumnText {
    static let source = """
        pg_catalog.pg_attribute AS a
              JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
              LEFT JOIN pg_catalog.pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
              LEFT JOIN LATERAL (
                  SELECT s.oid, pg_catalog.format('%I.%I', sn.nspname, s.relname) AS name
                    FROM pg_catalog.pg_depend AS p
                    JOIN pg_catalog.pg_class AS s ON s.oid = p.objid AND s.relkind = 'S'
                    JOIN pg_catalog.pg_namespace AS sn ON sn.oid = s.relnamespace
                   WHERE p.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND p.refclassid = p.classid
                     AND p.refobjid = a.attrelid AND p.refobjsubid = a.attnum AND p.deptype IN ('a', 'i')
                     AND (p.deptype = 'i' OR pg_catalog.pg_get_expr(d.adbin, d.adrelid)
                          = pg_catalog.format('nextval(%L::regclass)', pg_catalog.format('%I.%I', sn.nspname, s.relname)))
                   ORDER BY p.deptype DESC, s.oid LIMIT 1) AS own ON true
        """

    /// The default is the next value of a sequence that belongs to the column, whatever its name.
    static let isOwn = "(a.attidentity = '' AND a.attgenerated = '' AND own.oid IS NOT NULL)"

    static let type = """
        pg_catalog.format_type(a.atttypid, a.atttypmod)
                   || CASE WHEN a.attcollation <> 0 AND a.attcollation <> t.typcollation THEN
                          (SELECT ' COLLATE ' || pg_catalog.format('%I.%I', cn.nspname, co.collname)
                             FROM pg_catalog.pg_collation AS co JOIN pg_catalog.pg_namespace AS cn ON cn.oid = co.collnamespace
                            WHERE co.oid = a.attcollation) ELSE '' END
        """

    static let rest = """
        CASE a.attidentity WHEN 'a' THEN ' GENERATED ALWAYS AS IDENTITY' WHEN 'd' THEN ' GENERATED BY DEFAULT AS IDENTITY' ELSE '' END
                   || CASE WHEN NOT a.attnotnull THEN '' WHEN EXISTS (
                          SELECT FROM pg_catalog.pg_constraint AS nn WHERE nn.conrelid = a.attrelid AND nn.contype = 'n'
                             AND nn.conkey = ARRAY[a.attnum] AND NOT nn.convalidated) THEN ' NOT NULL NOT VALID' ELSE ' NOT NULL' END
        """
}
