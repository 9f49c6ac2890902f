internal import ForeignKeys
internal import Reporting
internal import SQLParsing

/// CREATE POLICY: built on an empty copy of its table.
struct PolicyReplay: ReplaySubject {
    let word = "policy"
    private let name: String
    private let copy: Copy
    let takesRow: Bool
    private let text: StatementText

    init?(_ node: TreeNode, _ script: Script, _ text: [UInt8], _ statement: Int) {
        guard let name = node.text("policy_name"), let copy = Copy(node.field("table"), script, statement) else {
            return nil
        }
        self.name = name
        self.copy = copy
        takesRow = node.mayTakeRow(of: copy.table)
        var edited = StatementText(text, script.statements[statement].range)
        edited.moveColumns(of: copy.table, in: node, script, statement)
        edited.move(copy.place, copy.table.name)
        self.text = edited
    }

    var names: [ObjectNames] { [ObjectNames(copy.table.name, name)] }
    var lookup: Lookup { copy.lookup }
    var copied: TableName? { copy.table }

    var standing: String {
        Copy.standing(
            object: Copy.part("p.polname"),
            from: """
                JOIN pg_catalog.pg_policy AS p ON p.polrelid = c.oid AND p.polname = \(Quoting.literal(name))
                WHERE c.oid = \(Lookup.found)
                """)
    }

    func build(_ standing: Standing, in scratch: inout Scratch) -> [String] {
        copy.build(standing, in: &scratch) + [text.sql(in: scratch)]
    }

    private func facts(_ table: String) -> String {
        let columns = [
            ("kind", "CASE WHEN p.polpermissive THEN 'permissive' ELSE 'restrictive' END"),
            (
                "command",
                "CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE' ELSE 'ALL' END"
            ),
            (
                "roles",
                """
                (SELECT pg_catalog.string_agg(CASE WHEN r.oid = 0 THEN 'PUBLIC' ELSE r.oid::pg_catalog.regrole::pg_catalog.text END, ', '
                        ORDER BY r.oid::pg_catalog.regrole::pg_catalog.text) FROM pg_catalog.unnest(p.polroles) AS r(oid))
                """
            ),
            ("USING", "pg_catalog.pg_get_expr(p.polqual, p.polrelid)"),
            ("WITH CHECK", "pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid)"),
        ]
        return columns.enumerated().map { number, column in
            """
            SELECT \(number), 'property', '\(column.0)', f.text, NULL
              FROM pg_catalog.pg_policy AS p, LATERAL (SELECT \(column.1)) AS f(text)
             WHERE p.polrelid = \(table) AND p.polname = \(Quoting.literal(name)) AND f.text IS NOT NULL
            """
        }.joined(separator: "\nUNION ALL\n")
    }

    func fileFacts(_ standing: Standing, in scratch: Scratch) -> String { facts(copy.oid(in: scratch)) }

    func databaseFacts(_ standing: Standing, in scratch: Scratch) -> String { facts(standing.oid) }
}
