internal import Reporting

/// The checks that every file passes before a grammar sees it, and the text that remains.
struct SourceText {
    let file: String
    /// The bytes without a byte order mark.
    let bytes: [UInt8]

    /// Refuses what is too large, not UTF-8, or holds a NUL byte, which PostgreSQL cannot store and C would end at.
    init(_ source: [UInt8], file: String, limit: Int) throws(Complaint) {
        self.file = file
        guard source.count <= limit else {
            throw Complaint(
                .badFile, "file has \(source.count) bytes, more than the limit of \(limit)",
                hint: "Raise 'size-limit' in the configuration, or split the file into several migrations.",
                place: Place(file: file))
        }
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        bytes = source.starts(with: mark) ? Array(source[mark.count...]) : source
        if let offset = SourceText.firstInvalid(bytes) {
            throw complaint(
                "byte 0x\(String(bytes[offset], radix: 16)) is not UTF-8", at: offset,
                hint: SourceText.encodingHint(source))
        }
        if let offset = bytes.firstIndex(of: 0) {
            throw complaint("NUL byte", at: offset, hint: "Remove it: PostgreSQL's text has no such character.")
        }
    }

    /// The same file with other bytes of the same length and line ends.
    func with(_ bytes: [UInt8]) -> SourceText { SourceText(file: file, bytes: bytes) }

    private init(file: String, bytes: [UInt8]) {
        self.file = file
        self.bytes = bytes
    }

    /// A complaint about the character at byte `offset`, with its line.
    func complaint(_ message: String, at offset: Int, hint: String? = nil) -> Complaint {
        var complaint = Complaint(.badFile, message, hint: hint)
        complaint.point(at: Place(file: file, offset: offset, in: bytes), of: bytes)
        return complaint
    }

    /// `3:15`, for a hint that names a second place.
    func position(_ offset: Int) -> String {
        let place = Place(file: file, offset: offset, in: bytes)
        return "\(place.line ?? 1):\(place.column ?? 1)"
    }

    /// The byte offset of the 1-based character `position` of a part; the part's end beyond its last.
    func offset(ofCharacter position: Int, in part: Range<Int>) -> Int {
        var left = max(position, 1)
        for offset in part where bytes[offset] & 0xC0 != 0x80 {
            left -= 1
            if left == 0 { return offset }
        }
        return part.upperBound
    }

    private static func firstInvalid(_ bytes: [UInt8]) -> Int? {
        do {
            _ = try UTF8Span(validating: bytes.span)
            return nil
        } catch {
            return error.byteOffsets.lowerBound
        }
    }

    private static func encodingHint(_ source: [UInt8]) -> String {
        if source.starts(with: [0xFF, 0xFE]) || source.starts(with: [0xFE, 0xFF]) {
            return "The file begins like UTF-16: save it as UTF-8."
        }
        return "Save the file as UTF-8."
    }
}
