package import Reporting
internal import SQLLexing

extension Complaint {
    /// Says what place of `text` it is about, and shows that line without the secrets that stand in it.
    package mutating func point(at place: Place, of text: [UInt8]) {
        self.place = place
        let end = UInt8(ascii: "\n")
        var start = 0
        for _ in 1..<max(1, place.line ?? 1) {
            guard let next = text[start...].firstIndex(of: end) else {
                excerpt = ""
                return
            }
            start = next + 1
        }
        var line = start..<(text[start...].firstIndex(of: end) ?? text.count)
        if !line.isEmpty, text[line.upperBound - 1] == UInt8(ascii: "\r") { line = start..<line.upperBound - 1 }
        let secrets = Secrets(of: text)
        let shown = secrets.shown(line)
        excerpt = String(decoding: shown, as: UTF8.self)
        guard let column = place.column, !shown.elementsEqual(text[line]) else { return }
        var offset = start
        var left = column - 1
        while offset < line.upperBound, left > 0 {
            offset += 1
            if offset == line.upperBound || text[offset] & 0xC0 != 0x80 { left -= 1 }
        }
        let before = shown.prefix(secrets.offset(of: offset, inShown: line))
        caret = before.count { $0 & 0xC0 != 0x80 } + 1
    }
}
