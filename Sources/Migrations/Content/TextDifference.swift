/// In what a file differs from the text that was applied, where that changes nothing of what the file does.
public enum TextDifference {
    /// A clause such as `only in its line ends (CRLF, applied with LF)`; nil where more than that differs.
    ///
    /// Line ends and white space at the ends of lines can stand within a string, and change its value there; so this is what the text shows, and not that
    /// the two are the same to the server.
    public static func harmless(applied: [UInt8], now: [UInt8]) -> String? {
        guard applied != now else { return nil }
        let (old, new) = (Parts(applied), Parts(now))
        guard old.lines == new.lines else { return nil }
        var words: [String] = []
        if old.hasMark != new.hasMark { words.append("by a byte order mark") }
        if old.ends != new.ends { words.append("in its line ends (\(new.ends), applied with \(old.ends))") }
        if words.isEmpty || old.blanks != new.blanks {
            words.append("in white space at the end of a line or of the file")
        }
        return "only " + words.joined(separator: " and ")
    }

    private struct Parts {
        var hasMark = false
        /// How its lines end, in a word.
        var ends = "LF"
        /// The lines without what is white at their ends, and without empty ones at the end of the file.
        var lines: [ArraySlice<UInt8>] = []
        /// What is white at the ends of the lines, but for carriage returns.
        var blanks: [ArraySlice<UInt8>] = []

        init(_ bytes: [UInt8]) {
            let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
            hasMark = bytes.starts(with: mark)
            let text = hasMark ? bytes[mark.count...] : bytes[...]
            // A carriage return alone ends a line, too, as old systems had it.
            var (feeds, both, returns) = (0, 0, 0)
            var start = text.startIndex
            var at = start
            func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0B || byte == 0x0C }
            while at <= text.endIndex {
                let isEnd = at == text.endIndex
                guard isEnd || text[at] == 0x0A || text[at] == 0x0D else {
                    at += 1
                    continue
                }
                var end = at
                while end > start, isBlank(text[end - 1]) { end -= 1 }
                lines.append(text[start..<end])
                blanks.append(text[end..<at])
                if isEnd { break }
                if text[at] == 0x0A {
                    feeds += 1
                } else if at + 1 < text.endIndex, text[at + 1] == 0x0A {
                    both += 1
                    at += 1
                } else {
                    returns += 1
                }
                at += 1
                start = at
            }
            while lines.last?.isEmpty == true { lines.removeLast() }
            switch (feeds > 0, both > 0, returns > 0) {
            case (_, false, false): ends = "LF"
            case (false, true, false): ends = "CRLF"
            case (false, false, true): ends = "CR"
            default: ends = "mixed line ends"
            }
        }
    }
}
