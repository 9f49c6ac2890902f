internal import Audit
internal import JSON

/// Takes an export apart, whatever pieces it arrives in. No input or output of its own.
public struct ExportReader: Sendable {
    /// What one line or record holds.
    public enum Item: Sendable, Equatable {
        case event(HistoryRow)
        case trailer(ExportTrailer)
        /// It is neither: what is wrong, and at which character of the line, from 1.
        case unreadable(String, column: Int)
        /// It is longer than any line is read, and nothing behind it is.
        case endless
    }

    /// The form; nil before the first line has come.
    public private(set) var form: ExportForm?
    /// The number of the line that the newest item began at, from 1.
    public private(set) var line = 0
    private var nextLine = 1
    private var rest: [UInt8] = []
    /// How much of `rest` was taken.
    private var at = 0
    /// How much of `rest` was looked through for the line's end, and whether quotes of CSV are open there.
    private var seen = 0
    private var isQuoted = false
    private var isEnded = false
    /// Whether a line was endless: there is nothing more to read.
    public private(set) var isOver = false

    /// The longest line in bytes. An event has some hundred, or some thousand with the text of an error; whoever reads a file of somebody
    /// else must be able to bound its memory.
    public static let longest = 16 << 20

    /// A reader that has seen nothing.
    public init() {}

    /// More of the file was read.
    public mutating func append(_ bytes: [UInt8]) {
        if at > 0 { rest.removeSubrange(..<at) }
        seen -= at
        at = 0
        rest += bytes
    }

    /// The file has ended.
    public mutating func end() { isEnded = true }

    /// Whether the file ended in the middle of a line.
    public var isCutOff: Bool { isEnded && at < rest.count }

