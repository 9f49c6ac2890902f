internal import Digest

/// How what another tool kept of a file compares with the file.
public enum ChecksumMatch: String, Sendable, Equatable {
    /// It is the sum of this very text.
    case same
    /// It is the sum of this text with other line ends.
    case sameButLineEnds = "same_but_line_ends"
    /// It is the sum of another text.
    case different
    /// The tool kept none.
    case notKept = "not_kept"
    /// The file could not be read.
    case unread
}

/// The sums that other tools keep, each by its own algorithm.
enum ToolChecksum {
    /// Prisma: SHA-256 in hexadecimal digits, of the text with the line ends it had; an old engine wrote each byte without its leading zero.
    static func prisma(_ recorded: String, _ bytes: [UInt8]) -> ChecksumMatch {
        func matches(_ text: [UInt8]) -> Bool {
            let hash = SHA256.hash(text)
            if recorded.utf8.count == 64 { return Hex.text(hash) == recorded.lowercased() }
            return hash.map { String($0, radix: 16) }.joined() == recorded.lowercased()
        }
        if matches(bytes) { return .same }
        let unix = withoutCarriageReturns(bytes)
        if matches(unix) { return .sameButLineEnds }
        let windows = unix.flatMap { $0 == 0x0A ? [0x0D, 0x0A] : [$0] }
        return matches(windows) ? .sameButLineEnds : .different
    }

    /// Flyway: the CRC-32 of all lines without their ends, without a byte order mark, as a signed number.
    static func flyway(_ recorded: String, _ bytes: [UInt8]) -> ChecksumMatch {
        var sum = CRC32()
        let start = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
        sum.add(bytes[start...].lazy.filter { $0 != 0x0A && $0 != 0x0D })
        return String(Int32(bitPattern: sum.value)) == recorded ? .same : .different
    }

    /// Drizzle: SHA-256 in hexadecimal digits, of the whole text.
    static func drizzle(_ recorded: String, _ bytes: [UInt8]) -> ChecksumMatch {
        drizzle(of: bytes) == recorded.lowercased() ? .same : .different
    }

    static func drizzle(of bytes: [UInt8]) -> String { SHA256.hex(bytes) }

    /// sqlx: SHA-384, of the whole text; `recorded` in hexadecimal digits.
    static func sqlx(_ recorded: String, _ bytes: [UInt8]) -> ChecksumMatch {
        SHA384.hex(bytes) == recorded ? .same : .different
    }

    /// The lines of a text as Play compares them: without blanks at both ends, empty ones left out, each `;;` as it is run.
    static func lines(_ text: String) -> [String] {
        text.split(whereSeparator: \.isNewline).map { $0.trimmed.replacing(";;", with: "; ") }.map {
            String($0.trimmed)
        }
        .filter { !$0.isEmpty }
    }

    private static func withoutCarriageReturns(_ bytes: [UInt8]) -> [UInt8] {
        bytes.enumerated().filter { at, byte in
            !(byte == 0x0D && at + 1 < bytes.count && bytes[at + 1] == 0x0A)
        }.map(\.element)
    }
}
