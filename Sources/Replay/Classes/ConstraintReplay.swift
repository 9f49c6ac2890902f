internal import ForeignKeys
internal import Reporting
internal import SQLParsing

/// ALTER TABLE … ADD CONSTRAINT: built on an empty copy of the table, so that no row is looked at.
///
/// Foreign keys are looked after by the planner of their own; here they are only found by name.
struct ConstraintReplay: ReplaySubject {
    let word = "constraint"
    private let name: String?
    private let type: String
    private let copy: Copy
    let takesRow: Bool
    private let text: StatementText
    /// The index that becomes the constraint's: the copy has none.
    private let index: String?
    private var usesIndex: Bool { index != nil }
    /// When it is checked, in words.
    private let deferral: String

    /// `command` is the bytes of ADD CONSTRAINT …
    init?(_ constraint: TreeNode, _ copy: Copy, _ text: StatementText) {
        let types = [
            "CONSTR_CHECK": "c", "CONSTR_PRIMARY": "p", "CONSTR_UNIQUE": "u", "CONSTR_EXCLUSION": "x",
            "CONSTR_FOREIGN": "f",
        ]
        guard let type = constraint.text("contype").flatMap({ types[$0] }) else { return nil }
        name = constraint.text("conname")
        index = constraint.text("indexname")
        deferral =
            (constraint.flag("deferrable") ? " deferrable" : "")
            + (constraint.flag("initdeferred") ? " initially deferred" : "")
        // An index that is to become a constraint's without a name keeps its own, which is then the constraint's.
        if name == nil, index != nil || type == "f" { return nil }
        self.type = type
        self.copy = copy
        takesRow = constraint.mayTakeRow(of: copy.table)
        self.text = text
    }

    var names: [ObjectNames] { [ObjectNames(copy.table.name, name)] }
    var lookup: Lookup { copy.lookup }
    var copied: TableName? { copy.table }
    var namedConstraints: Set<String> { name.map { [$0] } ?? [] }
    /// A second primary key cannot be: there the one that stands is meant.
    var isNameless: Bool { name == nil && type != "p" }

    var standing: String {
        let condition = name.map { "k.conname = \(Quoting.literal($0))" } ?? "k.contype = \(Quoting.literal(type))"
        return Copy.standing(
            object: Copy.part(isNameless ? "NULL" : "k.conname"), extra: ["k.oid"],
            from: """
                JOIN pg_catalog.pg_constraint AS k ON k.conrelid = c.oid AND \(condition)
                WHERE c.oid = \(Lookup.found) ORDER BY k.oid LIMIT 1
                """)
    }

    func build(_ standing: Standing, in scratch: inout Scratch) -> [String] {
        usesIndex || type == "f" ? [] : copy.build(standing, in: &scratch) + [text.sql(in: scratch)]
    }

    func fileFacts(_ standing: Standing, in scratch: Scratch) -> String {
        usesIndex || type == "f"
            ? kind(Quoting.literal(type), Quoting.literal(usesIndex ? deferral : ""), from: nil)
                + indexFact(spare(standing), standing)
            : facts(copy.oid(in: scratch), standing)
    }

    func databaseFacts(_ standing: Standing, in scratch: Scratch) -> String {
        guard standing.extra.count > 2, let constraint = standing.extra[2], !isNameless else {
            return facts(standing.oid, standing)
        }
        if usesIndex || type == "f" {
            let deferral =
                usesIndex
                ? """
                CASE WHEN k.condeferrable THEN ' deferrable' ELSE '' END || CASE WHEN k.condeferred THEN ' initially deferred' ELSE '' END
                """ : Quoting.literal("")
            let kind = kind("k.contype", deferral, from: "pg_catalog.pg_constraint AS k WHERE k.oid = \(constraint)")
            return
                "\(kind)\(indexFact("(SELECT k.conindid FROM pg_catalog.pg_constraint AS k WHERE k.oid = \(constraint))", standing))"
        }
        return RelationFacts.constraints(standing.oid, where: "k.oid = \(constraint)")
    }

    private func facts(_ table: String, _ standing: Standing) -> String {
        isNameless
            ? RelationFacts.constraints(
                table, where: "k.contype = \(Quoting.literal(type))",
                name: "\(Quoting.literal(standing.object)) || '.' || k.conname")
            : RelationFacts.constraints(table)
    }

    private func kind(_ letter: String, _ deferral: String, from: String?) -> String {
        """
        SELECT 1, 'property', 'kind', CASE \(letter) WHEN 'c' THEN 'check' WHEN 'p' THEN 'primary key' WHEN 'u' THEN 'unique' \
        WHEN 'x' THEN 'exclusion' WHEN 'f' THEN 'foreign key' ELSE 'constraint' END || \(deferral), NULL::pg_catalog.text\(from.map { " FROM \($0)" } ?? "")
        """
    }

    /// The index that the statement names, as long as it has not become the constraint's.
    private func spare(_ standing: Standing) -> String {
        """
        (SELECT x.oid FROM pg_catalog.pg_class AS x JOIN pg_catalog.pg_class AS c ON c.relnamespace = x.relnamespace \
        WHERE c.oid = \(standing.oid) AND x.relname = \(Quoting.literal(index ?? "")))
        """
    }

    /// What the index is about, where there is one still that would have to become the constraint's.
    private func indexFact(_ index: String, _ standing: Standing) -> String {
        guard usesIndex else { return "" }
        return """
             UNION ALL SELECT 2, 'property', 'index', pg_catalog.substr(d.text, pg_catalog.strpos(d.text, ' USING ') + 1), NULL
              FROM (SELECT pg_catalog.pg_get_indexdef(\(index))) AS d(text) WHERE \(spare(standing)) IS NOT NULL
            """
    }
}
