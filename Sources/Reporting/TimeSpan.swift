/// A length of time, in whole microseconds.
///
/// Written as systemd.time(7) and PostgreSQL write it: a number and a unit, several of them added up (`5min`, `1h 30min`, `500ms`);
/// a bare number means seconds, as in systemd. `0` is allowed; what it means is the setting's business.
public struct TimeSpan: Sendable, Hashable, Comparable {
    /// The length in microseconds.
    public var microseconds: Int64

    /// A span of that many microseconds.
    public init(microseconds: Int64) { self.microseconds = microseconds }
    /// A span of that many milliseconds; the longest there is where they are more than it holds.
    public static func milliseconds(_ count: Int64) -> TimeSpan { TimeSpan(count, of: 1000) }
    /// A span of that many seconds; the longest there is where they are more than it holds.
    public static func seconds(_ count: Int64) -> TimeSpan { TimeSpan(count, of: 1_000_000) }

    private init(_ count: Int64, of unit: Int64) {
        let (product, overflow) = count.multipliedReportingOverflow(by: unit)
        microseconds = overflow ? (count < 0 ? .min : .max) : product
    }

    /// The length in whole milliseconds, rounded up so that a positive span never becomes PostgreSQL's "no limit" 0.
    public var milliseconds: Int64 { (microseconds + 999) / 1000 }

    private static let units: [String: Int64] = [
        "us": 1, "µs": 1, "usec": 1, "ms": 1000, "msec": 1000, "s": 1_000_000, "sec": 1_000_000, "second": 1_000_000,
        "seconds": 1_000_000, "m": 60_000_000, "min": 60_000_000, "minute": 60_000_000, "minutes": 60_000_000,
        "h": 3_600_000_000, "hr": 3_600_000_000, "hour": 3_600_000_000, "hours": 3_600_000_000, "d": 86_400_000_000,
        "day": 86_400_000_000, "days": 86_400_000_000, "w": 604_800_000_000, "week": 604_800_000_000,
        "weeks": 604_800_000_000,
    ]

    /// The span that `text` writes; nil where it is none or overflows.
    public init?(_ text: some StringProtocol) {
        var total: Int64 = 0
        var rest = Substring(text).drop { $0 == " " }
        guard !rest.isEmpty else { return nil }
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            guard let number = Int64(digits) else { return nil }
            rest = rest.dropFirst(digits.count).drop { $0 == " " }
            let unit = rest.prefix { !($0.isASCII && $0.isNumber) && $0 != " " }
            rest = rest.dropFirst(unit.count).drop { $0 == " " }
            guard let factor = unit.isEmpty ? 1_000_000 : TimeSpan.units[String(unit)] else { return nil }
            let (part, tooLarge) = number.multipliedReportingOverflow(by: factor)
            let (sum, overflow) = total.addingReportingOverflow(part)
            guard !tooLarge, !overflow else { return nil }
            total = sum
        }
        microseconds = total
    }

    public static func < (left: TimeSpan, right: TimeSpan) -> Bool { left.microseconds < right.microseconds }
}

extension TimeSpan: CustomStringConvertible {
    /// The shortest exact writing in this type's own syntax: `5min`, `1h 30min`, `500ms`, `0`.
    public var description: String {
        var rest = microseconds
        var parts: [String] = []
        let steps: [(Int64, String)] = [
            (86_400_000_000, "d"), (3_600_000_000, "h"), (60_000_000, "min"), (1_000_000, "s"), (1000, "ms"), (1, "us"),
        ]
        for (size, unit) in steps where rest >= size {
            parts.append("\(rest / size)\(unit)")
            rest %= size
        }
        return parts.isEmpty ? "0" : parts.joined(separator: " ")
    }

    /// Two significant steps, for people: `1h 30min`, `2.4s`, `13ms`, `250us`.
    public var brief: String {
        switch microseconds {
        case ..<1000: "\(microseconds)us"
        case ..<1_000_000: "\(microseconds / 1000)ms"
        case ..<60_000_000: "\(microseconds / 1_000_000).\(microseconds / 100_000 % 10)s"
        case ..<3_600_000_000: "\(microseconds / 60_000_000)min \(microseconds / 1_000_000 % 60)s"
        case ..<86_400_000_000: "\(microseconds / 3_600_000_000)h \(microseconds / 60_000_000 % 60)min"
        default: "\(microseconds / 86_400_000_000)d \(microseconds / 3_600_000_000 % 24)h"
        }
    }
}
