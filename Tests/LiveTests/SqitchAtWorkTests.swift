import Glibc
import LiveSupport
import Testing

/// A project of sqitch's on a server.
@Suite struct `A sqitch project` {
    /// A bench with a plan of those changes, and those files.
    private func project(_ changes: [String], _ files: [String: String]) throws -> Workbench {
        let bench = try Workbench()
        try plan(changes, bench)
        for (path, text) in files { try bench.write(path, text) }
        return bench
    }

    private func plan(_ changes: [String], _ bench: Workbench) throws {
        let lines = changes.map { "\($0) 2025-01-01T00:00:00Z A B <a@example.org>\n" }
        try bench.write("sqitch.plan", "%project=shop\n\n" + lines.joined())
    }

    private func exists(_ bench: Workbench, _ name: String) throws -> Bool {
        try bench.query("SELECT pg_catalog.to_regclass('\(name)') IS NOT NULL") == "t"
    }

    // MARK: Folders

    @Test func `has changes in folders of their own, which a daemon watches`() throws {
        let bench = try project(
            ["app", "tables/users"],
            ["deploy/app.sql": "CREATE SCHEMA app;", "deploy/tables/users.sql": "CREATE TABLE app.users ();"])
        let daemon = try bench.start("run")
        try bench.waitFor("event = 'applied' AND name = 'tables/users'", daemon)
        // The plan comes first: its file is waited for where no folder was.
        try plan(["app", "tables/users", "app/views/2024/all"], bench)
        try eventually("complaint") { daemon.errorsSoFar.contains("has no file 'deploy/app/views/2024/all.sql'") }
        try bench.write("deploy/app/views/2024/all.sql", "CREATE VIEW app.all_users AS SELECT FROM app.users;")
        try bench.waitFor("event = 'applied' AND name = 'app/views/2024/all'", daemon)
        try bench.stop(daemon)
        try bench.write("revert/app/views/2024/all.sql", "DROP VIEW app.all_users;")
        let undone = try bench.run("rollback", "--to", "tables/users")
        #expect(undone.status == 0, "\(undone)")
        #expect(try !exists(bench, "app.all_users") && exists(bench, "app.users"))
        #expect(try bench.faults() == "")
    }

    @Test func `is not run from a folder that others may write, however deep`() throws {
        let bench = try project(["a/b/c"], ["deploy/a/b/c.sql": "CREATE TABLE t ();"])
        for folder in ["deploy", "deploy/a", "deploy/a/b"] {
            let path = bench.folder.path("m/" + folder)
            #expect(chmod(path, 0o777) == 0)
            let outcome = try bench.run("apply")
            #expect(outcome.status == 77, "\(outcome)")
            #expect(outcome.errors.contains("m/\(folder)' can be written by everybody"), "\(outcome)")
            #expect(chmod(path, 0o755) == 0)
        }
        #expect(try bench.run("apply").status == 0)
        #expect(try exists(bench, "t"))
    }

    // MARK: Verify scripts

    private static let users = "CREATE TABLE users (id int PRIMARY KEY);\n"

    /// What the newest event of a kind says at that key of its detail.
    private func detail(_ bench: Workbench, _ event: String, _ key: String) throws -> String {
        try bench.query(
            """
            SELECT detail::json->>'\(key)' FROM migrated.migration_rollback_audit WHERE event = '\(event)' ORDER BY seq DESC LIMIT 1
            """)
    }

