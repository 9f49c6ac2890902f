internal import Audit
internal import JSON
internal import Postgres
internal import Replay
internal import Reporting
internal import SQLParsing
internal import Systemd

extension FileRun {
    /// What came of a segment that cannot be in a transaction.
    struct Alone {
        /// What it has left, where it was found to have run before.
        var found: String?
        /// What is to be recorded with it.
        var events: [AuditEvent] = []
    }

    /// Runs a segment that cannot be in a transaction.
    ///
    /// A concurrent build that breaks leaves an invalid index behind (PostgreSQL manual, CREATE INDEX, "Building Indexes Concurrently"):
    /// it is found, dropped and recorded, before a retry and after a failure.
    func alone(_ attempt: inout Attempt, _ index: Int, _ limit: Instant?) throws(Stop) -> Alone {
        let script = attempt.prepared.script
        let segment = script.segments[index]
        let builds = segment.concurrentIndex.flatMap { $0.action == .drop ? nil : $0 }
        let connection = try handOver(script, before: segment.statements.lowerBound).connection
        var built = Built()
        if let named = segment.concurrentIndex {
            // Once, here: only this session has the search_path by which the file names things.
            built = try run { () throws(RunFailure) in try resolve(named) }
        }
        if builds != nil {
            attempt.isRead = false
            try dropLeftovers(attempt, built)
        }
        if attempt.isInDoubt, index == attempt.firstSegment, let remains = try remains(attempt, segment, built) {
            attempt.isRead = false
            return Alone(found: remains)
        }
        let relied = ReliedIndex(creating: segment.statements.lowerBound, in: script)
        if let relied { try refuseWhileBuilt(relied, &attempt, connection, limit) }
        let replayed = try replayAlone(&attempt, connection, segment.statements.lowerBound, limit)
        guard let text = replayed.text(script.text, [], script) else {
            if let relied { try require(relied, &attempt, connection, limit) }
            return Alone(events: replayed.events)
        }
        var isConcurrent = segment.concurrentIndex != nil
        if case .detached = segment.trace { isConcurrent = true }
        try run { () throws(RunFailure) in
            _ = try sessions.run(
                connection,
                limits(
                    attempt, scope: "SET", isConcurrent: isConcurrent,
                    waitsForSnapshots: segment.concurrentIndex != nil))
        }
        if !["VacuumStmt", "CheckPointStmt"].contains(script.statements[segment.statements.lowerBound].node) {
            attempt.isRead = false
        }
        do throws(Stop) {
            try statements(&attempt, connection, Piece(segment.statements, index, script, text), limit)
        } catch {
            guard builds != nil, case .failure(let failure) = error else { throw error }
            // A stop or a lost session leaves no time here; the next attempt finds what is left.
            if !failure.interrupts {
                sessions.dropWork()
                try dropLeftovers(attempt, built)
            }
            throw error
        }
        guard connection.transactionStatus == .idle else {
            throw .failure(
                Failure(
                    "escaped_transaction",
                    Complaint(.failed, "the statement left a transaction open", place: Place(file: script.file))))
        }
        if builds != nil, try !leftovers(attempt, built).isEmpty {
            try dropLeftovers(attempt, built)
            throw .failure(
                Failure(
                    "invalid_index",
                    Complaint(
                        .failed, "the index was built but is not valid",
                        place: script.place(at: segment.range.lowerBound))))
        }
        if let relied { try require(relied, &attempt, connection, limit) }
        return Alone(events: replayed.events + attempt.takeExisting(by: actor))
    }

    /// Looks in a transaction of its own, which is rolled back, what of a statement stands already.
    private func replayAlone(_ attempt: inout Attempt, _ connection: Connection, _ statement: Int, _ limit: Instant?)
        throws(Stop) -> Replayed
    {
        let script = attempt.prepared.script
        let replaying = Replaying(
            attempt.prepared.existing(settings), script, script.text, in: statement..<statement + 1)
        guard !replaying.isEmpty else { return Replayed() }
        try run { () throws(RunFailure) in
            _ = try sessions.run(connection, "BEGIN; \(limits(attempt, scope: "SET LOCAL")) SET LOCAL jit = off")
        }
        let replayed = try replay(statement, replaying, &attempt, connection, limit)
        try run { () throws(RunFailure) in _ = try sessions.run(connection, "ROLLBACK") }
        for name in replayed.invalid {
            try run { () throws(RunFailure) in
                try sessions.run(connection, "DROP INDEX CONCURRENTLY IF EXISTS \(name)")
                reporter.report(try store.record([dropped(name, attempt)]))
            }
        }
        return replayed
    }

    /// Names of invalid indexes of the segment's table that this file's attempts have left; one that is being built is not among them.
    func leftovers(_ attempt: Attempt, _ built: Built) throws(Stop) -> [String] {
        try run { () throws(RunFailure) in
            let invalid = try invalidIndexes(of: built)
            guard !invalid.isEmpty else { return [] }
            // Those that stand before a further attempt may be an earlier one's.
            let before =
                try history.invalidIndexesBefore(version: attempt.prepared.version)
                ?? Set(attempt.invalidIndexes ?? [])
            return invalid.filter { !before.contains($0) }
        }
    }

    func dropLeftovers(_ attempt: Attempt, _ built: Built) throws(Stop) {
        for name in try leftovers(attempt, built) {
            try run { () throws(RunFailure) in
                try sessions.run(sessions.work(), "DROP INDEX CONCURRENTLY IF EXISTS \(name)")
                var event = attempt.event(.invalidIndexDropped, by: actor)
                event.reason = "broken_build"
                event.object = name
                reporter.report(try store.record([event]))
            }
        }
    }

    /// What a concurrent build is about, by oid; nil where there is no such thing (yet).
    struct Built {
        var table: String?
        var index: String?
    }

    private func resolve(_ builds: ConcurrentIndex) throws(RunFailure) -> Built {
        func name(_ last: String?) -> Parameter? {
            last.map { .text(Quoting.qualified([builds.schema, $0].compactMap(\.self))) }
        }
        let found = try sessions.query(
            sessions.work(),
            "SELECT pg_catalog.to_regclass($1)::pg_catalog.oid, pg_catalog.to_regclass($2)::pg_catalog.oid",
            [name(builds.table), name(builds.index)])
        return Built(table: found.text(0, 0), index: found.text(0, 1))
    }

    private func invalidIndexes(of built: Built) throws(RunFailure) -> [String] {
        let result = try sessions.query(
            sessions.lock(),
            """
            SELECT pg_catalog.format('%I.%I', n.nspname, c.relname)
              FROM pg_catalog.pg_index AS i
              JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
              JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
             WHERE NOT i.indisvalid AND c.relkind = 'i'
               AND i.indrelid = coalesce($1::oid, (SELECT x.indrelid FROM pg_catalog.pg_index AS x WHERE x.indexrelid = $2::oid))
               AND NOT \(IndexBuild.isRunning("c.oid", on: "i.indrelid"))
             ORDER BY 1
            """, [built.table.map(Parameter.text), built.index.map(Parameter.text)])
        return result.rows.indices.compactMap { result.text($0, 0) }
    }
}
