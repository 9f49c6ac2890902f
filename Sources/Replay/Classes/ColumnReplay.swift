internal import ForeignKeys
internal import Reporting
internal import SQLParsing

/// ALTER TABLE … ADD COLUMN, without its foreign keys: added to an empty copy of the table without that column.
struct ColumnReplay: ReplaySubject {
    let word = "column"
    let namedConstraints: Set<String>
    private let name: String
    private let copy: Copy
    private let text: StatementText

    init?(_ column: TreeNode, _ copy: Copy, _ text: StatementText) {
        guard let name = column.text("colname") else { return nil }
        self.name = name
        self.copy = copy
        self.text = text
        namedConstraints = Set(column.descendants(with: "conname").compactMap { $0.text("conname") })
    }

    var names: [ObjectNames] { [ObjectNames(copy.table.name, name)] }
    var lookup: Lookup { copy.lookup }
    var altered: (table: TableName, column: String?)? { (copy.table, name) }

    var standing: String {
        Copy.standing(
            object: Copy.part("a.attname"),
            from: """
                JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attname = \(Quoting.literal(name))
                     AND a.attnum > 0 AND NOT a.attisdropped
                WHERE c.oid = \(Lookup.found)
                """)
    }

    func build(_ standing: Standing, in scratch: inout Scratch) -> [String] {
        let copied = copy.build(standing, in: &scratch)
        return copied + [
            "ALTER TABLE \(scratch.qualified(copy.table.name)) DROP COLUMN \(Quoting.identifier(name))",
            text.sql(in: scratch),
        ]
    }

    private func facts(_ oid: String) -> String {
        RelationFacts.columns(oid, only: Quoting.literal(name)) + " UNION ALL " + RelationFacts.constraints(oid)
    }

    func fileFacts(_ standing: Standing, in scratch: Scratch) -> String { facts(copy.oid(in: scratch)) }

    func databaseFacts(_ standing: Standing, in scratch: Scratch) -> String { facts(standing.oid) }

    var essential: Fact.Group? { .column }

    /// The other constraints of the table are no news.
    var tellsBeyond: Bool { false }
}
