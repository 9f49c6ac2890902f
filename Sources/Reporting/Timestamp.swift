/// A moment, as PostgreSQL counts: microseconds since 2000-01-01 00:00 UTC. Only ever shown, never decided upon.
public struct Timestamp: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// Microseconds since 2000-01-01 00:00 UTC.
    public var microseconds: Int64

    /// Seconds between the Unix epoch and PostgreSQL's.
    public static let unixOffset: Int64 = 946_684_800

    /// The moment that many microseconds after 2000-01-01 00:00 UTC.
    public init(microseconds: Int64) { self.microseconds = microseconds }

    public static func < (left: Timestamp, right: Timestamp) -> Bool { left.microseconds < right.microseconds }

    /// Seconds since the Unix epoch, rounded down.
    public var unixSeconds: Int64 {
        Timestamp.unixOffset + microseconds / 1_000_000 - (microseconds % 1_000_000 < 0 ? 1 : 0)
    }
    /// Microseconds within the second.
    public var fraction: Int64 { (microseconds % 1_000_000 + 1_000_000) % 1_000_000 }

    /// RFC 3339 in UTC with microseconds: `2026-01-31T22:05:09.123456Z`. The largest and the smallest number are PostgreSQL's `infinity`
    /// and `-infinity`.
    public var description: String {
        var bytes: [UInt8] = []
        write(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Appends `description` in UTF-8.
    public func write(to bytes: inout [UInt8]) {
        if microseconds == .max || microseconds == .min {
            bytes += (microseconds < 0 ? "-infinity" : "infinity").utf8
            return
        }
        func put(_ number: Int64, _ width: Int, _ behind: Unicode.Scalar) {
            var unit: Int64 = 1
            for _ in 1..<width { unit *= 10 }
            while number / unit >= 10 { unit *= 10 }
            while unit > 0 {
                bytes.append(UInt8(truncatingIfNeeded: number / unit % 10) + 0x30)
                unit /= 10
            }
            bytes.append(UInt8(ascii: behind))
        }
        let seconds = unixSeconds
        let second = (seconds % 86_400 + 86_400) % 86_400
        let date = Timestamp.date(daysSinceUnixEpoch: (seconds - second) / 86_400)
        if date.year < 0 { bytes.append(UInt8(ascii: "-")) }
        put(abs(date.year), 4, "-")
        put(date.month, 2, "-")
        put(date.day, 2, "T")
        put(second / 3600, 2, ":")
        put(second / 60 % 60, 2, ":")
        put(second % 60, 2, ".")
        put(fraction, 6, "Z")
    }

    /// The proleptic Gregorian date of a day, counting years from March so that the leap day comes last.
    static func date(daysSinceUnixEpoch days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * marchMonth + 2) / 5 + 1)
    }
}
