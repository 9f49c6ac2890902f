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

    var names: [ObjectNames] { [ObjectNames(copy.table.name)] }
    var lookup: Lookup { copy.lookup }

    var standing: String {
        Copy.standing(
            object: Copy.part("NULL"),
            from: "WHERE c.oid = \(Lookup.found) AND c.\(forces ? "relforcerowsecurity" : "relrowsecurity")")
    }

    private var fact: String {
        "SELECT 1, 'property', 'row level security', '\(forces ? "forced" : "enabled")', NULL::pg_catalog.text"
    }

    func fileFacts(_ standing: Standing, in scratch: Scratch) -> String { fact }

    /// What was asked for is how it was found.
    func databaseFacts(_ standing: Standing, in scratch: Scratch) -> String { fact }
}
