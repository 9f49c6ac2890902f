internal import ForeignKeys
internal import SQLParsing

/// ALTER TABLE … ENABLE or FORCE ROW LEVEL SECURITY, where it is on.
struct RowSecurityReplay: ReplaySubject {
    let word = "row level security"
    private let copy: Copy
    private let forces: Bool

    init(_ copy: Copy, forces: Bool) {
        self.copy = copy
        self.forces = forces
    }

    private var column: String { forces ? "relforcerowsecurity" : "relrowsecurity" }
    var names: [ObjectNames] { [ObjectNames(copy.table.name)] }
    var lookup: Lookup { copy.lookup }

    var standing: String {
        Copy.standing(
            object: Copy.part("NULL"),
            from: "WHERE c.oid = \(Lookup.found) AND c.\(column)")
    }

    private var fact: String {
        "SELECT 1, 'property', 'row level security', '\(forces ? "forced" : "enabled")', NULL::pg_catalog.text"
    }

    func fileFacts(_ standing: Standing, in scratch: Scratch) -> String { fact }

    func databaseFacts(_ standing: Standing, in scratch: Scratch) -> String {
        "\(fact) FROM pg_catalog.pg_class AS c WHERE c.oid = \(standing.oid) AND c.\(column)"
    }
}
