/// A psql session that has run some SQL and stays, with its transaction and its locks, until it is ended.
public struct HeldSession: Sendable {
    private let program: Program

    /// Runs `sql` as `user`; what it prints, and whether it is done, is for the caller to look at from elsewhere.
    public init(_ database: Database, _ sql: String, user: String) throws {
        program = try Program(
            Cluster.programs + "/psql",
            [
                "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", database.cluster.conninfo(database.name, user: user), "-f",
                "-",
            ],
            input: sql + " SELECT pg_sleep(600);")
    }

    /// Ends psql, and with it the session: it cancels what runs, and stops at that error.
    public func end() { program.signal(2) }
}
