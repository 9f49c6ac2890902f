internal import Audit
internal import Configuration
internal import ForeignKeys
internal import JSON
internal import Postgres
internal import Reporting
internal import SQLParsing
internal import Systemd

/// Adds one foreign key in small transactions, each with its record: writers of the tables hardly wait.
///
/// 1. Orphans are looked for by a statement that only reads; the server keeps their places. A cleanup that is too large fails here.
/// 2. The key is added NOT VALID: from then on no orphan can come, and a later attempt goes on from here.
/// 3. Orphans are kept and cleaned a batch at a time. A row that somebody has moved meanwhile is left to the next round.
/// 4. The index is built CONCURRENTLY.
/// 5. VALIDATE CONSTRAINT proves the key. Where rows were left over it says so, and 1 and 3 are done again for those.
struct KeyRun {
    let run: FileRun
    let key: ForeignKeyStatement
    var steps: KeySteps
    let policy: ForeignKeyPolicy
    let index: Int
    let limit: Instant?
    /// The event that deferred the key, where it is added after its file.
    var deferral: Int64?

    /// Where orphans are, the last ones first, in groups of as many rows as one transaction cleans: what it locks is held for some tenths of a second at
    /// most. Nil where the cursor holds their places.
    private(set) var groups: [String]?

    /// How often orphans are looked for in all.
    private static let rounds = 10
    private static let cursor = "migrated_orphans"
    /// Columns that cannot be compared: no such operator, or types that do not go together.
    static let mismatches: [String?] = ["42883", "42804"]

    /// The five steps, from where an earlier attempt stopped.
    mutating func add(_ attempt: inout Attempt, _ closing: FileRun.Closing = .nothing) throws(FileRun.Stop) {
        var orphans = try findFirst(&attempt)
        try check(orphans, &attempt)
        if steps.add != nil {
            try addUnproved(&attempt, orphans)
            // From here on the key itself says what an orphan is.
            steps = try asked(&attempt)
        }
        try clean(&attempt)
        try buildIndex(&attempt)
        guard let validate = steps.validate, proves(orphans) else {
            if deferral != nil { return }
            return try record(&attempt, closing) { (_, _) throws(FileRun.Stop) in [] }
        }
        for round in 1... {
            do throws(FileRun.Stop) {
                return try record(&attempt, closing) { (attempt, connection) throws(FileRun.Stop) in
                    try step(validate, &attempt, connection).map { [$0] } ?? []
                }
            } catch {
                // Rows that others moved or locked while their batch ran are orphans still.
                guard case .failure(let failure) = error, failure.sqlstate == "23503", steps.clean != nil,
                    round < KeyRun.rounds
                else { throw error }
                run.sessions.dropWork()
                steps = try asked(&attempt)
                orphans = try find(&attempt)
                try check(orphans, &attempt)
                try clean(&attempt)
            }
        }
    }

    // MARK: 1. Looking

    /// Where the columns cannot be compared, PostgreSQL says so of the key in words of its own.
    private mutating func findFirst(_ attempt: inout Attempt) throws(FileRun.Stop) -> Int64 {
        do throws(FileRun.Stop) {
            return try find(&attempt)
        } catch {
            guard steps.add != nil, case .failure(let failure) = error,
                // Not a row level policy, which must leave nothing behind.
                KeyRun.mismatches.contains(failure.sqlstate)
            else {
                throw error
            }
            run.sessions.dropWork()
            try addUnproved(&attempt, 0)
            throw error
        }
    }

