internal import ForeignKeys
internal import Reporting
internal import SQLParsing

/// CREATE EXTENSION: the version and the schema, where the statement gives them.
struct ExtensionReplay: ReplaySubject {
    let word = "extension"
    private let name: String
    private let wanted: [(name: String, text: String)]

    init?(_ node: TreeNode) {
        guard let name = node.text("extname") else { return nil }
        self.name = name
        let options = ["new_version": "version", "schema": "schema"]
        wanted = node.list("options", of: "DefElem").compactMap { option in
            guard let name = option.text("defname").flatMap({ options[$0] }) else { return nil }
            return option.node("arg")?.fields.text("sval").map { (name, $0) }
        }
    }

    var names: [ObjectNames] { [ObjectNames(name)] }

    var standing: String {
        """
        SELECT pg_catalog.quote_ident(n.nspname), e.extname, e.oid
          FROM pg_catalog.pg_extension AS e JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace
         WHERE e.extname = \(Quoting.literal(name))
        """
    }

    func fileFacts(_ standing: Standing, in scratch: Scratch) -> String {
        let facts = [("kind", "extension")] + wanted
        return facts.map { "SELECT 1, 'property', '\($0.0)', \(Quoting.literal($0.1)), NULL::pg_catalog.text" }
            .joined(separator: " UNION ALL ")
    }

    func databaseFacts(_ standing: Standing, in scratch: Scratch) -> String {
        let columns = ["version": "e.extversion", "schema": "n.nspname::pg_catalog.text"]
        return ([("kind", "'extension'")] + wanted.map { ($0.name, columns[$0.name] ?? "NULL") }).map { name, column in
            """
            SELECT 1, 'property', '\(name)', \(column), NULL::pg_catalog.text
              FROM pg_catalog.pg_extension AS e JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace
             WHERE e.oid = \(standing.oid)
            """
        }.joined(separator: " UNION ALL ")
    }
}
