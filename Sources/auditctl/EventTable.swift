internal import Audit
internal import AuditReading
internal import Reporting
internal import Systemd

/// Events for people, one line each: time, seq, event, version and what there is to say.
struct EventTable {
    private let output: Output
    private var widths = (seq: 3, event: 7, version: 7)
    private var hasHeader = false

    init(_ output: Output) { self.output = output }

    /// Makes the columns wide enough for `rows`; they only ever grow.
    mutating func fit(_ rows: [HistoryRow]) {
        let most = output.width.map { max(7, $0 / 4) } ?? .max
        for row in rows {
            widths.seq = max(widths.seq, String(row.seq).count)
            widths.event = max(widths.event, TextWidth.of(Printable.line(row.text(.event) ?? "")))
            widths.version = max(widths.version, min(most, TextWidth.of(Printable.line(row.text(.version) ?? ""))))
        }
    }

    mutating func print(_ row: HistoryRow) throws {
        if !hasHeader {
            let titles =
                TextWidth.padded("TIME", 19) + "  " + TextWidth.padded("SEQ", widths.seq, right: true) + "  "
                + TextWidth.padded("EVENT", widths.event) + "  " + TextWidth.padded("VERSION", widths.version)
                + "  WHAT"
            try output.line(output.coloured(titles, .bold))
            hasHeader = true
        }
        let version = TextWidth.clipped(Printable.line(row.text(.version) ?? "-"), widths.version)
        let front =
            EventText.localTime(row.recordedAt) + "  "
            + TextWidth.padded(String(row.seq), widths.seq, right: true) + "  "
        let event = TextWidth.padded(Printable.line(row.text(.event) ?? "?"), widths.event)
        let taken = TextWidth.of(front) + TextWidth.of(event) + widths.version + 4
        var what = EventText(row).summary
        if let width = output.width { what = TextWidth.clipped(what, max(20, width - taken)) }
        try output.line(
            front + output.coloured(event, row.kind?.colour) + "  " + TextWidth.padded(version, widths.version) + "  "
                + what)
    }
}

extension EventKind {
    /// Red for what failed, yellow for what a person should look at, green for what is done.
    var colour: Colour? {
        switch self {
        case .failed, .rollbackFailed, .interrupted: .red
        case .skipped, .deferred, .driftDetected, .orphansDeleted, .orphansNullified, .anchorGap: .yellow
        case .applied, .adopted, .resolved, .rolledBack: .green
        default: nil
        }
    }
}
