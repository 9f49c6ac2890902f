internal import Audit
internal import ForeignKeys
internal import JSON
internal import Postgres
public import Reporting

/// What one cleanup of orphans took out.
struct KeptCleanup {
    /// The text of the id of the event that counts the rows.
    var event: String
    /// How many it counts.
    var rows: Int64
    /// The digest over them; nil in events of before version 11 of the history's schema.
    var root: String?
    /// Where the rows stood; nil where that was not kept.
    var place: KeptPlace?
}

/// Puts back what cleanups of orphans took out, as far as that is still possible, inside a transaction that its caller has open.
struct Restoration {
    let schema: String
    let reporter: Reporter

    /// The caller's session.
    let connection: Connection
    /// A session of the history's login, in which the rows are held against their events while the caller's brings them back: that takes as long.
    let checking: Connection

    /// Lets a session work under the caller's limits.
    typealias Guarded<Refusal: Error> = (
        Connection, (Connection) throws(PostgresError) -> [QueryResult]
    ) throws(Refusal) -> [QueryResult]

    /// Restores all that `attempts` took out; one event for each cleanup, with what could not come back and why.
    ///
    /// Throws where kept rows are not those of their event. What came back of them is the transaction's, and goes with it.
    func run<Refusal: Error>(
        _ attempts: [String], _ cleanups: [String: [KeptCleanup]], event template: AuditEvent,
        _ guarded: Guarded<Refusal>
    ) throws(Refusal) -> [AuditEvent] {
        func ask(_ sql: String, _ parameters: [Parameter?]) throws(Refusal) -> QueryResult {
            try guarded(connection) { (connection) throws(PostgresError) in [try connection.query(sql, parameters)] }[0]
        }
        let sql = RestoreSQL(quotedHistory: schema)
        var events: [AuditEvent] = []
        guard !attempts.isEmpty else { return [] }
        _ = try ask(CleanupSettings.set, [])
        // Compiling takes longer than the few long statements.
        _ = try ask("SET LOCAL jit = off", [])
        _ = try ask(RestoreSQL.setPath, [])
        for attempt in attempts {
            let cleanups = cleanups[attempt] ?? []
            let pending = try ask(sql.pending, [.text("{\(cleanups.map(\.event).joined(separator: ","))}")])
            let open = pending.rows.indices.map { row in
                let id = pending.text(row, 0) ?? ""
                let cleanup = cleanups.first { $0.event == id }
                return RestoreSQL.Event(
                    id: id, restoration: UUID().description, rows: cleanup?.rows ?? 0, place: cleanup?.place)
            }
            guard !open.isEmpty else { continue }
            let requirement = RowsDigest.requirement(
                schema, cleanups.filter { cleanup in open.contains { $0.id == cleanup.event } })
            _ = try guarded(checking) { (checking) throws(PostgresError) in
                try checking.begin(requirement)
                return []
            }
            FailPoint.keyStep.pass()
            _ = try ask(sql.restore(open), [])
            _ = try guarded(checking) { (checking) throws(PostgresError) in try checking.finish() }
            FailPoint.keyStep.pass()
            for (row, restored) in open.enumerated() {
                var event = template
                event.eventID = UUID(restored.restoration) ?? UUID()
                event.event = .orphansRestored
                event.object =
                    "\(pending.text(row, 1) ?? "").\(pending.text(row, 2) ?? "").\(columns(pending.text(row, 3)))"
                fill(&event, try ask(sql.outcomes, [.text(restored.restoration)]), original: restored.id)
                event.detail["digest"] = RowsDigest.told(
                    by: try ask(RowsDigest.question(schema), [.text(restored.restoration)]))
                events.append(event)
            }
        }
        return events
    }

    /// How many rows came back, and what became of the others, by the answer to `RestoreSQL.outcomes`.
    static func count(_ outcomes: QueryResult) -> (restored: Int64, left: [String: JSONValue]) {
        var restored: Int64 = 0
        var left: [String: JSONValue] = [:]
        for row in outcomes.rows.indices {
            let outcome = outcomes.text(row, 0) ?? ""
            let count = outcomes.integer(row, 1) ?? 0
            if outcome == "restored" {
                restored = count
            } else {
                left[outcome] = ["count": .integer(count), "example": JSONValue(outcomes.text(row, 2))]
            }
        }
        return (restored, left)
    }

    private func fill(_ event: inout AuditEvent, _ outcomes: QueryResult, original: String) {
        let (restored, left) = Restoration.count(outcomes)
        event.rowCount = restored
        event.detail = ["cleanup_event": .string(original)]
        guard !left.isEmpty else { return }
        event.reason = "partly"
        event.detail["not_restored"] = .object(left)
        if let words = Restoration.leftBehind(event.detail) {
            reporter.say(4, "\(event.name ?? ""): rows of \(event.object ?? "") that could not come back: \(words)")
        }
    }

