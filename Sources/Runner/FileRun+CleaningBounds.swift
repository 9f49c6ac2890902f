internal import Audit
internal import Configuration
internal import ForeignKeys
internal import JSON
internal import Postgres
internal import Reporting
internal import SQLParsing
internal import Systemd

/// The bounds of a cleanup, the proof of its way back, and why one is refused.
extension FileRun {
    func checkLimit(
        _ cleaned: [Cleaned], _ policy: ForeignKeyPolicy, _ key: ForeignKeyStatement, _ attempt: inout Attempt,
        _ connection: Connection, _ limit: Instant?
    ) throws(Stop) {
        let all = rows(cleaned)
        let tables = Dictionary(grouping: cleaned, by: \.table).sorted { $0.key < $1.key }
        switch policy.limit {
        case .rows(let most):
            guard all > most, let largest = tables.max(by: { rows($0.value) < rows($1.value) }) else { return }
            throw .failure(tooMany(rows(largest.value), of: 0, largest.key, total: all, key, attempt))
        case .share(let percent):
            guard percent < 100 else { return }
            for (table, parts) in tables {
                guard let size = parts.first?.size else { continue }
                let deleted = rows(parts.filter { $0.event.event == .orphansDeleted })
                let total =
                    try self.size(size, rows(parts), deleted, policy, key, &attempt, connection, limit) + deleted
                guard !policy.limit.allows(rows(parts), of: total) else { continue }
                throw .failure(tooMany(rows(parts), of: total, table, total: all, key, attempt))
            }
        }
    }

    /// How many rows a table has now, or at least enough of them for the limit to allow that `touched` ones were changed and `deleted` ones are gone.
    func size(
        _ size: TableSize, _ touched: Int64, _ deleted: Int64, _ policy: ForeignKeyPolicy, _ key: ForeignKeyStatement,
        _ attempt: inout Attempt, _ connection: Connection, _ limit: Instant?
    ) throws(Stop) -> Int64 {
        if let enough = policy.limit.enough(for: touched) {
            let found =
                try ask(
                    &attempt, connection, at: key, limit, size.atLeast, [.integer(max(0, enough - deleted))]
                ).integer(0, 0) ?? 0
            if found + deleted >= enough { return found }
        }
        return try ask(&attempt, connection, at: key, limit, size.total, []).integer(0, 0) ?? 0
    }

    private func rows(_ cleaned: [Cleaned]) -> Int64 { cleaned.reduce(0) { $0 + ($1.event.rowCount ?? 0) } }

    /// How many rows this transaction has deleted so far in each table, partitions with their root, as the server counts them (manual,
    /// pg_stat_xact_user_tables); nothing where it does not count.
    func deleted(
        _ attempt: inout Attempt, _ connection: Connection, _ key: ForeignKeyStatement, _ limit: Instant?
    ) throws(Stop) -> [Int64: Int64] {
        let result = try ask(
            &attempt, connection, at: key, limit,
            """
            SELECT coalesce(pg_catalog.pg_partition_root(s.relid)::pg_catalog.oid, s.relid)::pg_catalog.int8, \
            pg_catalog.sum(s.n_tup_del)::pg_catalog.int8 FROM pg_catalog.pg_stat_xact_user_tables AS s \
            WHERE s.n_tup_del OPERATOR(pg_catalog.>) 0 GROUP BY 1
            """, [])
        return tally(result)
    }

    /// Numbers of rows by the number of their table.
    func tally(_ result: QueryResult) -> [Int64: Int64] {
        var counts: [Int64: Int64] = [:]
        for row in result.rows.indices { counts[result.integer(row, 0) ?? 0] = result.integer(row, 1) }
        return counts
    }

