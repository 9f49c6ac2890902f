internal import Glibc

/// Dates for people. No decision may rest on them: the wall clock jumps.
///
/// A date is a number of microseconds since 2000-01-01 00:00 UTC, as in PostgreSQL's timestamptz; the smallest and the largest number are its
/// `-infinity` and `infinity`.
public enum WallClock {
    /// Seconds from 1970 to 2000.
    private static let epoch: Int64 = 946_684_800

    /// Now.
    public static func now() -> Int64 {
        var time = timespec()
        let result = unsafe clock_gettime(CLOCK_REALTIME, &time)
        precondition(result == 0, "every Linux has CLOCK_REALTIME")
        return (Int64(time.tv_sec) - epoch) * 1_000_000 + Int64(time.tv_nsec) / 1000
    }

    /// In the local time zone: `2026-03-01 14:05:09.012345 +0100`.
    public static func localText(_ date: Int64) -> String {
        if let name = infinity(date) { return name }
        guard let parts = Parts(date, local: true) else { return "\(date)" }
        let minutes = abs(parts.offset) / 60
        let sign = parts.offset < 0 ? "-" : "+"
        return "\(parts.day) \(parts.time) \(sign)\(padded(minutes / 60, 2))\(padded(minutes % 60, 2))"
    }

    /// In UTC, as RFC 3339 has it: `2026-03-01T13:05:09.012345Z`.
    public static func rfc3339(_ date: Int64) -> String {
        if let name = infinity(date) { return name }
        guard let parts = Parts(date, local: false) else { return "\(date)" }
        return "\(parts.day)T\(parts.time)Z"
    }

    private static func infinity(_ date: Int64) -> String? {
        date == .max ? "infinity" : date == .min ? "-infinity" : nil
    }

    /// A date taken apart by localtime_r(3) or gmtime_r(3); nil where the year is beyond them.
    private struct Parts {
        let day: String
        let time: String
        /// Seconds east of Greenwich.
        let offset: Int

        init?(_ date: Int64, local: Bool) {
            let (quotient, remainder) = date.quotientAndRemainder(dividingBy: 1_000_000)
            let fraction = remainder < 0 ? remainder + 1_000_000 : remainder
            var seconds = time_t(quotient - (remainder < 0 ? 1 : 0) + epoch)
            var parts = unsafe tm()
            let found = unsafe local ? localtime_r(&seconds, &parts) : gmtime_r(&seconds, &parts)
            guard unsafe found != nil else { return nil }
            unsafe day = "\(padded(parts.tm_year + 1900, 4))-\(padded(parts.tm_mon + 1, 2))-\(padded(parts.tm_mday, 2))"
            let clock = unsafe [parts.tm_hour, parts.tm_min, parts.tm_sec].map { padded($0, 2) }.joined(separator: ":")
            time = "\(clock).\(padded(fraction, 6))"
            offset = unsafe parts.tm_gmtoff
        }
    }

    private static func padded(_ number: some BinaryInteger, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
