internal import Audit
internal import Postgres

extension HistoryReader {
    /// The values of `column` among the newest thousand events that have one and that begin with `prefix`: quick, for completion in a shell.
    public func known(_ column: KnownColumn, prefix: String) throws(HistoryError) -> [String] {
        try reading(statementTimeout: 1000) { () throws(PostgresError) in
            let found = try connection.query(
                """
                SELECT DISTINCT n.word FROM (
                    SELECT a.\(column.rawValue) AS word FROM \(table) AS a WHERE a.\(column.rawValue) IS NOT NULL
                     ORDER BY a.seq DESC LIMIT 1000) AS n
                 WHERE pg_catalog.starts_with(n.word, $1::text) ORDER BY 1
                """, [.text(prefix)])
            return found.rows.indices.compactMap { found.text($0, 0) }
        }
    }

    /// What can be completed.
    public enum KnownColumn: String, Sendable { case version, reason }
}
