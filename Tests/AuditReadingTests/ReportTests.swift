import Audit
import AuditReading
import Digest
import Reporting
import Testing

@Suite struct `A report` {
    private static let service = AuditEvent.Actor(
        initiatedBy: "migrated.service (0123)", host: "web1", dbUser: "migrated", pid: 7, invocationID: nil)
    private static let hour: Int64 = 3_600_000_000

    /// Events with the version, and what is set on each.
    private static func rows(_ events: [(EventKind, String, Int64, (inout AuditEvent) -> Void)]) -> [HistoryRow] {
        var head = ChainHead(seq: 0, hash: [UInt8](repeating: 1, count: 32))
        return events.map { kind, version, moment, change in
            var event = AuditEvent(kind, by: service)
            event.version = version
            event.name = version + "_name"
            change(&event)
            let record = AuditRecord(event, after: head, recordedAt: moment)
            head = record.head
            return HistoryRow(record)
        }
    }

    private static func report(_ rows: [HistoryRow], earlier: Int = 0) -> HistoryReport {
        var builder = ReportBuilder(since: nil, until: nil)
        for row in rows.prefix(earlier) { builder.readEarlier(row) }
        for row in rows.dropFirst(earlier) { builder.read(row) }
        return builder.finish()
    }

    private static func page(_ report: HistoryReport, _ trust: ReportPage.Trust = .init(.good, "intact", "All holds."))
        -> ReportPage
    {
        let origin = HistoryOrigin(
            systemIdentifier: "7", databaseOID: 5, database: "app<b>", schema: "migrated", schemaVersion: 2,
            genesis: [1],
            head: ChainHead(seq: 9, hash: [0xAB]), moment: Timestamp(microseconds: 0))
        return ReportPage(
            report, origin: origin, trust: trust, author: "alice", host: "web1", zone: "+0000",
            local: { $0.description })
    }

    @Test func `tells how long a failure stood, and what mended it`() {
        let none: (inout AuditEvent) -> Void = { _ in }
        let report = Self.report(
            Self.rows([
                (.failed, "1", 0, { $0.message = "first" }), (.failed, "1", Self.hour, { $0.message = "second" }),
                (.applied, "2", 2 * Self.hour, none), (.resolved, "1", 3 * Self.hour, { $0.reason = "retry" }),
                (.applied, "1", 5 * Self.hour, none), (.interrupted, "3", 6 * Self.hour, none),
                (.failed, "1", 7 * Self.hour, none), (.resolved, "1", 8 * Self.hour, { $0.reason = "applied" }),
            ]))
        #expect(report.incidents.map(\.count) == [2, 1, 1])
        #expect(report.incidents.map(\.lasted) == [5 * Self.hour, nil, Self.hour])
        #expect(report.incidents[0].last.message == "second" && report.incidents[0].mended?.seq == 5)
        #expect(report.open == 1 && report.applied == 2 && report.changes.count == 4)
    }

    @Test func `knows what had failed before its time`() {
        let none: (inout AuditEvent) -> Void = { _ in }
        let rows = Self.rows([
            (.failed, "1", 0, none), (.failed, "2", 1, none), (.applied, "2", 2, none), (.failed, "3", 3, none),
            (.applied, "1", Self.hour, none),
        ])
        let report = Self.report(rows, earlier: 4)
        #expect(report.incidents.map(\.first.version) == ["1", "3"] && report.incidents.allSatisfy(\.beganBefore))
        #expect(report.incidents.map(\.lasted) == [Self.hour, nil] && report.count == 1)
        #expect(Self.report(rows, earlier: 5).incidents.map(\.first.version) == ["3"])
    }

    @Test func `counts rows, skips and drift`() {
        let none: (inout AuditEvent) -> Void = { _ in }
        let report = Self.report(
            Self.rows([
                (.orphansDeleted, "1", 0, { $0.rowCount = 5 }), (.orphansNullified, "1", 0, { $0.rowCount = 12 }),
                (.orphansRestored, "1", 0, { $0.rowCount = 4 }), (.skipped, "2", 0, { $0.reason = "a" }),
                (.skipped, "2", 1, { $0.reason = "a" }), (.skipped, "2", 2, { $0.reason = "b" }),
                (.driftDetected, "3", 3, none), (.started, "3", 4, none),
            ]))
        #expect(report.rowsTakenOut == 17 && report.rowsRestored == 4 && report.rows.count == 3)
        #expect(report.skips.map(\.count) == [2, 1] && report.drift.count == 1 && report.count == 8)
    }

    private static let hostile = [
        "</td><script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "'-->&lt;", "\u{1b}[2J\n# head\r",
        "\u{202e}gpj.exe",
        "a|b | c", "[x](http://evil.example) https://evil.example www.evil.example",
        "`code` *bold* _under_ ~~gone~~ ![p](u)",
        "</title></style></svg>", "{{7*7}} ${x} <!--",
    ]

