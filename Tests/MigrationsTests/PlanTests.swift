import Reporting
import Testing

@testable import Migrations

@Suite struct PlanTests {
    @Test func `on an empty history everything is pending from its beginning`() throws {
        let plan = try planned(["1_a", "2_b", "10_c"])
        #expect(plan.actions == ["1_a": "pending new", "2_b": "pending new", "10_c": "pending new"])
        #expect(plan.steps.map(\.migration.name) == ["1_a", "2_b", "10_c"])
        #expect(plan.next?.migration.name == "1_a")
        #expect(plan.blocker == nil && plan.missing.isEmpty)
    }

    @Test func `what is applied with the same text, or without a recorded text, stays`() throws {
        let plan = try planned(["1_a", "2_b"], [state("1_a"), state("2_b", .adopted, text: nil)])
        #expect(plan.actions == ["1_a": "applied", "2_b": "applied"])
        #expect(plan.next == nil)
    }

    @Test func `numbers match whatever their zeros and titles`() throws {
        let plan = try planned(["001_renamed"], [state("1_a")])
        #expect(plan.actions == ["001_renamed": "renamed from 1_a"])
        let unknown = try planned(["01_a", "2_b"], [state("1_a", .adopted, text: nil), state("2_b")])
        #expect(unknown.actions["01_a"] == "held: number_reused")
    }

    @Test func `names match byte for byte in layouts of names`() throws {
        let folders = ["20250513_a/migration.sql", "20250513_b/migration.sql"]
        let plan = try planned(folders, [state("20250513_b", version: "20250513")])
        #expect(plan.actions == ["20250513_a": "pending new", "20250513_b": "applied"])
    }

    @Test func `a changed applied file is drift: reported, or holding up the line`() throws {
        let history = [state("1_a", text: "old")]
        let reported = try planned(["1_a", "2_b"], history)
        #expect(reported.actions == ["1_a": "edited", "2_b": "pending new"])
        let stopped = try planned(["1_a", "2_b"], history, PlanPolicy(onDrift: .stop))
        #expect(stopped.actions == ["1_a": "edited", "2_b": "blocked by 1"])
        #expect(stopped.blocker?.migration.name == "1_a")
    }

    @Test func `a failed file waits for mending and holds up the line`() throws {
        let plan = try planned(["1_a", "2_b", "3_c"], [state("1_a"), state("2_b", .failed)])
        #expect(plan.actions == ["1_a": "applied", "2_b": "waits", "3_c": "blocked by 2"])
        #expect(plan.steps.map(\.skipReason) == [nil, nil, "blocked_by_failure"])
    }

    @Test func `a failure without a recorded text waits for an operator`() throws {
        #expect(try planned(["1_a"], [state("1_a", .failed, text: nil)]).actions == ["1_a": "waits"])
        #expect(try planned(["1_a"], [state("1_a", .retryRequested, text: nil)]).actions == ["1_a": "pending retry"])
    }

    @Test func `on-failure=continue lets later files pass`() throws {
        let heads = ["2_b": "on-failure=continue"]
        let plan = try planned(["2_b", "3_c"], [state("2_b", .failed)], heads: heads)
        #expect(plan.actions == ["2_b": "waits", "3_c": "pending new"])
    }

    @Test func `a fixed file is pending at once, from its beginning`() throws {
        let plan = try planned(["2_b", "3_c"], [state("2_b", .failed, text: "old")])
        #expect(plan.actions == ["2_b": "pending mended", "3_c": "pending new"])
    }

    private let parts = FileParts([
        FileParts.Segment(bytes: "one", statements: ["a", "b"]), FileParts.Segment(bytes: "two", statements: ["c"]),
        FileParts.Segment(bytes: "three", statements: ["d", "e"]),
    ])
    private func committed(_ statements: String...) -> [CommittedPart] {
        statements.map { part in
            CommittedPart(bytes: "-", lexemes: FileParts.digest(part.map(String.init)), statements: part.count)
        }
    }

