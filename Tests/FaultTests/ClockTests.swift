import Glibc
import LiveSupport
import Testing

/// The clock of a machine is set while something runs (libfaketime, by LD_PRELOAD, between a program and the kernel); what no clock is set for,
/// the monotonic one, goes on.
private struct JumpingClock {
    private static let library =
        ["x86_64-linux-gnu", "aarch64-linux-gnu"].map { "/usr/lib/\($0)/faketime/libfaketimeMT.so.1" }
        .first { (try? Program.run("/usr/bin/test", ["-r", $0]).status) == 0 }
    static let isPossible = library != nil

    private let folder: TemporaryDirectory

    init() throws {
        folder = try TemporaryDirectory(mode: 0o755)
        try set("+0")
    }

    /// Sets it, as that far from the real one; in one step, as whoever reads it may do so at any moment.
    func set(_ offset: String) throws { try folder.renameIn("now", offset + "\n") }

    /// Takes away what the library leaves behind for a process that another program has become.
    static func clear(behind process: pid_t) {
        for name in ["faketime_shm_", "sem.faketime_sem_"] { unlink("/dev/shm/\(name)\(process)") }
    }

    /// What a program that goes by this clock needs.
    var environment: [String: String] {
        [
            "LD_PRELOAD": Self.library ?? "", "FAKETIME_TIMESTAMP_FILE": folder.path("now"), "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1", "NO_FAKE_STAT": "1",
        ]
    }
}

@Suite(.enabled(if: JumpingClock.isPossible, "libfaketime is not here: deploy/install-dependencies test"))
struct `A clock that jumps` {
    /// Its effect, and a wait until the test says go.
    private static func file(_ name: String) -> String {
        """
        -- migrated: deadline=5min
        INSERT INTO counter VALUES ('\(name)');
        DO $$ BEGIN WHILE NOT EXISTS (SELECT FROM go WHERE file = '\(name)') LOOP PERFORM pg_sleep(0.01); END LOOP; END $$;

        """
    }

    /// The daemon's in the middle of a file, the server's between two of them: a server counts its own timeouts by that clock.
    @Test func `a year ahead and back again changes nothing, and no duration`() throws {
        let servers = try JumpingClock()
        let daemons = try JumpingClock()
        var options = Cluster.Options()
        options.environment = servers.environment
        let ground = try ProvingGround(Cluster(options))
        try ground.query("CREATE TABLE counter (file text); CREATE TABLE go (file text)")
        // Through another program: the library adds a variable to the environment of the first that loads it, and Swift finds a program's
        // words by the place of its environment.
        let daemon = try ground.start(
            "run", "--settle", "50ms", environment: daemons.environment, launcher: ["/usr/bin/env"])
        defer { JumpingClock.clear(behind: daemon.process) }
        for (name, jump) in [("001_ahead", "+1y"), ("002_back", "-1h"), ("003_now", "+0")] {
            try ground.write(name + ".sql", Self.file(name))
            try ground.waitFor("event = 'started' AND name = '\(name)'", daemon)
            try daemons.set(jump)
            // Long enough for the loop to have turned under the new clock.
            usleep(300_000)
            try ground.query("INSERT INTO go VALUES ('\(name)')")
            try ground.waitFor("event = 'applied' AND name = '\(name)'", daemon)
            try servers.set(jump)
        }
        try ground.write("004_last.sql", "INSERT INTO counter VALUES ('004_last');\n")
        try ground.waitFor("event = 'applied' AND version = '004'", daemon)
        try ground.stop(daemon)
        #expect(try ground.query("SELECT file FROM counter") == "001_ahead\n002_back\n003_now\n004_last")
        #expect(try ground.events("event NOT IN ('started', 'applied')") == [])
        #expect(
            try ground.query(
                "SELECT min(duration_us) >= 0, max(duration_us) < 600000000 FROM migrated.migration_rollback_audit")
                == "t|t")
        // The server has told other times, and that is nothing to find.
        #expect(
            try ground.query(
                "SELECT count(*) FROM (SELECT recorded_at - lag(recorded_at) OVER (ORDER BY seq) AS step FROM migrated.migration_rollback_audit) AS s WHERE step < '-300 days' OR step > '300 days'"
            ) == "2")
        #expect(try ground.faults() == "")
        let verdict = try ground.verify()
        #expect(verdict.status == 0, "\(verdict)")
    }
}
