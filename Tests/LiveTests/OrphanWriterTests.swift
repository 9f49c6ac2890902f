import LiveSupport
import Testing

/// Other sessions change tables and rows while the cleanup waits for them: it is what is there afterwards that counts.
@Suite struct `A cleanup that waits for another session` {
    private static let key = "ALTER TABLE c ADD CONSTRAINT k FOREIGN KEY (p) REFERENCES p;"

    /// `c` has the orphans 1 to 3 of ten rows; `d` and `e` lead to them without a key.
    private func tables(_ required: String = "NOT NULL", more: String = "SELECT 1") throws -> OrphanBench {
        try OrphanBench(
            """
            CREATE TABLE p (id int PRIMARY KEY); INSERT INTO p VALUES (1);
            CREATE TABLE c (id int PRIMARY KEY, p int \(required));
            INSERT INTO c SELECT n, CASE WHEN n <= 3 THEN 90 + n ELSE 1 END FROM generate_series(1, 10) AS n;
            CREATE TABLE d (id int PRIMARY KEY, c int DEFAULT 10); INSERT INTO d SELECT n, n FROM generate_series(1, 10) AS n;
            CREATE TABLE e (id int PRIMARY KEY, d int); INSERT INTO e SELECT n, (n + 1) / 2 FROM generate_series(1, 20) AS n; \(more)
            """, "p", "c", "d", "e")
    }

    @Test(arguments: ["CASCADE", "SET NULL", "SET DEFAULT"], ["one-transaction", "stepwise"])
    func `sees the key that was added meanwhile, and the rows that it takes along`(action: String, way: String) throws {
        let dirty = try tables()
        try dirty.write(Self.key, "foreign-keys=\(way)")
        let outcome = try dirty.apply(
            beside: "ALTER TABLE d ADD CONSTRAINT late FOREIGN KEY (c) REFERENCES c ON DELETE \(action)")
        if outcome.status != 0 {
            // Step by step it may stop; then nothing of the other tables has changed, and the next attempt goes on.
            #expect(way == "stepwise", "\(outcome)")
            try dirty.expect("SELECT count(*) FROM d WHERE c IS DISTINCT FROM id", is: "0")
            #expect(try dirty.bench.run("retry").status == 0)
            #expect(try dirty.bench.run("apply").status == 0)
        }
        try dirty.expectKeys("k, late")
        try dirty.expectLost("c 3, d 3")
        try dirty.expectWayBack()
    }

    @Test(arguments: ["CASCADE", "SET NULL"])
    func `sees the key that was added two tables away`(action: String) throws {
        let dirty = try tables(
            more: "ALTER TABLE d ADD CONSTRAINT early FOREIGN KEY (c) REFERENCES c ON DELETE CASCADE")
        try dirty.write(Self.key)
        let outcome = try dirty.apply(
            beside: "ALTER TABLE e ADD CONSTRAINT late FOREIGN KEY (d) REFERENCES d ON DELETE \(action)")
        if outcome.status != 0 {
            try dirty.expectUnchanged()
            #expect(try dirty.bench.run("retry").status == 0)
            #expect(try dirty.bench.run("apply").status == 0)
        }
        try dirty.expectKeys("early, k, late")
        try dirty.expectLost("c 3, d 3, e 6")
        try dirty.expectWayBack()
    }

    @Test(arguments: ["NOT NULL", ""], ["one-transaction", "stepwise"])
    func `keeps the values of a column that was added and filled meanwhile`(required: String, way: String) throws {
        let dirty = try tables(required)
        try dirty.write(Self.key, "foreign-keys=\(way)")
        let outcome = try dirty.apply(
            beside: """
                ALTER TABLE c ADD COLUMN note text DEFAULT 'none', ADD COLUMN other jsonb; UPDATE c SET note = 'row ' || id, other = 'null' WHERE id <> 3;
                ALTER TABLE c DROP COLUMN note; ALTER TABLE c ADD COLUMN note int; UPDATE c SET note = id; \(dirty.note)
                """)
        #expect(outcome.status == 0, "\(outcome)")
        try dirty.expectLost("c 3")
        try dirty.expectWayBack()
    }

    @Test(arguments: ["one-transaction", "stepwise"])
    func `keeps the values of a dependent's column that was added and filled meanwhile`(way: String) throws {
        let dirty = try tables(
            more: "ALTER TABLE d ADD CONSTRAINT early FOREIGN KEY (c) REFERENCES c ON DELETE CASCADE")
        try dirty.write(Self.key, "foreign-keys=\(way)")
        let outcome = try dirty.apply(
            beside: "ALTER TABLE d ADD COLUMN note text; UPDATE d SET note = 'row ' || id; \(dirty.note)")
        #expect(outcome.status == 0, "\(outcome)")
        try dirty.expectLost("c 3, d 3")
        try dirty.expectWayBack()
    }

