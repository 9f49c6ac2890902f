internal import ForeignKeys
internal import Reporting
internal import SQLParsing

/// CREATE INDEX, also CONCURRENTLY: built on an empty copy of the table.
struct IndexReplay: ReplaySubject {
    let word = "index"
    private let name: String?
    /// The constraint that a later statement of the file makes of it: the index goes by its name then.
    private let constraint: String?
    private let copy: Copy
    let takesRow: Bool
    private let text: StatementText
    let columns: [String]
    /// Whether it is to be on the partitioned table alone.
    private let isOnly: Bool

    init?(_ node: TreeNode, _ script: Script, _ text: [UInt8], _ statement: Int) {
        guard let copy = Copy(node.field("relation"), script, statement) else {
            return nil
        }
        let index = node.text("idxname")
        name = index
        constraint = index.flatMap { script.constraint(using: $0, of: copy.table, behind: statement) }
        columns =
            (node.list("indexParams", of: "IndexElem") + node.list("indexIncludingParams", of: "IndexElem"))
            .compactMap { $0.text("name") } + node.descendants(with: "fields").compactMap { $0.strings("fields").last }
        isOnly = node.field("relation")?.flag("inh") == false
        self.copy = copy
        takesRow = node.mayTakeRow(of: copy.table)
        var edited = StatementText(text, script.statements[statement].range)
        edited.moveColumns(of: copy.table, in: node, script, statement)
        edited.move(copy.place, copy.table.name)
        if node.flag("concurrent"), let word = script.range(ofWord: ["concurrently"], in: statement) {
            edited.replace(word, with: "")
        }
        self.text = edited
    }

    var names: [ObjectNames] { [ObjectNames(name ?? "", nil), ObjectNames(copy.table.name)] }
    var lookup: Lookup { copy.lookup }
    var copied: TableName? { copy.table }
    var isNameless: Bool { name == nil }

    var standing: String {
        guard let name else {
            return Copy.standing(
                object: Copy.part("NULL"), from: "WHERE c.oid = \(Lookup.found) AND c.relhasindex")
        }
        let names = [name, constraint].compactMap(\.self)
        return Copy.standing(
            object: "pg_catalog.concat_ws('.', n.nspname, x.relname)", extra: ["x.oid", Self.invalid],
            from: """
                JOIN pg_catalog.pg_class AS x ON x.relnamespace = n.oid AND x.relname IN (\(names.map(Quoting.literal).joined(separator: ", ")))
                LEFT JOIN pg_catalog.pg_index AS i ON i.indexrelid = x.oid
                WHERE c.oid = \(Lookup.found) ORDER BY x.relname <> \(Quoting.literal(name)) LIMIT 1
                """)
    }

    /// The name of an index that is not valid and that nobody is building.
    private static let invalid = """
        CASE WHEN NOT i.indisvalid AND x.relkind = 'i' AND NOT \(IndexBuild.isRunning("x.oid", on: "i.indrelid"))
            THEN pg_catalog.format('%I.%I', n.nspname, x.relname) END
        """

    func build(_ standing: Standing, in scratch: inout Scratch) -> [String] {
        copy.build(standing, in: &scratch) + [text.sql(in: scratch)]
    }

    /// What is said of the indexes `x` for which the condition holds.
    private static func facts(_ condition: String) -> String {
        """
        SELECT 1, 'property', 'kind', \(RelationFacts.kindWord("x.relkind")), NULL
          FROM pg_catalog.pg_class AS x LEFT JOIN pg_catalog.pg_index AS i ON i.indexrelid = x.oid WHERE \(condition)
        UNION ALL
        SELECT 2, 'property', 'table', i.indrelid::pg_catalog.regclass::pg_catalog.text, NULL
          FROM pg_catalog.pg_class AS x JOIN pg_catalog.pg_index AS i ON i.indexrelid = x.oid WHERE \(condition)
        UNION ALL \(definitions(condition, name: "'definition'"))
        """
    }