    /// How many orphans there are. Where they are to be cleaned, their places are kept: here, or by a cursor where they are many.
    private mutating func find(_ attempt: inout Attempt) throws(FileRun.Stop) -> Int64 {
        FailPoint.keyStep.pass()
        guard steps.clean != nil else {
            return try run.unrecorded(&attempt, index, at: key, limit) { (attempt, connection) throws(FileRun.Stop) in
                let counted = try ask(&attempt, connection, steps.count)
                return counted.rows.isEmpty ? 0 : counted.integer(0, 0) ?? 0
            }
        }
        let found = try run.unrecorded(&attempt, index, at: key, limit) { (attempt, connection) throws(FileRun.Stop) in
            _ = try ask(&attempt, connection, CleanupSettings.set)
            return PlacedGroups(try ask(&attempt, connection, steps.findGroups))
        }
        groups = found.isWhole ? found.groups.reversed() : nil
        guard groups == nil else { return found.count }
        try run.unrecorded(&attempt, index, at: key, limit) { (attempt, connection) throws(FileRun.Stop) in
            _ = try ask(&attempt, connection, CleanupSettings.set)
            _ = try ask(
                &attempt, connection, "DECLARE \(KeyRun.cursor) SCROLL CURSOR WITH HOLD FOR \(steps.find)")
        }
        let connection = try run.run { () throws(RunFailure) in try run.sessions.work() }
        let moved = try ask(&attempt, connection, "MOVE FORWARD ALL IN \(KeyRun.cursor)")
        _ = try ask(&attempt, connection, "MOVE ABSOLUTE 0 IN \(KeyRun.cursor)")
        return moved.affectedRows ?? 0
    }

    /// Fails where there are more than are allowed, before anything has changed.
    private func check(_ orphans: Int64, _ attempt: inout Attempt) throws(FileRun.Stop) {
        switch policy.orphans {
        case .report: return
        case .clean:
            guard steps.clean != nil, orphans > 0 else { return }
            let connection = try run.run { () throws(RunFailure) in try run.sessions.work() }
            var total: Int64 = 0
            if policy.limit.needsTotal(for: orphans) {
                total = try run.size(steps.size, orphans, 0, policy, key, &attempt, connection, limit)
            }
            guard policy.limit.allows(orphans, of: total) else {
                throw .failure(run.tooMany(orphans, of: total, steps.table.text, total: orphans, key, attempt))
            }
            for holder in steps.holders {
                let held = try ask(&attempt, connection, holder.count).integer(0, 0) ?? 0
                if held > 0 { throw .failure(self.held(held, by: holder, attempt)) }
            }
        case .fail:
            // A key that its author wants unproved is added over orphans, as PostgreSQL does.
            guard orphans > 0, steps.validate != nil else { return }
            throw .failure(
                Failure(
                    "orphans",
                    Complaint(
                        .failed,
                        "\(orphans) row\(orphans == 1 ? "" : "s") of '\(steps.table.text)' refer\(orphans == 1 ? "s" : "") to rows that are not there, so that the key cannot be added",
                        hint: "Mend them, or let them be cleaned: '-- migrated: orphans=clean'.",
                        place: attempt.prepared.script.place(at: key.range.lowerBound), sqlstate: "23503")))
        }
    }

    private func held(_ orphans: Int64, by holder: KeyHolder, _ attempt: Attempt) -> Failure {
        let added =
            steps.add == nil
            ? " The new key is there already, NOT VALID, and refuses rows that are only partly fixed: drop it first, with \(steps.drop)"
            : ""
        return Failure(
            "orphans",
            Complaint(
                .failed,
                "\(orphans) orphan\(orphans == 1 ? "" : "s") of '\(steps.table.text)' cannot be deleted: rows of '\(holder.table.text)' refer to \(orphans == 1 ? "it" : "them") by '\(holder.name)'",
                hint: "Delete or change those rows first, or give that key an ON DELETE action.\(added)",
                place: attempt.prepared.script.place(at: key.range.lowerBound), sqlstate: "23503"))
    }

    // MARK: 2. The key

    private func addUnproved(_ attempt: inout Attempt, _ orphans: Int64) throws(FileRun.Stop) {
        guard let add = steps.add else { return }
        try record(&attempt) { (attempt, connection) throws(FileRun.Stop) in
            guard var event = try step(add, &attempt, connection) else { return [] }
            if orphans > 0 { event.detail["orphans"] = .integer(orphans) }
            // What is deferred is done only when the last step is.
            if proves(orphans) { event.detail["to_be_validated"] = true }
            return [event]
        }
    }

    /// Whether the key is proved in the end.
    private func proves(_ orphans: Int64) -> Bool {
        steps.validate != nil && (policy.orphans != .report || orphans == 0)
    }

    // MARK: 3. Cleaning

