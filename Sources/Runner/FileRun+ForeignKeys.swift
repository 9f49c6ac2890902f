internal import Audit
internal import Configuration
internal import ForeignKeys
internal import JSON
internal import Postgres
internal import Replay
internal import Reporting
internal import SQLParsing
internal import Systemd

extension FileRun {
    /// Behind a down file's last statement: what its migration's cleanups took out comes back, in the same transaction.
    func restoreOrphans(_ attempt: inout Attempt, _ connection: Connection, _ limit: Instant?) throws(Stop)
        -> [AuditEvent]
    {
        guard !attempt.restores.isEmpty else { return [] }
        let script = attempt.prepared.script
        let restores = attempt.restores
        let cleanups = try run { () throws(RunFailure) in try history.cleanups(of: restores) }
        var running = attempt
        defer { attempt = running }
        let checking = try run { () throws(RunFailure) in try sessions.another() }
        let restoration = Restoration(
            schema: store.schema, reporter: reporter, connection: connection, checking: checking)
        return try restoration.run(restores, cleanups, event: attempt.event(.orphansRestored, by: actor)) {
            (connection, work) throws(Stop) in
            try guarded(&running, connection, limit, { Failure($0, in: script, piece: nil) }, work)
        }
    }

    /// The keys that the server would add: those of an IF NOT EXISTS whose table or column stands are not among them.
    func keysToAdd(
        _ keys: [ForeignKeyStatement], _ attempt: inout Attempt, _ connection: Connection, _ limit: Instant?
    ) throws(Stop) -> [ForeignKeyStatement] {
        let conditional = keys.filter(\.origin.isConditional)
        guard !conditional.isEmpty else { return keys }
        let facts = try facts(conditional.map(\.key), conditional[0], &attempt, connection, limit)
        let passed = zip(conditional, facts).filter { key, facts in
            switch key.origin {
            case .createTable: facts.table != nil
            case .addColumn: facts.columns.allSatisfy { $0 != nil } && facts.table != nil
            case .addConstraint: false
            }
        }.map(\.0)
        return keys.filter { !passed.contains($0) }
    }

    func facts(
        _ keys: [ForeignKey], _ place: ForeignKeyStatement, _ attempt: inout Attempt, _ connection: Connection,
        _ limit: Instant?
    ) throws(Stop) -> [ForeignKeyFacts] {
        let result = try ask(
            &attempt, connection, at: place, limit, CatalogQuestion.sql, [.text(CatalogQuestion(keys).parameter)])
        var facts: [ForeignKeyFacts] = []
        for row in result.rows {
            do throws(Complaint) {
                facts.append(try ForeignKeyFacts(row[0] ?? []))
            } catch {
                throw .failure(Failure("catalog", error))
            }
        }
        return facts
    }

    /// The facts about a key, with what the server itself says of it: how it compares, and which of its columns take a null.
    ///
    /// A key that is not there is added for the question and taken back, which locks its tables; with `adding` false the catalog's own answer stands.
    func asked(
        _ facts: ForeignKeyFacts, _ key: ForeignKeyStatement, _ planner: ForeignKeyPlanner, _ attempt: inout Attempt,
        _ connection: Connection, _ limit: Instant?, adding: Bool = true
    ) throws(Stop) -> ForeignKeyFacts {
        guard let probe = planner.probe(key.key, facts) else { return facts }
        var facts = facts
        if adding || !probe.addsKey {
            let answers = try send(probe.sql, key, &attempt, connection, limit)
            facts.comparison = ForeignKeyFacts.Comparison.list(
                answers.first { !$0.rows.isEmpty }.map { History.json($0.rows[0][0]) })
        }
        guard planner.policy.orphans == .clean else { return facts }
        for (place, column) in facts.columns.enumerated() where column?.isRequired == false {
            for trial in column?.nullTrials ?? [] where try !takesNull(trial, key, &attempt, connection, limit) {
                facts.columns[place]?.isRequired = true
            }
        }
        return facts
    }

