internal import Reporting

/// The settings under which rows are found and kept, and the way back to the file's own.
public enum CleanupSettings {
    /// `row_security = off` makes a query fail that a policy would hide rows from (manual, "row_security"). The others make a value's text
    /// exact and the same for every session that may read it back.
    static let values: [(name: String, value: String)] = [("row_security", "off")] + PinnedSettings.text

    /// Sets them until the transaction's end.
    public static var set: String { sql(values) }

    /// Sets what `settings` says.
    static func restore(_ settings: [String: String]) -> String {
        sql(values.map { ($0.name, settings[$0.name] ?? $0.value) })
    }

    private static func sql(_ values: [(name: String, value: String)]) -> String {
        "SELECT "
            + values.map { "pg_catalog.set_config('\($0.name)', \(Quoting.literal($0.value)), true)" }.joined(
                separator: ", ")
    }
}
