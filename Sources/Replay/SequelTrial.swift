internal import Reporting

/// An object that a file creates and alters later, built step by step in a scratch schema: which of its states is the one that stands?
public struct SequelTrial: Sendable {
    let item: ReplayItem
    let sequels: [Sequel]

    /// A trial of `item` with what the file does to it afterwards.
    public init(_ item: ReplayItem, _ sequels: [Sequel]) {
        self.item = item
        self.sequels = sequels
    }

    /// The message: every state's facts, then those of the object that stands. Leaves nothing behind.
    public func message(_ standing: Standing, in scratch: inout Scratch) -> String {
        let steps = item.subject.build(standing, in: &scratch)
        let facts = item.subject.fileFacts(standing, in: scratch)
        var lines = [
            "SAVEPOINT migrated_replay", "SET LOCAL client_min_messages = error", "CREATE SCHEMA \(scratch.name)",
            "SELECT pg_catalog.set_config('migrated.path', pg_catalog.current_setting('search_path'), true)",
        ]
        lines += steps
        if let table = item.subject.altered?.table, sequels.contains(where: \.takesRow) {
            lines.append(RowType.cast(table, standing, in: &scratch))
        }
        func ask(_ side: String, _ facts: String) {
            lines.append("SET LOCAL search_path = pg_catalog, pg_temp")
            lines.append("SELECT '\(side)', f.* FROM (\(facts)) AS f ORDER BY 2")
        }
        ask("0", facts)
        for (number, sequel) in sequels.enumerated() {
            lines.append(
                "SELECT pg_catalog.set_config('search_path', pg_catalog.current_setting('migrated.path'), true)")
            lines.append(sequel.text.sql(in: scratch))
            ask("\(number + 1)", facts)
        }
        ask("database", item.subject.databaseFacts(standing, in: scratch))
        lines += ["ROLLBACK TO SAVEPOINT migrated_replay", "RELEASE SAVEPOINT migrated_replay"]
        // A comment may be the last word of a line.
        return lines.joined(separator: "\n;\n")
    }

    /// What people call the thing that a sequel is about.
    public func object(of sequel: Sequel, _ standing: Standing) -> String {
        guard item.subject.altered?.column == nil, let part = sequel.part else { return standing.object }
        return "\(standing.object).\(part)"
    }

    /// What gives back the transaction where the server could not do some of it.
    public static let undo = "ROLLBACK TO SAVEPOINT migrated_replay; RELEASE SAVEPOINT migrated_replay"

    /// What the rows of all the message's answers mean. The latest state that the object is in counts; where it is in none, the one that is nearest.
    public func outcome(_ rows: [[String?]], _ standing: Standing, in scratch: Scratch) -> TrialOutcome {
        let (file, database) = ReplayItem.facts(rows, in: scratch)
        let states = (0...sequels.count).map { number in
            SkippedObject.State(
                statement: number == 0 ? item.statement : sequels[number - 1].statement,
                facts: file[String(number)] ?? [],
                named: sequels.prefix(number).reduce(item.subject.namedConstraints) { $0.union($1.named) })
        }
        var nearest: (count: Int, comparison: Comparison)?
        for number in states.indices.reversed() {
            let state = states[number]
            let compared = Comparison(file: state.facts, database: database, named: state.named)
            switch compared {
            case .same where !SequelTrial.holds(database, whatWentBefore: number, in: states):
                let doubts = SequelTrial.doubts(database, states.prefix(number + 1).map(\.facts))
                guard doubts.isEmpty else { return TrialOutcome(.different(doubts)) }
                var outcome = TrialOutcome(
                    item.subject.tellsBeyond ? compared : .same(beyond: []), states: Array(states[number...]))
                // What changes nothing that the catalog shows has been done where something behind it has.
                let last = sequels.indices.prefix(number).last { states[$0].facts != states[$0 + 1].facts }
                outcome.done = Array(sequels.prefix((last ?? -1) + 1))
                outcome.sequels = sequels
                return outcome
            case .different(let differences) where differences.count < nearest?.count ?? .max:
                nearest = (differences.count, compared)
            default: continue
            }
        }
        return TrialOutcome(
            nearest?.comparison
                ?? Comparison(file: states[0].facts, database: database, named: item.subject.namedConstraints))
    }

    /// Whether the database still has something that an earlier state had and `state` has not: then it is not as far.
    private static func holds(_ database: [Fact], whatWentBefore state: Int, in states: [SkippedObject.State]) -> Bool {
        func parts(_ facts: [Fact]) -> Set<[ExactText]> {
            Set(facts.filter { $0.group != .property }.map { [$0.group.rawValue, $0.name].exact })
        }
        let gone = states.prefix(state).reduce(into: Set()) { $0.formUnion(parts($1.facts)) }.subtracting(
            parts(states[state].facts))
        return !gone.isDisjoint(with: parts(database))
    }

    /// Columns that the last of the states has dropped and added again, so that it looks like an earlier one, and that are not certain to be the new ones: with their
    /// number in the table they would be. What is in the old ones is to go, and a restored database has new ones under the old numbers: neither is guessed.
    private static func doubts(_ database: [Fact], _ states: [[Fact]]) -> [Difference] {
        guard let last = states.last else { return [] }
        func columns(_ facts: [Fact]) -> [ExactText: Fact] {
            Dictionary(facts.filter { $0.group == .column }.map { ($0.key, $0) }) { first, _ in first }
        }
        let (new, found) = (columns(last), columns(database))
        var doubts: [ExactText: Difference] = [:]
        for state in states.dropLast() {
            let old = columns(state)
            guard old.count == new.count, old.allSatisfy({ new[$0]?.agrees(with: $1) == true }) else { continue }
            for (key, fact) in new where old[key]?.place != fact.place && found[key]?.place != fact.place {
                doubts[key] = Difference(
                    "column '\(fact.name)', which the file drops and adds again",
                    database: "the old one, or restored from a dump: the catalog does not tell",
                    file: "\(fact.text), the new one")
            }
        }
        return doubts.sorted { $0.key < $1.key }.map(\.value)
    }
}
