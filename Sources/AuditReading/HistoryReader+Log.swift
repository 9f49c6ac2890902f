internal import Audit
internal import Postgres

/// A walk over matching events, page by page, so that memory stays flat and no transaction outlives a page.
///
/// Rows are only ever added behind the newest one, so that pages of separate transactions fit together without gap or repetition.
public struct HistoryPages {
    private let reader: HistoryReader
    private let clause: FilterClause
    private let newestFirst: Bool
    private var bounds = FilterClause.Bounds()
    private var remaining: Int?
    private var done = false
    /// Whether each page is turned round: for the newest few in the order in which they happened.
    var turned = false

    /// Rows of one page.
    public static let size = 2000

    init(_ reader: HistoryReader, _ filter: HistoryFilter, newestFirst: Bool, limit: Int?, after: Int64?) {
        self.reader = reader
        clause = FilterClause(filter)
        self.newestFirst = newestFirst
        remaining = limit
        bounds.after = after
    }

    /// The next page, in the order asked for; nil after the last.
    public mutating func next() throws(HistoryError) -> [HistoryRow]? {
        let size = min(HistoryPages.size, remaining ?? HistoryPages.size)
        guard !done, size > 0 else { return nil }
        let statement = clause.select(
            HistoryReader.columns, from: reader.table, bounds: bounds, newestFirst: newestFirst, limit: size)
        let reader = reader
        let page = try reader.reading(statementTimeout: StatementTimeout.page) { () throws(PostgresError) in
            try reader.rows(statement)
        }
        done = page.count < size
        remaining = remaining.map { $0 - page.count }
        guard let last = page.last else { return nil }
        if newestFirst { bounds.before = last.seq } else { bounds.after = last.seq }
        return turned ? page.reversed() : page
    }
}

extension HistoryReader {
    /// The events that match, oldest first or newest first; with a limit, the newest that many.
    public func log(
        _ filter: HistoryFilter, limit: Int? = nil, newestFirst: Bool = false
    ) throws(HistoryError) -> HistoryPages {
        guard let limit, !newestFirst else {
            return HistoryPages(self, filter, newestFirst: newestFirst, limit: limit, after: nil)
        }
        if limit <= HistoryPages.size {
            var pages = HistoryPages(self, filter, newestFirst: true, limit: limit, after: nil)
            pages.turned = true
            return pages
        }
        // The newest `limit`, told from their oldest on: find where they begin, then walk forward.
        let first = try position(filter, fromNewest: limit)
        return HistoryPages(self, filter, newestFirst: false, limit: limit, after: first.map { $0 - 1 })
    }

    /// The events that match and stand behind position `seq`, oldest first.
    public func log(_ filter: HistoryFilter, after seq: Int64) -> HistoryPages {
        HistoryPages(self, filter, newestFirst: false, limit: nil, after: seq)
    }

    /// The seq of the match that has `count - 1` newer ones; nil where there are fewer.
    func position(_ filter: HistoryFilter, fromNewest count: Int) throws(HistoryError) -> Int64? {
        guard count > 0 else { return nil }
        let statement = FilterClause(filter).select(
            "a.seq", from: table, bounds: .init(), newestFirst: true, limit: 1, skipping: count - 1)
        return try reading(statementTimeout: StatementTimeout.page) { () throws(PostgresError) in
            let found = try connection.query(statement.sql, statement.parameters)
            return found.rows.isEmpty ? nil : found.integer(0, 0)
        }
    }

    /// The seq of the newest event; 0 before the first.
    public func newestSeq() throws(HistoryError) -> Int64 {
        try reading(statementTimeout: StatementTimeout.short) { () throws(PostgresError) in
            try connection.query("SELECT pg_catalog.max(a.seq) FROM \(table) AS a").integer(0, 0) ?? 0
        }
    }

    /// The event at position `seq`.
    public func event(_ seq: Int64) throws(HistoryError) -> HistoryRow? {
        try reading(statementTimeout: StatementTimeout.short) { () throws(PostgresError) in
            try rows(
                ("SELECT \(HistoryReader.columns) FROM \(table) AS a WHERE a.seq = $1::bigint", [.integer(seq)])
            ).first
        }
    }

    /// Starts to be notified of new events on the session's socket; false where the server cannot, as on a standby.
    public func listen() throws(HistoryError) -> Bool {
        do {
            try connection.run("LISTEN migrated_audit")
            return true
        } catch .server(let error) where error.sqlstate == "25006" || error.sqlstate == "0A000" {
            return false
        } catch {
            throw HistoryError(error, schema: schema, database: connection.database)
        }
    }
}

extension HistoryReader {
    /// Waits until the server tells of a new event; one that came during an earlier question counts. Throws once the session is gone.
    public func waitForNotification() throws(HistoryError) {
        let waiter = BlockingWaiter()
        while connection.notifications().isEmpty {
            let alive = waiter.wait(for: connection.descriptor, .read) && connection.consumeInput()
            // The question fails with the server's or libpq's own words for what happened.
            if !alive { _ = try newestSeq() }
        }
    }
}
