/// Queries for what the catalog says of sequences.
enum SequenceFacts {
    /// All parameters of a row of pg_sequence in one line.
    static func text(_ row: String) -> String {
        """
        pg_catalog.format('%s from %s by %s, %s to %s, cache %s%s', pg_catalog.format_type(\(row).seqtypid, NULL), \(row).seqstart, \
        \(row).seqincrement, \(row).seqmin, \(row).seqmax, \(row).seqcache, CASE WHEN \(row).seqcycle THEN ', cycle' ELSE '' END)
        """
    }

    /// The parameters one by one.
    static func parameters(_ oid: String) -> String {
        let columns = [
            ("data type", "pg_catalog.format_type(q.seqtypid, NULL)"), ("start", "q.seqstart"),
            ("increment", "q.seqincrement"), ("minimum", "q.seqmin"), ("maximum", "q.seqmax"), ("cache", "q.seqcache"),
            ("cycle", "q.seqcycle"),
        ]
        return columns.enumerated().map { number, column in
            """
            SELECT \(10 + number), 'property', '\(column.0)', (\(column.1))::pg_catalog.text, NULL
              FROM pg_catalog.pg_sequence AS q WHERE q.seqrelid = \(oid)
            """
        }.joined(separator: " UNION ALL ")
    }

    /// The column that a sequence belongs to.
    static func owner(_ oid: String) -> String {
        """
        SELECT 20, 'property', 'owned by', coalesce((
               SELECT pg_catalog.concat_ws('.', n.nspname, c.relname, a.attname)
                 FROM pg_catalog.pg_depend AS p JOIN pg_catalog.pg_class AS c ON c.oid = p.refobjid
                 JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
                 JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = p.refobjsubid
                WHERE p.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND p.objid = s.oid
                  AND p.refclassid = p.classid AND p.deptype IN ('a', 'i') LIMIT 1), 'none'), NULL
          FROM pg_catalog.pg_class AS s WHERE s.oid = \(oid)
        """
    }
}
