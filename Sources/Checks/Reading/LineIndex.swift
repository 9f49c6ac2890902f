internal import Reporting
internal import SQLParsing

/// Where the lines of a text begin, so that each place costs a search and not a walk from the start.
struct LineIndex {
    let file: String
    private let text: [UInt8]
    private let starts: [Int]
    /// The last place that was asked for: a long line is counted once, not for each of its statements.
    private var last = (start: 0, offset: 0, column: 1)

    init(_ script: Script) {
        file = script.file
        text = script.text
        var starts = [0]
        for (offset, byte) in script.text.enumerated() where byte == UInt8(ascii: "\n") { starts.append(offset + 1) }
        self.starts = starts
    }

    /// The place of a byte offset.
    mutating func place(_ offset: Int) -> Place {
        var low = 0
        var high = starts.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if starts[middle] <= offset { low = middle } else { high = middle }
        }
        let offset = min(offset, text.count)
        if last.start != starts[low] || last.offset > offset { last = (starts[low], starts[low], 1) }
        for byte in text[last.offset..<offset] where byte & 0xC0 != 0x80 { last.column += 1 }
        last.offset = offset
        return Place(file: file, line: low + 1, column: last.column)
    }

    /// Each line with the offset of its first byte, without its line end.
    func forEachLine(_ body: (Int, ArraySlice<UInt8>) -> Void) {
        for (index, start) in starts.enumerated() {
            let end = index + 1 < starts.count ? starts[index + 1] - 1 : text.count
            body(start, text[start..<end])
        }
    }
}
