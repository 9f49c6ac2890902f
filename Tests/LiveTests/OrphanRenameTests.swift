import LiveSupport
import Testing

/// The commonest rollbacks: the migration makes or renames what the key stands on, and its down file undoes both.
@Suite struct `A rollback that undoes columns and names, too` {
    private static let tables = """
        CREATE TABLE p (id int PRIMARY KEY); INSERT INTO p VALUES (1); CREATE TABLE c (id int PRIMARY KEY, word text); INSERT INTO c VALUES (1, 'a'), (2, 'b');
        CREATE TABLE d (id int PRIMARY KEY, c int REFERENCES c ON DELETE CASCADE); INSERT INTO d VALUES (1, 1), (2, 2), (3, NULL);
        CREATE TABLE e (id int PRIMARY KEY, d int REFERENCES d ON DELETE SET NULL); INSERT INTO e VALUES (1, 1), (2, 3)
        """

    @Test(
        arguments: [
            "ALTER TABLE c ADD COLUMN p int NOT NULL DEFAULT 9; ALTER TABLE c ADD CONSTRAINT k FOREIGN KEY (p) REFERENCES p;",
            "ALTER TABLE c ADD COLUMN p int NOT NULL DEFAULT 9, ADD CONSTRAINT k FOREIGN KEY (p) REFERENCES p;",
            "ALTER TABLE c ADD COLUMN p int NOT NULL DEFAULT 9 CONSTRAINT k REFERENCES p;",
            "ALTER TABLE c ADD COLUMN p int; UPDATE c SET p = 9; ALTER TABLE c ALTER p SET NOT NULL, ADD CONSTRAINT k FOREIGN KEY (p) REFERENCES p ON DELETE CASCADE;",
        ], ["one-transaction", "stepwise"])
    func `of a migration that adds the column and the key brings every row back`(up: String, way: String) throws {
        let dirty = try OrphanBench(Self.tables, "p", "c", "d", "e")
        try dirty.clean(up, "foreign-keys=\(way)", down: "ALTER TABLE c DROP COLUMN p;")
        try dirty.expect("c deleted 2, d deleted 2, e nullified 1")
        try dirty.expectWayBack()
    }

    @Test func `says of a value that its column is gone, and of no row`() throws {
        let dirty = try OrphanBench(Self.tables, "p", "c", "d", "e")
        try dirty.clean(
            "ALTER TABLE c ADD COLUMN p int DEFAULT 9, ADD CONSTRAINT k FOREIGN KEY (p) REFERENCES p;",
            down: "ALTER TABLE c DROP COLUMN p;")
        try dirty.expect("c nullified 2")
        #expect(try dirty.unproved() == "")
        #expect(try dirty.bench.run("rollback", "--last", "1").status == 0)
        try dirty.expectUnchanged()
        let notRestored = try dirty.notRestored()
        #expect(notRestored == "c column_gone")
    }

