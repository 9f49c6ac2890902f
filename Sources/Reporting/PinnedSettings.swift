/// The settings on which the meaning of our own statements, and the text of what they return, rests.
///
/// A database or a role can have its own value of each (ALTER DATABASE … SET, ALTER ROLE … SET), and a login that may set that must not be able to
/// change what the history seems to say. Both programs pin them in every session in which no file's text runs; our functions that print the
/// catalog pin `text` themselves (migrations/audit). A file runs with its role's own.
/// See PostgreSQL manual 20.11 "Client Connection Defaults" and 20.13 "Version and Platform Compatibility".
public enum PinnedSettings {
    /// What a name or a value looks like as text.
    public static let text: [(name: String, value: String)] = [
        ("quote_all_identifiers", "off"), ("standard_conforming_strings", "on"), ("timezone", "UTC"),
        ("datestyle", "ISO, YMD"), ("intervalstyle", "postgres"), ("extra_float_digits", "1"), ("bytea_output", "hex"),
        ("lc_monetary", "C"),
    ]

    /// What a statement means, and what a transaction that does not say so itself may do.
    static let meaning: [(name: String, value: String)] = [
        ("search_path", "pg_catalog, pg_temp"), ("transform_null_equals", "off"),
        ("array_nulls", "on"),
        ("xmloption", "content"), ("default_transaction_isolation", "read committed"),
        ("default_transaction_read_only", "off"), ("default_transaction_deferrable", "off"),
    ]

    /// The statements that pin all of them; `scope` is SET or SET LOCAL, and `clientEncoding` is the session's own (`Connection.clientEncoding`).
    public static func statements(scope: String, clientEncoding: String) -> String {
        (meaning + text + [("client_encoding", clientEncoding)]).map { "\(scope) \($0.name) = \(quoted($0))" }
            .joined(separator: "; ")
    }

    /// search_path is a list of names, which quotes would make one of.
    private static func quoted(_ setting: (name: String, value: String)) -> String {
        setting.name == "search_path" ? setting.value : "'\(setting.value)'"
    }
}
