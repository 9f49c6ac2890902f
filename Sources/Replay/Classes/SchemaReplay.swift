internal import ForeignKeys
internal import Reporting
internal import SQLParsing

/// CREATE SCHEMA, with its owner where the statement gives one. One that makes objects along with the schema is left to the server.
struct SchemaReplay: ReplaySubject {
    let word = "schema"
    private let name: String
    /// The role, as SQL of type text.
    private let owner: String?

    init?(_ node: TreeNode) {
        let role = node.field("authrole")
        guard node.nodes("schemaElts").isEmpty,
            let name = node.text("schemaname") ?? role?.text("rolename")
        else { return nil }
        self.name = name
        switch role?.text("roletype") {
        case "ROLESPEC_CSTRING": owner = role?.text("rolename").map(Quoting.literal)
        case "ROLESPEC_SESSION_USER": owner = "SESSION_USER::pg_catalog.text"
        case nil: owner = nil
        default: owner = "CURRENT_USER::pg_catalog.text"
        }
    }

    var names: [ObjectNames] { [ObjectNames(name)] }

    var standing: String {
        """
        SELECT pg_catalog.quote_ident(n.nspname), n.nspname, n.oid FROM pg_catalog.pg_namespace AS n
         WHERE n.nspname = \(Quoting.literal(name))
        """
    }

    private func facts(_ owner: String, _ source: String = "") -> String {
        let kind = "SELECT 1, 'property', 'kind', 'schema', NULL::pg_catalog.text \(source)"
        return self.owner == nil ? kind : "\(kind) UNION ALL SELECT 2, 'property', 'owner', \(owner), NULL \(source)"
    }

    func keepsName(_ standing: Standing) -> String {
        "\(standing.oid) = (SELECT n.oid FROM pg_catalog.pg_namespace AS n WHERE n.nspname = \(Quoting.literal(name)))"
    }

    func fileFacts(_ standing: Standing, in scratch: Scratch) -> String { facts(owner ?? "NULL") }

    func databaseFacts(_ standing: Standing, in scratch: Scratch) -> String {
        facts(
            "pg_catalog.pg_get_userbyid(n.nspowner)::pg_catalog.text",
            "FROM pg_catalog.pg_namespace AS n WHERE n.oid = \(standing.oid)")
    }
}
