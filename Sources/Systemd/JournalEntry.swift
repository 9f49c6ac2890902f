/// One entry of the journal on its way: the datagram of systemd's native journal protocol
/// (systemd.io/JOURNAL_NATIVE_PROTOCOL).
struct JournalEntry: Sendable {
    private struct Field {
        let name: [UInt8]
        var value: [UInt8]
        /// A value with a newline is written in the binary form.
        var isBinary: Bool

        init(_ name: [UInt8], _ value: [UInt8]) {
            self.name = name
            self.value = value
            isBinary = value.contains(UInt8(ascii: "\n"))
        }

        var size: Int { name.count + value.count + (isBinary ? 10 : 2) }
    }

    private var fields: [Field]

    /// An entry of these fields; a field may stand several times.
    init(_ fields: [(name: String, value: [UInt8])]) {
        for field in fields {
            precondition(JournalWriter.isFieldName(field.name), "the journal drops a field of this name without a word")
        }
        self.fields = fields.map { Field(Array($0.name.utf8), $0.value) }
    }

    /// Bytes of the datagram.
    var size: Int { fields.reduce(0) { $0 + $1.size } }

    /// `NAME=value\n`, or, where the value holds a newline, `NAME\n`, its length as eight bytes (little endian), `value\n`.
    var bytes: [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(size)
        for field in fields {
            result += field.name
            if field.isBinary {
                result.append(UInt8(ascii: "\n"))
                for shift in stride(from: 0, to: 64, by: 8) {
                    result.append(UInt8(truncatingIfNeeded: field.value.count >> shift))
                }
            } else {
                result.append(UInt8(ascii: "="))
            }
            result += field.value
            result.append(UInt8(ascii: "\n"))
        }
        return result
    }

    /// No value is cut below this many bytes: identifiers and digests stay whole.
    static let shortestCut = 128

    /// The same entry in at most `limit` bytes: the longest values end in `…`. Nil where that cannot be done.
    func shortened(to limit: Int) -> JournalEntry? {
        var result = self
        var longest = fields.map(\.value.count).max() ?? 0
        while result.size > limit {
            if longest <= JournalEntry.shortestCut { return nil }
            longest = max(JournalEntry.shortestCut, longest - longest / 4)
            for index in fields.indices where fields[index].value.count > longest {
                result.fields[index] = Field(fields[index].name, JournalEntry.cut(fields[index].value, longest))
            }
        }
        return result
    }

    /// `value` in at most `length` bytes, cut between characters of UTF-8.
    private static func cut(_ value: [UInt8], _ length: Int) -> [UInt8] {
        let ellipsis = Array("…".utf8)
        var end = length - ellipsis.count
        while end > 0, value[end] & 0xC0 == 0x80 { end -= 1 }
        return value[..<end] + ellipsis
    }
}
