internal import ForeignKeys
internal import Reporting
internal import SQLParsing

/// ALTER TYPE … ADD VALUE: the value is there, on the stated side of its neighbour. Others may stand between them.
struct EnumValueReplay: ReplaySubject {
    let word = "value"
    private let type: TableName
    private let value: String
    private let neighbour: (value: String, isBefore: Bool)?

    init?(_ node: TreeNode) {
        guard !node.has("oldVal"), let value = node.text("newVal"),
            let type = TableName(parts: node.strings("typeName"))
        else { return nil }
        self.type = type
        self.value = value
        // BEFORE the neighbour unless the tree says "after".
        neighbour = node.text("newValNeighbor").map { ($0, !node.flag("newValIsAfter")) }
    }

    var names: [ObjectNames] { [ObjectNames(type.name, value)] }
    var lookup: Lookup { .type(type) }

    var standing: String {
        """
        SELECT pg_catalog.quote_ident(n.nspname), pg_catalog.concat_ws('.', n.nspname, t.typname, e.enumlabel), t.oid
          FROM pg_catalog.pg_enum AS e JOIN pg_catalog.pg_type AS t ON t.oid = e.enumtypid
          JOIN pg_catalog.pg_namespace AS n ON n.oid = t.typnamespace
         WHERE t.oid = \(Lookup.found) AND e.enumlabel = \(Quoting.literal(value))
        """
    }

    func keepsName(_ standing: Standing) -> String {
        TypeFacts.isNamed(standing.oid, String(standing.object.unicodeScalars.dropLast(value.unicodeScalars.count + 1)))
    }

    func fileFacts(_ standing: Standing, in scratch: Scratch) -> String {
        let place = neighbour.map { "\($0.isBefore ? "before" : "after") \($0.value)" } ?? "anywhere"
        return "SELECT 1, 'property', 'its place', \(Quoting.literal(place)), NULL::pg_catalog.text"
    }

    func databaseFacts(_ standing: Standing, in scratch: Scratch) -> String {
        guard let neighbour else {
            return """
                SELECT 1, 'property', 'its place', 'anywhere', NULL::pg_catalog.text FROM pg_catalog.pg_enum AS e
                 WHERE e.enumtypid = \(standing.oid) AND e.enumlabel = \(Quoting.literal(value))
                """
        }
        let other = Quoting.literal(neighbour.value)
        return """
            SELECT 1, 'property', 'its place', coalesce((
                   SELECT CASE WHEN e.enumsortorder < o.enumsortorder THEN 'before ' ELSE 'after ' END || o.enumlabel
                     FROM pg_catalog.pg_enum AS e, pg_catalog.pg_enum AS o
                    WHERE e.enumtypid = \(standing.oid) AND e.enumlabel = \(Quoting.literal(value))
                      AND o.enumtypid = e.enumtypid AND o.enumlabel = \(other)),
                   'there is no ' || \(other)), NULL::pg_catalog.text
            """
    }
}
