import Glibc
import LiveSupport
import Testing

/// A daemon that does not run and does not end: a stopped process, a virtual machine that is moved.
@Suite struct `A frozen daemon` {
    private static let settings = ProvingGround.quick + "idle-in-transaction-timeout = \"300ms\"\n"

    private func ground() throws -> ProvingGround {
        let ground = try ProvingGround(settings: Self.settings)
        try ground.query("CREATE TABLE counter (file text); CREATE TABLE go (now int)")
        try ground.write("001_one.sql", `A server that fails in the middle of a file`.waiting)
        return ground
    }

    /// Lets the file go on; the one who sent it does not hear of that.
    private func freeze(_ daemon: Program, _ ground: ProvingGround) throws {
        try ground.waitFor("event = 'started'", daemon)
        try eventually("waiting file") {
            try ground.query(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'")
                == "1"
        }
        daemon.signal(SIGSTOP)
        try ground.query("INSERT INTO go VALUES (1)")
    }

    /// Awake, it applies the file and goes in peace.
    private func wake(_ daemon: Program, _ ground: ProvingGround) throws {
        daemon.signal(SIGCONT)
        try ground.waitFor("event = 'applied'", daemon)
        try ground.stop(daemon)
    }

    private static let sessions =
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'migrated %'"

    @Test func `loses its transaction to the server, and tries again when it wakes`() throws {
        let ground = try ground()
        let daemon = try ground.start("run")
        try freeze(daemon, ground)
        // The server ends what has fallen silent inside a transaction; the idle session with the lock stays.
        try eventually("end of the transaction") { try ground.query(Self.sessions) == "1" }
        let other = try ground.run("apply", "--lock-wait", "0")
        #expect(
            other.status == 75 && other.errors.contains("another process is migrating this database: 'migrated "),
            "\(other)")
        #expect(other.errors.contains("HINT: "), "\(other)")
        #expect(try ground.query("SELECT count(*) FROM counter") == "0")
        try wake(daemon, ground)
        #expect(
            try ground.events() == [
                "started 001_one", "skipped 001_one locked_elsewhere", "interrupted 001_one connection_lost",
                "started 001_one",
                "applied 001_one",
            ])
        try `A server that fails in the middle of a file`.check(ground)
    }

    /// What systemd's watchdog does, an operator can: end the sessions, so that another takes over. The frozen one wakes to find that.
    @Test func `whose lock was taken from it finds the other's work when it wakes`() throws {
        let ground = try ground()
        let daemon = try ground.start("run")
        let second = try ground.start("run")
        try ground.waitFor("reason = 'locked_elsewhere'", daemon)
        let asleep = daemon.process
        let holder = try ground.query(
            "SELECT application_name FROM pg_stat_activity AS a JOIN pg_locks AS l USING (pid) WHERE a.datname = current_database() AND l.locktype = 'advisory'"
        )
        let (frozen, awake) = holder.hasSuffix(" \(asleep)") ? (daemon, second) : (second, daemon)
        try freeze(frozen, ground)
        try ground.query(
            "SELECT pg_terminate_backend(a.pid) FROM pg_stat_activity AS a JOIN pg_locks AS l USING (pid) WHERE a.datname = current_database() AND l.locktype = 'advisory'"
        )
        try ground.waitFor("event = 'applied'", awake)
        frozen.signal(SIGCONT)
        try eventually("its own sessions again") { try ground.query(Self.sessions) == "4" }
        try ground.write("002_two.sql", "CREATE TABLE two ();\n")
        try ground.waitFor("event = 'applied' AND version = '002'", frozen)
        try ground.stop(frozen)
        try ground.stop(awake)
        #expect(try ground.query("SELECT file FROM counter") == "one")
        #expect(try ground.events("event = 'applied'") == ["applied 001_one", "applied 002_two"])
        #expect(try ground.faults() == "")
    }

    /// Behind the file's last word the history's head is locked: nobody else may be kept from recording for as long as a file may be silent.
    @Test func `lets go of the history soon`() throws {
        let ground = try ProvingGround(settings: ProvingGround.quick)
        try ground.write("001_one.sql", "CREATE TABLE one ();\n")
        let daemon = try ground.start("run", environment: ["MIGRATED_FAILPOINT": "before-append:1:stop"])
        let held = """
            SELECT count(*) FROM pg_locks AS l JOIN pg_database AS d ON d.oid = l.database
             WHERE d.datname = current_database() AND l.relation = to_regclass('migrated.audit_head') AND l.mode = 'RowShareLock'
            """
        try eventually("freezing") { daemon.isStopped }
        #expect(try ground.query(held) == "1")
        try eventually("end of the lock", within: .seconds(40)) { try ground.query(held) == "0" }
        try wake(daemon, ground)
        #expect(
            try ground.events() == [
                "started 001_one", "interrupted 001_one connection_lost", "started 001_one", "applied 001_one",
            ])
        #expect(try ground.faults() == "")
    }

    /// Only the lock is lost: the transaction stands, and must not be committed.
    @Test func `that lost nothing but its lock does not commit`() throws {
        let ground = try ProvingGround(settings: ProvingGround.quick)
        try ground.query("CREATE TABLE counter (file text); CREATE TABLE go (now int)")
        try ground.write("001_one.sql", `A server that fails in the middle of a file`.waiting)
        let daemon = try ground.start("run")
        try freeze(daemon, ground)
        try ground.query(
            "SELECT pg_terminate_backend(a.pid) FROM pg_stat_activity AS a JOIN pg_locks AS l USING (pid) WHERE a.datname = current_database() AND l.locktype = 'advisory'"
        )
        try wake(daemon, ground)
        #expect(
            try ground.events() == [
                "started 001_one", "interrupted 001_one lock_lost", "started 001_one", "applied 001_one",
            ])
        try `A server that fails in the middle of a file`.check(ground)
    }
}
