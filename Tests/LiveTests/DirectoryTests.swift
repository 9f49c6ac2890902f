import Glibc
import LiveSupport
import Testing

@Suite struct `The watched directory` {
    @Test(arguments: ["0", "500ms"])
    func `does not read a file that is still being written`(settle: String) throws {
        let bench = try Workbench()
        let notify = try FakeSocket(bench.folder.path("notify"))
        let daemon = try bench.start("run", "--settle", settle, environment: ["NOTIFY_SOCKET": notify.path])
        try eventually("readiness") { notify.text.contains("READY=1") }
        let writer = open(bench.directory + "/001_slow.sql", O_WRONLY | O_CREAT | O_CLOEXEC, 0o644)
        defer { if writer >= 0 { close(writer) } }
        _ = write(writer, "CREATE TABLE a ();\n", 19)
        try eventually("word of it") { notify.text.contains("001_slow.sql' is still being written") }
        #expect(try !bench.has("version = '001'"))
        _ = write(writer, "CREATE TABLE b ();\n", 19)
        _ = fsync(writer)
        #expect(try !bench.has("version = '001'"))
        close(writer)
        try bench.waitFor("event = 'applied'", daemon)
        #expect(
            try bench.query(
                "SELECT detail::json->>'bytes' FROM migrated.migration_rollback_audit WHERE event = 'started'") == "38")
        try bench.stop(daemon)
    }

    @Test func `may be a link that is swapped to a new release, and files may be renamed in`() throws {
        let bench = try Workbench()
        try bench.folder.write("release1/001_a.sql", "CREATE TABLE a ();")
        try bench.folder.link("current", to: "release1")
        let daemon = try bench.start("run", "--directory", bench.folder.path("current"))
        try bench.waitFor("event = 'applied' AND version = '001'", daemon)
        try bench.folder.write("release2/001_a.sql", "CREATE TABLE a ();")
        try bench.folder.write("release2/002_b.sql", "CREATE TABLE b ();")
        try bench.folder.link("next", to: "release2")
        try bench.folder.move("next", to: "current")
        try bench.waitFor("event = 'applied' AND version = '002'", daemon)
        try bench.folder.write("incoming", "CREATE TABLE c ();")
        try bench.folder.move("incoming", to: "release2/003_c.sql")
        try bench.waitFor("event = 'applied' AND version = '003'", daemon)
        try bench.stop(daemon)
        #expect(try bench.events("event <> 'started'") == ["applied 001_a", "applied 002_b", "applied 003_c"])
    }

    @Test func `may come later, go, and come back`() throws {
        let bench = try Workbench()
        let daemon = try bench.start("run", "--directory", bench.folder.path("deep/later"))
        try eventually("complaint") {
            daemon.errorsSoFar.contains("directory '\(bench.folder.path("deep/later"))' does not exist")
        }
        try bench.folder.makeDirectory("deep")
        try bench.folder.write("deep/later/001_a.sql", "CREATE TABLE a ();")
        try bench.waitFor("event = 'applied' AND version = '001'", daemon)
        try bench.folder.move("deep", to: "gone")
        try bench.folder.write("gone/later/002_b.sql", "CREATE TABLE b ();")
        try bench.folder.move("gone", to: "deep")
        try bench.waitFor("event = 'applied' AND version = '002'", daemon)
        try bench.stop(daemon)
        #expect(try bench.faults() == "")
    }

    @Test func `of prisma is watched one level down`() throws {
        let bench = try Workbench()
        try bench.write("migration_lock.toml", "provider = \"postgresql\"\n")
        let daemon = try bench.start("run", "--layout", "prisma")
        try bench.write("20240101000000_init/migration.sql", "CREATE TABLE a ();")
        try bench.waitFor("event = 'applied' AND name = '20240101000000_init'", daemon)
        try bench.folder.makeDirectory("m/20240102000000_more")
        try bench.write("20240102000000_more/migration.sql", "CREATE TABLE b ();")
        try bench.waitFor("event = 'applied' AND name = '20240102000000_more'", daemon)
        try bench.stop(daemon)
        #expect(try bench.faults() == "")
    }

    @Test func `that loses an applied file or changes it is reported, and nothing is run again`() throws {
        let bench = try Workbench()
        try bench.write("001_a.sql", "CREATE TABLE a ();")
        try bench.write("002_b.sql", "CREATE TABLE b ();")
        try bench.write("003_c.sql", "CREATE TABLE c ();")
        #expect(try bench.run("apply").status == 0)
        try bench.write("001_a.sql", "CREATE TABLE a (n int);")
        try bench.folder.remove("m/002_b.sql")
        for _ in 1...2 {
            let outcome = try bench.run("apply")
            #expect(outcome.status == 0, "\(outcome)")
        }
        #expect(
            try bench.events("event <> 'started'") == [
                "applied 001_a", "applied 002_b", "applied 003_c", "drift_detected 001_a file_changed",
                "drift_detected 002_b file_missing",
            ])
        #expect(try bench.faults() == "")
    }
}
