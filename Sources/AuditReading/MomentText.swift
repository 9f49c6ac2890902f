public import Reporting

/// A moment as a person writes it on a command line, by the rules of systemd.time(7), "Parsing Timestamps".
///
/// Understood: `now`, `today`, `yesterday`, `tomorrow`; `2 days ago`, `-2h`, `+1h`, `3min left`; `@1700000000`; `2026-01-31`,
/// `2026-01-31 22:05`, with seconds and a fraction, each after an optional weekday; `22:05` of today; RFC 3339 with `Z` or an offset. A
/// trailing ` UTC` makes it universal time; else it is local time. Not understood: years of two digits and names of time zones.
public struct MomentText {
    /// The current moment.
    let now: Timestamp
    /// How many seconds local time is ahead of universal time at a moment in seconds since the Unix epoch.
    let offset: (Int64) -> Int64

    /// A reader for that moment and that time zone.
    public init(now: Timestamp, offset: @escaping (Int64) -> Int64) {
        self.now = now
        self.offset = offset
    }

    /// The moment that `text` means; nil where it means none.
    public func moment(_ text: String) -> Timestamp? {
        let words = text.split(separator: " ").map(String.init)
        guard let first = words.first, let last = words.last else { return nil }
        if words.count > 1, last == "UTC" || last == "Z" {
            return MomentText(now: now, offset: { _ in 0 }).moment(words.dropLast().joined(separator: " "))
        }
        if words.count == 1, let named = day(named: first) { return named }
        if first.hasPrefix("@") {
            guard words.count == 1, let seconds = decimal(first.dropFirst()) else { return nil }
            return moved(Timestamp(microseconds: -Timestamp.unixOffset * 1_000_000), by: seconds, 1)
        }
        if first.hasPrefix("+") { return moved(now, by: span(text.drop { $0 == " " }.dropFirst()), 1) }
        if first.hasPrefix("-") { return moved(now, by: span(text.drop { $0 == " " }.dropFirst()), -1) }
        if words.count > 1, last == "ago" { return moved(now, by: span(words.dropLast().joined(separator: " ")), -1) }
        if words.count > 1, last == "left" { return moved(now, by: span(words.dropLast().joined(separator: " ")), 1) }
        return absolute(words)
    }

    private func day(named word: String) -> Timestamp? {
        switch word {
        case "now": now
        case "today": midnight(daysFromToday: 0)
        case "yesterday": midnight(daysFromToday: -1)
        case "tomorrow": midnight(daysFromToday: 1)
        default: nil
        }
    }

    /// Today's day of local time, counted from the Unix epoch.
    private var today: Int64 {
        let local = now.unixSeconds + offset(now.unixSeconds)
        return (local - (local % 86_400 + 86_400) % 86_400) / 86_400
    }

    private func midnight(daysFromToday days: Int64) -> Timestamp? { local(day: today + days, microseconds: 0) }

    /// The moment at which local clocks show that time on that day; where they jump over it, the moment just as far behind the jump.
    private func local(day: Int64, microseconds: Int64) -> Timestamp? {
        let (seconds, fraction) = (day * 86_400 + microseconds / 1_000_000, microseconds % 1_000_000)
        let guess = seconds - offset(seconds)
        let moment = seconds - offset(guess)
        return Timestamp(microseconds: (moment - Timestamp.unixOffset) * 1_000_000 + fraction)
    }

    private func moved(_ from: Timestamp, by span: Int64?, _ sign: Int64) -> Timestamp? {
        guard let span else { return nil }
        let (sum, overflow) = from.microseconds.addingReportingOverflow(sign * span)
        return overflow || !MomentText.years.contains(sum) ? nil : Timestamp(microseconds: sum)
    }

    /// The years 1 to 9999, beyond which neither RFC 3339 nor its readers go.
    private static let years: Range<Int64> = -63_082_281_600_000_000..<252_455_616_000_000_000

    /// A length of time with the units of systemd.time(7), months (30.44 days) and years (365.25 days) too.
    private func span(_ text: some StringProtocol) -> Int64? {
        var rest = ""
        var total: Int64 = 0
        var words = String(text).split(separator: " ").map(String.init)
        // `3 months` becomes one word, so that number and unit are met together.
        var at = 0
        while at + 1 < words.count {
            if words[at].allSatisfy(\.isASCIIDigit), words[at + 1].first?.isLetter == true {
                words[at] += words.remove(at: at + 1)
            }
            at += 1
        }
        for word in words {
            let digits = word.prefix { $0.isASCIIDigit }
            guard let factor = MomentText.longUnits[String(word.dropFirst(digits.count))] else {
                rest += word + " "
                continue
            }
            guard let count = Int64(digits), count < 10_000 else { return nil }
            total += count * factor
        }
        if rest.isEmpty { return words.isEmpty ? nil : total }
        guard let more = TimeSpan(rest)?.microseconds else { return nil }
        let (sum, overflow) = total.addingReportingOverflow(more)
        return overflow ? nil : sum
    }

    private static let longUnits: [String: Int64] = [
        "M": 2_629_800_000_000, "month": 2_629_800_000_000, "months": 2_629_800_000_000,
        "y": 31_557_600_000_000, "year": 31_557_600_000_000, "years": 31_557_600_000_000,
    ]

