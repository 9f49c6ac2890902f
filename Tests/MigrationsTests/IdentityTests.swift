import Reporting
import Testing

@testable import Migrations

/// A migration is known by number, name and checksum together.
@Suite struct IdentityTests {
    /// One at least for each way of telling migrations apart, and for each form of a name; the others share their rules.
    private static let layouts: [LayoutName] = [
        .flat, .golangMigrate, .goose, .dbmate, .sqlx, .flyway, .diesel, .prisma, .drizzle, .supabase, .hasura,
    ]

    /// A file, or an entry of the history: a number, a title and a text.
    struct Item: Hashable {
        var number: Int
        var title: String
        var text: String
        var status = VersionState.Status.applied
    }

    private func name(_ item: Item, _ layout: LayoutName) -> String {
        switch layout {
        case .flyway: "V\(item.number)__\(item.title)"
        case .prisma, .diesel, .supabase, .hasura: "2025010\(item.number)_\(item.title)"
        default: "000\(item.number)_\(item.title)"
        }
    }

    private func path(_ item: Item, _ layout: LayoutName) -> String {
        switch layout {
        case .prisma, .drizzle: "\(name(item, layout))/migration.sql"
        case .diesel, .hasura: "\(name(item, layout))/up.sql"
        case .golangMigrate: "\(name(item, layout)).up.sql"
        default: "\(name(item, layout)).sql"
        }
    }

    private func paths(_ items: [Item], _ layout: LayoutName) -> [String] {
        items.flatMap {
            layout == .drizzle ? [path($0, layout), "\(name($0, layout))/snapshot.json"] : [path($0, layout)]
        }
    }

    private func bytes(_ text: String, _ layout: LayoutName) -> [UInt8] {
        let sql = text.isEmpty ? "" : "UPDATE acc SET note = '\(text)';\n"
        switch layout {
        case .goose: return Array("-- +goose Up\n\(sql)-- +goose Down\n".utf8)
        case .dbmate: return Array("-- migrate:up\n\(sql)-- migrate:down\n".utf8)
        default: return Array("-- a migration\n\(sql)".utf8)
        }
    }

    /// A directory that was read, or entries of a history.
    private func read(_ files: [Item], _ layout: LayoutName) throws(Complaint) -> (
        set: MigrationSet, candidates: [Candidate]
    ) {
        let set = try MigrationsTests.set(listing(paths(files, layout)), layout)
        let texts = Dictionary(files.map { (path($0, layout), $0.text) }, uniquingKeysWith: { first, _ in first })
        let candidates = set.migrations.map { migration in
            Candidate(migration) { migration throws(Complaint) in
                try MigrationFile(migration: migration, bytes: bytes(texts[migration.path] ?? "", layout))
            }
        }
        return (set, candidates)
    }

    private func state(_ item: Item, _ layout: LayoutName) throws(Complaint) -> VersionState {
        let file = try read([item], layout).candidates[0]
        return VersionState(
            version: file.migration.version, name: file.migration.name, checksum: file.checksum, status: item.status)
    }

    private func plan(
        _ layout: LayoutName, _ files: [Item], _ history: [Item], _ policy: PlanPolicy = PlanPolicy(late: .apply)
    ) throws(Complaint) -> Plan {
        let directory = try read(files, layout)
        let states = try history.map { (item) throws(Complaint) in try state(item, layout) }
        return try Plan(set: directory.set, candidates: directory.candidates, history: states, policy: policy) {
            // A text without a statement does no harm.
            migration in files.first { path($0, layout) == migration.path }?.text == ""
        }
    }

    /// What becomes of the file with that number.
    private func word(_ plan: Plan, _ number: Int, _ layout: LayoutName, _ files: [Item]) -> String {
        guard let file = files.first(where: { $0.number == number }) else { return "no file" }
        return plan.actions[name(file, layout)] ?? "no step"
    }

    /// One thing that can have happened, and what becomes of the file with the number.
    struct Case {
        var what: String
        var history: [Item]
        var files: [Item]
        var number: Int
        /// In layouts that tell migrations apart by number; in the others `named`, where that differs.
        var word: String
        var named: String?
        var missing = 0
        /// How many are missing in layouts that tell migrations apart by name, where that differs.
        var missingNames: Int?
    }