    @Test(
        arguments: ["NOT NULL", ""],
        [
            (
                "ALTER TABLE c RENAME COLUMN boss TO p; ADDED",
                "ALTER TABLE c DROP CONSTRAINT k; ALTER TABLE c RENAME COLUMN p TO boss;"
            ),
            (
                "ALTER TABLE c RENAME COLUMN boss TO p; ALTER TABLE c RENAME COLUMN id TO number; ADDED",
                "ALTER TABLE c DROP CONSTRAINT k; ALTER TABLE c RENAME COLUMN number TO id; ALTER TABLE c RENAME COLUMN p TO boss;"
            ),
            (
                "ALTER TABLE c RENAME COLUMN boss TO p; ADDED",
                "ALTER TABLE c DROP CONSTRAINT k; ALTER TABLE c RENAME COLUMN p TO boss; ALTER TABLE c RENAME COLUMN other TO p; ALTER TABLE c RENAME COLUMN p TO other;"
            ),
            (
                "ALTER TABLE c RENAME TO people; ALTER TABLE people RENAME boss TO p; ALTER TABLE people ADD CONSTRAINT k FOREIGN KEY (p) REFERENCES p;",
                "ALTER TABLE people DROP CONSTRAINT k; ALTER TABLE people RENAME p TO boss; ALTER TABLE people RENAME TO c;"
            ),
            (
                "CREATE SCHEMA app; ALTER TABLE c SET SCHEMA app; ALTER TABLE app.c RENAME boss TO p; ALTER TABLE app.c ADD CONSTRAINT k FOREIGN KEY (p) REFERENCES p;",
                "ALTER TABLE app.c DROP CONSTRAINT k; ALTER TABLE app.c RENAME p TO boss; ALTER TABLE app.c SET SCHEMA public; DROP SCHEMA app;"
            ),
            (
                "ALTER TABLE c RENAME TO x; ALTER TABLE d RENAME TO c; ALTER TABLE x RENAME TO d; ALTER TABLE d RENAME boss TO p; ALTER TABLE d ADD CONSTRAINT k FOREIGN KEY (p) REFERENCES p;",
                "ALTER TABLE d DROP CONSTRAINT k; ALTER TABLE d RENAME p TO boss; ALTER TABLE c RENAME TO x; ALTER TABLE d RENAME TO c; ALTER TABLE x RENAME TO d;"
            ),
            (
                "ALTER TABLE c RENAME boss TO x; ALTER TABLE c RENAME other TO boss; ALTER TABLE c RENAME x TO other; ALTER TABLE c ADD CONSTRAINT k FOREIGN KEY (other) REFERENCES p;",
                "ALTER TABLE c DROP CONSTRAINT k; ALTER TABLE c RENAME boss TO x; ALTER TABLE c RENAME other TO boss; ALTER TABLE c RENAME x TO other;"
            ),
            (
                "ALTER TABLE c ALTER boss TYPE bigint; ALTER TABLE c ADD CONSTRAINT k FOREIGN KEY (boss) REFERENCES p;",
                "ALTER TABLE c DROP CONSTRAINT k; ALTER TABLE c ALTER boss TYPE int;"
            ),
        ])
    func `of a migration that renames`(required: String, texts: (String, String)) throws {
        let key = "ALTER TABLE c ADD CONSTRAINT k FOREIGN KEY (p) REFERENCES p;"
        let dirty = try OrphanBench(
            """
            CREATE TABLE p (id int PRIMARY KEY); INSERT INTO p VALUES (1); CREATE TABLE c (id int PRIMARY KEY, boss int \(required), other int DEFAULT 5);
            CREATE TABLE d (id int PRIMARY KEY, boss int, other int DEFAULT 6); INSERT INTO c VALUES (1, 9, 7), (2, 1, 8), (3, 9, NULL); INSERT INTO d VALUES (2, 9, 9)
            """, "p", "c", "d")
        try dirty.clean(texts.0.replacing("ADDED", with: key), down: texts.1)
        try dirty.expect("SELECT count(*) FROM migrated.orphan_quarantine", is: "2")
        try dirty.expectWayBack()
    }

    @Test func `finds the table that was cleaned, not the one that has its name now`() throws {
        let dirty = try OrphanBench(Self.tables, "p", "c", "d", "e")
        try dirty.bench.query("ALTER TABLE c ADD COLUMN p int NOT NULL DEFAULT 9; \(dirty.note)")
        try dirty.clean(
            "ALTER TABLE c ADD CONSTRAINT k FOREIGN KEY (p) REFERENCES p;", down: "ALTER TABLE c_old DROP CONSTRAINT k;"
        )
        try dirty.bench.query(
            "ALTER TABLE c RENAME TO c_old; CREATE TABLE c (id int PRIMARY KEY, word text, p int NOT NULL DEFAULT 9)")
        #expect(try dirty.bench.run("rollback", "--last", "1").status == 0)
        try dirty.expect(
            "SELECT (SELECT count(*) FROM c), (SELECT count(*) FROM c_old), (SELECT count(*) FROM d)", is: "0|2|3")
    }

    @Test func `gives a column that came later its default, and leaves out one that is gone`() throws {
        let dirty = try OrphanBench(Self.tables, "c")
        try dirty.bench.query(
            "ALTER TABLE c ADD COLUMN p int NOT NULL DEFAULT 9, ADD twice int GENERATED ALWAYS AS (p * 2) STORED")
        try dirty.clean("ALTER TABLE c ADD CONSTRAINT k FOREIGN KEY (p) REFERENCES p;")
        try dirty.bench.query("ALTER TABLE c ADD COLUMN extra int NOT NULL DEFAULT 5, DROP COLUMN word")
        #expect(try dirty.bench.run("rollback", "--last", "1").status == 0)
        try dirty.expect("SELECT id, p, twice, extra FROM c ORDER BY id", is: "1|9|18|5\n2|9|18|5")
        let notRestored = try dirty.notRestored()
        #expect(notRestored == "")
    }

    private static let chain = """
        CREATE TABLE p (id int PRIMARY KEY); INSERT INTO p VALUES (1);
        CREATE TABLE c (id int PRIMARY KEY, p int NOT NULL); CREATE TABLE d (id int PRIMARY KEY, c int NOT NULL); CREATE TABLE a (id int PRIMARY KEY, d int NOT NULL);
        CREATE TABLE b (id int PRIMARY KEY, a int NOT NULL); INSERT INTO c VALUES (1, 1), (2, 9), (3, 9); INSERT INTO d SELECT n, n FROM generate_series(1, 3) AS n;
        INSERT INTO a SELECT n, n FROM generate_series(1, 3) AS n; INSERT INTO b SELECT n, (n + 1) / 2 FROM generate_series(1, 6) AS n;
        """

