/// How many columns of a terminal a text takes: two for wide East Asian characters and emoji, none for combining marks.
public enum TextWidth {
    /// The columns that `text` takes.
    public static func of(_ text: String) -> Int {
        if text.utf8.allSatisfy({ $0 < 0x80 }) { return text.utf8.count }
        return text.unicodeScalars.reduce(0) { $0 + width($1) }
    }

    /// `text` cut to `width` columns; a cut text ends in `…`.
    public static func clipped(_ text: String, _ width: Int) -> String {
        guard of(text) > width else { return text }
        var kept = ""
        var taken = 1
        for character in text {
            taken += of(String(character))
            if taken > width { break }
            kept.append(character)
        }
        return kept + "…"
    }

    /// `text` filled with blanks to `width` columns.
    public static func padded(_ text: String, _ width: Int, right: Bool = false) -> String {
        let blanks = String(repeating: " ", count: max(0, width - of(text)))
        return right ? blanks + text : text + blanks
    }

    private static func width(_ scalar: Unicode.Scalar) -> Int {
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format: return 0
        default: break
        }
        return switch scalar.value {
        case 0x1100...0x115F, 0x2E80...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60,
            0xFFE0...0xFFE6, 0x1F300...0x1FAFF, 0x20000...0x3FFFD:
            2
        default: 1
        }
    }
}
