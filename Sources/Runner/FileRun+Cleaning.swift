internal import Audit
internal import Configuration
internal import ForeignKeys
internal import JSON
internal import Postgres
internal import Reporting
internal import SQLParsing
internal import Systemd

extension FileRun {
    /// Cleans the orphans of one key inside the file's transaction, behind its locks, and proves the way back. Returns the events that count what went.
    func clean(
        _ cleaning: Cleaning, _ policy: ForeignKeyPolicy, _ key: ForeignKeyStatement, _ facts: ForeignKeyFacts,
        _ attempt: inout Attempt, _ connection: Connection, _ limit: Instant?
    ) throws(Stop) -> [AuditEvent] {
        guard facts.isolation == "read committed" else { throw .failure(tooIsolated(facts.isolation, key, attempt)) }
        FailPoint.keyStep.pass()
        let began = Instant.now()
        var cleaned =
            cleaning.isObserved
            ? try observeAll(cleaning, policy, key, &attempt, connection, limit)
            : try change(cleaning, policy, key, &attempt, connection, limit)
        guard !cleaned.isEmpty else { return [] }
        FailPoint.keyStep.pass()
        let duration = (Instant.now() - began).microseconds
        if policy.proof == .always {
            try prove(&cleaned, cleaning, key, &attempt, connection, limit)
        }
        for index in cleaned.indices {
            let id = cleaned[index].event.eventID
            cleaned[index].event.durationUS = duration
            cleaned[index].event.detail["sample_keys"] = try sampleKeys(of: id, key, &attempt, connection, limit)
            cleaned[index].event.detail["digest"] = try digest(of: id, key, &attempt, connection, limit)
            cleaned[index].event.detail["kept"] = cleaned[index].place.json
        }
        return cleaned.map(\.event)
    }

    /// What a cleanup did to the rows of one table.
    struct Cleaned {
        var event: AuditEvent
        var place: KeptPlace
        /// How many rows the table has, and its name.
        var size: TableSize
        var table: String
    }

    private func cleaned(
        _ record: ForeignKeyStep.Record, _ id: UUID, _ rows: Int64, _ place: KeptPlace, _ size: TableSize,
        _ table: ForeignKeyFacts.Table, _ attempt: Attempt
    ) -> Cleaned? {
        event(record, id, rows, of: attempt).map {
            Cleaned(event: $0, place: place, size: size, table: table.qualified.text)
        }
    }

    // MARK: Where a change is all that happens

    private func change(
        _ cleaning: Cleaning, _ policy: ForeignKeyPolicy, _ key: ForeignKeyStatement, _ attempt: inout Attempt,
        _ connection: Connection, _ limit: Instant?
    ) throws(Stop) -> [Cleaned] {
        let id = UUID()
        let parameters: [Parameter?] = [.text(id.description), .text(attempt.id.description)]
        var rows: Int64 = 0
        if let groups = try places(cleaning, key, &attempt, connection, limit), let placed = cleaning.placed {
            for group in groups {
                rows +=
                    try ask(&attempt, connection, at: key, limit, placed.change, parameters + [.text(group)])
                    .affectedRows ?? 0
            }
        } else {
            while true {
                let touched =
                    try ask(&attempt, connection, at: key, limit, cleaning.change, parameters).affectedRows ?? 0
                rows += touched
                if touched == 0 || !cleaning.repeats { break }
            }
        }
        guard
            rows > 0,
            let cleaned = cleaned(
                cleaning.record, id, rows, cleaning.place, cleaning.size, cleaning.table, attempt)
        else { return [] }
        try checkLimit([cleaned], policy, key, &attempt, connection, limit)
        return [cleaned]
    }

