public import Reporting

/// Everything that a printed report says, besides the events: whose it is, when it was made, and whether the history can be trusted.
public struct ReportPage: Sendable {
    /// Whether the history is as it was written.
    public struct Trust: Sendable {
        public enum Mark: String, Sendable { case good, bad, unclear }
        public var mark: Mark
        /// The verdict in a word or three: `intact`.
        public var word: String
        /// What that means, as a sentence.
        public var sentence: String
        /// What was found, one clause each.
        public var findings: [String]

        /// A verdict from its parts.
        public init(_ mark: Mark, _ word: String, _ sentence: String, findings: [String] = []) {
            self.mark = mark
            self.word = word
            self.sentence = sentence
            self.findings = findings
        }
    }

    public var report: HistoryReport
    public var origin: HistoryOrigin
    public var trust: Trust
    /// Who made it, on which machine.
    public var author: String
    public var host: String
    /// A moment in local time, to the second: `2026-03-01 14:05:09`.
    var local: @Sendable (Timestamp) -> String
    /// The zone of that time: `+0100`.
    var zone: String

    /// A page from its parts.
    public init(
        _ report: HistoryReport, origin: HistoryOrigin, trust: Trust, author: String, host: String, zone: String,
        local: @escaping @Sendable (Timestamp) -> String
    ) {
        self.report = report
        self.origin = origin
        self.trust = trust
        self.author = author
        self.host = host
        self.zone = zone
        self.local = local
    }

    /// The reported time in words.
    var period: String {
        switch (report.since, report.until) {
        case (nil, nil): "from the first event to \(local(origin.moment))"
        case (let since?, nil): "from \(local(since)) to \(local(origin.moment))"
        case (nil, let until?): "from the first event to \(local(until))"
        case (let since?, let until?): "from \(local(since)) to \(local(until))"
        }
    }

    /// The few sentences that say it all.
    var summary: [String] {
        guard report.count > 0 || !report.incidents.isEmpty else { return ["Nothing was recorded in this time."] }
        var sentences: [String] = []
        let kinds = report.kinds
        func number(_ event: String) -> Int64 { kinds[event] ?? 0 }
        var done = ["\(ReportPage.counted(report.applied, "migration was", "migrations were")) applied"]
        for (event, words) in [
            ("rolled_back", "rolled back"), ("adopted", "taken over from another tool"),
            ("resolved", "decided by an operator"),
        ]
        where number(event) > 0 { done.append("\(number(event)) \(words)") }
        sentences.append(done.joined(separator: ", ") + ".")
        let failures = report.incidents.reduce(0) { $0 + $1.count }
        if report.incidents.isEmpty {
            sentences.append("Nothing failed.")
        } else {
            let longest = report.incidents.compactMap(\.lasted).max()
            let mended = report.incidents.count - report.open
            sentences.append(
                "\(ReportPage.counted(Int64(report.incidents.count), "migration", "migrations")) failed, in \(ReportPage.counted(Int64(failures), "attempt", "attempts")): "
                    + "\(mended) mended"
                    + (longest.map { ", the longest after \(TimeSpan(microseconds: $0).brief)" } ?? "")
                    + ", \(report.open == 0 ? "none" : String(report.open)) still open"
                    + (report.until == nil ? "." : " at the end of this time."))
        }
        let skips = number("skipped") + number("deferred")
        if skips > 0 {
            sentences.append(
                "\(ReportPage.counted(skips, "thing was", "things were")) left out or put off, for the reasons below.")
        }
        if report.rowsTakenOut > 0 || report.rowsRestored > 0 {
            sentences.append(
                "\(ReportPage.counted(report.rowsTakenOut, "row was", "rows were")) deleted or changed so that a foreign key could stand, and kept in quarantine; "
                    + "\(report.rowsRestored == 0 ? "none was" : "\(report.rowsRestored) were") put back.")
        }
        sentences.append(
            report.drift.count == 0
                ? "No drift was detected."
                : "Drift was detected \(ReportPage.counted(Int64(report.drift.count), "time", "times")).")
        return sentences
    }

