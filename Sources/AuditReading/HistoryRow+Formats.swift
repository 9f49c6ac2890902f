internal import Audit
internal import JSON

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
    public func csv(escape: (String) -> String = { $0 }) -> String {
        AuditColumn.allCases.map { CSV.field(text($0).map(escape)) }.joined(separator: ",")
    }
}

/// Fields by RFC 4180.
public enum CSV {
    /// `text`, in quotes where it needs them; nothing for null.
    public static func field(_ text: String?) -> String {
        guard let text else { return "" }
        let special: [UInt8] = [UInt8(ascii: ","), UInt8(ascii: "\""), 0x0A, 0x0D]
        guard text.isEmpty || text.utf8.contains(where: special.contains) || text.first == " " || text.last == " "
        else { return text }
        return "\"" + String(text.flatMap { $0 == "\"" ? [$0, $0] : [$0] }) + "\""
    }
}

/// JSON text that goes to a terminal or into a log.
public enum JSONText {
    /// `json` with every character escaped that a terminal might obey or that turns text round; the meaning stays the same.
    ///
    /// Such characters stand only inside strings, where an escape is allowed; those of ASCII are escaped by JSON itself.
    public static func safe(_ json: String) -> String {
        guard json.utf8.contains(where: { $0 >= 0x80 }) else { return json }
        var safe = ""
        for scalar in json.unicodeScalars {
            switch scalar.value {
            case 0x80..<0xA0, 0x061C, 0x200B...0x200F, 0x2028...0x202E, 0x2060...0x206F, 0xFEFF, 0xFFF9...0xFFFB,
                0xE0000...0xE007F:
                for unit in String(scalar).utf16 {
                    let digits = String(unit, radix: 16)
                    safe += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
                }
            default: safe.unicodeScalars.append(scalar)
            }
        }
        return safe
    }
}
