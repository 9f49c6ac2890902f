internal import SQLParsing

/// A type as a statement writes it, in one form: `varchar` and `character varying` are the same.
struct TypeText: Equatable {
    var name: String
    var schema: String?
    var modifiers: [Int]
    var isArray: Bool

    init?(_ node: TreeNode?) {
        guard let node else { return nil }
        let parts = node.strings("names")
        guard let name = parts.last else { return nil }
        self.name = name
        schema = parts.dropLast().last
        modifiers = node.list("typmods", of: "A_Const").compactMap { $0.field("ival").map { $0.integer("ival") ?? 0 } }
        isArray = !node.nodes("arrayBounds").isEmpty
    }

    /// A type that makes its own values from a sequence.
    var isSerial: Bool {
        ["serial", "bigserial", "smallserial", "serial2", "serial4", "serial8"].contains(name) && schema == nil
    }

    /// Whether a column of this type becomes `other` without its table being rewritten: what ATColumnChangeRequiresRewrite in
    /// PostgreSQL lets pass, as far as it can be told without a catalog.
    func becomesWithoutRewrite(_ other: TypeText) -> Bool {
        if self == other { return true }
        guard isArray == other.isArray, !isArray else { return false }
        switch (name, other.name) {
        case ("varchar", "text"), ("text", "varchar"), ("varchar", "varchar"):
            // No new limit, or a wider one than the old.
            guard let limit = other.modifiers.first else { return true }
            return name == "varchar" && (modifiers.first.map { $0 <= limit } ?? false)
        case ("numeric", "numeric"):
            guard other.modifiers.count == 2 else { return other.modifiers.isEmpty }
            return modifiers.count == 2 && modifiers[1] == other.modifiers[1] && modifiers[0] <= other.modifiers[0]
        case ("varbit", "varbit"), ("timestamp", "timestamp"), ("timestamptz", "timestamptz"), ("time", "time"),
            ("timetz", "timetz"), ("interval", "interval"):
            guard let precision = other.modifiers.first else { return true }
            return modifiers.first.map { $0 <= precision } ?? false
        case ("cidr", "inet"): return true
        default: return false
        }
    }
}