    private static var hostileReport: HistoryReport {
        report(
            rows(
                hostile.enumerated().flatMap {
                    number, text -> [(EventKind, String, Int64, (inout AuditEvent) -> Void)] in
                    let fill: (inout AuditEvent) -> Void = { event in
                        event.name = text
                        event.reason = text
                        event.object = text
                        event.message = text
                        event.sqlstate = text
                        event.rowCount = 1
                        event.actor.initiatedBy = text
                    }
                    let moment = Int64(number) * hour
                    return [
                        EventKind.applied, .failed, .skipped, .orphansDeleted, .driftDetected, .resolved, .rolledBack,
                    ].map {
                        ($0, "\(number)", moment, fill)
                    }
                }))
    }

    @Test func `as HTML holds no markup but its own, whatever the names are`() throws {
        let plain = Self.page(Self.report([])).html
        let html = Self.page(
            Self.hostileReport, .init(.bad, Self.hostile[0], Self.hostile[1], findings: Self.hostile)
        ).html
        #expect(html.contains("&lt;script&gt;alert(1)&lt;/script&gt;") && html.contains("\\u{1b}[2J\\n# head"))
        #expect(html.contains("Schema changes of app&lt;b&gt;"))
        #expect(html.unicodeScalars.allSatisfy { $0 == "\n" || Printable.line(String($0)) == String($0) })
        // Every element is one of ours, with attributes of ours.
        let attribute = #/ [a-z0-9-]+(Box)?="[^"<>]*"/#
        let known: Set<Substring> = [
            "html", "head", "meta", "title", "style", "body", "main", "h1", "h2", "p", "section", "strong", "ul", "li",
            "b", "span",
            "div", "code", "figure", "svg", "line", "text", "rect", "table", "thead", "tbody", "tr", "th", "td", "wbr",
            "footer", "dl", "dt",
            "dd", "!DOCTYPE",
        ]
        for page in [plain, html] {
            for piece in page.split(separator: "<").dropFirst(page.hasPrefix("<") ? 0 : 1) {
                let end = try #require(piece.firstIndex(of: ">"), "\(piece)")
                let tag = piece[..<end]
                let name = tag.split(separator: " ").first.map { $0.hasPrefix("/") ? $0.dropFirst() : $0 }
                #expect(name.map(known.contains) == true, "\(tag)")
                let rest = (tag.hasSuffix("/") ? tag.dropLast() : tag).drop { $0 != " " }
                if name != "!DOCTYPE" { #expect(rest.replacing(attribute, with: "").isEmpty, "\(tag)") }
                #expect(
                    !rest.contains("style=") && !rest.contains(" on") && !rest.contains("href")
                        && !rest.contains(" src"), "\(tag)")
            }
        }
        // The only style that the page allows is the one that it has.
        let style = try #require(html.firstMatch(of: #/<style>([^<]*)</style>/#)).1
        let digest = SHA256.hash(Array(style.utf8))
        let hash = try #require(html.firstMatch(of: #/style-src 'sha256-([A-Za-z0-9+/]{43}=)'"/#)).1
        #expect(Self.decoded(String(hash)) == digest && html.contains("default-src 'none'"))
        #expect(!style.contains("url(") && !style.contains("@import"))
    }

    /// Base 64 by its definition: six bits a character.
    private static func decoded(_ text: String) -> [UInt8] {
        let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
        let bits = text.compactMap { digits.firstIndex(of: $0) }.flatMap { value in
            (0..<6).map { value >> (5 - $0) & 1 }
        }
        return stride(from: 0, to: bits.count - 7, by: 8).map { at in UInt8(bits[at..<at + 8].reduce(0) { $0 * 2 + $1 })
        }
    }

    @Test func `as Markdown holds no markup but its own, whatever the names are`() {
        let text = Self.page(Self.hostileReport, .init(.bad, "edited", Self.hostile[6], findings: Self.hostile))
            .markdown
        #expect(!text.contains("<") && !text.contains("http:") && !text.contains("https:") && !text.contains("www."))
        for line in text.split(separator: "\n") where line.hasPrefix("|") {
            // Within a table only the borders of cells are bare; each row has as many as its head.
            let borders = line.replacing("\\\\", with: "").replacing("\\|", with: "").count { $0 == "|" }
            #expect([3, 6, 7, 8, 9].contains(borders), "\(line)")
        }
        #expect(text.contains(#"\`code\` \*bold\* \_under\_ \~\~gone\~\~ \!\[p\](u)"#))
        let headings = text.split(separator: "\n").count { $0.hasPrefix("#") }
        #expect(headings == 7, "\(headings)")
    }

    @Test func `of nothing says so`() {
        let html = Self.page(Self.report([])).html
        #expect(
            html.contains("Nothing was recorded in this time.") && !html.contains("<svg")
                && html.contains("Nothing failed."))
    }

    @Test func `draws wrong clocks and single moments too`() {
        for moments in [[0], [Int64.min, .max], [5, 5, 5], [-900_000_000_000_000, 900_000_000_000_000]] as [[Int64]] {
            let rows = Self.rows(moments.map { (.failed, "1", $0, { _ in }) })
            let html = Self.page(Self.report(rows)).html
            #expect(!html.contains("nan") && !html.contains("inf\""), "\(moments)")
        }
    }
}
