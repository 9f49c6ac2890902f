internal import ForeignKeys
internal import Reporting
internal import SQLParsing

/// CREATE TYPE as an enumeration, a composite type or a range; CREATE DOMAIN.
struct TypeReplay: ReplaySubject {
    let word: String
    let namedConstraints: Set<String>
    private let name: TableName
    private let text: StatementText

    init?(_ node: TreeNode, _ script: Script, _ text: [UInt8], _ statement: Int) {
        let kind = script.statements[statement].node
        let written: TableName?
        switch kind {
        case "CompositeTypeStmt": written = node.field("typevar").flatMap { TableName(relation: $0) }
        case "CreateDomainStmt": written = TableName(parts: node.strings("domainname"))
        default: written = TableName(parts: node.strings("typeName"))
        }
        word = kind == "CreateDomainStmt" ? "domain" : "type"
        guard let name = written,
            let place = script.nameRange(behind: [word], name: name.name, in: statement)
        else { return nil }
        self.name = name
        namedConstraints = Set(node.descendants(with: "conname").compactMap { $0.text("conname") })
        var edited = StatementText(text, script.statements[statement].range)
        edited.move(place, name.name)
        // The multirange type is made along with a range.
        for option in node.list("params", of: "DefElem") where option.text("defname") == "multirange_type_name" {
            guard let type = option.node("arg"), type.type == "TypeName", let at = type.fields.location,
                let last = type.fields.strings("names").last,
                let place = script.nameRange(at: at, name: last, in: statement)
            else { return nil }
            edited.move(place, last)
        }
        self.text = edited
    }

    var names: [ObjectNames] { [ObjectNames(name.name)] }

    var standing: String {
        """
        SELECT pg_catalog.quote_ident(n.nspname), pg_catalog.concat_ws('.', n.nspname, t.typname), t.oid
          FROM pg_catalog.pg_type AS t JOIN pg_catalog.pg_namespace AS n ON n.oid = t.typnamespace
         WHERE n.nspname = \(Lookup.schema(name.schema)) AND t.typname = \(Quoting.literal(name.name))
        """
    }

    func build(_ standing: Standing, in scratch: inout Scratch) -> [String] {
        scratch.stands(for: standing.schema)
        return [text.sql(in: scratch)]
    }

    func fileFacts(_ standing: Standing, in scratch: Scratch) -> String {
        TypeFacts.all(TypeFacts.oid(Quoting.literal(scratch.name), Quoting.literal(name.name)))
    }

    func keepsName(_ standing: Standing) -> String { TypeFacts.isNamed(standing.oid, standing.object) }

    func databaseFacts(_ standing: Standing, in scratch: Scratch) -> String { TypeFacts.all(standing.oid) }
}
