import LiveSupport
import Reporting

/// Many cases at once: each in a schema of its own, all in one database, by one `migrated apply` and one `migrated rollback`.
struct OrphanRun {
    /// What is wrong with one case.
    struct Finding {
        var seed: Int
        /// `refused`, `wrong rows`, `kept rows`, `not restored` and so on.
        var kind: String
        var text: String
        /// The case itself.
        var script: String
    }

    /// Findings by seed, and how many cases PostgreSQL cleaned, refused and did not even build.
    struct Result {
        var findings: [Finding] = []
        var cleaned = 0
        var broken: [String] = []
        /// The cases themselves.
        var scripts: [String] = []
        /// Why PostgreSQL refused by hand.
        var refusals: [String] = []
    }

    /// What differs between runs.
    struct Options {
        /// Whether the events must say that the way back is proved.
        var wantsProof = true
        /// Whether keys are added step by step: what acts on further rows may be refused then, and a failure leaves the steps that were done.
        var isStepwise = false
    }

    private let bench: Workbench
    private let cases: [OrphanCase]
    private let options: Options

    static func check(_ make: (Int, OrphanServer) -> OrphanCase, _ seeds: [Int], _ options: Options) throws -> Result {
        let bench = try Workbench()
        // `IF EXISTS … FORCE`: a program that hangs is reported by its own limit.
        defer { _ = try? bench.database.cluster.psql("postgres", "DROP DATABASE \(bench.database.name) WITH (FORCE)") }
        let server = try prepare(bench)
        let run = OrphanRun(bench: bench, cases: seeds.map { make($0, server) }, options: options)
        do {
            return try run.check()
        } catch {
            throw LiveFailure("\(error)\n\(run.cases.count == 1 ? run.cases[0].script : "")")
        }
    }

    private static func prepare(_ bench: Workbench) throws -> OrphanServer {
        let facts = try bench.query(
            """
            CREATE TABLE public.marker ();
            SELECT current_setting('server_version_num'), EXISTS (SELECT FROM pg_available_extensions WHERE name = 'citext');
            """
        ).split(separator: "|")
        var server = OrphanServer(version: Int(facts[0]) ?? 0, hasCitext: facts[1] == "t", hasICU: true)
        if server.hasCitext { try bench.query("CREATE EXTENSION citext SCHEMA public") }
        server.hasICU =
            try bench.database.psql(
                "CREATE COLLATION public.loose (provider = icu, locale = 'und-u-ks-level2', deterministic = false)"
            ).status == 0
        try bench.query(OrphanOracle.schema + OrphanOracle.hand)
        return server
    }

    private func check() throws -> Result {
        var result = Result()
        result.scripts = cases.map(\.script)
        try judge()
        let broken = try lines("SELECT n, broken FROM harness.cases WHERE broken IS NOT NULL ORDER BY n")
        result.broken = broken.map { number, words in "seed \(cases[number].seed): \(words)" }
        let skipped = Set(broken.map(\.0))
        for (number, one) in cases.enumerated() where !skipped.contains(number) {
            try bench.write(
                "\(name(number)).up.sql", "-- migrated: orphans=clean on-failure=continue\n" + one.up("c\(number)"))
            try bench.write("\(name(number)).down.sql", one.down("c\(number)"))
        }
        try bench.folder.write(
            "migrated.toml",
            "orphans = \"clean\"\norphan-limit = \"1000000\"\nretry-tries = 1\npreflight = \"no\"\n"
                + "foreign-keys = \"\(options.isStepwise ? "stepwise" : "one-transaction")\"\n"
        )
        let outcome = try bench.run("apply", within: .seconds(600))
        guard [0, 1].contains(outcome.status) else { throw LiveFailure("apply: \(outcome)") }
        try bench.query(OrphanOracle.comparison)
        try add(&result, "check_applied", ", \(options.wantsProof), \(options.isStepwise)", "true")
        let refusals = try lines("SELECT n, outcomes -> 0 ->> 'error' FROM harness.cases WHERE outcomes -> 0 ? 'error'")
        result.refusals = refusals.map { number, words in "seed \(cases[number].seed): \(words)" }
        result.cleaned =
            Int(
                try bench.query(
                    "SELECT count(*) FROM harness.cases WHERE outcomes -> 0 -> 'counts' <> '{}' AND outcomes -> 0 ? 'counts'"
                )) ?? 0
        try rollBack()
        try add(&result, "check_rolled_back", "", "harness.applied(n)")
        return result
    }

    private func name(_ number: Int) -> String { "\(1000 + number)_x" }

    private func judge() throws {
        var script = ""
        for (number, one) in cases.enumerated() {
            script += "SELECT harness.build(\(number), '\(name(number))', \(Quoting.literal(one.ddl)));\n"
            for (place, key) in one.keys.enumerated() {
                let values = [
                    Quoting.literal(key.table), array(key.columns), Quoting.literal(key.parent),
                    array(key.parentColumns),
                    "\(key.isFull)", array(key.nullable),
                    Quoting.literal(
                        "ALTER TABLE c\(number).\(Quoting.identifier(key.table)) \(key.definition("c\(number)."))"),
                ]
                script += "INSERT INTO harness.keys VALUES (\(number), \(place), \(values.joined(separator: ", ")));\n"
            }
            script += "SELECT harness.judge(\(number), \(array(one.ways)));\n"
        }
        try bench.query("SET client_min_messages = warning;\n" + script)
    }

    private func array(_ names: [String]) -> String {
        "ARRAY[\(names.map(Quoting.literal).joined(separator: ", "))]::pg_catalog.text[]"
    }

    /// All that is applied, the last one first; a rollback that fails is marked as done by hand, and the others go on.
    private func rollBack() throws {
        for _ in 0...cases.count {
            let count =
                Int(try bench.query("SELECT count(*) FROM migrated.migration_status WHERE status = 'applied'")) ?? 0
            guard count > 0 else { return }
            let outcome = try bench.run("rollback", "--last", "\(count)", "--reason", "random", within: .seconds(600))
            guard outcome.status != 0 else { return }
            let failed = try bench.query(
                "SELECT version FROM migrated.migration_rollback_audit WHERE event = 'rollback_failed' ORDER BY seq DESC LIMIT 1"
            )
            guard !failed.isEmpty else { throw LiveFailure("rollback: \(outcome)") }
            let resolved = try bench.run("resolve", failed, "--rolled-back", "--reason", "random")
            guard resolved.status == 0 else { throw LiveFailure("resolve after \(outcome): \(resolved)") }
        }
    }

    private func add(_ result: inout Result, _ function: String, _ more: String, _ condition: String) throws {
        let found = try lines(
            """
            SELECT n, replace(f, E'\\n', E'\\r') FROM harness.cases, LATERAL harness.\(function)(n\(more)) AS f
             WHERE broken IS NULL AND \(condition) ORDER BY n
            """)
        for (number, text) in found {
            let one = cases[number]
            let kind = text.prefix { $0 != ":" }
            result.findings.append(
                Finding(
                    seed: one.seed, kind: String(kind),
                    text: text.replacing("\r", with: "\n"), script: one.script))
        }
    }

    private func lines(_ sql: String) throws -> [(Int, String)] {
        try bench.query(sql).split(separator: "\n").compactMap { line in
            let cells = line.split(separator: "|", maxSplits: 1, omittingEmptySubsequences: false)
            return Int(cells[0]).map { ($0, cells.count > 1 ? String(cells[1]) : "") }
        }
    }
}
