import Audit
import AuditReading
import Digest
import Glibc
import JSON
import LiveSupport
import Testing

@Suite struct `auditctl export` {
    /// Eleven events, with hostile text in them and one that failed.
    private func history() throws -> RecordedHistory {
        let history = try RecordedHistory()
        for number in 1...4 { try history.attempt("000\(number)") }
        try history.attempt("0005", .failed) {
            $0.message = "relation \"x\" already exists\u{1b}[2J\n,\u{202e}"
            $0.sqlstate = "42P07"
            $0.detail = ["line": 3, "text": "SELECT '\\', \"a\"\t\u{9b}"]
        }
        var event = AuditEvent(.orphansDeleted, by: RecordedHistory.actor)
        event.object = "public.\"odd, table\".user_id"
        event.rowCount = 5
        event.reason = ""
        try history.append(event)
        return history
    }

    /// Runs auditctl where nothing of PostgreSQL can be reached.
    private func verify(_ file: String, _ arguments: String...) throws -> Program.Outcome {
        try Program.run(
            Program.built("auditctl"), ["verify", "--file", file] + arguments,
            environment: Program.environment.merging(["PGHOST": "/nonexistent"]) { $1 })
    }

    private func seqs(_ outcome: Program.Outcome) throws -> [Int64] {
        try outcome.output.split(separator: "\n").compactMap { line in
            let tape = try JSONTape(Array(line.utf8))
            return tape.value(tape.root)["seq"]?.integer
        }
    }

    @Test func `holds every column of every event, and is verified without a database`() throws {
        let history = try history()
        let folder = try TemporaryDirectory()
        for form in ["ndjson", "csv"] {
            let outcome = try history.auditctl("export", "-o", form)
            #expect(outcome.status == 0 && outcome.errors.isEmpty, "\(outcome)")
            let file = try folder.write(form, bytes: outcome.outputBytes)
            let verdict = try verify(file)
            #expect(verdict.status == 0, "\(verdict)")
            #expect(verdict.output.hasPrefix("intact: 11 events, head \(Hex.text(history.head.hash))\n"), "\(verdict)")
            let said = try verify(file, "-o", "json")
            #expect(said.status == 0 && said.output.contains(#""verdict":"intact""#), "\(said)")
            // PostgreSQL's own reader of CSV must agree; the trailer is no event.
            guard form == "csv" else { continue }
            chmod(folder.path, 0o755)
            let columns = AuditColumn.allCases.map(\.rawValue).joined(separator: ", ")
            let same = try history.database.psql(
                """
                CREATE TEMP TABLE read AS SELECT * FROM migrated.migration_rollback_audit LIMIT 0;
                ALTER TABLE read ALTER prev_hash TYPE text, ALTER hash TYPE text;
                COPY read (\(columns)) FROM PROGRAM 'head -n -1 \(file)' (FORMAT csv, HEADER);
                SELECT count(*) FROM (
                    SELECT \(columns.replacing("prev_hash, hash", with: "encode(prev_hash, 'hex'), encode(hash, 'hex')"))
                      FROM migrated.migration_rollback_audit INTERSECT SELECT \(columns) FROM read) AS same
                """)
            #expect(same.output.split(separator: "\n").last == "11", "\(same.errors)")
        }
        let lines = try history.auditctl("export").output.split(separator: "\n")
        let tape = try JSONTape(Array(lines[9].utf8))
        #expect(tape.members(tape.root).map(\.key) == AuditColumn.allCases.map(\.rawValue))
        let detail = try history.database.query("SELECT detail FROM migrated.migration_rollback_audit WHERE seq = 10")
        #expect(tape.value(tape.root)["detail"]?.string == detail)
    }

