import Glibc
import LiveSupport
import Testing

/// A process that has as many files open as it may have. What cannot be looked at then is not taken for missing.
@Suite struct `Descriptors that run out` {
    /// Names of folders, as prisma has them: each is opened to be looked into.
    private static let names = (1...4).map { "2025010100000\($0)_x" }

    private func ground() throws -> ProvingGround {
        let ground = try ProvingGround(settings: ProvingGround.quick + "rescan = \"1s\"\n")
        try ground.query("CREATE TABLE counter (file text)")
        return ground
    }

    private func write(_ ground: ProvingGround, _ names: some Sequence<String>, flat: Bool = false) throws {
        for name in names {
            try ground.write(
                name + (flat ? ".sql" : "/migration.sql"), "INSERT INTO counter VALUES ('\(name)');\n")
        }
    }

    private func check(_ ground: ProvingGround, _ location: SourceLocation = #_sourceLocation) throws {
        #expect(
            try ground.query("SELECT file FROM counter ORDER BY 1") == Self.names.joined(separator: "\n"),
            sourceLocation: location)
        let others = try ground.query(
            "SELECT concat_ws(' ', seq, event, name, reason, message) FROM migrated.migration_rollback_audit WHERE event NOT IN ('started', 'applied') AND event NOT LIKE 'daemon%'"
        )
        #expect(others == "", sourceLocation: location)
        #expect(try ground.faults() == "", sourceLocation: location)
        #expect(try ground.verify().status == 0, sourceLocation: location)
    }

    /// One more each time, from what a program needs to be loaded at all to what it wants: every place fails once.
    ///
    /// The session is opened while the directory is read: which of the two fails first is not ours to say.
    @Test(arguments: [true, false])
    func `end a command with one sentence, whatever it was about to open, and lose nothing`(flat: Bool) throws {
        let ground = try ground()
        try write(ground, Self.names, flat: flat)
        func limited(_ verb: String, _ limit: Int) throws -> Program.Outcome {
            try ground.run(verb, launcher: ["/usr/bin/prlimit", "--nofile=\(limit)"])
        }
        var limit = 4
        var failures = 0
        while true {
            let outcome = try limited("apply", limit)
            guard outcome.status != 0 else { break }
            failures += 1
            let complaints = outcome.errors.split(separator: "\n").filter { $0.contains("Too many open files") }
            #expect([69, 74].contains(outcome.status) && !complaints.isEmpty, "\(limit): \(outcome)")
            #expect(
                outcome.errors.contains("HINT: Raise the limit of open files: LimitNOFILE="), "\(limit): \(outcome)")
            limit += 1
        }
        #expect(failures > 0)
        // What is applied is not taken for gone either, nor told so.
        for limit in 4...limit {
            let outcome = try limited("plan", limit)
            #expect([0, 69, 74].contains(outcome.status), "\(limit): \(outcome)")
            #expect(!outcome.output.contains("missing"), "\(limit): \(outcome)")
            _ = try limited("apply", limit)
        }
        try check(ground)
    }

    @Test func `are waited for by a daemon, which tells once and goes on`() throws {
        let ground = try ground()
        try write(ground, Self.names.prefix(1))
        // A folder is there before its file is.
        let daemon = try ground.start("run", "--settle", "500ms")
        try ground.waitFor("event = 'applied'", daemon)
        func limit(_ number: String) throws {
            let outcome = try Program.run(
                "/usr/bin/prlimit", ["--pid", "\(daemon.process)", "--nofile=\(number):4096"])
            guard outcome.status == 0 else { throw LiveFailure("prlimit: \(outcome)") }
        }
        // It keeps what it has open, and gets nothing more.
        try limit("3")
        try write(ground, Self.names.prefix(3))
        let word = "cannot open '\(ground.directory)': Too many open files"
        try eventually("word of it") { daemon.errorsSoFar.contains(word) }
        // Two rescans further it is not told again.
        usleep(2_500_000)
        #expect(
            daemon.errorsSoFar.split(separator: "\n").filter { $0.contains(word) }.count == 1, "\(daemon.errorsSoFar)")
        // Its sessions go too, and there is nothing to open new ones with.
        try ground.query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'migrated %'"
        )
        try limit("64")
        try ground.waitFor("event = 'applied' AND name = '\(Self.names[2])'", daemon)
        try write(ground, Self.names)
        try ground.waitFor("event = 'applied' AND name = '\(Self.names[3])'", daemon)
        try ground.stop(daemon)
        try check(ground)
    }
}
