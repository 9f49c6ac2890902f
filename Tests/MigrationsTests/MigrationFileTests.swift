import Reporting
import Testing

@testable import Migrations

@Suite struct MigrationFileTests {
    private let migration = Migration(version: "1", name: "1_a", path: "1_a.sql", identity: .named("1_a"))

    private func file(_ text: String) throws(Complaint) -> MigrationFile {
        try MigrationFile(migration: migration, bytes: Array(text.utf8))
    }

    @Test func `the checksum is that of the bytes`() throws {
        let empty = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        #expect(try file("").checksum == empty)
        #expect(try file("\r\n").checksum != empty)
    }

    @Test func `all keys are read, quoted or not, from several lines`() throws {
        let directives = try file(
            """
            \u{feff}/* licence /* nested */ -- migrated: deadline=1s */\r
            -- prose first\r
            \r
              --migrated: on-failure=continue statement-timeout="1h 30min"\r
            -- Migrated:\tlock-timeout='500ms' deadline=2min transaction=none\r
            -- migrated: requires=1,024a,20250513_x repeatable\r
            SELECT 1;\r
            """
        ).directives
        var expected = Directives()
        expected.onFailure = .continue
        expected.statementTimeout = .seconds(5400)
        expected.lockTimeout = .milliseconds(500)
        expected.deadline = .seconds(120)
        expected.withoutTransaction = true
        expected.requires = ["1", "024a", "20250513_x"]
        expected.repeatable = true
        #expect(directives == expected)
    }

    @Test(arguments: [
        ("-- migrated: on-failur=stop", 1, 14, "unknown directive 'on-failur'"),
        ("\n-- x\n  -- migrated: deadline=1s bogus", 3, 28, "unknown directive 'bogus'"),
        ("-- migrated: on-failure=maybe", 1, 25, "'maybe' is no value for 'on-failure'"),
        ("-- migrated: deadline=soon", 1, 23, "'soon' is no value for 'deadline'"),
        ("-- migrated: deadline=", 1, 23, "'' is no value for 'deadline'"),
        ("-- migrated: transaction=all", 1, 26, "'all' is no value for 'transaction'"),
        ("-- migrated: requires=1,,2", 1, 23, "'1,,2' is no value for 'requires'"),
        ("-- migrated: repeatable=yes", 1, 14, "'repeatable' takes no value"),
        ("-- migrated: deadline = 1s", 1, 14, "'deadline' needs a value"),
        ("-- migrated: deadline='1s", 1, 23, "a quoted value does not end"),
        ("-- migrated: deadline=1s\n-- migrated: deadline=2s", 2, 14, "'deadline' is given twice"),
        ("-- migrated:", 1, 13, "a directive line without a directive"),
        ("select 1;\n\t-- migrated: deadline=1s", 2, 2, "a directive below the first statement has no effect"),
        ("select 1; -- x\r\n-- migrated: repeatable\r\n", 2, 1, "a directive below the first statement has no effect"),
        ("select 1;\0", 1, 10, "the file holds a NUL byte"),
    ])
    func `bad text is refused with line and column`(text: String, line: Int, column: Int, message: String) {
        let error = #expect(throws: Complaint.self) { try file(text) }
        #expect(error?.message == message)
        #expect(error?.status == .badFile)
        #expect(error?.place == Place(file: "1_a.sql", line: line, column: column))
    }

    @Test func `what is said to a check is let be, wherever it stands`() throws {
        let text = """
            -- migrated: allow=M030 reason=it's a small table
            -- migrated: deadline=1s
            select 1;
            -- migrated: allow=drop-column,M042 reason='nobody reads it'
            select 2;
            """
        var expected = Directives()
        expected.deadline = .seconds(1)
        #expect(try file(text).directives == expected)
    }

    @Test func `later text that only looks a little like a directive is let be`() throws {
        #expect(try file("select 1;\n-- migrated: from the old table by hand\n").directives == Directives())
        #expect(try file("select '--migrated: deadline=1s'").directives == Directives())
        #expect(try file("/* open\n-- migrated: deadline=1s").directives == Directives())
    }

    @Test(
        arguments: [
            ([0x41, 0x0A, 0x42, 0xFF], 2, 2, "the file is not UTF-8"), ([0xC3, 0x28], 1, 1, "the file is not UTF-8"),
            ([0xFF, 0xFE, 0x41, 0x00], 1, 1, "the file is UTF-16"),
        ] as [([UInt8], Int, Int, String)])
    func `bytes that are no UTF-8 are refused with their place`(bytes: [UInt8], line: Int, column: Int, message: String)
    {
        let error = #expect(throws: Complaint.self) { try MigrationFile(migration: migration, bytes: bytes) }
        #expect(error?.message == message)
        #expect(error?.place == Place(file: "1_a.sql", line: line, column: column))
    }

    @Test func `an obstacle of the migration is not read past`() {
        var blocked = migration
        let obstacle = Finding(.invalidFile, path: "1_a.sql", "'1_a.sql' is not a regular file")
        blocked.obstacle = obstacle
        #expect(throws: Complaint.self) { try MigrationFile(migration: blocked, bytes: []) }
        let candidate = Candidate(blocked) { _ in preconditionFailure("an obstacle is met before the file") }
        #expect(candidate.content == .unusable(obstacle))
    }

    @Test func `what goes wrong on reading becomes the candidate's finding`() {
        let unsafe = Candidate(migration) { _ throws(Complaint) in throw Complaint(.permission, "world-writable") }
        let broken = Candidate(migration) { _ throws(Complaint) in throw Complaint(.inputOutput, "gone") }
        guard case .unusable(let first) = unsafe.content, case .unusable(let second) = broken.content else {
            Issue.record("both are unusable")
            return
        }
        #expect(first.reason == .unsafePermissions)
        #expect(second.reason == .invalidFile)
    }

    @Test func `a text may run twice where the server refuses a second run, or it does no harm`() throws {
        for text in [
            "", "-- nothing", ";;", "ALTER TABLE t ADD COLUMN c int;", "create index on t (c)",
            "BEGIN; DROP VIEW v; COMMIT;",
            "CREATE TABLE t (id int DEFAULT 1); GRANT INSERT, UPDATE ON t TO r;", "COMMENT ON TABLE t IS 'delete';",
            "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$ DELETE FROM t; SELECT 1 $$",
            "CREATE FUNCTION f(n int) RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT n; SELECT n + 1; END; CREATE TABLE t ()",
            "ALTER TABLE t ADD CONSTRAINT t_key UNIQUE USING INDEX i",
        ] { #expect(try file(text).mayRunTwice, "\(text)") }
        for text in [
            "UPDATE acc SET bal = bal * 2", "CREATE TABLE t (); INSERT INTO t DEFAULT VALUES", "DO $$ BEGIN END $$",
            "CALL p()",
            "SELECT setval('s', 1)", "WITH d AS (DELETE FROM t RETURNING *) SELECT * FROM d", "TRUNCATE t",
            "DROP TABLE t; CREATE TABLE t ()", "drop schema s cascade", "DROP MATERIALIZED VIEW m", "DROP OWNED BY r",
            "ALTER TABLE t ALTER c TYPE numeric USING c * 100", "ALTER SEQUENCE s RESTART", "COPY t FROM '/x'",
            "(SELECT 1)", "VACUUM t",
            "CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; END; DELETE FROM t", "EXECUTE p",
            "MERGE INTO t USING s ON true WHEN MATCHED THEN DELETE",
        ] { #expect(try !file(text).mayRunTwice, "\(text)") }
    }
}
