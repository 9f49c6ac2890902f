import LiveSupport
import Testing

/// What goes or changes along with an orphan, by whatever key, is kept, counted and brought back.
@Suite struct `Rows that other keys take along` {
    /// How the dependent's column compares with what it refers to.
    struct Comparison: Sendable, CustomTestStringConvertible {
        let parent: String
        let child: String
        let value: String
        let reference: String
        var testDescription: String { "\(parent) <- \(child)" }
    }

    private static let comparisons = [
        Comparison(parent: "citext", child: "citext", value: "ab", reference: "AB"),
        Comparison(parent: "char(5)", child: "text", value: "ab", reference: "ab  "),
        Comparison(parent: "varchar(5)", child: "char(5)", value: "ab", reference: "ab"),
        Comparison(parent: "real", child: "numeric", value: "0.1", reference: "0.1"),
        Comparison(parent: "text COLLATE ci", child: "text", value: "ab", reference: "AB"),
        Comparison(parent: "fixed", child: "text", value: "ab", reference: "ab "),
        Comparison(parent: "numeric[]", child: "numeric[]", value: "{1.0}", reference: "{1.00}"),
    ]

    @Test(arguments: comparisons, ["CASCADE", "SET NULL", "SET DEFAULT"])
    func `by a key that compares in its own way`(comparison: Comparison, action: String) throws {
        let dirty = try OrphanBench(
            """
            CREATE EXTENSION citext; CREATE DOMAIN fixed AS char(5);
            CREATE COLLATION ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
            CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (code \(comparison.parent) PRIMARY KEY, p int NOT NULL);
            INSERT INTO c VALUES ('\(comparison.value)', 7);
            CREATE TABLE d (id int PRIMARY KEY, code \(comparison.child) REFERENCES c ON DELETE \(action));
            CREATE TABLE e (id int PRIMARY KEY, d int REFERENCES d ON DELETE CASCADE);
            INSERT INTO d VALUES (1, '\(comparison.reference)'), (2, NULL); INSERT INTO e VALUES (1, 1), (2, 2)
            """, "p", "c", "d", "e")
        try dirty.clean("ALTER TABLE c ADD CONSTRAINT k FOREIGN KEY (p) REFERENCES p;")
        let isCascade = action == "CASCADE"
        try dirty.expect("SELECT id, code FROM d ORDER BY id", is: (isCascade ? "2|" : "1|\n2|"))
        try dirty.expect("SELECT count(*) FROM c", is: "0")
        try dirty.expect(
            isCascade ? "c deleted 1, d deleted 1, e deleted 1" : "c deleted 1, d nullified 1")
        try dirty.expect(
            """
            SELECT DISTINCT split_part(object, '.', 2), reason FROM migrated.migration_rollback_audit
             WHERE event LIKE 'orphans%' AND object NOT LIKE 'public.c.%' ORDER BY 1
            """, is: (isCascade ? "d|referenced_row_deleted\ne|referenced_row_deleted" : "d|referenced_row_deleted"))
        try dirty.expectWayBack()
    }

    private static let partitions = """
        CREATE TABLE p (id int PRIMARY KEY); INSERT INTO p VALUES (1);
        CREATE TABLE c (id int PRIMARY KEY, p int NOT NULL) PARTITION BY RANGE (id);
        CREATE TABLE c1 PARTITION OF c FOR VALUES FROM (0) TO (10);
        CREATE TABLE c2 PARTITION OF c FOR VALUES FROM (10) TO (30) PARTITION BY RANGE (id);
        CREATE TABLE c21 PARTITION OF c2 FOR VALUES FROM (10) TO (20); CREATE TABLE c22 PARTITION OF c2 DEFAULT;
        INSERT INTO c SELECT n, CASE WHEN n IN (2, 12, 22) THEN 7 ELSE 1 END FROM generate_series(1, 29) AS n;
        """

    /// The table that gets the key, the one that others refer to, and the ids that go.
    @Test(
        arguments: [
            ("c1", "c", [2]), ("c", "c1", [2, 12, 22]), ("c2", "c", [12, 22]), ("c", "c21", [2, 12, 22]),
            ("c21", "c2", [12]),
            ("c2", "c21", [12, 22]), ("c22", "c22", [22]), ("c", "c", [2, 12, 22]),
        ], ["CASCADE", "SET NULL"])
    func `at another level of a partitioned table`(case: (String, String, [Int]), action: String) throws {
        let (keyed, referenced, gone) = `case`
        let dirty = try OrphanBench(
            """
            \(Self.partitions) CREATE TABLE d (id int PRIMARY KEY, c int REFERENCES \(referenced) ON DELETE \(action));
            INSERT INTO d SELECT n, id FROM \(referenced), generate_series(id * 100, id * 100 + 1) AS n
            """, "p", "c", "d")
        let reached = try dirty.bench.query(
            "SELECT count(*) FROM d WHERE c IN (\(gone.map(String.init).joined(separator: ", ")))")
        try dirty.clean(
            "ALTER TABLE \(keyed) ADD CONSTRAINT k FOREIGN KEY (p) REFERENCES p;",
            down: "ALTER TABLE \(keyed) DROP CONSTRAINT k;")
        try dirty.expect("SELECT count(*) FROM c", is: "\(29 - gone.count)")
        try dirty.expect(
            "SELECT count(*) FROM d LEFT JOIN c ON c.id = d.c WHERE d.c IS NOT NULL AND c.id IS NULL", is: "0")
        try dirty.expectLost("c \(gone.count), d \(reached)")
        try dirty.expect(
            "SELECT sum(row_count) FROM migrated.migration_rollback_audit WHERE event LIKE 'orphans%' AND object LIKE 'public.d.%'",
            is: reached)
        try dirty.expectWayBack()
    }