    /// Cleans what was found.
    private mutating func clean(_ attempt: inout Attempt) throws(FileRun.Stop) {
        guard steps.clean != nil else { return }
        while true {
            FailPoint.keyStep.pass()
            guard let places = try nextPlaces(&attempt) else { return }
            try record(&attempt) { (attempt, connection) throws(FileRun.Stop) in
                try clean(places, &attempt, connection).map { [$0] } ?? []
            }
        }
    }

    /// The next places, as PostgreSQL's text of an array; nil behind the last.
    private mutating func nextPlaces(_ attempt: inout Attempt) throws(FileRun.Stop) -> String? {
        if groups != nil { return groups?.popLast() }
        let connection = try run.run { () throws(RunFailure) in try run.sessions.work() }
        let places = try ask(&attempt, connection, "FETCH \(PlacedChange.group) FROM \(KeyRun.cursor)")
        guard places.rows.isEmpty else { return KeyRun.array(places) }
        _ = try ask(&attempt, connection, "CLOSE \(KeyRun.cursor)")
        return nil
    }

    /// Cleans the orphans at these places. What others did since they were found counts: they may have moved rows, fixed them, and made keys that
    /// would act on further ones.
    private func clean(
        _ places: String, _ attempt: inout Attempt, _ connection: Connection
    ) throws(FileRun.Stop) -> AuditEvent? {
        _ = try ask(&attempt, connection, "SET LOCAL jit = off")
        _ = try ask(&attempt, connection, CleanupSettings.set)
        if let lock = steps.clean?.lockTables { _ = try ask(&attempt, connection, lock) }
        guard let clean = try planned(&attempt, connection).clean else { return nil }
        let locked = try run.ask(&attempt, connection, at: key, limit, clean.lockRows, [.text(places)])
        guard !locked.rows.isEmpty else { return nil }
        let done = try run.perform(
            clean.change, policy, key, &attempt, connection, limit, [.text(KeyRun.array(locked))])
        guard var event = done.event else { return nil }
        event.detail["kept"] = clean.place.json
        if policy.proof == .always {
            let readable =
                try run.ask(
                    &attempt, connection, at: key, limit, clean.readable, [.text(event.eventID.description)]
                ).integer(0, 0) ?? 0
            event.detail["reversible"] = .string("\(readable) of \(done.orphans)")
        }
        return event
    }

