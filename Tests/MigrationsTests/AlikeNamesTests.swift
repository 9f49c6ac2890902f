import Reporting
import Testing

@testable import Migrations

@Suite struct `Names that are easily taken for one` {
    private static let composed = "\u{C4}"
    private static let decomposed = "A\u{308}"

    @Test(arguments: [
        ["1_\(composed)/migration.sql", "1_\(decomposed)/migration.sql"], ["1_\(composed).sql", "1_\(decomposed).sql"],
        ["R__\(composed).sql", "R__\(decomposed).sql", "V1__a.sql"],
        ["0_\(composed).sql", "0_\(decomposed).sql", "meta/_journal.json"],
    ])
    func `two Unicode forms of one name are refused`(paths: [String]) throws {
        let complaint = try #require(throws: Complaint.self) {
            try set(listing(paths), files: ["meta/_journal.json": #"{"entries":[{"tag":"0_Ä"}]}"#])
        }
        #expect(complaint.status == .badFile && complaint.message.contains("differ only in the Unicode form"))
        #expect(MigrationSet.isNameClash(complaint))
    }

    @Test func `the other form of an applied name is the same migration`() throws {
        let plan = try planned(["1_\(Self.decomposed)/migration.sql"], [state("1_\(Self.composed)")])
        #expect(plan.steps.map(\.action) == [.applied])
        #expect(plan.missing.isEmpty)
    }

    @Test func `names that differ in case are told of, and both run`() throws {
        let set = try set(listing("1_Users/migration.sql", "1_users/migration.sql"), order: .bytes)
        #expect(set.names == ["1_Users", "1_users"])
        #expect(set.told == ["alike_names 1_users/migration.sql"])
    }

    @Test func `an applied file whose name changes its case is not run again`() throws {
        let plan = try planned(
            ["1_Users/migration.sql", "2_b/migration.sql", "3_c/migration.sql"],
            [state("1_users", version: "1_users"), state("2_b")])
        #expect(plan.steps[0].action == .held(.renamedAndEdited(from: "1_users")))
        #expect(plan.pending.isEmpty)
    }

    @Test func `where numbers count a title may change its case`() throws {
        let plan = try planned(["1_Users"], [state("1_users")])
        #expect(plan.steps.map(\.action) == [.renamed(from: "1_users")])
    }
}
