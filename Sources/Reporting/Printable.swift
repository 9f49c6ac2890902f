/// Makes text of unknown origin safe to print.
///
/// A terminal obeys control characters, a log ends its entry at a newline, and bidirectional overrides turn text around: each becomes
/// a visible escape. The result is one line unless `block` is asked for.
public enum Printable {
    /// `text` as one line: control characters, line separators and bidirectional controls become `\n`, `\t`, `\u{1b}` …
    public static func line(_ text: String, limit: Int? = nil) -> String {
        let escaped = text.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F } ? text : escape(text, keepNewlines: false)
        guard let limit else { return escaped }
        return bounded(escaped, limit)
    }

    /// Like `line`, but keeps line feeds.
    public static func block(_ text: String) -> String { escape(text, keepNewlines: true) }

    /// Cut to at most `limit` bytes at a character border; a cut text ends in `…`.
    public static func bounded(_ text: String, _ limit: Int) -> String {
        guard text.utf8.count > limit else { return text }
        var kept = ""
        var size = 3
        for character in text {
            size += character.utf8.count
            if size > limit { break }
            kept.append(character)
        }
        return kept + "…"
    }

    private static func escape(_ text: String, keepNewlines: Bool) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x0A: result += keepNewlines ? "\n" : "\\n"
            case 0x0D: result += "\\r"
            case 0x09: result += "\\t"
            case 0..<0x20, 0x7F..<0xA0, 0x061C, 0x200B...0x200F, 0x2028...0x202E, 0x2060...0x206F, 0xFEFF,
                0xFFF9...0xFFFB,
                0xE0000...0xE007F:
                result += "\\u{" + String(scalar.value, radix: 16) + "}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
