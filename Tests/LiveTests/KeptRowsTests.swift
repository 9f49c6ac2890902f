import Goldens
import LiveSupport
import Testing

/// What is kept of rows is under the chain: whoever changes it is found, nobody but a cleanup writes it, and nothing comes back from what was changed.
@Suite struct `Kept rows` {
    private static let key = "ALTER TABLE c ADD CONSTRAINT k FOREIGN KEY (p) REFERENCES p;"
    private static let tables = """
        CREATE TABLE p (id int PRIMARY KEY); INSERT INTO p VALUES (1); CREATE TABLE c (id int PRIMARY KEY, p int NOT NULL, word text);
        INSERT INTO c SELECT n, CASE WHEN n % 2 = 0 THEN 1 ELSE 9 END, 'word ' || n FROM generate_series(1, 20) AS n
        """

    private func dirty() throws -> OrphanBench { try OrphanBench(Self.tables, "p", "c") }

    private func verify(_ bench: Workbench) throws -> Program.Outcome {
        try Program.run(
            Program.built("auditctl"),
            ["verify", "--database", bench.database.conninfo, "--state-directory", bench.folder.path("state")])
    }

    /// Does it as somebody who may do anything in the database.
    private func tamper(_ bench: Workbench, _ sql: String) throws {
        let tables = ["orphan_quarantine", "orphan_restoration"]
        let off = tables.map { "ALTER TABLE migrated.\($0) DISABLE TRIGGER USER;" }.joined()
        let on = tables.flatMap { table in
            ["append_only", "of_attempt"].map {
                "ALTER TABLE migrated.\(table) ENABLE ALWAYS TRIGGER \(table)_\($0);"
            }
        }.joined()
        try bench.query("\(off) \(sql); \(on)")
    }

    private static let anotherRow = """
        INSERT INTO migrated.orphan_quarantine (event_id, attempt_id, schema_name, table_name, column_names, action, key, old_row)
        SELECT event_id, attempt_id, schema_name, table_name, column_names, action, '{"id": 77}', '{"id": 77, "p": 1, "word": "forged"}'
          FROM migrated.orphan_quarantine LIMIT 1
        """

