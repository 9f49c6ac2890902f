import Audit
import Digest
import JSON
import LiveSupport
import Postgres
import Testing

@Suite struct `auditctl log` {
    /// Ten events: two attempts of 0001 (one failed), one of 0002, a skip, an orphan cleanup, daemon events.
    private func history() throws -> RecordedHistory {
        let history = try RecordedHistory()
        try history.append(AuditEvent(.daemonStarted, by: RecordedHistory.actor))
        try history.attempt("0001", .failed, source: "CREATE TABEL a ();") {
            $0.sqlstate = "42601"
            $0.message = "syntax error at or near \"TABEL\""
            $0.detail = ["line": 1, "column": 8]
        }
        var skip = AuditEvent(.skipped, by: RecordedHistory.actor)
        skip.version = "0002"
        skip.name = "0002_table"
        skip.reason = "blocked_by_failure"
        try history.append(skip)
        try history.attempt("0001")
        var orphans = AuditEvent(.orphansDeleted, by: RecordedHistory.actor)
        orphans.object = "public.orders.user_id"
        orphans.rowCount = 5
        try history.append(orphans)
        try history.attempt("0002")
        var resolved = AuditEvent(
            .resolved,
            by: .init(initiatedBy: "alice", host: "laptop", dbUser: "alice", pid: 9, invocationID: nil))
        resolved.version = "0003"
        resolved.name = "0003"
        resolved.reason = "applied"
        try history.append(resolved)
        return history
    }

    private func seqs(_ history: RecordedHistory, _ arguments: [String]) throws -> [Int] {
        let outcome = try Program.run(
            Program.built("auditctl"), ["log", "-o", "ndjson", "--database", history.database.conninfo] + arguments)
        #expect(outcome.status == 0, "\(outcome)")
        return try outcome.output.split(separator: "\n").map { line in
            let tape = try JSONTape(Array(line.utf8))
            return try #require(tape.value(tape.root)["seq"]?.integer.map { Int($0) })
        }
    }

