import Digest
import JSON
import LiveSupport
import Testing

/// Histories that are not quite what the tool makes, and the locks of the tools.
extension AdoptTests {
    private static func example(_ tool: String) throws -> Case { try #require(cases.first { $0.tool == tool }) }

    private func adopt(_ bench: Workbench, _ example: Case, _ more: String...) throws -> Program.Outcome {
        try Program.run(
            Program.built("migrated"), bench.arguments("adopt", layout(example) + more),
            environment: Program.environment, within: .seconds(60))
    }

    private func kinds(_ outcome: Program.Outcome) throws -> [String] {
        let tape = try JSONTape(outcome.outputBytes)
        return (tape.value(tape.root)["findings"]?.array ?? []).compactMap { finding in
            finding["kind"]?.string.map { "\($0) \(finding["name"]?.string ?? "")" }
        }
    }

    // MARK: Locks

    private static let held = """
        SELECT count(*) FROM pg_catalog.pg_locks AS l JOIN pg_catalog.pg_database AS d ON d.oid = l.database
         WHERE l.locktype = 'advisory' AND l.granted AND d.datname = pg_catalog.current_database()
        """

    @Test(arguments: ["golang-migrate", "golang-migrate /", "flyway", "goose", "sqlx"])
    func `each tool's own lock is waited for`(tool: String) throws {
        let example = try Self.example(String(tool.prefix { $0 != " " }))
        let bench = try prepare(example)
        let database = bench.database.name
        func crc(_ text: String) -> UInt32 { CRC32.of(text.utf8) }
        let key: Int64 =
            switch tool {
            case "golang-migrate": Int64(crc("public\0schema_migrations\0\(database)") &* 1_486_364_155)
            case "golang-migrate /": Int64(crc("public\0schema_migrations\0/\(database)") &* 1_486_364_155)
            case "flyway": 77_433_833_903_597
            case "goose": 4_097_083_626
            default: 0x3d32_ad9e * Int64(crc(database))
            }
        let holder = try Program(
            Cluster.programs + "/psql", ["-X", "-q", "-d", bench.database.conninfo],
            input: "SELECT pg_catalog.pg_advisory_lock(\(key)), pg_catalog.pg_sleep(300);")
        defer { holder.signal(9) }
        try eventually("the lock is held", within: .seconds(60)) {
            try bench.query(Self.held) != "0"
        }
        let refused = try adopt(bench, example, "--lock-wait", "200ms")
        #expect(refused.status == 75 && refused.errors.contains("\(example.tool) is migrating"), "\(refused)")
        #expect(try bench.events() == [])
        // Looking waits for nobody, and nothing of ours stays behind.
        #expect(try adopt(bench, example, "--dry-run").status == 0)
        #expect(try bench.query(Self.held) == "1")
    }

    // MARK: Shapes

    /// A tool with its table, a row of a file that is not there, what is told of it, and a column that it cannot do without.
    private static let odd: [(tool: String, table: String, row: String, told: String, column: String)] = [
        (
            "prisma", "_prisma_migrations", "('9', repeat('0', 64), now(), '9_gone', NULL, NULL, now(), 1)",
            "not_in_folder 9_gone", "migration_name"
        ),
        (
            "flyway", "flyway_schema_history", "(9, '9', 'gone', 'SQL', 'V9__gone.sql', 1, 'x', now(), 1, true)",
            "not_in_folder 9", "success"
        ), ("goose", "goose_db_version", "(9, 9, true)", "not_in_folder 9", "is_applied"),
        ("dbmate", "schema_migrations", "('9')", "not_in_folder 9", "version"),
        ("diesel", "__diesel_schema_migrations", "('9')", "not_in_folder 9", "version"),
        ("sqlx", "_sqlx_migrations", "(9, 'gone', now(), true, '\\x00', 1)", "not_in_folder 9", "checksum"),
        ("golang-migrate", "schema_migrations", "(9, false)", "not_in_folder 9", "dirty"),
        ("drizzle", "drizzle.__drizzle_migrations", "(9, 'ff', 2500)", "not_in_folder", "hash"),
    ]

    @Test(arguments: odd)
    func `a row without its file and a column of nobody's are told, a missing column is refused`(
        tool: String, table: String, row: String, told: String, column: String
    ) throws {
        let example = try Self.example(tool)
        let bench = try prepare(example)
        try bench.query("INSERT INTO \(table) VALUES \(row); ALTER TABLE \(table) ADD COLUMN note text")
        let adopted = try adopt(bench, example, "--from", tool == "golang-migrate" ? "encore" : tool, "-o", "json")
        #expect(adopted.status == 0, "\(adopted)")
        let kinds = try kinds(adopted)
        #expect(kinds.contains { $0.hasPrefix(told) } && kinds.contains("foreign_column note"), "\(kinds)")

        let other = try prepare(example)
        try other.query("ALTER TABLE \(table) ADD COLUMN note text, DROP COLUMN \(column)")
        let refused = try adopt(other, example, "--from", tool)
        #expect(refused.status == 78 && refused.errors.contains("column '\(column)' is missing"), "\(refused)")
        #expect(try other.events() == [])
    }

    @Test func `a text that differs from the one that was applied is told`() throws {
        let example = try Self.example("prisma")
        let bench = try prepare(example)
        try bench.write("2_b/migration.sql", "SELECT 2;\n")
        let adopted = try adopt(bench, example, "-o", "json")
        #expect(adopted.status == 0, "\(adopted)")
        #expect(try kinds(adopted).contains("checksum_differs 2_b"))
        #expect(
            try bench.query(
                "SELECT detail::jsonb ->> 'tool_checksum' FROM migrated.migration_rollback_audit WHERE name = '2_b'")
                == "different")
    }

    // MARK: Encore

    @Test func `Encore's rows are one for each version, or one for all`() throws {
        let example = try Self.example("golang-migrate")
        let many = try prepare(example)
        // As Encore's guide to importing a database makes it: without a key.
        try many.query(
            """
            DROP TABLE schema_migrations; CREATE TABLE schema_migrations (version bigint NOT NULL, dirty boolean NOT NULL);
            INSERT INTO schema_migrations VALUES (1, false), (3, false)
            """)
        let set = try adopt(many, example, "--from", "encore", "-o", "json")
        #expect(set.status == 0, "\(set)")
        #expect(try many.events("event = 'adopted'") == ["adopted 1_a assumed", "adopted 3_c assumed"])
        #expect(try kinds(set) == ["not_in_history 2_b"])
        #expect(try many.run("apply").status == 1)
        #expect(try many.run("apply", "--late", "apply").status == 0)
        #expect(try many.events("event = 'applied'") == ["applied 2_b"])

        let one = try prepare(example)
        let mark = try adopt(one, example, "--from", "encore", "-o", "json")
        #expect(try one.events("event = 'adopted'") == ["adopted 1_a assumed", "adopted 2_b assumed"])
        #expect(try kinds(mark).contains("ambiguous 2"), "\(mark)")
        #expect(try one.run("apply").status == 0)
    }
}
