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
}
