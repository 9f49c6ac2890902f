/// Characters that look like a space or like nothing, and mean something else to a parser: a no-break space is part of a word for PostgreSQL.
public enum Invisible {
    /// Whether a scalar is one: spaces but the plain one, and whatever is hidden beyond ASCII (`Printable.isHidden`).
    public static func isInvisible(_ scalar: Unicode.Scalar) -> Bool {
        guard !scalar.isASCII else { return false }
        return scalar.properties.generalCategory == .spaceSeparator || Printable.isHidden(scalar)
    }

    /// `text` with each of them written as `<U+00A0>`.
    public static func shown(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: isInvisible) else { return text }
        return text.unicodeScalars.map { isInvisible($0) ? "<\(code($0))>" : String($0) }.joined()
    }

    /// The first of them in a line, as a clause for a hint: `a no-break space (U+00A0) at column 13`; nil where there is none.
    public static func first(in line: String) -> String? {
        let scalars = Array(line.unicodeScalars)
        guard let place = scalars.firstIndex(where: isInvisible) else { return nil }
        return "\(name(scalars[place])) (\(code(scalars[place]))) at column \(place + 1)"
    }

    private static func name(_ scalar: Unicode.Scalar) -> String {
        if scalar.value == 0xFEFF { return "a byte order mark" }
        guard let name = scalar.properties.name?.lowercased() else { return "an invisible character" }
        return ("aeiou".contains(name.prefix(1)) ? "an " : "a ") + name
    }

    private static func code(_ scalar: Unicode.Scalar) -> String {
        let digits = String(scalar.value, radix: 16, uppercase: true)
        return "U+" + String(repeating: "0", count: max(0, 4 - digits.utf8.count)) + digits
    }
}
