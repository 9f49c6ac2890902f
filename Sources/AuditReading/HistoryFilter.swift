public import Audit
internal import Postgres
public import Reporting

/// Which events are asked for. What is set must hold all together; several kinds of event are alternatives.
public struct HistoryFilter: Sendable, Equatable {
    /// Not recorded before this moment.
    public var since: Timestamp?
    /// Not recorded after this moment.
    public var until: Timestamp?
    /// One of these kinds; empty for any.
    public var events: [EventKind] = []
    /// Version or whole name of a migration.
    public var migration: String?
    /// The attempt that the event belongs to.
    public var attempt: UUID?
    /// The stable word.
    public var reason: String?
    /// The host that wrote it.
    public var host: String?
    /// Who caused it: the whole of `initiated_by`, or its first word; `migrated` also finds `migrated.service` and `migrated@app.service`.
    public var by: String?
    /// The object it is about, or one that contains it: `public.orders` also finds `public.orders.user_id`.
    public var object: String?
    /// A regular expression of PostgreSQL over version, name, object, reason, message and detail; all lower case means: ignore case.
    public var grep: String?

    /// A filter that lets everything through.
    public init() {}

    /// The kinds of event that tell of a failure.
    public static let failures: [EventKind] = [.failed, .rollbackFailed, .interrupted]
}

/// A filter as SQL: alternatives that exclude each other, each of which one index of the table serves in the order of `seq`.
struct FilterClause {
    private(set) var parameters: [Parameter?] = []
    /// Conditions of each alternative, joined by AND.
    private(set) var alternatives: [[String]] = []
    /// Whether values stand in the text, quoted, because the statement takes no parameters, as COPY does not.
    private let isPlain: Bool

    init(_ filter: HistoryFilter, plain: Bool = false) {
        isPlain = plain
        var common: [String] = []
        if let since = filter.since { common.append("a.recorded_at >= \(bind(since.description))::timestamptz") }
        if let until = filter.until { common.append("a.recorded_at <= \(bind(until.description))::timestamptz") }
        if let reason = filter.reason { common.append("a.reason = \(bind(reason))::text") }
        if let host = filter.host { common.append("a.host = \(bind(host))::text") }
        if let attempt = filter.attempt { common.append("a.attempt_id = \(bind(attempt.description))::uuid") }
        if let by = filter.by {
            let who = bind(by)
            common.append(
                "(pg_catalog.starts_with(a.initiated_by, \(who)::text) "
                    + "AND pg_catalog.substr(a.initiated_by, pg_catalog.length(\(who)::text) + 1) !~ "
                    + "'^([[:alnum:]_-]|[.](?!service))')")
        }
        if let object = filter.object {
            let name = bind(object)
            common.append("(a.object = \(name)::text OR pg_catalog.starts_with(a.object, \(name)::text || '.'))")
        }
        if let grep = filter.grep {
            let match = grep.contains(where: \.isUppercase) ? "~" : "~*"
            common.append(
                "pg_catalog.concat_ws(' ', a.version, a.name, a.object, a.reason, a.message, a.detail) "
                    + "\(match) \(bind(grep))::text")
        }
        // The most selective condition decides how the alternatives are cut; kinds of event are cut by only where nothing else is given.
        let events = Set(filter.events.map(\.rawValue)).sorted()
        if filter.migration != nil || filter.attempt != nil, !events.isEmpty {
            common.append("a.event IN (\(events.map { "\(bind($0))::text" }.joined(separator: ", ")))")
        }
        if let migration = filter.migration {
            let which = bind(migration)
            alternatives = [
                common + ["a.version = \(which)::text"],
                common + ["a.name = \(which)::text", "a.version IS DISTINCT FROM \(which)::text"],
            ]
        } else if filter.attempt != nil || events.isEmpty {
            alternatives = [common]
        } else {
            alternatives = events.map { common + ["a.event = \(bind($0))::text"] }
        }
    }

    private mutating func bind(_ value: String) -> String {
        if isPlain { return Quoting.literal(value) }
        parameters.append(.text(value))
        return "$\(parameters.count)"
    }

    /// The statement that reads `columns` of the matching rows of `table` within `bounds`, in the order of `seq`.
    ///
    /// `skipping` leaves out that many rows first. Each alternative is cut to the limit by itself, so that none reads more than its share.
    func select(
        _ columns: String, from table: String, bounds: Bounds, newestFirst: Bool, limit: Int, skipping: Int = 0
    ) -> (sql: String, parameters: [Parameter?]) {
        var parameters = parameters
        var extra: [String] = []
        if let after = bounds.after {
            parameters.append(.integer(after))
            extra.append("a.seq > $\(parameters.count)::bigint")
        }
        if let before = bounds.before {
            parameters.append(.integer(before))
            extra.append("a.seq < $\(parameters.count)::bigint")
        }
        parameters.append(.integer(limit + skipping))
        let most = "$\(parameters.count)::bigint"
        let order = "ORDER BY a.seq \(newestFirst ? "DESC" : "ASC")"
        let parts = alternatives.map { conditions in
            let all = conditions + extra
            let condition = all.isEmpty ? "" : " WHERE " + all.joined(separator: " AND ")
            return "(SELECT \(columns) FROM \(table) AS a\(condition) \(order) LIMIT \(most))"
        }
        if parts.count == 1, skipping == 0 { return (String(parts[0].dropFirst().dropLast()), parameters) }
        parameters.append(.integer(limit))
        let few = "$\(parameters.count)::bigint"
        parameters.append(.integer(skipping))
        let skipped = "$\(parameters.count)::bigint"
        return (
            "SELECT * FROM (\(parts.joined(separator: " UNION ALL "))) AS a \(order) LIMIT \(few) OFFSET \(skipped)",
            parameters
        )
    }

    /// A query for COPY, without parameters: `columns` of all matching rows of `table` within `bounds`, in the order of `seq`.
    ///
    /// - Precondition: the clause is plain.
    func copy(_ columns: String, from table: String, bounds: Bounds, newestFirst: Bool, limit: Int?) -> String {
        precondition(isPlain, "COPY takes no parameters")
        let extra = [bounds.after.map { "a.seq > \($0)" }, bounds.before.map { "a.seq < \($0)" }].compactMap(\.self)
        let order = "ORDER BY a.seq \(newestFirst ? "DESC" : "ASC")" + (limit.map { " LIMIT \($0)" } ?? "")
        let parts = alternatives.map { conditions in
            let all = conditions + extra
            let condition = all.isEmpty ? "" : " WHERE " + all.joined(separator: " AND ")
            return "(SELECT \(columns) FROM \(table) AS a\(condition) \(order))"
        }
        return parts.count == 1
            ? parts[0] : "(SELECT * FROM (\(parts.joined(separator: " UNION ALL "))) AS a \(order))"
    }

    /// Which part of the chain, both ends excluded.
    struct Bounds {
        var after: Int64?
        var before: Int64?
    }
}
