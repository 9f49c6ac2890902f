internal import JSON
internal import Reporting
internal import Systemd

/// Where the verbs print. Whoever reads the other end may have gone: that ends the output, not the work.
enum Terminal {
    /// One line of results.
    static func print(_ line: String) { write(line, to: 1) }
    /// A text that has its line ends already.
    static func print(lines: String) { write(lines.hasSuffix("\n") ? String(lines.dropLast()) : lines, to: 1) }
    /// A document of results.
    static func print(_ value: JSONValue) { write(value.text, to: 1) }

    /// A complaint on stderr: the program's name before its first line.
    static func tell(_ complaint: Complaint) {
        for (index, line) in complaint.lines.enumerated() { write(index == 0 ? "migrated: " + line : line, to: 2) }
    }

    private static func write(_ line: String, to descriptor: Int32) {
        do {
            try Process.write(Array((line + "\n").utf8), to: descriptor)
        } catch {
            // A closed pipe: nobody reads any more.
        }
    }
}
