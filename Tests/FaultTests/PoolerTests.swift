import Glibc
import LiveSupport
import Testing

private let pgbouncer = "/usr/sbin/pgbouncer"

/// PgBouncer between us and the server (fact: a session's advisory lock stays on the pooled connection, and the next client has it too).
@Suite(.enabled(if: access(pgbouncer, X_OK) == 0, "pgbouncer is not installed: deploy/install-dependencies test"))
struct `A pooler` {
    private func start(_ mode: String, _ ground: ProvingGround, _ folder: TemporaryDirectory) throws -> Program {
        let file = try folder.write(
            "pgbouncer.ini",
            """
            [databases]
            * = host=\(ground.database.cluster.directory) port=5432 user=postgres
            [pgbouncer]
            listen_addr =
            listen_port = 5432
            unix_socket_dir = \(folder.path)
            auth_type = any
            pool_mode = \(mode)
            ignore_startup_parameters = extra_float_digits
            """)
        let pooler = try Program(pgbouncer, [file], user: geteuid() == 0 ? "postgres" : nil)
        try eventually("socket of the pooler") {
            guard pooler.isRunning else { throw LiveFailure("pgbouncer: \(pooler.errorsSoFar)") }
            return access(folder.path(".s.PGSQL.5432"), F_OK) == 0
        }
        return pooler
    }

    @Test(arguments: ["transaction", "statement"])
    func `that does not keep a session on its connection is refused, and nothing is touched`(mode: String) throws {
        let ground = try ProvingGround()
        let folder = try TemporaryDirectory(mode: 0o777)
        let pooler = try start(mode, ground, folder)
        try ground.write("001_one.sql", "CREATE TABLE one ();\n")
        let conninfo = "host=\(folder.path) user=postgres dbname=\(ground.database.name)"
        for verb in ["apply", "run"] {
            let outcome = try ground.run(verb, "--database", conninfo)
            #expect(outcome.status == 78, "\(verb) \(outcome)")
            #expect(outcome.errors.contains("pooler") && outcome.errors.contains("pool_mode = session"), "\(outcome)")
        }
        #expect(try ground.query("SELECT to_regclass('one') IS NULL AND to_regnamespace('migrated') IS NULL") == "t")
        pooler.signal(SIGINT)
        try pooler.wait()
    }

    @Test func `that does is as good as none`() throws {
        let ground = try ProvingGround()
        let folder = try TemporaryDirectory(mode: 0o777)
        let pooler = try start("session", ground, folder)
        try ground.write(BrokenWay.files)
        let outcome = try ground.run(
            "apply", "--database", "host=\(folder.path) user=postgres dbname=\(ground.database.name)")
        #expect(outcome.status == 0, "\(outcome)")
        #expect(try ground.query("SELECT file FROM counter ORDER BY 1") == BrokenWay.effects)
        #expect(try ground.faults() == "")
        pooler.signal(SIGINT)
        try pooler.wait()
    }
}