    @Test func `lets through what the filters of the log let through`() throws {
        let history = try history()
        let attempt = try #require(history.records[4].event.attemptID).description
        let cases: [([String], [Int64])] = [
            ([], Array(1...11)), (["--reverse"], Array((1...11).reversed())), (["--limit", "3"], [9, 10, 11]),
            (["-n", "2", "-r"], [11, 10]), (["--limit", "all"], Array(1...11)), (["--failed"], [10]),
            (["--event", "failed,orphans_deleted"], [10, 11]), (["--event", "started", "-n", "2"], [7, 9]),
            (["--migration", "0003"], [5, 6]), (["--migration", "0003_table", "--event", "applied"], [6]),
            (["--attempt", attempt], [5, 6]), (["--reason", ""], [11]), (["--host", "web1", "-n", "1"], [11]),
            (["--by", "migrated", "-n", "1"], [11]), (["--by", "mi"], []),
            (["--object", "public.\"odd, table\""], [11]),
            (["--grep", "already exists"], [10]), (["--grep", "' OR true --"], []),
            (["--migration", "\\' OR true --"], []),
            (["--since", "2026-01-31 22:05:18 UTC"], [10, 11]), (["--until", "2026-01-31T22:05:10.2Z"], [1, 2]),
        ]
        let folder = try TemporaryDirectory()
        for (arguments, wanted) in cases {
            let outcome = try Program.run(
                Program.built("auditctl"), ["export", "--database", history.database.conninfo] + arguments)
            #expect(outcome.status == 0, "\(outcome)")
            #expect(try seqs(outcome) == wanted, "\(arguments)")
            let verdict = try verify(folder.write("x", outcome.output))
            #expect(verdict.status == (wanted.count == 11 ? 0 : 2), "\(arguments) \(verdict)")
        }
    }

    @Test func `that was changed afterwards, or holds a changed history, is found out`() throws {
        let history = try history()
        let folder = try TemporaryDirectory()
        let lines = try history.auditctl("export").output.split(separator: "\n").map { $0 + "\n" }
        let edited = try folder.write("e", lines.joined().replacing("0002_table", with: "0002_tabel"))
        let verdict = try verify(edited)
        #expect(verdict.status == 1 && verdict.output.hasPrefix("edited: event 3 "), "\(verdict)")
        let cut = try verify(folder.write("c", lines.dropLast(2).joined()), "-o", "csv")
        #expect(cut.status == 1 && cut.output.contains("\ntruncated,11,"), "\(cut)")
        let said = try verify(edited, "-o", "json")
        #expect(said.output.contains(#""seq":3,"#) && said.output.contains(#""verdict":"edited""#), "\(said)")
        try history.tamper("DELETE FROM migrated.migration_rollback_audit WHERE seq = 7")
        let gap = try verify(folder.write("g", history.auditctl("export").output))
        #expect(gap.status == 1 && gap.output.hasPrefix("removed: event 7 is missing\n"), "\(gap)")
        for missing in [folder.path("nothing"), folder.path] {
            let outcome = try verify(missing)
            #expect(outcome.status == 2 && outcome.errors.hasPrefix("auditctl: cannot tell: cannot "), "\(outcome)")
        }
        let piped = try Program.run(
            Program.built("auditctl"), ["verify", "--file", "-"], input: lines.joined())
        #expect(piped.status == 0, "\(piped)")
    }

    @Test func `puts a file in place whole or not at all`() throws {
        let history = try history()
        let folder = try TemporaryDirectory()
        let file = try folder.write("kept", "before")
        let refused = try Program.run(
            Program.built("auditctl"), ["export", "--output", file, "--database", "host=/nonexistent dbname=x"])
        #expect(refused.status == 69, "\(refused)")
        #expect(try folder.read("kept") == "before")
        // The schema goes wrong in the middle of the rows.
        let broken = try RecordedHistory()
        try broken.append((1...3000).map { _ in AuditEvent(.deferred, by: RecordedHistory.actor) })
        try broken.database.query(
            """
            ALTER TABLE migrated.migration_rollback_audit RENAME TO rows;
            CREATE VIEW migrated.migration_rollback_audit AS
                SELECT * FROM migrated.rows WHERE CASE WHEN seq > 2900 THEN 1 / (seq - 2950) > -2 ELSE true END
            """)
        let failed = try broken.auditctl("export", "--output", file)
        #expect(failed.status != 0 && failed.errors.contains("division by zero"), "\(failed)")
        #expect(try folder.read("kept") == "before")
        let done = try history.auditctl("export", "--output", file)
        #expect(done.status == 0 && done.output.isEmpty, "\(done)")
        #expect(try verify(file).status == 0)
        #expect(try Program.run("/bin/ls", ["-A", folder.path]).output == "kept\n")
        let nowhere = try history.auditctl("export", "--output", folder.path("no/where"))
        #expect(nowhere.status == 74, "\(nowhere)")
        let form = try history.auditctl("export", "--output", "csv")
        #expect(form.status == 0 && form.output.hasPrefix("seq,event_id,"), "\(form)")
        for arguments in [["-o", "table"], ["--follow", "--output", file], ["--follow", "--reverse"]] {
            let outcome = try Program.run(
                Program.built("auditctl"), ["export", "--database", history.database.conninfo] + arguments)
            #expect(outcome.status == 64, "\(outcome)")
        }
    }

