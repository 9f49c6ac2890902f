import LiveSupport
import Testing

/// References that became null or something else come back to the rows they were taken from, whatever tells these apart.
@Suite struct `References that come back` {
    private static let key = "ALTER TABLE c ADD CONSTRAINT k FOREIGN KEY (p) REFERENCES p;"

    @Test(
        arguments: [
            "id int", "id int UNIQUE", "id int NOT NULL UNIQUE", "id int NOT NULL, UNIQUE (id) DEFERRABLE",
            "id int, EXCLUDE USING btree (id WITH =)",
            "id ltree PRIMARY KEY", "id ltree NOT NULL UNIQUE", "id citext PRIMARY KEY", "id numeric[] PRIMARY KEY",
            "id int PRIMARY KEY", "id jsonb NOT NULL UNIQUE",
            "id int GENERATED ALWAYS AS IDENTITY", "id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
            "id text COLLATE \"C\" PRIMARY KEY",
        ], ["one-transaction", "stepwise"])
    func `to a row that is told apart by`(column: String, way: String) throws {
        let type = column.split(separator: " ")[1]
        let value =
            type.hasPrefix("numeric")
            ? "ARRAY[n]::numeric[]" : type.hasPrefix("jsonb") ? "to_jsonb(n)" : "n::text::\(type.prefix { $0 != "," })"
        let dirty = try OrphanBench(
            """
            CREATE EXTENSION ltree; CREATE EXTENSION citext; CREATE TABLE p (id int PRIMARY KEY); INSERT INTO p VALUES (1);
            CREATE TABLE c (p int, word text, \(column));
            INSERT INTO c OVERRIDING SYSTEM VALUE SELECT CASE WHEN n % 3 = 0 THEN 1 ELSE 90 + n END, 'row ' || n, \(value) FROM generate_series(1, 12) AS n
            """, "p", "c")
        try dirty.clean(Self.key, "foreign-keys=\(way)")
        try dirty.expect("c nullified 8")
        try dirty.expectWayBack()
    }

    @Test(arguments: ["one-transaction", "stepwise"])
    func `to as many rows as they were taken from, where several are alike`(way: String) throws {
        let dirty = try OrphanBench(
            """
            CREATE TABLE p (id int PRIMARY KEY); INSERT INTO p VALUES (1); CREATE TABLE c (p int, word text, more json);
            INSERT INTO c VALUES (9, 'a', '1'), (9, 'a', '1'), (8, 'a', '1'), (NULL, 'a', '1'), (1, 'a', '1'), (9, 'a', '1 '), (9, NULL, NULL), (8, NULL, NULL), (9, NULL, NULL)
            """, "p", "c")
        try dirty.clean(Self.key, "foreign-keys=\(way)")
        try dirty.expect("c nullified 7")
        try dirty.expectWayBack()
    }

    @Test(arguments: ["", "PRIMARY KEY"])
    func `not where the row has got another one since, nor where it is gone`(constraint: String) throws {
        let dirty = try OrphanBench(
            """
            CREATE TABLE p (id int PRIMARY KEY); INSERT INTO p VALUES (1); CREATE TABLE c (id int \(constraint), p int, word text);
            INSERT INTO c VALUES (1, 9, 'a'), (2, 9, 'b'), (3, 9, 'c'), (4, 9, 'd')
            """, "p", "c")
        try dirty.clean(Self.key)
        try dirty.bench.query(
            "UPDATE c SET p = 1 WHERE id = 1; DELETE FROM c WHERE id = 2; UPDATE c SET word = 'changed' WHERE id = 3")
        #expect(try dirty.bench.run("rollback", "--last", "1").status == 0)
        // Without a key the changed row is not the one that is looked for.
        try dirty.expect(
            "SELECT id, p, word FROM c ORDER BY id", is: "1|1|a\n3|\(constraint.isEmpty ? "" : "9")|changed\n4|9|d")
        try dirty.expect(
            "SELECT count(*) FILTER (WHERE outcome = 'restored'), count(*) FROM migrated.orphan_restoration",
            is: constraint.isEmpty ? "1|4" : "2|4")
        if !constraint.isEmpty {
            let notRestored = try dirty.notRestored()
            #expect(notRestored == "c now_filled, c row_gone")
        }
    }

