internal import Audit
internal import Digest
internal import Postgres

/// Takes the values of rows out of what the server says, and keeps the shape: `Key (email)=(***) already exists.`
///
/// Only errors about data have such values in them: classes 21, 22, 23 and 44 of PostgreSQL's appendix A. The words may be in the server's language, so it
/// goes by brackets and quotes, from the first to the last: a value can hold some itself. What a file says by RAISE is its author's own.
enum RowValues {
    static let mask = "***"

    /// Whether an error of that code can have values in its words.
    static func mayBeIn(_ sqlstate: String) -> Bool { ["21", "22", "23", "44"].contains { sqlstate.hasPrefix($0) } }

    /// The primary message: values stand in quotes in class 22, only names do in the others.
    static func maskMessage(_ text: String, _ sqlstate: String) -> String {
        sqlstate.hasPrefix("22") ? maskQuoted(text) : text
    }

    /// The DETAIL.
    static func maskDetail(_ text: String, _ sqlstate: String) -> String {
        let masked = maskBracketed(text)
        return sqlstate.hasPrefix("22") ? maskQuoted(masked) : masked
    }

    /// The CONTEXT: lines of COPY or JSON with a value behind a colon, statements of PL/pgSQL in quotes.
    static func maskContext(_ text: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            guard line.hasPrefix("COPY ") || line.hasPrefix("JSON"),
                let colon = line.utf8.firstIndex(of: UInt8(ascii: ":"))
            else { return maskQuoted(String(line)) }
            return line[..<colon] + ": " + mask
        }.joined(separator: "\n")
    }

    private static let openers: [Unicode.Scalar] = ["\"", "»", "«", "„", "“"]
    private static let closers: [Unicode.Scalar] = ["\"", "«", "»", "“", "”"]

    private static func maskQuoted(_ text: String) -> String {
        let scalars = text.unicodeScalars
        guard let first = scalars.firstIndex(where: openers.contains),
            let last = scalars.lastIndex(where: closers.contains), first < last
        else { return text }
        return String(scalars[...first]) + mask + String(scalars[last...])
    }

    private static func maskBracketed(_ text: String) -> String {
        let bytes = text.utf8
        // Names of columns come first: `Key (a, b)=(1, 2)`.
        let start =
            bytes.firstRange(of: Array(")=(".utf8)).map { bytes.index(before: $0.upperBound) }
            ?? bytes.firstIndex(of: UInt8(ascii: "("))
        guard let start, let last = bytes.lastIndex(of: UInt8(ascii: ")")), start < last else { return text }
        return String(text[...start]) + mask + String(text[last...])
    }

    /// A text with values of rows, which the history keeps beside the chain.
    struct Withheld {
        /// `message`, `detail` or `context`.
        var field: String
        var text: String
        let salt: [UInt8]

        init(field: String, text: String) {
            self.field = field
            // Every encoding has three dots; the rest is the server's own.
            self.text = text.unicodeScalars.last == "\u{2026}" ? text.dropLast() + "..." : text
            var generator = SystemRandomNumberGenerator()
            salt = RandomBytes.next(32, using: &generator)
        }

        /// What the event says of it.
        var digest: String { SHA256.hex(salt + Array(text.utf8)) }
    }
}

extension AuditStore {
    /// The statement that keeps a text with values of rows for its event.
    func keep(_ withheld: RowValues.Withheld, of event: UUID) -> Connection.Step {
        Connection.Step(
            "INSERT INTO \(schema).row_value (event_id, field, salt, value) VALUES ($1::uuid, $2::text, $3::bytea, $4::text)",
            [.text(event.description), .text(withheld.field), .bytes(withheld.salt), .text(withheld.text)])
    }
}
