/// The characters that the text of a database can hold, which its encoding decides (PostgreSQL manual 24.3 "Character Set Support").
///
/// What an event says goes through here before its hash is computed, so that the server stores exactly the bytes that were hashed: a character that
/// the database cannot hold is written as an escape. A database in UTF-8 holds all of them, and nothing is changed.
public struct Repertoire: Sendable, Equatable {
    /// Every character.
    public static let everything = Repertoire(isLimited: false)

    /// Whether the encoding lacks any character at all.
    public let isLimited: Bool
    /// The characters that are known to be missing. ASCII never is.
    public var missing: Set<Unicode.Scalar> = []

    /// A repertoire of which no character is known to be missing yet.
    public init(isLimited: Bool) { self.isLimited = isLimited }

    /// That of a database in this encoding, by PostgreSQL's name for it: UTF-8 holds everything, and a database without an encoding keeps bytes as
    /// they come.
    public init(encoding: String) { self.init(isLimited: !["UTF8", "SQL_ASCII"].contains(encoding)) }

    /// `text` with `\u{20ac}` in the place of each missing character, and with three dots for an ellipsis, which is our own mark of a cut.
    public func written(_ text: String) -> String {
        replacing(text) { scalar in scalar == "\u{2026}" ? "..." : Repertoire.escape(scalar) }
    }

    /// A version or a name, so that `name(fromWritten:)` gives the very same back: a backslash that looks like the start of an escape is escaped,
    /// too.
    public func written(name: String) -> String {
        guard isLimited else { return name }
        var result = ""
        var rest = name.unicodeScalars[...]
        while let scalar = rest.popFirst() {
            let looksLikeEscape = scalar == "\\" && rest.starts(with: ["u", "{"])
            if looksLikeEscape || missing.contains(scalar) {
                result += Repertoire.escape(scalar)
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// The name that `written(name:)` has written.
    public func name(fromWritten text: String) -> String {
        guard isLimited else { return text }
        var result = String.UnicodeScalarView()
        var rest = text.unicodeScalars[...]
        while let scalar = rest.first {
            if rest.starts(with: ["\\", "u", "{"]), let end = rest.firstIndex(of: "}"),
                let value = UInt32(String(rest[rest.index(rest.startIndex, offsetBy: 3)..<end]), radix: 16),
                let meant = Unicode.Scalar(value)
            {
                result.append(meant)
                rest = rest[rest.index(after: end)...]
            } else {
                result.append(scalar)
                rest.removeFirst()
            }
        }
        return String(result)
    }

    /// JSON as text, whose strings say the same as `written` of them. Not with JSON's own escapes: a server that cannot hold the character refuses to
    /// read those (PostgreSQL manual 8.14 "JSON Types").
    public func written(json text: String) -> String {
        replacing(text) { scalar in scalar == "\u{2026}" ? "..." : "\\" + Repertoire.escape(scalar) }
    }

    private static func escape(_ scalar: Unicode.Scalar) -> String { "\\u{" + String(scalar.value, radix: 16) + "}" }

    private func replacing(_ text: String, by escape: (Unicode.Scalar) -> String) -> String {
        guard !missing.isEmpty, text.unicodeScalars.contains(where: missing.contains) else { return text }
        var result = ""
        for scalar in text.unicodeScalars {
            if missing.contains(scalar) {
                result += escape(scalar)
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
