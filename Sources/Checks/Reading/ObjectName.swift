internal import SQLParsing

/// A name as a statement writes it, with its schema where it gives one.
struct ObjectName: Hashable {
    var schema: String?
    var name: String

    init(schema: String? = nil, name: String) {
        self.schema = schema
        self.name = name
    }

    /// From the parts of a dotted name; nil for none.
    init?(parts: [String]) {
        guard let name = parts.last else { return nil }
        self.init(schema: parts.dropLast().last, name: name)
    }

    /// From a RangeVar.
    init?(relation: TreeNode?) {
        guard let relation, let name = relation.text("relname") else { return nil }
        self.init(schema: relation.text("schemaname"), name: name)
    }

    /// As a person would write it.
    var text: String { schema.map { "\($0).\(name)" } ?? name }
}
