internal import Audit
internal import AuditReading
internal import Digest
internal import Postgres

extension AuditStore {
    /// Whether the history, where one is `installed`, goes on from the newest anchor; asked without a lock.
    func continuity(
        _ connection: Connection, installed: Bool
    ) throws(RunFailure) -> (found: Continuity, head: ChainHead?) {
        guard let anchor = witness.newest?.head else { return (.whole, nil) }
        guard installed else { return (.gone, nil) }
        let result = try sessions.query(
            connection,
            """
            SELECT h.seq, pg_catalog.encode(h.hash, 'hex'),
                   (SELECT pg_catalog.encode(a.hash, 'hex') FROM \(schema).migration_rollback_audit AS a WHERE a.seq = $1::bigint)
              FROM \(schema).audit_head AS h
            """, [.integer(anchor.seq)])
        guard let head = result.chainHead(0) else { return (.gone, nil) }
        return (
            Continuity(anchor: anchor, head: head, hashAtAnchor: result.text(0, 2).flatMap { Hex.bytes($0) }), head
        )
    }

    /// The newest rows behind `seq`, `limit` at most, in the order of the chain.
    func newestRows(_ connection: Connection, behind seq: Int64, limit: Int) throws(RunFailure) -> [HistoryRow] {
        let columns = AuditColumn.allCases.map { "a.\($0.rawValue)" }.joined(separator: ", ")
        let result = try sessions.query(
            connection,
            """
            SELECT \(columns) FROM \(schema).migration_rollback_audit AS a
             WHERE a.seq > $1::bigint ORDER BY a.seq DESC LIMIT \(limit)
            """, [.integer(seq)], binary: true)
        do throws(PostgresError) { return try HistoryRow.all(result).reversed() } catch { throw .lost(error) }
    }

    /// The genesis of the history's chain as hexadecimal digits, and its newest event's number.
    func genesis(_ connection: Connection) throws(RunFailure) -> (digits: String, seq: Int64)? {
        let result = try sessions.query(
            connection, "SELECT pg_catalog.encode(h.genesis, 'hex'), h.seq FROM \(schema).audit_head AS h")
        guard !result.rows.isEmpty, let digits = result.text(0, 0), let seq = result.integer(0, 1) else { return nil }
        return (digits, seq)
    }

    /// Those of the heads that are in the history.
    func holding(_ connection: Connection, _ heads: [ChainHead]) throws(RunFailure) -> Set<ChainHead> {
        let list = "[" + heads.map { "[\($0.seq),\"\(Hex.text($0.hash))\"]" }.joined(separator: ",") + "]"
        let result = try sessions.query(
            connection,
            """
            SELECT a.seq, w.head ->> 1 FROM pg_catalog.jsonb_array_elements($1::pg_catalog.jsonb) AS w(head)
              JOIN \(schema).migration_rollback_audit AS a
                ON a.seq = (w.head ->> 0)::bigint AND pg_catalog.encode(a.hash, 'hex') = w.head ->> 1
            """, [.text(list)])
        return Set(result.rows.indices.compactMap(result.chainHead))
    }
}

extension QueryResult {
    /// The head in a row whose first columns are its number and its hash in hexadecimal digits; nil where there is none.
    func chainHead(_ row: Int) -> ChainHead? {
        guard rows.indices.contains(row), let seq = integer(row, 0), let hash = text(row, 1).flatMap({ Hex.bytes($0) })
        else { return nil }
        return ChainHead(seq: seq, hash: hash)
    }
}