    @Test func `a fixed file goes on behind its committed parts`() throws {
        let history = { (done: [CommittedPart]) in [state("2_b", .failed, text: "old", done: done)] }
        for (done, position) in [
            (committed("ab"), "2"), (committed("ab", "c"), "3"), (committed("ab", "c", "de"), "5"),
            // The border between what is committed and what is not lies elsewhere now.
            (committed("a"), "1"), (committed("abc"), "3"), (committed("ab", "c", "d"), "4"),
            (committed("abcde"), "5"),
            // Of a program that recorded bytes alone.
            ([CommittedPart(bytes: "one")], "2"),
            ([CommittedPart(bytes: "one"), CommittedPart(bytes: "two")], "3"),
        ] {
            let plan = try planned(["2_b", "3_c"], history(done), parts: parts)
            #expect(plan.actions["2_b"] == "pending mended at \(position)")
        }
    }

    @Test func `a file with a changed committed part is held, and later ones wait`() throws {
        for (done, part) in [
            (committed("x"), 1), (committed("ba"), 1), (committed("ab", "x"), 2), (committed("ab", "c", "dex"), 3),
            ([CommittedPart(bytes: "other")], 1), ([CommittedPart(bytes: "one"), CommittedPart(bytes: "x")], 2),
        ] {
            let plan = try planned(["2_b", "3_c"], [state("2_b", .failed, text: "old", done: done)], parts: parts)
            #expect(plan.steps[0].action == .held(.committedPartChanged(part: part)))
            #expect(plan.actions["3_c"] == "blocked by 2")
        }
        // Nor does a file run whose parts nobody has looked at.
        let unseen = try planned(["2_b"], [state("2_b", .interrupted, done: committed("ab"))])
        #expect(unseen.actions["2_b"] == "held: committed_part_changed")
    }

    @Test func `the same text goes on where it stopped`() throws {
        for (status, cause) in [(VersionState.Status.interrupted, "interrupted"), (.retryRequested, "retry")] {
            let plan = try planned(["2_b"], [state("2_b", status, done: committed("ab", "c"))], parts: parts)
            #expect(plan.actions == ["2_b": "pending \(cause) at 3"])
        }
    }

    @Test func `a running file is left alone and holds up the line`() throws {
        let plan = try planned(["1_a", "2_b"], [state("1_a", .started)])
        #expect(plan.actions == ["1_a": "running", "2_b": "blocked by 1"])
    }

    @Test func `what was rolled back or only skipped is pending again`() throws {
        let plan = try planned(["1_a", "2_b"], [state("1_a", .rolledBack), state("2_b", .skipped)])
        #expect(plan.actions == ["1_a": "pending rolled back", "2_b": "pending new"])
    }

    @Test func `a late file follows the policy, and is never let through unmarked`() throws {
        let history = [state("3_c")]
        let stopped = try planned(["1_a", "2_b", "3_c", "4_d"], history)
        #expect(stopped.actions == ["1_a": "late 3", "2_b": "blocked by 1", "3_c": "applied", "4_d": "blocked by 1"])
        #expect(stopped.steps.first?.skipReason == "out_of_order")
        let applied = try planned(["1_a", "3_c", "4_d"], history, PlanPolicy(late: .apply))
        #expect(applied.actions == ["1_a": "pending new", "3_c": "applied", "4_d": "pending new"])
        #expect(applied.steps.map(\.lateBefore) == ["3", nil, nil])
    }

    @Test func `late as prisma does, where nothing is configured`() throws {
        let plan = try planned(["1_a/migration.sql", "2_b/migration.sql"], [state("2_b")])
        #expect(plan.actions == ["1_a": "pending new", "2_b": "applied"])
        #expect(plan.steps[0].lateBefore == "2")
    }

    @Test func `a file is late also before an applied one that is gone`() throws {
        let plan = try planned(["0_o", "1_a", "3_c"], [state("0_o"), state("2_b")])
        #expect(plan.actions == ["0_o": "applied", "1_a": "late 2", "3_c": "blocked by 1"])
        #expect(plan.missing.map(\.name) == ["2_b"])
        var repeatable = state("2_b")
        repeatable.repeatable = true
        #expect(try planned(["1_a"], [repeatable]).actions == ["1_a": "pending new"])
    }

