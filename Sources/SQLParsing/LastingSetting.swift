public import JSON

/// A setting that a statement gives to later sessions: of a role, a database or the whole server (PostgreSQL manual, ALTER ROLE, ALTER
/// DATABASE, ALTER SYSTEM).
public struct LastingSetting: Sendable, Equatable {
    /// The statement, from 0.
    public var statement: Int
    /// The setting's name; nil where all are reset.
    public var name: String?
    /// Whose: `role 'app' in database 'd'`, `every role`, `database 'd'`, `the server`.
    public var owner: String
    /// Whether it is taken back rather than set.
    public var isReset: Bool

    /// `sets 'search_path' of database 'd'`. Never the value, which may be a secret.
    public var words: String {
        "\(isReset ? "resets" : "sets") \(name.map { "'\($0)'" } ?? "every setting") of \(owner)"
    }

    /// For an event's detail.
    public var json: JSONValue {
        [
            "setting": JSONValue(name), "of": .string(owner), "statement": .integer(Int64(statement + 1)),
            "reset": .bool(isReset),
        ]
    }

    /// Whether it changes what the statements of later migrations do, or how long they may take, rather than how fast they are.
    public var changesMeaning: Bool {
        guard let name = name?.lowercased() else { return true }
        return LastingSetting.meaningful.contains(name) || name.hasPrefix("default_transaction_")
    }

    /// The statements that give one.
    static let nodes: Set<String> = ["AlterRoleSetStmt", "AlterDatabaseSetStmt", "AlterSystemStmt"]

    private static let meaningful: Set<String> = [
        "backslash_quote", "bytea_output", "check_function_bodies", "client_encoding", "client_min_messages",
        "datestyle", "default_table_access_method",
        "default_tablespace", "default_toast_compression", "event_triggers", "extra_float_digits",
        "idle_in_transaction_session_timeout", "intervalstyle",
        "lc_messages", "lc_monetary", "lc_numeric", "lc_time", "lo_compat_privileges", "local_preload_libraries",
        "lock_timeout",
        "quote_all_identifiers", "role", "row_security", "search_path", "session_preload_libraries",
        "session_replication_role",
        "shared_preload_libraries", "standard_conforming_strings", "statement_timeout", "synchronous_commit",
        "temp_tablespaces", "timezone",
        "transaction_timeout", "xmloption",
    ]
}

extension Script {
    /// The settings that its statements give to later sessions, as far as the grammar reads it; what a DO block or a function does is not
    /// among them.
    public var lastingSettings: [LastingSetting] {
        statements.indices.compactMap { index in
            guard LastingSetting.nodes.contains(statements[index].node) else { return nil }
            return root(index).flatMap { lastingSetting(index, $0) }
        }
    }

    private func lastingSetting(_ index: Int, _ root: TreeNode) -> LastingSetting? {
        let owner: String
        switch statements[index].node {
        case "AlterRoleSetStmt":
            let database = root.text("database").map { " in database '\($0)'" } ?? ""
            owner = (root.field("role").map(Self.role) ?? "every role") + database
        case "AlterDatabaseSetStmt": owner = "database '\(root.text("dbname") ?? "")'"
        case "AlterSystemStmt": owner = "the server"
        default: return nil
        }
        let set = root.field("setstmt")
        return LastingSetting(
            statement: index, name: set?.text("name"), owner: owner,
            isReset: ["VAR_RESET", "VAR_RESET_ALL", "VAR_SET_DEFAULT"].contains(set?.text("kind") ?? ""))
    }

    private static func role(_ role: TreeNode) -> String {
        switch role.text("roletype") {
        case "ROLESPEC_CURRENT_USER", "ROLESPEC_CURRENT_ROLE": "the file's own login"
        case "ROLESPEC_SESSION_USER": "the session's login"
        default: "role '\(role.text("rolename") ?? "")'"
        }
    }
}