    private static func definitions(_ condition: String, name: String) -> String {
        """
        SELECT 3, 'property', \(name), CASE WHEN i.indisunique THEN 'UNIQUE ' ELSE '' END || pg_catalog.substr(
                   pg_catalog.pg_get_indexdef(x.oid), pg_catalog.strpos(pg_catalog.pg_get_indexdef(x.oid), ' USING ') + 1)
               || CASE WHEN i.indimmediate THEN '' ELSE ' DEFERRABLE' END
               || coalesce(' TABLESPACE ' || (SELECT s.spcname FROM pg_catalog.pg_tablespace AS s WHERE s.oid = x.reltablespace), ''), NULL
          FROM pg_catalog.pg_class AS x JOIN pg_catalog.pg_index AS i ON i.indexrelid = x.oid
          JOIN pg_catalog.pg_namespace AS n ON n.oid = x.relnamespace WHERE \(condition)
        """
    }

    /// All valid indexes of a table, under their own names: any of them may be the one without a name.
    private static func all(of table: String) -> String {
        definitions("i.indrelid = \(table) AND i.indisvalid", name: "pg_catalog.concat_ws('.', n.nspname, x.relname)")
    }

    func fileFacts(_ standing: Standing, in scratch: Scratch) -> String {
        let table = copy.oid(in: scratch)
        return isNameless ? Self.all(of: table) : Self.facts("i.indrelid = \(table)")
    }

    func databaseFacts(_ standing: Standing, in scratch: Scratch) -> String {
        guard !isNameless, standing.extra.count > 2, let index = standing.extra[2] else {
            return Self.all(of: standing.oid)
        }
        // An index on a partitioned table that not all partitions have is not valid, and enforces nothing on the others.
        let partial =
            isOnly
            ? ""
            : """
             UNION ALL SELECT 4, 'property', 'partitions', 'not all have it', NULL
              FROM pg_catalog.pg_class AS x JOIN pg_catalog.pg_index AS i ON i.indexrelid = x.oid
             WHERE x.oid = \(index) AND x.relkind = 'I' AND NOT i.indisvalid
            """
        return Self.facts("x.oid = \(index)") + partial
    }

    func keepsName(_ standing: Standing) -> String {
        guard let table = standing.extra.first.flatMap(\.self) else { return "true" }
        let isTable = "\(standing.oid)::pg_catalog.regclass::pg_catalog.text = \(Quoting.literal(table))"
        guard !isNameless, standing.extra.count > 2, let index = standing.extra[2] else { return isTable }
        return "\(isTable) AND \(RelationFacts.isNamed(index, standing.object))"
    }

    func lastingFacts(_ standing: Standing) -> String {
        let facts = databaseFacts(standing, in: Scratch(token: ""))
        guard !isNameless, standing.extra.count > 2, let index = standing.extra[2] else { return facts }
        return """
            \(facts) UNION ALL SELECT 5, 'property', 'state', 'not valid', NULL
              FROM pg_catalog.pg_class AS x JOIN pg_catalog.pg_index AS i ON i.indexrelid = x.oid
             WHERE x.oid = \(index) AND x.relkind = 'i' AND NOT (i.indisvalid AND i.indisready)
            """
    }

    func invalidIndex(_ standing: Standing) -> String? { standing.extra.count > 3 ? standing.extra[3] : nil }
}

extension Script {
    /// The constraint that ADD CONSTRAINT … USING INDEX makes of an index later in the file.
    fileprivate func constraint(using index: String, of table: TableName, behind statement: Int) -> String? {
        for later in statements.indices.dropFirst(statement + 1) where statements[later].node == "AlterTableStmt" {
            guard let node = root(later), node.field("relation").flatMap({ TableName(relation: $0) }) == table else {
                continue
            }
            for made in node.list("cmds", of: "AlterTableCmd").compactMap({ $0.node("def")?.fields })
            where made.text("indexname")?.exact == index.exact {
                return made.text("conname")
            }
        }
        return nil
    }
}
