internal import Reporting

/// The timeline of a report as SVG: how many events of each kind in each stretch of time, and below how long failures stood open.
struct ReportTimeline {
    let page: ReportPage

    private static let width = 960
    private static let left = 44
    private static let right = 12
    private static let top = 10
    private static let height = 150
    private static let columns = 64
    /// At most so many failures have a bar.
    private static let bars = 14

    private static let names: [HistoryReport.Category: String] = [
        .changed: "changed", .failed: "failed", .skipped: "left out", .rows: "rows taken out or put back",
        .drifted: "drift",
    ]

    /// From and to, in microseconds; nil where nothing happened.
    private var range: (from: Int64, to: Int64)? {
        let moments = page.report.moments.map(\.moment) + page.report.incidents.map(\.first.moment.microseconds)
        guard let first = moments.min(), let last = moments.max() else { return nil }
        // A clock that is wrong by more than a life's time makes no picture.
        let bound: Int64 = 3_200_000_000_000_000
        guard first > -bound, last < bound else { return nil }
        // What was recorded, and the time asked for where that is not far wider.
        var (from, to) = (first, last)
        let room = 3 * max(1, to - from)
        if let since = page.report.since?.microseconds, since < from, since > -bound, from - since < room {
            from = since
        }
        if let until = page.report.until?.microseconds, until > to, until < bound, until - to < room { to = until }
        return to - from < 1_000_000 ? (from - 500_000, to + 500_000) : (from, to)
    }

    /// The picture; nil where there is nothing to show.
    var svg: String? {
        guard let range else { return nil }
        let span = Double(range.to - range.from)
        let plot = Double(Self.width - Self.left - Self.right)
        func x(_ moment: Int64) -> Double {
            Double(Self.left) + max(0, min(1, Double(moment - range.from) / span)) * plot
        }
        var counts = [[Int]](
            repeating: [Int](repeating: 0, count: HistoryReport.Category.allCases.count), count: Self.columns)
        for (moment, category) in page.report.moments {
            let column = Int(Double(moment - range.from) / span * Double(Self.columns))
            counts[max(0, min(Self.columns - 1, column))][Int(category.rawValue)] += 1
        }
        let most = max(1, counts.map { $0.reduce(0, +) }.max() ?? 1)
        let ceiling = Self.ceiling(most)
        let base = Self.top + Self.height
        // The longest, in the order in which they began.
        let open = page.report.incidents.sorted { ($0.lasted ?? .max) > ($1.lasted ?? .max) }.prefix(Self.bars)
            .sorted { $0.first.seq < $1.first.seq }
        let total = base + 26 + (open.isEmpty ? 0 : open.count * 15 + 26)
        var parts = [
            "<svg viewBox=\"0 0 \(Self.width) \(total)\" role=\"img\" aria-label=\"Events over time\">",
            "<title>Events over time</title>",
        ]
        // Lines of equal count behind the columns.
        for step in Self.steps(ceiling) {
            let y = Double(base) - Double(step) / Double(ceiling) * Double(Self.height)
            parts.append(
                "<line class=\"grid\" x1=\"\(Self.left)\" y1=\"\(Self.number(y))\" x2=\"\(Self.width - Self.right)\" y2=\"\(Self.number(y))\"/>"
            )
            parts.append(
                "<text class=\"tick\" x=\"\(Self.left - 6)\" y=\"\(Self.number(y + 4))\" text-anchor=\"end\">\(step)</text>"
            )
        }
        let wide = plot / Double(Self.columns)
        for (index, column) in counts.enumerated() {
            var y = Double(base)
            for category in HistoryReport.Category.allCases where column[Int(category.rawValue)] > 0 {
                let count = column[Int(category.rawValue)]
                let tall = max(1.5, Double(count) / Double(ceiling) * Double(Self.height))
                y -= tall
                let what = "\(count) \(Self.names[category] ?? "")"
                parts.append(
                    "<rect class=\"c\(category.rawValue)\" x=\"\(Self.number(Double(Self.left) + Double(index) * wide + 0.8))\" y=\"\(Self.number(y))\" "
                        + "width=\"\(Self.number(max(1, wide - 1.6)))\" height=\"\(Self.number(tall))\"><title>\(what)</title></rect>"
                )
            }
        }
        parts.append(
            "<line class=\"axis\" x1=\"\(Self.left)\" y1=\"\(base)\" x2=\"\(Self.width - Self.right)\" y2=\"\(base)\"/>"
        )
        // As exact as five moments of this span have to be to differ.
        let whole = range.to - range.from
        let shown = whole > 3 * 86_400_000_000 ? 0..<10 : whole > 600_000_000 ? 0..<16 : 11..<19
        for tick in 0...4 {
            let moment = range.from + Int64(span / 4 * Double(tick))
            let text = page.local(Timestamp(microseconds: moment))
            let anchor = tick == 0 ? "start" : tick == 4 ? "end" : "middle"
            parts.append(
                "<line class=\"axis\" x1=\"\(Self.number(x(moment)))\" y1=\"\(base)\" x2=\"\(Self.number(x(moment)))\" y2=\"\(base + 4)\"/>"
            )
            parts.append(
                "<text class=\"tick\" x=\"\(Self.number(x(moment)))\" y=\"\(base + 17)\" text-anchor=\"\(anchor)\">\(HTML.text(String(text.prefix(shown.upperBound).dropFirst(shown.lowerBound))))</text>"
            )
        }
        if !open.isEmpty { parts += bars(open, base + 42, range, x) }
        parts.append("</svg>")
        return parts.joined(separator: "\n")
    }

