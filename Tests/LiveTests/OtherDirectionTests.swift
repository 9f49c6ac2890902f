import LiveSupport
import Testing

@Suite struct `A file that holds both directions` {
    static let cases: [(String, String, Int)] = [
        ("1_a.sql", "-- +migrate Up\nCREATE TABLE people (id int);\n-- +migrate Down\nDROP TABLE people;\n", 1),
        ("1_a.sql", "CREATE TABLE people (id int);\n\n-- === DOWN ===\nDROP TABLE people;\n", 3),
        ("1_a.sql", "CREATE TABLE people (id int);\n\nDROP TABLE people;\n", 3),
        ("1_a.up.sql", "CREATE TABLE people (id int);\n---- create above / drop below ----\nDROP TABLE people;\n", 2),
        ("V1__a.sql", "CREATE TABLE people (id int);\n-- rollback\nDROP TABLE people;\n", 2),
        ("1_a/migration.sql", "CREATE TABLE people (id int);\n-- Down Migration\nDROP TABLE people;\n", 2),
    ]

    @Test(arguments: cases)
    func `is refused before anything runs, and check says so`(path: String, text: String, line: Int) throws {
        let bench = try Workbench()
        if path.contains("/") { try bench.folder.makeDirectory("m/1_a") }
        // The table of a database that had it already is what would be lost.
        try bench.query("CREATE TABLE people (id int); INSERT INTO people VALUES (1)")
        try bench.write(path, text.replacing("CREATE TABLE", with: "CREATE TABLE IF NOT EXISTS"))
        let layout = path == "1_a.sql" ? ["--layout", "flat"] : []
        let check = try Program.run(
            Program.built("migrated"), bench.arguments("check", layout), environment: Program.environment,
            within: .seconds(120))
        #expect(
            check.status == 65 && check.output.contains("M001") && check.output.contains("\(path):\(line):"), "\(check)"
        )
        let applied = try Program.run(
            Program.built("migrated"), bench.arguments("apply", layout), environment: Program.environment,
            within: .seconds(120))
        #expect(applied.status == 65 && applied.errors.contains("\(path):\(line):"), "\(applied)")
        #expect(try bench.query("SELECT count(*) FROM people") == "1")
        #expect(try bench.events("event = 'started'") == [])
        #expect(try bench.events("event = 'skipped'").allSatisfy { $0.hasSuffix("invalid_file") })
        #expect(try bench.events("event = 'skipped'").count == 1)
    }

    @Test func `runs whole where it says that it is meant`() throws {
        let bench = try Workbench()
        try bench.write(
            "1_a.sql",
            "-- migrated: direction=up\nCREATE TABLE people (id int);\n-- down\nDROP TABLE people;\nCREATE TABLE b ();\n"
        )
        #expect(try bench.run("check").status == 0)
        #expect(try bench.run("apply").status == 0)
        #expect(try bench.query("SELECT to_regclass('people') IS NULL AND to_regclass('b') IS NOT NULL") == "t")
    }

    @Test func `whose file was applied before this was looked at stays applied`() throws {
        let bench = try Workbench()
        let text = "CREATE TABLE people (id int);\n-- down\nDROP TABLE people;\n"
        try bench.write("1_a.sql", "-- migrated: direction=up\n" + text)
        #expect(try bench.run("apply").status == 0)
        try bench.write("2_b.sql", "CREATE TABLE b ();\n")
        let outcome = try bench.run("apply")
        #expect(outcome.status == 0, "\(outcome)")
    }
}
