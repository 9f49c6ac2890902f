internal import ForeignKeys
internal import Reporting
internal import SQLParsing

/// CREATE SEQUENCE. Its owner is compared by name, because a scratch sequence cannot belong to a real table.
struct SequenceReplay: ReplaySubject {
    let word = "sequence"
    private let name: TableName
    private let text: StatementText
    /// OWNED BY: the table and column; no table for NONE.
    private let owner: (table: TableName?, column: String)?

    init?(_ node: TreeNode, _ script: Script, _ text: [UInt8], _ statement: Int) {
        guard let relation = node.field("sequence"), let name = TableName(relation: relation),
            relation.text("relpersistence") != "t", let at = relation.location,
            let place = script.nameRange(at: at, name: name.name, in: statement)
        else { return nil }
        self.name = name
        var edited = StatementText(text, script.statements[statement].range)
        edited.move(place, name.name)
        if let option = node.list("options", of: "DefElem").last(where: { $0.text("defname") == "owned_by" }) {
            guard let parts = option.node("arg")?.fields.strings("items"), let column = parts.last,
                let at = option.location, let by = script.range(ofWord: ["by"], in: statement, from: at),
                let start = script.token(from: by.upperBound, in: statement),
                let named = script.nameRange(at: start.lowerBound, name: column, in: statement)
            else { return nil }
            owner = (TableName(parts: parts.dropLast()), column)
            edited.replace(at..<named.upperBound, with: " ")
        } else {
            owner = nil
        }
        self.text = edited
    }

    var names: [ObjectNames] { [ObjectNames(name.name)] }
    var lookup: Lookup { owner?.table.map { .relations([$0]) } ?? .nothing }

    var standing: String {
        """
        SELECT pg_catalog.quote_ident(n.nspname), pg_catalog.concat_ws('.', n.nspname, c.relname), c.oid,
               (SELECT pg_catalog.concat_ws('.', tn.nspname, t.relname) FROM pg_catalog.pg_class AS t
                  JOIN pg_catalog.pg_namespace AS tn ON tn.oid = t.relnamespace WHERE t.oid = \(Lookup.found))
          FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
         WHERE n.nspname = \(Lookup.schema(name.schema)) AND c.relname = \(Quoting.literal(name.name))
        """
    }

    func build(_ standing: Standing, in scratch: inout Scratch) -> [String] {
        scratch.stands(for: standing.schema)
        return [text.sql(in: scratch)]
    }

    func fileFacts(_ standing: Standing, in scratch: Scratch) -> String {
        let oid = RelationFacts.oid(Quoting.literal(scratch.name), Quoting.literal(name.name))
        var facts = [RelationFacts.kind(oid), SequenceFacts.parameters(oid)]
        if let owner {
            let table = owner.table.map { (standing.extra.first ?? nil) ?? $0.text }
            let said = table.map { "\($0).\(owner.column)" } ?? "none"
            facts.append("SELECT 20, 'property', 'owned by', \(Quoting.literal(said)), NULL")
        }
        return facts.joined(separator: " UNION ALL ")
    }

    func keepsName(_ standing: Standing) -> String { RelationFacts.isNamed(standing.oid, standing.object) }

    func databaseFacts(_ standing: Standing, in scratch: Scratch) -> String {
        let facts = [RelationFacts.kind(standing.oid), SequenceFacts.parameters(standing.oid)]
        return (facts + (owner == nil ? [] : [SequenceFacts.owner(standing.oid)])).joined(separator: " UNION ALL ")
    }
}
