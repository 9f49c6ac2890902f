internal import Reporting

/// Queries for what the catalog says of types: enumerations, composite types, ranges, domains.
enum TypeFacts {
    /// The oid of a type in a schema, as SQL.
    static func oid(_ schemaLiteral: String, _ nameLiteral: String) -> String {
        """
        (SELECT t.oid FROM pg_catalog.pg_type AS t JOIN pg_catalog.pg_namespace AS n ON n.oid = t.typnamespace \
        WHERE n.nspname = \(schemaLiteral) AND t.typname = \(nameLiteral))
        """
    }

    /// Whether a type has a name, schema and all, as SQL.
    static func isNamed(_ oid: String, _ object: String) -> String {
        """
        EXISTS (SELECT FROM pg_catalog.pg_type AS t JOIN pg_catalog.pg_namespace AS n ON n.oid = t.typnamespace \
        WHERE t.oid = \(oid) AND pg_catalog.concat_ws('.', n.nspname, t.typname) = \(Quoting.literal(object)))
        """
    }

    /// All that is said of the type.
    static func all(_ oid: String) -> String {
        let relation = "(SELECT t.typrelid FROM pg_catalog.pg_type AS t WHERE t.oid = \(oid) AND t.typrelid <> 0)"
        return [kind(oid), labels(oid), range(oid), domain(oid), RelationFacts.columns(relation)]
            .joined(separator: "\nUNION ALL\n")
    }

    private static func kind(_ oid: String) -> String {
        """
        SELECT 0, 'property', 'kind', CASE t.typtype WHEN 'e' THEN 'enumeration' WHEN 'r' THEN 'range' WHEN 'd' THEN 'domain'
                   WHEN 'm' THEN 'multirange' WHEN 'b' THEN 'base type' WHEN 'p' THEN 'pseudo-type'
                   ELSE CASE (SELECT c.relkind FROM pg_catalog.pg_class AS c WHERE c.oid = t.typrelid)
                        WHEN 'c' THEN 'composite type' ELSE 'row type of a relation' END END, NULL
          FROM pg_catalog.pg_type AS t WHERE t.oid = \(oid)
        """
    }

    private static func labels(_ oid: String) -> String {
        """
        SELECT pg_catalog.row_number() OVER (ORDER BY e.enumsortorder), 'label', e.enumlabel, e.enumlabel, NULL
          FROM pg_catalog.pg_enum AS e WHERE e.enumtypid = \(oid)
        """
    }

    private static func range(_ oid: String) -> String {
        let columns = [
            ("subtype", "pg_catalog.format_type(r.rngsubtype, NULL)"),
            (
                "operator class",
                """
                (SELECT pg_catalog.concat_ws('.', n.nspname, o.opcname) FROM pg_catalog.pg_opclass AS o
                   JOIN pg_catalog.pg_namespace AS n ON n.oid = o.opcnamespace WHERE o.oid = r.rngsubopc)
                """
            ),
            ("collation", collation("r.rngcollation")),
            ("canonical function", "NULLIF(r.rngcanonical, 0)::pg_catalog.regproc::pg_catalog.text"),
            ("difference function", "NULLIF(r.rngsubdiff, 0)::pg_catalog.regproc::pg_catalog.text"),
            // By way of JSON, because the column is younger than PostgreSQL 13.
            (
                "multirange",
                "(pg_catalog.to_jsonb(r) ->> 'rngmultitypid')::pg_catalog.oid::pg_catalog.regtype::pg_catalog.text"
            ),
        ]
        return columns.enumerated().map { number, column in
            """
            SELECT \(10 + number), 'property', '\(column.0)', f.text, NULL
              FROM pg_catalog.pg_range AS r, LATERAL (SELECT \(column.1)) AS f(text)
             WHERE r.rngtypid = \(oid) AND f.text IS NOT NULL
            """
        }.joined(separator: "\nUNION ALL\n")
    }

    private static func collation(_ oid: String) -> String {
        """
        (SELECT pg_catalog.format('%I.%I', n.nspname, c.collname) FROM pg_catalog.pg_collation AS c
           JOIN pg_catalog.pg_namespace AS n ON n.oid = c.collnamespace WHERE c.oid = \(oid))
        """
    }

    private static func domain(_ oid: String) -> String {
        """
        SELECT 20, 'property', 'base type', pg_catalog.format_type(t.typbasetype, t.typtypmod), NULL
          FROM pg_catalog.pg_type AS t WHERE t.oid = \(oid) AND t.typtype = 'd'
        UNION ALL
        SELECT 21, 'property', 'not null', t.typnotnull::pg_catalog.text, NULL
          FROM pg_catalog.pg_type AS t WHERE t.oid = \(oid) AND t.typtype = 'd'
        UNION ALL
        SELECT 22, 'property', 'default', pg_catalog.pg_get_expr(t.typdefaultbin, 0), NULL
          FROM pg_catalog.pg_type AS t WHERE t.oid = \(oid) AND t.typtype = 'd' AND t.typdefaultbin IS NOT NULL
        UNION ALL
        SELECT 23, 'property', 'collation', \(collation("t.typcollation")), NULL
          FROM pg_catalog.pg_type AS t JOIN pg_catalog.pg_type AS b ON b.oid = t.typbasetype
         WHERE t.oid = \(oid) AND t.typtype = 'd' AND t.typcollation <> b.typcollation
        UNION ALL
        SELECT 24, 'constraint', k.conname, pg_catalog.pg_get_constraintdef(k.oid), NULL
          FROM pg_catalog.pg_constraint AS k WHERE k.contypid = \(oid) AND k.contype = 'c'
        """
    }
}