    private static let first = Item(number: 1, title: "init", text: "one")
    private static let cases: [Case] = [
        Case(
            what: "the same", history: [first, Item(number: 2, title: "email", text: "two")],
            files: [first, Item(number: 2, title: "email", text: "two")], number: 2, word: "applied"),
        Case(
            what: "edited", history: [first, Item(number: 2, title: "email", text: "two")],
            files: [first, Item(number: 2, title: "email", text: "2")], number: 2, word: "edited"),
        Case(
            what: "another title", history: [first, Item(number: 2, title: "email", text: "two")],
            files: [first, Item(number: 2, title: "mail", text: "two")], number: 2, word: "renamed from email"),
        Case(
            what: "renumbered upwards", history: [first, Item(number: 2, title: "interest", text: "two")],
            files: [first, Item(number: 3, title: "interest", text: "two")], number: 3, word: "renamed from interest"),
        Case(
            what: "renumbered downwards", history: [first, Item(number: 3, title: "interest", text: "two")],
            files: [first, Item(number: 2, title: "interest", text: "two")], number: 2, word: "renamed from interest"),
        Case(
            what: "another number and title", history: [first, Item(number: 2, title: "interest", text: "two")],
            files: [first, Item(number: 3, title: "rates", text: "two")], number: 3, word: "renamed from interest"),
        Case(
            what: "renumbered and edited", history: [first, Item(number: 2, title: "interest", text: "two")],
            files: [first, Item(number: 3, title: "interest", text: "2")], number: 3, word: "held: renamed"),
        Case(
            what: "number reused", history: [first, Item(number: 2, title: "email", text: "two")],
            files: [first, Item(number: 2, title: "phone", text: "phone")], number: 2, word: "held: number_reused",
            named: "pending new", missingNames: 1),
        Case(
            what: "one inserted and the rest renumbered",
            history: [first, Item(number: 2, title: "b", text: "two"), Item(number: 3, title: "c", text: "three")],
            files: [
                first, Item(number: 2, title: "new", text: "new"), Item(number: 3, title: "b", text: "two"),
                Item(number: 4, title: "c", text: "three"),
            ], number: 3, word: "renamed from b"),
        Case(
            what: "the inserted one",
            history: [first, Item(number: 2, title: "b", text: "two"), Item(number: 3, title: "c", text: "three")],
            files: [
                first, Item(number: 2, title: "new", text: "new"), Item(number: 3, title: "b", text: "two"),
                Item(number: 4, title: "c", text: "three"),
            ], number: 2, word: "pending new"),
        Case(
            what: "a copy", history: [first, Item(number: 2, title: "interest", text: "two")],
            files: [
                first, Item(number: 2, title: "interest", text: "two"), Item(number: 3, title: "more", text: "two"),
            ], number: 3, word: "held: copied"),
        Case(
            what: "a copy of nothing to run", history: [first, Item(number: 2, title: "empty", text: "")],
            files: [first, Item(number: 2, title: "empty", text: ""), Item(number: 3, title: "void", text: "")],
            number: 3, word: "pending new"),
        Case(
            what: "vanished", history: [first, Item(number: 2, title: "email", text: "two")],
            files: [first, Item(number: 3, title: "phone", text: "three")], number: 3, word: "pending new", missing: 1),
        Case(
            what: "retired and back",
            history: [first, Item(number: 2, title: "email", text: "two", status: .retired)],
            files: [first, Item(number: 2, title: "email", text: "two")], number: 2, word: "retired"),
        Case(
            what: "retired, and its number used again",
            history: [first, Item(number: 2, title: "email", text: "two", status: .retired)],
            files: [first, Item(number: 2, title: "phone", text: "three")], number: 2, word: "pending new"),
        Case(
            what: "retired, and back under another number",
            history: [first, Item(number: 2, title: "email", text: "two", status: .retired)],
            files: [first, Item(number: 3, title: "email", text: "two")], number: 3, word: "held: copied"),
        Case(
            what: "a failed one with the text of an applied one",
            history: [first, Item(number: 2, title: "email", text: "two", status: .failed)],
            files: [first, Item(number: 2, title: "email", text: "one")], number: 2, word: "held: copied"),
        Case(
            what: "a failed one replaced by another file",
            history: [first, Item(number: 2, title: "email", text: "two", status: .failed)],
            files: [first, Item(number: 2, title: "phone", text: "three")], number: 2, word: "pending mended",
            named: "pending new"),
        Case(
            what: "another project's directory",
            history: [first, Item(number: 2, title: "email", text: "two")],
            files: [Item(number: 1, title: "init", text: "theirs"), Item(number: 3, title: "x", text: "x")], number: 3,
            word: "blocked by 1", missing: 1),
        Case(
            what: "the only applied one edited", history: [first],
            files: [Item(number: 1, title: "init", text: "ours"), Item(number: 3, title: "x", text: "x")], number: 3,
            word: "pending new"),
    ]