    @Test func `brings a chain of four tables back in one run, where keys take rows along`() throws {
        let dirty = try OrphanBench(
            Self.chain
                + ["d", "a", "b"].reversed().map { table in
                    let up = ["d": "c", "a": "d", "b": "a"][table] ?? ""
                    return "ALTER TABLE \(table) ADD FOREIGN KEY (\(up)) REFERENCES \(up) ON DELETE CASCADE"
                }.joined(separator: "; "), "p", "c", "d", "a", "b")
        try dirty.clean("ALTER TABLE c ADD CONSTRAINT k FOREIGN KEY (p) REFERENCES p;")
        try dirty.expect("a deleted 2, b deleted 4, c deleted 2, d deleted 2")
        try dirty.expectWayBack()
    }

    @Test(arguments: ["one-transaction", "stepwise"])
    func `brings a chain of four tables back in one run, where each key makes the next one's orphans`(way: String)
        throws
    {
        let dirty = try OrphanBench(Self.chain, "p", "c", "d", "a", "b")
        try dirty.clean(
            """
            ALTER TABLE c ADD CONSTRAINT k FOREIGN KEY (p) REFERENCES p; ALTER TABLE d ADD CONSTRAINT l FOREIGN KEY (c) REFERENCES c;
            ALTER TABLE a ADD CONSTRAINT m FOREIGN KEY (d) REFERENCES d; ALTER TABLE b ADD CONSTRAINT n FOREIGN KEY (a) REFERENCES a;
            """, "foreign-keys=\(way)")
        // The down file takes only the first key away: those that stay ask for their parents.
        try dirty.expectKeys("k, l, m, n")
        try dirty.expect("a deleted 2, b deleted 4, c deleted 2, d deleted 2")
        try dirty.expectWayBack()
    }

    @Test func `brings rows back that refer to each other in a circle`() throws {
        let dirty = try OrphanBench(
            """
            CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (id int PRIMARY KEY, d int, p int NOT NULL); CREATE TABLE d (id int PRIMARY KEY, c int NOT NULL REFERENCES c ON DELETE CASCADE);
            INSERT INTO c VALUES (1, 1, 9), (2, 2, 9); INSERT INTO d VALUES (1, 2), (2, 1); ALTER TABLE c ADD FOREIGN KEY (d) REFERENCES d ON DELETE CASCADE
            """, "c", "d")
        try dirty.clean("ALTER TABLE c ADD CONSTRAINT k FOREIGN KEY (p) REFERENCES p;")
        try dirty.expect("c deleted 2, d deleted 2")
        try dirty.expectWayBack()
    }

    @Test(arguments: ["NOT NULL", ""])
    func `brings rows back by their names where a dump was restored`(required: String) throws {
        let dirty = try OrphanBench(
            """
            CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (gone int, id int PRIMARY KEY, p int \(required), j jsonb); ALTER TABLE c DROP COLUMN gone;
            INSERT INTO c VALUES (1, 9, 'null'), (2, 9, '"1"')
            """, "p", "c")
        try dirty.clean("ALTER TABLE c ADD CONSTRAINT k FOREIGN KEY (p) REFERENCES p;")
        let attempt = try dirty.bench.query("SELECT DISTINCT attempt_id FROM migrated.orphan_quarantine")
        let number = try dirty.bench.query("SELECT 'c'::regclass::oid")
        let dump = try Program.run(Cluster.programs + "/pg_dump", ["-d", dirty.bench.database.conninfo])
        #expect(dump.status == 0, "\(dump.errors)")
        // On the new server another table has the number that the cleaned one had, and the columns are numbered anew.
        let copy = try Cluster().createDatabase()
        try copy.query("DO $$BEGIN WHILE lo_create(0)::int8 < \(number) - 1 LOOP END LOOP; END$$")
        try copy.query("CREATE TABLE decoy (id int, p int, j int, k jsonb); INSERT INTO decoy VALUES (1), (2)")
        let taken = try copy.query("SELECT 'decoy'::regclass::oid")
        #expect(taken == number)
        let loaded = try copy.psql(dump.output)
        #expect(loaded.status == 0, "\(loaded.errors)")
        try copy.query("ALTER TABLE public.c DROP CONSTRAINT k")
        let restored = try dirty.bench.run("restore-orphans", attempt, "--database", copy.conninfo)
        #expect(restored.status == 0, "\(restored)")
        let rows = try copy.query("SELECT id, p, j FROM public.c ORDER BY id")
        #expect(rows == "1|9|null\n2|9|\"1\"")
        let others = try copy.query("SELECT * FROM public.decoy ORDER BY id")
        #expect(others == "1|||\n2|||")
    }
}
