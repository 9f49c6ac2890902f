import Audit
import Digest
import JSON
import LiveSupport
import Testing

/// What `verify` says where something that should vouch for the history says nothing. What a real journal says: System, The journal as a witness.
@Suite struct `A witness that is silent` {
    private let history: RecordedHistory
    private let folder: TemporaryDirectory

    init() throws {
        history = try RecordedHistory()
        for number in 1...3 { try history.attempt("000\(number)") }
        folder = try TemporaryDirectory()
    }

    private func verify(_ arguments: String...) throws -> Program.Outcome {
        try Program.run(
            Program.built("auditctl"),
            ["verify", "--config", "/dev/null", "--database", history.database.conninfo] + arguments)
    }

    /// Writes anchors of the events up to `last` where the daemon would.
    private func anchor(upTo last: Int) throws {
        let identity = try history.database.query(
            "SELECT system_identifier || '-' || d.oid FROM pg_control_system(), pg_database AS d WHERE datname = current_database()"
        )
        let lines = history.records.prefix(last).map { "\($0.seq) \(Hex.text($0.hash))\n" }
        try folder.write("state/\(identity)/anchors", lines.joined())
    }

    private func tellsNothing(_ outcome: Program.Outcome, _ why: String, _ comment: String = "") {
        #expect(outcome.status == 2, "\(comment)\(outcome)")
        #expect(!outcome.output.contains("intact"), "\(comment)\(outcome)")
        #expect(
            outcome.errors.contains("auditctl: cannot tell: ") && outcome.errors.contains(why), "\(comment)\(outcome)")
        #expect(outcome.errors.contains("\nHINT: "), "\(comment)\(outcome)")
    }

    @Test func `in a journal is no good news: no file, no directory, no journal in the file`() throws {
        try folder.write("empty/readme", "nothing")
        tellsNothing(try verify("--journal-directory", folder.path("empty")), "has no file")
        tellsNothing(try verify("--journal-directory", folder.path("missing")), "No such file or directory")
        try folder.write("wrong/system.journal", "not a journal")
        try folder.write("wrong/short.journal", "")
        tellsNothing(
            try verify("--journal-directory", folder.path("wrong")), "wrong/short.journal': Bad message, and 1 more")
        // Of a namespace that nobody has asked for, and of the one that was.
        try folder.write("ours/0123456789abcdef0123456789abcdef.app/system.journal", "not a journal")
        let other = try verify("--journal-directory", folder.path("ours"))
        tellsNothing(other, "has no file")
        #expect(other.errors.contains("There are namespaces as well: 'app'"), "\(other)")
        for name in ["app", "*"] {
            tellsNothing(
                try verify("--journal-directory", folder.path("ours"), "--journal-namespace", name),
                "app/system.journal'")
        }
        let json = try verify("--journal-directory", folder.path("empty"), "-o", "json")
        let tape = try JSONTape(json.outputBytes)
        let found = tape.value(tape.root)
        #expect(json.status == 2 && found["verdict"]?.string == "cannot_tell", "\(json)")
        #expect(found["witnesses"]?["silent"]?.array?.compactMap { $0["source"]?.string } == ["journal"], "\(json)")
        let csv = try verify("--journal-directory", folder.path("empty"), "-o", "csv")
        #expect(csv.status == 2 && csv.output.contains("\ncannot_tell,,"), "\(csv)")
    }

    @Test func `because of one way or another to ask for it`() throws {
        // Each of them is a question to the journal, and this history is in none.
        for words in [
            ["--journal"], ["--require", "journal"], ["--journal-namespace", "nowhere"], ["--journal-user", "root"],
            ["--journal-host", "a"],
        ] {
            let outcome = try Program.run(
                Program.built("auditctl"),
                ["verify", "--config", "/dev/null", "--database", history.database.conninfo] + words)
            tellsNothing(outcome, "this machine's journal", "\(words) ")
        }
    }

    @Test func `in the state directory is told, and enough where it must speak`() throws {
        let place = ["--state-directory", folder.path("state")]
        let none = try verify(place[0], place[1])
        #expect(none.status == 0 && none.output.contains("anchors missing: none was found"), "\(none)")
        tellsNothing(try verify(place[0], place[1], "--require", "state"), "has no anchor of this history")
        try anchor(upTo: 6)
        #expect(try verify(place[0], place[1], "--require", "state").status == 0)
        // Where the state directory vouches for all of it, a journal that must speak still has to.
        tellsNothing(try verify(place[0], place[1], "--require", "state,journal"), "this machine's journal")
        let said = try verify(place[0], place[1], "--require", "state", "--journal-directory", folder.path(""))
        #expect(said.status == 0 && said.output.contains("warning: the journal in '"), "\(said)")
        // A file that was shortened vouches for no more than is left of it.
        try anchor(upTo: 4)
        let short = try verify(place[0], place[1], "--require", "state")
        #expect(short.status == 0 && short.output.hasPrefix("intact up to anchor 4: 6 events"), "\(short)")
        try anchor(upTo: 0)
        tellsNothing(try verify(place[0], place[1], "--require", "state"), "has no anchor of this history")
    }

    @Test func `because an auditor may not see it stops neither a verdict nor a report`() throws {
        // Also where its name leads through a file, or nowhere. What the kernel refuses to a person's own rights: System.
        try folder.write("file", "")
        let place = folder.path("file/state")
        let seen = try verify("--state-directory", place)
        #expect(seen.status == 0 && seen.output.hasPrefix("intact: 6 events"), "\(seen)")
        #expect(
            seen.output.contains("warning: the anchors in the state directory were not seen: cannot open '\(place)/"),
            "\(seen)")
        tellsNothing(try verify("--state-directory", place, "--require", "state"), "were not seen")
        let report = try Program.run(
            Program.built("auditctl"),
            [
                "report", "-o", "markdown", "--config", "/dev/null", "--database", history.database.conninfo,
                "--state-directory", place,
            ])
        #expect(
            report.status == 0 && report.output.contains("- the anchors in the state directory were not seen: "),
            "\(report)")
        let unsure = try Program.run(
            Program.built("auditctl"),
            [
                "report", "-o", "markdown", "--config", "/dev/null", "--database", history.database.conninfo,
                "--state-directory", place, "--require", "state",
            ])
        #expect(unsure.status == 2 && unsure.output.contains("**History: cannot tell.**"), "\(unsure)")
        #expect(unsure.output.contains("were not seen: "), "\(unsure)")
    }

    @Test func `excuses nothing that the chain shows`() throws {
        try history.tamper("UPDATE migrated.migration_rollback_audit SET message = 'nothing' WHERE seq = 3")
        let outcome = try verify("--journal-directory", folder.path("missing"), "--require", "journal,state")
        #expect(outcome.status == 1 && outcome.output.hasPrefix("edited: "), "\(outcome)")
        #expect(outcome.output.contains("warning: the journal in '"), "\(outcome)")
        #expect(outcome.output.contains("warning: the state directory '"), "\(outcome)")
    }

    @Test func `by a word that nobody knows is a mistake in the words`() throws {
        for (words, told) in [
            (["--require", "journal,tape"], "--require does not know 'tape'"),
            (["--require", "signature"], "--require signature needs a key"),
            (["--file", folder.path("x"), "--journal"], "with --file neither"),
            (["--file", folder.path("x"), "--require", "state"], "with --file neither"),
        ] {
            let outcome = try Program.run(
                Program.built("auditctl"),
                ["verify", "--config", "/dev/null", "--database", history.database.conninfo] + words)
            #expect(outcome.status == 64 && outcome.errors.hasPrefix("auditctl: " + told), "\(outcome)")
        }
    }
}
