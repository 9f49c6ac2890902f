internal import ForeignKeys
internal import Reporting

/// One thing that a statement creates and that may be there already.
///
/// Two messages to the server settle what it is: `question` finds what stands under the name, `trial` builds the file's object in a scratch
/// schema and reads both from the catalog. Both leave nothing behind and expect an open transaction.
public struct ReplayItem: Sendable {
    /// The statement in the script, from 0.
    public let statement: Int
    /// The command of an ALTER TABLE, from 0; nil where the whole statement is meant.
    public let command: Int?
    /// The bytes of the statement or command in the script's text.
    public let range: Range<Int>
    let subject: any ReplaySubject
    /// How many statements before it make the same, where none of them gives it a name: each makes one more.
    public var twins = 0

    /// What people call it: `table`.
    public var word: String { subject.word }

    /// Its name as the statement writes it, without a schema: `users`, `users.email`.
    public var name: String {
        subject.names.first.map { [$0.name, $0.part].compactMap(\.self).joined(separator: ".") } ?? ""
    }

    /// Whether any object of the same definition is the one, because the file gives it no name.
    public var isNameless: Bool { subject.isNameless }

    /// What is made of which table, as the text says it.
    public struct Making: Hashable, Sendable {
        var table: TableName?
        var words: [UInt8]
    }

    /// What it makes; the same of two items where they are twins.
    public func making(_ text: [UInt8]) -> Making { Making(table: subject.copied, words: Array(text[range])) }

    /// The result of `question` and of `trial` that counts, from the end.
    public static let answerFromEnd = 3

    /// Finds what stands under the name: at most one row, for `Standing`.
    public var question: String {
        """
        SAVEPOINT migrated_replay; \(subject.lookup.sql); SET LOCAL search_path = pg_catalog, pg_temp; \(subject.standing); \
        ROLLBACK TO SAVEPOINT migrated_replay; RELEASE SAVEPOINT migrated_replay
        """
    }

    /// Builds the file's object in the scratch schema and asks for the facts of both.
    ///
    /// `done` is what the file does later to the item's table, as far as it has been done: the columns go by the names that the item knows while it is built.
    public func trial(_ standing: Standing, in scratch: inout Scratch, behind done: [Sequel] = []) -> String {
        var steps = subject.build(standing, in: &scratch)
        if let table = subject.copied, !steps.isEmpty {
            let (back, forth) = ColumnNames(done.compactMap(\.change)).renaming(scratch.qualified(table.name))
            steps.insert(contentsOf: back, at: 1)
            if subject.takesRow { steps.insert(RowType.cast(table, standing, in: &scratch), at: 1) }
            steps += forth
        }
        // What the server says of a scratch object is of no use to anyone.
        let build =
            steps.isEmpty
            ? ""
            : (["SET LOCAL client_min_messages = error", "CREATE SCHEMA \(scratch.name)"] + steps).joined(
                separator: "\n;\n") + "\n;\n"
        return """
            SAVEPOINT migrated_replay; \(build)SET LOCAL search_path = pg_catalog, pg_temp;
            SELECT 'file', f.* FROM (\(subject.fileFacts(standing, in: scratch))) AS f
            UNION ALL SELECT 'database', d.* FROM (\(subject.databaseFacts(standing, in: scratch))) AS d
            ORDER BY 1, 2;
            ROLLBACK TO SAVEPOINT migrated_replay; RELEASE SAVEPOINT migrated_replay
            """
    }

    /// What of later commands, done already, is about the item's table.
    public func following(_ done: [Sequel]) -> [Sequel] {
        done.filter { $0.table == subject.copied && $0.statement > statement }
    }

    /// Whether a later command of another object is this one.
    public func isSame(_ sequel: Sequel) -> Bool { sequel.statement == statement && sequel.command == command }

    /// Whether what it made went with a column that one of these commands, in the order of the file, has dropped.
    public func isGone(with done: [Sequel]) -> Bool {
        !ColumnNames(done.compactMap(\.change)).dropped.isDisjoint(with: subject.columns.exact)
    }

    /// What the rows of the trial's answer mean: side, place, group, name, text, another text.
    public func outcome(_ rows: [[String?]], _ standing: Standing, in scratch: Scratch) -> TrialOutcome {
        let (file, database) = ReplayItem.facts(rows, in: scratch)
        let facts = file["file"] ?? []
        return TrialOutcome(
            comparison(facts, database, standing),
            states: [SkippedObject.State(statement: statement, facts: facts, named: subject.namedConstraints)])
    }

    private func comparison(_ file: [Fact], _ database: [Fact], _ standing: Standing) -> Comparison {
        if database.isEmpty { return .absent }
        if isNameless {
            let common = Fact.common(file, database)
            return common.indices.contains(twins) ? .same(beyond: [], found: common[twins].name) : .absent
        }
        let compared = Comparison(file: file, database: database, named: subject.namedConstraints)
        guard case .same = compared else { return compared }
        if let index = subject.invalidIndex(standing) { return .invalid(index: index) }
        return subject.tellsBeyond ? compared : .same(beyond: [])
    }

    /// The rows of an answer: the facts of each side that was built, and those of the database.
    static func facts(_ rows: [[String?]], in scratch: Scratch) -> (file: [String: [Fact]], database: [Fact]) {
        var file: [String: [Fact]] = [:]
        var database: [Fact] = []
        for row in rows {
            guard let side = row.first.flatMap(\.self) else { continue }
            let isFile = side != "database"
            guard let fact = Fact(row: row.dropFirst(), isFile: isFile, in: scratch) else { continue }
            if isFile { file[side, default: []].append(fact) } else { database.append(fact) }
        }
        return (file, database)
    }
}

/// What came of comparing an object with what a file makes of it.
public struct TrialOutcome: Sendable {
    /// How the object compares with the state that is nearest to it.
    public var comparison: Comparison
    /// The later commands that have been done to it already, as far as the catalog shows them.
    public var done: [Sequel] = []
    /// Those that have not.
    public var pending: [Sequel] { Array(sequels.dropFirst(done.count)) }
    var states: [SkippedObject.State] = []
    var sequels: [Sequel] = []

    /// A comparison that lets nothing be skipped.
    public init(_ comparison: Comparison) { self.comparison = comparison }

    init(_ comparison: Comparison, states: [SkippedObject.State]) {
        self.comparison = comparison
        self.states = states
    }

    /// What is to be looked at again where the comparison lets the statement be skipped.
    public func skipped(_ item: ReplayItem, _ standing: Standing, object: String) -> SkippedObject {
        SkippedObject(item, standing, object: object, states, sequels)
    }
}