    /// A date, a time of day or both, after an optional weekday.
    private func absolute(_ words: [String]) -> Timestamp? {
        var parts = words[...]
        var weekday: Int64?
        if let first = parts.first, let number = MomentText.weekday(first) {
            weekday = number
            parts.removeFirst()
        }
        // RFC 3339 joins date and time by a T and puts the zone behind.
        if parts.count == 1, let only = parts.first, let t = only.firstIndex(where: { $0 == "T" || $0 == "t" }) {
            parts = [String(only[..<t]), String(only[only.index(after: t)...])]
        }
        var zone: Int64?
        if parts.count == 2, let time = parts.last, let split = MomentText.zone(time) {
            zone = split.offset
            parts[parts.endIndex - 1] = split.time
        }
        guard let first = parts.first, parts.count <= 2 else { return nil }
        let day: Int64
        let time: Int64
        if first.contains(":") {
            guard parts.count == 1, let clock = MomentText.clock(first) else { return nil }
            (day, time) = (today, clock)
        } else {
            guard let date = MomentText.day(first) else { return nil }
            var clock: Int64 = 0
            if parts.count == 2, let last = parts.last {
                guard let read = MomentText.clock(last) else { return nil }
                clock = read
            }
            (day, time) = (date, clock)
        }
        // 1970-01-01 was a Thursday.
        if let weekday, weekday != ((day + 3) % 7 + 7) % 7 { return nil }
        guard let zone else { return local(day: day, microseconds: time) }
        return MomentText(now: now, offset: { _ in zone }).local(day: day, microseconds: time)
    }

    /// 0 for Monday.
    private static func weekday(_ word: String) -> Int64? {
        let names = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
        let lowered = word.lowercased()
        return names.firstIndex { $0 == lowered || $0.prefix(3) == lowered }.map(Int64.init)
    }

    /// Splits `22:05:09+02:00` into time and seconds ahead of universal time.
    private static func zone(_ text: String) -> (time: String, offset: Int64)? {
        if text.hasSuffix("Z") || text.hasSuffix("z") { return (String(text.dropLast()), 0) }
        guard let sign = text.lastIndex(where: { $0 == "+" || $0 == "-" }) else { return nil }
        let digits = text[text.index(after: sign)...].filter { $0 != ":" }
        guard digits.count == 4, digits.allSatisfy(\.isASCIIDigit), let hours = Int64(digits.prefix(2)),
            let minutes = Int64(digits.suffix(2)), hours < 24, minutes < 60
        else { return nil }
        return (String(text[..<sign]), (text[sign] == "-" ? -1 : 1) * (hours * 3600 + minutes * 60))
    }

    /// `22:05`, `22:05:09`, `22:05:09.123` as microseconds of the day.
    private static func clock(_ text: String) -> Int64? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard (2...3).contains(parts.count), let hours = number(parts[0], 1...2), let minutes = number(parts[1], 2...2),
            hours < 24, minutes < 60
        else { return nil }
        var micros: Int64 = 0
        if parts.count == 3 {
            let pieces = parts[2].split(separator: ".", omittingEmptySubsequences: false)
            guard pieces.count <= 2, let seconds = number(pieces[0], 2...2), seconds < 60 else { return nil }
            micros = seconds * 1_000_000
            if pieces.count == 2 {
                guard let fraction = fraction(pieces[1]) else { return nil }
                micros += fraction
            }
        }
        return (hours * 3600 + minutes * 60) * 1_000_000 + micros
    }

    /// `2026-01-31` as days since the Unix epoch.
    private static func day(_ text: String) -> Int64? {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 3, let year = number(parts[0], 4...4), let month = number(parts[1], 2...2),
            let day = number(parts[2], 2...2), year >= 1970, (1...12).contains(month), day >= 1
        else { return nil }
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let lengths: [Int64] = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        guard day <= lengths[Int(month) - 1] else { return nil }
        let before = lengths.prefix(Int(month) - 1).reduce(0, +)
        let past = year - 1
        // Days before that year in the Gregorian calendar, less those before 1970.
        return past * 365 + past / 4 - past / 100 + past / 400 - 719_162 + before + day - 1
    }

    private static func number(_ text: Substring, _ digits: ClosedRange<Int>) -> Int64? {
        digits.contains(text.count) && text.allSatisfy(\.isASCIIDigit) ? Int64(text) : nil
    }

    /// Digits behind a decimal point as microseconds; further ones are cut off.
    private static func fraction(_ text: Substring) -> Int64? {
        guard !text.isEmpty, text.allSatisfy(\.isASCIIDigit) else { return nil }
        let six = text.prefix(6)
        return Int64(six + String(repeating: "0", count: 6 - six.count))
    }

    /// `1700000000` or `1700000000.5` as microseconds.
    private func decimal(_ text: Substring) -> Int64? {
        let pieces = text.split(separator: ".", omittingEmptySubsequences: false)
        guard pieces.count <= 2, let whole = MomentText.number(pieces[0], 1...12) else { return nil }
        guard pieces.count == 2 else { return whole * 1_000_000 }
        return MomentText.fraction(pieces[1]).map { whole * 1_000_000 + $0 }
    }
}

extension Character {
    fileprivate var isASCIIDigit: Bool { ("0"..."9").contains(self) }
}