    /// Whether a null passes a check of the column or of its domain; one that raises an error for it does not take it.
    private func takesNull(
        _ trial: String, _ key: ForeignKeyStatement, _ attempt: inout Attempt, _ connection: Connection,
        _ limit: Instant?
    ) throws(Stop) -> Bool {
        try send("SAVEPOINT migrated_null", key, &attempt, connection, limit)
        let takes: Bool
        do throws(Stop) {
            let answer = try ask(&attempt, connection, at: key, limit, "SELECT \(trial)", [])
            takes = !answer.rows.isEmpty && answer.isTrue(0, 0)
        } catch {
            guard case .failure(let failure) = error, failure.sqlstate?.hasPrefix("23") == true else { throw error }
            takes = false
        }
        try send(
            "ROLLBACK TO SAVEPOINT migrated_null; RELEASE SAVEPOINT migrated_null", key, &attempt, connection, limit)
        return takes
    }

    /// Plans and does what is to be done for the keys of one statement. A key whose table or column stands as the file says must stand too.
    func add(
        _ keys: [ForeignKeyStatement], _ policy: ForeignKeyPolicy, _ attempt: inout Attempt, _ connection: Connection,
        _ limit: Instant?, standing: (ForeignKeyStatement) -> Bool = { _ in false }
    ) throws(Stop) -> [AuditEvent] {
        let planner = ForeignKeyPlanner(policy, quotedHistory: store.schema)
        var facts = try facts(keys.map(\.key), keys[0], &attempt, connection, limit)
        let wanted = Array(zip(keys.map(\.key), facts))
        var names = ChosenNames()
        var events: [AuditEvent] = []
        let opening = planner.opening(wanted)
        for step in opening { _ = try perform(step, policy, keys[0], &attempt, connection, limit) }
        // Again behind the locks, where there are any. None of the keys is there while rows are cleaned for any of them, so that none acts on what is cleaned for another.
        var plans: [(key: ForeignKeyStatement, facts: ForeignKeyFacts, plan: ForeignKeyPlan)] = []
        if !opening.isEmpty { facts = try self.facts(keys.map(\.key), keys[0], &attempt, connection, limit) }
        for (key, facts) in zip(keys, facts) {
            let facts = try asked(facts, key, planner, &attempt, connection, limit)
            plans.append((key, facts, planner.plan(key.key, facts, &names)))
        }
        events += try clean(plans, policy, standing, &attempt, connection, limit)
        for (key, facts, plan) in plans {
            switch plan {
            case .steps(let steps, _):
                var orphans: Int64 = 0
                for step in steps where !(step.onlyWithoutOrphans && orphans > 0) {
                    let done = try perform(step, policy, key, &attempt, connection, limit)
                    orphans &+= done.orphans
                    if let event = done.event { events.append(event) }
                }
                if policy.orphans == .report, orphans > 0,
                    let added = events.lastIndex(where: { $0.event == .constraintAdded })
                {
                    events[added].reason = "not_valid"
                    events[added].detail["orphans"] = .integer(orphans)
                }
            case .exists(let constraint, let definition):
                events.append(existing(key, facts, constraint, definition, &attempt))
            case .deferred(let missing):
                events.append(deferral(key, missing, facts, attempt))
            case .refused(let complaint, let lines):
                throw .failure(refusal(complaint, lines, key, attempt))
            }
        }
        for step in planner.closing(wanted) { _ = try perform(step, policy, keys[0], &attempt, connection, limit) }
        return events
    }

    /// Cleans for every key, and again as long as one of them finds what the cleaning for another has left.
    private func clean(
        _ plans: [(key: ForeignKeyStatement, facts: ForeignKeyFacts, plan: ForeignKeyPlan)], _ policy: ForeignKeyPolicy,
        _ standing: (ForeignKeyStatement) -> Bool, _ attempt: inout Attempt, _ connection: Connection, _ limit: Instant?
    ) throws(Stop) -> [AuditEvent] {
        var events: [AuditEvent] = []
        while true {
            var found: [AuditEvent] = []
            for (key, facts, plan) in plans {
                guard case .steps(_, let cleaning) = plan else { continue }
                if standing(key) { throw .failure(missing(key, facts, attempt)) }
                guard let cleaning else { continue }
                found += try clean(cleaning, policy, key, facts, &attempt, connection, limit)
            }
            events += found
            if found.isEmpty || plans.count == 1 { return events }
        }
    }

