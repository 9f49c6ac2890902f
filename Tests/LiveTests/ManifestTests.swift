import Digest
import Glibc
import LiveSupport
import Testing

/// `require-signature = "manifest"`: only what a signed manifest lists is run, on the database that it names.
@Suite(.enabled(if: access("/usr/bin/ssh-keygen", X_OK) == 0, "needs the package openssh-client"))
struct `A directory that must have a signed manifest` {
    private let bench: Workbench

    init() throws {
        bench = try Workbench()
        for name in ["alice", "mallory"] {
            try tool([
                "/usr/bin/ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", bench.folder.path(name),
            ])
        }
        try bench.folder.write("allowed", "alice " + bench.folder.read("alice.pub"))
        try bench.folder.write("migrated.toml", "require-signature = \"manifest\"\nallowed-signers = \"allowed\"\n")
        for name in ["1_a", "2_b"] {
            try bench.write("\(name).up.sql", "CREATE TABLE t\(name) ();\n")
            try bench.write("\(name).down.sql", "DROP TABLE t\(name);\n")
        }
        // The history has to be there before a manifest can name it.
        let bare = try bench.run("apply")
        #expect(bare.status == 77 && bare.errors.contains("MANIFEST' is missing"), "\(bare)")
    }

    @discardableResult
    private func tool(_ words: [String]) throws -> Program.Outcome {
        let outcome = try Program.run(words[0], Array(words.dropFirst()), directory: bench.directory)
        guard outcome.status == 0 else { throw LiveFailure("\(words): \(outcome)") }
        return outcome
    }

    private func sign(by signer: String = "alice", namespace: String = "migrated-manifest") throws {
        unlink(bench.directory + "/MANIFEST.sig")
        try tool([
            "/usr/bin/ssh-keygen", "-q", "-Y", "sign", "-n", namespace, "-f", bench.folder.path(signer), "MANIFEST",
        ])
    }

    /// Writes the manifest of what is there, and signs it.
    private func manifest(_ words: String...) throws {
        let outcome = try Program.run(Program.built("migrated"), bench.arguments("manifest", ["--write"] + words))
        guard outcome.status == 0 else { throw LiveFailure("\(outcome)") }
        try sign()
    }

    private var text: String { get throws { try bench.folder.read("m/MANIFEST") } }
    private var genesis: String {
        get throws { try bench.query("SELECT encode(genesis, 'hex') FROM migrated.audit_head") }
    }
    /// What has run so far.
    private var done: [String] {
        get throws { try bench.events("event IN ('started', 'applied', 'failed', 'rolled_back', 'rollback_failed')") }
    }

    private func replace(_ old: String, _ new: String) throws {
        try bench.write(
            "MANIFEST", try text.split(separator: old, omittingEmptySubsequences: false).joined(separator: new))
    }

    /// Expects that nothing runs, and what is said of it, by each verb that looks at the directory.
    private func expectRefused(
        _ words: String, before: [String] = [], _ location: SourceLocation = #_sourceLocation
    ) throws {
        let runs = try bench.run("apply")
        #expect(runs.status == 77 && runs.errors.contains(words), "\(runs)", sourceLocation: location)
        #expect(runs.errors.contains("HINT: "), "\(runs)", sourceLocation: location)
        let plan = try bench.run("plan")
        #expect(plan.status == 77 && (plan.output + plan.errors).contains(words), "\(plan)", sourceLocation: location)
        let check = try bench.run("check", "--database", bench.database.conninfo)
        #expect(check.status == 77 && check.output.contains(words), "\(check)", sourceLocation: location)
        let wait = try bench.run("wait", "--timeout", "300ms")
        #expect(wait.status == 75, "\(wait)", sourceLocation: location)
        #expect(try done == before, sourceLocation: location)
    }

    // MARK: What is allowed

