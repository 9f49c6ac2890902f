import Digest
import Glibc
import LiveSupport
import Synchronization
import Testing

/// What goes wrong with the directory itself; how it comes, goes and is swapped in peace is tested with the programs (`LiveTests`).
@Suite struct `A directory that goes wrong` {
    @Test func `and is replaced by a file is waited for`() throws {
        let ground = try ProvingGround(settings: ProvingGround.quick + "rescan = \"1s\"\n")
        try ground.write("001_one.sql", "CREATE TABLE one ();\n")
        let daemon = try ground.start("run")
        try ground.waitFor("event = 'applied' AND version = '001'", daemon)
        try ground.folder.move("m", to: "away")
        try ground.folder.write("m", "no directory\n")
        try eventually("word of it") { daemon.errorsSoFar.contains("is not a directory") }
        try ground.folder.remove("m")
        try ground.folder.write("away/002_two.sql", "CREATE TABLE two ();\n")
        try ground.folder.move("away", to: "m")
        try ground.waitFor("event = 'applied' AND version = '002'", daemon)
        try ground.stop(daemon)
        #expect(try ground.applied() == ["001_one", "002_two"])
        #expect(try ground.faults() == "")
    }

    /// Root reads everything, so that the daemon runs as somebody else.
    @Test(.enabled(if: geteuid() == 0, "only root can start a program as another user"))
    func `and may not be read for a while is told once and waited for`() throws {
        var options = Cluster.Options()
        options.isOpenToOthers = true
        let ground = try ProvingGround(Cluster(options), settings: ProvingGround.quick + "rescan = \"1s\"\n")
        try ground.write("001_one.sql", "CREATE TABLE one ();\n")
        let daemon = try ground.start("run", user: "postgres")
        try ground.waitFor("event = 'applied' AND version = '001'", daemon)
        #expect(chmod(ground.directory, 0) == 0)
        try ground.write("002_two.sql", "CREATE TABLE two ();\n")
        let word = "cannot open '\(ground.directory)': Permission denied"
        try eventually("word of it") { daemon.errorsSoFar.contains(word) }
        // Two rescans further it is not told again.
        usleep(2_500_000)
        let words = daemon.errorsSoFar.split(separator: "\n").filter { $0.contains(word) }
        #expect(words.count == 1, "\(words)")
        #expect(daemon.isRunning)
        #expect(chmod(ground.directory, 0o755) == 0)
        try ground.waitFor("event = 'applied' AND version = '002'", daemon)
        #expect(chmod(ground.folder.path("m/002_two.sql"), 0) == 0)
        #expect(chmod(ground.folder.path("m/002_two.sql"), 0o644) == 0)
        try ground.write("003_three.sql", "CREATE TABLE three ();\n")
        try ground.waitFor("event = 'applied' AND version = '003'", daemon)
        try ground.stop(daemon)
        #expect(try ground.events("event IN ('failed', 'interrupted', 'drift_detected')") == [])
        #expect(try ground.faults() == "")
    }

    @Test func `and overflows the kernel's queue loses no file`() throws {
        let ground = try ProvingGround()
        try ground.write("001_one.sql", "CREATE TABLE counter (file text);\n")
        let daemon = try ground.start("run", "--rescan", "1h")
        try ground.waitFor("event = 'applied' AND version = '001'", daemon)
        // Asleep it reads no events: more of them come than the queue holds (fs.inotify.max_queued_events, 16384).
        daemon.signal(SIGSTOP)
        for number in 0..<17_000 { try ground.write("note\(number).txt", "") }
        for number in 2..<40 {
            try ground.write("\(100 + number)_file.sql", "INSERT INTO counter VALUES ('\(number)');\n")
        }
        daemon.signal(SIGCONT)
        try ground.waitFor("event = 'applied' AND version = '139'", daemon)
        try ground.stop(daemon)
        #expect(try ground.query("SELECT count(*), count(DISTINCT file) FROM counter") == "38|38")
        #expect(try ground.applied().count == 39)
        #expect(try ground.faults() == "")
    }

    @Test func `and whose files are renamed over while they are read: what was hashed is what ran`() throws {
        let ground = try ProvingGround()
        try ground.query("CREATE TABLE counter (file int, salt int)")
        let texts: @Sendable (Int, Int) -> String = { (file: Int, salt: Int) in
            "INSERT INTO counter VALUES (\(file), \(salt)); -- \(salt)\n"
        }
        let files = 1...12
        for file in files { try ground.write("\(file)_x.sql", texts(file, 0)) }
        let renamer = Renamer()
        renamer.start { salt in
            for file in files { try? ground.folder.renameIn("m/\(file)_x.sql", texts(file, salt)) }
        }
        var outcome = try ground.run("apply", "--late", "apply")
        for _ in 0..<100 where outcome.status == 75 { outcome = try ground.run("apply", "--late", "apply") }
        renamer.stop()
        #expect([0, 75].contains(outcome.status), "\(outcome)")
        let last = try ground.run("apply")
        #expect(last.status == 0, "\(last)")
        // What ran is what the event's checksum says, byte by byte.
        let ran = try ground.query("SELECT file, salt FROM counter ORDER BY file").split(separator: "\n")
        #expect(ran.count == files.count)
        for row in ran {
            let cells = row.split(separator: "|").compactMap { Int($0) }
            let checksum = "sha256:" + SHA256.hex(Array(texts(cells[0], cells[1]).utf8))
            let said = try ground.query(
                "SELECT checksum FROM migrated.migration_rollback_audit WHERE event = 'applied' AND version = '\(cells[0])'"
            )
            #expect(said == checksum)
        }
        #expect(try ground.faults() == "")
    }
}

/// Does something over and over in a thread of its own.
private final class Renamer: Sendable {
    private let ended = Atomic<Bool>(false)
    private let done = Atomic<Bool>(false)

    func start(_ body: @escaping @Sendable (Int) -> Void) {
        final class Box: Sendable {
            let body: @Sendable () -> Void
            init(_ body: @escaping @Sendable () -> Void) { self.body = body }
        }
        let box = Box { [self] in
            var round = 0
            while !ended.load(ordering: .acquiring) {
                round += 1
                body(round)
            }
            done.store(true, ordering: .releasing)
        }
        var thread = pthread_t()
        pthread_create(
            &thread, nil,
            { context in
                guard let context else { return nil }
                Unmanaged<Box>.fromOpaque(context).takeRetainedValue().body()
                return nil
            }, Unmanaged.passRetained(box).toOpaque())
        pthread_detach(thread)
    }

    func stop() {
        ended.store(true, ordering: .releasing)
        while !done.load(ordering: .acquiring) { usleep(1_000) }
    }
}
