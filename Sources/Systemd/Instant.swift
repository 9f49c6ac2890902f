internal import Glibc
public import Reporting

/// A moment of the monotonic clock, in microseconds since an arbitrary point.
///
/// CLOCK_MONOTONIC of clock_gettime(2): never set back, the same in every process of a boot, standing still while the machine is
/// suspended. Every deadline rests on it and none on the wall clock.
public struct Instant: Sendable, Comparable, Hashable {
    /// Microseconds since that point.
    public var microseconds: Int64

    /// The moment that many microseconds after the point.
    public init(microseconds: Int64) { self.microseconds = microseconds }

    /// This moment.
    public static func now() -> Instant {
        var time = timespec()
        let result = unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        precondition(result == 0, "every Linux has CLOCK_MONOTONIC")
        return Instant(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000)
    }

    /// The moment `span` later; the end of time where that overflows.
    public static func + (instant: Instant, span: TimeSpan) -> Instant {
        let (sum, overflow) = instant.microseconds.addingReportingOverflow(span.microseconds)
        return Instant(microseconds: overflow ? .max : sum)
    }

    /// The time from `earlier` to `later`.
    public static func - (later: Instant, earlier: Instant) -> TimeSpan {
        TimeSpan(microseconds: later.microseconds - earlier.microseconds)
    }

    /// Whether `left` comes first.
    public static func < (left: Instant, right: Instant) -> Bool { left.microseconds < right.microseconds }
}