    @Test(
        arguments: [
            (
                #"UPDATE migrated.orphan_quarantine SET old_row = old_row || '{"word": "forged"}' WHERE id = 3"#,
                "edited"
            ), (#"UPDATE migrated.orphan_quarantine SET key = '{"id": 2}' WHERE id = 3"#, "edited"),
            ("UPDATE migrated.orphan_quarantine SET table_name = 'p' WHERE id = 3", "edited"),
            ("UPDATE migrated.orphan_quarantine SET salt = gen_random_uuid() WHERE id = 3", "edited"),
            (
                """
                UPDATE migrated.orphan_quarantine AS q SET old_row = o.old_row FROM migrated.orphan_quarantine AS o
                 WHERE q.id IN (3, 4) AND o.id IN (3, 4) AND o.id <> q.id
                """, "edited"
            ),
            ("DELETE FROM migrated.orphan_quarantine WHERE id = 10", "removed"),
            ("DELETE FROM migrated.orphan_quarantine", "removed"), ("TRUNCATE migrated.orphan_quarantine", "removed"),
            (anotherRow, "inserted"),
            (
                """
                DELETE FROM migrated.orphan_quarantine WHERE id = 10;
                \(anotherRow)
                """, "edited"
            ),
            ("UPDATE migrated.orphan_quarantine SET event_id = gen_random_uuid() WHERE id = 10", "removed"),
            ("UPDATE migrated.orphan_restoration SET row_count = 9", "edited"),
            ("DELETE FROM migrated.orphan_restoration", "removed"),
            (
                "INSERT INTO migrated.orphan_restoration (quarantine_id, event_id, outcome) SELECT 3, event_id, 'restored' FROM migrated.orphan_restoration",
                "inserted"
            ),
            (
                "INSERT INTO migrated.orphan_restoration (quarantine_id, event_id, outcome) VALUES (3, gen_random_uuid(), 'refused')",
                "inserted"
            ),
        ])
    func `that were changed are found, here and by the second verifier`(sql: String, finding: String) throws {
        let dirty = try dirty()
        try dirty.clean(Self.key)
        #expect(try dirty.bench.run("rollback", "--last", "1").status == 0)
        func second() throws -> String {
            try dirty.bench.database.psql(try #require(ProjectFiles.text("docs/verify.sql"))).output
        }
        let before = try verify(dirty.bench)
        #expect(before.status == 0, "\(before)")
        #expect(try second().contains("intact"))
        try tamper(dirty.bench, sql)
        let after = try verify(dirty.bench)
        #expect(after.status == 1 && after.output.contains(finding), "\(after)")
        #expect(try second().contains(finding))
    }

    @Test func `of many nodes are as they were`() throws {
        let dirty = try OrphanBench(
            """
            CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (id int PRIMARY KEY, p int NOT NULL);
            INSERT INTO c SELECT n, 9 FROM generate_series(1, 2048) AS n; CREATE TABLE d (c int REFERENCES c ON DELETE CASCADE);
            INSERT INTO d SELECT id FROM c WHERE id < 1026
            """, "p", "c", "d")
        try dirty.clean(Self.key)
        try dirty.expect("c deleted 2048, d deleted 1025")
        #expect(try verify(dirty.bench).status == 0)
        let second = try dirty.bench.database.psql(try #require(ProjectFiles.text("docs/verify.sql")))
        #expect(second.output.contains("intact"), "\(second)")
        try dirty.expectWayBack()
        #expect(try verify(dirty.bench).status == 0)
    }

    @Test func `that were changed are told where they are printed, and do not come back`() throws {
        let dirty = try dirty()
        try dirty.clean(Self.key)
        func orphans() throws -> Program.Outcome {
            try Program.run(
                Program.built("auditctl"), ["orphans", "--rows", "--database", dirty.bench.database.conninfo])
        }
        #expect(try orphans().status == 0)
        try tamper(
            dirty.bench,
            #"UPDATE migrated.orphan_quarantine SET old_row = old_row || '{"word": "forged"}' WHERE id = 3"#)
        let printed = try orphans()
        #expect(printed.status == 1 && printed.errors.contains("the rows kept for event 2 are not those"), "\(printed)")
        #expect(printed.output.contains("forged"))
        let undone = try dirty.bench.run("rollback", "--last", "1")
        #expect(undone.status == 1 && undone.errors.contains("are not those that it was recorded with"), "\(undone)")
        try dirty.expectKeys("k")
        let attempt = try dirty.bench.query("SELECT DISTINCT attempt_id FROM migrated.orphan_quarantine")
        let restored = try dirty.bench.run("restore-orphans", attempt)
        #expect(
            restored.status == 1 && restored.errors.contains("are not those that it was recorded with"), "\(restored)")
        try dirty.expect("SELECT count(*) FROM c", is: "10")
    }

    /// The file's own cleanup, an earlier one, none; the rows and what became of them.
    @Test(
        arguments: [
            anotherRow, anotherRow.replacing("LIMIT 1", with: "ORDER BY id DESC LIMIT 1"),
            """
            INSERT INTO migrated.orphan_quarantine (event_id, attempt_id, schema_name, table_name, column_names, action, old_row)
            VALUES (gen_random_uuid(), gen_random_uuid(), 'public', 'c', '{p}', 'deleted', '{"id": 77, "p": 1}')
            """,
            """
            INSERT INTO migrated.orphan_restoration (quarantine_id, event_id, outcome)
            SELECT id, gen_random_uuid(), 'restored' FROM migrated.orphan_quarantine LIMIT 1
            """,
        ])
    func `are not a file's to write`(sql: String) throws {
        let dirty = try dirty()
        try dirty.clean(Self.key)
        try dirty.bench.write(
            "002_d.up.sql", "CREATE TABLE d (p int); INSERT INTO d VALUES (9); CREATE TABLE e (a int);")
        try dirty.bench.write(
            "003_forged.up.sql",
            "-- migrated: orphans=clean orphan-limit=100%\nDELETE FROM d WHERE false; ALTER TABLE d ADD FOREIGN KEY (p) REFERENCES p; \(sql);"
        )
        let outcome = try dirty.bench.run("apply")
        #expect(
            outcome.status == 1
                && outcome.errors.contains("the file has written into orphan_quarantine or orphan_restoration itself"),
            "\(outcome)")
        try dirty.expect("SELECT count(*), max(p) FROM d", is: "1|9")
        try dirty.expect("SELECT count(*) FROM migrated.orphan_quarantine", is: "10")
        #expect(try verify(dirty.bench).status == 0)
        try dirty.bench.write(
            "003_forged.up.sql",
            "-- migrated: orphans=clean orphan-limit=100%\nALTER TABLE d ADD FOREIGN KEY (p) REFERENCES p;")
        let mended = try dirty.bench.run("apply")
        #expect(mended.status == 0, "\(mended)")
        #expect(try verify(dirty.bench).status == 0)
    }

    @Test func `are not to be written by the login that runs files, nor does it choose their numbers`() throws {
        let logins = try TwoLogins()
        try logins.bench.query(
            "SET client_min_messages = warning; \(Self.tables); ALTER TABLE p OWNER TO app; ALTER TABLE c OWNER TO app")
        try logins.bench.write("001_key.up.sql", "-- migrated: orphans=clean orphan-limit=100%\n\(Self.key)")
        try logins.bench.write("001_key.down.sql", "ALTER TABLE c DROP CONSTRAINT k;")
        let applied = try logins.run("apply")
        #expect(applied.status == 0, "\(applied)")
        for (sql, refusal) in [
            (Self.anotherRow, "no attempt of this session is under way"),
            (
                Self.anotherRow.replacing("(event_id", with: "(id, event_id").replacing(
                    "SELECT event_id", with: "OVERRIDING SYSTEM VALUE SELECT 0, event_id"), "permission denied"
            ),
            ("SELECT setval('migrated.orphan_quarantine_id_seq', 1)", "permission denied"),
        ] {
            let outcome = try Program.run(
                "\(Cluster.programs)/psql", ["-Xd", logins.login("app"), "-c", sql])
            #expect(outcome.status == 1 && outcome.errors.contains(refusal), "\(outcome)")
        }
        #expect(try logins.verdict().hasPrefix("intact: "))
        let undone = try logins.run("rollback", "--last", "1")
        #expect(undone.status == 0, "\(undone)")
        #expect(try logins.bench.query("SELECT count(*) FROM c") == "20")
        #expect(try logins.verdict().hasPrefix("intact: "))
    }
}
