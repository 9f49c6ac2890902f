internal import Audit
internal import JSON
internal import Reporting

/// What a monitoring system is told: counted from the events, in Prometheus's text format.
///
/// Counters begin at zero with the process, as Prometheus expects of them. The names follow its rules: base units, `_total` for counters.
struct Metrics {
    /// The value of the label `database`.
    var database: String
    /// Migrations of the directory by their state.
    private var states: [(state: String, count: Int)] = []
    private var attempts: [String: Int64] = [:]
    private var microseconds: [String: Int64] = [:]
    private var orphans: [String: Int64] = [:]
    private var lockTimeouts: Int64 = 0
    private var locksOfOthers: Int64 = 0
    private var lastSuccess: Int64?
    private var journalDropped: Int64 = 0

    init(database: String) { self.database = database }

    /// The results that an attempt can have, each shown from the start.
    private static let results: [EventKind] = [.applied, .failed, .interrupted, .rolledBack, .rollbackFailed]

    /// Something happened and is committed.
    mutating func happened(_ record: AuditRecord) {
        let event = record.event
        if Metrics.results.contains(event.event) {
            attempts[event.event.rawValue, default: 0] += 1
            microseconds[event.event.rawValue, default: 0] += event.durationUS ?? 0
        }
        switch event.event {
        case .applied: lastSuccess = Timestamp(microseconds: record.recordedAt).unixSeconds
        // lock_not_available; see PostgreSQL's appendix of error codes.
        case .failed where event.sqlstate == "55P03": lockTimeouts += 1
        case .skipped where event.reason == AuditEvent.lockedByOtherRole: locksOfOthers += 1
        case .orphansDeleted: orphans["deleted", default: 0] += event.rowCount ?? 0
        case .orphansNullified: orphans["nullified", default: 0] += event.rowCount ?? 0
        case .orphansRestored: orphans["restored", default: 0] += event.rowCount ?? 0
        case .anchorGap: journalDropped += event.detail["entries"]?.integer ?? 0
        default: break
        }
    }

    /// The directory was held against the history.
    mutating func stands(_ summary: RunSummary) {
        states = [
            ("applied", summary.appliedCount), ("pending", summary.pendingCount), ("failed", summary.failedCount),
        ]
    }

    /// All of it.
    var text: String {
        var text = MetricsText(database: database)
        text.metric("migrated_migrations", "gauge", "Migrations of the directory by state.")
        for (state, count) in states { text.sample("migrated_migrations", ("state", state), String(count)) }
        text.metric("migrated_attempts_total", "counter", "Attempts that have ended, by result.")
        for result in Metrics.results.map(\.rawValue) {
            text.sample("migrated_attempts_total", ("result", result), String(attempts[result] ?? 0))
        }
        text.metric("migrated_attempt_duration_seconds", "summary", "How long attempts took, by result.")
        for result in Metrics.results.map(\.rawValue) {
            let sum = Metrics.seconds(microseconds[result] ?? 0)
            text.sample("migrated_attempt_duration_seconds_sum", ("result", result), sum)
            text.sample("migrated_attempt_duration_seconds_count", ("result", result), String(attempts[result] ?? 0))
        }
        if let lastSuccess {
            text.metric(
                "migrated_last_success_timestamp_seconds", "gauge",
                "When a migration was last applied, by the server's clock.")
            text.sample("migrated_last_success_timestamp_seconds", nil, String(lastSuccess))
        }
        text.metric("migrated_lock_timeouts_total", "counter", "Attempts that gave up waiting for a lock.")
        text.sample("migrated_lock_timeouts_total", nil, String(lockTimeouts))
        text.metric(
            "migrated_locked_by_other_role_total", "counter",
            "Files that were not run because a role that is none of migrated's held the lock on the database.")
        text.sample("migrated_locked_by_other_role_total", nil, String(locksOfOthers))
        text.metric(
            "migrated_orphan_rows_total", "counter", "Rows that cleanups for foreign keys took out or put back.")
        for action in ["deleted", "nullified", "restored"] {
            text.sample("migrated_orphan_rows_total", ("action", action), String(orphans[action] ?? 0))
        }
        text.metric("migrated_journal_entries_dropped_total", "counter", "Entries that the journal has lost.")
        text.sample("migrated_journal_entries_dropped_total", nil, String(journalDropped))
        return text.text
    }

    private static func seconds(_ microseconds: Int64) -> String {
        let fraction = String(microseconds % 1_000_000)
        return "\(microseconds / 1_000_000).\(String(repeating: "0", count: 6 - fraction.count))\(fraction)"
    }
}