    @Test func `reads nothing where the role may not, and is not shown less by row security`() throws {
        let history = try history()
        try history.database.query(
            """
            DROP ROLE IF EXISTS partial; CREATE ROLE partial LOGIN; GRANT USAGE ON SCHEMA migrated TO partial;
            GRANT SELECT ON ALL TABLES IN SCHEMA migrated TO partial;
            ALTER TABLE migrated.migration_rollback_audit ENABLE ROW LEVEL SECURITY;
            CREATE POLICY few ON migrated.migration_rollback_audit USING (seq < 4)
            """)
        let conninfo = history.database.cluster.conninfo(history.database.name, user: "partial")
        let outcome = try Program.run(Program.built("auditctl"), ["export", "--database", conninfo])
        #expect(outcome.status == 77 && outcome.output.isEmpty, "\(outcome)")
        try history.database.query("DROP OWNED BY partial; DROP ROLE partial")
        let elsewhere = try Program.run(
            Program.built("auditctl"), ["export", "--database", Cluster.shared().createDatabase().conninfo])
        #expect(elsewhere.status == 1 && elsewhere.output.isEmpty, "\(elsewhere)")
    }

    @Test func `goes on with new events where it follows`() throws {
        let history = try history()
        let follower = try Program(
            Program.built("auditctl"), ["export", "--follow", "-n", "1", "--database", history.database.conninfo])
        try eventually("the newest event") { follower.outputSoFar.contains("\"seq\":11,") }
        try history.append(AuditEvent(.deferred, by: RecordedHistory.actor))
        try eventually("the new event") { follower.outputSoFar.split(separator: "\n").count == 2 }
        #expect(follower.outputSoFar.contains("\"seq\":12,"))
    }

    private static let query =
        String(#filePath.dropLast("Tests/LiveTests/AuditctlExportTests.swift".count)) + "docs/verify.sql"

    private func queried(_ history: RecordedHistory) throws -> [Substring] {
        let outcome = try Program.run(
            "/usr/bin/env",
            [
                "bash", "-c",
                "psql -XAtq -v ON_ERROR_STOP=1 -d \"$1\" -f \"$0\" || \"$2\"/psql -XAtq -v ON_ERROR_STOP=1 -d \"$1\" -f \"$0\"",
                Self.query, history.database.conninfo, Cluster.programs,
            ])
        #expect(outcome.status == 0, "\(outcome)")
        return outcome.output.dropLast().split(separator: "|", omittingEmptySubsequences: false)
    }

    @Test(arguments: [
        "", "UPDATE migrated.migration_rollback_audit SET message = '' WHERE seq = 10",
        "UPDATE migrated.migration_rollback_audit SET recorded_at = 'infinity' WHERE seq = 1",
        "UPDATE migrated.migration_rollback_audit SET hash = sha256(hash) WHERE seq = 4",
        """
        UPDATE migrated.migration_rollback_audit SET initiated_by = 'nobody' WHERE seq = 6;
        UPDATE migrated.migration_rollback_audit AS a SET hash = migrated.event_hash(a) WHERE seq = 6
        """,
        "DELETE FROM migrated.migration_rollback_audit WHERE seq IN (4, 5)",
        "DELETE FROM migrated.migration_rollback_audit WHERE seq = 1",
        "DELETE FROM migrated.migration_rollback_audit WHERE seq > 8", "TRUNCATE migrated.migration_rollback_audit",
        "UPDATE migrated.audit_head SET seq = 9", "UPDATE migrated.audit_head SET hash = sha256(hash)",
        "UPDATE migrated.audit_head SET genesis = sha256(genesis)",
        "UPDATE migrated.migration_rollback_audit SET seq = 0 WHERE seq = 1",
        """
        UPDATE migrated.migration_rollback_audit SET seq = 100 WHERE seq = 3;
        UPDATE migrated.migration_rollback_audit SET seq = 3 WHERE seq = 4;
        UPDATE migrated.migration_rollback_audit SET seq = 4 WHERE seq = 100
        """,
    ])
    func `the query in the documentation, auditctl and an export come to the same`(sql: String) throws {
        let history = try history()
        if !sql.isEmpty { try history.tamper(sql) }
        let row = try queried(history)
        let outcome = try history.auditctl("verify", "-o", "json")
        let tape = try JSONTape(outcome.outputBytes)
        let verdict = tape.value(tape.root)
        #expect(verdict["verdict"]?.string == row.first.map(String.init), "\(outcome) \(row)")
        #expect(
            (sql.isEmpty ? 11 : verdict["seq"]?.integer) == row.dropFirst().first.flatMap { Int64($0) },
            "\(outcome) \(row)")
        let folder = try TemporaryDirectory()
        let file = try verify(folder.write("x", history.auditctl("export").output), "-o", "json")
        let other = try JSONTape(file.outputBytes)
        #expect(other.value(other.root)["verdict"] == verdict["verdict"], "\(file) \(outcome)")
        #expect(other.value(other.root)["seq"] == (sql.isEmpty ? .null : verdict["seq"]), "\(file) \(outcome)")
        let third = try inPerl(folder.path("x"))
        #expect(third.output.hasPrefix("\(row[0])\t\(row[1])\t") && third.status == file.status, "\(third) \(row)")
    }