    /// Where the orphans are, in groups; nil where they are too many, or cannot be changed so. Behind the locks they stay where they are.
    private func places(
        _ cleaning: Cleaning, _ key: ForeignKeyStatement, _ attempt: inout Attempt, _ connection: Connection,
        _ limit: Instant?
    ) throws(Stop) -> [String]? {
        guard let placed = cleaning.placed else { return nil }
        let found = PlacedGroups(try ask(&attempt, connection, at: key, limit, placed.find, []))
        return found.isWhole ? found.groups : nil
    }

    // MARK: Where it reaches further

    /// Cleans, and again with more tables watched where a trigger has deleted rows that no key leads to: the server counts what a transaction deletes,
    /// and what the quarantine does not have would be lost.
    private func observeAll(
        _ cleaning: Cleaning, _ policy: ForeignKeyPolicy, _ key: ForeignKeyStatement, _ attempt: inout Attempt,
        _ connection: Connection, _ limit: Instant?
    ) throws(Stop) -> [Cleaned] {
        var others: [Int64] = []
        while true {
            try send("SAVEPOINT migrated_cleanup", key, &attempt, connection, limit)
            let before = try deleted(&attempt, connection, key, limit)
            let (cleaned, moved) = try observe(cleaning, others, policy, key, &attempt, connection, limit)
            let after = cleaned.isEmpty ? before : try deleted(&attempt, connection, key, limit)
            var kept = moved
            for one in cleaned where one.event.event == .orphansDeleted {
                kept[one.place.table, default: 0] += one.event.rowCount ?? 0
            }
            let differing = after.filter { $0.value - (before[$0.key] ?? 0) != kept[$0.key] ?? 0 }
            guard let first = differing.keys.sorted().first else {
                try send("RELEASE SAVEPOINT migrated_cleanup", key, &attempt, connection, limit)
                return cleaned
            }
            let more = differing.keys.filter { kept[$0] == nil && !others.contains($0) }
            guard !more.isEmpty else {
                let count = (after[first] ?? 0) - (before[first] ?? 0)
                throw .failure(notAllKept(deleted: count, kept: kept[first] ?? 0, key, attempt))
            }
            others += more.sorted()
            try send("ROLLBACK TO SAVEPOINT migrated_cleanup", key, &attempt, connection, limit)
        }
    }

