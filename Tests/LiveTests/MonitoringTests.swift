import Glibc
import LiveSupport
import Testing

/// Metrics and hooks of a running daemon.
@Suite struct `What a daemon tells others` {
    private let bench: Workbench

    init() throws {
        bench = try Workbench()
        try bench.folder.makeDirectory("hooks")
        try bench.folder.write(
            "migrated.toml",
            """
            metrics-file = "migrated.prom"
            hooks = "hooks"
            hook-timeout = "1s"
            retry-tries = 1
            """)
    }

    private func hook(_ name: String, _ text: String, mode: mode_t = 0o755) throws {
        try bench.folder.write("hooks/" + name, "#!/bin/sh\n" + text)
        #expect(chmod(bench.folder.path("hooks/" + name), mode) == 0)
    }

    @Test func `hooks get each event of their kinds as JSON, and hinder nothing`() throws {
        let seen = bench.folder.path("seen")
        try hook(
            "10-keep",
            "cat >>'\(seen)'; echo \"env $MIGRATED_EVENT ${MIGRATED_VERSION} ${NOTIFY_SOCKET-none}\" >>'\(seen)'")
        try hook("20-fails", "exit 3")
        try hook("30-hangs", "sleep 60 & wait")
        try hook("40-anybody", "echo anybody >>'\(seen)'", mode: 0o777)
        try hook("50-not-executable", "echo not >>'\(seen)'", mode: 0o644)
        try hook("60.off", "echo off >>'\(seen)'")
        try bench.write("001_a.sql", "CREATE TABLE a ();")
        try bench.write("002_b.sql", "SELECT 1 / 0;")
        let daemon = try bench.start("run", environment: ["NOTIFY_SOCKET": "/nowhere"])
        try bench.waitFor("event = 'failed'", daemon)
        try eventually("both events") {
            try Program.run("/bin/cat", [seen]).output.contains("env failed 002 none")
        }
        try eventually("words about the second hang") {
            daemon.errorsSoFar.components(of: "30-hangs' for failed") > 0
        }
        try bench.stop(daemon)
        let words = try Program.run("/bin/cat", [seen]).output
        let events = try Program.run(
            "/usr/bin/jq", ["-c", "[.event, .version, .detail.sqlstate, .sqlstate, has(\"object\")]"],
            input:
                words
                .split(separator: "\n").filter { $0.hasPrefix("{") }.joined(separator: "\n")
        ).output
        #expect(events == "[\"applied\",\"001\",null,null,true]\n[\"failed\",\"002\",null,\"22012\",true]\n")
        #expect(words.components(of: "env applied 001 none") == 1)
        for never in ["anybody", "not", "off"] { #expect(!words.split(separator: "\n").contains { $0 == never }) }
        #expect(daemon.errorsSoFar.contains("20-fails' for applied (seq 3) ended with exit code 3"))
        #expect(daemon.errorsSoFar.contains("30-hangs' for applied (seq 3) was killed: it took longer than 1.0s"))
        #expect(daemon.errorsSoFar.contains("40-anybody' is not run: others than its owner may write it"))
    }

    @Test func `hooks cannot read what the daemon signs and logs in with, by whatever way`() throws {
        let (seen, key, passwords) = (bench.folder.path("seen"), bench.folder.path("key"), bench.folder.path("pgpass"))
        #expect(try Program.run(Program.built("migrated"), ["keygen", "--out", key]).status == 0)
        try bench.folder.write("pgpass", "*:*:*:*:hunter2\n")
        try bench.folder.write("ordinary", "an ordinary file\n")
        #expect(chmod(passwords, 0o600) == 0 && symlink(key, bench.folder.path("link")) == 0)
        try bench.folder.write(
            "migrated.toml", "hooks = \"hooks\"\nsigning-key = \"\(key)\"\nretry-tries = 1\n")
        try hook(
            "10-spies",
            """
            {
                echo "spied on $(cat '\(bench.folder.path("ordinary"))') $(id -u)"
                cat '\(key)' '\(passwords)' '\(bench.folder.path("link"))'
                cat "/proc/$PPID/root\(key)" "/proc/self/root\(passwords)" "/proc/$PPID/cwd/\(key)"
                cp '\(key)' '\(bench.folder.path("copy"))'; cat '\(bench.folder.path("copy"))'
                ln '\(key)' '\(bench.folder.path("hard"))'; cat '\(bench.folder.path("hard"))'
                sh -c "cat '\(key)'"
                jq -r '"event " + .event' /dev/stdin
            } >>'\(seen)' 2>/dev/null
            echo done >>'\(seen)'
            """)
        try bench.write("001_a.sql", "CREATE TABLE a ();")
        let daemon = try bench.start("run", environment: ["PGPASSFILE": passwords])
        try eventually("hook") { try Program.run("/bin/cat", [seen]).output.hasSuffix("done\n") }
        try bench.stop(daemon)
        let words = try Program.run("/bin/cat", [seen]).output
        #expect(words == "spied on an ordinary file \(geteuid())\nevent applied\ndone\n", "\(words)")
        #expect(!daemon.errorsSoFar.contains("Landlock"))
    }

    @Test func `metrics follow the events, by Prometheus's rules`() throws {
        try bench.query("CREATE TABLE t (); CREATE FUNCTION later() RETURNS void LANGUAGE sql AS 'SELECT 1'")
        try bench.write("001_a.sql", "CREATE TABLE a ();")
        try bench.write("002_b.sql", "SELECT 1 / 0;")
        let daemon = try bench.start("run")
        try bench.waitFor("event = 'failed'", daemon)
        try eventually("metrics of the failure") { try metrics().contains("state=\"failed\"} 1\n") }
        try bench.write("002_b.sql", "CREATE TABLE b ();")
        try bench.waitFor("event = 'applied' AND version = '002'", daemon)
        try eventually("metrics of the mending") { try metrics().contains("state=\"failed\"} 0\n") }
        try bench.stop(daemon)

        let text = try metrics()
        let database = "database=\"\(bench.database.name)\""
        for line in [
            "migrated_migrations{\(database),state=\"applied\"} 2",
            "migrated_migrations{\(database),state=\"pending\"} 0",
            "migrated_attempts_total{\(database),result=\"applied\"} 2",
            "migrated_attempts_total{\(database),result=\"failed\"} 1",
            "migrated_attempt_duration_seconds_count{\(database),result=\"failed\"} 1",
            "migrated_lock_timeouts_total{\(database)} 0", "migrated_journal_entries_dropped_total{\(database)} 0",
        ] { #expect(text.contains(line + "\n"), "\(line)\n\(text)") }
        let success = try bench.query(
            "SELECT extract(epoch FROM max(recorded_at))::numeric::text FROM migrated.migration_rollback_audit WHERE event = 'applied'"
        )
        #expect(text.contains("migrated_last_success_timestamp_seconds{\(database)} \(success.prefix { $0 != "." })\n"))
        let checked = try Program.run("/usr/bin/promtool", ["check", "metrics"], input: text)
        #expect(checked.status == 0 && checked.output + checked.errors == "", "\(checked)")
        var facts = stat()
        #expect(stat(bench.folder.path("migrated.prom"), &facts) == 0 && facts.st_mode & 0o777 == 0o644)
    }

    @Test func `a metrics file that cannot be written is told of once and hinders nothing`() throws {
        try bench.folder.write("migrated.toml", "metrics-file = \"nowhere/migrated.prom\"\n")
        try bench.write("001_a.sql", "CREATE TABLE a ();")
        let daemon = try bench.start("run")
        try bench.waitFor("event = 'applied'", daemon)
        try bench.write("002_b.sql", "CREATE TABLE b ();")
        try bench.waitFor("event = 'applied' AND version = '002'", daemon)
        try bench.stop(daemon)
        #expect(daemon.errorsSoFar.components(of: "nowhere/migrated.prom") == 1, "\(daemon.errorsSoFar)")
    }

    @Test func `the daily look leaves its verdicts beside the daemon's metrics`() throws {
        try bench.write("001_a.sql", "CREATE TABLE a ();")
        #expect(try bench.run("apply").status == 0)
        func look(_ verb: String, _ more: String...) throws -> Int32? {
            let words = [
                verb, "--config", bench.folder.path("migrated.toml"), "--state-directory", bench.folder.path("state"),
            ]
            return try Program.run(
                Program.built("auditctl"), words + ["--database", bench.database.conninfo] + more
            ).status
        }
        // Whoever looks by hand leaves nothing.
        #expect(try look("verify") == 0 && access(bench.folder.path("migrated.verify.prom"), F_OK) != 0)
        let database = "database=\"\(bench.database.name)\""
        func verdicts() throws -> [String] {
            let text = try metrics("migrated.verify.prom") + metrics("migrated.integrity.prom")
            let checked = try Program.run("/usr/bin/promtool", ["check", "metrics"], input: text)
            #expect(checked.status == 0 && checked.output + checked.errors == "", "\(checked)")
            let now = Int(time(nil))
            for word in ["verify", "integrity"] {
                let found = text.split(separator: "migrated_\(word)_timestamp_seconds{\(database)} ").last
                let seconds = found.flatMap { Int($0.prefix { $0.isNumber }) } ?? 0
                #expect((now - 100...now).contains(seconds), "\(text)")
            }
            return text.split(separator: "\n").filter { $0.contains("verdict=") || $0.contains("failures{") }.map(
                String.init)
        }
        #expect(
            try look("verify", "--metrics") == 0 && look("integrity", "--metrics", "--directory", bench.directory) == 0)
        #expect(
            try verdicts() == [
                "migrated_verify_verdict{\(database),verdict=\"intact\"} 1",
                "migrated_verify_verdict{\(database),verdict=\"changed\"} 0",
                "migrated_verify_verdict{\(database),verdict=\"unknown\"} 0",
                "migrated_integrity_failures{\(database)} 0",
            ])
        try bench.query(
            """
            ALTER TABLE migrated.migration_rollback_audit DISABLE TRIGGER ALL;
            UPDATE migrated.migration_rollback_audit SET initiated_by = 'nobody' WHERE seq = 1
            """)
        try bench.write("001_a.sql", "CREATE TABLE b ();")
        #expect(
            try look("verify", "--metrics") == 1 && look("integrity", "--metrics", "--directory", bench.directory) == 1)
        #expect(
            try verdicts().filter { $0.hasSuffix(" 1") } == [
                "migrated_verify_verdict{\(database),verdict=\"changed\"} 1",
                "migrated_integrity_failures{\(database)} 1",
            ])
        // Where nothing can be told, that is told of the same database.
        #expect(try look("verify", "--metrics", "--schema", "nowhere") == 2)
        #expect(try verdicts().contains("migrated_verify_verdict{\(database),verdict=\"unknown\"} 1"))
    }

    private func metrics(_ name: String) throws -> String {
        try Program.run("/bin/cat", [bench.folder.path(name)]).output
    }

    private func metrics() throws -> String { try metrics("migrated.prom") }
}

extension String {
    /// How often `part` stands in it.
    fileprivate func components(of part: String) -> Int {
        var count = 0
        var rest = self[...]
        while let found = rest.firstRange(of: part) {
            count += 1
            rest = rest[found.upperBound...]
        }
        return count
    }
}
