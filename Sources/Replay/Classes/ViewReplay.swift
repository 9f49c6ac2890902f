internal import ForeignKeys
internal import Reporting
internal import SQLParsing

/// CREATE VIEW and CREATE MATERIALIZED VIEW; the latter is built without its rows.
struct ViewReplay: ReplaySubject {
    let word: String
    private let name: TableName
    private let text: StatementText
    private let suffix: String

    init?(_ node: TreeNode, _ script: Script, _ text: [UInt8], _ statement: Int) {
        let isMaterialized = script.statements[statement].node == "CreateTableAsStmt"
        guard !isMaterialized || node.text("objtype") == "OBJECT_MATVIEW",
            let relation = isMaterialized ? node.field("into")?.field("rel") : node.field("view"),
            let name = TableName(relation: relation), relation.text("relpersistence") != "t",
            let at = relation.location,
            let place = script.nameRange(at: at, name: name.name, in: statement)
        else { return nil }
        word = isMaterialized ? "materialized view" : "view"
        self.name = name
        var edited = StatementText(text, script.statements[statement].range)
        edited.move(place, name.name)
        if isMaterialized {
            let last = script.lastWords(3, of: statement)
            let isWithData = last.count > 1 && last[0].word == "data" && last[1].word == "with"
            let isWithNoData = last.map(\.word) == ["data", "no", "with"]
            if isWithData { edited.replace(last[1].range.lowerBound..<last[0].range.upperBound, with: "") }
            suffix = isWithNoData ? "" : " WITH NO DATA"
        } else {
            suffix = ""
        }
        self.text = edited
    }

    var names: [ObjectNames] { [ObjectNames(name.name)] }

    var standing: String {
        """
        SELECT pg_catalog.quote_ident(n.nspname), pg_catalog.concat_ws('.', n.nspname, c.relname), c.oid
          FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
         WHERE n.nspname = \(Lookup.schema(name.schema)) AND c.relname = \(Quoting.literal(name.name))
        """
    }

    func build(_ standing: Standing, in scratch: inout Scratch) -> [String] {
        scratch.stands(for: standing.schema)
        return [text.sql(in: scratch) + suffix]
    }

    private func facts(_ oid: String) -> String {
        """
        \(RelationFacts.kind(oid))
        UNION ALL
        SELECT 1, 'property', 'definition', pg_catalog.pg_get_viewdef(c.oid), NULL
          FROM pg_catalog.pg_class AS c WHERE c.oid = \(oid) AND c.relkind IN ('v', 'm')
        UNION ALL \(RelationFacts.options(oid))
        """
    }

    /// What only the database can have otherwise: options that the file does not give change what a view shows, and a materialized view may hold nothing.
    private func further(_ oid: String) -> String {
        """
        UNION ALL
        SELECT 8, 'property', 'options', pg_catalog.string_agg(pg_catalog.split_part(s.setting, '=', 1), ', ' ORDER BY s.setting), NULL
          FROM pg_catalog.pg_class AS c, pg_catalog.unnest(c.reloptions) AS s(setting) WHERE c.oid = \(oid) AND c.relkind = 'v'
         HAVING pg_catalog.count(*) > 0
        """
    }

    /// Where nothing is put behind it, it is a plain view, or holds nothing by what the file says.
    private func unpopulated(_ oid: String) -> String {
        suffix.isEmpty
            ? ""
            : """
             UNION ALL SELECT 9, 'property', 'rows', 'none yet (WITH NO DATA)', NULL
              FROM pg_catalog.pg_class AS c WHERE c.oid = \(oid) AND c.relkind = 'm' AND NOT c.relispopulated
            """
    }

    func fileFacts(_ standing: Standing, in scratch: Scratch) -> String {
        let oid = RelationFacts.oid(Quoting.literal(scratch.name), Quoting.literal(name.name))
        return "\(facts(oid)) \(further(oid))"
    }

    func keepsName(_ standing: Standing) -> String { RelationFacts.isNamed(standing.oid, standing.object) }

    func databaseFacts(_ standing: Standing, in scratch: Scratch) -> String {
        "\(facts(standing.oid)) \(further(standing.oid)) \(unpopulated(standing.oid))"
    }
}