    /// One bar for each failure, from its first attempt until it was mended.
    private func bars(
        _ incidents: [HistoryReport.Incident], _ top: Int, _ range: (from: Int64, to: Int64), _ x: (Int64) -> Double
    ) -> [String] {
        let more = page.report.incidents.count - incidents.count
        let words =
            "Failed until mended"
            + (more > 0 ? " (the \(incidents.count) longest of \(page.report.incidents.count))" : "")
        var parts = ["<text class=\"label\" x=\"\(Self.left)\" y=\"\(top)\">\(words)</text>"]
        for (index, incident) in incidents.enumerated() {
            let y = top + 8 + index * 15
            let from = x(incident.first.moment.microseconds)
            let to = x(incident.mended?.moment.microseconds ?? range.to)
            let wide = max(3, to - from)
            let name = Printable.bounded(incident.first.title, 60)
            parts.append(
                "<rect class=\"\(incident.mended == nil ? "open" : "mended")\" x=\"\(Self.number(from))\" y=\"\(y)\" width=\"\(Self.number(wide))\" height=\"9\" rx=\"2\"/>"
            )
            // Beside the bar, on the side that has room.
            let isLeft = from + wide > Double(Self.width) * 0.6
            let place = isLeft ? from - 5 : from + wide + 5
            let anchor = isLeft ? "end" : "start"
            let text = isLeft && from < 300 ? nil : HTML.text(name)
            if let text {
                parts.append(
                    "<text class=\"name\" x=\"\(Self.number(place))\" y=\"\(y + 8)\" text-anchor=\"\(anchor)\">\(text)</text>"
                )
            } else {
                parts.append(
                    "<text class=\"inside\" x=\"\(Self.number(from + 5))\" y=\"\(y + 8)\">\(HTML.text(name))</text>")
            }
        }
        return parts
    }

    /// What the colours mean, as HTML.
    var legend: String {
        let seen = Set(page.report.moments.map(\.category))
        let items = HistoryReport.Category.allCases.filter(seen.contains).map { category in
            "<li><span class=\"swatch s\(category.rawValue)\"></span>\(HTML.text(Self.names[category] ?? ""))</li>"
        }
        return "<ul class=\"legend\">\(items.joined())</ul>"
    }

    /// A round number not below `most`.
    private static func ceiling(_ most: Int) -> Int {
        var unit = 1
        while unit * 10 < most { unit *= 10 }
        return [1, 2, 4, 5, 8, 10].map { $0 * unit }.first { $0 >= most } ?? most
    }

    private static func steps(_ ceiling: Int) -> [Int] {
        let parts = ceiling % 4 == 0 ? 4 : ceiling % 5 == 0 ? 5 : ceiling % 2 == 0 ? 2 : 1
        return (1...parts).map { ceiling / parts * $0 }
    }

    /// One decimal place is a tenth of a pixel.
    private static func number(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        return tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths / 10).\(abs(tenths % 10))"
    }
}
