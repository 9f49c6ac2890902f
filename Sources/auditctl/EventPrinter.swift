internal import AuditReading
internal import Reporting

/// Prints events one page after the other, in the form asked for.
final class EventPrinter {
    private let form: OutputFormat
    private let output: Output
    private var table: EventTable
    private var isFirst = true

    init(_ form: OutputFormat, _ output: Output) {
        self.form = form
        self.output = output
        table = EventTable(output)
    }

    /// What stands before the first event.
    func begin() throws {
        switch form {
        case .table, .ndjson: break
        case .json: try output.bytes(Array("[".utf8))
        case .csv: try output.line(HistoryRow.csvHeader)
        }
    }

    /// The next events.
    func print(_ rows: [HistoryRow]) throws {
        if form == .table { table.fit(rows) }
        for row in rows {
            switch form {
            case .table: try table.print(row)
            case .json: try output.bytes(Array(((isFirst ? "\n" : ",\n") + row.json).utf8))
            case .ndjson: try output.line(row.json)
            case .csv: try output.line(row.csv(escape: output.guarded))
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
