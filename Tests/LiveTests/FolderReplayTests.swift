import LiveSupport
import Testing

/// `existing = "skip-identical"` in the configuration, and a database that holds what the folder makes while nothing is recorded: the state that the
/// folder's files have reached is found for all of them together.
@Suite struct FolderReplayTests {
    private static let files = [
        (
            "1_init",
            "CREATE TABLE a (id int PRIMARY KEY, old text); CREATE TABLE gone (id int); CREATE TABLE t (id int);"
        ),
        (
            "2_change",
            "ALTER TABLE a DROP COLUMN old, ADD COLUMN new text NOT NULL DEFAULT ''; DROP TABLE gone; ALTER TABLE t RENAME TO u;"
        ),
        ("3_rows", "INSERT INTO a (id) VALUES (3) ON CONFLICT DO NOTHING;"),
        ("4_more", "ALTER TABLE a ALTER COLUMN new TYPE varchar(9); CREATE TABLE gone (id bigint);"),
        ("5_next", "CREATE TABLE next (id int);"),
    ]

    /// As if the first files had been applied by hand.
    private func bench(applied count: Int) throws -> Workbench {
        let bench = try Workbench()
        try bench.folder.write("migrated.toml", "existing = \"skip-identical\"\n")
        for (number, file) in Self.files.enumerated() {
            try bench.write("\(file.0).sql", file.1)
            if number < count { try bench.query(file.1) }
        }
        return bench
    }

    @Test(arguments: 1...5) func `a database that stands behind any of the files goes on from there`(count: Int) throws
    {
        let bench = try bench(applied: count)
        let whole = try self.bench(applied: 5)
        let outcome = try bench.run("apply")
        #expect(outcome.status == 0 && outcome.output.contains("applied 5, pending 0, failed 0"), "\(outcome)")
        // 3 changes rows alone: nothing tells whether it ran, and such files are the team's to make repeatable.
        let adopted = count == 3 ? 2 : count
        #expect(
            try bench.events("event IN ('adopted', 'applied')")
                == Self.files.prefix(adopted).map { "adopted \($0.0) replayed" }
                + Self.files.dropFirst(adopted).map { "applied \($0.0)" })
        #expect(try bench.has("event = 'skipped'") == false)
        #expect(
            outcome.errors.contains("\(adopted) file(s) are there already, as a scratch database shows"), "\(outcome)")
        #expect(try ReplayTests.dump(bench) == ReplayTests.dump(whole))
        #expect(
            try bench.query(
                "SELECT count(*) FROM pg_database WHERE datname ~ '^migrated_scratch_' AND datname ~ (SELECT oid::text FROM pg_database WHERE datname = current_database())"
            ) == "0")
        #expect(try bench.run("apply").status == 0)
        #expect(try bench.faults() == "")
    }

    @Test func `an empty database runs every file, and builds nothing beside it`() throws {
        let bench = try bench(applied: 0)
        let outcome = try bench.run("apply")
        #expect(outcome.status == 0 && !outcome.errors.contains("scratch"), "\(outcome)")
        #expect(try bench.events("event = 'applied'").count == 5)
    }

    @Test func `a database that is as none of the files leaves it is looked at file by file`() throws {
        let bench = try bench(applied: 2)
        try bench.query("ALTER TABLE a ADD COLUMN old text")
        let outcome = try bench.run("apply")
        #expect(outcome.errors.contains("the database is as none of the files leaves it"), "\(outcome)")
        #expect(try bench.has("event = 'adopted'") == false)
    }

    @Test func `a folder that the scratch database cannot run is looked at file by file`() throws {
        let bench = try Workbench()
        try bench.folder.write("migrated.toml", "existing = \"skip-identical\"\n")
        try bench.query("CREATE SCHEMA theirs; CREATE TABLE theirs.t (id int PRIMARY KEY); CREATE TABLE a (id int)")
        try bench.write("1_a.sql", "CREATE TABLE a (id int); CREATE VIEW v AS SELECT id FROM theirs.t;")
        let outcome = try bench.run("apply")
        #expect(outcome.status == 0 && outcome.errors.contains("not compared as a whole"), "\(outcome)")
        #expect(try bench.events("event IN ('skipped', 'applied')") == ["skipped 1_a object_exists", "applied 1_a"])
    }
}
