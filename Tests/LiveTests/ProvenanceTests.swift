import LiveSupport
import Testing

@Suite struct `Where a run comes from` {
    @Test func `commit, release and sudo's user are in the detail of each attempt, and show tells them`() throws {
        let bench = try Workbench()
        func git(_ words: String...) throws -> String {
            let author = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main"]
            let outcome = try Program.run("/usr/bin/git", author + ["-C", bench.folder.path("")] + words)
            guard outcome.status == 0 else { throw LiveFailure("git: \(outcome)") }
            return String(outcome.output.prefix { $0 != "\n" })
        }
        try bench.write("001_a.sql", "CREATE TABLE a ();")
        try bench.write("RELEASE", "shop 4.2\nbuilt at night\n")
        _ = try git("init", "--quiet")
        _ = try git("add", ".")
        _ = try git("commit", "--quiet", "--message", "one")
        let first = try git("rev-parse", "HEAD")
        #expect(try bench.run("apply", environment: ["SUDO_USER": "ali\u{1B}ce"]).status == 0)

        try bench.write("002_b.sql", "CREATE TABLE b ();")
        _ = try git("commit", "--quiet", "--allow-empty", "--message", "two")
        let second = try git("rev-parse", "HEAD")
        _ = try git("pack-refs", "--all")
        #expect(try bench.run("apply").status == 0)
        #expect(
            try bench.query(
                """
                SELECT concat_ws('|', version, detail::jsonb ->> 'git_commit', detail::jsonb ->> 'release', detail::jsonb ->> 'sudo_user')
                  FROM migrated.migration_rollback_audit WHERE event = 'started' ORDER BY seq
                """)
                == "001|\(first)|shop 4.2; built at night|ali\\u{1b}ce\n002|\(second)|shop 4.2; built at night")
        let shown = try Program.run(
            Program.built("auditctl"),
            ["show", "1", "--config", bench.folder.path("migrated.toml"), "--database", bench.database.conninfo])
        #expect(shown.output.contains("git_commit: \(first)"), "\(shown)")
    }
}
