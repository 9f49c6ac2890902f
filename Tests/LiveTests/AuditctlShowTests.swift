import Audit
import JSON
import LiveSupport
import Postgres
import Testing

@Suite struct `auditctl show, status and source` {
    private func history() throws -> RecordedHistory {
        let history = try RecordedHistory()
        try history.attempt("0001", .failed, source: "SELECT 'naïve\u{0C}';\r\n") {
            $0.sqlstate = "42703"
            $0.message = "column \"x\" does not exist"
            $0.detail = ["line": 3, "column": 9, "hint": "Look.", "blockers": [["pid": 7, "application": "app"]]]
        }
        try history.attempt("0001")
        try history.attempt("2", .failed) { $0.message = "no" }
        return history
    }

    @Test func `the story of a version has its attempts, errors and details`() throws {
        let history = try history()
        for word in ["0001", "0001_table"] {
            let outcome = try history.auditctl("show", word)
            #expect(outcome.status == 0, "\(outcome)")
            for part in [
                "version:  0001\n", "state:    applied\n", "attempt 1: ", "attempt 2: ",
                "line 3, column 9: column \"x\" does",
                "      hint: Look.\n", "          application: app\n", "event 4  applied  13ms\n",
            ] { #expect(outcome.output.contains(part), "\(part) in \(outcome)") }
            #expect(!outcome.output.contains("attempt 3"))
        }
        let attempt = try #require(history.records[0].event.attemptID)
        let one = try history.auditctl("show", attempt.description, "-o", "ndjson").output
        #expect(one.split(separator: "\n").count == 2)
        #expect(try history.auditctl("show", "nothing").status == 1)
        #expect(try history.auditctl("show", UUID().description).status == 1)
    }

    @Test func `a number is an event first, and a version where that is said`() throws {
        let history = try history()
        let event = try history.auditctl("show", "2")
        #expect(event.output.hasPrefix("seq: 2\n") && event.output.contains("\ndetail:\n  blockers:\n"), "\(event)")
        #expect(event.errors.contains("'2' is also a version"), "\(event)")
        #expect(try history.auditctl("show", "--migration", "2").output.hasPrefix("version:  2\n"))
        #expect(try history.auditctl("show", "3").errors.isEmpty)
    }

    @Test func `status tells counts, failures, the open attempt and who holds the lock`() throws {
        let history = try history()
        var started = AuditEvent(.started, by: RecordedHistory.actor)
        started.attemptID = UUID()
        started.version = "3"
        try history.append(started)
        let idle = try history.auditctl("status")
        #expect(idle.status == 0, "\(idle)")
        for part in [
            "versions:  1 applied, 1 failed, 1 started\n", "head:      event 7, recorded 2026-01-31 22:05:15, hash ",
            "failed 2_table (event 6): no\n", "open:      3 since 2026-01-31 22:05:15 on web1, pid 77 (event 7)\n",
            "lock:      nobody holds it\n",
        ] { #expect(idle.output.contains(part), "\(part) in \(idle)") }
        let target = try ConnectionTarget(history.database.conninfo, applicationName: "migrated web1 77")
        let holder = try Connection(target, waiter: BlockingWaiter())
        // Eight ASCII letters as one number, and neighbours of it that are other locks.
        try holder.run(
            "SELECT pg_advisory_lock(x'6d69677261746564'::bigint), pg_advisory_lock(x'6d696772'::int, x'61746564'::int)"
        )
        try history.connection.run("SELECT pg_advisory_lock(x'6d69677261746565'::bigint)")
        let outcome = try history.auditctl("status", "-o", "json")
        let tape = try JSONTape(outcome.outputBytes)
        let value = tape.value(tape.root)
        let holders = try #require(value["lock_holders"]?.array)
        #expect(holders.count == 1 && holders[0]["application_name"] == "migrated web1 77", "\(outcome)")
        #expect(value["counts"]?["applied"] == 1 && value["head"]?["seq"] == 7)
        #expect(value["open_attempts"]?.array?.count == 1 && value["versions"]?.array?.count == 3)
        #expect(try history.auditctl("status", "-o", "csv").output.hasPrefix("version,name,status,checksum,"))
    }

    @Test func `source writes the exact bytes, found by the first digits`() throws {
        let history = try history()
        let checksum = try #require(history.records[0].event.checksum)
        for word in [checksum, String(checksum.dropFirst(7)), String(checksum.dropFirst(7).prefix(9)).uppercased()] {
            let outcome = try history.auditctl("source", word)
            #expect(outcome.outputBytes == Array("SELECT 'naïve\u{0C}';\r\n".utf8), "\(outcome)")
        }
        #expect(try history.auditctl("source", "0123456789").status == 1)
        let digits = try (0..<200).map { try String(history.keep([UInt8($0)]).dropFirst(7).prefix(4)) }
        let twice = Dictionary(grouping: digits, by: { $0 }).first { $0.value.count > 1 }?.key
        if let twice { #expect(try history.auditctl("source", twice).status == 64) }
        try history.tamper(
            """
            ALTER TABLE migrated.migration_source DROP CONSTRAINT migration_source_checksum_check;
            UPDATE migrated.migration_source SET source = 'SELECT 2' WHERE checksum = '\(checksum)'
            """)
        let altered = try history.auditctl("source", checksum)
        #expect(altered.status == 1 && altered.outputBytes.isEmpty, "\(altered)")
    }

    @Test func `a terminal gets a pager, colours and a fitted width`() throws {
        let history = try history()
        var environment = Program.environment
        environment["TERM"] = "xterm"
        environment["PAGER"] = "sed s/^/P:/"
        let words = "'\(try Program.built("auditctl"))' --failed --database '\(history.database.conninfo)'"
        func typed(_ command: String) throws -> [Substring] {
            // script(1) runs the command on a terminal of its own.
            let outcome = try Program.run(
                "/usr/bin/script", ["-qec", "stty cols 75; \(command)", "/dev/null"], environment: environment)
            #expect(outcome.status == 0, "\(outcome)")
            return outcome.output.split(whereSeparator: \.isNewline)
        }
        let paged = try typed(words)
        #expect(paged.count == 3 && paged.allSatisfy { $0.hasPrefix("P:") }, "\(paged)")
        #expect(paged[1].contains("\u{1b}[31mfailed \u{1b}[0m"), "\(paged)")
        let plain = try typed("NO_COLOR=1 \(words) --no-pager")
        #expect(plain[1] == "2026-01-31 22:05:10    2  failed   0001     0001_table: 13ms, line 3, colu…", "\(plain)")
        // Whoever leaves the pager early has seen enough.
        _ = try typed("PAGER=true \(words)")
    }

    @Test func `the configuration file says where to look, and flags say it louder`() throws {
        let history = try RecordedHistory(schema: "elsewhere")
        try history.attempt("1")
        let auditctl = try Program.built("auditctl")
        let folder = try TemporaryDirectory()
        let file = try folder.write(
            "migrated.toml", "schema = \"elsewhere\"\n[database]\nconninfo = \"\(history.database.conninfo)\"\n")
        #expect(try Program.run(auditctl, ["verify", "--config", file]).status == 0)
        #expect(try Program.run(auditctl, ["log", "--config", file, "--schema", "migrated"]).status == 1)
        let unknown = try folder.write("unknown.toml", "no-such-key = 1\n")
        for path in [unknown, folder.path("missing.toml")] {
            #expect(try Program.run(auditctl, ["verify", "--config", path]).status == 78)
        }
        let garbage = try Program.run(auditctl, ["verify", "--database", "host='unclosed"])
        #expect(garbage.status == 78 || garbage.status == 64, "\(garbage)")
    }
}
