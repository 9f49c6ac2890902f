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

    @Test(.enabled(if: geteuid() == 0, "only root can start a program as another user"))
    func `and holds a folder that may not be read says why`() throws {
        var options = Cluster.Options()
        options.isOpenToOthers = true
        let ground = try ProvingGround(Cluster(options))
        for number in 1...4 {
            try ground.write("2025010100000\(number)_x/migration.sql", "CREATE TABLE t\(number) ();\n")
        }
        #expect(try ground.run("apply", "--to", "20250101000002_x", user: "postgres").status == 0)
        // One that is applied, and one that is not.
        for number in [1, 3] { #expect(chmod(ground.folder.path("m/2025010100000\(number)_x"), 0) == 0) }
        let plan = try ground.run("plan", user: "postgres")
        let words = "the directory '20250101000001_x' cannot be looked into: it cannot be read: Permission denied"
        #expect(plan.output.contains(words), "\(plan)")
        #expect(try ground.run("apply", user: "postgres").status == 65)
        let told = try ground.events("event NOT IN ('started', 'applied')")
        #expect(
            told == [
                "skipped 20250101000001_x unsafe_permissions", "skipped 20250101000003_x unsafe_permissions",
                "skipped 20250101000004_x blocked_by_failure",
            ], "\(told)")
        for number in [1, 3] { #expect(chmod(ground.folder.path("m/2025010100000\(number)_x"), 0o755) == 0) }
        #expect(try ground.run("apply", user: "postgres").status == 0)
        #expect(try ground.applied().count == 4)
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

    @Test func `and overflows the kernel's queue has the folder watched that came meanwhile`() throws {
        let ground = try ProvingGround()
        try ground.write("20250101000001_one/migration.sql", "CREATE TABLE counter (file text);\n")
        let daemon = try ground.start("run", "--rescan", "1h")
        try ground.waitFor("event = 'applied' AND version = '20250101000001'", daemon)
        daemon.signal(SIGSTOP)
        // Two events each.
        try ground.folder.write("m/note", "")
        for turn in 0..<9_000 {
            try ground.folder.move(turn % 2 == 0 ? "m/note" : "m/note2", to: turn % 2 == 0 ? "m/note2" : "m/note")
        }
        #expect(mkdir(ground.folder.path("m/20250101000002_two"), 0o755) == 0)
        daemon.signal(SIGCONT)
        try ground.waitFor("event = 'skipped' AND name = '20250101000002_two'", daemon)
        // Only the folder's own watch tells of this.
        try ground.write("20250101000002_two/migration.sql", "INSERT INTO counter VALUES ('two');\n")
        try ground.waitFor("event = 'applied' AND version = '20250101000002'", daemon)
        try ground.stop(daemon)
        #expect(try ground.query("SELECT file FROM counter") == "two")
        #expect(try ground.faults() == "")
    }

    /// How many; `MIGRATED_FAULT_FILES=20000` makes migrations of all that come.
    static let migrations = environmentNumber("MIGRATED_FAULT_FILES") ?? 500

    @Test func `and gets 20,000 files at once has each of its migrations applied once`() throws {
        let ground = try ProvingGround()
        try ground.write("00000_first.sql", "CREATE TABLE counter (file int PRIMARY KEY);\n")
        let daemon = try ground.start("run", "--rescan", "1h", "--settle", "2s")
        try ground.waitFor("event = 'applied' AND version = '00000'", daemon)
        // The copy does not go by the order of the numbers.
        let numbers = (1...20_010).map { $0 * 7919 % 20_011 }.filter { $0 <= 20_000 }
        for number in numbers {
            let digits = String(100_000 + number).dropFirst()
            if number <= Self.migrations {
                try ground.write("\(digits)_x.sql", "INSERT INTO counter VALUES (\(number));\n")
            } else {
                try ground.write("\(digits)_x.txt", "")
            }
        }
        try ground.waitFor(
            "event = 'applied' AND version = '\(String(100_000 + Self.migrations).dropFirst())'", daemon,
            within: .seconds(900))
        try ground.stop(daemon)
        #expect(try ground.query("SELECT count(*), max(file) FROM counter") == "\(Self.migrations)|\(Self.migrations)")
        #expect(try ground.applied().count == Self.migrations + 1)
        #expect(try ground.applied().sorted() == ground.applied())
        let others = try ground.events("event NOT IN ('started', 'applied')")
        #expect(
            others == [],
            "\(others.prefix(10)) \(daemon.errorsSoFar.split(separator: "\n").filter { !$0.contains("applied") && !$0.contains("started") }.prefix(10))"
        )
        #expect(try ground.faults() == "")
    }

    /// What another host writes into a network file system, no event tells; nor what is written below an overlay.
    @Test(.enabled(if: SmallDisk.isPossible, "no file system can be mounted here: run as root with CAP_SYS_ADMIN"))
    func `and sends no events is looked at again and again`() throws {
        let ground = try ProvingGround()
        let disk = try SmallDisk(mebibytes: 4)
        let shown = try disk.overlay()
        try disk.write("lower/001_one.sql", "CREATE TABLE counter (file text);\n")
        let daemon = try ground.start("run", "--directory", shown, "--rescan", "1s")
        try ground.waitFor("event = 'applied' AND version = '001'", daemon)
        // Two in a row, as the daemon may be about to look again.
        for name in ["002_two", "003_three"] {
            try disk.write("lower/\(name).sql", "INSERT INTO counter VALUES ('\(name)');\n")
            try ground.waitFor("event = 'applied' AND name = '\(name)'", daemon)
        }
        try ground.stop(daemon)
        // Where only events are followed, the next file is not seen.
        let follower = try ground.start("run", "--directory", shown, "--rescan", "1h")
        try ground.waitFor("event = 'daemon_started' AND seq > 8", follower)
        try disk.write("lower/004_four.sql", "INSERT INTO counter VALUES ('four');\n")
        usleep(500_000)
        #expect(try ground.applied() == ["001_one", "002_two", "003_three"])
        try ground.stop(follower)
        #expect(try ground.query("SELECT file FROM counter") == "002_two\n003_three")
        #expect(try ground.faults() == "")
    }

    @Test(.enabled(if: SmallDisk.isPossible, "no file system can be mounted here: run as root with CAP_SYS_ADMIN"))
    func `and is unmounted for a while has its files told as missing, once, and none run again`() throws {
        let ground = try ProvingGround()
        let disk = try SmallDisk(mebibytes: 1)
        func write(_ numbers: ClosedRange<Int>) throws {
            for number in numbers { try disk.write("00\(number)_x.sql", "CREATE TABLE t\(number) ();\n") }
        }
        try write(1...2)
        let daemon = try ground.start("run", "--directory", disk.path, "--rescan", "1s")
        try ground.waitFor("event = 'applied' AND version = '002'", daemon)
        for _ in 1...2 {
            try disk.unmount()
            try ground.waitFor("event = 'drift_detected' AND version = '002'", daemon)
            try disk.mount()
            try write(1...2)
        }
        try write(1...3)
        try ground.waitFor("event = 'applied' AND version = '003'", daemon)
        try ground.stop(daemon)
        #expect(
            try ground.events("event <> 'started'") == [
                "applied 001_x", "applied 002_x", "drift_detected 001_x file_missing",
                "drift_detected 002_x file_missing", "applied 003_x",
            ])
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
        // By now each file may have another text than the one that ran: then nothing of the directory runs any more.
        #expect([0, 65].contains(last.status), "\(last)")
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
