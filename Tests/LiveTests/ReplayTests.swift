import LiveSupport
import Testing

/// `existing = skip-identical`: what stands is compared, not trusted.
@Suite struct ReplayTests {
    private static let directive = "-- migrated: existing=skip-identical"

    @Test(arguments: ReplaySample.all)
    func `what stands already is passed over, and whatever differs is named`(sample: ReplaySample) throws {
        let bench = try Workbench()
        if !sample.ground.isEmpty { try bench.query(sample.ground) }
        let text = sample.statements.map { $0 + ";\n" }.joined()
        try bench.write("1_first.sql", "\(Self.directive)\n\(text)")
        let first = try bench.run("apply")
        try #require(first.status == 0, "\(first)")
        #expect(try bench.events("event IN ('skipped', 'failed')") == [])
        let schema = try Self.dump(bench)

        // The same under another version: nothing is left to do.
        try bench.write("2_again.sql", "\(Self.directive)\n\(text)")
        let again = try bench.run("apply")
        #expect(again.status == 0, "\(again)")
        let skipped = try bench.query(
            """
            SELECT count(*) FROM migrated.migration_rollback_audit
             WHERE version = '2' AND event = 'skipped' AND reason = 'object_exists' AND object IS NOT NULL
               AND detail LIKE '%"compared":true%'
            """)
        #expect(Int(skipped) ?? 0 >= sample.statements.count)
        #expect(try Self.dump(bench) == schema)

        // One property changed.
        for (number, mutation) in sample.mutations.enumerated() {
            try bench.write("\(100 + number)_mutation.sql", "\(Self.directive) on-failure=continue\n\(mutation.sql);\n")
        }
        let mutated = try bench.run("apply")
        #expect(mutated.status == 1, "\(mutated)")
        for (number, mutation) in sample.mutations.enumerated() {
            let said = try bench.query(
                """
                SELECT event, reason, message, detail FROM migrated.migration_rollback_audit
                 WHERE version = '\(100 + number)' AND event NOT IN ('started', 'skipped')
                """)
            #expect(
                said.hasPrefix("failed|object_differs|") && said.contains("\"what\":\"\(mutation.names)"),
                "\(mutation.sql)\n\(said)")
        }
        #expect(try Self.dump(bench) == schema)
        #expect(try bench.faults() == "")
    }

    /// Everything outside of the history.
    static func dump(_ bench: Workbench) throws -> String {
        let outcome = try Program.run(
            Cluster.programs + "/pg_dump",
            ["--schema-only", "--exclude-schema=migrated", "-d", bench.database.conninfo])
        try #require(outcome.status == 0, "\(outcome)")
        // Newer ones begin and end with a random word against hostile dumps.
        return outcome.output.split(separator: "\n").filter {
            !$0.hasPrefix("\\restrict") && !$0.hasPrefix("\\unrestrict")
        }
        .joined(separator: "\n")
    }
}
