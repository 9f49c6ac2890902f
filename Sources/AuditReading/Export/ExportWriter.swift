internal import Audit
internal import JSON
internal import Reporting

/// Writes events as an export has them: every column, and each so exactly that the hash can be computed again from it.
public struct ExportWriter: Sendable {
    private let form: ExportForm
    private let cells: CSV.Cells
    /// Events written so far.
    public private(set) var count: Int64 = 0
    /// The first and the last of them.
    public private(set) var ends: (first: Int64, last: Int64)?

    /// A writer of one export. Only with exact cells can it be verified.
    public init(_ form: ExportForm, cells: CSV.Cells = .exact) {
        self.form = form
        self.cells = cells
    }

    /// What stands before the first event.
    public var header: [UInt8] { form == .csv ? Array((HistoryRow.csvHeader + "\n").utf8) : [] }

    /// Appends one event as a line of `output`.
    public mutating func append(_ row: HistoryRow, to output: inout [UInt8]) {
        let seq = row.seq
        count += 1
        ends = (ends?.first ?? seq, seq)
        for column in AuditColumn.allCases {
            let value = row.slice(column)
            switch form {
            case .ndjson:
                output += ExportWriter.keys[column.place]
                if let value { ExportWriter.json(value, column.form, to: &output) } else { output += ExportWriter.null }
            case .csv:
                if column != .seq { output.append(UInt8(ascii: ",")) }
                if let value { csv(value, column.form, to: &output) }
            }
        }
        if form == .ndjson { output.append(UInt8(ascii: "}")) }
        output.append(UInt8(ascii: "\n"))
    }

    /// Appends one event as an object of the log: like that of an export, but with `detail` as the object that it is.
    static func appendLogged(_ row: HistoryRow, to output: inout [UInt8]) {
        for column in AuditColumn.allCases {
            output += keys[column.place]
            guard let value = row.slice(column) else {
                output += null
                continue
            }
            if column == .detail {
                output += JSONText.safe(row.detail.text).utf8
            } else {
                json(value, column.form, to: &output)
            }
        }
        output.append(UInt8(ascii: "}"))
    }

    /// The last line: what was exported, and where the chain stood.
    public func trailer(_ trailer: ExportTrailer) -> [UInt8] {
        let text = JSONText.safe(trailer.json.text)
        switch form {
        case .ndjson: return Array((text + "\n").utf8)
        case .csv:
            let empty = String(repeating: ",", count: AuditColumn.allCases.count - 2)
            return Array("\(ExportTrailer.csvMark),\(CSV.field(text, .exact))\(empty)\n".utf8)
        }
    }

    /// `{"seq":`, `,"event_id":` …
    private static let keys = AuditColumn.allCases.map { column in
        Array("\(column == .seq ? "{" : ",")\"\(column.rawValue)\":".utf8)
    }
    private static let null = Array("null".utf8)

    private static func json(_ value: ArraySlice<UInt8>, _ form: AuditColumn.Form, to output: inout [UInt8]) {
        let quote = UInt8(ascii: "\"")
        switch form {
        case .integer, .small: decimal(CanonicalForm.integer(value), to: &output)
        case .text: string(value, to: &output)
        case .uuid, .time, .bytes:
            output.append(quote)
            plain(value, form, to: &output)
            output.append(quote)
        }
    }

    private func csv(_ value: ArraySlice<UInt8>, _ form: AuditColumn.Form, to output: inout [UInt8]) {
        guard form == .text else { return ExportWriter.plain(value, form, to: &output) }
        CSV.append(value, cells, to: &output)
    }

    /// What has no character that either form would escape.
    private static func plain(_ value: ArraySlice<UInt8>, _ form: AuditColumn.Form, to output: inout [UInt8]) {
        switch form {
        case .uuid where value.count == 16:
            for (index, byte) in value.enumerated() {
                if index == 4 || index == 6 || index == 8 || index == 10 { output.append(UInt8(ascii: "-")) }
                hex(byte, to: &output)
            }
        case .time: time(CanonicalForm.integer(value), to: &output)
        case .integer, .small: decimal(CanonicalForm.integer(value), to: &output)
        default: for byte in value { hex(byte, to: &output) }
        }
    }

    /// A JSON string. Characters that a terminal might obey or that turn text round are escaped, as `JSONText.safe` does.
    private static func string(_ value: ArraySlice<UInt8>, to output: inout [UInt8]) {
        var isPlain = true
        for byte in value where byte < 0x20 || byte >= 0x7F || byte == 0x22 || byte == 0x5C { isPlain = false }
        if isPlain {
            output.append(0x22)
            output += value
            output.append(0x22)
            return
        }
        guard value.contains(where: { $0 >= 0x7F }) else {
            output.append(0x22)
            for byte in value {
                if byte == 0x22 || byte == 0x5C {
                    output.append(0x5C)
                    output.append(byte)
                } else if byte < 0x20 {
                    escape(byte, to: &output)
                } else {
                    output.append(byte)
                }
            }
            output.append(0x22)
            return
        }
        var text: [UInt8] = []
        JSONValue.append(string: String(decoding: value, as: UTF8.self), to: &text)
        output += JSONText.safe(String(decoding: text, as: UTF8.self)).utf8
    }

    private static func escape(_ byte: UInt8, to output: inout [UInt8]) {
        output.append(0x5C)
        switch byte {
        case 0x08: output.append(UInt8(ascii: "b"))
        case 0x09: output.append(UInt8(ascii: "t"))
        case 0x0A: output.append(UInt8(ascii: "n"))
        case 0x0C: output.append(UInt8(ascii: "f"))
        case 0x0D: output.append(UInt8(ascii: "r"))
        default:
            output += "u00".utf8
            hex(byte, to: &output)
        }
    }

    @inline(__always)
    private static func hex(_ byte: UInt8, to output: inout [UInt8]) {
        let (high, low) = (byte >> 4, byte & 15)
        output.append(high < 10 ? high + 0x30 : high + 0x57)
        output.append(low < 10 ? low + 0x30 : low + 0x57)
    }

    private static func decimal(_ number: Int64, to output: inout [UInt8]) {
        var rest = number.magnitude
        if number < 0 { output.append(UInt8(ascii: "-")) }
        var divisor: UInt64 = 1
        while rest / divisor >= 10 { divisor *= 10 }
        while divisor > 0 {
            output.append(UInt8(truncatingIfNeeded: rest / divisor) + 0x30)
            rest %= divisor
            divisor /= 10
        }
    }

    /// RFC 3339 in UTC with all six digits, so that no microsecond is lost.
    private static func time(_ moment: Int64, to output: inout [UInt8]) {
        Timestamp(microseconds: moment).write(to: &output)
    }
}
