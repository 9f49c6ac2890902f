import Glibc
import LiveSupport
import Testing

/// A rollback is an attempt like any other, and keeps in mind what it was asked for.
@Suite struct `A rollback` {
    @Test func `that has to wait for a lock brings the rows back all the same, and says why it was asked for`() throws {
        let bench = try Workbench()
        try bench.folder.write(
            "migrated.toml",
            "lock-timeout = \"100ms\"\nretry-wait = \"50ms\"\nretry-wait-max = \"50ms\"\nretry-tries = 1000\n")
        try bench.write(
            "001_t.up.sql",
            "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (id int PRIMARY KEY, p int NOT NULL); INSERT INTO c VALUES (1, 7);"
        )
        try bench.write(
            "002_k.up.sql",
            "-- migrated: orphans=clean orphan-limit=5\nALTER TABLE c ADD CONSTRAINT c_p FOREIGN KEY (p) REFERENCES p (id);"
        )
        try bench.write("002_k.down.sql", "ALTER TABLE c DROP CONSTRAINT c_p;")
        #expect(try bench.run("apply").status == 0)
        #expect(try bench.query("SELECT count(*) FROM c") == "0")
        let holder = try Program(
            Cluster.programs + "/psql", ["-X", "-q", "-d", bench.database.conninfo],
            input: "BEGIN; SELECT * FROM c; SELECT pg_sleep(600);")
        try eventually("lock") {
            try bench.query("SELECT count(*) FROM pg_locks WHERE granted AND relation = 'c'::regclass") == "1"
        }
        let rollback = try bench.start("rollback", "--last", "1", "--reason", "the key was wrong")
        try bench.waitFor("event = 'rollback_failed' AND reason = 'lock_timeout'", rollback)
        holder.signal(SIGINT)
        let outcome = try rollback.outcome()
        #expect(outcome.status == 0, "\(outcome)")
        #expect(try bench.query("SELECT id, p FROM c") == "1|7")
        #expect(
            try bench.events("direction = 'down' AND event NOT IN ('started', 'rollback_failed')") == [
                "orphans_restored 002_k", "rolled_back 002_k",
            ])
        #expect(
            try bench.query(
                "SELECT DISTINCT event, message, initiated_by <> '' FROM migrated.migration_rollback_audit WHERE direction = 'down' AND event IN ('started', 'rolled_back') ORDER BY 1"
            ) == "rolled_back|the key was wrong|t\nstarted|the key was wrong|t")
        #expect(try bench.run("retry", "002", "--reason", "it was right").status == 0)
        #expect(
            try bench.query(
                "SELECT message FROM migrated.migration_rollback_audit WHERE event = 'resolved' AND reason = 'retry'")
                == "it was right")
    }
}
