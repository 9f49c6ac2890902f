internal import Postgres

extension HistoryReader {
    /// The newest states of the versions that have this version or whole name.
    public func states(of migration: String) throws(HistoryError) -> [HistoryStatus.Version] {
        try reading(statementTimeout: StatementTimeout.page) { () throws(PostgresError) in
            try versions(
                where: """
                    s.version = $1::text
                    OR s.version IN (SELECT a.version FROM \(table) AS a WHERE a.name = $1::text)
                    """, [.text(migration)])
        }
    }
}
