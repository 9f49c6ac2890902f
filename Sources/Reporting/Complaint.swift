/// What went wrong, in the one form in which it is told: what, where, and the way out.
///
/// The message is lower case without a final stop and puts values in single quotes; the hint is a sentence. Both may hold hostile
/// bytes (file names, server texts): whoever prints a complaint uses `lines`, which escapes them.
public struct Complaint: Error, Sendable, Equatable {
    /// The exit status of a program that ends with this complaint.
    public var status: ExitStatus
    /// What went wrong.
    public var message: String
    /// The remedy, as a sentence.
    public var hint: String?
    /// The file, line and column it is about.
    public var place: Place?
    /// The offending line of that file as it may be shown, with a caret below `caret`, or below `place.column`.
    public var excerpt: String?
    /// The column of `excerpt` that is meant, where parts of the line are hidden; nil where it is `place.column`.
    public var caret: Int?
    /// The server's error code, where the server refused.
    public var sqlstate: String?
    /// Further lines, shown one by one below the message.
    public var notes: [String] = []

    /// A complaint from its parts.
    public init(
        _ status: ExitStatus, _ message: String, hint: String? = nil, place: Place? = nil, excerpt: String? = nil,
        sqlstate: String? = nil
    ) {
        self.status = status
        self.message = message
        self.hint = hint
        self.place = place
        self.excerpt = excerpt
        self.sqlstate = sqlstate
    }

    /// The lines to print, each safe for a terminal or a log: `place: message`, the excerpt with its caret, the notes, `HINT: …`.
    public var lines: [String] {
        var head = Printable.line(message)
        if let sqlstate { head += " (SQLSTATE \(Printable.line(sqlstate)))" }
        if let place { head = "\(place.text): \(head)" }
        var lines = [head]
        if let excerpt {
            let shown = Excerpt(line: excerpt, column: caret ?? place?.column)
            lines.append("    " + shown.text)
            if let caret = shown.caret { lines.append("    " + String(repeating: " ", count: caret) + "^") }
        }
        lines += notes.map { "    " + Printable.line($0) }
        if let hint { lines.append("HINT: " + Printable.line(hint)) }
        return lines
    }
}

/// An error of a module that can be told as a complaint.
public protocol Complaining: Error {
    /// The complaint to print, with its exit status.
    var complaint: Complaint { get }
}

/// A place in a text file. Lines and columns count from 1, columns in characters (Unicode scalars), as PostgreSQL does.
public struct Place: Sendable, Equatable {
    /// The file's name as the operator knows it.
    public var file: String
    /// Line, from 1.
    public var line: Int?
    /// Column, from 1.
    public var column: Int?

    /// A place from its parts.
    public init(file: String, line: Int? = nil, column: Int? = nil) {
        self.file = file
        self.line = line
        self.column = column
    }

    /// The place of a 0-based byte offset in `bytes`.
    public init(file: String, offset: Int, in bytes: [UInt8]) {
        var line = 1
        var column = 1
        for byte in bytes.prefix(offset) {
            if byte == UInt8(ascii: "\n") {
                line += 1
                column = 1
            } else if byte & 0xC0 != 0x80 {
                column += 1
            }
        }
        self.init(file: file, line: line, column: column)
    }

    /// `file:line:column`, escaped.
    public var text: String {
        [Printable.line(file), line.map(String.init), column.map(String.init)].compactMap(\.self).joined(separator: ":")
    }

    /// The text of line `line` of `bytes`, without its line end.
    public static func line(_ line: Int, of bytes: [UInt8]) -> String {
        var rest = bytes[...]
        for _ in 1..<max(1, line) {
            guard let end = rest.firstIndex(of: UInt8(ascii: "\n")) else { return "" }
            rest = rest[(end + 1)...]
        }
        let end = rest.firstIndex(of: UInt8(ascii: "\n")) ?? rest.endIndex
        var found = rest[..<end]
        if found.last == UInt8(ascii: "\r") { found.removeLast() }
        return String(decoding: found, as: UTF8.self)
    }
}

/// One source line cut to a width that fits a terminal, with the column of its caret.
struct Excerpt {
    var text: String
    /// 0-based column of the caret in `text`.
    var caret: Int?

    init(line: String, column: Int?, width: Int = 100) {
        let scalars = Array(line.unicodeScalars)
        let at = min(max(0, (column ?? 1) - 1), scalars.count)
        let start = at > width - 20 ? at - width / 2 : 0
        let shown = scalars[start..<min(scalars.count, start + width)]
        func escaped(_ part: ArraySlice<Unicode.Scalar>) -> String {
            Printable.line(Invisible.shown(String(String.UnicodeScalarView(part.map { $0 == "\t" ? " " : $0 }))))
        }
        let before = escaped(shown[..<min(at, shown.endIndex)])
        text = before + escaped(shown[min(at, shown.endIndex)...])
        caret = column == nil ? nil : before.unicodeScalars.count
    }
}