    /// What the dependent's columns (tenant, c) are while the orphan is away, from (1, 1).
    @Test(arguments: [
        ("SET NULL", "|"), ("SET NULL (c)", "1|"), ("SET NULL (tenant)", "|1"), ("SET DEFAULT", "1|2"),
        ("SET DEFAULT (c)", "1|2"),
        ("SET DEFAULT (tenant)", ""),
    ])
    func `to dependents that became something else`(action: String, between: String) throws {
        // A default of the tenant alone is no row that is there: it needs one.
        let more = between.isEmpty ? "INSERT INTO c VALUES (3, 1, 1);" : ""
        let dirty = try OrphanBench(
            """
            CREATE TABLE p (id int PRIMARY KEY); INSERT INTO p VALUES (1); CREATE TABLE c (tenant int, id int, p int NOT NULL, PRIMARY KEY (tenant, id));
            INSERT INTO c VALUES (1, 1, 9), (1, 2, 1); \(more)
            CREATE TABLE d (id int PRIMARY KEY, tenant int DEFAULT \(more.isEmpty ? 1 : 3), c int DEFAULT 2,
                            FOREIGN KEY (tenant, c) REFERENCES c ON DELETE \(action));
            CREATE TABLE e (tenant int DEFAULT \(more.isEmpty ? 1 : 3), c int DEFAULT 2, word text, FOREIGN KEY (tenant, c) REFERENCES c ON DELETE \(action));
            INSERT INTO d VALUES (1, 1, 1), (2, 1, 2), (3, 1, 1); INSERT INTO e VALUES (1, 1, 'a'), (1, 2, 'a'), (1, 1, 'a'), (NULL, NULL, 'a')
            """, "p", "c", "d", "e")
        try dirty.clean(Self.key)
        try dirty.expect(
            "SELECT tenant, c FROM d WHERE id IN (1, 3)", is: more.isEmpty ? "\(between)\n\(between)" : "3|1\n3|1")
        try dirty.expect("c deleted 1, d nullified 2, e nullified 2")
        try dirty.expectWayBack()
    }

    @Test(arguments: ["SET NULL", "SET DEFAULT"])
    func `to dependents that nobody has changed since`(action: String) throws {
        let dirty = try OrphanBench(
            """
            CREATE TABLE p (id int PRIMARY KEY); INSERT INTO p VALUES (1); CREATE TABLE c (id int PRIMARY KEY, p int NOT NULL); INSERT INTO c VALUES (1, 9), (2, 1), (3, 1);
            CREATE TABLE d (id int PRIMARY KEY, c int DEFAULT 2 REFERENCES c ON DELETE \(action), word text); INSERT INTO d VALUES (1, 1, 'a'), (2, 1, 'b'), (3, 1, 'c')
            """, "p", "c", "d")
        try dirty.clean(Self.key)
        try dirty.bench.query("UPDATE d SET c = 3 WHERE id = 1; UPDATE d SET word = 'changed' WHERE id = 2")
        #expect(try dirty.bench.run("rollback", "--last", "1").status == 0)
        try dirty.expect("SELECT id, c, word FROM d ORDER BY id", is: "1|3|a\n2|1|changed\n3|1|c")
        let notRestored = try dirty.notRestored()
        #expect(notRestored == "d now_filled")
    }

    @Test(arguments: ["yes", "no"], ["PRIMARY KEY", ""])
    func `in work that grows with the rows, not with their square`(index: String, constraint: String) throws {
        let count = 4000
        let dirty = try OrphanBench(
            """
            CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (id int \(constraint), p int); INSERT INTO c SELECT n, n FROM generate_series(1, \(count)) AS n;
            ANALYZE c
            """, "p", "c")
        try dirty.clean(Self.key, "index-foreign-keys=\(index)")
        let read =
            "SELECT seq_tup_read + coalesce(idx_tup_fetch, 0) + coalesce((SELECT sum(idx_tup_read) FROM pg_stat_user_indexes WHERE relname = 'c'), 0) FROM pg_stat_user_tables WHERE relname = 'c'"
        // A session's counts are there when it is gone.
        func counted() throws -> Int {
            try eventually("end of the other sessions") {
                try dirty.bench.query("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()") == "1"
            }
            return Int(try dirty.bench.query(read)) ?? 0
        }
        let before = try counted()
        try dirty.expectWayBack()
        let after = try counted()
        #expect(after - before < 200 * count)
    }
}
