internal import Audit
internal import Digest
internal import Reporting

extension ReportPage {
    /// One HTML page that needs nothing from outside and runs nothing: no script, no link, no picture but its own SVG.
    public var html: String {
        let style = "\n" + ReportStyle.css + "\n"
        let hash = HTML.base64(SHA256.hash(Array(style.utf8)))
        let title = "Schema changes of \(origin.database)"
        var parts = [
            "<!DOCTYPE html>", "<html lang=\"en\">", "<head>", "<meta charset=\"utf-8\">",
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-\(hash)'\">",
            "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">",
            "<meta name=\"referrer\" content=\"no-referrer\">",
            "<title>\(HTML.text(title)), \(HTML.text(period))</title>", "<style>\(style)</style>", "</head>", "<body>",
            "<main>",
            "<h1>\(HTML.text(title))</h1>",
            "<p class=\"sub\">\(HTML.text(period.prefix(1).uppercased() + period.dropFirst())), times \(HTML.text(zone))</p>",
        ]
        parts += verdict + figureList
        parts.append("<p>\(summary.map(HTML.text).joined(separator: " "))</p>")
        parts += [
            "<div class=\"sign\"><div>Reviewed by</div><div>Date</div><div>Signature</div></div>",
            "<p class=\"note\">\(scope)</p>",
        ]
        if let svg = ReportTimeline(page: self).svg {
            parts += ["<h2>Timeline</h2>", "<figure>", svg, ReportTimeline(page: self).legend, "</figure>"]
        }
        for section in sections { parts += table(section) }
        parts += footer + ["</main>", "</body>", "</html>", ""]
        return parts.joined(separator: "\n")
    }

    /// What a signature is put under.
    private var scope: String {
        guard origin.head.seq > 0 else { return "This page is about a history without any event." }
        return "This page is about a history of \(origin.head.seq) events, the last of which has the hash "
            + "<code>\(Hex.text(origin.head.hash))</code>."
    }

    private var verdict: [String] {
        var parts = [
            "<section class=\"verdict \(trust.mark.rawValue)\">",
            "<strong>History: \(HTML.text(trust.word))</strong>", "<p>\(HTML.text(trust.sentence))</p>",
        ]
        if !trust.findings.isEmpty {
            parts.append("<ul>\(trust.findings.map { "<li>\(HTML.text($0))</li>" }.joined())</ul>")
        }
        return parts + ["</section>"]
    }

    private var figureList: [String] {
        let items = figures.map { figure in
            "<li\(figure.alarms ? " class=\"alarm\"" : "")><b>\(HTML.text(figure.number))</b><span>\(HTML.text(figure.what))</span></li>"
        }
        return ["<ul class=\"figures\">\(items.joined())</ul>"]
    }

    private func table(_ section: ReportSection) -> [String] {
        var parts = ["<h2>\(HTML.text(section.title))</h2>"]
        guard !section.rows.isEmpty else { return parts + ["<p class=\"note\">\(HTML.text(section.empty))</p>"] }
        let heads = section.columns.map { "<th\($0.isNumber ? " class=\"n\"" : "")>\(HTML.text($0.title))</th>" }
        parts += ["<table>", "<thead><tr>\(heads.joined())</tr></thead>", "<tbody>"]
        for row in section.rows {
            let cells = zip(section.columns, row).map { column, cell in
                let classes = [
                    column.isNumber ? "n" : nil, column.isLong ? "l" : nil, cell.isCode ? "code" : nil,
                    cell.mark?.rawValue,
                ].compactMap(
                    \.self)
                let attribute = classes.isEmpty ? "" : " class=\"\(classes.joined(separator: " "))\""
                return "<td\(attribute)>\(column.isLong ? HTML.breakable(cell.text) : HTML.text(cell.text))</td>"
            }
            parts.append("<tr>\(cells.joined())</tr>")
        }
        parts += ["</tbody>", "</table>"]
        if section.further > 0 {
            parts.append("<p class=\"note\">And \(section.further) more, which 'auditctl log' shows.</p>")
        }
        return parts
    }

    private var footer: [String] {
        let facts = facts.map {
            "<dt>\(HTML.text($0.0))</dt><dd>\($0.2 ? "<code>" : "")\(HTML.text($0.1))\($0.2 ? "</code>" : "")</dd>"
        }
        return ["<footer>", "<dl>\(facts.joined())</dl>", "</footer>"]
    }

    /// Where the page comes from: name, value, and whether the value is a code.
    var facts: [(String, String, Bool)] {
        [
            ("Database", origin.database + (origin.systemIdentifier.map { ", system \($0)" } ?? ""), false),
            ("Schema of the history", "\(origin.schema), version \(origin.schemaVersion)", false),
            (
                "Events in this time",
                "\(report.count)"
                    + (report.first.map { ", from event \($0.seq) to event \(report.last?.seq ?? $0.seq)" } ?? ""),
                false
            ),
            ("Head of the chain", "event \(origin.head.seq), \(Hex.text(origin.head.hash))", true),
            ("Made", "\(local(origin.moment)) \(zone) by \(author) on \(host), with auditctl report", false),
            ("To check it", "auditctl verify", true),
        ]
    }
}
