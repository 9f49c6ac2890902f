internal import Audit
internal import JSON
internal import Migrations
internal import Postgres
internal import Reporting

/// What the runner asks of the history, always on the primary and, where it decides, under the lock.
struct History {
    let store: AuditStore
    private var sessions: Sessions { store.sessions }
    private var table: String { "\(store.schema).migration_rollback_audit" }

    init(_ store: AuditStore) { self.store = store }

    /// How things stand, as the history tells it.
    struct Standing {
        /// The newest event. It was asked for first: as long as there is no newer one, the rest stays as it is.
        var seq: Int64
        /// The newest state of every migration that was ever met.
        var states: [VersionState]
        /// Attempts that have started and not ended.
        var openAttempts: [OpenAttempt]
    }

    /// All of that, in one message; where nothing was recorded since `last`, no more than that is asked.
    func standing(since last: Standing?) throws(RunFailure) -> Standing {
        let head = "SELECT h.seq FROM \(store.schema).audit_head AS h"
        func seq(_ result: QueryResult) -> Int64 { result.rows.isEmpty ? 0 : result.integer(0, 0) ?? 0 }
        if let last, seq(try sessions.query(sessions.books(), head)) == last.seq { return last }
        let steps = [head, statesQuery, openAttemptsQuery, store.foreignRightsQuery].map { Connection.Step($0) }
        let results = try sessions.pipeline(sessions.books(), steps)
        try store.refuseForeignRights(results[3])
        return Standing(
            seq: seq(results[0]), states: try withParts(states(results[1])), openAttempts: openAttempts(results[2]))
    }

    private var statesQuery: String {
        "SELECT version, name, status, checksum, repeatable, event FROM \(store.schema).migration_status"
    }

    /// The newest state of every migration that was ever met.
    ///
    /// A history that others may write is refused, so that nothing is decided by what it says.
    func states() throws(RunFailure) -> [VersionState] {
        let connection = try sessions.books()
        // A history that an older program has set up is checked when it is upgraded.
        let looks = try sessions.query(
            connection, "SELECT h.schema_version >= \(AuditStore.rightsVersion) FROM \(store.schema).audit_head AS h")
        if !looks.rows.isEmpty, looks.isTrue(0, 0) {
            try store.refuseForeignRights(try sessions.query(connection, store.foreignRightsQuery))
        }
        return try withParts(states(try sessions.query(connection, statesQuery)))
    }

    /// The same with what is committed of unfinished ones.
    private func withParts(_ states: [VersionState]) throws(RunFailure) -> [VersionState] {
        let unfinished: Set<VersionState.Status> = [.failed, .interrupted, .started, .retryRequested]
        let parts = try committedParts(of: states.filter { unfinished.contains($0.status) }.map(\.version))
        guard !parts.isEmpty else { return states }
        return states.map { state in
            var state = state
            state.committed = parts[state.version] ?? []
            return state
        }
    }

    private func states(_ result: QueryResult) -> [VersionState] {
        result.rows.indices.compactMap { row in
            guard let version = name(result, row, 0), let status = result.text(row, 2) else { return nil }
            // An operator who marks a failed one as rolled back wants it tried again; what a rollback undid stays undone.
            let again = status == "rolled_back" && result.text(row, 5) == "resolved"
            return VersionState(
                version: version, name: name(result, row, 1) ?? version, checksum: result.text(row, 3),
                status: again ? .retryRequested : VersionState.Status(rawValue: status) ?? .skipped,
                repeatable: result.isTrue(row, 4))
        }
    }

    /// A version or a name, as the directory has it.
    private func name(_ result: QueryResult, _ row: Int, _ column: Int) -> String? {
        result.text(row, column).map(sessions.name(fromWritten:))
    }

    /// An attempt that has started and not ended.
    struct OpenAttempt {
        var attemptID: UUID
        var version: String?
        var name: String?
        var checksum: String?
        var direction: AuditEvent.Direction?
        var detail: JSONValue
    }

