import Glibc
import LiveSupport
import Testing

@Suite struct `Several processes on one database` {
    @Test func `apply every file once between them`() throws {
        let bench = try Workbench()
        try bench.write("001_start.sql", "CREATE TABLE counter (file int);")
        let daemons = try [bench.start("run"), bench.start("run"), bench.start("run")]
        for number in 2...12 {
            try bench.write(
                "\(number < 10 ? "00" : "0")\(number)_more.sql", "INSERT INTO counter VALUES (\(number));")
        }
        try eventually("all files applied", within: .seconds(60)) {
            try bench.has("event = 'applied' AND version = '012'")
        }
        #expect(
            try bench.query("SELECT file FROM counter ORDER BY file")
                == (2...12).map(String.init).joined(separator: "\n"))
        try daemons.forEach { try bench.stop($0) }
        #expect(try bench.faults() == "")
        #expect(
            try bench.query("SELECT count(*) FROM migrated.migration_rollback_audit WHERE event LIKE 'daemon%'") == "6",
            "\(daemons.map(\.errorsSoFar).joined(separator: "\n--\n"))")
    }

    @Test func `one that is killed is followed by the other`() throws {
        let bench = try Workbench()
        try bench.write(
            "001_slow.sql", "CREATE TABLE counter (file int); INSERT INTO counter VALUES (1); SELECT pg_sleep(600);")
        let first = try bench.start("run")
        try bench.waitFor("event = 'started'", first)
        let second = try bench.start("run")
        try bench.waitFor("reason = 'locked_elsewhere'", second)
        try bench.write("001_slow.sql", "CREATE TABLE counter (file int); INSERT INTO counter VALUES (1);")
        first.signal(SIGKILL)
        try bench.waitFor("event = 'applied'", second)
        #expect(try bench.query("SELECT file FROM counter") == "1")
        let recorded = try bench.events()
        #expect(
            recorded == [
                "started 001_slow", "skipped 001_slow locked_elsewhere", "interrupted 001_slow process_died",
                "started 001_slow", "applied 001_slow",
            ]
                || recorded == [
                    // Read before and after the file was mended: news twice, because the text is another.
                    "started 001_slow", "skipped 001_slow locked_elsewhere", "skipped 001_slow locked_elsewhere",
                    "interrupted 001_slow process_died", "started 001_slow", "applied 001_slow",
                ], "\(recorded)")
        try bench.stop(second)
        #expect(try bench.faults() == "")
    }

    @Test func `a command tells who holds the lock and records once that it had to wait`() throws {
        let bench = try Workbench()
        try bench.write("001_slow.sql", "SELECT pg_sleep(600);")
        let daemon = try bench.start("run")
        try bench.waitFor("event = 'started'", daemon)
        for _ in 1...2 {
            let outcome = try bench.run("apply", "--lock-wait", "300ms")
            #expect(outcome.status == 75, "\(outcome)")
            #expect(outcome.errors.contains("another process is migrating this database: 'migrated "), "\(outcome)")
            #expect(outcome.errors.contains(" \(daemon.process)', role 'postgres', backend "), "\(outcome)")
        }
        #expect(try bench.events("event = 'skipped'") == ["skipped 001_slow locked_elsewhere"])
        #expect(
            try bench.query(
                "SELECT detail::json->'holder'->>'application' LIKE 'migrated % \(daemon.process)' FROM migrated.migration_rollback_audit WHERE reason = 'locked_elsewhere'"
            ) == "t")
        // What the other is at is no failure of the line.
        let plan = try bench.run("plan")
        #expect(plan.status == 0 && plan.output.contains("running  001_slow"), "\(plan)")
        try bench.stop(daemon)
        #expect(try bench.faults() == "")
    }
}

@Suite struct `A database that goes away` {
    @Test func `is waited for, before the start and in the middle of a file`() throws {
        let cluster = try Cluster()
        let bench = try Workbench(cluster)
        try cluster.stop(.fast)
        try bench.write("001_first.sql", "CREATE TABLE counter (file int); INSERT INTO counter VALUES (1);")
        let notify = try FakeSocket(bench.folder.path("notify"))
        let daemon = try bench.start("run", environment: ["NOTIFY_SOCKET": notify.path])
        try eventually("word of waiting") { notify.text.contains("STATUS=waiting for database: ") }
        #expect(notify.text.contains("READY=1"))
        // It tells systemd first.
        try eventually("the reason") { daemon.errorsSoFar.contains("connection to server on socket") }
        let apply = try bench.run("apply")
        #expect(apply.status == 69, "\(apply)")
        #expect(apply.errors.contains("HINT: "), "\(apply)")
        try cluster.start()
        try bench.waitFor("event = 'applied' AND version = '001'", daemon)

        notify.clear()
        try bench.write(
            "002_slow.sql",
            "INSERT INTO counter VALUES (2); SELECT pg_sleep(CASE WHEN to_regclass('mended') IS NULL THEN 600 ELSE 0 END);"
        )
        try bench.waitFor("event = 'started' AND version = '002'", daemon)
        try cluster.stop(.immediate)
        try eventually("word of waiting") { notify.text.contains("STATUS=waiting for database: ") }
        #expect(daemon.isRunning)
        try cluster.start()
        _ = try bench.query("CREATE TABLE mended ()")
        try bench.waitFor("event IN ('applied', 'interrupted') AND version = '002'", daemon)
        // It may have begun again before the table was there: what counts is what is recorded in the end.
        _ = try cluster.psql(
            bench.database.name,
            "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep%' AND pid <> pg_backend_pid()"
        )
        try eventually("002 applied", within: .seconds(60)) {
            if try bench.has("event = 'failed'") { try bench.write("002_slow.sql", "INSERT INTO counter VALUES (2);") }
            return try bench.has("event = 'applied' AND version = '002'")
        }
        #expect(try bench.query("SELECT file FROM counter ORDER BY 1") == "1\n2")
        #expect(
            try bench.events("version = '002'").prefix(2).allSatisfy {
                $0.hasPrefix("started") || $0.hasPrefix("interrupted")
            })
        #expect(try bench.faults() == "")
        try bench.stop(daemon)
        #expect(notify.text.contains("STOPPING=1"))
    }

    @Test func `does not hold up a stop`() throws {
        let cluster = try Cluster()
        let bench = try Workbench(cluster)
        try cluster.stop(.fast)
        let daemon = try bench.start("run")
        try eventually("complaint") { daemon.errorsSoFar.contains("migrated: ") }
        try bench.stop(daemon)
    }
}