    func existing(
        _ key: ForeignKeyStatement, _ facts: ForeignKeyFacts, _ constraint: String, _ definition: String,
        _ attempt: inout Attempt
    ) -> AuditEvent {
        var event = attempt.event(.skipped, by: actor)
        event.reason = "object_exists"
        event.object = "\((facts.table?.qualified ?? key.key.table).text).\(constraint)"
        event.detail = ["definition": .string(definition)]
        if let table = facts.table, let referenced = facts.referenced {
            let isProved = facts.constraints.contains { $0.name.exact == constraint.exact && $0.isValidated }
            attempt.skipped.append(
                SkippedObject(
                    key: constraint, of: (table.oid, table.qualified.text),
                    to: (referenced.oid, referenced.qualified.text), isProved: isProved, statement: key.statement,
                    range: key.range))
        }
        return event
    }

    func deferral(
        _ key: ForeignKeyStatement, _ missing: ForeignKeyPlan.Missing, _ facts: ForeignKeyFacts, _ attempt: Attempt
    ) -> AuditEvent {
        var event = attempt.event(.deferred, by: actor)
        event.reason = "missing_table"
        let table = facts.table?.qualified ?? key.key.table
        event.object = "\(table.text).\(key.key.name ?? key.key.columns.joined(separator: ","))"
        event.detail = [
            "statement": .integer(Int64(key.statement)), "position": .integer(Int64(key.position)),
            "table": .string(table.sql),
        ]
        switch missing {
        case .table(let name): event.detail["waits_for"] = .string(name.sql)
        case .column(let name, let column):
            event.detail["waits_for"] = .string(name.sql)
            event.detail["waits_for_column"] = .string(column)
        }
        return event
    }

    private func missing(_ key: ForeignKeyStatement, _ facts: ForeignKeyFacts, _ attempt: Attempt) -> Failure {
        let table = (facts.table?.qualified ?? key.key.table).text
        let name = key.key.name.map { " '\($0)'" } ?? ""
        return refusal(
            Complaint(
                .failed, "table '\(table)' exists and is not what the file says: foreign key\(name) is missing",
                hint: "Add the key in a migration of its own that sorts before."),
            [
                "in the database: none",
                "in the file:     \(key.key.definition(referenced: key.key.referenced, columns: key.key.referencedColumns, notValid: false))",
            ],
            key, attempt)
    }

    private func refusal(_ complaint: Complaint, _ lines: [String], _ key: ForeignKeyStatement, _ attempt: Attempt)
        -> Failure
    {
        let script = attempt.prepared.script
        var complaint = complaint
        let place = script.place(at: key.range.lowerBound)
        complaint.point(at: place, of: script.text)
        var failure = Failure("foreign_key", complaint)
        if !lines.isEmpty {
            failure.message += ": " + lines.joined(separator: "; ")
            failure.complaint.message = failure.message
            failure.detail["difference"] = .array(lines.map(JSONValue.string))
        }
        return failure
    }

    /// Does one step; says how many orphans it met and what is to be recorded.
    func perform(
        _ step: ForeignKeyStep, _ policy: ForeignKeyPolicy, _ key: ForeignKeyStatement, _ attempt: inout Attempt,
        _ connection: Connection, _ limit: Instant?, _ more: [Parameter?] = []
    ) throws(Stop) -> (orphans: Int64, event: AuditEvent?) {
        let id = UUID()
        let began = Instant.now()
        let parameters = step.parameters.map { parameter -> Parameter? in
            switch parameter {
            case .eventID: .text(id.description)
            case .attemptID: .text(attempt.id.description)
            }
        }
        FailPoint.keyStep.pass()
        let result = try ask(&attempt, connection, at: key, limit, step.sql, parameters + more)
        var rows: Int64?
        switch step.purpose {
        case .clean: rows = result.affectedRows ?? 0
        case .count: rows = result.rows.isEmpty ? 0 : result.integer(0, 0)
        case .session, .lock, .add, .validate, .index: break
        }
        guard let record = step.record, rows != 0, var event = event(record, id, rows, of: attempt) else {
            return (rows ?? 0, nil)
        }
        event.durationUS = (Instant.now() - began).microseconds
        if step.parameters.contains(.eventID) {
            event.detail["sample_keys"] = try sampleKeys(of: id, key, &attempt, connection, limit)
            event.detail["digest"] = try digest(of: id, key, &attempt, connection, limit)
        }
        return (rows ?? 0, event)
    }

