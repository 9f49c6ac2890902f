import Reporting
import Testing

@Suite struct `What is told to people` {
    @Test(arguments: [
        ("5min", 300_000_000), ("500ms", 500_000), ("1h 30min", 5_400_000_000), ("2", 2_000_000), ("0", 0),
        ("1min30s", 90_000_000),
    ])
    func `a time span is read`(text: String, microseconds: Int64) {
        #expect(TimeSpan(text)?.microseconds == microseconds)
    }

    @Test(arguments: ["", "x", "-1s", "5 parsecs", "99999999999999h", "ms", "1.5s"])
    func `what is no time span is refused`(text: String) { #expect(TimeSpan(text) == nil) }

    @Test(arguments: ["5min", "1h 30min", "500ms", "0", "1d 2h 3min 4s 5ms 6us"])
    func `a time span is written as it is read`(text: String) { #expect(TimeSpan(text)?.description == text) }

    @Test func `hostile text becomes one harmless line`() {
        let hostile = "a\nb\u{1b}[2J\u{202e}\t\r\u{9b}é"
        #expect(Printable.line(hostile) == "a\\nb\\u{1b}[2J\\u{202e}\\t\\r\\u{9b}é")
        #expect(Printable.line("éééé", limit: 7) == "éé…")
    }

    @Test func `a complaint shows what, where and the way out`() {
        let complaint = Complaint(
            .badFile, "type \"wat\" does not exist", hint: "Use another type.",
            place: Place(file: "1\n.sql", line: 2, column: 4),
            excerpt: "\ta wat", sqlstate: "42704")
        #expect(
            complaint.lines == [
                "1\\n.sql:2:4: type \"wat\" does not exist (SQLSTATE 42704)", "     a wat", "       ^",
                "HINT: Use another type.",
            ])
    }

    @Test func `a place is counted in characters`() {
        let bytes = Array("é;\nSELECT 'é', x".utf8)
        let place = Place(file: "f", offset: bytes.count - 1, in: bytes)
        #expect(place.text == "f:2:13")
        #expect(Place.line(2, of: bytes) == "SELECT 'é', x")
    }

    @Test(arguments: [
        (["-o", "json", "log", "--limit", "1"], ["log", "-o", "json", "--limit", "1"]),
        (["--output=json", "--failed", "log"], ["log", "--output=json", "--failed"]),
        (["--grep", "log"], ["--grep", "log"]), (["log", "-o", "json"], ["log", "-o", "json"]), ([], []),
        (["-o"], ["-o"]), (["--", "log"], ["--", "log"]),
    ])
    func `options may stand before the verb`(given: [String], arranged: [String]) {
        #expect(VerbFirst.arranged(given, verbs: ["log", "show"], flags: ["--failed"]) == arranged)
    }
}
