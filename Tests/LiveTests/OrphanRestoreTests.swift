import LiveSupport
import Testing

/// Every row stands for itself: what cannot come back is named, and all others come back, once.
@Suite struct `Rows that come back` {
    private static let key = "ALTER TABLE c ADD CONSTRAINT k FOREIGN KEY (p) REFERENCES p;"

    /// The rollback's end, and of how many rows it says that they are restored.
    private func undo(_ dirty: OrphanBench, restored: Int, left: String...) throws {
        let undone = try dirty.bench.run("rollback", "--last", "1")
        #expect(undone.status == 0, "\(undone)")
        try dirty.expect(
            "SELECT sum(row_count) FROM migrated.migration_rollback_audit WHERE event = 'orphans_restored'",
            is: "\(restored)")
        let notRestored = try dirty.notRestored()
        for words in left where !words.isEmpty { #expect(notRestored.contains(words)) }
        if left.isEmpty { #expect(notRestored == "") }
    }

    @Test(arguments: ["NOT NULL", ""])
    func `into the table itself, and not into those that inherit from it`(required: String) throws {
        // Those that inherit have rows of the same keys; where the column may be null, rows that look like cleaned ones.
        let dirty = try OrphanBench(
            """
            CREATE TABLE p (id int PRIMARY KEY); INSERT INTO p VALUES (1); CREATE TABLE c (id int PRIMARY KEY, p int \(required));
            CREATE TABLE c2 () INHERITS (c); CREATE TABLE c3 () INHERITS (c2); INSERT INTO c VALUES (1, 9), (2, 1), (3, 9);
            INSERT INTO c2 VALUES (1, \(required.isEmpty ? "NULL" : "9")), (3, 9); INSERT INTO c3 SELECT * FROM ONLY c2
            """, "p", "c")
        try dirty.clean(Self.key)
        try dirty.expectLost("c 2")
        try dirty.expectWayBack()
    }

    @Test func `of equal rows without a key as many as there were, however often`() throws {
        let dirty = try OrphanBench(
            """
            CREATE TABLE p (id int PRIMARY KEY); INSERT INTO p VALUES (1); CREATE TABLE c (p int NOT NULL, word text);
            INSERT INTO c VALUES (9, 'a'), (9, 'a'), (9, 'a'), (9, 'b'), (8, 'a'), (1, 'a'), (1, 'a'), (9, NULL), (9, NULL)
            """, "p", "c")
        for _ in 1...2 {
            try dirty.write(Self.key)
            #expect(try dirty.bench.run("apply").status == 0)
            try dirty.expect("SELECT p, word FROM c", is: "1|a\n1|a")
            try dirty.expectWayBack()
            let again = try dirty.bench.run(
                "restore-orphans",
                dirty.bench.query(
                    "SELECT attempt_id FROM migrated.migration_rollback_audit WHERE event = 'orphans_deleted' ORDER BY seq DESC LIMIT 1"
                ))
            #expect(again.output.contains("nothing is left"), "\(again)")
            try dirty.expectUnchanged()
            #expect(try dirty.bench.run("retry").status == 0)
        }
    }

    @Test func `not by the rollback that leaves them, and then by the one command that brings them back`() throws {
        let dirty = try OrphanBench(
            """
            CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (p int NOT NULL, word text); CREATE TABLE d (p int, word text);
            INSERT INTO c VALUES (9, 'a'), (9, 'a'); INSERT INTO d VALUES (9, 'a'), (9, 'a'), (NULL, 'a')
            """, "c", "d")
        try dirty.clean(
            "\(Self.key) ALTER TABLE d ADD CONSTRAINT l FOREIGN KEY (p) REFERENCES p;",
            down: "ALTER TABLE c DROP CONSTRAINT k; ALTER TABLE d DROP CONSTRAINT l;")
        #expect(try dirty.bench.run("rollback", "--last", "1", "--no-restore-orphans").status == 0)
        try dirty.expect("SELECT (SELECT count(*) FROM c), (SELECT count(p) FROM d)", is: "0|0")
        let attempt = try dirty.bench.query("SELECT DISTINCT attempt_id FROM migrated.orphan_quarantine")
        for _ in 1...2 {
            #expect(try dirty.bench.run("restore-orphans", attempt).status == 0)
            try dirty.expectUnchanged()
            try dirty.expect(
                "SELECT (SELECT count(*) FROM c), (SELECT count(*) FROM d), (SELECT count(p) FROM d)", is: "2|3|2")
        }
    }

    @Test(arguments: [
        ("SET LOCAL session_replication_role = replica; KEY SET LOCAL session_replication_role = origin;", ""),
        ("ALTER TABLE c DISABLE TRIGGER ALL; KEY ALTER TABLE c ENABLE TRIGGER ALL;", ""),
        ("ALTER TABLE c DISABLE TRIGGER ALL; ALTER TABLE d DISABLE TRIGGER ALL; KEY", ""),
        ("KEY", "CREATE TRIGGER hold BEFORE DELETE ON d FOR EACH ROW EXECUTE FUNCTION hold()"),
        ("KEY", "CREATE RULE hold AS ON DELETE TO d DO INSTEAD NOTHING"),
    ])
    func `are those that went, and no copies of those that stayed`(text: String, more: String) throws {
        let dirty = try OrphanBench(
            """
            CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
            CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (id int PRIMARY KEY, p int NOT NULL); INSERT INTO c VALUES (1, 9), (2, 9);
            CREATE TABLE d (c int REFERENCES c ON DELETE CASCADE, word text); INSERT INTO d VALUES (1, 'a'), (2, 'b'), (2, 'b'); \(more)
            """, "p", "c", "d")
        try dirty.write(text.replacing("KEY", with: Self.key))
        let outcome = try dirty.bench.run("apply")
        // A rule that stands in the way of a cascade may be an error; then nothing has changed.
        if outcome.status == 0 {
            try dirty.expectAccounted()
            try dirty.expect("SELECT count(*) FROM c", is: "0")
            try dirty.expectWayBack()
        } else {
            try dirty.expectUnchanged()
        }
    }

    @Test(arguments: [
        "TRIGGER hold BEFORE DELETE ON c FOR EACH ROW EXECUTE FUNCTION hold()",
        "RULE hold AS ON DELETE TO c DO INSTEAD NOTHING",
    ])
    func `are none where the orphan itself is held back: then the file fails`(hindrance: String) throws {
        let dirty = try OrphanBench(
            """
            CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN CASE OLD.id WHEN 2 THEN NULL ELSE OLD END; END';
            CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (id int PRIMARY KEY, p int NOT NULL); INSERT INTO c VALUES (1, 9), (2, 9); CREATE \(hindrance)
            """, "p", "c")
        for way in ["one-transaction", "stepwise"] {
            try dirty.write(Self.key, "foreign-keys=\(way)")
            #expect(try dirty.bench.run("apply").status == 1)
            try dirty.expect("SELECT count(*) FROM c WHERE id = 2", is: "1")
            try dirty.expectAccounted()
        }
    }

    /// What keeps row 2 from coming back, and what is said of it.
    @Test(
        arguments: [
            (
                "TRIGGER hold BEFORE INSERT OR UPDATE ON c FOR EACH ROW WHEN (NEW.id = 2 AND NEW.p IS NOT NULL) EXECUTE FUNCTION hold()",
                ""
            ),
            (
                "TRIGGER hold BEFORE INSERT OR UPDATE ON c FOR EACH ROW WHEN (NEW.id = 2 AND NEW.p IS NOT NULL) EXECUTE FUNCTION complain()",
                "not this one"
            ),
            (
                "TRIGGER hold AFTER INSERT OR UPDATE ON c FOR EACH ROW WHEN (NEW.id = 2 AND NEW.p IS NOT NULL) EXECUTE FUNCTION complain()",
                "not this one"
            ),
            (
                "CONSTRAINT TRIGGER hold AFTER INSERT OR UPDATE ON c DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.id = 2 AND NEW.p IS NOT NULL) EXECUTE FUNCTION complain()",
                "not this one"
            ),
        ], ["before", "after"])
    func `are all but the one that a trigger refuses`(hindrance: (String, String), made: String)
        throws
    {
        for required in ["NOT NULL", ""] {
            let trigger = "CREATE \(hindrance.0)"
            let dirty = try OrphanBench(
                """
                CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
                CREATE FUNCTION complain() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE ''not this one''; END';
                CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (id int PRIMARY KEY, p int \(required)); INSERT INTO c VALUES (1, 9), (2, 9), (3, 9);
                \(made == "before" ? trigger : "")
                """, "p", "c")
            try dirty.clean(Self.key)
            if made == "after" { try dirty.bench.query(trigger) }
            try dirty.expect(
                "SELECT detail::jsonb ->> 'reversible', detail::jsonb -> 'not_reversible' -> 'refused' ->> 'count' FROM migrated.migration_rollback_audit WHERE event LIKE 'orphans%'",
                is: made == "before" ? "2 of 3|1" : "3 of 3|")
            try undo(dirty, restored: 2, left: "c refused", hindrance.1)
            try dirty.expect("SELECT string_agg(id::text, ' ' ORDER BY id) FROM c WHERE p = 9", is: "1 3")
        }
    }

    @Test func `are none where a rule stands in the way, and none is said to be`() throws {
        let dirty = try OrphanBench(
            """
            CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (id int PRIMARY KEY, p int NOT NULL); INSERT INTO c VALUES (1, 9), (2, 9);
            CREATE RULE hold AS ON INSERT TO c WHERE NEW.id = 2 DO INSTEAD NOTHING
            """, "p", "c")
        try dirty.clean(Self.key)
        // Which rows an INSERT has made, the server does not say where a rule may have taken them elsewhere.
        try undo(dirty, restored: 0, left: "c refused")
        try dirty.expect("SELECT id, p FROM c", is: "")
    }

    @Test func `are all but those whose place is taken or whose referenced row is gone, deferred keys or not`() throws {
        for timing in ["", "DEFERRABLE INITIALLY DEFERRED"] {
            let dirty = try OrphanBench(
                """
                CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE q (id int PRIMARY KEY); INSERT INTO q VALUES (1), (2);
                CREATE TABLE c (id int PRIMARY KEY, p int NOT NULL, q int REFERENCES q \(timing), u int UNIQUE \(timing));
                INSERT INTO c VALUES (1, 9, 1, 11), (2, 9, 2, 12), (3, 9, 1, 13), (4, 9, NULL, 14), (5, 9, 2, NULL)
                """, "p", "q", "c")
            try dirty.clean("ALTER TABLE c ADD CONSTRAINT k FOREIGN KEY (p) REFERENCES p \(timing);")
            #expect(try dirty.unproved() == "")
            try dirty.bench.query(
                "INSERT INTO p VALUES (1); INSERT INTO c VALUES (4, 1, NULL, 99), (6, 1, NULL, 13); DELETE FROM q WHERE id = 2"
            )
            try undo(dirty, restored: 1, left: "c key_taken", "c parent_missing")
            try dirty.expect("SELECT id, p, u FROM c ORDER BY id", is: "1|9|11\n4|1|99\n6|1|13")
        }
    }
}
