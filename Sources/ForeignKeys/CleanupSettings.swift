internal import Reporting

/// The settings under which rows are found and kept, and the way back to the file's own.
public enum CleanupSettings {
    /// `row_security = off` makes a query fail that a policy would hide rows from (manual, "row_security"). The others make a value's text
    /// exact and the same for every session that may read it back.
    static let values: [(name: String, value: String)] = [("row_security", "off")] + PinnedSettings.text

    /// With `replica` no key would act on anything. Only who may set that back can have set it, and nobody else may set it at all.
    private static let role = "session_replication_role"

    /// Sets them until the transaction's end.
    public static var set: String {
        """
        \(sql(values)), CASE pg_catalog.current_setting('\(role)') WHEN 'replica' \
        THEN pg_catalog.set_config('\(role)', 'origin', true) END
        """
    }

    /// Sets what `settings` says.
    static func restore(_ settings: [String: String]) -> String {
        let replication = settings[role] == "replica" ? [(name: role, value: "replica")] : []
        return sql(values.map { ($0.name, settings[$0.name] ?? $0.value) } + replication)
    }

    /// The names of all settings that are changed.
    static var names: [String] { values.map(\.name) + [role] }

    /// All of them as they are now, as one jsonb value.
    static var current: String {
        let members = names.map { "'\($0)', pg_catalog.current_setting('\($0)')" }
        return "pg_catalog.jsonb_build_object(\(members.joined(separator: ", ")))"
    }

    private static func sql(_ values: [(name: String, value: String)]) -> String {
        "SELECT "
            + values.map { "pg_catalog.set_config('\($0.name)', \(Quoting.literal($0.value)), true)" }.joined(
                separator: ", ")
    }
}
