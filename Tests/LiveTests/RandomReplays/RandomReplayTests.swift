import Glibc
import LiveSupport
import Testing

/// Random files that create a table and alter it, of which some statements were done: replayed under skip-identical, they leave what a plain run leaves, rows and all.
///
/// `REPLAY_CASES=1000` runs that many, from seed `REPLAY_FIRST` on; `REPLAY_SEED=17` runs one. The server is the one of `POSTGRESQL_BIN`.
@Suite struct `Any replay` {
    /// Seeds that share a database.
    static let batches: [[Int]] = {
        if let seed = number("REPLAY_SEED") { return [[seed]] }
        let first = number("REPLAY_FIRST") ?? 1
        let seeds = Array(first..<first + (number("REPLAY_CASES") ?? 100))
        return stride(from: 0, to: seeds.count, by: 25).map { Array(seeds[$0..<min($0 + 25, seeds.count)]) }
    }()

    @Test(arguments: batches)
    func `of a file that was interrupted ends as a plain run does`(seeds: [Int]) throws {
        let plain = try Workbench()
        let bench = try Workbench()
        var cases: [RandomAlteration] = []
        var broken: [String] = []
        for seed in seeds {
            let what = RandomAlteration(seed: seed)
            for database in [plain, bench] { try database.query("CREATE SCHEMA \(what.schema)") }
            do { try plain.query(what.file) } catch {
                broken.append("\(seed): \(error)")
                continue
            }
            cases.append(what)
            try bench.query(what.begun)
            try bench.write(
                "\(seed)_file.sql", "-- migrated: existing=skip-identical on-failure=continue\n\(what.file)")
        }
        // A harness whose files do not run tests nothing.
        #expect(broken.count * 3 < max(seeds.count, 9), "\(broken.joined(separator: "\n"))")
        let outcome = try bench.run("apply")
        #expect([0, 1].contains(outcome.status), "\(outcome)")
        for what in cases {
            let said = try bench.query(
                "SELECT message FROM migrated.migration_rollback_audit WHERE version = '\(what.seed)' AND event = 'failed'"
            )
            let begun = "\(what.done) of \(what.statements.count) done"
            // Nothing was done: no catalog tells the old column from the new one.
            if said.contains("which the file drops and adds again") { continue }
            if !said.isEmpty {
                Issue.record("REPLAY_SEED=\(what.seed) refused, \(begun): \(said)\n\(what.file)")
            } else if try Self.dump(bench, what.schema) != Self.dump(plain, what.schema) {
                Issue.record(
                    "REPLAY_SEED=\(what.seed) differs, \(begun)\n\(what.file)\n\(try Self.dump(bench, what.schema))\n-- plain\n\(try Self.dump(plain, what.schema))"
                )
            }
        }
        #expect(try bench.faults() == "")
    }

    private static func dump(_ bench: Workbench, _ schema: String) throws -> String {
        let outcome = try Program.run(
            Cluster.programs + "/pg_dump", ["--schema=\(schema)", "-d", bench.database.conninfo])
        try #require(outcome.status == 0, "\(outcome)")
        return outcome.output.split(separator: "\n").filter {
            !$0.hasPrefix("--") && !$0.hasPrefix("\\restrict") && !$0.hasPrefix("\\unrestrict")
        }.joined(separator: "\n")
    }

    private static func number(_ name: String) -> Int? { getenv(name).flatMap { Int(String(cString: $0)) } }
}
