internal import AuditSchema
internal import Postgres
internal import Reporting

extension HistoryReader {
    /// What the history's schema is made of, one line each, in the words of the catalog: relations, columns, constraints, indexes, triggers,
    /// the text of views, and how functions are called and run, without their text. The schema is left out of names, so that a history under another
    /// name has the same lines.
    ///
    /// `AuditSchema.shape` has those of a new history.
    func shape() throws(PostgresError) -> [String] {
        // What is on the path is written without its schema. So is what others have put there: every function is called by its own.
        try connection.run("SET LOCAL search_path TO pg_catalog, \(quoted), pg_temp")
        let found = try connection.query(
            """
            WITH r AS (
                SELECT c.oid, c.relname::text AS name, c.relkind, c.relrowsecurity, c.relpersistence, c.relispartition
                  FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
                 WHERE n.nspname = $1::pg_catalog.name AND c.relkind NOT IN ('i', 'I', 'S', 'c', 't')),
            l (line) AS (
                SELECT pg_catalog.format('relation %s kind %s persistence %s', r.name, r.relkind, r.relpersistence) FROM r
                UNION ALL
                SELECT pg_catalog.format('column %s.%s %s%s%s%s', r.name, a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod),
                              CASE WHEN a.attnotnull THEN ' not null' END,
                              CASE WHEN a.attidentity <> '' THEN ' identity ' || a.attidentity::text END,
                              ' default ' || pg_catalog.pg_get_expr(d.adbin, d.adrelid))
                  FROM r JOIN pg_catalog.pg_attribute AS a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
                  LEFT JOIN pg_catalog.pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
                UNION ALL
                SELECT pg_catalog.format('constraint %s.%s %s', r.name, k.conname, pg_catalog.pg_get_constraintdef(k.oid))
                  FROM r JOIN pg_catalog.pg_constraint AS k ON k.conrelid = r.oid AND k.contype IN ('c', 'p', 'u', 'x', 'f')
                UNION ALL
                SELECT pg_catalog.format('index %s.%s %s%s', r.name, x.relname, pg_catalog.pg_get_indexdef(i.indexrelid, 0, true), CASE WHEN NOT i.indisvalid THEN ' invalid' END)
                  FROM r JOIN pg_catalog.pg_index AS i ON i.indrelid = r.oid JOIN pg_catalog.pg_class AS x ON x.oid = i.indexrelid
                UNION ALL
                SELECT pg_catalog.format('trigger %s.%s %s enabled %s', r.name, t.tgname, pg_catalog.pg_get_triggerdef(t.oid, true), t.tgenabled)
                  FROM r JOIN pg_catalog.pg_trigger AS t ON t.tgrelid = r.oid AND NOT t.tgisinternal
                UNION ALL
                SELECT pg_catalog.format('view %s %s', r.name, pg_catalog.pg_get_viewdef(r.oid)) FROM r WHERE r.relkind = 'v'
                UNION ALL
                SELECT pg_catalog.format('function %s of (%s) returns %s language %s kind %s volatile %s parallel %s%s%s%s%s set %s', p.proname,
                              pg_catalog.pg_get_function_arguments(p.oid), pg_catalog.pg_get_function_result(p.oid), g.lanname, p.prokind,
                              p.provolatile, p.proparallel, CASE WHEN p.proisstrict THEN ' strict' END, CASE WHEN p.prosecdef THEN ' definer' END,
                              CASE WHEN p.proleakproof THEN ' leakproof' END,
                              CASE WHEN p.prosupport <> 0 THEN ' support ' || p.prosupport::pg_catalog.regproc::text END,
                              (SELECT pg_catalog.string_agg(s.setting, '; ' ORDER BY s.setting COLLATE pg_catalog."C")
                                 FROM pg_catalog.unnest(p.proconfig) AS s(setting)))
                  FROM pg_catalog.pg_proc AS p JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
                  JOIN pg_catalog.pg_language AS g ON g.oid = p.prolang
                 WHERE n.nspname = $1::pg_catalog.name)
            SELECT pg_catalog.regexp_replace(line, '\\s+', ' ', 'g') FROM l ORDER BY line COLLATE pg_catalog."C"
            """, [.text(schema)])
        try connection.run("SET LOCAL search_path TO pg_catalog, pg_temp")
        return found.rows.indices.compactMap { found.text($0, 0) }
    }

    /// How the schema differs from that of a new history, one clause each. Relations that others have put beside ours are `intruders`.
    ///
    /// Only for a schema of this program's own version: the lines of older ones are not kept. The text of views is PostgreSQL's own, and a major
    /// version that is not known here may put it in other words: see `uncomparedViews`.
    func shapeDeviations() throws(PostgresError) -> [String] {
        let isKnown = uncomparedViews == nil
        func parts(_ lines: [String]) -> [Substring: String] {
            let compared = lines.filter { isKnown || !$0.hasPrefix("view ") }
            return Dictionary(compared.map { (HistoryReader.part(of: $0), $0) }) { $0 + "; " + $1 }
        }
        var shipped = parts(AuditSchema.shape(server: major))
        let all = parts(try shape())
        // Functions that are not there, and those of others, are told with the functions' text.
        shipped = shipped.filter { part, _ in !part.hasPrefix(HistoryReader.function) || all[part] != nil }
        let found = all.filter { part, _ in
            if part.hasPrefix(HistoryReader.function) { return shipped[part] != nil }
            let owner = part.drop { $0 != " " }.dropFirst().prefix { $0 != "." }
            return HistoryReader.relations.contains(String(owner))
        }
        return Set(shipped.keys).union(found.keys).sorted().compactMap { part in
            switch (shipped[part], found[part]) {
            case (let wanted, let present) where wanted?.exact == present?.exact: nil
            case (_, nil): "\(part) \(HistoryReader.missing)"
            case (nil, _): "\(part) is not of this program"
            default: "\(part) is another than this program's"
            }
        }
    }

    private var major: Int { connection.serverVersion / 10_000 }

    /// What it means that this server's words for the history's views are not known; nil where they are.
    var uncomparedViews: String? {
        guard !AuditSchema.shapeServers.contains(major) else { return nil }
        return
            "the views of the history were not compared: this program does not know how PostgreSQL \(major) writes them"
    }

    private static let function = "function "

    /// The end of a clause about a part that is not there.
    static let missing = "is not there"

    /// What a line is about: `column audit_head.seq`.
    private static func part(of line: String) -> Substring {
        guard let kind = line.firstIndex(of: " ") else { return line[...] }
        return line[..<(line[line.index(after: kind)...].firstIndex(of: " ") ?? line.endIndex)]
    }
}
