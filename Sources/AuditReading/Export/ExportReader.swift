internal import Audit
internal import JSON

/// Takes an export apart, whatever pieces it arrives in. No input or output of its own.
public struct ExportReader: Sendable {
    /// What one line or record holds.
    public enum Item: Sendable, Equatable {
        case event(HistoryRow)
        case trailer(ExportTrailer)
        /// It is neither; why.
        case unreadable(String)
    }

    /// The form; nil before the first line has come.
    public private(set) var form: ExportForm?
    /// The number of the line that the newest item began at, from 1.
    public private(set) var line = 0
    private var nextLine = 1
    private var rest: [UInt8] = []
    /// How much of `rest` was taken.
    private var at = 0
    private var isEnded = false

    /// So long a line is no export's.
    private static let longest = 16 << 20

    /// A reader that has seen nothing.
    public init() {}

    /// More of the file was read.
    public mutating func append(_ bytes: [UInt8]) {
        if at > 0 { rest.removeSubrange(..<at) }
        at = 0
        rest += bytes
    }

    /// The file has ended.
    public mutating func end() { isEnded = true }

    /// Whether the file ended in the middle of a line.
    public var isCutOff: Bool { isEnded && at < rest.count }

    /// The next item; nil where more of the file must be read first, or none is left.
    public mutating func next() -> Item? {
        while true {
            guard let end = recordEnd() else {
                guard rest.count - at > ExportReader.longest else { return nil }
                at = rest.count
                return .unreadable("is longer than 16 MiB")
            }
            var record = rest[at..<end]
            at = end + 1
            line = nextLine
            nextLine += form == .csv ? record.count(where: { $0 == 0x0A }) + 1 : 1
            if record.last == 0x0D { record.removeLast() }
            guard let form else {
                if record.elementsEqual(HistoryRow.csvHeader.utf8) {
                    self.form = .csv
                    continue
                }
                self.form = .ndjson
                return ExportReader.object(record)
            }
            return form == .csv ? ExportReader.record(record) : ExportReader.object(record)
        }
    }

    /// Where the line or record that begins at `at` ends; in CSV a line feed within quotes does not end it.
    private func recordEnd() -> Int? {
        guard form == .csv else { return rest[at...].firstIndex(of: 0x0A) }
        var isQuoted = false
        for index in at..<rest.count {
            if rest[index] == 0x22 { isQuoted.toggle() }
            if rest[index] == 0x0A, !isQuoted { return index }
        }
        return nil
    }

    // MARK: One line

    private static func object(_ line: ArraySlice<UInt8>) -> Item {
        guard let tape = try? JSONTape(Array(line)), tape.kind(tape.root) == .object, tape.depth <= 8 else {
            return .unreadable("is no JSON object")
        }
        let members = tape.members(tape.root)
        if members.contains(where: { $0.key == "trailer" }) {
            guard Set(members.map(\.key)).count == members.count else { return .unreadable("has a member twice") }
            return ExportTrailer(tape.value(tape.root)).map(Item.trailer)
                ?? .unreadable("is no trailer of a format that this program knows")
        }
        var cells = [[UInt8]?](repeating: nil, count: AuditColumn.allCases.count)
        var seen = 0
        for (key, value) in members {
            guard let column = AuditColumn(rawValue: key) else { return .unreadable("has a member that no event has") }
            guard seen & 1 << column.place == 0 else { return .unreadable("has '\(column.rawValue)' twice") }
            seen |= 1 << column.place
            switch tape.kind(value) {
            case .null: continue
            case .number where column.form == .integer || column.form == .small,
                .string where column.form != .integer && column.form != .small:
                let text = Array(tape.string(value).utf8)
                guard let bytes = ExportCell.bytes(text[...], column.form) else { fallthrough }
                cells[column.place] = bytes
            default: return .unreadable("has a '\(column.rawValue)' that is none")
            }
        }
        guard seen == 1 << cells.count - 1 else { return .unreadable("lacks a column") }
        return event(cells)
    }

    private static func record(_ record: ArraySlice<UInt8>) -> Item {
        guard let fields = fields(record) else { return .unreadable("is no record of RFC 4180") }
        guard fields.count == AuditColumn.allCases.count else { return .unreadable("has \(fields.count) fields") }
        if let first = fields[0], first.elementsEqual(ExportTrailer.csvMark.utf8) {
            guard let text = fields[1], let tape = try? JSONTape(text), tape.depth <= 8,
                let trailer = ExportTrailer(tape.value(tape.root))
            else { return .unreadable("is no trailer of a format that this program knows") }
            return .trailer(trailer)
        }
        var cells: [[UInt8]?] = []
        for (column, field) in zip(AuditColumn.allCases, fields) {
            guard let field else {
                cells.append(nil)
                continue
            }
            guard let bytes = ExportCell.bytes(field[...], column.form) else {
                return .unreadable("has a '\(column.rawValue)' that is none")
            }
            cells.append(bytes)
        }
        return event(cells)
    }

    private static func event(_ cells: [[UInt8]?]) -> Item {
        let needed: [AuditColumn] = [.seq, .eventID, .recordedAt, .event, .prevHash, .hash]
        for column in needed where cells[column.place] == nil {
            return .unreadable("has no '\(column.rawValue)'")
        }
        return .event(HistoryRow(cells: cells))
    }

    /// The fields of a record; nil for one that is empty and not in quotes.
    private static func fields(_ record: ArraySlice<UInt8>) -> [[UInt8]?]? {
        var fields: [[UInt8]?] = []
        var at = record.startIndex
        while true {
            var field: [UInt8]?
            if at < record.endIndex, record[at] == 0x22 {
                var text: [UInt8] = []
                at += 1
                while true {
                    guard let quote = record[at...].firstIndex(of: 0x22) else { return nil }
                    text += record[at..<quote]
                    at = quote + 1
                    guard at < record.endIndex, record[at] == 0x22 else { break }
                    text.append(0x22)
                    at += 1
                }
                field = text
            } else {
                let end = record[at...].firstIndex(of: 0x2C) ?? record.endIndex
                if end > at { field = Array(record[at..<end]) }
                at = end
            }
            fields.append(field)
            guard at < record.endIndex else { return fields }
            guard record[at] == 0x2C else { return nil }
            at += 1
            if at == record.endIndex {
                fields.append(nil)
                return fields
            }
        }
    }
}
