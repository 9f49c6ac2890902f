import Reporting
import Testing

@testable import Migrations

/// What of a file runs which way.
@Suite struct SectionTests {
    private func file(_ text: String, _ notation: Notation) throws(Complaint) -> MigrationFile {
        try MigrationFile(
            migration: Migration(
                version: "1", name: "1_a", path: "1_a.sql", downPath: "1_a.sql", notation: notation,
                identity: .named("1_a")),
            bytes: Array(text.utf8))
    }

    private func text(_ file: MigrationFile, _ way: MigrationFile.Way) -> String {
        String(decoding: file.text(for: way), as: UTF8.self)
    }

    @Test func `goose's sections keep their lines and columns`() throws {
        let whole = """
            -- größe\r
            \r
            -- +goose Up\r
            create table a ();\r
            -- +goose StatementBegin
            create function f() returns int language sql as $$ select 1; $$
            -- +goose StatementEnd
            create table b ();
            -- +goose down
            drop table b;

            """
        let file = try file(whole, .goose)
        for way in [MigrationFile.Way.up, .down] {
            #expect(file.text(for: way).count == whole.utf8.count)
            #expect(file.text(for: way).filter { $0 == 10 } == whole.utf8.filter { $0 == 10 })
        }
        let up = text(file, .up).split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        #expect(up[3].hasPrefix("create table a ();"))
        #expect(up[6].trimmed == ";")
        #expect(up[7] == "create table b ();")
        #expect(up[8].trimmed.isEmpty && up[9].trimmed.isEmpty)
        #expect(text(file, .down).trimmed == "drop table b;")
        #expect(file.has(.down))
        #expect(!file.withoutTransaction(for: .up))
    }

    @Test func `goose without a transaction and without a way down`() throws {
        let file = try file("-- +goose NO TRANSACTION\n-- +GOOSE UP\nselect 1;\n", .goose)
        #expect(file.withoutTransaction(for: .up))
        #expect(!file.has(.down))
        #expect(text(file, .down).trimmed.isEmpty)
    }

    @Test(arguments: [
        ("select 1;\n-- +goose Up\n", 1, "a statement stands before '-- +goose Up'"),
        ("-- nothing\n", 1, "the file has no line '-- +goose Up'"),
        ("-- +goose Up\n-- +goose Up\n", 2, "'-- +goose Up' is given twice"),
        ("-- +goose Down\n", 1, "'-- +goose Down' stands where it cannot"),
        ("-- +goose Up\n-- +goose StatementBegin\n-- +goose Down\n", 3, "'-- +goose Down' stands where it cannot"),
        ("-- +goose Up\n-- +goose StatementEnd\n", 2, "'-- +goose StatementEnd' without its StatementBegin"),
        ("-- +goose Up\n-- +goose StatementBegin\nx\n", 2, "'-- +goose StatementBegin' without its StatementEnd"),
        ("-- +goose Up\n-- +goose ENVSUB ON\n", 2, "goose would put environment variables into this text"),
        ("  -- +goose Up\n", 1, "blanks stand before an annotation of goose"),
        ("-- +goose Upp\n", 1, "unknown annotation '+goose UPP'"),
    ])
    func `what goose refuses is refused with its line`(text: String, line: Int, message: String) {
        let error = #expect(throws: Complaint.self) { try file(text, .goose) }
        #expect(error?.message == message)
        #expect(error?.place?.line == line)
        #expect(error?.hint != nil)
    }

    @Test func `dbmate's blocks and their options`() throws {
        let file = try file(
            "-- head\n-- migrate:up transaction:false\ncreate index concurrently i on t (a);\n--migrate:down\r\ndrop index i;\n",
            .dbmate)
        #expect(text(file, .up).trimmed == "create index concurrently i on t (a);")
        #expect(text(file, .down).trimmed == "drop index i;")
        #expect(file.withoutTransaction(for: .up))
        #expect(!file.withoutTransaction(for: .down))
    }

