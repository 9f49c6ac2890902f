import Glibc
import LiveSupport
import Testing

@Suite struct `Where a run comes from` {
    @Test
    func
        `commit, author, release, sudo's user and whose file it is are in the detail of each attempt, and show tells them`()
        throws
    {
        let bench = try Workbench()
        func git(_ words: String...) throws -> String {
            let author = [
                "-c", "user.name=Ann Other", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main",
            ]
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
        #expect(chmod(bench.folder.path("m/002_b.sql"), 0o640) == 0)
        _ = try git("commit", "--quiet", "--allow-empty", "--message", "two")
        // The author is somebody else than who committed, and the commit lies in a pack.
        _ = try git("commit", "--quiet", "--amend", "--allow-empty", "--no-edit", "--author", "Béa <b@example.org>")
        let second = try git("rev-parse", "HEAD")
        _ = try git("gc", "--quiet", "--aggressive", "--prune=now")
        #expect(try bench.run("apply").status == 0)
        #expect(
            try bench.query(
                """
                SELECT concat_ws('|', version, detail::jsonb ->> 'git_commit', detail::jsonb ->> 'git_author',
                                 detail::jsonb -> 'file' ->> 'owner', detail::jsonb -> 'file' ->> 'mode', detail::jsonb ->> 'release', detail::jsonb ->> 'sudo_user')
                  FROM migrated.migration_rollback_audit WHERE event = 'started' ORDER BY seq
                """)
                    == """
                    001|\(first)|Ann Other <a@example.org>|root|0644|shop 4.2; built at night|ali\\u{1b}ce
                    002|\(second)|Béa <b@example.org>|root|0640|shop 4.2; built at night
                    """)
        // The moment at which the text changed, as stat(1) tells it.
        #expect(
            try bench.query(
                "SELECT floor(extract(epoch FROM (detail::jsonb -> 'file' ->> 'modified')::timestamptz)) FROM migrated.migration_rollback_audit WHERE event = 'started' ORDER BY seq LIMIT 1"
            )
                == String(
                    try Program.run("/usr/bin/stat", ["-c", "%Y", bench.folder.path("m/001_a.sql")]).output.dropLast()))
        let shown = try Program.run(
            Program.built("auditctl"),
            ["show", "1", "--config", bench.folder.path("migrated.toml"), "--database", bench.database.conninfo])
        #expect(shown.output.contains("git_commit: \(first)"), "\(shown)")
        #expect(shown.output.contains("git_author: Ann Other <a@example.org>"), "\(shown)")
        #expect(shown.output.contains("  mode: 0644") && shown.output.contains("  owner: root"), "\(shown)")
    }

    /// A repository around a folder of migrations with one file, and one commit in it.
    private func repository(_ configuration: String = "") throws -> Workbench {
        let bench = try Workbench()
        try bench.write("001_a.sql", "CREATE TABLE a ();")
        let words = ["-c", "user.name=Ann Other", "-c", "user.email=a@example.org", "-C", bench.folder.path("")]
        for verb in [["init", "--quiet"], ["add", "."], ["commit", "--quiet", "--message", "one"]] {
            let outcome = try Program.run("/usr/bin/git", words + verb)
            guard outcome.status == 0 else { throw LiveFailure("git: \(outcome)") }
        }
        try bench.folder.write(".git/config", configuration)
        return bench
    }

    private func author(_ bench: Workbench) throws -> String {
        #expect(try bench.run("apply").status == 0)
        return try bench.query(
            "SELECT concat(detail::jsonb ->> 'git_author', ' ', detail::jsonb ->> 'git_commit' IS NOT NULL) FROM migrated.migration_rollback_audit WHERE event = 'started'"
        )
    }

    @Test func `a repository's own configuration is not read`() throws {
        #expect(try author(repository()) == "Ann Other <a@example.org> t")
        // Git would stop at it.
        #expect(try author(repository("[include\nno configuration")) == "Ann Other <a@example.org> t")
    }

    @Test(
        .enabled(if: geteuid() == 0, "giving files away needs root"),
        arguments: [".git", ".git/objects", "everybody"])
    func `a repository that somebody else could have put there names no author`(place: String) throws {
        let bench = try repository()
        let changed =
            place == "everybody"
            ? chmod(bench.folder.path(".git"), 0o777) : chown(bench.folder.path(place), 65534, 65534)
        #expect(changed == 0)
        #expect(try author(bench) == " f")
    }

    @Test(.enabled(if: geteuid() == 0, "giving files away needs root"))
    func `a link of somebody else to a believed repository names no author`() throws {
        let bench = try repository()
        let other = try Workbench()
        try other.write("001_a.sql", "CREATE TABLE a ();")
        let link = other.folder.path(".git")
        #expect(symlink(bench.folder.path(".git"), link) == 0 && lchown(link, 65534, 65534) == 0)
        #expect(try author(other) == " f")
        let third = try Workbench()
        try third.write("001_a.sql", "CREATE TABLE a ();")
        try third.folder.write(".git", "gitdir: \(bench.folder.path(".git"))\n")
        #expect(chown(third.folder.path(".git"), 65534, 65534) == 0)
        #expect(try author(third) == " f")
    }
}
