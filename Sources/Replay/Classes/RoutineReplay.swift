internal import ForeignKeys
internal import Reporting
internal import SQLParsing

/// CREATE FUNCTION and CREATE PROCEDURE. Which one stands is known only when the file's is built: the one with the same input types.
struct RoutineReplay: ReplaySubject {
    let word: String
    private let name: TableName
    private let text: StatementText

    init?(_ node: TreeNode, _ script: Script, _ text: [UInt8], _ statement: Int) {
        word = node.flag("is_procedure") ? "procedure" : "function"
        guard let name = TableName(parts: node.strings("funcname")),
            let place = script.nameRange(behind: [word], name: name.name, in: statement)
        else { return nil }
        self.name = name
        var edited = StatementText(text, script.statements[statement].range)
        edited.move(place, name.name)
        self.text = edited
    }

    var names: [ObjectNames] { [ObjectNames(name.name)] }

    var standing: String {
        """
        SELECT pg_catalog.quote_ident(n.nspname), pg_catalog.concat_ws('.', n.nspname, p.proname), n.oid
          FROM pg_catalog.pg_proc AS p JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
         WHERE n.nspname = \(Lookup.schema(name.schema)) AND p.proname = \(Quoting.literal(name.name)) LIMIT 1
        """
    }

    func build(_ standing: Standing, in scratch: inout Scratch) -> [String] {
        scratch.stands(for: standing.schema)
        return [text.sql(in: scratch)]
    }

    private func facts(_ condition: String) -> String {
        """
        SELECT 1, 'property', 'kind', CASE p.prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate' ELSE 'function' END, NULL
          FROM pg_catalog.pg_proc AS p WHERE \(condition)
        UNION ALL \(definition(condition))
        """
    }

    private func definition(_ condition: String) -> String {
        """
        SELECT 2, 'property', 'definition', pg_catalog.pg_get_functiondef(p.oid), NULL
          FROM pg_catalog.pg_proc AS p WHERE p.prokind <> 'a' AND \(condition)
        """
    }

    func fileFacts(_ standing: Standing, in scratch: Scratch) -> String {
        facts("p.pronamespace = \(Quoting.literal(scratch.name))::pg_catalog.regnamespace")
    }

    private func named(_ standing: Standing) -> String {
        "p.pronamespace = \(standing.oid) AND p.proname = \(Quoting.literal(name.name))"
    }

    func databaseFacts(_ standing: Standing, in scratch: Scratch) -> String {
        facts(
            """
            \(named(standing)) AND p.proargtypes = (
                SELECT b.proargtypes FROM pg_catalog.pg_proc AS b
                 WHERE b.pronamespace = \(Quoting.literal(scratch.name))::pg_catalog.regnamespace)
            """)
    }

    /// Those with other input types are among them; a definition says its own.
    func lastingFacts(_ standing: Standing) -> String {
        """
        SELECT 1, 'property', 'name', p.oid::pg_catalog.regprocedure::pg_catalog.text, NULL
          FROM pg_catalog.pg_proc AS p WHERE \(named(standing))
        UNION ALL \(definition(named(standing)))
        """
    }
    var isOneOfMany: Bool { true }
}
