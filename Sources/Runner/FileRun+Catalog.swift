internal import Audit
internal import ForeignKeys
internal import JSON
internal import Postgres
internal import Reporting
internal import SQLParsing
internal import Systemd

extension FileRun {
    /// The statement that asks for the open transaction's number and, where the catalog is read, for its counters: without a function of the
    /// history, on which the role that an earlier part of the file has set has no rights.
    var beginningQuery: String {
        guard catalog != nil else { return "SELECT pg_catalog.pg_current_xact_id()" }
        return """
            SELECT pg_catalog.pg_current_xact_id(), \(FileRun.catalogCounters), \
            pg_catalog.pg_snapshot_xmin(pg_catalog.pg_current_snapshot()) OPERATOR(pg_catalog.=) pg_catalog.pg_current_xact_id()
            """
    }

    /// What `catalog_counters` answers, for the catalogs of `counted_catalogs`.
    static let catalogCounters = """
        (SELECT pg_catalog.array_agg(s.counter ORDER BY c.place, s.place)
           FROM pg_catalog.unnest('{1259,1249,1247,1255,2604,2606,2610,2620,3256,2618,2224,2611,3118,2600,3501,3541,2615,3079,3466,2608,3456,2617,2616,2612,\
        1417,3602,3600,2964,1261,1214,1260}'::pg_catalog.oid[]) WITH ORDINALITY AS c(oid, place)
          CROSS JOIN LATERAL (VALUES (1, pg_catalog.pg_stat_get_xact_tuples_inserted(c.oid)), (2, pg_catalog.pg_stat_get_xact_tuples_updated(c.oid)),
                                     (3, pg_catalog.pg_stat_get_xact_tuples_deleted(c.oid))) AS s(place, counter))
        """

    /// Whether others have changed, since the file before, a relation that this part of the file names and may alter: what they did is not the file's.
    ///
    /// `begun` is the answer to `beginningQuery`. Where its number is the one behind the last file's, nobody else has written anything.
    func isChangedByOthers(_ script: Script, _ statements: Range<Int>, _ begun: QueryResult?) throws(Stop) -> Bool {
        guard let catalog, let number = begun?.text(0, 0).flatMap({ Int64($0) }) else { return false }
        let isQuiet = catalog.expected == number
        let isFirst = catalog.expected == nil
        // Who has begun to write before may still end meanwhile: 0 is nobody's number.
        catalog.expected = begun?.isTrue(0, 2) == true ? number + 1 : 0
        guard catalog.isKnown, !isQuiet, !isFirst else { return false }
        let named = NamedTables(script).named
        let names = Set(
            statements.filter {
                named.indices.contains($0) && !FileRun.rowStatements.contains(script.statements[$0].node)
            }
            .flatMap { named[$0].map(\.name) })
        guard !names.isEmpty else { return false }
        return try run { () throws(RunFailure) in
            try sessions.query(
                sessions.lock(), "SELECT \(store.schema).have_relations_changed($1::text[], $2::text[])",
                [.text(Quoting.array(names.sorted())), .text(Quoting.array(catalog.ignored))]
            ).isTrue(0, 0)
        }
    }

    /// What changes rows alone.
    private static let rowStatements: Set<String> = [
        "InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt", "CopyStmt", "SelectStmt", "TruncateStmt",
    ]

    /// The statement that asks what the transaction has touched since `begun`, the answer to `beginningQuery`, and locks the head where that is nothing;
    /// where the catalog is not read it only locks the head, and where all of it has to be read it does not.
    func endingQuery(_ begun: QueryResult?, isRead: Bool = true) -> String {
        guard let catalog, let counters = begun?.text(0, 1) else { return store.headQuery }
        return store.endQuery(counters: catalog.isKnown && isRead ? counters : nil)
    }

    /// Reads what the file's transaction has changed, in that transaction and before the head is locked.
    ///
    /// - Parameters:
    ///   - transaction: its number.
    ///   - ended: the results of the message that ended in `endingQuery`.
    /// - Returns: the events, of which one says what was read, and the results with which the head is locked.
    func readCatalog(
        _ events: [AuditEvent], of transaction: String?, _ ended: [QueryResult], _ attempt: inout Attempt,
        _ connection: Connection, _ limit: Instant?
    ) throws(Stop) -> (events: [AuditEvent], ended: [QueryResult]) {
        guard let catalog else { return (events, ended) }
        let touched = ended.last?.text(0, 4)
        // A step of our own without an event leaves the catalog as it was: its triggers go with it.
        if events.isEmpty {
            guard touched != nil else { return ([], ended) }
            return ([], try lockHead(&attempt, connection, limit))
        }
        let isKnown = catalog.isKnown && attempt.isRead
        if touched == nil, isKnown { return (CatalogReading.unchanged(events), ended) }
        var left: String?
        if let touched, let transaction, isKnown {
            // What is dropped, and what had another name, only another session still sees: the one that has the lock is idle.
            left = try run { () throws(RunFailure) in
                try sessions.query(
                    sessions.lock(),
                    """
                    SELECT \(store.schema).catalog_left(($1::text)::pg_catalog.xid8, ARRAY(SELECT pg_catalog.json_array_elements_text($2::json -> 'gone')))
                    """, [.text(transaction), .text(touched)]
                ).text(0, 0)
            }
        }
        let reading = CatalogReading(ignored: catalog.ignored)
        let question = reading.question(
            store.schema, attempt.token, touched: isKnown ? touched : nil, left: left)
        let result = try guarded(
            &attempt, connection, limit, { [script = attempt.prepared.script] in Failure($0, in: script, piece: nil) }
        ) {
            (connection: Connection) throws(PostgresError) in try connection.query(question.sql, question.parameters)
        }
        // What the server does in a function that may fail has a number of its own.
        if let expected = catalog.expected, expected > 0 { catalog.expected = expected + 1 }
        let vouching = reading.vouched(by: events, result)
        guard touched != nil else { return (vouching, ended) }
        return (vouching, try lockHead(&attempt, connection, limit))
    }

    private func lockHead(
        _ attempt: inout Attempt, _ connection: Connection, _ limit: Instant?
    ) throws(Stop) -> [QueryResult] {
        try guarded(
            &attempt, connection, limit, { [script = attempt.prepared.script] in Failure($0, in: script, piece: nil) }
        ) {
            (connection: Connection) throws(PostgresError) in try connection.run(store.headQuery)
        }
    }
}