    @Test func `finds what each filter asks for`() throws {
        let history = try history()
        let cases: [([String], [Int])] = [
            ([], Array(1...10)), (["--reverse"], Array((1...10).reversed())), (["--limit", "3"], [8, 9, 10]),
            (["-n", "3", "-r"], [10, 9, 8]), (["--limit", "0"], Array(1...10)), (["--limit", "all"], Array(1...10)),
            (["--limit", "4000"], Array(1...10)),
            (["--event", "failed"], [3]), (["--event", "failed,skipped", "--event", "resolved"], [3, 4, 10]),
            (["--event", "failed,skipped,resolved", "-n", "2"], [4, 10]),
            (["--failed"], [3]), (["--failed", "--event", "skipped"], [3, 4]),
            (["--migration", "0001"], [2, 3, 5, 6]), (["--migration", "0001_table"], [2, 3, 5, 6]),
            (["--migration", "0002", "-n", "2"], [8, 9]), (["--migration", "0001", "--event", "started"], [2, 5]),
            (["--migration", "0003"], [10]), (["--reason", "blocked_by_failure"], [4]), (["--host", "laptop"], [10]),
            (["--host", "web1", "-n", "1"], [9]),
            (["--by", "alice"], [10]), (["--by", "ali"], []), (["--by", "migrated", "-n", "1"], [9]),
            (["--by", "mi"], []), (["--by", "migrated.service", "-n", "1"], [9]),
            (["--object", "public.orders"], [7]), (["--object", "public.orders.user_id"], [7]),
            (["--object", "public.order"], []), (["--grep", "tabel"], [3]), (["--grep", "Tabel"], []),
            (["--grep", "TABEL"], [3]), (["--grep", "\"column\": ?8"], [3]), (["--grep", "' OR true --"], []),
            (["--migration", "' OR true --"], []),
            (["--since", "2026-01-31 22:05:12.2 UTC"], [5, 6, 7, 8, 9, 10]),
            (["--until", "2026-01-31T22:05:10.2Z"], [1, 2]),
            (["--since", "2026-01-31T23:05:11.123456+01:00", "--until", "2026-01-31T22:05:12.123456Z"], [3, 4]),
            (["--since", "2026-01-31", "--until", "yesterday", "--failed"], [3]),
        ]
        for (arguments, wanted) in cases { #expect(try seqs(history, arguments) == wanted, "\(arguments)") }
        let attempt = try #require(history.records[4].event.attemptID)
        #expect(try seqs(history, ["--attempt", attempt.description]) == [5, 6])
        #expect(try seqs(history, ["--attempt", attempt.description, "--event", "applied,failed"]) == [6])
    }

    @Test func `walks many pages in either order`() throws {
        let history = try RecordedHistory()
        try history.append(
            (1...4500).map { number in
                var event = AuditEvent(number % 3 == 0 ? .skipped : .deferred, by: RecordedHistory.actor)
                event.version = number % 2 == 0 ? "even" : "odd"
                return event
            })
        #expect(try seqs(history, ["-n", "all"]) == Array(1...4500))
        #expect(try seqs(history, ["-n", "all", "-r"]) == Array((1...4500).reversed()))
        #expect(try seqs(history, ["-n", "4100"]) == Array(401...4500))
        #expect(
            try seqs(history, ["-n", "2200", "--migration", "even"]) == Array(stride(from: 102, through: 4500, by: 2)))
        #expect(
            try seqs(history, ["-n", "2100", "--event", "deferred"])
                == Array(
                    (1...4500).filter { $0 % 3 != 0 }.suffix(2100)))
        #expect(
            try seqs(history, ["-n", "4400", "--event", "deferred,skipped", "-r"]) == Array((101...4500).reversed()))
    }

    @Test func `prints every form`() throws {
        let history = try history()
        let table = try history.auditctl("log", "-n", "2").output
        #expect(
            table == """
                TIME                 SEQ  EVENT     VERSION  WHAT
                2026-01-31 22:05:17    9  applied   0002     0002_table: 13ms
                2026-01-31 22:05:18   10  resolved  0003     applied

                """)
        let failed = try history.auditctl("--failed").output
        #expect(
            failed.hasSuffix(
                "0001_table: 13ms, line 1, column 8: syntax error at or near \"TABEL\" (SQLSTATE 42601)\n"))
        let json = try history.auditctl("log", "--failed", "-o", "json")
        let tape = try JSONTape(json.outputBytes)
        let row = try #require(tape.value(tape.root).array?.first)
        #expect(row["detail"] == ["column": 8, "line": 1])
        #expect(row["recorded_at"]?.string == "2026-01-31T22:05:11.123456Z")
        #expect(row["hash"]?.string == Hex.text(history.records[2].hash))
        #expect(try history.auditctl("log", "--grep", "nothing", "-o", "json").output == "[]\n")
        let csv = try history.auditctl("log", "--failed", "-o", "csv").output
        #expect(
            csv.hasPrefix("seq,event_id,") && csv.contains(#","syntax error at or near ""TABEL""","{""column"":8,"#))
    }

    @Test func `never hands a terminal what somebody put into a name`() throws {
        let history = try RecordedHistory()
        var event = AuditEvent(.skipped, by: RecordedHistory.actor)
        event.version = "1\u{1b}[2J"
        event.name = "x\n9999  applied\u{202e}\u{9b}1m"
        try history.append(event)
        for arguments in [["log"], ["log", "-o", "json"], ["show", "1"], ["show", event.version ?? ""], ["status"]] {
            let outcome = try Program.run(
                Program.built("auditctl"), arguments + ["--database", history.database.conninfo])
            #expect(outcome.status == 0, "\(outcome)")
            for scalar in outcome.output.unicodeScalars {
                let isPlain = scalar == "\n" || scalar == "…" || (0x20..<0x7F).contains(scalar.value)
                #expect(isPlain, "\(arguments)")
            }
        }
    }

    @Test func `refuses wrong words with status 64 and a hint`() throws {
        for arguments in [
            ["log", "--since", "whenever"], ["log", "--event", "exploded"], ["log", "--attempt", "1"], ["--bogus"],
            ["log", "--limit", "few"], ["log", "--limit", "-1"], ["log", "--follow", "--reverse"],
            ["log", "--follow", "-o", "json"], ["source", "xyz"], ["show"], ["-w", "/etc/passwd"],
            ["-a", "always,exit"],
            ["-l"], ["-D"],
        ] {
            let outcome = try Program.run(Program.built("auditctl"), arguments)
            #expect(outcome.status == 64, "\(arguments) \(outcome)")
            #expect(outcome.errors.hasPrefix("auditctl: ") && outcome.output.isEmpty, "\(arguments) \(outcome)")
        }
        let history = try RecordedHistory()
        #expect(try history.auditctl("log", "--grep", "(").status == 64)
    }

    @Test func `says that there is no history`() throws {
        let database = try Cluster.shared().createDatabase()
        for verb in ["log", "status", "source"] {
            let outcome = try Program.run(
                Program.built("auditctl"),
                [verb] + (verb == "source" ? ["abcd"] : []) + ["--database", database.conninfo])
            #expect(outcome.status == 1, "\(outcome)")
            #expect(
                outcome.errors.hasPrefix(
                    "auditctl: database '\(database.name)' has no history in schema 'migrated'\nHINT: "), "\(outcome)")
        }
    }

    @Test func `follows what is written, and ends when the connection does`() throws {
        let history = try history()
        let follower = try Program(
            Program.built("auditctl"),
            [
                "log", "-f", "-n", "1", "-o", "ndjson", "--event", "skipped,resolved", "--database",
                history.database.conninfo,
            ])
        try eventually("the newest event") { follower.outputSoFar.hasPrefix("{\"seq\":10,") }
        var event = AuditEvent(.skipped, by: RecordedHistory.actor)
        for number in 1...3 {
            event.eventID = UUID()
            event.version = "\(number)"
            try history.append(event)
            try history.append(AuditEvent(.deferred, by: RecordedHistory.actor))
        }
        try eventually("three new events") { follower.outputSoFar.split(separator: "\n").count == 4 }
        let seqs = follower.outputSoFar.split(separator: "\n").map { $0.prefix { $0 != "," } }
        #expect(seqs == ["{\"seq\":10", "{\"seq\":11", "{\"seq\":13", "{\"seq\":15"])
        try history.database.query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'auditctl' AND datname = current_database()"
        )
        let outcome = try follower.outcome()
        #expect(outcome.status == 69, "\(outcome)")
        #expect(outcome.errors.hasPrefix("auditctl: "), "\(outcome)")
    }

    @Test func `ends quietly when its reader has gone`() throws {
        let history = try RecordedHistory()
        try history.append(
            (1...3000).map { _ in AuditEvent(.deferred, by: RecordedHistory.actor) })
        let auditctl = try Program.built("auditctl")
        let outcome = try Program.run(
            "/bin/bash",
            [
                "-c", "set -o pipefail; \"$0\" log -n all -o ndjson --database \"$1\" | head -n 1 >/dev/null", auditctl,
                history.database.conninfo,
            ])
        #expect(outcome.status == 0 && outcome.errors.isEmpty, "\(outcome)")
        let full = try Program.run(
            "/bin/bash",
            ["-c", "\"$0\" log -n all --database \"$1\" >/dev/full", auditctl, history.database.conninfo])
        #expect(full.status == 74, "\(full)")
    }
}
