internal import Audit

extension HistoryRow {
    /// One JSON object: the column names in the table's order, every column, null where null.
    ///
    /// Numbers are numbers, moments RFC 3339 in UTC, bytes hexadecimal digits, `detail` an object. Control and direction characters are
    /// escapes, so that the text is safe on a terminal.
    public var json: String { String(decoding: jsonBytes, as: UTF8.self) }

    /// The same as UTF-8.
    public var jsonBytes: [UInt8] {
        var bytes: [UInt8] = []
        ExportWriter.appendLogged(self, to: &bytes)
        return bytes
    }

    /// The header of the CSV form.
    public static let csvHeader = AuditColumn.allCases.map(\.rawValue).joined(separator: ",")

    /// One record by RFC 4180: null is nothing, an empty text is `""`. The values are raw: pass them through `escape` for a terminal.
    public func csv(_ cells: CSV.Cells, escape: (String) -> String = { $0 }) -> String {
        AuditColumn.allCases.map { CSV.field(text($0).map(escape), cells) }.joined(separator: ",")
    }
}
