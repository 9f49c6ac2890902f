internal import Audit
internal import Digest
internal import Reporting

extension ReportPage {
    /// The same as Markdown (CommonMark with tables), for a wiki or a pull request.
    public var markdown: String {
        var lines = [
            "# Schema changes of \(Markdown.text(origin.database))", "",
            "\(Markdown.text(period.prefix(1).uppercased() + period.dropFirst())), times \(Markdown.text(zone)).", "",
            "**History: \(Markdown.text(trust.word)).** \(Markdown.text(trust.sentence))", "",
        ]
        if !trust.findings.isEmpty { lines += trust.findings.map { "- \(Markdown.text($0))" } + [""] }
        lines += [summary.map(Markdown.text).joined(separator: " "), ""]
        lines += ["| \(figures.map { Markdown.text($0.what) }.joined(separator: " | ")) |"]
        lines += [
            "|\(figures.map { _ in " ---: |" }.joined())", "| \(figures.map(\.number).joined(separator: " | ")) |", "",
        ]
        lines += [
            "Reviewed by: \\_\\_\\_\\_\\_\\_\\_\\_\\_\\_\\_\\_ Date: \\_\\_\\_\\_\\_\\_\\_\\_ Signature: \\_\\_\\_\\_\\_\\_\\_\\_\\_\\_\\_\\_",
            "",
        ]
        for section in sections {
            lines += ["## \(section.title)", ""]
            guard !section.rows.isEmpty else {
                lines += [section.empty, ""]
                continue
            }
            lines.append("| \(section.columns.map(\.title).joined(separator: " | ")) |")
            lines.append("|\(section.columns.map { $0.isNumber ? " ---: |" : " --- |" }.joined())")
            for row in section.rows {
                let cells = row.map { $0.mark == .bad ? "**\(Markdown.text($0.text))**" : Markdown.text($0.text) }
                lines.append("| \(cells.joined(separator: " | ")) |")
            }
            lines.append("")
            if section.further > 0 { lines += ["And \(section.further) more, which `auditctl log` shows.", ""] }
        }
        lines += ["---", ""]
        lines += facts.map { "- \($0.0): \(Markdown.text($0.1))" }
        return lines.joined(separator: "\n") + "\n"
    }
}
