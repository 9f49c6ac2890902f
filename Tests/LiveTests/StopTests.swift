import Glibc
import LiveSupport
import Testing

@Suite struct `A stop` {
    @Test func `in the middle of a statement rolls back, is recorded, and the next start goes on`() throws {
        let bench = try Workbench()
        try bench.write(
            "001_slow.sql",
            "CREATE TABLE counter (file int); INSERT INTO counter VALUES (1);\nSELECT pg_sleep(600) FROM (SELECT) AS s WHERE to_regclass('go') IS NULL;"
        )
        try bench.write("002_next.sql", "INSERT INTO counter VALUES (2);")
        let daemon = try bench.start("run")
        try eventually("sleeping statement") {
            try bench.query(
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()")
                != "0"
        }
        try bench.stop(daemon)
        #expect(try bench.events() == ["started 001_slow", "interrupted 001_slow stopped"])
        #expect(try bench.query("SELECT to_regclass('counter')") == "")
        #expect(
            try bench.query("SELECT event, reason FROM migrated.migration_rollback_audit WHERE event LIKE 'daemon%'")
                == "daemon_started|\ndaemon_stopped|sigterm")
        _ = try bench.query("CREATE TABLE go ()")
        let next = try bench.start("run")
        try bench.waitFor("event = 'applied' AND version = '002'", next)
        #expect(try bench.query("SELECT file FROM counter") == "1\n2")
        try bench.stop(next)
        #expect(try bench.faults() == "")
    }

    @Test func `of a command run by hand ends it with 75 and says so`() throws {
        let bench = try Workbench()
        try bench.write("001_slow.sql", "SELECT pg_sleep(600);")
        let apply = try bench.start("apply")
        try eventually("sleeping statement") {
            try bench.query(
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()")
                != "0"
        }
        apply.signal(SIGINT)
        let outcome = try apply.outcome()
        #expect(outcome.status == 75, "\(outcome)")
        #expect(try bench.events() == ["started 001_slow", "interrupted 001_slow stopped"])
        #expect(try bench.faults() == "")
    }

    @Test func `is served while another process holds the lock`() throws {
        let bench = try Workbench()
        try bench.write("001_slow.sql", "SELECT pg_sleep(600);")
        let first = try bench.start("run")
        try bench.waitFor("event = 'started'", first)
        let second = try bench.start("run")
        try bench.waitFor("reason = 'locked_elsewhere'", second)
        try bench.stop(second)
        try bench.stop(first)
        #expect(try bench.faults() == "")
    }

    @Test func `ends a daemon that has nothing to do`() throws {
        let bench = try Workbench()
        let daemon = try bench.start("run", "--settle", "500ms")
        try bench.waitFor("event = 'daemon_started'", daemon)
        try bench.stop(daemon)
        #expect(try bench.has("event = 'daemon_stopped'"))
    }
}