    @Test func `what was attempted before its followers ran is not late`() throws {
        for status in [VersionState.Status.interrupted, .rolledBack, .retryRequested] {
            let plan = try planned(["1_a", "2_b"], [state("1_a", status), state("2_b")])
            #expect(plan.steps[0].isPending && plan.steps[0].lateBefore == nil)
        }
        #expect(try planned(["1_a", "2_b"], [state("1_a", .skipped), state("2_b")]).actions["1_a"] == "late 2")
    }

    @Test func `repeatable files run last, and again when their text changes`() throws {
        let heads = ["1_view": "repeatable", "9_grant": "repeatable"]
        let plan = try planned(
            ["1_view", "2_b", "9_grant"], [state("1_view", text: "old"), state("9_grant")], heads: heads)
        #expect(plan.steps.map(\.migration.name) == ["2_b", "1_view", "9_grant"])
        #expect(plan.actions == ["2_b": "pending new", "1_view": "pending changed", "9_grant": "applied"])
        #expect(plan.steps.map(\.lateBefore) == [nil, nil, nil])
        #expect(
            try planned(["1_view"], [state("1_view", .adopted, text: nil)], heads: heads).actions == [
                "1_view": "pending changed"
            ])
        let failed = try planned(["1_view", "2_b"], [state("1_view", .failed)], heads: heads)
        #expect(failed.actions == ["2_b": "pending new", "1_view": "waits"])
    }

    @Test func `a limit lets nothing behind it run`() throws {
        let heads = ["1_view": "repeatable", "9_grant": "repeatable"]
        let names = ["1_view", "2_b", "3_c", "4_fifo|", "9_grant"]
        let plan = try planned(names, limit: "2", heads: heads)
        #expect(
            plan.actions == [
                "1_view": "pending new", "2_b": "pending new", "3_c": "beyond", "4_fifo": "beyond", "9_grant": "beyond",
            ])
        let error = #expect(throws: Complaint.self) { try planned(names, limit: "77") }
        #expect(error?.status == .usage)
        let behind = try planned(["1_view", "2_b", "3_c"], [state("3_c", .failed)], limit: "2", heads: heads)
        #expect(behind.actions == ["1_view": "pending new", "2_b": "pending new", "3_c": "waits"])
    }

    @Test func `requires wants its versions applied or earlier in the line`() throws {
        #expect(try planned(["1_a", "2_b"], heads: ["2_b": "requires=001"]).actions["2_b"] == "pending new")
        #expect(
            try planned(["2_b", "3_c"], heads: ["2_b": "requires=3"]).actions == [
                "2_b": "unmet 3", "3_c": "blocked by 2",
            ])
        let gone = try planned(["0_o", "2_b"], [state("0_o"), state("1_gone")], heads: ["2_b": "requires=1"])
        #expect(gone.actions["2_b"] == "pending new")
        let waiting = ["1_a": "on-failure=continue", "2_b": "requires=1_a on-failure=continue"]
        let plan = try planned(["1_a", "2_b", "3_c"], [state("1_a", .failed)], heads: waiting)
        #expect(plan.actions == ["1_a": "waits", "2_b": "unmet 1_a", "3_c": "pending new"])
        #expect(plan.steps[1].skipReason == "unmet_requirement")
    }

    @Test func `a file that cannot be run holds its place, applied or not`() throws {
        let plan = try planned(["1_a", "2_b|", "3_c"])
        #expect(plan.actions == ["1_a": "pending new", "2_b": "invalid", "3_c": "blocked by 2"])
        #expect(plan.steps[1].skipReason == "invalid_file")
        let applied = try planned(["2_b|", "3_c"], [state("2_b")])
        #expect(applied.actions == ["2_b": "unreadable", "3_c": "pending new"])
        let strict = try planned(["2_b|", "3_c"], [state("2_b")], PlanPolicy(onDrift: .stop))
        #expect(strict.actions == ["2_b": "unreadable", "3_c": "blocked by 2"])
    }

    @Test func `what vanished is told where something of it is in the database`() throws {
        let plan = try planned(
            [],
            [
                state("1_a"), state("2_b", .adopted), state("3_c", .failed),
                state("4_d", .interrupted, done: [CommittedPart(bytes: "one")]),
                state("5_e", .rolledBack),
            ])
        #expect(plan.missing.map(\.name) == ["1_a", "2_b", "4_d"])
    }
}
