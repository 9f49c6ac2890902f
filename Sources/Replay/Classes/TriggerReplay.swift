internal import ForeignKeys
internal import Reporting
internal import SQLParsing

/// CREATE TRIGGER: built on an empty copy of its table or view.
struct TriggerReplay: ReplaySubject {
    let word = "trigger"
    private let name: String
    private let copy: Copy
    let takesRow: Bool
    private let text: StatementText

    init?(_ node: TreeNode, _ script: Script, _ text: [UInt8], _ statement: Int) {
        guard let name = node.text("trigname"),
            let copy = Copy(node.field("relation"), script, statement)
        else { return nil }
        self.name = name
        self.copy = copy
        takesRow = node.mayTakeRow(of: copy.table)
        var edited = StatementText(text, script.statements[statement].range)
        edited.move(copy.place, copy.table.name)
        self.text = edited
    }

    var names: [ObjectNames] { [ObjectNames(copy.table.name, name)] }
    var lookup: Lookup { copy.lookup }
    var copied: TableName? { copy.table }

    var standing: String {
        Copy.standing(
            object: Copy.part("t.tgname"),
            from: """
                JOIN pg_catalog.pg_trigger AS t ON t.tgrelid = c.oid AND t.tgname = \(Quoting.literal(name)) AND NOT t.tgisinternal
                WHERE c.oid = \(Lookup.found)
                """)
    }

    func build(_ standing: Standing, in scratch: inout Scratch) -> [String] {
        copy.build(standing, in: &scratch) + [text.sql(in: scratch)]
    }

    private func facts(_ table: String) -> String {
        let source = """
            FROM pg_catalog.pg_trigger AS t WHERE t.tgrelid = \(table) AND t.tgname = \(Quoting.literal(name)) AND NOT t.tgisinternal
            """
        return """
            SELECT 1, 'property', 'definition', pg_catalog.pg_get_triggerdef(t.oid), NULL \(source)
            UNION ALL
            SELECT 2, 'property', 'firing', CASE t.tgenabled WHEN 'O' THEN 'enabled' WHEN 'D' THEN 'disabled'
                   WHEN 'R' THEN 'enabled on replicas' ELSE 'always enabled' END, NULL \(source)
            """
    }

    func fileFacts(_ standing: Standing, in scratch: Scratch) -> String { facts(copy.oid(in: scratch)) }

    func databaseFacts(_ standing: Standing, in scratch: Scratch) -> String { facts(standing.oid) }
}
