internal import ForeignKeys
internal import JSON
internal import Reporting
internal import SQLParsing

/// CREATE TABLE, without its foreign keys.
///
/// A partition or a table that inherits is built under a copy of its parent, because the real one cannot take a second partition of the
/// same bounds and would be locked.
struct TableReplay: ReplaySubject {
    let word = "table"
    let name: TableName
    let namedConstraints: Set<String>
    /// Whether it takes what other tables have: LIKE … INCLUDING INDEXES.
    private let isLike: Bool
    private let parents: [TableName]
    private let text: StatementText
    private let placesOfParents: [Range<Int>]

    init?(_ node: TreeNode, _ script: Script, _ text: [UInt8], _ statement: Int) {
        guard let relation = node.field("relation"), let name = TableName(relation: relation),
            relation.text("relpersistence") != "t", let at = relation.location,
            let place = script.nameRange(at: at, name: name.name, in: statement)
        else { return nil }
        self.name = name
        namedConstraints = Set(node.descendants(with: "conname").compactMap { $0.text("conname") })
        isLike = !node.list("tableElts", of: "TableLikeClause").isEmpty
        var parents: [TableName] = []
        var places: [Range<Int>] = []
        for parent in node.list("inhRelations", of: "RangeVar") {
            guard let name = TableName(relation: parent), let at = parent.location,
                let place = script.nameRange(at: at, name: name.name, in: statement)
            else { return nil }
            parents.append(name)
            places.append(place)
        }
        self.parents = parents
        placesOfParents = places
        var edited = StatementText(text, script.statements[statement].range)
        edited.moveColumns(of: name, in: node, script, statement)
        edited.move(place, name.name)
        self.text = edited
    }

    var names: [ObjectNames] { [ObjectNames(name.name)] }
    var altered: (table: TableName, column: String?)? { (name, nil) }
    var lookup: Lookup { parents.isEmpty ? .nothing : .relations(parents) }

    var standing: String {
        """
        SELECT pg_catalog.quote_ident(n.nspname), pg_catalog.concat_ws('.', n.nspname, c.relname), c.oid,
               (SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_array(pg_catalog.quote_ident(p.relname), p.oid::pg_catalog.regclass,
                           ' (LIKE ' || p.oid::pg_catalog.regclass || ' INCLUDING ALL)'
                           || coalesce(' PARTITION BY ' || pg_catalog.pg_get_partkeydef(p.oid), '')) ORDER BY u.place)
                  FROM pg_catalog.unnest(\(Lookup.all)) WITH ORDINALITY AS u(oid, place)
                  JOIN pg_catalog.pg_class AS p ON p.oid = u.oid)
          FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
         WHERE n.nspname = \(Lookup.schema(name.schema)) AND c.relname = \(Quoting.literal(name.name))
        """
    }

    func build(_ standing: Standing, in scratch: inout Scratch) -> [String] {
        var steps: [String] = []
        var text = text
        let described = standing.extra.first?.flatMap { try? JSONTape(Array($0.utf8)) }
        let rows = described.map { $0.value($0.root) }?.array ?? []
        for (row, place) in zip(rows, placesOfParents) {
            guard let parts = row.array?.compactMap(\.string), parts.count == 3 else { continue }
            steps.append("CREATE TABLE \(scratch.name).\(parts[0])\(parts[2])")
            scratch.object(parts[0], standsFor: parts[1])
            text.replace(place, with: "\(scratch.name).\(parts[0])")
        }
        scratch.stands(for: standing.schema)
        return steps + [text.sql(in: scratch)]
    }

    private func facts(_ oid: String, constraints condition: String = "true") -> String {
        let facts = [
            RelationFacts.kind(oid), RelationFacts.partition(oid), RelationFacts.options(oid),
            RelationFacts.columns(oid),
            RelationFacts.constraints(oid, where: condition),
        ]
        let copied = isLike ? [RelationFacts.indexes(oid), RelationFacts.statistics(oid)] : []
        return (facts + copied).joined(separator: "\nUNION ALL\n")
    }

    func fileFacts(_ standing: Standing, in scratch: Scratch) -> String {
        // What comes from a parent is the parent's: the copy of it has it in another state.
        facts(
            RelationFacts.oid(Quoting.literal(scratch.name), Quoting.literal(name.name)), constraints: "k.conislocal")
    }

    func keepsName(_ standing: Standing) -> String { RelationFacts.isNamed(standing.oid, standing.object) }

    func databaseFacts(_ standing: Standing, in scratch: Scratch) -> String { facts(standing.oid) }
}

extension TableName {
    /// From a RangeVar.
    init?(relation: TreeNode) {
        guard let name = relation.text("relname") else { return nil }
        self.init(schema: relation.text("schemaname"), name)
    }

    /// From the parts of a dotted name.
    init?(parts: [String]) {
        guard let name = parts.last else { return nil }
        self.init(schema: parts.dropLast().last, name)
    }
}
