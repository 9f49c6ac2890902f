import Audit
import AuditReading
import Digest
import JSON
import LiveSupport
import Testing

@Suite struct `auditctl report and stats` {
    /// Eight attempts, one of which failed twice before it was mended; the first event is at 2026-01-31 22:05:09 UTC.
    private func history() throws -> RecordedHistory {
        let history = try RecordedHistory()
        for number in 1...3 { try history.attempt("000\(number)") }
        try history.attempt("0004", .failed, source: "SELECT x;") { $0.message = "<script>alert(\"x\")</script>" }
        try history.attempt("0004", .failed, source: "SELECT y;") { $0.durationUS = 90_000 }
        try history.attempt("0004", source: "SELECT 1;") { $0.durationUS = 2_000_000 }
        return history
    }

    @Test func `a report is written whole, with the verdict as its exit status`() throws {
        let history = try history()
        let folder = try TemporaryDirectory()
        let outcome = try history.auditctl("report", "--output", folder.path("r.html"))
        #expect(outcome.status == 0 && outcome.output.isEmpty && outcome.errors.isEmpty, "\(outcome)")
        let html = try folder.read("r.html")
        #expect(html.hasPrefix("<!DOCTYPE html>") && html.hasSuffix("</html>\n") && html.contains("History: intact"))
        #expect(html.contains(Hex.text(history.head.hash)) && !html.contains("<script"))
        #expect(
            html.contains("4 migrations were applied") && html.contains("1 migration failed, in 2 attempts: 1 mended"))
        let markdown = try history.auditctl("report", "-o", "markdown", "--since", "2026-01-31 22:05:18 UTC")
        #expect(markdown.status == 0 && markdown.output.contains("\\(before this time\\)") == false, "\(markdown)")
        #expect(
            markdown.output.contains("(before this time)") && markdown.output.contains("1 migration was applied"),
            "\(markdown)")
        try history.tamper("UPDATE migrated.migration_rollback_audit SET initiated_by = 'nobody' WHERE seq = 2")
        let tampered = try history.auditctl("report", "--output", "markdown")
        #expect(tampered.status == 1 && tampered.output.contains("**History: edited.**"), "\(tampered)")
        #expect(tampered.output.contains("event 2 does not have the content"), "\(tampered)")
        for arguments in [["-o", "pdf"], ["--since", "tomorrow", "--until", "yesterday"], ["--since", "soon"]] {
            let refused = try Program.run(
                Program.built("auditctl"), ["report", "--database", history.database.conninfo] + arguments)
            #expect(refused.status == 64 && refused.output.isEmpty, "\(refused)")
        }
        let empty = try RecordedHistory().auditctl("report")
        #expect(empty.status == 0 && empty.output.contains("Nothing was recorded in this time."), "\(empty)")
    }

    @Test func `statistics count by day and kind, with durations`() throws {
        let history = try history()
        var late = AuditEvent(.applied, by: RecordedHistory.actor)
        late.durationUS = 7
        try history.append(late, at: RecordedHistory.start + 2 * 86_400_000_000)
        let outcome = try history.auditctl("stats", "-o", "csv")
        #expect(
            outcome.output == """
                day,event,count,p50_us,p95_us,max_us
                2026-01-31,applied,4,13000,2000000,2000000
                2026-01-31,failed,2,13000,90000,90000
                2026-01-31,started,6,,,
                2026-02-02,applied,1,7,7,7
                ,applied,5,13000,2000000,2000000
                ,failed,2,13000,90000,90000
                ,started,6,,,

                """, "\(outcome)")
        let failed = try history.auditctl("stats", "--failed", "-o", "ndjson")
        #expect(
            failed.output.split(separator: "\n") == [
                #"{"count":2,"day":"2026-01-31","event":"failed","max_us":90000,"p50_us":13000,"p95_us":90000}"#,
                #"{"count":2,"day":null,"event":"failed","max_us":90000,"p50_us":13000,"p95_us":90000}"#,
            ], "\(failed)")
        let table = try history.auditctl("stats", "--event", "applied,failed", "--since", "2026-02-01")
        #expect(
            table.output == """
                DAY         EVENT    COUNT  P50  P95  MAX
                2026-02-02  applied      1  7us  7us  7us
                all days    applied      1  7us  7us  7us

                """, "\(table)")
        let east = try Program.run(
            Program.built("auditctl"), ["stats", "-o", "csv", "--database", history.database.conninfo],
            environment: Program.environment.merging(["TZ": "Asia/Tokyo"]) { $1 })
        #expect(
            east.output.contains("2026-02-01,applied,4,") && east.output.contains("2026-02-03,applied,1,"), "\(east)")
        let empty = try RecordedHistory().auditctl("stats", "-o", "json")
        #expect(empty.status == 0 && empty.output == "[]\n", "\(empty)")
    }

    @Test func `a shell is offered what the history knows, or nothing`() throws {
        let history = try history()
        let auditctl = try Program.built("auditctl")
        func offered(_ words: [String], _ conninfo: String) throws -> Program.Outcome {
            try Program.run(
                auditctl,
                ["---completion", "log", "--", "--migration", "5", "0"] + ["auditctl", "log", "--database", conninfo]
                    + words)
        }
        let known = try offered(["--migration", ""], history.database.conninfo)
        #expect(
            known.status == 0 && known.output.split(separator: "\n") == ["0001", "0002", "0003", "0004"], "\(known)")
        let nothing = try offered(["--migration", ""], "host=/nonexistent dbname=x")
        #expect(nothing.output.split(separator: "\n").isEmpty && nothing.errors.isEmpty, "\(nothing)")
    }
}
