internal import SQLParsing

/// Which default of a new column has to be computed for each row.
///
/// A default that is the same for all rows is kept in the catalog (manual, ALTER TABLE, "Notes"); a volatile one rewrites the table.
/// A function that is not known here passes: silence is the smaller fault.
enum Volatility {
    private static let volatile: Set<String> = [
        "random", "random_normal", "gen_random_uuid", "gen_random_bytes", "gen_salt", "uuidv4", "uuidv7",
        "uuid_generate_v1", "uuid_generate_v1mc", "uuid_generate_v4", "clock_timestamp", "timeofday", "nextval",
        "setval", "txid_current", "pg_current_xact_id",
    ]

    /// Whether the expression calls a function that gives each row another value.
    static func isVolatile(_ expression: TreeNode?) -> Bool {
        guard let expression else { return false }
        return expression.descendants(with: "funcname").contains { call in
            call.strings("funcname").last.map { volatile.contains($0) } ?? false
        }
    }
}
