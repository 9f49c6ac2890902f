internal import Audit
internal import AuditReading
internal import Reporting

/// Events as a story: each attempt under a heading of its own, each event with all that is known of it.
struct StoryPrinter {
    private let output: Output
    private let reader: HistoryReader
    private var attempt: String?
    private var number = 0

    init(_ output: Output, _ reader: HistoryReader) { (self.output, self.reader) = (output, reader) }

    mutating func print(_ rows: [HistoryRow]) throws {
        for row in rows { try print(row) }
    }

    private mutating func print(_ row: HistoryRow) throws {
        let text = EventText(row)
        let id = row.text(.attemptID)
        if let id, id != attempt {
            number += 1
            let down = row.text(.direction) == "down" ? " (rollback)" : ""
            try output.line("")
            try output.line(output.coloured("attempt \(number)\(down): \(id)", .bold))
            try output.line("  \(text.actor)")
            if let checksum = row.text(.checksum) { try output.line("  file \(Printable.line(checksum))") }
            if let signer = text.signer { try output.line("  \(signer)") }
        } else if id == nil, attempt != nil || number == 0 {
            try output.line("")
        }
        attempt = id
        let event = output.coloured(Printable.line(row.text(.event) ?? "?"), row.kind?.colour)
        let facts = text.facts
        try output.line(
            "  \(EventText.localTime(row.recordedAt))  event \(row.seq)  \(event)" + (facts.isEmpty ? "" : "  \(facts)")
        )
        for line in text.details { try output.line("      " + line) }
        for line in try ChangesText(reader.changes(by: row)).lines { try output.line("      " + line) }
    }
}
