/// One database of a private server, empty when the test gets it.
public struct Database: Sendable {
    /// The server, kept running as long as this value lives.
    public let cluster: Cluster
    /// Its name, a plain identifier.
    public let name: String

    /// The database of this name on this server, which must exist.
    public init(cluster: Cluster, name: String) {
        self.cluster = cluster
        self.name = name
    }

    /// A libpq connection string for it.
    public var conninfo: String { cluster.conninfo(name) }

    /// Runs SQL through the real psql(1), stopping at the first error.
    public func psql(_ sql: String, user: String = "postgres") throws -> Program.Outcome {
        try cluster.psql(name, sql, user: user)
    }

    /// What SQL prints, one line per row, columns separated by `|`, without the last newline; an SQL error is thrown.
    @discardableResult
    public func query(_ sql: String) throws -> String {
        let outcome = try psql(sql)
        guard outcome.status == 0 else { throw LiveFailure("psql: \(outcome)") }
        return outcome.output.hasSuffix("\n") ? String(outcome.output.dropLast()) : outcome.output
    }
}