    @Test(arguments: ["one-transaction", "stepwise"])
    func `does what the column asks for by then`(way: String) throws {
        let becomesRequired = try tables("")
        try becomesRequired.write(Self.key, "foreign-keys=\(way)")
        let deletes = try becomesRequired.apply(beside: "ALTER TABLE c ALTER COLUMN p SET NOT NULL")
        #expect(deletes.status == 0, "\(deletes)")
        try becomesRequired.expect("c deleted 3")
        try becomesRequired.expectWayBack()

        let becomesFree = try tables("NOT NULL")
        try becomesFree.write(Self.key, "foreign-keys=\(way)")
        let nullifies = try becomesFree.apply(beside: "ALTER TABLE c ALTER COLUMN p DROP NOT NULL")
        #expect(nullifies.status == 0, "\(nullifies)")
        try becomesFree.expect("c nullified 3")
        try becomesFree.expectWayBack()
    }

    @Test(arguments: ["NOT NULL", ""], ["one-transaction", "stepwise"])
    func `cleans what came in meanwhile, and leaves what has got its parent`(required: String, way: String) throws {
        let dirty = try tables(required)
        try dirty.write(Self.key, "foreign-keys=\(way)")
        let outcome = try dirty.apply(
            beside:
                "INSERT INTO p VALUES (91); INSERT INTO c VALUES (11, 95), (12, 91); UPDATE c SET p = 96 WHERE id = 5; \(dirty.note)"
        )
        #expect(outcome.status == 0, "\(outcome)")
        try dirty.expect(required.isEmpty ? "c nullified 4" : "c deleted 4")
        try dirty.expect(
            "SELECT string_agg(id::text, ' ' ORDER BY id) FROM c WHERE p IS NOT NULL", is: "1 4 6 7 8 9 10 12")
        try dirty.expectWayBack()
    }

    @Test(arguments: ["CASCADE", "SET NULL"], ["one-transaction", "stepwise"])
    func `takes along the dependents that came in meanwhile, and leaves those that went elsewhere`(
        action: String, way: String
    ) throws {
        let dirty = try tables(
            more: "ALTER TABLE d ADD CONSTRAINT early FOREIGN KEY (c) REFERENCES c ON DELETE \(action)")
        try dirty.write(Self.key, "foreign-keys=\(way)")
        let outcome = try dirty.apply(
            beside:
                "INSERT INTO d VALUES (11, 1), (12, 3); UPDATE d SET c = 10 WHERE id = 2; UPDATE c SET p = 1 WHERE id = 3; \(dirty.note)"
        )
        #expect(outcome.status == 0, "\(outcome)")
        try dirty.expect("SELECT string_agg(id::text, ' ' ORDER BY id) FROM c", is: "3 4 5 6 7 8 9 10")
        try dirty.expectLost("c 2, d 2")
        try dirty.expectWayBack()
    }

    @Test(arguments: ["CASCADE", "SET NULL", "column"])
    func `step by step, is not surprised between two batches`(action: String) throws {
        let change = action == "column" ? "column" : "key"
        let dirty = try OrphanBench(
            """
            CREATE TABLE p (id int PRIMARY KEY); INSERT INTO p VALUES (1); CREATE TABLE c (id int PRIMARY KEY, p int NOT NULL, word text);
            INSERT INTO c SELECT n, CASE WHEN n <= 11000 THEN 9 ELSE 1 END, 'row ' || n FROM generate_series(1, 12000) AS n;
            CREATE TABLE d (id int PRIMARY KEY, c int); INSERT INTO d SELECT n, n FROM generate_series(10001, 12000) AS n
            """, "p", "c", "d")
        try dirty.write(Self.key, "foreign-keys=stepwise")
        // One session holds a row of the first batch; another waits for the table, behind that batch and before the next.
        let holder = try dirty.session()
        try holder.run("BEGIN; SELECT FROM c WHERE id = 1 FOR UPDATE")
        let program = try dirty.bench.start("apply", "--lock-timeout", "60s")
        try dirty.waitForLock(program)
        let changes =
            change == "key"
            ? "ALTER TABLE d ADD CONSTRAINT late FOREIGN KEY (c) REFERENCES c ON DELETE \(action)"
            : "ALTER TABLE c ADD COLUMN note text DEFAULT 'kept'; UPDATE c SET note = 'row ' || id; \(dirty.note)"
        let other = try Program(
            Cluster.programs + "/psql", ["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", dirty.bench.database.conninfo],
            input: "BEGIN; \(changes); COMMIT;")
        try dirty.waitForLock(program, count: 2)
        try holder.run("COMMIT")
        let ended = try other.outcome()
        #expect(ended.status == 0, "\(ended)")
        let outcome = try program.outcome(within: .seconds(120))
        if outcome.status != 0 {
            try dirty.expect("SELECT count(*) FROM d WHERE c = id", is: "2000")
            #expect(try dirty.bench.run("retry").status == 0)
            #expect(try dirty.bench.run("apply").status == 0)
        }
        try dirty.expect("SELECT count(*) FROM c", is: "1000")
        try dirty.expect(
            change == "column"
                ? "c deleted 11000" : "c deleted 11000, d \(action == "CASCADE" ? "deleted" : "nullified") 1000")
        if change == "column" {
            // What the first batch took went before there was such a column.
            #expect(try dirty.bench.run("rollback", "--last", "1").status == 0)
            try dirty.expect("SELECT count(*) FROM c WHERE word = 'row ' || id", is: "12000")
            try dirty.expect(
                "SELECT count(*) > 6900, count(*) = count(*) FILTER (WHERE note = word) FROM c WHERE note <> 'kept'",
                is: "t|t")
        } else {
            try dirty.expectWayBack()
        }
    }
}