    @Test(arguments: ["CASCADE", "SET NULL", "SET DEFAULT"])
    func `where the dependent table is partitioned, or inherited from`(action: String) throws {
        let dirty = try OrphanBench(
            """
            CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (id int PRIMARY KEY, p int NOT NULL);
            INSERT INTO p VALUES (1); INSERT INTO c VALUES (1, 1), (2, 7), (3, 7);
            CREATE TABLE d (id int, c int DEFAULT 1 REFERENCES c ON DELETE \(action), PRIMARY KEY (id)) PARTITION BY LIST (id);
            CREATE TABLE d1 PARTITION OF d FOR VALUES IN (1, 2); CREATE TABLE d2 PARTITION OF d DEFAULT;
            CREATE TABLE e (id int PRIMARY KEY, c int DEFAULT 1 REFERENCES c ON DELETE \(action)); CREATE TABLE e2 () INHERITS (e);
            CREATE TABLE f (id int PRIMARY KEY, c int); CREATE TABLE f2 (PRIMARY KEY (id), FOREIGN KEY (c) REFERENCES c ON DELETE CASCADE) INHERITS (f);
            INSERT INTO d VALUES (1, 2), (2, 1), (3, 3), (4, 2); INSERT INTO e VALUES (1, 2), (2, 1); INSERT INTO e2 VALUES (1, 2), (2, 3);
            INSERT INTO f VALUES (1, 2), (2, 1); INSERT INTO f2 VALUES (1, 2), (2, 1)
            """, "p", "c", "d", "e", "f")
        try dirty.clean("ALTER TABLE c ADD CONSTRAINT k FOREIGN KEY (p) REFERENCES p;")
        try dirty.expectLost("c 2, d 3, e 1, f 1")
        try dirty.expect("SELECT count(*) FROM ONLY f", is: "2")
        try dirty.expect("SELECT count(*) FROM migrated.orphan_quarantine", is: "7")
        try dirty.expectWayBack()
    }

    @Test func `each row once, where several keys lead to it`() throws {
        let dirty = try OrphanBench(
            """
            CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (id int PRIMARY KEY, p int NOT NULL); INSERT INTO c VALUES (1, 7), (2, 7);
            CREATE TABLE d (id int PRIMARY KEY, c int REFERENCES c ON DELETE CASCADE, other int REFERENCES c ON DELETE CASCADE);
            CREATE TABLE e (id int PRIMARY KEY, d int REFERENCES d ON DELETE CASCADE, c int REFERENCES c ON DELETE CASCADE);
            INSERT INTO d VALUES (1, 1, 2), (2, 2, 1), (3, NULL, NULL); INSERT INTO e VALUES (1, 1, 1), (2, 3, 2), (3, 2, NULL)
            """, "p", "c", "d", "e")
        try dirty.clean("ALTER TABLE c ADD CONSTRAINT k FOREIGN KEY (p) REFERENCES p;")
        try dirty.expect("SELECT (SELECT count(*) FROM d), (SELECT count(*) FROM e)", is: "1|0")
        try dirty.expect("c deleted 2, d deleted 2, e deleted 3")
        try dirty.expectWayBack()
    }

    @Test func `with every value that changed, where one row loses two references`() throws {
        let dirty = try OrphanBench(
            """
            CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (id int PRIMARY KEY, p int NOT NULL); INSERT INTO c VALUES (1, 7), (2, 7);
            CREATE TABLE d (id int PRIMARY KEY, c int REFERENCES c ON DELETE SET NULL, other int REFERENCES c ON DELETE SET NULL);
            INSERT INTO d VALUES (1, 1, 2), (2, 2, 2), (3, NULL, 1)
            """, "p", "c", "d")
        try dirty.clean("ALTER TABLE c ADD CONSTRAINT k FOREIGN KEY (p) REFERENCES p;")
        try dirty.expect("SELECT count(*) FROM d WHERE c IS NULL AND other IS NULL", is: "3")
        try dirty.expect("SELECT count(DISTINCT key) FROM migrated.orphan_quarantine WHERE table_name = 'd'", is: "3")
        #expect(try dirty.unproved() == "")
        let undone = try dirty.bench.run("rollback", "--last", "1")
        #expect(undone.status == 0, "\(undone)")
        try dirty.expectUnchanged()
    }

    @Test func `a row that is first changed and then deleted comes back as it was at first`() throws {
        let dirty = try OrphanBench(
            """
            CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (id int PRIMARY KEY, p int NOT NULL); INSERT INTO c VALUES (1, 7);
            CREATE TABLE d (id int PRIMARY KEY, a int CONSTRAINT d_a REFERENCES c ON DELETE SET NULL, b int CONSTRAINT d_b REFERENCES c ON DELETE CASCADE);
            CREATE TABLE e (id int PRIMARY KEY, a int CONSTRAINT e_a REFERENCES c ON DELETE CASCADE, b int CONSTRAINT e_b REFERENCES c ON DELETE SET NULL);
            INSERT INTO d VALUES (1, 1, 1); INSERT INTO e VALUES (1, 1, 1)
            """, "p", "c", "d", "e")
        try dirty.clean("ALTER TABLE c ADD CONSTRAINT k FOREIGN KEY (p) REFERENCES p;")
        #expect(try dirty.lost() == "c 1, d 1, e 1")
        #expect(try dirty.unproved() == "")
        let undone = try dirty.bench.run("rollback", "--last", "1")
        #expect(undone.status == 0, "\(undone)")
        try dirty.expectUnchanged()
    }
}