    private var openAttemptsQuery: String {
        """
        SELECT s.attempt_id, s.version, s.name, s.checksum, s.direction, s.detail
          FROM (SELECT * FROM \(table) WHERE event = 'started' ORDER BY seq DESC LIMIT 64) AS s
         WHERE NOT EXISTS (SELECT FROM \(table) AS e WHERE e.attempt_id = s.attempt_id
                              AND e.event IN ('applied', 'failed', 'interrupted', 'rolled_back', 'rollback_failed'))
         ORDER BY s.seq
        """
    }

    /// Attempts without an end. Attempts end one after the other under the lock, so that only the newest can be open.
    func openAttempts() throws(RunFailure) -> [OpenAttempt] {
        openAttempts(try sessions.query(sessions.books(), openAttemptsQuery))
    }

    private func openAttempts(_ result: QueryResult) -> [OpenAttempt] {
        result.rows.indices.compactMap { row in
            guard let attempt = result.text(row, 0).flatMap({ UUID($0) }) else { return nil }
            return OpenAttempt(
                attemptID: attempt, version: name(result, row, 1), name: name(result, row, 2),
                checksum: result.text(row, 3),
                direction: result.text(row, 4).flatMap(AuditEvent.Direction.init),
                detail: History.json(result.rows[row][5]))
        }
    }

    /// What unfinished series of attempts have committed, by version and in order.
    func committedParts(
        of versions: [String], _ direction: AuditEvent.Direction = .up
    ) throws(RunFailure) -> [String: [CommittedPart]] {
        guard !versions.isEmpty else { return [:] }
        let result = try sessions.query(
            sessions.books(),
            """
            SELECT a.version, a.detail FROM \(table) AS a
             WHERE a.event = 'statement_applied' AND a.direction = $1
               AND a.version IN (\(try written(versions)))
               AND a.seq > coalesce((SELECT max(seq) FROM \(table) WHERE version = a.version AND \(History.endsSeries)), 0)
             ORDER BY a.seq
            """, [.text(direction.rawValue)])
        var parts: [String: [CommittedPart]] = [:]
        for row in result.rows.indices {
            let detail = History.json(result.rows[row][1])
            let part = CommittedPart(
                bytes: detail["sha256"]?.string ?? "", lexemes: detail["lexemes"]?.string,
                statements: detail["statements"]?.integer.flatMap { Int(exactly: $0) } ?? 0)
            parts[sessions.name(fromWritten: result.text(row, 0) ?? ""), default: []].append(part)
        }
        return parts
    }

    /// Versions as the history has them, as a list of literals.
    private func written(_ versions: [String]) throws(RunFailure) -> String {
        let repertoire = try sessions.repertoire(for: versions)
        return versions.map { Quoting.literal(repertoire.written(name: $0)) }.joined(separator: ", ")
    }

    /// Which events of a version end a series of attempts, so that the parts that it has committed say nothing about the next one.
    private static let endsSeries = """
        (event IN ('applied', 'rolled_back', 'adopted')
         OR event = 'resolved' AND (reason IS DISTINCT FROM 'retry' OR detail LIKE '%"from_start":true%'))
        """

    /// Whether the newest attempt at `version` was cut off, so that a statement without a transaction may have run without a record. An
    /// operator's decision ends the doubt.
    func isInDoubt(version: String, _ direction: AuditEvent.Direction) throws(RunFailure) -> Bool {
        let result = try sessions.query(
            sessions.lock(),
            """
            SELECT event = 'interrupted' AND reason IS DISTINCT FROM 'read_only' OR coalesce(reason IN ('connection_lost', 'lock_lost', 'outcome_unknown'), false) FROM \(table)
             WHERE version = $1 AND (direction = $2 OR event = 'resolved')
               AND event IN ('applied', 'failed', 'interrupted', 'rolled_back', 'rollback_failed', 'adopted', 'resolved')
             ORDER BY seq DESC LIMIT 1
            """, [try sessions.written(name: version), .text(direction.rawValue)])
        return !result.rows.isEmpty && result.isTrue(0, 0)
    }

