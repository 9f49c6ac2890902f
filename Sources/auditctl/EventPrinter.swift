internal import AuditReading
internal import Reporting

/// Prints events one page after the other, in the form asked for.
final class EventPrinter {
    private let form: OutputFormat
    private let output: Output
    private var table: EventTable
    private var isFirst = true
    /// Writes CSV for programs; a terminal gets it escaped.
    private var writer: ExportWriter

    init(_ form: OutputFormat, _ output: Output) {
        self.form = form
        self.output = output
        writer = ExportWriter(.csv, cells: form.cells)
        table = EventTable(output)
    }

    /// What stands before the first event.
    func begin() throws {
        switch form {
        case .table, .ndjson: break
        case .json: try output.bytes(Array("[".utf8))
        case .csv, .exactCSV: try output.line(HistoryRow.csvHeader)
        }
    }

    /// The next events.
    func print(_ rows: [HistoryRow]) throws {
        if form == .table { table.fit(rows) }
        for row in rows {
            switch form {
            case .table: try table.print(row)
            case .json: try output.bytes(Array((isFirst ? "\n" : ",\n").utf8) + row.jsonBytes)
            case .ndjson: try output.bytes(row.jsonBytes + [UInt8(ascii: "\n")])
            case .csv, .exactCSV:
                guard !output.isTerminal else {
                    try output.line(row.csv(form.cells, escape: output.guarded))
                    continue
                }
                var line: [UInt8] = []
                writer.append(row, to: &line)
                try output.bytes(line)
            }
            isFirst = false
        }
    }

    /// What stands behind the last event.
    func end() throws {
        if form == .json { try output.line(isFirst ? "]" : "\n]") }
        try output.flush()
    }
}