    /// Puts everything back in a savepoint, compares, and takes that back.
    func prove(
        _ cleaned: inout [Cleaned], _ cleaning: Cleaning, _ key: ForeignKeyStatement, _ attempt: inout Attempt,
        _ connection: Connection,
        _ limit: Instant?
    ) throws(Stop) {
        let restore = RestoreSQL(quotedHistory: store.schema)
        let events = cleaned.map {
            RestoreSQL.Event(
                id: $0.event.eventID.description, restoration: UUID().description, rows: $0.event.rowCount ?? 0,
                place: $0.place)
        }
        try send(
            """
            SAVEPOINT migrated_proof; SET LOCAL migrated.proved = 'no'; \(RestoreSQL.setPath); \
            \(cleaning.standingKeyDrop.map { "\($0); " } ?? "")\(restore.restore(events, proves: true))
            """, key, &attempt, connection, limit)
        let isProved = try ask(&attempt, connection, at: key, limit, RestoreSQL.isProved, []).isTrue(0, 0)
        for index in cleaned.indices where isProved {
            let rows = cleaned[index].event.rowCount ?? 0
            cleaned[index].event.detail["reversible"] = .string("\(rows) of \(rows)")
        }
        for index in cleaned.indices where !isProved {
            let outcomes = try ask(
                &attempt, connection, at: key, limit, restore.outcomes, [.text(events[index].restoration)])
            let (restored, left) = Restoration.count(outcomes)
            cleaned[index].event.detail["reversible"] = .string("\(restored) of \(cleaned[index].event.rowCount ?? 0)")
            if !left.isEmpty { cleaned[index].event.detail["not_reversible"] = .object(left) }
        }
        try send(
            "ROLLBACK TO SAVEPOINT migrated_proof; RELEASE SAVEPOINT migrated_proof", key, &attempt, connection, limit)
    }

    // MARK: Refusals

    func tooIsolated(_ isolation: String, _ key: ForeignKeyStatement, _ attempt: Attempt) -> Failure {
        Failure(
            "isolation",
            Complaint(
                .badFile, "orphans are not cleaned in a transaction that is \(isolation.uppercased())",
                hint:
                    "It does not see what others have committed since it began. Take the isolation level out of the file.",
                place: attempt.prepared.script.place(at: key.range.lowerBound)))
    }

    func notOurs(
        _ watched: Observation.Watched, _ cleaning: Cleaning, _ key: ForeignKeyStatement, _ attempt: Attempt
    ) -> Failure {
        let name = watched.table.qualified.text
        return Failure(
            "foreign_key",
            Complaint(
                .failed,
                "rows of '\(cleaning.table.qualified.text)' are not cleaned: rows of '\(name)' could go or change along, which only its owner may watch",
                hint:
                    "Let the role that runs migrations own '\(name)', or clean these rows in a migration of your own.",
                place: attempt.prepared.script.place(at: key.range.lowerBound)))
    }

    func notAllKept(deleted: Int64, kept: Int64, _ key: ForeignKeyStatement, _ attempt: Attempt) -> Failure {
        Failure(
            "not_kept",
            Complaint(
                .failed, "the cleanup deleted \(deleted) rows and kept \(kept) of them, so it was rolled back",
                hint:
                    "A trigger may delete rows and take that back. Clean these rows in a migration of your own.",
                place: attempt.prepared.script.place(at: key.range.lowerBound)))
    }

    func tooMany(
        _ rows: Int64, of total: Int64, _ table: String, total all: Int64, _ key: ForeignKeyStatement,
        _ attempt: Attempt
    ) -> Failure {
        let share = total > 0 ? " of \(total)" : ""
        let more = all > rows ? " (\(all) in all tables)" : ""
        return Failure(
            "orphan_limit",
            Complaint(
                .failed,
                "cleaning would touch \(rows)\(share) rows of '\(table)'\(more), more than 'orphan-limit'",
                hint: "If that is right, allow it in the file's head: '-- migrated: orphan-limit=\(all)'.",
                place: attempt.prepared.script.place(at: key.range.lowerBound)))
    }
}
