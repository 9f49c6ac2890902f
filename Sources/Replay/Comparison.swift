internal import Reporting

/// What came of holding an object against the statement that creates it.
public enum Comparison: Sendable, Equatable {
    /// No such object: the statement is to run.
    case absent
    /// It is what the statement says. `beyond` names what it has besides; `found`, under which name it stands, where the file gives none.
    case same(beyond: [String], found: String? = nil)
    /// It is something else.
    case different([Difference])
    /// An index that is what the statement says, but not valid: what a concurrent build that broke has left.
    case invalid(index: String)

    /// Compares the facts of an object that was built from the file with those of the one in the database.
    ///
    /// - Parameter named: the constraints to which the file itself gives a name.
    init(file: [Fact], database: [Fact], named: Set<String>) {
        var differences: [Difference] = []
        var beyond: [String] = []
        func pick(_ facts: [Fact], _ group: Fact.Group) -> [Fact] { facts.filter { $0.group == group } }

        Comparison.properties(pick(file, .property), pick(database, .property), &differences)
        for fact in pick(file, .option) {
            let found = pick(database, .option).first { $0.key == fact.key }
            if found.map({ !$0.agrees(with: fact) }) ?? true {
                differences.append(Difference(fact.name, database: found?.text, file: fact.text))
            }
        }
        Comparison.columns(pick(file, .column), pick(database, .column), &differences, &beyond)
        Comparison.constraints(
            pick(file, .constraint), pick(database, .constraint), named, &differences, &beyond)
        Comparison.labels(pick(file, .label), pick(database, .label), &differences, &beyond)
        self = differences.isEmpty ? .same(beyond: beyond) : .different(differences)
    }

    private static func properties(_ file: [Fact], _ database: [Fact], _ differences: inout [Difference]) {
        for fact in file {
            let found = database.first { $0.key == fact.key }
            if let found, found.agrees(with: fact) { continue }
            differences.append(Difference(fact.name, database: found?.text, file: fact.text))
        }
        for fact in database where !file.contains(where: { $0.key == fact.key }) {
            differences.append(Difference(fact.name, database: fact.text, file: nil))
        }
    }

    private static func columns(
        _ file: [Fact], _ database: [Fact], _ differences: inout [Difference], _ beyond: inout [String]
    ) {
        var isWhole = true
        for fact in file {
            let found = database.first { $0.key == fact.key }
            if found == nil { isWhole = false }
            if let found, found.agrees(with: fact) { continue }
            differences.append(Difference("column '\(fact.name)'", database: found?.text, file: fact.text))
        }
        let order = file.map(\.key)
        if isWhole, !database.map(\.key).starts(with: order) {
            differences.append(
                Difference(
                    "the order of the columns", database: database.map(\.name).joined(separator: ", "),
                    file: file.map(\.name).joined(separator: ", ")))
        }
        for fact in database where !order.contains(fact.key) {
            // A column that is missing and one that is too many may be the same one, renamed: show both.
            if isWhole {
                beyond.append("column \(fact.name): \(fact.text)")
            } else {
                differences.append(Difference("column '\(fact.name)'", database: fact.text, file: nil))
            }
        }
    }

    private static func constraints(
        _ file: [Fact], _ database: [Fact], _ named: Set<String>, _ differences: inout [Difference],
        _ beyond: inout [String]
    ) {
        var used: Set<ExactText> = []
        for fact in file {
            let found =
                named.exact.contains(fact.key)
                ? database.first { $0.key == fact.key }
                : database.first { !used.contains($0.key) && $0.agrees(with: fact) }
                    ?? database.first { $0.key == fact.key }
            if let found { used.insert(found.key) }
            if let found, found.agrees(with: fact) { continue }
            differences.append(Difference("constraint '\(fact.name)'", database: found?.text, file: fact.text))
        }
        for fact in database where !used.contains(fact.key) {
            beyond.append("constraint \(fact.name): \(fact.text)")
        }
    }

    private static func labels(
        _ file: [Fact], _ database: [Fact], _ differences: inout [Difference], _ beyond: inout [String]
    ) {
        let have = database.map(\.key)
        let want = file.map(\.key)
        for fact in file where !have.contains(fact.key) {
            differences.append(Difference("value '\(fact.name)'", database: nil, file: fact.name))
        }
        let common = have.filter(want.contains)
        if common != want.filter(have.contains) {
            differences.append(
                Difference(
                    "the order of the values", database: database.map(\.name).joined(separator: ", "),
                    file: file.map(\.name).joined(separator: ", ")))
        }
        beyond += database.filter { !want.contains($0.key) }.map { "value \($0.name)" }
    }
}