    /// The verifier that was written from the format's description alone.
    private func inPerl(_ file: String) throws -> Program.Outcome {
        let script = Self.query.replacing("verify.sql", with: "verify-export.pl")
        return try Program.run("/usr/bin/perl", [script, file])
    }

    /// Lines left out, exchanged and given twice, texts that end anywhere, other digits and values: of a whole history, one of newest first, a part.
    @Test(arguments: [[], ["--reverse"], ["--limit", "4"]])
    func `is judged alike by a second verifier, whatever was done to it`(arguments: [String]) throws {
        let history = try history()
        let folder = try TemporaryDirectory()
        let text = try Program.run(
            Program.built("auditctl"), ["export", "--database", history.database.conninfo] + arguments
        ).output
        let lines = text.split(separator: "\n").map { $0 + "\n" }
        var forged = [text, text + "\n", text + lines[0], "", "{}\n"]
        for place in stride(from: 0, to: lines.count, by: 4) {
            var others = lines
            others.remove(at: place)
            forged.append(others.joined())
            others.insert(lines[place], at: (place + 2) % lines.count)
            forged.append(others.joined())
            others.append(lines[place])
            forged.append(others.joined())
            forged.append(lines[..<place].joined() + lines[place].dropLast(1 + 7 * place))
        }
        for (old, new) in [
            ("null", "\"\""), ("\"seq\":10", "\"seq\":010"), ("\"pid\":", "\"pid\":-"), ("0001_table", "0001_tabel"),
            ("\\u", "\\u0"), ("T22", "T23"),
            ("T22", "T25"), ("01-31", "02-30"), ("\"count\":", "\"count\":1"),
            ("\"complete\":true", "\"complete\":false"), ("\"genesis\":\"", "\"genesis\":\"0"),
            ("42P07", "42p07"), ("\",\"", "\", \""),
        ] where text.contains(old) {
            forged.append(text.replacing(old, with: new, maxReplacements: 1))
        }
        for (number, bytes) in forged.enumerated() {
            let file = try folder.write("\(number)", bytes)
            let (first, second) = (try verify(file), try inPerl(file))
            #expect(first.status == second.status && second.errors.isEmpty, "\(number) \(first) \(second)")
            if first.status == 1 {
                #expect(
                    first.output.prefix { $0 != ":" } == second.output.prefix { $0 != "\t" },
                    "\(number) \(first) \(second)")
            }
        }
    }
}
