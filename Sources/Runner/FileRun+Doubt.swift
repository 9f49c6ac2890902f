internal import Audit
internal import Migrations
internal import Postgres
internal import Reporting
internal import SQLParsing

extension FileRun {
    /// What a statement outside of a transaction has left, where an attempt that was cut off has run it and lost its record; nil where it is
    /// to run. Throws a failure where the catalog cannot tell, so that a person has to.
    ///
    /// What could have been there before proves nothing: only what is newer than the last record before the statement counts, by the
    /// transactions that wrote the rows (`xmin`, PostgreSQL manual 5.5 "System Columns").
    func remains(_ attempt: Attempt, _ segment: Segment, _ built: Built) throws(Stop) -> String? {
        switch segment.trace ?? .nowhere {
        case .harmless: return nil
        case .made(let object): return try exists(object, since: since(attempt)) ? description(object) : nil
        case .dropped(let object): return try exists(object, since: nil) ? nil : description(object)
        case .detached(let partition, let parent): return try detached(partition, parent)
        case .index:
            guard let index = segment.concurrentIndex else { return nil }
            return try remains(attempt, segment, index, built)
        case .nowhere:
            throw unknown(
                attempt, segment,
                "nothing in the database shows whether it has run, and it may have committed a part of its work")
        }
    }

    private func remains(
        _ attempt: Attempt, _ segment: Segment, _ index: ConcurrentIndex, _ built: Built
    ) throws(Stop) -> String? {
        if index.action == .drop {
            guard built.index == nil, let name = index.index else { return nil }
            return Quoting.qualified([index.schema, name].compactMap(\.self))
        }
        guard let table = built.table else { return nil }
        let since = try since(attempt)
        let found = try run { () throws(RunFailure) in
            try sessions.query(
                sessions.lock(),
                """
                SELECT pg_catalog.pg_get_indexdef(i.indexrelid)
                  FROM pg_catalog.pg_index AS i
                  JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
                 WHERE i.indisvalid AND i.indrelid = $1::oid AND c.relname = coalesce($2, c.relname)
                   AND pg_catalog.age(c.xmin) <= pg_catalog.age($3::text::pg_catalog.xid)
                """, [.text(table), index.index.map(Parameter.text), .text(since)])
        }
        guard let definition = found.rows.isEmpty ? nil : found.text(0, 0) else { return nil }
        guard index.index != nil else {
            throw unknown(
                attempt, segment, "it names no index, and '\(definition)' has come into being since; it may be its own")
        }
        return definition
    }

    private func exists(_ object: Trace.Object, since: String?) throws(Stop) -> Bool {
        let source =
            switch object.kind {
            case .database: "pg_catalog.pg_database AS o WHERE o.datname = $1"
            case .tablespace: "pg_catalog.pg_tablespace AS o WHERE o.spcname = $1"
            case .subscription:
                "pg_catalog.pg_subscription AS o JOIN pg_catalog.pg_database AS d ON d.oid = o.subdbid "
                    + "WHERE d.datname = pg_catalog.current_database() AND o.subname = $1"
            }
        return try run { () throws(RunFailure) in
            try sessions.query(
                sessions.lock(),
                """
                SELECT EXISTS (SELECT FROM \(source)
                   AND ($2::text IS NULL OR pg_catalog.age(o.xmin) <= pg_catalog.age($2::text::pg_catalog.xid)))
                """, [.text(object.name), since.map(Parameter.text)]
            ).isTrue(0, 0)
        }
    }

    private func description(_ object: Trace.Object) -> String {
        "\(object.kind.rawValue) \(Quoting.identifier(object.name))"
    }

    /// A partition that is detached; where only the first of the two transactions was done, the second is done here (PostgreSQL manual, ALTER
    /// TABLE, "DETACH PARTITION … FINALIZE").
    private func detached(_ partition: [String], _ parent: [String]) throws(Stop) -> String? {
        return try run { () throws(RunFailure) in
            let connection = try sessions.work()
            let found = try sessions.query(
                connection,
                """
                SELECT i.inhrelid IS NULL, coalesce(pg_catalog.to_jsonb(i) ->> 'inhdetachpending' = 'true', false)
                  FROM (SELECT pg_catalog.to_regclass($1)::pg_catalog.oid AS partition, pg_catalog.to_regclass($2)::pg_catalog.oid AS parent) AS n
                  LEFT JOIN pg_catalog.pg_inherits AS i ON i.inhrelid = n.partition AND i.inhparent = n.parent
                 WHERE n.partition IS NOT NULL AND n.parent IS NOT NULL
                """, [.text(Quoting.qualified(partition)), .text(Quoting.qualified(parent))])
            guard !found.rows.isEmpty else { return nil }
            if found.isTrue(0, 0) { return Quoting.qualified(partition) }
            guard found.isTrue(0, 1) else { return nil }
            try sessions.run(
                connection,
                "ALTER TABLE \(Quoting.qualified(parent)) DETACH PARTITION \(Quoting.qualified(partition)) FINALIZE")
            return Quoting.qualified(partition)
        }
    }

    private func since(_ attempt: Attempt) throws(Stop) -> String {
        try run { () throws(RunFailure) in
            try history.transactionBeforeDoubt(version: attempt.prepared.version, attempt.prepared.direction)
        }
    }

    private func unknown(_ attempt: Attempt, _ segment: Segment, _ because: String) -> Stop {
        let script = attempt.prepared.script
        let version = Printable.line(attempt.prepared.version, limit: 80)
        let place = script.place(at: segment.range.lowerBound)
        var complaint = Complaint(
            .failed,
            "this statement may have run already: an attempt was cut off at it, and \(because); nothing was run",
            hint: """
                Look at the database. Where it has not run, 'migrated retry \(version)' runs it; where it has, take it out of \
                the file, which then goes on behind it, or 'migrated resolve \(version) --applied' if nothing is left to do.
                """)
        complaint.point(at: place, of: script.text)
        return .failure(Failure("outcome_unknown", complaint))
    }
}
