import Glibc
import LiveSupport
import Testing

/// `require-signature`: only what an allowed signer has signed is run.
@Suite(.enabled(if: access("/usr/bin/ssh-keygen", X_OK) == 0, "needs the package openssh-client"))
struct `A directory whose files must be signed` {
    private let bench: Workbench

    init() throws {
        bench = try Workbench()
        for name in ["alice", "mallory"] {
            try tool([
                "/usr/bin/ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", bench.folder.path(name),
            ])
        }
        try bench.folder.write("allowed", "alice " + bench.folder.read("alice.pub"))
        try bench.folder.write("migrated.toml", "require-signature = true\nallowed-signers = \"allowed\"\n")
        try bench.write("1_a.sql", "SELECT 1;\n")
        try bench.write("2_b.sql", "SELECT 2;\n")
    }

    @discardableResult
    private func tool(_ words: [String]) throws -> Program.Outcome {
        let outcome = try Program.run(words[0], Array(words.dropFirst()), directory: bench.directory)
        guard outcome.status == 0 else { throw LiveFailure("\(words): \(outcome)") }
        return outcome
    }

    private func sign(_ name: String, by signer: String = "alice", namespace: String = "file") throws {
        unlink(bench.directory + "/" + name + ".sig")
        try tool(["/usr/bin/ssh-keygen", "-q", "-Y", "sign", "-n", namespace, "-f", bench.folder.path(signer), name])
    }

    private func list() throws {
        try tool(["/bin/sh", "-c", "sha256sum *.sql >SHA256SUMS"])
        try sign("SHA256SUMS")
    }

    @Test func `is run when its list is signed, and stops at a file that the list does not know`() throws {
        let bare = try bench.run("apply")
        #expect(bare.status == 77 && bare.errors.contains("'1_a.sql' is not signed: neither SHA256SUMS"), "\(bare)")
        #expect(try bench.events() == ["skipped 1_a unsigned", "skipped 2_b unsigned"])
        try list()
        let signed = try bench.run("apply")
        #expect(signed.status == 0, "\(signed)")
        #expect(try signers() == "alice SHA256SUMS\nalice SHA256SUMS")
        let shown = try bench.auditctl("show", "--migration", "1")
        #expect(shown.output.contains("signed by alice with key SHA256:"), "\(shown)")
        #expect(shown.output.contains(" in SHA256SUMS\n"), "\(shown)")
        try bench.write("3_c.sql", "SELECT 3;\n")
        let unlisted = try bench.run("apply")
        #expect(unlisted.status == 77 && unlisted.errors.contains("SHA256SUMS does not list it"), "\(unlisted)")
        try list()
        try bench.write("3_c.sql", "DROP TABLE a;\n")
        let changed = try bench.run("apply")
        #expect(changed.status == 77 && changed.errors.contains("another checksum than SHA256SUMS says"), "\(changed)")
        // The list made to fit, without the key.
        try tool(["/bin/sh", "-c", "sha256sum *.sql >SHA256SUMS"])
        let forged = try bench.run("apply")
        #expect(forged.status == 77 && forged.errors.contains("SHA256SUMS.sig' does not fit"), "\(forged)")
        #expect(try !bench.events().contains("applied 3_c"))
    }

    @Test func `is run file by file, each with a signature of its own, by an allowed signer and for files`() throws {
        try sign("1_a.sql")
        try sign("2_b.sql", by: "mallory")
        let strange = try bench.run("apply")
        #expect(strange.status == 77 && strange.errors.contains("is of no allowed signer"), "\(strange)")
        try sign("2_b.sql", namespace: "git")
        let other = try bench.run("apply")
        #expect(other.status == 77 && other.errors.contains("2_b.sql.sig' does not fit"), "\(other)")
        try sign("2_b.sql")
        // Who may sign can be one of several names in a line of the list.
        try bench.folder.write("allowed", "bob,alice " + bench.folder.read("alice.pub"))
        #expect(try bench.run("apply").status == 0)
        #expect(try bench.events("event = 'applied'") == ["applied 1_a", "applied 2_b"])
        #expect(try signers() == "bob 1_a.sql\nbob 2_b.sql")
    }

    /// Who has signed each file that ran, and in which file, as `started` says.
    private func signers() throws -> String {
        try bench.query(
            """
            SELECT concat_ws(' ', s.detail::jsonb -> 'signature' ->> 'signer', s.detail::jsonb -> 'signature' ->> 'file')
              FROM migrated.migration_rollback_audit AS s WHERE s.event = 'started' ORDER BY s.seq
            """)
    }

    @Test func `is run by the daemon as soon as the signature comes`() throws {
        let daemon = try bench.start("run")
        try bench.waitFor("reason = 'unsigned' AND version = '2'", daemon)
        try list()
        try bench.waitFor("event = 'applied' AND version = '2'", daemon)
        try bench.stop(daemon)
    }

    @Test func `takes nobody's word for who may sign, and says what is missing`() throws {
        #expect(chmod(bench.folder.path("allowed"), 0o666) == 0)
        let exposed = try bench.run("apply")
        #expect(exposed.status == 77 && exposed.errors.contains("can be written by everybody"), "\(exposed)")
        #expect(unlink(bench.folder.path("allowed")) == 0)
        let missing = try bench.run("check")
        #expect(missing.status == 78 && missing.errors.contains("allowed' does not exist"), "\(missing)")
    }

    @Test func `is not undone by a down file that nobody has signed`() throws {
        try bench.folder.remove("m/1_a.sql")
        try bench.folder.remove("m/2_b.sql")
        try bench.write("1_a.up.sql", "CREATE TABLE a ();\n")
        try bench.write("1_a.down.sql", "DROP TABLE a;\n")
        try sign("1_a.up.sql")
        #expect(try bench.run("apply").status == 0)
        let refused = try bench.run("rollback", "--last", "1")
        #expect(refused.status == 77 && refused.errors.contains("'1_a.down.sql' is not signed"), "\(refused)")
        try sign("1_a.down.sql")
        let done = try bench.run("rollback", "--last", "1")
        #expect(done.status == 0, "\(done)")
    }
}
