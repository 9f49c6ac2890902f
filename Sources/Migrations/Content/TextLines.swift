/// The lines of a text as ranges of its bytes, without their ends. An LF ends a line, and a CR before it belongs to the end; a byte
/// order mark belongs to no line.
struct TextLines: Sequence, IteratorProtocol {
    private let text: [UInt8]
    private var start: Int

    init(_ text: [UInt8]) {
        self.text = text
        start = text.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    }

    mutating func next() -> Range<Int>? {
        guard start < text.count else { return nil }
        var end = start
        while end < text.count, text[end] != 0x0A { end += 1 }
        let first = start
        start = end + 1
        if end > first, text[end - 1] == 0x0D { end -= 1 }
        return first..<end
    }
}

extension [UInt8] {
    /// A line as text.
    func text(_ line: Range<Int>) -> String { String(decoding: self[line], as: UTF8.self) }

    /// What a line that is a comment says behind its dashes, without blanks at both ends; nil where it is another line.
    ///
    /// `indented` tells whether blanks stand before the dashes.
    func comment(_ line: Range<Int>) -> (text: String, indented: Bool)? {
        var at = line.lowerBound
        while at < line.upperBound, self[at] == 0x20 || self[at] == 0x09 { at += 1 }
        guard at + 1 < line.upperBound, self[at] == UInt8(ascii: "-"), self[at + 1] == UInt8(ascii: "-") else {
            return nil
        }
        return (String(text(at + 2..<line.upperBound).trimmed), at > line.lowerBound)
    }

    /// Whether a line holds nothing but blanks.
    func isBlank(_ line: Range<Int>) -> Bool { self[line].allSatisfy { $0 == 0x20 || (0x09...0x0D).contains($0) } }

    /// A text of the same length and the same lines in which only the bytes of `ranges` are kept: every offset, line and column in it is
    /// that of the whole.
    func keeping(_ ranges: [Range<Int>]) -> [UInt8] {
        var kept = map { $0 == 0x0A || $0 == 0x0D ? $0 : 0x20 }
        for range in ranges { kept.replaceSubrange(range, with: self[range]) }
        return kept
    }
}

extension StringProtocol {
    /// Without blanks at both ends.
    var trimmed: SubSequence {
        let start = drop(while: \.isWhitespace)
        guard let last = start.lastIndex(where: { !$0.isWhitespace }) else {
            return start[start.startIndex..<start.startIndex]
        }
        return start[...last]
    }
}