    private func observe(
        _ cleaning: Cleaning, _ others: [Int64], _ policy: ForeignKeyPolicy, _ key: ForeignKeyStatement,
        _ attempt: inout Attempt,
        _ connection: Connection, _ limit: Instant?
    ) throws(Stop) -> (cleaned: [Cleaned], moved: [Int64: Int64]) {
        let counted = try ask(&attempt, connection, at: key, limit, cleaning.count, [])
        guard let orphans = counted.rows.isEmpty ? nil : counted.integer(0, 0), orphans > 0 else { return ([], [:]) }
        if case .rows(let most) = policy.limit, orphans > most {
            throw .failure(tooMany(orphans, of: 0, cleaning.table.qualified.text, total: orphans, key, attempt))
        }
        let observation = try reach([cleaning.table.oid] + others, cleaning, key, &attempt, connection, limit)
        let ids = observation.watched.map { _ in (deleted: UUID(), changed: UUID()) }
        let newest =
            try ask(
                &attempt, connection, at: key, limit,
                """
                SELECT coalesce(pg_catalog.max(q.id), 0) FROM \(store.schema).orphan_quarantine AS q
                """, []
            ).integer(0, 0) ?? 0
        try send(
            observation.begin(
                history: store.schema, attempt: attempt.id.description, columns: cleaning.columns,
                events: ids.map { Observation.Events(deleted: $0.deleted.description, changed: $0.changed.description) }
            ),
            key, &attempt, connection, limit)
        while (try ask(&attempt, connection, at: key, limit, cleaning.change, []).affectedRows ?? 0) > 0 {}
        let moved = try observation.movesQuestion.map { (question) throws(Stop) in
            tally(try ask(&attempt, connection, at: key, limit, question, []))
        }
        try send(observation.end, key, &attempt, connection, limit)
        let seen = try ask(
            &attempt, connection, at: key, limit,
            """
            SELECT q.event_id::pg_catalog.text, pg_catalog.count(*), pg_catalog.jsonb_agg(DISTINCT q.column_names)::pg_catalog.text \
            FROM \(store.schema).orphan_quarantine AS q \
            WHERE q.attempt_id OPERATOR(pg_catalog.=) $1::pg_catalog.uuid AND q.id OPERATOR(pg_catalog.>) $2::pg_catalog.int8 \
            GROUP BY q.event_id
            """, [.text(attempt.id.description), .integer(newest)])
        var counts: [String: (rows: Int64, columns: [String])] = [:]
        for row in seen.rows.indices {
            let lists = History.json(seen.rows[row][2]).array ?? []
            var columns: [String] = []
            for name in lists.flatMap({ $0.array?.compactMap(\.string) ?? [] }) where !columns.contains(name) {
                columns.append(name)
            }
            counts[seen.text(row, 0) ?? ""] = (seen.integer(row, 1) ?? 0, columns)
        }
        var cleaned: [Cleaned] = []
        // The table that is cleaned comes last, behind what hangs on its rows.
        let inOrder = Array(zip(observation.watched, ids))
        for (watched, ids) in inOrder.dropFirst() + inOrder.prefix(1) {
            for (id, event) in [(ids.changed, "orphans_nullified"), (ids.deleted, "orphans_deleted")] {
                guard let (rows, columns) = counts[id.description] else { continue }
                let isOwn = watched.table.oid == observation.watched[0].table.oid && event == cleaning.record.event
                let record =
                    isOwn ? cleaning.record : watched.record(event, columns: columns)
                if let one = self.cleaned(record, id, rows, watched.place, watched.size, watched.table, attempt) {
                    cleaned.append(one)
                }
            }
        }
        try checkLimit(cleaned, policy, key, &attempt, connection, limit)
        return (cleaned, moved ?? [:])
    }

    /// The tables that have to be watched, all locked, so that no key is added to one of them.
    private func reach(
        _ tables: [Int64], _ cleaning: Cleaning, _ key: ForeignKeyStatement, _ attempt: inout Attempt,
        _ connection: Connection,
        _ limit: Instant?
    ) throws(Stop) -> Observation {
        var known: Observation?
        while true {
            let result = try ask(
                &attempt, connection, at: key, limit, Observation.question,
                [.text("{\(tables.map(String.init).joined(separator: ","))}")])
            let found: Observation
            do throws(Complaint) {
                found = try Observation(result.rows.first?[0] ?? [])
            } catch {
                throw .failure(Failure("catalog", error))
            }
            if let foreign = found.watched.first(where: { !$0.isOwned }) {
                throw .failure(notOurs(foreign, cleaning, key, attempt))
            }
            if let known, known == found { return found }
            known = found
            try send(found.lock, key, &attempt, connection, limit)
        }
    }
}

/// What `PlacedChange.find` answers.
struct PlacedGroups {
    /// Places, in PostgreSQL's text of arrays.
    let groups: [String]
    /// How many there are.
    let count: Int64
    /// Whether these are all.
    var isWhole: Bool { count <= PlacedChange.most }

    init(_ found: QueryResult) {
        groups = found.rows.indices.map { found.text($0, 0) ?? "{}" }
        count = found.rows.indices.reduce(0) { $0 + (found.integer($1, 1) ?? 0) }
    }
}

extension Observation.Watched {
    /// What is recorded of rows that went or changed along.
    fileprivate func record(_ event: String, columns changed: [String]) -> ForeignKeyStep.Record {
        ForeignKeyStep.Record(
            event: event, reason: "referenced_row_deleted",
            object: Cleaning.object(table, event == "orphans_deleted" ? columns : changed),
            detail: names.isEmpty
                ? [:] : ["constraint": names.joined(separator: ", "), "action": actions.joined(separator: ", ")])
    }
}
