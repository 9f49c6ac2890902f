/// Fields by RFC 4180. Works on the bytes of UTF-8: what stands before or behind a special one changes nothing.
public enum CSV {
    /// What a cell is for.
    public enum Cells: Sendable {
        /// The value and nothing else, so that a program reads back what was recorded.
        case exact
        /// For a spreadsheet: nothing in it is run as a formula. A `'` stands before what would begin one, as OWASP advises ("CSV Injection").
        case inert
    }

    /// `text`, in quotes where it needs them; nothing for null.
    public static func field(_ text: String?, _ cells: Cells) -> String {
        guard let text else { return "" }
        var bytes: [UInt8] = []
        append(Array(text.utf8)[...], cells, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Appends the UTF-8 of one value to a record.
    static func append(_ value: ArraySlice<UInt8>, _ cells: Cells, to output: inout [UInt8]) {
        var value = value
        if cells == .inert, let inert = inert(value) { value = inert[...] }
        var needsQuotes = value.isEmpty || value.first == 0x20 || value.last == 0x20
        for byte in value where byte == 0x2C || byte == 0x22 || byte == 0x0A || byte == 0x0D { needsQuotes = true }
        guard needsQuotes else {
            output += value
            return
        }
        output.append(0x22)
        for byte in value {
            if byte == 0x22 { output.append(byte) }
            output.append(byte)
        }
        output.append(0x22)
    }

    /// `value` with a `'` before each place where a spreadsheet may see a formula begin; nil where there is none.
    ///
    /// That is the cell's beginning, and what follows a character at which a program with other settings cuts cells: a comma, a
    /// semicolon, a tab, a vertical bar, the end of a line. Blanks and quotes that such a program would drop are looked through.
    private static func inert(_ value: ArraySlice<UInt8>) -> [UInt8]? {
        var result: [UInt8] = []
        var isChanged = false
        // Where in `result` the cell begins that nothing but blanks and quotes has come of.
        var beginning: Int? = 0
        for scalar in String(decoding: value, as: UTF8.self).unicodeScalars {
            if let place = beginning, beginsFormula(scalar) {
                result.insert(UInt8(ascii: "'"), at: place)
                isChanged = true
                beginning = nil
            }
            result += UTF8.encode(scalar).map(Array.init) ?? []
            if separates(scalar) {
                beginning = result.count
            } else if !isDropped(scalar) {
                beginning = nil
            }
        }
        return isChanged ? result : nil
    }

    /// `= + - @`, a tab and a carriage return, as OWASP lists them, and the wide forms that East Asian versions take for the same.
    private static func beginsFormula(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "=", "+", "-", "@", "\t", "\r", "\u{FF1D}", "\u{FF0B}", "\u{FF0D}", "\u{FF20}", "\u{2212}",
            "\u{FE62}"..."\u{FE63}",
            "\u{FE66}", "\u{FE6B}":
            true
        default: false
        }
    }

    private static func separates(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case ",", ";", "\t", "|", "\n", "\r": true
        default: false
        }
    }

    private static func isDropped(_ scalar: Unicode.Scalar) -> Bool {
        scalar == "\"" || scalar.properties.isWhitespace || scalar.properties.isDefaultIgnorableCodePoint
            || scalar.properties.generalCategory == .control || scalar.properties.generalCategory == .format
    }
}
