import Digest
import Glibc
import JSON
import LiveSupport
import Testing

/// Each way to rewrite a history as somebody could who may do anything in the database, and what the anchors then show.
@Suite struct `A history rewritten behind its anchors` {
    private let bench: Workbench
    private let key: String

    /// Two migrations in six events, signed.
    init() throws {
        bench = try Workbench()
        key = bench.folder.path("key")
        guard try Program.run(Program.built("migrated"), ["keygen", "--out", key]).status == 0 else {
            throw LiveFailure("no key")
        }
        try bench.folder.write("migrated.toml", "signing-key = \"key\"\n")
        for number in 1...3 { try bench.write("\(number)_a.sql", "SELECT \(number);") }
        guard try bench.run("apply").status == 0 else { throw LiveFailure("not applied") }
    }

    @Test func `an export carries the signature over its head, and is held against it without a database`() throws {
        let file = bench.folder.path("export.ndjson")
        let exported = try Program.run(
            Program.built("auditctl"),
            [
                "export", "--output", file, "--database", bench.database.conninfo, "--state-directory",
                bench.folder.path("state"),
            ])
        #expect(exported.status == 0, "\(exported)")
        func check(_ key: String, _ file: String) throws -> Program.Outcome {
            try Program.run(
                Program.built("auditctl"),
                ["verify", "--config", "/dev/null", "--file", file, "--public-key", bench.folder.path(key)])
        }
        let signed = try check("key.pub", file)
        #expect(signed.status == 0 && signed.output.contains("\nsigned:   the head, by key "), "\(signed)")

        #expect(
            try Program.run(Program.built("migrated"), ["keygen", "--out", bench.folder.path("other")]).status == 0)
        let foreign = try check("other.pub", file)
        #expect(foreign.status == 2 && foreign.output.contains("is not signed by key"), "\(foreign)")

