import Reporting

/// A table of a random schema as it is written down.
struct TableText {
    struct Column {
        var name: String
        /// Type, collation, NOT NULL, DEFAULT and the like.
        var definition: String
        /// What rows may hold; empty where a row says nothing of it.
        var values: [String] = []
        /// How many of a hundred rows hold NULL.
        var nulls = 0
        /// Counted up from row to row instead.
        var isNumbered = false
    }

    var name: String
    var columns: [Column] = []
    /// Named, so that a partition may bring the same ones along.
    var checks: [String] = []
    var constraints: [String] = []
    var partitioning = ""

    var quoted: String { Quoting.identifier(name) }

    func create(as other: String? = nil, _ random: inout CaseRandom) -> String {
        var lines = columns.map { "\(Quoting.identifier($0.name)) \($0.definition)" }
        // A partition of its own making has its columns in another order.
        if other != nil { lines.shuffle(using: &random) }
        let isGappy = random.percent(30)
        if isGappy { lines.insert("gone text DEFAULT 'x'", at: random.number(0...lines.count - 1)) }
        let table = Quoting.identifier(other ?? name)
        lines += checks + constraints
        return "CREATE TABLE \(table) (\(lines.joined(separator: ", ")))\(other == nil ? partitioning : "");\n"
            + (isGappy ? "ALTER TABLE \(table) DROP COLUMN gone;\n" : "")
    }

    /// A partition of these bounds: made as one, or made alone and attached.
    func partition(_ other: String, _ bounds: String, _ random: inout CaseRandom) -> String {
        let name = Quoting.identifier(other)
        if random.percent(50) { return "CREATE TABLE \(name) PARTITION OF \(quoted) \(bounds);\n" }
        return create(as: other, &random) + "ALTER TABLE \(quoted) ATTACH PARTITION \(name) \(bounds);\n"
    }

    /// Rows of random values; one that a unique index refuses is left out.
    func rows(_ numbers: ClosedRange<Int>, into other: String? = nil, twins: Int = 0, _ random: inout CaseRandom)
        -> String
    {
        let filled = columns.filter { !$0.values.isEmpty || $0.isNumbered }
        let head =
            "INSERT INTO \(Quoting.identifier(other ?? name)) (\(Quoting.identifiers(filled.map(\.name)))) VALUES\n"
        let rows = numbers.flatMap { number in
            let values = filled.map { column -> String in
                if column.isNumbered {
                    return column.values.isEmpty
                        ? "\(number)" : Quoting.literal(column.values[number % column.values.count])
                }
                return random.percent(column.nulls) ? "NULL" : Quoting.literal(random.pick(column.values))
            }
            let row = "  (\(values.joined(separator: ", ")))"
            return random.percent(twins) ? [row, row] : [row]
        }
        return head + rows.joined(separator: ",\n") + " ON CONFLICT DO NOTHING;\n"
    }
}

/// Names that are quoted wrongly where they are quoted carelessly. Each is unlike the others through its stem.
struct NameMaker {
    private let isOdd: Bool

    init(_ random: inout CaseRandom) { isOdd = random.percent(35) }

    func name(_ stem: String, _ random: inout CaseRandom) -> String {
        guard isOdd else { return stem }
        return random.pick([
            stem, "\(stem)\"x", "\(stem) Y", "\(stem)é", "\(stem)'q", "\(stem)\u{301}", "\(stem).\(stem)", "\(stem)\\",
            "\(stem);--",
            "\(stem)%s", "\(stem)$1", "\(stem){,}", "\(stem)_ключ", "\(stem)(a, b)",
            "\(stem)_" + String(repeating: "x", count: 55),
        ])
    }
}
