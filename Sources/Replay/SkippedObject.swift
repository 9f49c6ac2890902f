internal import Reporting

/// Something that was skipped because it exists, to be looked at again before that is recorded.
public struct SkippedObject: Sendable {
    /// What the file makes of the object, from one of its statements on.
    struct State: Sendable {
        var statement: Int
        var facts: [Fact]
        /// Constraints to which the file gives a name.
        var named: Set<String>
    }

    /// What people call it: `table`, and its name.
    public let word: String, object: String
    /// The statement in the script, from 0.
    public let statement: Int
    /// The command of an ALTER TABLE, from 0; nil where the whole statement is meant.
    public let command: Int?
    /// Its bytes in the script's text.
    public let range: Range<Int>
    /// The state in which it was found, and those to which the file's later commands bring it; empty where only the name was compared.
    let states: [State]
    /// The later commands that are known to make one state of another.
    let sequels: [Sequel]
    private let query: String
    private let condition: String
    private let essential: Fact.Group?
    private let isOneOfMany: Bool

    /// What `item` makes, found as `standing`; `states` is empty where nothing but the name was compared.
    init(_ item: ReplayItem, _ standing: Standing, object: String, _ states: [State] = [], _ sequels: [Sequel] = []) {
        word = item.word
        self.object = object
        statement = item.statement
        command = item.command
        range = item.range
        self.states = states
        self.sequels = sequels
        query = item.subject.lastingFacts(standing)
        condition = item.subject.keepsName(standing)
        essential = item.subject.essential
        isOneOfMany = item.subject.isOneOfMany
    }

    /// An object of which nothing but the name was compared.
    public init(byName item: ReplayItem, _ standing: Standing) { self.init(item, standing, object: standing.object) }

    /// A foreign key between two tables, each with its oid and its name; `isProved` where the file wants it validated.
    public init(
        key name: String, of table: (oid: Int64, name: String), to referenced: (oid: Int64, name: String),
        isProved: Bool,
        statement: Int, range: Range<Int>
    ) {
        word = "foreign key"
        object = "\(table.name).\(name)"
        self.statement = statement
        command = nil
        self.range = range
        states = []
        sequels = []
        // By way of JSON, because the column is younger than PostgreSQL 17.
        query = """
            SELECT 1, 'property', 'kind', 'foreign key', NULL::pg_catalog.text FROM pg_catalog.pg_constraint AS k
             WHERE k.conrelid = \(table.oid) AND k.confrelid = \(referenced.oid) AND k.conname = \(Quoting.literal(name)) AND k.contype = 'f'
               AND (k.convalidated OR NOT \(isProved)) AND coalesce(pg_catalog.to_jsonb(k) ->> 'conenforced', 'true') = 'true'
            """
        condition =
            "\(RelationFacts.isNamed(String(table.oid), table.name)) AND \(RelationFacts.isNamed(String(referenced.oid), referenced.name))"
        essential = nil
        isOneOfMany = false
    }

    /// One query for what all of them are now: number, place, group, name, text, another text. It wants a search_path that is pinned to pg_catalog.
    public static func question(_ objects: [SkippedObject]) -> String {
        objects.enumerated().map { number, object in
            """
            SELECT \(number), f.place, f.part::pg_catalog.text, f.name::pg_catalog.text, f.text::pg_catalog.text, f.also::pg_catalog.text
              FROM (\(object.query)) AS f(place, part, name, text, also) WHERE \(object.condition)
            """
        }.joined(separator: "\nUNION ALL\n") + "\nORDER BY 1, 2"
    }

    /// How each compares, by the question's answer, with what the file's statements before `end` make of it.
    public static func comparisons(_ objects: [SkippedObject], _ rows: [[String?]], before end: Int) -> [Comparison] {
        let found = Dictionary(grouping: rows) { $0.first.flatMap(\.self) }
        return objects.enumerated().map { number, object in
            let facts = (found[String(number)] ?? []).compactMap { Fact(row: $0.dropFirst(), isFile: false) }
            return object.comparison(facts, before: end)
        }
    }

    private func comparison(_ facts: [Fact], before end: Int) -> Comparison {
        guard facts.contains(where: { essential == nil || $0.group == essential }) || !states.isEmpty else {
            return .absent
        }
        guard let expected = states.last(where: { $0.statement < end }) ?? states.first else {
            return .same(beyond: [])
        }
        if facts.isEmpty, !expected.facts.isEmpty { return .absent }
        if isOneOfMany {
            return Fact.common(expected.facts, facts).isEmpty ? .absent : .same(beyond: [])
        }
        return Comparison(file: expected.facts, database: facts, named: expected.named)
    }
}
