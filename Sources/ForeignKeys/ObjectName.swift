/// Names for constraints and indexes as PostgreSQL itself would choose them: `table_column_fkey`, `table_column_idx`.
enum ObjectName {
    /// The longest identifier in bytes (`NAMEDATALEN` - 1).
    static let longest = 63

    /// A name that is not among `taken`: the plain one, else with the first free number behind its label.
    static func free(_ table: String, _ columns: [String], label: String, taken: Set<String>) -> String {
        let joined = clipped(columns.joined(separator: "_"), to: longest)
        var number = 0
        while true {
            let name = make(table, joined, label: number == 0 ? label : "\(label)\(number)")
            if !taken.contains(name) { return name }
            number += 1
        }
    }

    /// The parts joined by `_`, the longer of the first two shortened until all fit.
    private static func make(_ first: String, _ second: String, label: String) -> String {
        let room = longest - label.utf8.count - 2
        var left = first.utf8.count
        var right = second.utf8.count
        while left + right > room {
            if left > right { left -= 1 } else { right -= 1 }
        }
        return "\(clipped(first, to: left))_\(clipped(second, to: right))_\(label)"
    }

    /// At most `count` bytes, no character cut.
    private static func clipped(_ text: String, to count: Int) -> String {
        var kept = String.UnicodeScalarView()
        var bytes = 0
        for scalar in text.unicodeScalars {
            bytes += UTF8.width(scalar)
            if bytes > count { break }
            kept.append(scalar)
        }
        return String(kept)
    }
}
