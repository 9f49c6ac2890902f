internal import Postgres

extension HistoryReader {
    /// The hosts that events of the history name.
    public func hosts() throws(HistoryError) -> Set<String> {
        try reading(statementTimeout: StatementTimeout.page) { () throws(PostgresError) in
            let found = try connection.query("SELECT DISTINCT e.host FROM \(table) AS e WHERE e.host IS NOT NULL")
            return Set(found.rows.indices.compactMap { found.text($0, 0) })
        }
    }
}