    @Test func `runs what it lists, and records who signed it, with which key and in which manifest`() throws {
        try manifest("--not-after", "+1d", "--from-head", "now")
        let head = try bench.query("SELECT seq || ' ' || encode(hash, 'hex') FROM migrated.audit_head")
        #expect(try text.contains("from-head: \(head)\n"))
        #expect(try text.contains("\nup sha256:"))
        let outcome = try bench.run("apply")
        #expect(outcome.status == 0, "\(outcome)")
        let key = try tool(["/usr/bin/ssh-keygen", "-l", "-f", bench.folder.path("alice.pub")]).output.split(
            separator: " ")[1]
        let digest = "sha256:" + SHA256.hex(Array(try text.utf8))
        let said = try bench.query(
            """
            SELECT DISTINCT concat_ws(' ', d -> 'signature' ->> 'signer', d -> 'signature' ->> 'key', d -> 'signature' ->> 'file', d -> 'manifest' ->> 'serial',
                                      d -> 'manifest' ->> 'digest')
              FROM (SELECT detail::jsonb AS d FROM migrated.migration_rollback_audit WHERE event = 'started') AS s
            """)
        #expect(said == "alice \(key) MANIFEST 1 \(digest)")
        let shown = try bench.auditctl("show", "--migration", "1")
        #expect(shown.output.contains("signed by alice with key \(key) in MANIFEST, serial 1"), "\(shown)")
        let event = try bench.query("SELECT seq FROM migrated.migration_rollback_audit WHERE event = 'started' LIMIT 1")
        #expect(
            try bench.auditctl("show", event).output.contains("signed by alice with key \(key) in MANIFEST, serial 1"))
        #expect(try bench.faults() == "")
        // What has nothing left to run needs no manifest: it has expired, or is gone.
        try bench.folder.remove("m/MANIFEST")
        #expect(try bench.run("apply").status == 0)
        #expect(try bench.run("wait", "--timeout", "5s").status == 0)
        #expect(try bench.run("plan").output.contains("told     MANIFEST  (unsigned: "))
    }

    @Test func `runs by the daemon as soon as it is signed, and a later one behind it`() throws {
        let daemon = try bench.start("run")
        try bench.waitFor("reason = 'unsigned' AND version = '1'", daemon)
        try manifest()
        try bench.waitFor("event = 'applied' AND version = '2'", daemon)
        try bench.write("3_c.up.sql", "SELECT 3;\n")
        try bench.waitFor("reason = 'manifest_refused' AND version = '3'", daemon)
        try manifest()
        try bench.waitFor("event = 'applied' AND version = '3'", daemon)
        try bench.stop(daemon)
    }

    @Test func `may name several databases, and is made without asking any`() throws {
        let other = String(repeating: "0123456789abcdef", count: 4)
        try manifest("--history", other, "--history", try genesis, "--serial", "41")
        let names = "history: \(other)\nhistory: \(try genesis)\n"
        #expect(try text.hasPrefix("migrated-manifest-v1\n\(names)serial: 41\nlayout: golang-migrate\n\nup sha256:"))
        #expect(try bench.run("apply").status == 0)
        #expect(try bench.run("manifest").output.contains("serial: 42\n"))
        let low = try bench.run("manifest", "--serial", "41")
        #expect(low.status == 64 && low.errors.contains("not higher than 41"), "\(low)")
        let odd = try bench.run("manifest", "--history", "ABC")
        #expect(odd.status == 64 && odd.errors.contains("'ABC' is no identity of a history"), "\(odd)")
        let now = try bench.run("manifest", "--history", other, "--from-head", "now")
        #expect(now.status == 64 && now.errors.contains("--from-head now needs the database"), "\(now)")
        let far = try bench.run("manifest", "--from-head", "999")
        #expect(far.status == 64 && far.errors.contains("the history has no event 999"), "\(far)")
        for words in [["--from-head", "0"], ["--from-head", "x"], ["--not-after", "soon"], ["--serial", "0"]] {
            let outcome = try Program.run(Program.built("migrated"), bench.arguments("manifest", words))
            #expect(outcome.status == 64, "\(outcome)")
        }
    }

    @Test func `lists what a layout reads beside the migrations`() throws {
        for name in ["1_a", "2_b"] { for way in ["up", "down"] { try bench.folder.remove("m/\(name).\(way).sql") } }
        try bench.folder.makeDirectory("m/meta")
        try bench.write("0000_x.sql", "SELECT 1;\n")
        try bench.write("0001_y.sql", "SELECT 2;\n")
        func entry(_ index: Int, _ tag: String) -> String {
            #"{"idx":\#(index),"version":"7","when":\#(1000 + index),"tag":"\#(tag)","breakpoints":true}"#
        }
        func journal(_ entries: String...) throws {
            try bench.write(
                "meta/_journal.json",
                #"{"version":"7","dialect":"postgresql","entries":[\#(entries.joined(separator: ","))]}"#)
        }
        try journal(entry(0, "0000_x"), entry(1, "0001_y"))
        try manifest()
        #expect(try text.contains("\nlayout sha256:") && text.contains(" meta/_journal.json\n"))
        try journal(entry(0, "0001_y"), entry(1, "0000_x"))
        try expectRefused("'meta/_journal.json' has another checksum here than in it")
        try journal(entry(0, "0000_x"), entry(1, "0001_y"))
        #expect(try bench.run("apply").status == 0)
    }

    @Test func `is not adopted by running files in a scratch database, unless the manifest allows it`() throws {
        for name in ["1_a", "2_b"] { try bench.query("CREATE TABLE t\(name) ()") }
        let refused = try bench.run("adopt", "--baseline", "2")
        #expect(refused.status == 77 && refused.errors.contains("MANIFEST' is missing"), "\(refused)")
        try manifest("--history", String(repeating: "0", count: 64))
        let other = try bench.run("adopt", "--baseline", "2")
        #expect(other.status == 77 && other.errors.contains("was signed for another database"), "\(other)")
        try manifest()
        let adopted = try bench.run("adopt", "--baseline", "2")
        #expect(adopted.status == 0, "\(adopted)")
        #expect(try bench.events("event = 'adopted'").count == 2)
    }

    @Test func `is refused where the database has no history that a manifest could name`() throws {
        try manifest()
        let empty = try Workbench()
        for verb in ["plan", "preflight"] {
            let outcome = try bench.run(verb, "--database", empty.database.conninfo)
            #expect(
                outcome.status == 77 && (outcome.output + outcome.errors).contains("the database has no history yet"),
                "\(outcome)")
        }
        let made = try bench.run("manifest", "--database", empty.database.conninfo)
        #expect(made.status == 78 && made.errors.contains("the database has no history yet"), "\(made)")
    }

    // MARK: Names, directions, order, bytes

    @Test func `refuses a signed down file that was copied to a migration's name`() throws {
        try manifest()
        #expect(try bench.run("apply").status == 0)
        try bench.write("3_c.up.sql", "DROP TABLE t1_a;\n")
        try expectRefused(
            "'3_c.up.sql' is not in it", before: ["started 1_a", "applied 1_a", "started 2_b", "applied 2_b"])
        // A file of its own signature is not asked any more.
        try tool([
            "/usr/bin/ssh-keygen", "-q", "-Y", "sign", "-n", "file", "-f", bench.folder.path("alice"), "3_c.up.sql",
        ])
        try tool(["/bin/sh", "-c", "sha256sum *.sql >SHA256SUMS"])
        try tool([
            "/usr/bin/ssh-keygen", "-q", "-Y", "sign", "-n", "file", "-f", bench.folder.path("alice"), "SHA256SUMS",
        ])
        try expectRefused(
            "'3_c.up.sql' is not in it", before: ["started 1_a", "applied 1_a", "started 2_b", "applied 2_b"])
    }

    @Test func `refuses swapped directions, renamed, missing, further, edited and reordered files, each by name`()
        throws
    {
        try manifest()
        try bench.folder.move("m/1_a.up.sql", to: "m/x")
        try bench.folder.move("m/1_a.down.sql", to: "m/1_a.up.sql")
        try bench.folder.move("m/x", to: "m/1_a.down.sql")
        try expectRefused("'1_a.up.sql' has another checksum here than in it")
        try bench.write("1_a.up.sql", "CREATE TABLE t1_a ();\n")
        try bench.write("1_a.down.sql", "DROP TABLE t1_a;\n")

        try bench.folder.move("m/2_b.up.sql", to: "m/2_c.up.sql")
        try expectRefused("'2_c.up.sql' is not in it")
        try bench.folder.move("m/2_c.up.sql", to: "m/2_b.up.sql")

        try bench.folder.move("m/2_b.down.sql", to: "m/aside")
        try expectRefused("it names '2_b.down.sql' (down), which is not here")
        try bench.folder.move("m/aside", to: "m/2_b.down.sql")

        try bench.write("2_b.down.sql", "DROP TABLE t1_a;\n")
        try expectRefused("'2_b.down.sql' has another checksum here than in it")
        try bench.write("2_b.down.sql", "DROP TABLE t2_b;\n")

        try bench.write("2_b.up.sql", "CREATE TABLE t2_b ();\r\n")
        try expectRefused("'2_b.up.sql' has another checksum here than in it")
        try bench.write("2_b.up.sql", "CREATE TABLE t2_b ();\n")

        let lines = try text.split(separator: "\n", omittingEmptySubsequences: false)
        try bench.write(
            "MANIFEST", (lines[..<5] + [lines[7], lines[8], lines[5], lines[6], ""]).joined(separator: "\n"))
        try sign()
        try expectRefused("'1_a.up.sql' runs here where it has '2_b.up.sql' in its order")

        try bench.write("MANIFEST", lines.joined(separator: "\n"))
        try replace("down sha256", "up sha256")
        try sign()
        try expectRefused("'1_a.down.sql' is 'down' here, and 'up' in it")

        try bench.write("MANIFEST", lines.joined(separator: "\n"))
        try sign()
        #expect(try bench.run("apply").status == 0)
    }

    @Test func `is not undone by a down file that it does not list, nor while it is refused`() throws {
        try manifest()
        #expect(try bench.run("apply").status == 0)
        let before = try done
        for (text, words) in [
            ("DROP TABLE t1_a, t2_b;\n", "'2_b.down.sql' has another checksum"), ("DROP TABLE t2_b;\n", nil),
        ] {
            try bench.write("2_b.down.sql", text)
            guard let words else { continue }
            let refused = try bench.run("rollback", "--last", "1")
            #expect(refused.status == 77 && refused.errors.contains(words), "\(refused)")
        }
        try bench.folder.move("m/MANIFEST.sig", to: "m/aside")
        let unsigned = try bench.run("rollback", "--last", "1", "--record-without-down-file")
        #expect(unsigned.status == 77 && unsigned.errors.contains("MANIFEST.sig' is missing"), "\(unsigned)")
        #expect(try done == before)
        try bench.folder.move("m/aside", to: "m/MANIFEST.sig")
        let outcome = try bench.run("rollback", "--last", "1")
        #expect(outcome.status == 0, "\(outcome)")
        #expect(
            try bench.query(
                "SELECT detail::jsonb -> 'signature' ->> 'signer' FROM migrated.migration_rollback_audit WHERE event = 'started' AND direction = 'down'"
            ) == "alice")
    }

    // MARK: Databases, time, replay

    @Test func `refuses a manifest of another project, of another database and of an older history`() throws {
        let stranger = try Workbench()
        try stranger.write("1_a.sql", "SELECT 1;\n")
        #expect(try stranger.run("apply").status == 0)
        let other = try stranger.query("SELECT encode(genesis, 'hex') FROM migrated.audit_head")
        try manifest("--history", other)
        try expectRefused(
            "was signed for another database: it names the history '\(other)', and this one is '\(try genesis)'")
        // The same files, to be run by the other project.
        try bench.write("MANIFEST", try stranger.run("manifest").output)
        try sign()
        try expectRefused(
            "does not list the directory as it is: the layout is 'golang-migrate' here, and 'flat' in it, and 5 more")

        try manifest("--history", try genesis, "--from-head", "999")
        try expectRefused("holds from event 999 on, and this history ends at event ")
        try manifest("--from-head", "1")
        let hash = try bench.query("SELECT encode(hash, 'hex') FROM migrated.migration_rollback_audit WHERE seq = 1")
        try replace(hash, other)
        try sign()
        try expectRefused("whose event 1 has the hash '\(other)', and here it is '\(hash)'")
    }

    @Test func `refuses one that has expired, by the server's clock, and says so to check without a database`() throws {
        try manifest("--not-after", "2026-01-01T00:00:00Z")
        try replace("2026-01-01", "2001-01-01")
        try sign()
        try expectRefused("has expired: it allows no run after 2001-01-01T00:00:00Z")
        let check = try bench.run("check")
        #expect(check.status == 0 && check.output.contains("MANIFEST (serial 1) has expired"), "\(check)")
        #expect(try bench.run("check", "--fail-on", "warning").status == 1)
    }

    @Test func `refuses an older manifest that was put back with its files, and another one of the same number`() throws
    {
        try manifest()
        let old = (try text, try bench.folder.read("m/MANIFEST.sig"))
        #expect(try bench.run("apply", "--to", "1").status == 0)
        let before = try done
        // The second file was found to be bad, and the release repaired.
        try bench.write("2_b.up.sql", "CREATE TABLE t2_b (repaired int);\n")
        try bench.write("3_c.up.sql", "SELECT 3;\n")
        try manifest()
        #expect(try bench.run("apply", "--to", "2").status == 0)
        let after = try done
        #expect(after.count == before.count + 2)
        try bench.write("4_d.up.sql", "SELECT 4;\n")
        try replace("serial: 2", "serial: 1")
        try bench.write("MANIFEST", old.0)
        try bench.write("MANIFEST.sig", old.1)
        try bench.write("2_b.up.sql", "CREATE TABLE t2_b ();\n")
        try bench.folder.remove("m/3_c.up.sql")
        try bench.folder.remove("m/4_d.up.sql")
        let rollback = try bench.run("rollback", "--last", "1")
        #expect(
            rollback.status == 77
                && rollback.errors.contains("is older than the one accepted last, serial 2 of event "), "\(rollback)")
        #expect(try done == after)

        try bench.write("2_b.up.sql", "CREATE TABLE t2_b (repaired int);\n")
        try bench.write("3_c.up.sql", "SELECT 33;\n")
        let same = try Program.run(
            Program.built("migrated"), bench.arguments("manifest", ["--history", try genesis, "--serial", "2"]))
        try bench.write("MANIFEST", same.output)
        try sign()
        try expectRefused("has the serial of another manifest, which was accepted in event ", before: after)
        try replace("serial: 2", "serial: 1")
        try sign()
        try expectRefused("is older than the one accepted last, serial 2 of event ", before: after)
        try manifest()
        #expect(try text.contains("serial: 3\n"))
        #expect(try bench.run("apply").status == 0)
    }

    // MARK: Signatures

    @Test
    func `refuses a signature of another namespace, of another key, of other text, and of a key that has expired`()
        throws
    {
        try manifest()
        try sign(namespace: "file")
        try expectRefused("MANIFEST.sig' does not fit")
        try sign(by: "mallory")
        try expectRefused("MANIFEST.sig' is of no allowed signer")
        try sign()
        try replace("serial: 1", "serial: 2")
        try expectRefused("MANIFEST.sig' does not fit")
        try sign()
        try bench.folder.write("allowed", "alice valid-before=\"20010101Z\" " + bench.folder.read("alice.pub"))
        try expectRefused("MANIFEST.sig' is of no allowed signer")
        try bench.folder.write("allowed", "alice namespaces=\"git\" " + bench.folder.read("alice.pub"))
        try expectRefused("MANIFEST.sig' does not fit")
        // Several names in one line of the list.
        try bench.folder.write(
            "allowed", "bob,alice namespaces=\"migrated-manifest\" " + bench.folder.read("alice.pub"))
        #expect(try bench.run("apply").status == 0)
        #expect(
            try bench.query(
                "SELECT DISTINCT detail::jsonb -> 'signature' ->> 'signer' FROM migrated.migration_rollback_audit WHERE event = 'started'"
            ) == "bob")
    }

    @Test func `refuses a manifest that cannot be read in one way only`() throws {
        try manifest()
        let good = try text
        for (bad, words) in [
            (
                good.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\r\n"),
                "line 1 of MANIFEST ends with CR LF"
            ),
            (String(good.dropLast()), "line 9 of MANIFEST has no line feed at its end"),
            ("migrated-manifest-v2" + good.dropFirst(20), "line 1 of MANIFEST is not 'migrated-manifest-v1'"),
            (
                good + "up sha256:\(String(repeating: "0", count: 64)) 1_a.up.sql\n",
                "line 10 of MANIFEST names '1_a.up.sql' a second time"
            ),
            (
                good + "up sha256:\(String(repeating: "0", count: 64)) a\u{1B}[2Jb.sql\n",
                "line 10 of MANIFEST names no path that can be shown"
            ),
            ("", "line 1 of MANIFEST is not 'migrated-manifest-v1'"),
        ] {
            try bench.write("MANIFEST", bad)
            try sign()
            try expectRefused(words)
        }
    }

    @Test func `refuses links, folders, pipes and files beyond measure in the place of a manifest or a signature`()
        throws
    {
        try manifest()
        try bench.folder.move("m/MANIFEST", to: "elsewhere")
        try bench.folder.link("m/MANIFEST", to: "../elsewhere")
        try expectRefused("m/MANIFEST': it is a symbolic link that leads out of the directory")
        unlink(bench.directory + "/MANIFEST")
        try bench.folder.makeDirectory("m/MANIFEST")
        try expectRefused("m/MANIFEST': it is a directory")
        rmdir(bench.directory + "/MANIFEST")
        #expect(truncate(bench.folder.path("elsewhere"), (16 << 20) + 1) == 0)
        try bench.folder.move("elsewhere", to: "m/MANIFEST")
        try expectRefused("MANIFEST' is larger than 16777216 bytes")
        try manifest()
        unlink(bench.directory + "/MANIFEST.sig")
        #expect(mkfifo(bench.directory + "/MANIFEST.sig", 0o644) == 0)
        try expectRefused("MANIFEST.sig' is no file of at most 65536 bytes")
    }

    @Test func `lists no name that it could not show`() throws {
        try bench.write("3_c\u{1B}.up.sql", "SELECT 3;\n")
        let outcome = try bench.run("manifest")
        #expect(outcome.status == 65 && outcome.errors.contains("holds a control character"), "\(outcome)")
    }

    // MARK: Between the check and the run

    @Test func `runs the bytes that were checked, whatever is put in their place meanwhile`() throws {
        try manifest()
        let signed = "sha256:" + SHA256.hex(Array("CREATE TABLE t1_a ();\n".utf8))
        let program = try bench.start("apply", environment: ["MIGRATED_FAILPOINT": "lock-taken:1:stop"])
        try eventually("stopped", within: .seconds(60)) { program.isStopped }
        try bench.write("1_a.up.sql", "CREATE TABLE mallory ();\n")
        try bench.write("MANIFEST", "migrated-manifest-v1\n")
        program.signal(SIGCONT)
        let outcome = try program.outcome()
        #expect(outcome.status == 0, "\(outcome)")
        #expect(try bench.query("SELECT to_regclass('mallory') IS NULL AND to_regclass('t1_a') IS NOT NULL") == "t")
        #expect(
            try bench.query(
                "SELECT checksum FROM migrated.migration_rollback_audit WHERE event = 'applied' AND version = '1'")
                == signed)
    }

    @Test func `is asked for again under the lock: a newer manifest that another process ran meanwhile counts`() throws
    {
        try manifest()
        // The older release in a directory of its own, on another host as it were.
        try tool(["/bin/cp", "-R", bench.directory, bench.folder.path("older")])
        try manifest("--serial", "7")
        let newer = try bench.start("apply", "--to", "1", environment: ["MIGRATED_FAILPOINT": "before-started:1:stop"])
        try eventually("stopped", within: .seconds(60)) { newer.isStopped }
        let older = try bench.start("apply", "--directory", bench.folder.path("older"))
        // It has seen a history that has accepted nothing yet, and waits for the lock.
        sleep(2)
        newer.signal(SIGCONT)
        #expect(try newer.outcome().status == 0)
        let outcome = try older.outcome()
        #expect(
            outcome.status == 77 && outcome.errors.contains("is older than the one accepted last, serial 7"),
            "\(outcome)")
        #expect(try done == ["started 1_a", "applied 1_a"])
    }
}
