internal import Configuration
internal import Postgres
internal import Reporting
internal import Systemd

/// Whether and when a failed attempt is tried again by itself.
///
/// A value that decides: it is told of failures, it answers with a time to wait or with no. Waits double from try to try up to a bound
/// and are jittered downwards by up to a half, so that several daemons do not come back in step.
struct RetryPolicy {
    private let tries: Int
    private let first: TimeSpan
    private let longest: TimeSpan
    private let span: TimeSpan
    private var failures = 0
    private var since: Instant?

    init(_ settings: Settings) {
        tries = settings.retryTries
        first = settings.retryWait
        longest = settings.retryMaximum
        span = settings.retryFor
    }

    /// Reasons that pass by themselves: somebody else's lock or build of an index, a lost race, a server that is full, short of memory or on its way up
    /// or down, a disk or a network that failed once, a period in which nothing may be written.
    static let passing: Set<String> = [
        "lock_timeout", "deadlock", "serialization_failure", "too_many_connections", "server_not_ready",
        "connection_lost", "index_being_built", "out_of_memory", "io_error", "read_only",
    ]

    /// How long to wait before the next try; nil where there is to be none. `jitter` is in 0...1.
    mutating func next(after reason: String, now: Instant, jitter: Double) -> TimeSpan? {
        guard RetryPolicy.passing.contains(reason) else { return nil }
        let begin = since ?? now
        since = begin
        failures += 1
        guard failures < tries else { return nil }
        let doubled = first.microseconds << min(failures - 1, 20)
        let bound = min(max(doubled, first.microseconds), longest.microseconds)
        let wait = TimeSpan(microseconds: bound - Int64(Double(bound) / 2 * jitter))
        guard span.microseconds == 0 || now + wait < begin + span else { return nil }
        return wait
    }
}

extension RunFailure {
    /// The stable word, where the reason may pass by itself; a server that cannot be reached at all is waited for only where it was
    /// reached before.
    func passingReason(afterInterruption: Bool) -> String? {
        switch self {
        case .interrupted: return "connection_lost"
        case .lost(let error), .refused(let error):
            switch error.sqlstate {
            case "53300": return "too_many_connections"
            case "57P03": return "server_not_ready"
            default: return afterInterruption ? "connection_lost" : nil
            }
        case .unresponsive: return afterInterruption ? "connection_lost" : nil
        case .stopped, .lockedElsewhere, .complaint: return nil
        }
    }
}
