internal import AuditReading
internal import JSON
internal import Reporting
internal import Systemd

/// Where the verbs print. Whoever reads the other end may have gone: that ends the output, not the work.
enum Terminal {
    /// One line of results, whatever stands in it: names of roles, files and objects are others' words.
    static func print(_ line: String) { write(Printable.line(line), to: 1) }
    /// A text for a program, with its line ends already: as it is, but what a terminal would obey is shown where one reads it.
    static func print(lines: String) {
        let text =
            lines.utf8.last == UInt8(ascii: "\n") ? String(decoding: lines.utf8.dropLast(), as: UTF8.self) : lines
        write(Process.isTerminal(1) ? Printable.block(text) : text, to: 1)
    }
    /// A document of results.
    static func print(_ value: JSONValue) { write(JSONText.safe(value.text), to: 1) }

    /// A complaint on stderr: the program's name before its first line.
    static func tell(_ complaint: Complaint) {
        for (index, line) in complaint.lines.enumerated() { write(index == 0 ? "migrated: " + line : line, to: 2) }
    }

    /// What the parser of the command line says of words that it does not take, which stand in it.
    static func tell(_ text: String) { write(Printable.block(text), to: 2) }

    private static func write(_ line: String, to descriptor: Int32) {
        do {
            try Process.write(Array((line + "\n").utf8), to: descriptor)
        } catch {
            // A closed pipe: nobody reads any more.
        }
    }
}
