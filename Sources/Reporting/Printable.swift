/// Makes text of unknown origin safe to print.
///
/// A terminal obeys control characters, a log ends its entry at a newline, bidirectional overrides turn text around, and what has no
/// width cannot be seen: each becomes a visible escape. The result is one line unless `block` is asked for. Works on Unicode scalars: what
/// stands before or behind a special one changes nothing.
public enum Printable {
    /// `text` as one line: what `isHidden`, and a combining mark that has nothing of the text to stand on, becomes `\n`, `\t`, `\u{1b}` …
    public static func line(_ text: String, limit: Int? = nil) -> String {
        let escaped = text.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F } ? text : escape(text, keepNewlines: false)
        guard let limit else { return escaped }
        return bounded(escaped, limit)
    }

    /// Like `line`, but keeps line feeds.
    public static func block(_ text: String) -> String { escape(text, keepNewlines: true) }

    /// Whether a scalar would do something unseen where it is printed: control characters, line and paragraph separators, everything that
    /// Unicode calls a format character (bidirectional controls, zero-width characters, tags) or says to show nothing for where it is not
    /// known (fillers, variation selectors), and the two that a normalization turns into ASCII punctuation (U+037E `;`, U+1FEF `` ` ``).
    public static func isHidden(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII { return scalar.value < 0x20 || scalar.value == 0x7F }
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: return true
        default: return scalar.properties.isDefaultIgnorableCodePoint || scalar.value == 0x37E || scalar.value == 0x1FEF
        }
    }

    private static func escape(_ text: String, keepNewlines: Bool) -> String {
        var result = ""
        // A mark behind nothing of this text would change what is printed before it: a quote, a border, our own escape.
        var carriesMarks = false
        for scalar in text.unicodeScalars {
            let stays = !isHidden(scalar) && (carriesMarks || !isMark(scalar))
            carriesMarks = stays
            switch scalar.value {
            case _ where stays: result.unicodeScalars.append(scalar)
            case 0x0A: result += keepNewlines ? "\n" : "\\n"
            case 0x0D: result += "\\r"
            case 0x09: result += "\\t"
            default: result += "\\u{" + String(scalar.value, radix: 16) + "}"
            }
        }
        return result
    }

    private static func isMark(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .spacingMark, .enclosingMark: true
        default: false
        }
    }
}