    @Test(arguments: [
        ("-- migrate:up\nselect 1;\n", "the file has no line '-- migrate:down'"),
        ("select 1;\n", "the file has no line '-- migrate:up'"),
        ("select 1;\n-- migrate:up\n", "a statement stands before '-- migrate:up'"),
        ("", "the file has no line '-- migrate:up'"),
        ("-- migrate:down\n-- migrate:up\n", "'-- migrate:down' stands before '-- migrate:up'"),
        ("-- migrate:up\n-- migrate:down\n-- migrate:up\n", "a second '-- migrate:up'"),
        ("-- migrate:up env:SECRET\n-- migrate:down\n", "'env:SECRET' is no option of a block that is known here"),
    ])
    func `what dbmate refuses is refused`(text: String, message: String) {
        let error = #expect(throws: Complaint.self) { try file(text, .dbmate) }
        #expect(error?.message == message)
    }

    @Test func `sqlx's first line asks for no transaction`() throws {
        #expect(try file("-- no-transaction\nselect 1", .sqlx).withoutTransaction(for: .up))
        #expect(try !file("\n-- no-transaction\nselect 1", .sqlx).withoutTransaction(for: .up))
        #expect(try text(file("-- no-transaction\nselect 1", .sqlx), .up).hasSuffix("select 1"))
    }

    @Test(arguments: ["-- +goose Up\n", "-- migrate:up\n-- migrate:down\n"])
    func `a plain file that is written for another tool is refused`(text: String) throws {
        #expect(throws: Complaint.self) { try file(text, .plain) }
        #expect(try self.text(file(text, .verbatim), .up) == text)
    }

    @Test func `flyway's placeholders are refused with their place`() throws {
        let error = #expect(throws: Complaint.self) { try file("select 1;\nset role ${role};", .flyway) }
        #expect(error?.place == Place(file: "1_a.sql", line: 2, column: 10))
        #expect(try file("select '$1', ${}, $${}$$, '${';", .flyway).has(.up))
    }

    // MARK: Baselines

    private func plan(_ names: [String], _ history: [VersionState]) throws -> [String] {
        let set = try set(listing(names.map { $0 + ".sql" }), .flyway)
        let candidates = set.migrations.map { migration in
            var candidate = Candidate(migration) { migration throws(Complaint) in
                try MigrationFile(migration: migration, bytes: Array("-- x".utf8))
            }
            candidate.parts = FileParts([FileParts.Segment(bytes: "one", statements: [])])
            return candidate
        }
        let plan = try Plan(set: set, candidates: candidates, history: history)
        return plan.steps.map { step in
            switch step.action {
            case .pending: "run \(step.migration.version)"
            case .covered(let other): "\(step.migration.version) by \(other)"
            case .applied: "done \(step.migration.version)"
            default: "\(step.action)"
            }
        }
    }

    private let names = ["V1__a", "V2__b", "V3__c", "B1__x", "B2__y", "R__v"]

    @Test func `the newest baseline runs on an empty history and stands for what is before it`() throws {
        #expect(try plan(names, []) == ["1 by B2", "B1 by B2", "2 by B2", "run B2", "run 3", "run R__v"])
    }

    @Test func `a baseline stays what was applied`() throws {
        let applied = VersionState(version: "B1", name: "B1__x", checksum: nil, status: .applied)
        #expect(try plan(names, [applied]) == ["1 by B1", "done B1", "run 2", "B2 by B1", "run 3", "run R__v"])
        // Its file may be gone.
        let second = VersionState(version: "2", name: "V2__b", checksum: nil, status: .applied)
        #expect(try plan(["V1__a", "V2__b", "V3__c"], [applied, second]) == ["1 by B1", "done 2", "run 3"])
    }

    @Test func `no baseline runs where something is applied`() throws {
        let applied = VersionState(version: "1", name: "V1__a", checksum: nil, status: .applied)
        #expect(try plan(names, [applied]) == ["done 1", "B1 by 1", "run 2", "B2 by 1", "run 3", "run R__v"])
        let begun = VersionState(
            version: "1", name: "V1__a", checksum: nil, status: .interrupted, committed: [CommittedPart(bytes: "one")])
        #expect(try plan(names, [begun]).last == "run R__v")
        #expect(try plan(names, [begun]).contains("run 2"))
    }
}