    @Test(arguments: layouts)
    func `each thing that can have happened to a file has its own word`(layout: LayoutName) throws {
        for one in Self.cases {
            let plan = try plan(layout, one.files, one.history)
            var word = word(plan, one.number, layout, one.files)
            // Names in the table are titles, numbers are as they are counted.
            for item in one.history { word = word.replacing(name(item, layout), with: item.title) }
            word = word.replacing("blocked by \(plan.steps[0].migration.version)", with: "blocked by 1")
            let byName = [LayoutName.prisma, .drizzle].contains(layout)
            #expect(word == (byName ? one.named ?? one.word : one.word), "\(layout): \(one.what)")
            #expect(
                plan.missing.count == (byName ? one.missingNames ?? one.missing : one.missing),
                "\(layout): \(one.what): \(plan.missing.map(\.name))")
        }
    }

    @Test func `under a policy that stops, a renamed and a missing file block later ones`() throws {
        let policy = PlanPolicy(late: .apply, onDrift: .stop)
        let history = [Self.first, Item(number: 2, title: "interest", text: "two")]
        let renamed = try plan(
            .flat,
            [Self.first, Item(number: 3, title: "interest", text: "two"), Item(number: 4, title: "x", text: "x")],
            history, policy)
        #expect(renamed.actions["0003_interest"] == "renamed from 0002_interest")
        #expect(renamed.actions["0004_x"] == "blocked by 0003")
        let missing = try plan(.flat, [Self.first, Item(number: 4, title: "x", text: "x")], history, policy)
        #expect(missing.actions["0004_x"] == "blocked by 0002")
    }

    @Test func `an empty directory beside a history is another one`() throws {
        #expect(try plan(.flat, [], [Self.first]).mismatch == .wrongDirectory(applied: 1))
        #expect(try plan(.flat, [], []).mismatch == nil)
        #expect(try plan(.flat, [], [Item(number: 1, title: "a", text: "x", status: .retired)]).mismatch == nil)
    }

    @Test func `what a baseline of Flyway stands for is not missing, and a database behind it is held`() throws {
        func plan(_ paths: [String], _ applied: [String]) throws -> Plan {
            let set = try MigrationsTests.set(listing(paths), .flyway)
            let candidates = set.migrations.map { migration in
                Candidate(migration) { migration throws(Complaint) in
                    try MigrationFile(migration: migration, bytes: Array("SELECT '\(migration.name)'".utf8))
                }
            }
            let states = applied.map {
                VersionState(version: $0, name: "V\($0)__v", checksum: "gone", status: .applied)
            }
            return try Plan(set: set, candidates: candidates, history: states)
        }
        let behind = try plan(["B5__baseline.sql", "V6__x.sql"], ["1", "2", "3"])
        #expect(behind.actions == ["B5__baseline": "held: behind_baseline", "V6__x": "blocked by B5"])
        let there = try plan(["B5__baseline.sql", "V6__x.sql"], ["1", "2", "3", "4", "5"])
        #expect(there.actions == ["B5__baseline": "covered by 5", "V6__x": "pending new"])
        #expect(there.missing.isEmpty && there.replaced.count == 5 && there.mismatch == nil)
        let first = try plan(["B5__baseline.sql", "V6__x.sql"], [])
        #expect(first.actions == ["B5__baseline": "pending new", "V6__x": "pending new"])
        let late = try plan(["V4__v.sql", "V5__v.sql", "B5__baseline.sql", "V6__x.sql"], ["1", "2", "3"])
        #expect(late.actions["V4__v"] == "pending new" && late.actions["V6__x"] == "pending new")
        let second = try plan(["B5__baseline.sql", "B7__baseline.sql", "V8__x.sql"], ["1", "5", "6"])
        #expect(second.actions["B7__baseline"] == "held: behind_baseline")
    }

    // MARK: All combinations

    private static let texts = ["x", "y"]
    private static let titles = ["a", "b"]

    /// Every directory of up to three files beside every history of up to two entries, of two titles and two texts.
    @Test(arguments: layouts)
    func `in no combination a text that was applied runs again`(layout: LayoutName) throws {
        func items(_ number: Int, _ statuses: [VersionState.Status]) -> [Item?] {
            [nil]
                + statuses.flatMap { status in
                    Self.titles.flatMap { title in
                        Self.texts.map { Item(number: number, title: title, text: $0, status: status) }
                    }
                }
        }
        let directories = items(1, [.applied]).flatMap { one in
            items(2, [.applied]).flatMap { two in items(3, [.applied]).map { [one, two, $0].compactMap(\.self) } }
        }
        let histories = items(1, [.applied]).flatMap { one in
            items(2, [.applied, .failed, .retired]).map { [one, $0].compactMap(\.self) }
        }
        var states: [Item: VersionState] = [:]
        for item in histories.joined() where states[item] == nil { states[item] = try state(item, layout) }
        var pending = 0
        for files in directories {
            let directory = try read(files, layout)
            for history in histories {
                let plan = try Plan(
                    set: directory.set, candidates: directory.candidates, history: history.compactMap { states[$0] },
                    policy: PlanPolicy(late: .apply))
                pending += check(layout, files, history, plan)
            }
        }
        #expect(pending > 1000)
    }

    /// Checks one combination, and counts the files that are to run.
    private func check(_ layout: LayoutName, _ files: [Item], _ history: [Item], _ plan: Plan) -> Int {
        let actions = Dictionary(
            plan.steps.map { ($0.migration.name, $0.action) }, uniquingKeysWith: { first, _ in first })
        let applied = history.filter { $0.status == .applied }
        let known = Set(history.filter { $0.status != .failed }.map(\.text))
        let byName = [LayoutName.prisma, .drizzle].contains(layout)
        var pending = 0
        for file in files where actions[name(file, layout)]?.isPending == true {
            pending += 1
            #expect(!known.contains(file.text), "\(layout) runs \(file) again: \(files) beside \(history)")
            // A number that was used is free only where its text is elsewhere in the directory.
            if !byName, let owner = applied.first(where: { $0.number == file.number }) {
                #expect(
                    files.contains { $0.number != owner.number && $0.text == owner.text },
                    "\(layout) runs \(file) for \(owner): \(files) beside \(history)")
            }
        }
        // Nothing runs where nothing that is applied is in the directory.
        let isEdited =
            applied.count == 1 && files.contains { $0.number == applied[0].number && $0.title == applied[0].title }
        if !applied.isEmpty, !isEdited, !files.contains(where: { file in applied.contains { $0.text == file.text } }) {
            #expect(pending == 0 && plan.mismatch != nil, "\(layout): \(files) beside \(history)")
        }
        // Everything that is applied is accounted for.
        let accounted = actions.values.count(where: \.isAnAppliedOne)
        if plan.mismatch == nil {
            #expect(
                accounted + plan.missing.count == applied.count, "\(layout): \(files) beside \(history): \(actions)")
        }
        return pending
    }
}

extension PlanStep.Action {
    fileprivate var isPending: Bool { if case .pending = self { true } else { false } }

    /// Whether it accounts for an applied migration.
    fileprivate var isAnAppliedOne: Bool {
        switch self {
        case .applied, .edited, .renamed, .held(.numberReused), .held(.renamedAndEdited): true
        default: false
        }
    }
}