    /// Figures for the head of the page: number, what of, and whether somebody should look.
    var figures: [(number: String, what: String, alarms: Bool)] {
        let kinds = report.kinds
        return [
            (String(report.applied), "applied", false),
            (String(kinds["rolled_back"] ?? 0), "rolled back", false),
            (String(report.incidents.reduce(0) { $0 + $1.count }), "failed attempts", false),
            (String(report.open), "still open", report.open > 0),
            (String((kinds["skipped"] ?? 0) + (kinds["deferred"] ?? 0)), "left out", false),
            (String(report.rowsTakenOut), "rows taken out", false),
            (String(report.rowsRestored), "rows put back", false),
            (String(report.drift.count), "drift", report.drift.count > 0),
        ]
    }

    static func counted(_ count: Int64, _ one: String, _ several: String) -> String {
        "\(count == 0 ? "No" : String(count)) \(count == 1 ? one : several)"
    }

    /// Why and where, for a failure.
    static func failure(_ entry: HistoryReport.Entry) -> String {
        let state = entry.sqlstate.map { " (SQLSTATE \($0))" } ?? ""
        let what = entry.message ?? entry.reason ?? entry.event
        return (entry.place.map { $0 + ": " } ?? "") + what + state
    }

    static func took(_ entry: HistoryReport.Entry) -> String {
        entry.durationUS.map { TimeSpan(microseconds: $0).brief } ?? ""
    }

    /// The unit alone; its invocation is in the history.
    static func who(_ text: String?) -> String {
        guard let text else { return "?" }
        guard let cut = text.firstIndex(of: "("), text.hasSuffix(")") else { return text }
        return String(text[..<cut].reversed().drop { $0 == " " }.reversed())
    }

    /// The sections: a heading, what to say where there is nothing, the columns, and the rows.
    var sections: [ReportSection] {
        [changes, failures, skips, rows, drift, actors]
    }
}

/// A table of the report.
struct ReportSection {
    var title: String
    var empty: String
    var columns: [Column]
    var rows: [[Cell]]
    /// Rows that had no room.
    var further = 0

    struct Column {
        var title: String
        var isNumber = false
        /// Holds texts that may be long and are broken anywhere.
        var isLong = false
    }
    struct Cell {
        var text: String
        var mark: ReportPage.Trust.Mark?
        /// A fixed-width text such as a checksum.
        var isCode = false
        init(_ text: String, mark: ReportPage.Trust.Mark? = nil, isCode: Bool = false) {
            self.text = text
            self.mark = mark
            self.isCode = isCode
        }
    }
}

extension ReportPage {
    private func time(_ entry: HistoryReport.Entry) -> ReportSection.Cell { .init(local(entry.moment)) }
    private func event(_ entry: HistoryReport.Entry) -> ReportSection.Cell { .init(String(entry.seq)) }

    private var changes: ReportSection {
        let words = [
            "applied": "applied", "rolled_back": "rolled back", "adopted": "taken over", "resolved": "decided",
        ]
        return ReportSection(
            title: "What changed", empty: "No migration was applied, rolled back, taken over or decided.",
            columns: [
                .init(title: "When"), .init(title: "Migration", isLong: true), .init(title: "What"),
                .init(title: "Took", isNumber: true),
                .init(title: "By"), .init(title: "SHA-256 of the file"), .init(title: "Event", isNumber: true),
            ],
            rows: report.changes.shown.map { entry in
                let word = words[entry.event] ?? entry.event
                return [
                    time(entry), .init(entry.title), .init(entry.reason.map { "\(word): \($0)" } ?? word),
                    .init(ReportPage.took(entry)), .init(ReportPage.who(entry.by)),
                    .init(
                        entry.checksum.map { String($0.dropFirst("sha256:".count).prefix(16)) + "…" } ?? "",
                        isCode: true),
                    event(entry),
                ]
            }, further: report.changes.count - report.changes.shown.count)
    }

