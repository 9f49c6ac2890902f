import JSON
import LiveSupport
import Testing

/// `migrated check --database`: the files against the history.
@Suite struct `A check with the history beside it` {
    private func bench() throws -> Workbench {
        let bench = try Workbench()
        try bench.write("001_a.sql", "CREATE TABLE a (x int);\nINSERT INTO a VALUES (1);\n")
        try bench.write("002_b.sql", "DROP TABLE IF EXISTS old;\n")
        return bench
    }

    private func check(_ bench: Workbench, _ more: String...) throws -> Program.Outcome {
        try Program.run(
            Program.built("migrated"), bench.arguments("check", ["--database", bench.database.conninfo] + more),
            environment: Program.environment, within: .seconds(60))
    }

    @Test func `finds the first line of an applied file that was changed, and writes nothing`() throws {
        let bench = try bench()
        let before = try check(bench, "--fail-on", "warning")
        #expect(before.status == 1 && before.output.contains("002_b.sql:1:1: warning M040"), "\(before)")
        #expect(before.output.hasSuffix(", 0 applied\n"), "\(before)")
        #expect(try bench.query("SELECT pg_catalog.to_regnamespace('migrated') IS NULL") == "t")
        #expect(try bench.run("apply").status == 0)
        let same = try check(bench, "--fail-on", "note")
        #expect(same.status == 0, "\(same)")
        #expect(
            same.output == "layout flat, 2 migrations, 0 errors, 0 warnings, 0 notes, 2 applied\n", "\(same)")
        try bench.write("001_a.sql", "CREATE TABLE a (x int);\nINSERT INTO a VALUES (2);\n")
        let events = try bench.events()
        let edited = try check(bench)
        #expect(edited.status == 1, "\(edited)")
        #expect(
            edited.output.hasPrefix(
                """
                001_a.sql:2: error M007 the file was changed after it had been applied, from this line on
                    INSERT INTO a VALUES (2);
                """), "\(edited)")
        #expect(try bench.events() == events)
        // Without --database the configured one is left alone.
        #expect(try bench.run("check").status == 0)
    }

    @Test func `finds an applied file that has gone, and what is wrong with pending ones`() throws {
        let bench = try bench()
        #expect(try bench.run("apply").status == 0)
        try bench.folder.remove("m/002_b.sql")
        try bench.write("003_c.sql", "CREATE TABLE a (x int);\n")
        let outcome = try check(bench, "--output", "json")
        #expect(outcome.status == 1, "\(outcome)")
        let tape = try JSONTape(outcome.outputBytes)
        let findings = try #require(tape.value(tape.root)["findings"]?.array)
        #expect(findings.compactMap { $0["code"]?.string } == ["M010", "M007"], "\(outcome)")
        #expect(findings.last?["message"]?.string == "'002_b' is applied, and its file is not there")
        #expect(tape.value(tape.root)["applied"]?.integer == 2)
    }

    @Test func `says so where the database cannot be reached`() throws {
        let bench = try bench()
        let outcome = try Program.run(
            Program.built("migrated"), bench.arguments("check", ["--database", "host=/nowhere"]),
            environment: Program.environment, within: .seconds(60))
        #expect(outcome.status == 69 && outcome.output.isEmpty, "\(outcome)")
    }
}