    /// PostgreSQL's text of an array of the places that a statement gave.
    private static func array(_ places: QueryResult) -> String {
        "{\(places.rows.indices.compactMap { places.text($0, 0).map { "\"\($0)\"" } }.joined(separator: ","))}"
    }

    /// The steps as they are now, in a transaction of its own.
    private func asked(_ attempt: inout Attempt) throws(FileRun.Stop) -> KeySteps {
        try run.unrecorded(&attempt, index, at: key, limit) { (attempt, connection) throws(FileRun.Stop) in
            try planned(&attempt, connection)
        }
    }

    /// The steps by what the catalog says now; the key is there.
    private func planned(_ attempt: inout Attempt, _ connection: Connection) throws(FileRun.Stop) -> KeySteps {
        let planner = ForeignKeyPlanner(policy, quotedHistory: run.store.schema)
        let found = try run.facts([key.key], key, &attempt, connection, limit)
        let facts = try found.map { (facts) throws(FileRun.Stop) in
            try run.asked(facts, key, planner, &attempt, connection, limit)
        }
        guard let facts = facts.first, case .steps(let now) = planner.stepwise(key.key, facts, cleaning: true) else {
            throw .failure(
                Failure(
                    "foreign_key",
                    Complaint(
                        .failed,
                        "the tables of this key were changed by others meanwhile: cleaning '\(steps.table.text)' would act on rows of further tables now",
                        hint:
                            "What is done stays done, and the key is there, NOT VALID. With '-- migrated: foreign-keys=one-transaction' the rest can be cleaned, too.",
                        place: attempt.prepared.script.place(at: key.range.lowerBound))))
        }
        return now
    }

    // MARK: 4. The index

    private func buildIndex(_ attempt: inout Attempt) throws(FileRun.Stop) {
        guard let step = steps.index, var event = step.record.flatMap({ run.event($0, UUID(), nil, of: attempt) })
        else {
            return try recordFoundIndex(&attempt)
        }
        let began = Instant.now()
        let connection = try run.run { () throws(RunFailure) in try run.sessions.work() }
        var built = FileRun.Built()
        built.table = try run.run { () throws(RunFailure) in
            try run.sessions.query(
                connection, "SELECT pg_catalog.to_regclass($1)::pg_catalog.oid", [.text(steps.table.sql)]
            ).text(0, 0)
        }
        // What is built outside of a transaction is read as a whole, with its record.
        attempt.isRead = false
        try run.dropLeftovers(attempt, built)
        FailPoint.keyStep.pass()
        try run.run { () throws(RunFailure) in
            _ = try run.sessions.run(
                connection, run.limits(attempt, scope: "SET", isConcurrent: true, waitsForSnapshots: true))
        }
        do throws(FileRun.Stop) {
            _ = try ask(&attempt, connection, step.sql)
        } catch {
            guard case .failure(let failure) = error else { throw error }
            if !failure.interrupts {
                run.sessions.dropWork()
                try run.dropLeftovers(attempt, built)
            }
            throw error
        }
        FailPoint.aloneDone.pass()
        event.durationUS = (Instant.now() - began).microseconds
        let done = event
        try record(&attempt) { (_, _) throws(FileRun.Stop) in [done] }
    }

    /// An earlier attempt may have died between the end of the build and its record: the index that it announced is there, and is told of now.
    private func recordFoundIndex(_ attempt: inout Attempt) throws(FileRun.Stop) {
        guard steps.add == nil, policy.indexes,
            let name = try run.run({ () throws(RunFailure) in try run.history.announcedIndex(of: steps.object) })
        else { return }
        var event = attempt.event(.indexCreated, by: run.actor)
        event.object = name
        event.reason = "found_complete"
        attempt.isRead = false
        let found = event
        try record(&attempt) { (_, _) throws(FileRun.Stop) in [found] }
    }

    // MARK: Transactions

    /// One transaction of the file's, with its record.
    private func record(
        _ attempt: inout Attempt, _ closing: FileRun.Closing = .nothing,
        _ body: (inout Attempt, Connection) throws(FileRun.Stop) -> [AuditEvent]
    ) throws(FileRun.Stop) {
        let work = { (attempt: inout Attempt, connection: Connection, _: String) throws(FileRun.Stop) in
            var events = try body(&attempt, connection)
            if let deferral {
                for index in events.indices { events[index].detail["deferred_seq"] = .integer(deferral) }
            }
            return FileRun.Work(events: events)
        }
        try run.transaction(&attempt, index, limit, closing, work)
    }

    private func step(
        _ step: ForeignKeyStep, _ attempt: inout Attempt, _ connection: Connection
    ) throws(FileRun.Stop) -> AuditEvent? {
        try run.perform(step, policy, key, &attempt, connection, limit).event
    }

    private func ask(
        _ attempt: inout Attempt, _ connection: Connection, _ sql: String
    ) throws(FileRun.Stop) -> QueryResult {
        try run.ask(&attempt, connection, at: key, limit, sql, [])
    }
}

extension History {
    /// The index that the addition of that key announced, where it is there and valid and no event tells of it.
    func announcedIndex(of object: String) throws(RunFailure) -> String? {
        let table = "\(store.schema).migration_rollback_audit"
        let result = try store.sessions.query(
            store.sessions.lock(),
            """
            SELECT detail, seq FROM \(table) WHERE event = 'constraint_added' AND reason = 'not_valid' AND object = $1
             ORDER BY seq DESC LIMIT 1
            """, [.text(object)])
        guard let cell = result.rows.first?[0], let name = History.json(cell)["index"]?.string else { return nil }
        let found = try store.sessions.query(
            store.sessions.lock(),
            """
            SELECT EXISTS (SELECT FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
                             JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
                            WHERE i.indisvalid AND n.nspname || '.' || c.relname = $1)
               AND NOT EXISTS (SELECT FROM \(table) WHERE event = 'index_created' AND object = $1 AND seq > $2)
            """, [.text(name), .integer(result.integer(0, 1) ?? 0)])
        return found.isTrue(0, 0) ? name : nil
    }
}
