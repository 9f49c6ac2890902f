import Audit
import AuditReading
import Digest
import JSON
import LiveSupport
import Postgres
import Testing

@Suite struct `auditctl verify` {
    private func history() throws -> RecordedHistory {
        let history = try RecordedHistory()
        for number in 1...5 { try history.attempt("000\(number)") }
        return history
    }

    @Test func `finds nothing in a history that nobody touched`() throws {
        let history = try history()
        let outcome = try history.auditctl("verify")
        #expect(outcome.status == 0, "\(outcome)")
        #expect(
            outcome.output.hasPrefix(
                "intact: 10 events, head \(Hex.text(history.head.hash))\nwarning: anchors missing: "))
        #expect(outcome.errors.isEmpty)
        let empty = try RecordedHistory().auditctl("verify", "-o", "json")
        #expect(empty.status == 0, "\(empty)")
        #expect(empty.output.hasPrefix(#"{"count":0,"findings":[],"head":""#))
    }

    @Test(
        arguments: [
            ("UPDATE migrated.migration_rollback_audit SET message = 'nothing' WHERE seq = 7", "edited", 7),
            (
                "UPDATE migrated.migration_rollback_audit SET recorded_at = recorded_at + '1us' WHERE seq = 1",
                "edited", 1
            ),
            ("UPDATE migrated.migration_rollback_audit SET detail = '' WHERE seq = 10", "edited", 10),
            ("UPDATE migrated.migration_rollback_audit SET hash = sha256(hash) WHERE seq = 4", "edited", 4),
            ("UPDATE migrated.migration_rollback_audit SET prev_hash = sha256(hash) WHERE seq = 4", "edited", 4),
            // The edited row's own hash made good: the row behind it gives it away.
            (
                """
                UPDATE migrated.migration_rollback_audit SET initiated_by = 'nobody' WHERE seq = 6;
                UPDATE migrated.migration_rollback_audit AS a SET hash = migrated.event_hash(a) WHERE seq = 6
                """, "edited", 6
            ),
            ("DELETE FROM migrated.migration_rollback_audit WHERE seq IN (4, 5)", "removed", 4),
            ("DELETE FROM migrated.migration_rollback_audit WHERE seq = 1", "removed", 1),
            ("DELETE FROM migrated.migration_rollback_audit WHERE seq > 8", "truncated", 9),
            ("DELETE FROM migrated.migration_rollback_audit", "truncated", 1),
            ("TRUNCATE migrated.migration_rollback_audit", "truncated", 1),
            (
                """
                UPDATE migrated.migration_rollback_audit SET seq = 100 WHERE seq = 3;
                UPDATE migrated.migration_rollback_audit SET seq = 3 WHERE seq = 4;
                UPDATE migrated.migration_rollback_audit SET seq = 4 WHERE seq = 100
                """, "edited", 3
            ),
            ("UPDATE migrated.audit_head SET seq = 9", "inserted", 10),
            ("UPDATE migrated.audit_head SET hash = sha256(hash)", "edited", 10),
            ("UPDATE migrated.audit_head SET genesis = sha256(genesis)", "edited", 1),
            ("UPDATE migrated.migration_rollback_audit SET seq = 0 WHERE seq = 1", "inserted", 0),
            ("UPDATE migrated.migration_rollback_audit SET seq = -5 WHERE seq = 10", "inserted", -5),
            (
                """
                ALTER TABLE migrated.migration_source DROP CONSTRAINT migration_source_checksum_check;
                UPDATE migrated.migration_source SET source = 'SELECT 1' WHERE checksum =
                    (SELECT checksum FROM migrated.migration_rollback_audit WHERE seq = 5)
                """, "edited", 5
            ),
            (
                """
                DELETE FROM migrated.migration_source WHERE checksum =
                    (SELECT checksum FROM migrated.migration_rollback_audit WHERE seq = 3)
                """, "removed", 3
            ),
        ] as [(String, String, Int64)])
    func `names the first event that was tampered with`(sql: String, word: String, seq: Int64) throws {
        let history = try history()
        try history.tamper(sql)
        let outcome = try history.auditctl("verify", "-o", "json")
        #expect(outcome.status == 1, "\(outcome)")
        let tape = try JSONTape(outcome.outputBytes)
        let found = tape.value(tape.root)
        #expect(found["verdict"]?.string == word, "\(outcome)")
        #expect(found["seq"]?.integer == seq, "\(outcome)")
        let people = try history.auditctl("verify")
        #expect(people.status == 1 && people.output.hasPrefix("\(word): "), "\(people)")
    }

    @Test(arguments: [
        ("ALTER TABLE migrated.migration_rollback_audit DISABLE TRIGGER USER", "switched off"),
        ("ALTER TABLE migrated.migration_source ENABLE TRIGGER migration_source_append_only", "switched off"),
        ("DROP TRIGGER migration_source_append_only ON migrated.migration_source", "lacks its trigger"),
        ("ALTER TABLE migrated.migration_rollback_audit ENABLE ROW LEVEL SECURITY", "row security"),
        ("CREATE RULE r AS ON INSERT TO migrated.migration_source DO INSTEAD NOTHING", "rewrite rules"),
        (
            """
            ALTER TABLE migrated.migration_rollback_audit RENAME TO hidden;
            CREATE VIEW migrated.migration_rollback_audit AS SELECT * FROM migrated.hidden
            """, "not an ordinary table"
        ),
    ])
    func `says when the history is not protected any more`(sql: String, words: String) throws {
        let history = try history()
        try history.database.query(sql)
        let outcome = try history.auditctl("verify")
        #expect(outcome.status == 1, "\(outcome)")
        #expect(outcome.output.hasPrefix("unprotected: ") && outcome.output.contains(words), "\(outcome)")
    }

    @Test(
        arguments: [
            ("ALTER TABLE migrated.orphan_quarantine DISABLE TRIGGER ALL", "has its trigger"),
            ("DROP TRIGGER orphan_restoration_append_only ON migrated.orphan_restoration", "lacks its trigger"),
            (
                "CREATE OR REPLACE FUNCTION migrated.refuse_change() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$ BEGIN RETURN NULL; END $$",
                "function 'refuse_change' has another text"
            ),
            (
                // The Greek question mark is the semicolon to Unicode, and a letter to PostgreSQL.
                "UPDATE pg_catalog.pg_proc SET prosrc = replace(prosrc, ';', U&'\\037E') WHERE proname = 'refuse_change'",
                "function 'refuse_change' has another text"
            ),
            (
                "ALTER FUNCTION migrated.append_events(bytea, integer, text, bytea, migrated.migration_rollback_audit[]) SECURITY INVOKER",
                "function 'append_events' runs with other rights"
            ),
            (
                "ALTER FUNCTION migrated.event_hash(migrated.migration_rollback_audit) RESET search_path",
                "function 'event_hash' does not pin its search_path"
            ),
            (
                "GRANT EXECUTE ON FUNCTION migrated.lock_head(bigint) TO PUBLIC",
                "function 'lock_head' may be called by everybody"
            ),
            ("DROP FUNCTION migrated.expect_token(bytea, integer)", "function 'expect_token' is not there"),
            (
                "GRANT UPDATE, DELETE ON migrated.audit_head TO PUBLIC",
                "table 'audit_head' may be changed by everybody (DELETE, UPDATE)"
            ),
            ("ALTER TABLE migrated.migration_source OWNER TO pg_monitor", "table 'migration_source' has another owner"),
            ("CREATE TABLE more () INHERITS (migrated.migration_source)", "table 'migration_source' is inherited from"),
            (
                "CREATE TRIGGER more BEFORE INSERT ON migrated.migration_rollback_audit FOR EACH ROW EXECUTE FUNCTION migrated.refuse_change()",
                "has a trigger 'more' that is not its own"
            ),
        ])
    func `names what the schema has otherwise than this program installs it`(sql: String, words: String) throws {
        let history = try history()
        try history.database.query(sql)
        let outcome = try history.auditctl("verify")
        #expect(outcome.status == 1, "\(outcome)")
        #expect(outcome.output.hasPrefix("unprotected: ") && outcome.output.contains(words), "\(outcome)")
    }

    @Test func `cannot tell without a history, a right or a known schema`() throws {
        let history = try history()
        let elsewhere = try Program.run(
            Program.built("auditctl"), ["verify", "--database", Cluster.shared().createDatabase().conninfo])
        #expect(elsewhere.status == 2, "\(elsewhere)")
        #expect(elsewhere.errors.hasPrefix("auditctl: cannot tell: database '"), "\(elsewhere)")
        try history.database.query(
            "DROP ROLE IF EXISTS blind; CREATE ROLE blind LOGIN; GRANT USAGE ON SCHEMA migrated TO blind")
        let conninfo = history.database.cluster.conninfo(history.database.name, user: "blind")
        let blind = try Program.run(Program.built("auditctl"), ["verify", "-o", "json", "--database", conninfo])
        #expect(blind.status == 2, "\(blind)")
        #expect(blind.output.contains(#""verdict":"cannot_tell""#))
        try history.database.query("DROP OWNED BY blind")
        try history.database.query("UPDATE migrated.audit_head SET schema_version = 99")
        #expect(try history.auditctl("verify").status == 2)
    }

    @Test func `knows the history that migrated writes today`() throws {
        let bench = try Workbench()
        try bench.write("1_a.sql", "SELECT 1;")
        #expect(try bench.run("apply").status == 0)
        let outcome = try Program.run(
            Program.built("auditctl"), ["verify", "--database", bench.database.conninfo])
        #expect(outcome.status == 0, "\(outcome)")
    }

    @Test func `cannot tell without a connection, which other verbs call unavailable`() throws {
        let auditctl = try Program.built("auditctl")
        for (verb, status) in [("verify", 2), ("log", 69), ("status", 69)] as [(String, Int32)] {
            let outcome = try Program.run(auditctl, [verb, "--database", "host=/nonexistent dbname=x"])
            #expect(outcome.status == status && outcome.output.isEmpty, "\(outcome)")
            #expect(outcome.errors.hasPrefix("auditctl: "), "\(outcome)")
        }
    }

    @Test func `is not shown less by row security`() throws {
        let history = try history()
        try history.database.query(
            """
            DROP ROLE IF EXISTS shaded; CREATE ROLE shaded LOGIN; GRANT USAGE ON SCHEMA migrated TO shaded;
            GRANT SELECT ON ALL TABLES IN SCHEMA migrated TO shaded;
            ALTER TABLE migrated.migration_rollback_audit ENABLE ROW LEVEL SECURITY;
            CREATE POLICY few ON migrated.migration_rollback_audit USING (seq < 4)
            """)
        let conninfo = history.database.cluster.conninfo(history.database.name, user: "shaded")
        for verb in ["verify", "log"] {
            let outcome = try Program.run(Program.built("auditctl"), [verb, "--database", conninfo])
            #expect(outcome.status == (verb == "verify" ? 2 : 77), "\(outcome)")
            #expect(outcome.errors.contains("row-level security"), "\(outcome)")
        }
        try history.database.query("DROP OWNED BY shaded")
    }

    @Test func `reads a history of many chunks in another schema`() throws {
        let history = try RecordedHistory(schema: "odd \"schema\"")
        try history.append(
            (1...5001).map { number in
                var event = AuditEvent(.skipped, by: RecordedHistory.actor)
                event.version = String(number)
                return event
            })
        let outcome = try history.auditctl("verify")
        #expect(
            outcome.output.hasPrefix("intact: 5001 events, head \(Hex.text(history.head.hash))\nwarning: "),
            "\(outcome)")
        let log = try history.auditctl("log", "--limit", "all", "-o", "ndjson")
        let lines = log.output.split(separator: "\n")
        #expect(lines.map { $0.prefix { $0 != "," } } == (1...5001).map { "{\"seq\":\($0)" })
    }
}