    private var failures: ReportSection {
        ReportSection(
            title: "Failures, and how long until mended", empty: "Nothing failed.",
            columns: [
                .init(title: "First failed"), .init(title: "Migration", isLong: true),
                .init(title: "Attempts", isNumber: true),
                .init(title: "Why (the last time)", isLong: true), .init(title: "Mended"),
                .init(title: "Events", isNumber: true),
            ],
            rows: report.incidents.map { incident in
                let mended: ReportSection.Cell
                if let end = incident.mended, let lasted = incident.lasted {
                    let how =
                        end.checksum == nil || end.checksum == incident.last.checksum
                        ? end.event.replacing("_", with: " ") : "by another file"
                    mended = .init(
                        "after \(TimeSpan(microseconds: lasted).brief), \(how), by \(ReportPage.who(end.by))",
                        mark: .good)
                } else {
                    mended = .init("still open", mark: .bad)
                }
                let events =
                    incident.first.seq == incident.last.seq
                    ? "\(incident.first.seq)" : "\(incident.first.seq) … \(incident.last.seq)"
                return [
                    .init(local(incident.first.moment) + (incident.beganBefore ? " (before this time)" : "")),
                    .init(incident.first.title), .init(String(incident.count)),
                    .init(ReportPage.failure(incident.last)),
                    mended, .init(events + (incident.mended.map { " → \($0.seq)" } ?? "")),
                ]
            })
    }

    private var skips: ReportSection {
        ReportSection(
            title: "Left out or put off", empty: "Nothing was left out.",
            columns: [
                .init(title: "First"), .init(title: "Migration", isLong: true), .init(title: "Why"),
                .init(title: "Object", isLong: true),
                .init(title: "Times", isNumber: true), .init(title: "Event", isNumber: true),
            ],
            rows: report.skips.map { skip in
                let word = skip.first.event == "deferred" ? "put off: " : ""
                return [
                    time(skip.first), .init(skip.first.title), .init(word + (skip.first.reason ?? "?")),
                    .init(skip.first.object ?? ""), .init(String(skip.count)), event(skip.first),
                ]
            }, further: report.furtherSkips)
    }

    private var rows: ReportSection {
        let words = ["orphans_deleted": "deleted", "orphans_nullified": "set to null", "orphans_restored": "put back"]
        return ReportSection(
            title: "Rows removed and restored", empty: "No row was taken out or put back.",
            columns: [
                .init(title: "When"), .init(title: "Migration", isLong: true), .init(title: "What"),
                .init(title: "Table and column", isLong: true),
                .init(title: "Rows", isNumber: true), .init(title: "Event", isNumber: true),
            ],
            rows: report.rows.shown.map { entry in
                [
                    time(entry), .init(entry.name ?? entry.version ?? "-"), .init(words[entry.event] ?? entry.event),
                    .init(entry.object ?? ""), .init(entry.rowCount.map(String.init) ?? ""), event(entry),
                ]
            }, further: report.rows.count - report.rows.shown.count)
    }

    private var drift: ReportSection {
        ReportSection(
            title: "Drift", empty: "No applied file and no object was found changed from outside.",
            columns: [
                .init(title: "When"), .init(title: "What", isLong: true), .init(title: "Why", isLong: true),
                .init(title: "Object", isLong: true), .init(title: "Gone (-) and new (+)", isLong: true),
                .init(title: "Event", isNumber: true),
            ],
            rows: report.drift.shown.map { entry in
                [
                    time(entry),
                    .init(
                        entry.event == "anchor_gap"
                            ? "gap of the anchors" : entry.change ?? entry.name ?? entry.version ?? "schema"),
                    .init(entry.object == nil ? entry.message ?? entry.reason ?? "" : entry.reason ?? ""),
                    .init(entry.object ?? ""), .init(entry.difference.joined(separator: "; ")), event(entry),
                ]
            }, further: report.drift.count - report.drift.shown.count)
    }

    private var actors: ReportSection {
        ReportSection(
            title: "Who", empty: "Nobody changed anything.",
            columns: [.init(title: "Unit or person", isLong: true), .init(title: "Changes", isNumber: true)],
            rows: report.actors.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(1000).map { who, count in
                [.init(who), .init(String(count))]
            }, further: max(0, report.actors.count - 1000))
    }
}
