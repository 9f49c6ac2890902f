internal import Audit
public import JSON
internal import Postgres
public import Reporting

/// How often one kind of event happened, on one day or in all, and how long it took.
public struct EventStatistics: Sendable, Equatable {
    /// The keys of its JSON form, in order.
    public static let columns = ["day", "event", "count", "p50_us", "p95_us", "max_us"]

    /// The moment at which the day begins; nil for all days together.
    public var day: Timestamp?
    /// The word in the column `event`.
    public var event: String
    public var count: Int64
    /// Durations that half, and 95 of a hundred, do not exceed, and the longest, in microseconds; nil where none has one.
    public var median: Int64?
    public var p95: Int64?
    public var longest: Int64?

    /// The values in the order of `columns`, with the day as `name` writes it; nil for null.
    public func fields(_ name: (Timestamp) -> String) -> [String?] {
        [day.map(name), event, String(count), median.map { "\($0)" }, p95.map { "\($0)" }, longest.map { "\($0)" }]
    }

    /// An object with the keys of `columns`.
    public func json(_ name: (Timestamp) -> String) -> JSONValue {
        [
            "day": JSONValue(day.map(name)), "event": .string(event), "count": .integer(count),
            "p50_us": JSONValue(median), "p95_us": JSONValue(p95), "max_us": JSONValue(longest),
        ]
    }
}

extension HistoryReader {
    /// The first and the last moment among the events that match; nil where there is none.
    public func extent(_ filter: HistoryFilter) throws(HistoryError) -> (first: Timestamp, last: Timestamp)? {
        let clause = FilterClause(filter, plain: true)
        return try reading(statementTimeout: 0) { () throws(PostgresError) in
            let found = try connection.query(
                "SELECT pg_catalog.min(a.recorded_at), pg_catalog.max(a.recorded_at) FROM \(matching(clause)) "
                    + "WHERE pg_catalog.isfinite(a.recorded_at)", binary: true)
            guard let first = found.rows.first?[0], let last = found.rows.first?[1] else { return nil }
            return (
                Timestamp(microseconds: CanonicalForm.integer(first)),
                Timestamp(microseconds: CanonicalForm.integer(last))
            )
        }
    }

    /// Counts and durations by kind of event, for each day and in all. The server counts; what comes here is small.
    ///
    /// - Parameter days: the moments at which days begin, ascending; an event before the first belongs to no day.
    public func statistics(
        _ filter: HistoryFilter, days: [Timestamp]
    ) throws(HistoryError) -> [EventStatistics] {
        let clause = FilterClause(filter, plain: true)
        let array = "{" + days.map { "\"\($0)\"" }.joined(separator: ",") + "}"
        return try reading(statementTimeout: 0) { () throws(PostgresError) in
            let found = try connection.query(
                """
                SELECT pg_catalog.width_bucket(a.recorded_at, $1::timestamptz[]), a.event, pg_catalog.count(*),
                       pg_catalog.percentile_disc(0.5) WITHIN GROUP (ORDER BY a.duration_us),
                       pg_catalog.percentile_disc(0.95) WITHIN GROUP (ORDER BY a.duration_us), pg_catalog.max(a.duration_us)
                  FROM \(matching(clause))
                 GROUP BY GROUPING SETS ((1, 2), (2)) ORDER BY 1 NULLS LAST, 2
                """, [.text(array)])
            return found.rows.indices.map { row in
                let bucket = found.integer(row, 0).map { Int($0) }
                return EventStatistics(
                    day: bucket.flatMap { days.indices.contains($0 - 1) ? days[$0 - 1] : nil },
                    event: found.text(row, 1) ?? "?", count: found.integer(row, 2) ?? 0, median: found.integer(row, 3),
                    p95: found.integer(row, 4), longest: found.integer(row, 5))
            }
        }
    }

    /// The matching events as an item of FROM, called `a`.
    private func matching(_ clause: FilterClause) -> String {
        let either = clause.alternatives.map { $0.isEmpty ? "true" : $0.joined(separator: " AND ") }
        return "(SELECT a.recorded_at, a.event, a.duration_us FROM \(table) AS a WHERE "
            + either.map { "(\($0))" }.joined(separator: " OR ") + ") AS a"
    }
}
