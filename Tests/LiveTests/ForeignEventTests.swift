import Glibc
import LiveSupport
import Testing

/// Events that no process of this host has announced before their commit: they are told of by name, and never signed.
@Suite struct `Events of somebody else` {
    private let bench: Workbench

    /// One migration that is applied, and a key.
    init() throws {
        bench = try Workbench()
        let key = bench.folder.path("key")
        guard try Program.run(Program.built("migrated"), ["keygen", "--out", key]).status == 0 else {
            throw LiveFailure("no key")
        }
        try bench.folder.write("migrated.toml", "signing-key = \"key\"\n")
        try bench.write("1_a.sql", "CREATE TABLE a ();")
        guard try bench.run("apply").status == 0 else { throw LiveFailure("not applied") }
    }

    /// As somebody could who may do anything in the database: an event behind the head, with all hashes right.
    private func append() throws {
        try bench.query(
            """
            DO $$
            DECLARE e migrated.migration_rollback_audit;
            BEGIN
                SELECT * INTO e FROM migrated.migration_rollback_audit ORDER BY seq DESC LIMIT 1;
                e.seq := e.seq + 1; e.prev_hash := e.hash; e.event_id := gen_random_uuid();
                e.event := 'anchor_gap'; e.version := NULL; e.name := NULL; e.message := 'forged'; e.detail := NULL; e.hash := migrated.event_hash(e);
                PERFORM migrated.append_events(NULL, NULL, NULL, NULL, ARRAY[e]);
            END $$
            """)
    }

    /// The lines of the anchor file of those events, without their hashes.
    private func anchors(_ seqs: ClosedRange<Int>) throws -> [String] {
        let folder = try Program.run("/bin/ls", [bench.folder.path("state")]).output.split(separator: "\n")[0]
        let lines = try bench.folder.read("state/\(folder)/anchors").split(separator: "\n")
        return lines.compactMap { line in
            let words = line.split(separator: " ")
            guard let seq = Int(words[0]), seqs.contains(seq) else { return nil }
            return ([words[0]] + words.dropFirst(2).map { $0.hasPrefix("signature=") ? "signed" : $0 }).joined(
                separator: " ")
        }.sorted()
    }

    private static let told = "event 3 was not written by migrated on this host: 3 '"

    @Test func `are told by the next run, and anchored without a signature`() throws {
        try append()
        let next = try bench.run("apply")
        #expect(next.status == 0 && next.errors.contains(Self.told), "\(next)")
        #expect(next.errors.contains("foreign]") && !next.errors.contains("late anchor"), "\(next)")
        #expect(try anchors(3...3) == ["3 timeline=1 foreign"])
        let verified = try Program.run(
            Program.built("auditctl"),
            [
                "verify", "--database", bench.database.conninfo, "--state-directory", bench.folder.path("state"),
                "--public-key", bench.folder.path("key.pub"),
            ])
        #expect(verified.status == 0 && verified.output.hasPrefix("intact up to anchor 2"), "\(verified)")
        #expect(
            (verified.output + verified.errors).contains("event 3: found in the database by the host"), "\(verified)")
        let again = try bench.run("apply")
        #expect(again.status == 0 && !again.errors.contains("not written"), "\(again)")
        try append()
        try append()
        try bench.write("2_b.sql", "CREATE TABLE b ();")
        let two = try bench.run("apply")
        #expect(two.status == 0 && two.errors.contains("events 4 to 5 were not written"), "\(two)")
        #expect(
            try anchors(3...7) == [
                "3 timeline=1 foreign", "4 timeline=1 foreign", "5 timeline=1 foreign", "6 timeline=1 signed",
                "7 timeline=1 signed",
            ])
    }

    @Test func `are told by the daemon that sees them`() throws {
        let daemon = try bench.start("run")
        try bench.write("2_b.sql", "CREATE TABLE b ();")
        try bench.waitFor("event = 'applied' AND name = '2_b'", daemon)
        try append()
        try bench.write("3_c.sql", "CREATE TABLE c ();")
        try bench.waitFor("event = 'applied' AND name = '3_c'", daemon)
        try eventually("the words") {
            daemon.errorsSoFar.contains("event 6 was not written by migrated on this host")
        }
        try bench.stop(daemon)
        #expect(try anchors(6...7) == ["6 timeline=1 foreign", "7 timeline=1 signed"])
    }

    @Test func `are told where they came between two commits of one run`() throws {
        try bench.write("2_b.sql", "SELECT pg_sleep(2);")
        let run = try bench.start("apply")
        try bench.waitFor("event = 'started' AND name = '2_b'", run)
        try append()
        #expect(try run.wait() == .exited(0), "\(run.errorsSoFar)")
        #expect(run.errorsSoFar.contains("event 4 was not written by migrated on this host"), "\(run.errorsSoFar)")
        #expect(try anchors(3...5) == ["3 timeline=1 signed", "4 timeline=1 foreign", "5 timeline=1 signed"])
    }

    @Test func `are not those of another process of this host, but those of one with another state directory`() throws {
        try bench.write("2_b.sql", "SELECT pg_sleep(2);")
        let run = try bench.start("apply")
        try bench.waitFor("event = 'started' AND name = '2_b'", run)
        let beside = try bench.run("apply")
        #expect(!beside.errors.contains("not written"), "\(beside)")
        #expect(try run.wait() == .exited(0), "\(run.errorsSoFar)")
        #expect(!run.errorsSoFar.contains("not written"), "\(run.errorsSoFar)")
        try bench.write("3_c.sql", "CREATE TABLE c ();")
        let elsewhere = try Program.run(
            Program.built("migrated"),
            [
                "apply", "--directory", bench.folder.path("m"), "--database", bench.database.conninfo,
                "--state-directory", bench.folder.path("elsewhere"),
            ])
        #expect(elsewhere.status == 0, "\(elsewhere)")
        let next = try bench.run("apply")
        #expect(next.errors.contains("not written by migrated on this host"), "\(next)")
    }

    /// A crash between COMMIT and anchor, and one before COMMIT with another's event in the place that was announced.
    @Test func `stand beside those that were announced and not anchored`() throws {
        try bench.write("2_b.sql", "CREATE TABLE b ();")
        #expect(
            try bench.run("apply", environment: ["MIGRATED_FAILPOINT": "before-anchor:2"]).status == 128 + SIGKILL)
        try append()
        let next = try bench.run("apply")
        #expect(
            next.status == 0 && next.errors.contains("event 5 was not written") && next.errors.contains("late anchor]"),
            "\(next)")
        #expect(try anchors(4...5) == ["4 timeline=1 late signed", "5 timeline=1 foreign"])
    }
}