    @Test func `is verified in the transaction of each change, and what that does is taken back`() throws {
        let bench = try project(
            ["users", "@v1", "users", "plain"],
            [
                "deploy/users@v1.sql":
                    "-- migrated: orphans=clean\n\(Self.users)SET search_path = pg_catalog; SET ROLE pg_monitor;",
                "verify/users@v1.sql":
                    "BEGIN;\nSELECT id FROM users WHERE false;\nINSERT INTO users VALUES (99);\nCOPY users FROM STDIN;\n98\n\\.\nCREATE TABLE more ();\nCOMMIT;\nSET search_path = nowhere;\nROLLBACK;\n",
                "deploy/users.sql": "ALTER TABLE users ADD name text;", "verify/users.sql": "SELECT name FROM users;",
                "deploy/plain.sql": "CREATE TABLE plain ();",
            ])
        let outcome = try bench.run("apply")
        #expect(outcome.status == 0, "\(outcome)")
        #expect(try bench.query("SELECT count(*) FROM users") == "0")
        #expect(try !exists(bench, "more"))
        #expect(
            try bench.query(
                """
                SELECT concat_ws(' ', name, detail::json->>'verified', detail::json->>'statements')
                  FROM migrated.migration_rollback_audit WHERE event = 'applied' ORDER BY seq
                """) == "users@v1 verify/users@v1.sql 3\nusers verify/users.sql 1\nplain 1")
        #expect(try bench.events("reason = 'not_verified'") == ["skipped verify/plain.sql not_verified"])
        #expect(try bench.faults() == "")
    }

    @Test func `is rolled back with the change that a statement says is not right`() throws {
        let bench = try project(
            ["users", "next"],
            [
                "deploy/users.sql": Self.users,
                "verify/users.sql": "BEGIN;\nSELECT 1;\n  SELECT name FROM users;\nROLLBACK;\n",
                "deploy/next.sql": "CREATE TABLE next ();", "verify/next.sql": "SELECT 1;",
            ])
        for _ in 1...2 {
            let outcome = try bench.run("apply")
            #expect(outcome.status == 1, "\(outcome)")
            #expect(outcome.errors.contains("verify/users.sql:3:10"), "\(outcome)")
            #expect(outcome.errors.contains("'verify/users.sql' failed: column \"name\" does not exist"), "\(outcome)")
            #expect(outcome.errors.contains("migrated retry users"), "\(outcome)")
        }
        #expect(try !exists(bench, "users") && !exists(bench, "next"))
        #expect(
            try bench.events("event <> 'started'") == ["failed users verify", "skipped next blocked_by_failure"])
        #expect(try detail(bench, "failed", "verify") == "verify/users.sql")
        #expect(try detail(bench, "failed", "line") == "3")
        try bench.write("verify/users.sql", "SELECT id FROM users;")
        #expect(try bench.run("retry", "users").status == 0)
        let outcome = try bench.run("apply")
        #expect(outcome.status == 0, "\(outcome)")
        #expect(try exists(bench, "users") && exists(bench, "next"))
        #expect(try bench.faults() == "")
    }

    @Test func `meets the keys that a commit would check`() throws {
        let bench = try project(
            ["users"],
            [
                "deploy/users.sql":
                    "\(Self.users)CREATE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN CREATE TABLE fired (); RETURN NULL; END';\nCREATE CONSTRAINT TRIGGER late AFTER INSERT ON users DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION late();\nINSERT INTO users VALUES (1);",
                "verify/users.sql": "SELECT FROM fired;",
            ])
        let outcome = try bench.run("apply")
        #expect(outcome.status == 0, "\(outcome)")
    }

    @Test(arguments: [
        ("CREATE INDEX CONCURRENTLY i ON t (n);", 1), ("SELECT 1; CREATE INDEX CONCURRENTLY i ON t (n);", 2),
    ])
    func `is verified behind what is no transaction before it counts as applied`(deploy: String, parts: Int) throws {
        let bench = try project(
            ["t", "i"],
            [
                "deploy/t.sql": "CREATE TABLE t (n int);", "deploy/i.sql": deploy,
                "verify/i.sql": "INSERT INTO t VALUES (1);\nSELECT 1 / (SELECT count(*) - 1 FROM t);",
            ])
        let failed = try bench.run("apply")
        #expect(failed.status == 1 && failed.errors.contains("verify/i.sql:2:"), "\(failed)")
        #expect(failed.errors.contains("is committed"), "\(failed)")
        #expect(try exists(bench, "i"))
        #expect(try bench.events("event = 'statement_applied'").count == parts)
        try bench.write("verify/i.sql", "INSERT INTO t VALUES (1);\nSELECT 1 / count(*) FROM t;")
        #expect(try bench.run("retry", "i").status == 0)
        let outcome = try bench.run("apply")
        #expect(outcome.status == 0, "\(outcome)")
        #expect(try bench.events("event = 'statement_applied'").count == parts)
        #expect(try detail(bench, "applied", "verified") == "verify/i.sql")
        #expect(try bench.query("SELECT count(*) FROM t") == "0")
        #expect(try bench.faults() == "")
    }

    @Test func `is verified where its change does nothing, and a key is added step by step`() throws {
        let bench = try project(
            ["none", "t"],
            [
                "deploy/none.sql": "-- nothing\n", "verify/none.sql": "SELECT 1 / 1;",
                "deploy/t.sql":
                    "-- migrated: foreign-keys=stepwise\nCREATE TABLE p (id int PRIMARY KEY);\nCREATE TABLE c (p int);\nALTER TABLE c ADD CONSTRAINT k FOREIGN KEY (p) REFERENCES p (id);",
                "verify/t.sql":
                    "SELECT 1 / count(*) FROM pg_constraint WHERE conname = 'k' AND convalidated;",
            ])
        let outcome = try bench.run("apply")
        #expect(outcome.status == 0, "\(outcome)")
        #expect(try detail(bench, "applied", "verified") == "verify/t.sql")
        #expect(try bench.faults() == "")
    }

    @Test(arguments: [
        ("SELECT 1;\n\\echo x\n", "verify/users.sql:2:1", "psql command"),
        ("SELECT :'x';", "verify/users.sql:1:8", "psql's variables"), ("", "verify/users.sql:1:1", "the file is empty"),
        ("VACUUM;", "verify/users.sql:1:1", "cannot run inside a transaction"),
        ("-- migrated: speed=3\nSELECT 1;", "verify/users.sql:1:", "speed"),
    ])
    func `is not run with a script that cannot be read`(text: String, place: String, words: String) throws {
        let bench = try project(["users"], ["deploy/users.sql": Self.users, "verify/users.sql": text])
        let outcome = try bench.run("apply")
        #expect(outcome.status == 65 && outcome.errors.contains(place), "\(outcome)")
        #expect(outcome.errors.contains(words), "\(outcome)")
        #expect(try bench.events("event = 'started'") == [])
        #expect(try !exists(bench, "users"))
        let checked = try bench.run("check")
        #expect(checked.status == 65 && checked.output.contains(place), "\(checked)")
    }

    @Test func `is not run with a script that others may write, or that is no file`() throws {
        let bench = try project(["users"], ["deploy/users.sql": Self.users])
        try bench.folder.write("m/verify/users.sql", "SELECT 1;", mode: 0o666)
        let open = try bench.run("apply")
        #expect(open.status == 77 && open.errors.contains("verify/users.sql' can be written"), "\(open)")
        try bench.folder.remove("m/verify/users.sql")
        try bench.folder.makeDirectory("m/verify/users.sql")
        let directory = try bench.run("apply")
        #expect(directory.status == 65 && directory.errors.contains("it is a directory"), "\(directory)")
        #expect(try bench.events("event = 'started'") == [])
    }

    @Test func `waits for a script that is still being written`() throws {
        let bench = try Workbench()
        try bench.write("deploy/t.sql", "CREATE TABLE t (n int);")
        try bench.folder.makeDirectory("m/verify")
        let notify = try FakeSocket(bench.folder.path("notify"))
        let daemon = try bench.start("run", environment: ["NOTIFY_SOCKET": notify.path])
        try eventually("readiness") { notify.text.contains("READY=1") }
        let writer = open(bench.directory + "/verify/t.sql", O_WRONLY | O_CREAT | O_CLOEXEC, 0o644)
        _ = write(writer, "SELECT 1;\n", 10)
        try plan(["t"], bench)
        try eventually("word of it") { notify.text.contains("verify/t.sql' is still being written") }
        #expect(try !bench.has("event = 'started'"))
        close(writer)
        try bench.waitFor("event = 'applied'", daemon)
        #expect(try detail(bench, "applied", "verified") == "verify/t.sql")
        try bench.stop(daemon)
    }

    @Test func `is not verified where it is adopted or rolled back`() throws {
        let bench = try project(
            ["users"],
            [
                "deploy/users.sql": Self.users, "revert/users.sql": "DROP TABLE users;",
                "verify/users.sql": "SELECT 1 / 0;",
            ])
        try bench.query(Self.users)
        let adopted = try bench.run("adopt", "--baseline", "users")
        #expect(adopted.status == 0, "\(adopted)")
        let undone = try bench.run("rollback", "--last", "1")
        #expect(undone.status == 0, "\(undone)")
        #expect(try !exists(bench, "users"))
    }
}
