internal import Digest
public import Reporting
internal import SQLLexing
package import SQLParsing

/// One migration with its text: what was hashed is what runs (P7), so the bytes are read once and travel together.
public struct MigrationFile: Sendable {
    /// The migration whose file was read.
    public let migration: Migration
    /// The file's bytes, unchanged.
    public let bytes: [UInt8]
    /// `sha256:` and 64 hexadecimal digits, of the bytes.
    public let checksum: String
    /// What the file's head asks for.
    public let directives: Directives
    private let sections: Sections?
    private let marker: TransactionMarker?

    /// Which way a migration goes.
    public enum Way: Sendable {
        /// It is applied.
        case up
        /// It is undone.
        case down
    }

    /// Takes the bytes of the migration's file over.
    ///
    /// Throws `.badFile` with line and column for bytes that PostgreSQL cannot take as a text (a NUL, invalid UTF-8) and for bad
    /// directives, and for what the layout's tool would refuse in the text; and the migration's own obstacle where it has one. A byte order
    /// mark and CRLF are let be.
    public init(migration: Migration, bytes: [UInt8]) throws(Complaint) {
        if let obstacle = migration.obstacle { throw obstacle.complaint }
        try Self.checkText(bytes, path: migration.path)
        self.migration = migration
        self.bytes = bytes
        // Rows behind a COPY are no text: whatever they look like, they ask for nothing.
        let text = ClientText(bytes).text
        sections = try Sections(text, notation: migration.notation, path: migration.path)
        var directives = try Directives(text: text, path: migration.path)
        if migration.repeatable { directives.repeatable = true }
        self.directives = directives
        // What belongs to a layout of ours is that layout's to read.
        marker = [.sqlx, .atlas, .tern, .graphile].contains(migration.notation) ? nil : TransactionMarker(text)
        checksum = "sha256:" + SHA256.hex(bytes)
    }

    /// Whether the file says what to run that way. A file that holds one direction only is taken to hold the one that is asked for.
    public func has(_ way: Way) -> Bool { way == .up || sections == nil || sections?.down != nil }

    /// The text to run that way: as long as the file, with the same lines. What belongs to the other way is blank.
    public func text(for way: Way) -> [UInt8] {
        guard let sections else { return bytes }
        return switch way {
        case .up: sections.up.text(of: bytes)
        case .down: (sections.down ?? Sections.Part()).text(of: bytes)
        }
    }

    /// Whether its text may be that of two migrations: each of its statements defines something, so that the server refuses a second run that
    /// nobody meant, and none of them changes rows, drops what holds rows, or calls code.
    public var mayRunTwice: Bool {
        let text = text(for: .up)
        return Script.statementRanges(in: text).allSatisfy { range in
            var lexer = Lexer(text, in: range)
            guard let first = lexer.next(), first.kind == .word else { return false }
            var words = [lexer.word(first)]
            while let lexeme = lexer.next() { if lexeme.kind == .word { words.append(lexer.word(lexeme)) } }
            return MigrationFile.defines(words)
        }
    }

    /// Whether a statement with these words is harmless where it runs twice; the words of strings and quoted names are not among them.
    private static func defines(_ words: [String]) -> Bool {
        switch words.first {
        case "create", "comment", "grant", "revoke", "set", "reset", "begin", "start", "commit", "end", "refresh",
            "analyze":
            return true
        case "alter":
            let convertsRows = words.contains("type") && words.contains("using")
            return !convertsRows && !words.contains("restart")
        case "drop":
            return !["table", "schema", "materialized", "sequence", "owned", "database", "foreign"].contains(
                words.dropFirst().first)
        default: return false
        }
    }

    /// Whether every statement commits by itself that way.
    public func withoutTransaction(for way: Way) -> Bool {
        if directives.withoutTransaction || migration.withoutTransaction || marker != nil { return true }
        return (way == .up ? sections?.up : sections?.down)?.withoutTransaction ?? false
    }

    /// What there is to know of a comment of another tool that is honoured; nil where there is none, or where a directive says the same.
    package var markerNote: Script.Note? {
        guard let marker, !directives.withoutTransaction else { return nil }
        let mark = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
        return Script.Note(
            offset: marker.offset - mark,
            message: "'\(Printable.line(marker.words, limit: 80))' is honoured: every statement commits by itself",
            hint: "Write '-- migrated: transaction=none', which says the same here.")
    }

    /// Whether the layout has both directions in one file.
    public var isSectioned: Bool { migration.notation.hasSections }

    /// Whether all of the file runs when the migration is applied.
    package var runsWhole: Bool { !isSectioned }

    private static func checkText(_ bytes: [UInt8], path: String) throws(Complaint) {
        if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) {
            throw complaint("the file is UTF-16", at: 0, in: [], path: path, hint: "Save the file as UTF-8.")
        }
        if let offset = bytes.firstIndex(of: 0) {
            throw complaint("the file holds a NUL byte", at: offset, in: bytes, path: path, hint: "Remove the byte.")
        }
        do { _ = try UTF8Span(validating: bytes.span) } catch {
            throw complaint(
                "the file is not UTF-8", at: error.byteOffsets.lowerBound, in: bytes, path: path,
                hint: "Save the file as UTF-8.")
        }
    }

    /// A complaint about a place in the file, with the line it is about.
    static func complaint(_ message: String, at offset: Int, in bytes: [UInt8], path: String, hint: String?)
        -> Complaint
    {
        var complaint = Complaint(.badFile, message, hint: hint)
        complaint.point(at: Place(file: path, offset: offset, in: bytes), of: bytes)
        if complaint.excerpt?.isEmpty == true { complaint.excerpt = nil }
        return complaint
    }
}
