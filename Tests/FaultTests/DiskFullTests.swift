import Glibc
import LiveSupport
import Testing

/// A disk that is full, made of a small file system in memory. Only root may mount one.
@Suite(
    .enabled(if: SmallDisk.isPossible, "no file system can be mounted here: run as root with CAP_SYS_ADMIN"),
    .serialized)
struct `A disk that is full` {
    private static let effects = "SELECT count(*) FROM counter"

    @Test func `under a table fails the file, keeps nothing of it, and lets it be tried once there is space`() throws {
        let ground = try ProvingGround()
        let disk = try SmallDisk(mebibytes: 4, owner: "postgres")
        let space = "small_\(ground.database.name)"
        try ground.query("CREATE TABLESPACE \(space) LOCATION '\(disk.path)'")
        defer { _ = try? ground.query("DROP TABLE big; DROP TABLESPACE \(space)") }
        try ground.query("CREATE TABLE counter (file text); CREATE TABLE big (filler text) TABLESPACE \(space)")
        try disk.fill()
        try ground.write(
            "001_one.sql",
            "INSERT INTO counter VALUES ('one');\nINSERT INTO big SELECT repeat('x', 100) FROM generate_series(1, 1000);\n"
        )
        try ground.write("002_two.sql", "INSERT INTO counter VALUES ('two');\n")
        let first = try ground.run("apply")
        #expect(first.status == 1, "\(first)")
        #expect(
            first.errors.contains("001_one.sql:2:1: could not extend file")
                && first.errors.contains("No space left on device (SQLSTATE 53100)"), "\(first)")
        #expect(
            first.errors.contains(
                "HINT: Free space on the server; what was open is rolled back. Then 'migrated retry' tries it again."),
            "\(first)")
        #expect(
            try ground.events() == [
                "started 001_one", "failed 001_one disk_full", "skipped 002_two blocked_by_failure",
            ])
        #expect(try ground.query(Self.effects) == "0")
        try disk.free()
        #expect(try ground.run("retry").status == 0)
        let second = try ground.run("apply")
        #expect(second.status == 0, "\(second)")
        #expect(try ground.query(Self.effects) == "2")
        #expect(try ground.faults() == "")
        #expect(try ground.verify().status == 0)
    }

    @Test func `under the history itself is told in the journal, and the attempt is closed once there is space`() throws
    {
        let disk = try SmallDisk(mebibytes: 64, owner: "postgres")
        var options = Cluster.Options()
        options.dataDirectory = disk.path
        options.settings = ["min_wal_size": "2MB", "max_wal_size": "4MB"]
        options.walSegmentMebibytes = 1
        let cluster = try Cluster(options)
        let ground = try ProvingGround(cluster, settings: ProvingGround.quick)
        try ground.query("CREATE TABLE counter (file text)")
        try ground.write("001_one.sql", "INSERT INTO counter VALUES ('one');\n")
        let daemon = try ground.start("run")
        try ground.waitFor("event = 'applied'", daemon)
        // Large enough that its text has no place either.
        try disk.fill()
        // Text that cannot be compressed: it finds no place in what the server has set aside.
        var random = Seeded(state: 7)
        let text = (0..<200_000).map { _ in String(random.next(), radix: 36) }.joined()
        try ground.write(
            "002_two.sql",
            "INSERT INTO counter VALUES ('two'); -- \(text)\n")
        try eventually("word of it") { daemon.errorsSoFar.contains("No space left on device") }
        #expect(daemon.isRunning)
        try disk.free()
        // Where the log had no place either the server has ended, as it must.
        try cluster.startAgain()
        try ground.waitFor("event = 'applied' AND version = '002'", daemon)
        try ground.stop(daemon)
        #expect(try ground.query("SELECT file FROM counter") == "one\ntwo")
        #expect(try ground.events("event = 'failed'") == [])
        #expect(try ground.faults() == "")
        #expect(try ground.verify().status == 0)
    }

    @Test(arguments: ["full", "read-only", "gone"])
    func `under the state directory holds up no migration and is told once`(how: String) throws {
        let ground = try ProvingGround()
        let disk = try SmallDisk(mebibytes: 1)
        switch how {
        case "full": try disk.fill()
        case "read-only": try disk.remount(readOnly: true)
        default: try ground.folder.write("file", "")
        }
        let directory = how == "gone" ? ground.folder.path("file/state") : disk.path + "/state"
        try ground.write("001_one.sql", "CREATE TABLE counter (file text);\n")
        let daemon = try Program(
            Program.built("migrated"),
            [
                "run", "--config", ground.folder.path("migrated.toml"), "--state-directory", directory, "--database",
                ground.database.conninfo, "--directory", ground.directory, "--settle", "0",
            ])
        try ground.waitFor("event = 'applied' AND version = '001'", daemon)
        try ground.write("002_two.sql", "INSERT INTO counter VALUES ('two');\n")
        try ground.waitFor("event = 'applied' AND version = '002'", daemon)
        try ground.stop(daemon)
        let words = [
            "full": "No space left on device", "read-only": "Read-only file system", "gone": "Not a directory",
        ]
        let told = daemon.errorsSoFar.split(separator: "\n").filter { $0.contains(words[how] ?? "") }
        #expect(told.count == 1, "\(daemon.errorsSoFar)")
        #expect(
            daemon.errorsSoFar.contains("HINT: Migrations go on; mend the state directory"), "\(daemon.errorsSoFar)")
        #expect(try ground.query("SELECT file FROM counter") == "two")
        #expect(try ground.faults() == "")
        #expect(try ground.verify().status == 0)
    }
}
