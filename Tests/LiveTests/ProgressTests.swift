import LiveSupport
import Testing

/// What is told of a long migration while it runs.
@Suite struct `Progress` {
    /// Rows on many pages, and a function that makes indexing each of them slow.
    private static let slow = """
        CREATE TABLE big AS SELECT i AS id, repeat('x', 1900) AS filler FROM generate_series(1, 400) AS i;
        CREATE FUNCTION slow(integer) RETURNS integer IMMUTABLE LANGUAGE plpgsql AS $$
            BEGIN PERFORM pg_sleep(0.05); RETURN $1; END $$;
        ALTER TABLE big ALTER COLUMN filler SET STORAGE PLAIN;
        CREATE INDEX big_slow ON big (slow(id), ('secret' || id));
        SELECT 1;
        """

    @Test func `tells the service manager which statement runs, how long, and how far the server says it is`() throws {
        let bench = try Workbench()
        let notify = try FakeSocket(bench.folder.path("notify"))
        try bench.write("001_a.sql", "SELECT 1;")
        try bench.write("002_b.sql", Self.slow)
        let daemon = try bench.start("run", environment: ["NOTIFY_SOCKET": notify.path])
        let words =
            #/STATUS=applying 002_b \(2 of 2\): statement 4 of 5 for [0-9.]+s; building index: [^;]*; CREATE INDEX big_slow ON big \(slow\(id\), \(\n/#
        try eventually("the statement in STATUS") { try words.firstMatch(in: notify.text) != nil }
        try eventually("the server's measure in STATUS") {
            try #/building index: scanning table [1-9][0-9]? %/#.firstMatch(in: notify.text) != nil
        }
        daemon.signal(15)
        #expect(try daemon.outcome().status == 0)
        // Of a statement's literals nothing gets out, and nothing of progress after the stop was asked for.
        #expect(!notify.text.contains("secret"))
        let stopping = notify.text.components(of: "STOPPING=1")
        #expect(stopping.count > 1 && !stopping[1].contains("applying"), "\(notify.text)")
    }

    @Test func `tells whom a statement waits for, and between which statements it is where several are one message`()
        throws
    {
        let bench = try Workbench()
        try bench.query("CREATE TABLE a ()")
        let notify = try FakeSocket(bench.folder.path("notify"))
        let holder = try Program(
            Cluster.programs + "/psql", ["-X", "-q", "-d", bench.database.conninfo],
            input: "BEGIN; LOCK TABLE a; SELECT pg_sleep(600);")
        defer { holder.signal(9) }
        try eventually("the lock") {
            try bench.query("SELECT count(*) FROM pg_locks WHERE relation = 'a'::regclass AND granted") == "1"
        }
        try bench.write("001_a.sql", "CREATE TABLE b (); DROP TABLE a; COMMENT ON TABLE b IS 'b';")
        let daemon = try bench.start("run", "--lock-timeout", "0", environment: ["NOTIFY_SOCKET": notify.path])
        let words =
            #/applying 001_a \(1 of 1\): one of statements 1 to 3 of 3 for [0-9.]+s; waits for backend [0-9]+\n/#
        try eventually("the waiting in STATUS") { try words.firstMatch(in: notify.text) != nil }
        daemon.signal(15)
        try daemon.wait()
    }

    @Test func `is a line on a terminal that fits, and is gone at the end`() throws {
        let bench = try Workbench()
        try bench.write("001_a.up.sql", Self.slow.replacing("400", with: "60"))
        try bench.write("001_a.down.sql", "DROP TABLE big; DROP FUNCTION slow; SELECT pg_sleep(1.5);")
        let shown = try onTerminal(bench, "apply", columns: 70)
        let drawn = shown.lines("\r").filter { $0.hasSuffix("\u{1B}[K") && $0.count > 3 }
        #expect(
            drawn.contains { $0.contains("%  applying 001_a (1 of 1): statement 4") && $0.hasPrefix("[##") }, "\(shown)"
        )
        #expect(drawn.allSatisfy { $0.count - 3 <= 69 }, "\(shown)")
        // What follows begins where the line stood.
        #expect(shown.contains("\r\u{1B}[Kmigrated: applied 001_a"), "\(shown)")
        #expect(shown.hasSuffix("applied 1, pending 0, failed 0\r\n"), "\(shown)")
        let back = try onTerminal(bench, "rollback --last 1", columns: 200)
        #expect(
            back.contains("rolling back 001_a (1 of 1): one of statements 1 to 3 of 3 for 1."),
            "\(back)")
    }

    @Test func `is not drawn where nobody can take a line back`() throws {
        let bench = try Workbench()
        try bench.write("001_a.sql", "SELECT pg_sleep(1.2);")
        #expect(try !onTerminal(bench, "apply", columns: 70, "TERM=dumb").contains("\u{1B}"))
        try bench.write("002_b.sql", "SELECT pg_sleep(1.3);")
        let outcome = try bench.run("apply")
        #expect(
            outcome.status == 0 && !outcome.errors.contains("\u{1B}") && !outcome.errors.contains("\r"), "\(outcome)")
    }

    /// Runs a verb with a terminal of that width as its stdout and stderr; what that terminal was sent.
    private func onTerminal(_ bench: Workbench, _ verb: String, columns: Int, _ variable: String = "TERM=xterm") throws
        -> String
    {
        let words = verb.split(separator: " ").map(String.init)
        let command = ([try Program.built("migrated")] + bench.arguments(words[0], Array(words.dropFirst())))
            .map { "'\($0)'" }.joined(separator: " ")
        let outcome = try Program.run(
            "/usr/bin/script", ["-qec", "stty cols \(columns); exec env \(variable) \(command)", "/dev/null"])
        #expect(outcome.status == 0, "\(outcome)")
        return outcome.output
    }
}

extension String {
    fileprivate func components(of separator: String) -> [String] {
        split(separator: separator, omittingEmptySubsequences: false).map(String.init)
    }
    fileprivate func lines(_ separator: String) -> [String] { components(of: separator) }
}
