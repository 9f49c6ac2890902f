internal import Audit
internal import AuditReading
internal import Configuration
internal import Digest
internal import ForeignKeys
internal import JSON
internal import Migrations
internal import Postgres
internal import Reporting
internal import SQLParsing
internal import Systemd

/// A foreign key that was put off until what it needs is there.
struct DeferredKey {
    var seq: Int64
    var version: String
    var name: String
    var checksum: String
    var object: String
    var statement: Int
    var position: Int
    /// The attempt that put it off: what is done for it later is part of that one's story.
    var attempt: UUID
}

extension Engine {
    /// Adds the foreign keys that were deferred and whose tables are there now, each in a transaction of its own or step by step.
    ///
    /// One that still cannot be added stays deferred and is told of; it holds up nothing, because its file is applied.
    func addDeferredKeys(_ snapshot: MigrationDirectory.Snapshot, _ run: FileRun) throws(RunFailure) {
        let keys = try history.deferredKeys()
        for (index, key) in keys.enumerated() {
            // Most still cannot be added, which is no news.
            reporter.proceeds("adding a deferred key of", key.name, index + 1, of: keys.count, isTold: false)
            guard let source = try history.source(key.checksum) else { continue }
            do throws(FileRun.Stop) {
                try add(key, source, snapshot, run)
            } catch {
                sessions.dropWork()
                switch error {
                case .run(let failure): throw failure
                case .failure(let failure):
                    if failure.interrupts {
                        throw failure.reason == "stopped" ? .stopped : .interrupted(failure.complaint)
                    }
                    reporter.say(4, "deferred key \(key.object) of \(key.name) cannot be added yet: \(failure.message)")
                }
            }
            triedDeferrals.insert(key.seq)
        }
    }

    private func add(
        _ deferred: DeferredKey, _ source: [UInt8], _ snapshot: MigrationDirectory.Snapshot, _ run: FileRun
    ) throws(FileRun.Stop) {
        let (prepared, found): (PreparedFile, ForeignKeyStatement?)
        do throws(Complaint) {
            (prepared, found) = try read(deferred, source, snapshot)
        } catch {
            throw .failure(Failure("invalid_file", error))
        }
        guard let found else { return }
        let backend = try run.run { () throws(RunFailure) in try sessions.work().sessionPID }
        var attempt = Attempt(
            prepared, layout: snapshot.set.layout, firstSegment: 0, isInDoubt: false, invalidIndexes: nil,
            backend: backend, id: deferred.attempt)
        try run.addDeferred(found, seq: deferred.seq, &attempt)
    }

    /// The file that put a key off, by the text that was applied, from the history itself: it may be gone or edited by now. And the key in it.
    func read(
        _ deferred: DeferredKey, _ source: [UInt8], _ snapshot: MigrationDirectory.Snapshot
    ) throws(Complaint) -> (PreparedFile, ForeignKeyStatement?) {
        var migration =
            snapshot.set.migrations.first { $0.version == deferred.version || $0.name == deferred.name }
            ?? Migration(
                version: deferred.version, name: deferred.name, path: deferred.name,
                identity: snapshot.set.identity(version: deferred.version, name: deferred.name))
        migration.obstacle = nil
        let file = try MigrationFile(migration: migration, bytes: source)
        let prepared = try PreparedFile(deferred: file, version: deferred.version, settings: settings)
        let found = ForeignKeyStatement.all(in: prepared.script).first {
            $0.statement == deferred.statement && $0.position == deferred.position
        }
        return (prepared, found)
    }
}