    /// The transaction of the last record before the statement that is in doubt: of the newest segment that is known to be done, else of the
    /// first begin of the attempts under way. What is newer was made since.
    func transactionBeforeDoubt(version: String, _ direction: AuditEvent.Direction) throws(RunFailure) -> String {
        let result = try sessions.query(
            sessions.lock(),
            """
            SELECT xmin::text FROM \(table)
             WHERE event IN ('started', 'statement_applied') AND version = $1 AND direction = $2
               AND seq > coalesce((SELECT max(seq) FROM \(table) WHERE version = $1 AND \(History.endsSeries)), 0)
             ORDER BY event = 'statement_applied' DESC, CASE event WHEN 'started' THEN seq ELSE -seq END LIMIT 1
            """, [try sessions.written(name: version), .text(direction.rawValue)])
        // An attempt that is in doubt has started.
        guard let found = result.text(0, 0) else {
            throw .lost(.lost(.protocolViolation("an attempt was cut off that has not begun")))
        }
        return found
    }

    /// How many attempts at that text in a row, up to now, were cut off by the loss of a session.
    func interruptions(version: String, checksum: String) throws(RunFailure) -> Int {
        let result = try sessions.query(
            sessions.books(),
            """
            SELECT count(*) FROM \(table)
             WHERE event = 'interrupted' AND reason IN ('connection_lost', 'lock_lost') AND version = $1 AND checksum = $2
               AND seq > coalesce((SELECT max(seq) FROM \(table) WHERE version = $1
                                      AND event IN ('applied', 'failed', 'rolled_back', 'adopted', 'resolved')), 0)
            """, [try sessions.written(name: version), .text(checksum)])
        return Int(result.integer(0, 0) ?? 0)
    }

    /// Applied versions, the one applied last first; those that run again with each change are not among them.
    func appliedInReverse() throws(RunFailure) -> [(version: String, name: String)] {
        let result = try sessions.query(
            sessions.books(),
            "SELECT version, name FROM \(store.schema).migration_status WHERE status = 'applied' AND NOT repeatable ORDER BY seq DESC"
        )
        return result.rows.indices.map { (name(result, $0, 0) ?? "", name(result, $0, 1) ?? "") }
    }

    /// The invalid indexes that stood before the first of the attempts that are under way at `version`, by their names.
    func invalidIndexesBefore(version: String) throws(RunFailure) -> Set<String>? {
        let result = try sessions.query(
            sessions.lock(),
            """
            SELECT detail FROM \(table)
             WHERE event = 'started' AND version = $1 AND detail LIKE '%"invalid_indexes":%'
               AND seq > coalesce((SELECT max(seq) FROM \(table) WHERE version = $1
                                      AND event IN ('applied', 'rolled_back', 'adopted')), 0)
             ORDER BY seq LIMIT 1
            """, [try sessions.written(name: version)])
        guard let found = result.rows.first.map({ History.json($0[0]) })?["invalid_indexes"]?.array else { return nil }
        return Set(found.compactMap(\.string))
    }

    /// A skip as it was told: what, which text of it, and why.
    struct Skip: Hashable {
        var name: String
        var checksum: String?
        var reason: String
    }

    /// Every skip that was recorded, so that each is told once.
    func skips(event: EventKind = .skipped) throws(RunFailure) -> Set<Skip> {
        let result = try sessions.query(
            sessions.books(), "SELECT DISTINCT name, checksum, reason FROM \(table) WHERE event = $1",
            [.text(event.rawValue)])
        return Set(
            result.rows.indices.map { row in
                Skip(name: name(result, row, 0) ?? "", checksum: result.text(row, 1), reason: result.text(row, 2) ?? "")
            })
    }

    /// The seq of the event with that id; nil where it was not committed.
    func seq(of event: UUID) throws(RunFailure) -> Int64? {
        let result = try sessions.query(
            sessions.books(), "SELECT seq FROM \(table) WHERE event_id = $1::uuid", [.text(event.description)])
        return result.rows.isEmpty ? nil : result.integer(0, 0)
    }

    /// Whether the transaction with that id is still open somewhere: its session may outlive our connection to it.
    func isInProgress(transaction: String) throws(RunFailure) -> Bool {
        let result = try sessions.query(
            sessions.books(), "SELECT pg_catalog.pg_xact_status($1::text::pg_catalog.xid8) = 'in progress'",
            [.text(transaction)])
        return result.isTrue(0, 0)
    }

    static func json(_ cell: [UInt8]?) -> JSONValue {
        guard let cell, let tape = try? JSONTape(cell) else { return .null }
        return tape.value(tape.root)
    }
}