    /// The event that a record asks for.
    func event(_ record: ForeignKeyStep.Record, _ id: UUID, _ rows: Int64?, of attempt: Attempt) -> AuditEvent? {
        guard let kind = EventKind(rawValue: record.event) else { return nil }
        var event = attempt.event(kind, by: actor)
        event.eventID = id
        event.reason = record.reason
        event.object = record.object
        event.rowCount = rows
        event.detail = record.detail.mapValues(JSONValue.string)
        return event
    }

    /// The keys of some of the rows that an event counts, as the quarantine has them; nil where nothing tells its rows apart.
    func sampleKeys(
        of event: UUID, _ key: ForeignKeyStatement, _ attempt: inout Attempt, _ connection: Connection,
        _ limit: Instant?
    ) throws(Stop) -> JSONValue? {
        let found = try ask(
            &attempt, connection, at: key, limit,
            """
            SELECT q.key::pg_catalog.text FROM \(store.schema).orphan_quarantine AS q \
            WHERE q.event_id OPERATOR(pg_catalog.=) $1::pg_catalog.uuid AND q.key IS NOT NULL \
            AND pg_catalog.pg_column_size(q.key) OPERATOR(pg_catalog.<) 1000 ORDER BY q.id LIMIT 5
            """, [.text(event.description)])
        guard !found.rows.isEmpty else { return nil }
        let keys = found.rows.map { History.json($0[0]) }
        guard settings.rowValues == .mask else { return .array(keys) }
        // The quarantine has the rows themselves.
        return .array(
            keys.map { key in
                guard case .object(let members) = key else { return .string(RowValues.mask) }
                return .object(members.mapValues { _ in .string(RowValues.mask) })
            })
    }

    /// The digest of the rows that an event counts: with it they are under the chain. What the file may add to them later is seen by the number.
    func digest(
        of event: UUID, _ key: ForeignKeyStatement, _ attempt: inout Attempt, _ connection: Connection,
        _ limit: Instant?
    ) throws(Stop) -> JSONValue {
        RowsDigest.told(
            by: try ask(
                &attempt, connection, at: key, limit, RowsDigest.question(store.schema), [.text(event.description)]))
    }

    func ask(
        _ attempt: inout Attempt, _ connection: Connection, at key: ForeignKeyStatement, _ limit: Instant?,
        _ sql: String, _ parameters: [Parameter?]
    ) throws(Stop) -> QueryResult {
        try ask(&attempt, connection, at: key.range.lowerBound, limit, sql, parameters)
    }

    /// Sends one statement of ours under the file's limits; what the server refuses is the file's failure, at that place in its text.
    func ask(
        _ attempt: inout Attempt, _ connection: Connection, at offset: Int, _ limit: Instant?,
        _ sql: String,
        _ parameters: [Parameter?]
    ) throws(Stop) -> QueryResult {
        try ours(&attempt, connection, at: offset, limit) { (connection: Connection) throws(PostgresError) in
            try connection.query(sql, parameters)
        }
    }

    /// Sends statements of ours that take no values.
    @discardableResult
    func send(
        _ sql: String, _ key: ForeignKeyStatement, _ attempt: inout Attempt, _ connection: Connection,
        _ limit: Instant?
    ) throws(Stop) -> [QueryResult] {
        FailPoint.keyStep.pass()
        return try ours(&attempt, connection, at: key.range.lowerBound, limit) {
            (connection: Connection) throws(PostgresError) in try connection.run(sql)
        }
    }

    /// Lets the server work for us under the file's limits; what it refuses is the file's failure, at that place in its text.
    private func ours<Value>(
        _ attempt: inout Attempt, _ connection: Connection, at offset: Int, _ limit: Instant?,
        _ body: (Connection) throws(PostgresError) -> Value
    ) throws(Stop) -> Value {
        let script = attempt.prepared.script
        return try guarded(
            &attempt, connection, limit, at: script.statement(at: offset).map { $0..<$0 + 1 },
            { error in
                var failure = Failure(error, in: script, piece: nil)
                failure.point(at: script.place(at: offset), of: script)
                return failure
            }, body)
    }
}

extension ForeignKeyStatement.Origin {
    /// Whether the server itself passes over the clause where its table or column stands already.
    fileprivate var isConditional: Bool {
        switch self {
        case .addConstraint: false
        case .addColumn(let ifNotExists), .createTable(let ifNotExists): ifNotExists
        }
    }
}
