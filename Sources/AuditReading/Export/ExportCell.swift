internal import Audit
internal import Digest
internal import Reporting

/// Text of an export back into PostgreSQL's binary forms.
enum ExportCell {
    /// The bytes that `text` writes for a column of this form; nil where it writes none, or not in the one way in which an export is written:
    /// what has two forms has two files that claim one hash.
    static func bytes(_ text: ArraySlice<UInt8>, _ form: AuditColumn.Form) -> [UInt8]? {
        switch form {
        case .text: plain(text)
        case .integer: number(text).map(CanonicalForm.integer)
        case .small: number(text).flatMap { Int32(exactly: $0) }.map(CanonicalForm.small)
        case .uuid: uuid(text)
        case .time: moment(text).map(CanonicalForm.integer)
        // Lower case alone: an export is written in one way.
        case .bytes: Hex.bytes(digits: text, takesUpperCase: false)
        }
    }

    /// No value of PostgreSQL's text holds a NUL.
    private static func plain(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        if text.contains(0) { return nil }
        if text.contains(where: { $0 >= 0x80 }), String(validating: text, as: UTF8.self) == nil { return nil }
        return Array(text)
    }

    private static func number(_ text: ArraySlice<UInt8>) -> Int64? {
        let digits = text.first == UInt8(ascii: "-") ? text.dropFirst() : text
        guard let first = digits.first, digits.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }),
            first != 0x30 || text.count == 1
        else { return nil }
        return Int64(String(decoding: text, as: UTF8.self))
    }

    /// Lower case, with its hyphens.
    private static func uuid(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        guard text.count == 36 else { return nil }
        var digits: [UInt8] = []
        digits.reserveCapacity(32)
        for (place, byte) in text.enumerated() {
            if [8, 13, 18, 23].contains(place) {
                guard byte == UInt8(ascii: "-") else { return nil }
            } else {
                digits.append(byte)
            }
        }
        return Hex.bytes(digits: digits[...], takesUpperCase: false)
    }

    /// The number of a moment that is written as we write it, which leaves out days that there are not.
    static func moment(_ text: ArraySlice<UInt8>) -> Int64? {
        guard let number = time(text) else { return nil }
        var written: [UInt8] = []
        Timestamp(microseconds: number).write(to: &written)
        return written[...] == text ? number : nil
    }

    /// `2026-01-31T22:05:09.123456Z` as microseconds since 2000-01-01 UTC.
    private static func time(_ text: ArraySlice<UInt8>) -> Int64? {
        if text.elementsEqual("infinity".utf8) { return .max }
        if text.elementsEqual("-infinity".utf8) { return .min }
        // The year may have more digits than four; all behind it has a fixed length.
        guard text.count >= 27, text.last == UInt8(ascii: "Z") else { return nil }
        let tail = Array(text.suffix(23))
        let marks: [(Int, Character)] = [(0, "-"), (3, "-"), (6, "T"), (9, ":"), (12, ":"), (15, ".")]
        for (place, mark) in marks where tail[place] != mark.asciiValue { return nil }
        func digits(_ bytes: some Collection<UInt8>) -> Int64? {
            var number: Int64 = 0
            for byte in bytes {
                guard byte >= 0x30, byte <= 0x39, number < 1_000_000_000 else { return nil }
                number = number * 10 + Int64(byte - 0x30)
            }
            return number
        }
        guard let year = digits(text.dropLast(23)), year < 400_000, let month = digits(tail[1...2]),
            let day = digits(tail[4...5]), let hour = digits(tail[7...8]), let minute = digits(tail[10...11]),
            let second = digits(tail[13...14]), let fraction = digits(tail[16...21]), (1...12).contains(month),
            (1...31).contains(day), hour < 24, minute < 60, second < 60
        else { return nil }
        // Years counted from March, so that the leap day comes last; days since 2000-03-01, which was day 60 of 2000.
        let shifted = month > 2 ? year : year - 1
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let days = era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 730_425
        return ((days * 24 + hour) * 60 + minute) * 60_000_000 + second * 1_000_000 + fraction
    }
}