    /// How many rows could not come back and why, in words; nil where all could.
    static func leftBehind(_ detail: [String: JSONValue]) -> String? {
        guard case .object(let left)? = detail["not_restored"] else { return nil }
        return left.sorted { $0.key < $1.key }.map { outcome, found in
            "\(found["count"]?.integer ?? 0) \(outcome)" + (found["example"]?.string.map { " (\($0))" } ?? "")
        }.joined(separator: ", ")
    }

    /// PostgreSQL's text of a text[] without its braces.
    private func columns(_ text: String?) -> String { text.map { String($0.dropFirst().dropLast()) } ?? "" }
}

extension History {
    /// The attempts at a version that took rows out.
    func cleanupAttempts(version: String) throws(RunFailure) -> [String] {
        let result = try store.sessions.query(
            store.sessions.books(),
            """
            SELECT attempt_id::text FROM \(store.schema).migration_rollback_audit
             WHERE version = $1 AND event IN ('orphans_deleted', 'orphans_nullified') GROUP BY attempt_id ORDER BY max(seq) DESC
            """, [try store.sessions.written(name: version)])
        return result.rows.indices.compactMap { result.text($0, 0) }
    }

    /// The cleanups of attempts, by the attempt's id.
    func cleanups(of attempts: [String]) throws(RunFailure) -> [String: [KeptCleanup]] {
        let result = try store.sessions.query(
            store.sessions.lock(),
            """
            SELECT attempt_id::text, event_id::text, detail, row_count FROM \(store.schema).migration_rollback_audit
             WHERE attempt_id = ANY ($1::uuid[]) AND event IN ('orphans_deleted', 'orphans_nullified') ORDER BY seq
            """, [.text("{\(attempts.joined(separator: ","))}")])
        return Dictionary(grouping: result.rows.indices) { result.text($0, 0) ?? "" }.mapValues { rows in
            rows.map {
                let detail = History.json(result.rows[$0][2])
                return KeptCleanup(
                    event: result.text($0, 1) ?? "", rows: result.integer($0, 3) ?? 0,
                    root: detail["digest"]?["root"]?.string, place: KeptPlace(detail["kept"]))
            }
        }
    }

    /// The version and name of an attempt that took rows out; nil where there is none with that id.
    func cleanup(attempt: UUID) throws(RunFailure) -> (version: String?, name: String?, checksum: String?)? {
        let result = try store.sessions.query(
            store.sessions.books(),
            """
            SELECT version, name, checksum FROM \(store.schema).migration_rollback_audit
             WHERE attempt_id = $1::uuid AND event IN ('orphans_deleted', 'orphans_nullified') LIMIT 1
            """, [.text(attempt.description)])
        return result.rows.isEmpty ? nil : (result.text(0, 0), result.text(0, 1), result.text(0, 2))
    }
}

extension Engine {
    /// Puts back what the cleanups of one attempt took out, in a transaction of its own. Returns the events that record it.
    ///
    /// `name` is the attempt's id, as `auditctl show` prints it.
    public func restoreOrphans(attempt name: String, lockPatience: TimeSpan) throws(RunFailure) -> [String] {
        guard let attempt = UUID(name) else {
            throw .complaint(
                Complaint(.usage, "'\(name)' is not the id of an attempt", hint: "See 'auditctl orphans' for them."))
        }
        try prepareHistory()
        return try withLock(patience: lockPatience) { () throws(RunFailure) in
            try recover()
            guard let found = try history.cleanup(attempt: attempt) else {
                throw .complaint(
                    Complaint(.failed, "attempt '\(name)' has taken no rows out", hint: "See 'auditctl orphans'."))
            }
            let connection = try sessions.work()
            var template = AuditEvent(.orphansRestored, by: try actor())
            template.attemptID = attempt
            template.version = found.version
            template.name = found.name
            template.checksum = found.checksum
            let token = OneTimeToken()
            try store.announce(token, from: connection.sessionPID)
            try sessions.run(
                connection,
                "BEGIN; SET LOCAL synchronous_commit = on; SET LOCAL lock_timeout = '30s'; SET LOCAL statement_timeout = 0; SET LOCAL search_path TO DEFAULT"
            )
            do throws(RunFailure) {
                let cleanups = try history.cleanups(of: [attempt.description])
                let restoration = Restoration(
                    schema: store.schema, reporter: reporter, connection: connection, checking: try sessions.another())
                let events = try restoration.run([attempt.description], cleanups, event: template) {
                    (connection, work) throws(RunFailure) in
                    sessions.waiter.begin(.statements(until: nil), cancellation: connection.cancellation())
                    do throws(PostgresError) {
                        return try work(connection)
                    } catch {
                        throw sessions.failure(error)
                    }
                }
                let records = try store.commit(
                    connection, events, behind: try sessions.run(connection, store.headQuery),
                    permit: AuditStore.Permit(token: token, holder: sessions.lock().sessionPID))
                reporter.report(records)
                return records.map { record in
                    let left = Restoration.leftBehind(record.event.detail)
                    return record.sentence + (left.map { "; could not come back: \($0)" } ?? "")
                }
            } catch {
                sessions.dropWork()
                throw error
            }
        }
    }
}