    /// The next item; nil where more of the file must be read first, or none is left.
    public mutating func next() -> Item? {
        while !isOver {
            guard let end = recordEnd() else {
                guard rest.count - at > ExportReader.longest else { return nil }
                return giveUp()
            }
            guard end - at <= ExportReader.longest else { return giveUp() }
            let record = rest[at..<end]
            at = end + 1
            seen = at
            line = nextLine
            nextLine += form == .csv ? record.count(where: { $0 == 0x0A }) + 1 : 1
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
        return nil
    }

    private mutating func giveUp() -> Item {
        line = nextLine
        isOver = true
        rest = []
        at = 0
        return .endless
    }

    /// Where the line or record that begins at `at` ends; in CSV a line feed within quotes does not end it. No byte is looked at twice.
    private mutating func recordEnd() -> Int? {
        let place: Int?
        if form == .csv {
            var isQuoted = isQuoted
            place = rest[seen...].firstIndex { byte in
                if byte == 0x22 { isQuoted.toggle() }
                return byte == 0x0A && !isQuoted
            }
            self.isQuoted = isQuoted
        } else {
            place = rest[seen...].firstIndex(of: 0x0A)
        }
        seen = place ?? rest.count
        return place
    }

    /// What is wrong with a line, at the byte of that offset in it.
    private static func unreadable(_ what: String, _ offset: Int = 0, of line: ArraySlice<UInt8>) -> Item {
        .unreadable(what, column: line.prefix(offset).count { $0 & 0xC0 != 0x80 } + 1)
    }

    // MARK: One line

    private static func object(_ line: ArraySlice<UInt8>) -> Item {
        let tape: JSONTape
        do throws(JSONSyntaxError) {
            tape = try JSONTape(Array(line))
            try tape.checkGrammar()
        } catch {
            return unreadable(error.message, error.offset, of: line)
        }
        guard tape.kind(tape.root) == .object, tape.depth <= 8 else { return unreadable("no JSON object", of: line) }
        let members = tape.members(tape.root)
        if members.contains(where: { $0.key == "trailer" }) { return trailer(tape, in: line, from: 0) }
        var cells = [[UInt8]?](repeating: nil, count: AuditColumn.allCases.count)
        var seen = 0
        for (key, value) in members {
            let place = tape.offset(value)
            guard let column = AuditColumn(rawValue: key) else {
                return unreadable("a member that no event has", place, of: line)
            }
            guard seen & 1 << column.place == 0 else {
                return unreadable("'\(column.rawValue)' twice", place, of: line)
            }
            seen |= 1 << column.place
            switch tape.kind(value) {
            case .null: continue
            case .number where column.form == .integer || column.form == .small,
                .string where column.form != .integer && column.form != .small:
                let text = Array(tape.string(value).utf8)
                guard let bytes = ExportCell.bytes(text[...], column.form) else { fallthrough }
                cells[column.place] = bytes
            default: return unreadable("a '\(column.rawValue)' that no export writes", place, of: line)
            }
        }
        guard seen == 1 << cells.count - 1 else { return unreadable("a column is missing", of: line) }
        return event(cells, of: line)
    }

    /// The trailer whose text begins at an offset of `line`.
    private static func trailer(_ tape: JSONTape, in line: ArraySlice<UInt8>, from start: Int) -> Item {
        do throws(JSONSyntaxError) {
            try tape.checkGrammar()
            try tape.checkKeys()
        } catch {
            return unreadable(error.message, start + error.offset, of: line)
        }
        do throws(ExportTrailer.Flaw) {
            return .trailer(try ExportTrailer(tape.value(tape.root)))
        } catch {
            let member = error.member.flatMap { tape.member(tape.root, $0) }
            return unreadable(error.what, start + (member.map { tape.offset($0) } ?? 0), of: line)
        }
    }

    private static func record(_ record: ArraySlice<UInt8>) -> Item {
        let fields: [Field]
        do throws(NoRecord) { fields = try self.fields(record) } catch {
            return unreadable("no record of RFC 4180", error.offset, of: record)
        }
        guard fields.count == AuditColumn.allCases.count else {
            return unreadable("\(fields.count) fields", of: record)
        }
        if let first = fields[0].text, first.elementsEqual(ExportTrailer.csvMark.utf8) {
            if let further = fields.dropFirst(2).first(where: { $0.text != nil }) {
                return unreadable("a field behind the trailer", further.offset, of: record)
            }
            guard let text = fields[1].text, let tape = try? JSONTape(text), tape.kind(tape.root) == .object,
                tape.depth <= 8
            else { return unreadable("no trailer", fields[1].offset, of: record) }
            return trailer(tape, in: record, from: fields[1].offset)
        }
        var cells: [[UInt8]?] = []
        for (column, field) in zip(AuditColumn.allCases, fields) {
            guard let text = field.text else {
                cells.append(nil)
                continue
            }
            guard let bytes = ExportCell.bytes(text[...], column.form) else {
                return unreadable("a '\(column.rawValue)' that no export writes", field.offset, of: record)
            }
            cells.append(bytes)
        }
        return event(cells, of: record)
    }

    private static func event(_ cells: [[UInt8]?], of line: ArraySlice<UInt8>) -> Item {
        let needed: [AuditColumn] = [.seq, .eventID, .recordedAt, .event, .prevHash, .hash]
        for column in needed where cells[column.place] == nil {
            return unreadable("no '\(column.rawValue)'", of: line)
        }
        return .event(HistoryRow(cells: cells))
    }

    private struct Field {
        /// Nil where it is empty and not in quotes.
        var text: [UInt8]?
        /// Where it begins in its record.
        var offset: Int
    }

    private struct NoRecord: Error { var offset: Int }

    private static func fields(_ record: ArraySlice<UInt8>) throws(NoRecord) -> [Field] {
        var fields: [Field] = []
        var at = record.startIndex
        while true {
            var field = Field(text: nil, offset: at - record.startIndex)
            if at < record.endIndex, record[at] == 0x22 {
                var text: [UInt8] = []
                at += 1
                while true {
                    guard let quote = record[at...].firstIndex(of: 0x22) else { throw NoRecord(offset: field.offset) }
                    text += record[at..<quote]
                    at = quote + 1
                    guard at < record.endIndex, record[at] == 0x22 else { break }
                    text.append(0x22)
                    at += 1
                }
                field.text = text
            } else {
                let end = record[at...].firstIndex(of: 0x2C) ?? record.endIndex
                if let stray = record[at..<end].firstIndex(where: { $0 == 0x22 || $0 == 0x0D }) {
                    throw NoRecord(offset: stray - record.startIndex)
                }
                if end > at { field.text = Array(record[at..<end]) }
                at = end
            }
            fields.append(field)
            guard at < record.endIndex else { return fields }
            guard record[at] == 0x2C else { throw NoRecord(offset: at - record.startIndex) }
            at += 1
            if at == record.endIndex {
                fields.append(Field(text: nil, offset: at - record.startIndex))
                return fields
            }
        }
    }
}
