internal import AuditReading
internal import Glibc
internal import Reporting
internal import Systemd

/// Standard output: buffered, and coloured and fitted only where it is a terminal.
final class Output {
    /// Whether a person looks at it.
    let isTerminal: Bool
    /// Columns to fit into; nil for any number.
    let width: Int?
    /// Whether colours are welcome: a terminal, and NO_COLOR (no-color.org) unset or empty.
    let hasColours: Bool
    private var buffer: [UInt8] = []
    private var pager: Pager?

    /// `paged` starts a pager where standard output is a terminal: `AUDITCTL_PAGER`, else `PAGER`, else less(1), which leaves by itself
    /// where everything fits the screen. An empty variable or `cat` means none.
    init(paged: Bool = false) {
        isTerminal = Process.isTerminal(1)
        // What a person sets counts before what the terminal says of itself, as with ls(1).
        let wished = Process.environment("COLUMNS").flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil }
        width = isTerminal ? wished ?? Process.terminalWidth(1) ?? 80 : nil
        let refused = Process.environment("NO_COLOR").map { !$0.isEmpty } ?? false
        hasColours = isTerminal && !refused && Process.environment("TERM") != "dumb"
        guard paged, isTerminal else { return }
        let wanted = Process.environment("AUDITCTL_PAGER") ?? Process.environment("PAGER") ?? "less"
        guard !["", "cat"].contains(wanted) else { return }
        // R lets our colours through, F leaves at once where it fits, X keeps the text on the screen.
        let less = "if command -v less >/dev/null; then exec less -FRX; else exec cat; fi"
        pager = Pager(command: wanted == "less" ? less : wanted)
    }

    deinit { pager?.finish() }

    /// Adds one line; `text` is safe for a terminal already.
    func line(_ text: String) throws {
        buffer += text.utf8
        buffer.append(UInt8(ascii: "\n"))
        if buffer.count >= 1 << 16 { try flush() }
    }

    /// Adds bytes as they are.
    func bytes(_ bytes: [UInt8]) throws {
        buffer += bytes
        if buffer.count >= 1 << 16 { try flush() }
    }

    /// Hands everything to the kernel. A reader that has gone away ends the program quietly: it has seen what it wanted.
    func flush() throws {
        let ready = buffer
        buffer.removeAll(keepingCapacity: true)
        do {
            try Process.write(ready, to: pager?.descriptor ?? 1)
        } catch {
            if error.errno == EPIPE { throw Ending(status: .done) }
            throw error
        }
    }

    /// Makes text of the history fit to be printed here: raw where a program reads, escaped where a terminal would obey it.
    func guarded(_ text: String) -> String { isTerminal ? Printable.line(text) : text }

    /// Adds one record of CSV.
    func record(_ fields: [String?], _ form: OutputFormat) throws {
        try line(fields.map { CSV.field($0.map(guarded), form.cells) }.joined(separator: ","))
    }

    /// `text` in a colour, where colours are welcome.
    func coloured(_ text: String, _ colour: Colour?) -> String {
        guard hasColours, let colour else { return text }
        return "\u{1b}[\(colour.rawValue)m\(text)\u{1b}[0m"
    }
}

/// Colours by their number in ECMA-48's "select graphic rendition".
enum Colour: Int {
    case bold = 1
    case red = 31
    case green = 32
    case yellow = 33
}