extension FileRun {
    /// Adds one deferred key, if what it needs is there: step by step where that is asked for and can be, else in a transaction of its own.
    func addDeferred(_ key: ForeignKeyStatement, seq: Int64, _ attempt: inout Attempt) throws(Stop) {
        let limit = settings.deadline.microseconds > 0 ? Instant.now() + settings.deadline : nil
        try run { () throws(RunFailure) in try store.announce(attempt.token, from: attempt.backend) }
        var policy = attempt.prepared.foreignKeyPolicy(settings)
        policy.missingTable = .skip
        policy.skipsExisting = true
        if policy.way == .stepwise,
            let index = attempt.prepared.script.segments.firstIndex(where: { $0.statements.contains(key.statement) })
        {
            let planner = ForeignKeyPlanner(policy, quotedHistory: store.schema)
            let facts = try unrecorded(&attempt, index, at: key, limit) { (attempt, connection) throws(Stop) in
                try self.facts([key.key], key, &attempt, connection, limit).map { (facts) throws(Stop) in
                    try asked(facts, key, planner, &attempt, connection, limit, adding: false)
                }
            }
            if let facts = facts.first, case .steps(let steps) = planner.stepwise(key.key, facts) {
                var run = KeyRun(
                    run: self, key: key, steps: steps, policy: policy, index: index, limit: limit, deferral: seq)
                try run.add(&attempt, .nothing)
                return sessions.takeBack()
            }
        }
        let (connection, begun) = try handOver(
            attempt.prepared.script, before: key.statement,
            """
            BEGIN ISOLATION LEVEL READ COMMITTED, READ WRITE; \(limits(attempt, scope: "SET LOCAL")) \
            SET LOCAL synchronous_commit = on; SET LOCAL jit = off; \(beginningQuery)
            """)
        try own(&attempt, connection)
        var events = try add([key], policy, &attempt, connection, limit)
        let isDone = !events.contains { $0.event == .deferred }
        for index in events.indices { events[index].detail["deferred_seq"] = .integer(seq) }
        guard isDone, !events.isEmpty else {
            try run { () throws(RunFailure) in _ = try sessions.run(connection, "ROLLBACK") }
            return sessions.takeBack()
        }
        let opened = try guarded(
            &attempt, connection, limit, { [script = attempt.prepared.script] in Failure($0, in: script, piece: nil) }
        ) {
            (connection: Connection) throws(PostgresError) in
            try connection.run(
                "SET LOCAL ROLE NONE; SET LOCAL search_path = pg_catalog, pg_temp; SET LOCAL client_encoding = '\(connection.clientEncoding)'; \(endingQuery(begun.last))"
            )
        }
        let ended: [QueryResult]
        (events, ended) = try readCatalog(events, of: begun.last?.text(0, 0), opened, &attempt, connection, limit)
        reporter.report(
            try run { () throws(RunFailure) in
                try store.commit(
                    connection, events, behind: ended,
                    permit: AuditStore.Permit(token: attempt.token, holder: sessions.lock().sessionPID))
            })
        sessions.takeBack()
    }
}

extension History {
    /// Keys that are deferred and were neither added nor found in place since, nor undone with their migration.
    func deferredKeys() throws(RunFailure) -> [DeferredKey] {
        let table = "\(store.schema).migration_rollback_audit"
        let result = try store.sessions.query(
            store.sessions.books(),
            """
            SELECT d.seq, d.version, d.name, d.checksum, d.object, d.detail, d.attempt_id
              \(HistoryReader.openDeferrals(table))
            """)
        return result.rows.indices.compactMap { row in
            let detail = History.json(result.rows[row][5])
            guard let seq = result.integer(row, 0),
                let version = result.text(row, 1).map(store.sessions.name(fromWritten:)),
                let checksum = result.text(row, 3),
                let statement = detail["statement"]?.integer, let position = detail["position"]?.integer,
                let attempt = result.text(row, 6).flatMap({ UUID($0) })
            else { return nil }
            return DeferredKey(
                seq: seq, version: version, name: result.text(row, 2).map(store.sessions.name(fromWritten:)) ?? version,
                checksum: checksum,
                object: result.text(row, 4) ?? "", statement: Int(statement), position: Int(position),
                attempt: attempt)
        }
    }

    /// The events of those whose missing table is there now, in some schema at least where the file names none.
    func deferredKeysInReach() throws(RunFailure) -> [Int64] {
        let result = try store.sessions.query(
            store.sessions.books(),
            """
            SELECT w.seq
              FROM (SELECT d.seq, pg_catalog.parse_ident(d.detail::json ->> 'waits_for') AS name
                      \(HistoryReader.openDeferrals("\(store.schema).migration_rollback_audit"))) AS w
             WHERE EXISTS (SELECT FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
                            WHERE c.relname = w.name[pg_catalog.cardinality(w.name)]
                              AND (pg_catalog.cardinality(w.name) = 1 OR n.nspname = w.name[1]))
            """)
        return result.rows.indices.compactMap { result.integer($0, 0) }
    }

    /// The exact bytes of an attempted file.
    func source(_ checksum: String) throws(RunFailure) -> [UInt8]? {
        let result = try store.sessions.query(
            store.sessions.books(),
            "SELECT pg_catalog.encode(source, 'hex') FROM \(store.schema).migration_source WHERE checksum = $1",
            [.text(checksum)])
        return result.rows.isEmpty ? nil : result.text(0, 0).flatMap { Hex.bytes($0) }
    }
}
