import Glibc
import LiveSupport
import Testing

/// Random schemas and random graphs of keys: what `migrated` leaves is what an administrator comes to by hand, what it took out is
/// kept and counted to the row, and a rollback brings all of it back.
///
/// `ORPHAN_CASES=5000` runs that many cases of each kind, from seed `ORPHAN_FIRST` on; `ORPHAN_SEED=17` runs one. The server is the one of
/// `POSTGRESQL_BIN`. `ORPHAN_STEPWISE=yes` adds the keys step by step, `ORPHAN_PROOF=no` does not ask for the
/// proof of the way back in the events, `ORPHAN_VERBOSE=yes` prints the kinds of findings and why PostgreSQL refused by hand.
@Suite struct `Any orphans` {
    /// Seeds that share a database.
    static let batches: [[Int]] = {
        if let seed = number("ORPHAN_SEED") { return [[seed]] }
        let first = number("ORPHAN_FIRST") ?? 1
        let seeds = Array(first..<first + (number("ORPHAN_CASES") ?? 100))
        return stride(from: 0, to: seeds.count, by: 25).map { Array(seeds[$0..<min($0 + 25, seeds.count)]) }
    }()

    @Test(arguments: batches)
    func `between tables of any shape are cleaned as by hand, and come back`(seeds: [Int]) throws {
        try check("schema", RandomSchema.make, seeds)
    }

    @Test(arguments: batches)
    func `among keys of any kind are cleaned as by hand, and come back`(seeds: [Int]) throws {
        try check("graph", RandomGraph.make, seeds)
    }

    private func check(_ kind: String, _ make: (Int, OrphanServer) -> OrphanCase, _ seeds: [Int]) throws {
        let result: OrphanRun.Result
        do {
            result = try OrphanRun.check(make, seeds, Self.options)
        } catch {
            // A program that ends in no order takes its whole batch along: alone, each says whether it is the one.
            guard seeds.count > 1 else { throw LiveFailure("\(kind) ORPHAN_SEED=\(seeds[0]) \(error)") }
            Issue.record("\(kind) \(seeds): \(error)")
            for seed in seeds { try check(kind, make, [seed]) }
            return
        }
        for (seed, findings) in Dictionary(grouping: result.findings, by: \.seed).sorted(by: { $0.key < $1.key }) {
            let texts = findings.map(\.text).joined(separator: "\n")
            Issue.record("\(kind) ORPHAN_SEED=\(seed) \(texts)\n\(findings.first?.script ?? "")")
        }
        // A harness whose schemas do not come about tests nothing.
        #expect(result.broken.count * 5 < max(seeds.count, 10), "\(result.broken.joined(separator: "\n"))")
        guard Self.text("ORPHAN_VERBOSE") != nil else { return }
        print(
            "\(kind) \(seeds[0])…: cleaned \(result.cleaned), refused \(result.refusals.count), not built \(result.broken.count)"
        )
        if Self.number("ORPHAN_SEED") != nil { print("\(kind)\n\(result.scripts.joined(separator: "\n"))") }
        for line in result.broken { print("  \(kind) not built, \(line)") }
        for line in result.refusals { print("  \(kind) refused, \(line)") }
        for finding in result.findings { print("FINDING \(kind) \(finding.seed) \(finding.kind)") }
    }

    private static let options = OrphanRun.Options(
        wantsProof: text("ORPHAN_PROOF") != "no", isStepwise: text("ORPHAN_STEPWISE") == "yes")
    private static func text(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
    private static func number(_ name: String) -> Int? { text(name).flatMap { Int($0) } }
}
