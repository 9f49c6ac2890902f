internal import Reporting

extension Output {
    /// Prints `lines` below `titles` in columns as wide as they need; those in `right` are numbers.
    func columns(_ titles: [String], _ lines: [[String]], right: Set<Int>) throws {
        let all = [titles] + lines
        let widths = titles.indices.map { at in all.map { TextWidth.of($0[at]) }.max() ?? 0 }
        for (number, line) in all.enumerated() {
            let cells = line.indices.map { at in
                at == line.count - 1 && !right.contains(at)
                    ? line[at] : TextWidth.padded(line[at], widths[at], right: right.contains(at))
            }
            let text = String(cells.joined(separator: "  ").reversed().drop { $0 == " " }.reversed())
            try self.line(number == 0 ? coloured(text, .bold) : text)
        }
    }
}
