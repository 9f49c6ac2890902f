import Reporting
import Testing

@testable import Migrations

@Suite struct DrizzleJournalTests {
    private func read(_ journal: String, _ paths: [String] = ["0000_a.sql", "0001_b.sql"]) throws -> MigrationSet {
        try set(listing(["meta/_journal.json"] + paths), .drizzle, files: ["meta/_journal.json": journal])
    }

    @Test func `the journal's order counts, and files outside it are told`() throws {
        let found = try read(
            #"{"version":"7","entries":[{"idx":0,"when":1,"tag":"0001_b","breakpoints":true},{"idx":1,"when":2,"tag":"0000_a"}]}"#,
            ["0000_a.sql", "0001_b.sql", "9999_repair.sql", "2_x;y.sql", "notes.txt"])
        #expect(found.names == ["0001_b", "0000_a"])
        #expect(found.versions == ["0001", "0000"])
        #expect(found.migrations.map(\.breakpoints) == [true, true])
        #expect(found.told == ["invalid_file 2_x;y.sql", "not_in_journal 9999_repair.sql"])
    }

    @Test func `an entry whose time goes back is told`() throws {
        let found = try read(#"{"entries":[{"when":5,"tag":"0000_a"},{"when":4,"tag":"0001_b"}]}"#)
        #expect(found.told == ["ambiguous_order 0001_b.sql"])
    }

    @Test(arguments: [
        (#"{"entries": [}"#, 1, 14, "the journal is no JSON: unexpected '}'"),
        ("{\n \"entries\": 1}", 1, 1, "the journal has no list 'entries'"),
        ("[]", 1, 1, "the journal has no list 'entries'"),
        ("{\"entries\":[\n {\"idx\":1}]}", 2, 2, "a journal entry has no text 'tag'"),
        ("{\"entries\":[\n {\"tag\":\"0002_c\"}]}", 2, 10, "'0002_c' has no file '0002_c.sql'"),
        ("{\"entries\":[{\"tag\":\"0000_a\"},\n{\"tag\":\"0000_a\"}]}", 2, 9, "'0000_a' is listed twice"),
        (#"{"entries":[{"tag":"../../etc/x"}]}"#, 1, 21, "the tag '../../etc/x' is no file name"),
        (#"{"entries":[{"tag":"a/b"}]}"#, 1, 21, "the tag 'a/b' holds '/', which a migration's name must not"),
        (#"{"entries":[{"tag":""}]}"#, 1, 21, "the tag '' is no file name"),
    ])
    func `a bad journal is an error with its place`(journal: String, line: Int, column: Int, message: String) {
        let error = #expect(throws: Complaint.self) { try read(journal) }
        #expect(error?.message == message)
        #expect(error?.status == .badFile)
        #expect(error?.place == Place(file: "meta/_journal.json", line: line, column: column))
    }

    @Test func `SQL files without a journal are an error where drizzle is configured`() {
        let error = #expect(throws: Complaint.self) { try set(listing("0000_a.sql"), .drizzle) }
        #expect(error?.status == .badFile)
    }

    @Test func `a journal that cannot be read is the reader's complaint`() {
        let error = #expect(throws: Complaint.self) { try set(listing("meta/_journal.json")) }
        #expect(error?.status == .inputOutput)
    }
}