        // One digit of the signature is another one.
        let forged = try Program.run(
            "/bin/sed", ["-E", "s/(\"signature\":\"[0-9a-f]+:)(.)/\\1f\\2/; s/(:[0-9a-f]{128})[0-9a-f]\"/\\1\"/", file])
        try bench.folder.write("forged.ndjson", forged.output)
        let found = try check("key.pub", bench.folder.path("forged.ndjson"))
        #expect(found.status == 1 && found.output.contains("is not that of key"), "\(found)")
    }

    private func verify(_ more: [String] = []) throws -> (outcome: Program.Outcome, json: JSONValue) {
        let outcome = try Program.run(
            Program.built("auditctl"),
            [
                "verify", "-o", "json", "--database", bench.database.conninfo, "--state-directory",
                bench.folder.path("state"),
            ]
                + more)
        let tape = try JSONTape(outcome.outputBytes)
        return (outcome, tape.value(tape.root))
    }

    private func tamper(_ sql: String) throws {
        try bench.query(
            """
            ALTER TABLE migrated.migration_rollback_audit DISABLE TRIGGER USER;
            \(sql);
            ALTER TABLE migrated.migration_rollback_audit ENABLE ALWAYS TRIGGER migration_rollback_audit_append_only
            """)
    }

    /// All hashes from an event on, and the head, made to fit again.
    private static func recomputed(from seq: Int) -> String {
        """
        DO $$ DECLARE entry migrated.migration_rollback_audit; before bytea;
        BEGIN
            FOR entry IN SELECT * FROM migrated.migration_rollback_audit WHERE seq >= \(seq) ORDER BY seq LOOP
                SELECT coalesce((SELECT a.hash FROM migrated.migration_rollback_audit AS a WHERE a.seq = entry.seq - 1), h.genesis)
                  INTO before FROM migrated.audit_head AS h;
                entry.prev_hash := before;
                UPDATE migrated.migration_rollback_audit AS a SET prev_hash = before, hash = migrated.event_hash(entry) WHERE a.seq = entry.seq;
            END LOOP;
            UPDATE migrated.audit_head AS h SET (seq, hash) = (SELECT a.seq, a.hash FROM migrated.migration_rollback_audit AS a ORDER BY a.seq DESC LIMIT 1);
        END $$
        """
    }

    private static let changed = "UPDATE migrated.migration_rollback_audit SET initiated_by = 'nobody' WHERE seq = 4"

    @Test(
        arguments: [
            (changed, "edited", 4),
            ("DELETE FROM migrated.migration_rollback_audit WHERE seq = 3", "removed", 3),
            (
                """
                DELETE FROM migrated.migration_rollback_audit WHERE seq > 4;
                UPDATE migrated.audit_head AS h SET (seq, hash) = (SELECT a.seq, a.hash FROM migrated.migration_rollback_audit AS a WHERE a.seq = 4)
                """, "truncated", 5
            ),
            ("\(changed); \(recomputed(from: 4))", "fork", 4),
            (
                """
                UPDATE migrated.audit_head SET genesis = sha256(genesis); \(recomputed(from: 1))
                """, "rebuilt", 1
            ),
            (
                """
                UPDATE migrated.migration_rollback_audit SET seq = 100 WHERE seq = 3;
                UPDATE migrated.migration_rollback_audit SET seq = 3 WHERE seq = 4;
                UPDATE migrated.migration_rollback_audit SET seq = 4 WHERE seq = 100; \(recomputed(from: 3))
                """, "fork", 3
            ),
            (
                """
                UPDATE migrated.migration_rollback_audit SET seq = seq + 100 WHERE seq > 2;
                INSERT INTO migrated.migration_rollback_audit SELECT (jsonb_populate_record(a, jsonb_build_object('seq', 3, 'event_id', gen_random_uuid()))).*
                  FROM migrated.migration_rollback_audit AS a WHERE seq = 2;
                UPDATE migrated.migration_rollback_audit SET seq = seq - 99 WHERE seq > 100; \(recomputed(from: 3))
                """, "fork", 3
            ),
            (
                "DELETE FROM migrated.migration_rollback_audit; UPDATE migrated.audit_head SET seq = 0, hash = genesis",
                "truncated", 1
            ),
        ] as [(String, String, Int64)])
    func `is found, with the first event that cannot be trusted`(sql: String, word: String, seq: Int64) throws {
        #expect(try verify().json["verdict"]?.string == "intact")
        try tamper(sql)
        let found = try verify()
        #expect(found.outcome.status == 1, "\(found.outcome)")
        #expect(found.json["verdict"]?.string == word && found.json["seq"]?.integer == seq, "\(found.outcome)")
        // And nothing goes on from there, as far as the newest anchor can tell.
        if ["truncated", "fork", "rebuilt"].contains(word) { #expect(try bench.run("apply").status == 78) }
    }

    @Test func `is found where all of it was dropped, and where it was begun anew, and nothing goes on from there`()
        throws
    {
        try bench.query("DROP SCHEMA migrated CASCADE")
        let gone = try bench.run("apply")
        #expect(gone.status == 78 && gone.errors.contains("the history is gone, and the anchor"), "\(gone)")
        #expect(gone.errors.contains("HINT: A backup was restored, a failover lost events, or somebody changed them"))
        #expect(try bench.query("SELECT to_regnamespace('migrated') IS NULL") == "t")
        let nothing = try verify()
        #expect(nothing.outcome.status == 1, "\(nothing.outcome)")
        #expect(nothing.json["verdict"]?.string == "truncated" && nothing.json["seq"]?.integer == 1)
        #expect(
            nothing.json["findings"]?.array?.compactMap { $0["what"]?.string } == [
                "the history is gone",
                "events 1 to 6 are missing at the end: the state directory has an anchor of event 6",
            ], "\(nothing.outcome)")
        // Somebody without the anchors makes an empty one, and one with other events.
        for files in [[], ["9_z.sql"]] {
            let other = try Workbench()
            for name in files { try other.write(name, "SELECT 9;") }
            let made = try Program.run(
                Program.built("migrated"),
                other.arguments("apply", ["--database", bench.database.conninfo]))
            #expect(made.status == 0, "\(made)")
            let found = try verify()
            #expect(found.outcome.status == 1, "\(found.outcome)")
            #expect(
                found.json["verdict"]?.string == (files.isEmpty ? "truncated" : "rebuilt")
                    && found.json["seq"]?.integer == 1, "\(found.outcome)")
            let refused = try bench.run("apply")
            #expect(refused.status == 78 && refused.errors.contains("the history"), "\(refused)")
            #expect(try bench.events("name <> '9_z'") == [])
        }
    }

    @Test func `is found by signatures, even with the anchors made to fit`() throws {
        let folder = bench.folder.path(
            "state/"
                + (try bench.query(
                    "SELECT system_identifier || '-' || (SELECT oid FROM pg_database WHERE datname = current_database()) FROM pg_control_system()"
                )))
        let signed = ["--public-key", key + ".pub"]
        let before = try verify(signed)
        #expect(before.outcome.status == 0 && before.json["verdict"]?.string == "intact", "\(before.outcome)")
        #expect(before.json["witnesses"]?["signed"]?.integer == 4, "\(before.outcome)")
        try tamper("\(Self.changed); \(Self.recomputed(from: 4))")
        let fitting = try bench.query(
            "SELECT string_agg(seq || ' ' || encode(hash, 'hex'), E'\\n' ORDER BY seq) FROM migrated.migration_rollback_audit"
        )
        #expect(unlink(folder + "/anchors") == 0)
        try bench.folder.write("state/" + folder.split(separator: "/").suffix(1).joined() + "/anchors", fitting + "\n")
        #expect(try verify().outcome.status == 0)
        let unsigned = try verify(signed)
        #expect(unsigned.outcome.status == 2, "\(unsigned.outcome)")
        // Signatures of another head do not fit this one.
        let id = try #require(PublicKey(pem: Array(try bench.folder.read("key.pub").utf8))).id
        let borrowed = String(repeating: "ab", count: 64)
        try bench.folder.write(
            "state/" + folder.split(separator: "/").suffix(1).joined() + "/anchors",
            fitting + " signature=\(id):\(borrowed)\n")
        let forged = try verify(signed)
        #expect(forged.outcome.status == 1 && forged.json["seq"]?.integer == 6, "\(forged.outcome)")
    }
}
