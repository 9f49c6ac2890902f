/// Names and values inside SQL text, where they cannot be sent beside it as parameters. The only place that quotes for PostgreSQL.
///
/// Works on UTF-8 bytes, as the server's lexer does (PostgreSQL manual 4.1): a combining or prepended scalar makes one `Character` with
/// the quote beside it, which a comparison of characters would not find. No byte of a longer UTF-8 sequence is an ASCII quote, so that every
/// quote is doubled whatever surrounds it. A NUL, which no SQL text can hold, is left in place: a `Connection` refuses the statement.
package enum Quoting {
    /// `name` as a quoted identifier.
    package static func identifier(_ name: String) -> String { enclosed(name, in: UInt8(ascii: "\"")) }

    /// Quoted identifiers, separated by commas.
    package static func identifiers(_ names: [String]) -> String { names.map(identifier).joined(separator: ", ") }

    /// The quoted identifiers of a qualified name, separated by dots.
    package static func qualified(_ parts: [String]) -> String { parts.map(identifier).joined(separator: ".") }

    /// `value` as a string literal that means the same whatever `standard_conforming_strings` is.
    package static func literal(_ value: String) -> String {
        let quoted = enclosed(value, in: UInt8(ascii: "'"))
        let backslash = UInt8(ascii: "\\")
        return value.utf8.contains(backslash) ? "E" + doubled(quoted, [backslash]) : quoted
    }

    /// The text form of a one-dimensional array of texts, as a parameter's value (PostgreSQL manual 8.15.2): not itself a literal.
    package static func array(_ elements: [String]) -> String {
        let quote = UInt8(ascii: "\"")
        let backslash = UInt8(ascii: "\\")
        let quoted = elements.map { element in
            var bytes = [quote]
            for byte in element.utf8 {
                if byte == quote || byte == backslash { bytes.append(backslash) }
                bytes.append(byte)
            }
            return String(decoding: bytes + [quote], as: UTF8.self)
        }
        return "{" + quoted.joined(separator: ",") + "}"
    }

    private static func enclosed(_ text: String, in quote: UInt8) -> String {
        let mark = String(Unicode.Scalar(quote))
        return mark + doubled(text, [quote]) + mark
    }

    private static func doubled(_ text: String, _ special: [UInt8]) -> String {
        guard text.utf8.contains(where: special.contains) else { return text }
        return String(decoding: text.utf8.flatMap { special.contains($0) ? [$0, $0] : [$0] }, as: UTF8.self)
    }
}
