import LiveSupport
import Testing

/// `orphan-limit` bounds all that a cleanup touches, not only the orphans.
@Suite struct `A cleanup's limit` {
    private static let key = "ALTER TABLE c ADD CONSTRAINT k FOREIGN KEY (p) REFERENCES p;"

    /// One orphan among ten rows, with `dependents` of a hundred rows of `d`.
    private func tables(_ action: String, dependents: Int = 50, required: String = "NOT NULL") throws -> OrphanBench {
        try OrphanBench(
            """
            CREATE TABLE p (id int PRIMARY KEY); INSERT INTO p VALUES (1);
            CREATE TABLE c (id int PRIMARY KEY, p int \(required)); INSERT INTO c SELECT n, CASE n WHEN 1 THEN 7 ELSE 1 END FROM generate_series(1, 10) AS n;
            CREATE TABLE d (id int PRIMARY KEY, c int DEFAULT 2 REFERENCES c ON DELETE \(action));
            INSERT INTO d SELECT n, CASE WHEN n <= \(dependents) THEN 1 ELSE 3 END FROM generate_series(1, 100) AS n
            """, "p", "c", "d")
    }

    @Test(arguments: ["CASCADE", "SET NULL", "SET DEFAULT"], ["one-transaction", "stepwise"])
    func `counts the rows that go or change along`(action: String, way: String) throws {
        for limit in ["1", "50", "49%", "9%"] {
            let dirty = try tables(action)
            let outcome = try dirty.refuse(
                Self.key, "orphan-limit=\(limit) foreign-keys=\(way)", reason: "orphan_limit")
            #expect(outcome.errors.contains("orphan-limit"), "\(limit) \(outcome)")
        }
        for limit in ["51", "50%", "100%"] {
            let dirty = try tables(action)
            try dirty.clean(Self.key, "orphan-limit=\(limit) foreign-keys=\(way)")
            try dirty.expectLost("c 1, d 50")
            try dirty.expectWayBack()
        }
    }

    @Test(arguments: ["NOT NULL", ""], ["one-transaction", "stepwise"])
    func `of 100% never refuses, not even where every row goes`(required: String, way: String) throws {
        let dirty = try tables("CASCADE", dependents: 100, required: required)
        try dirty.bench.query(
            "DELETE FROM c WHERE id > 1 AND id <> 3; DELETE FROM p; UPDATE d SET c = 1; DELETE FROM c WHERE id = 3; \(dirty.note)"
        )
        try dirty.clean(Self.key, "orphan-limit=100% foreign-keys=\(way)")
        try dirty.expect(required.isEmpty ? "c nullified 1" : "c deleted 1, d deleted 100")
        try dirty.expectWayBack()
    }

    @Test func `in parts of a hundred is one of each table that is touched`() throws {
        // 1 of 10 and 10 of 100: exactly a tenth of both.
        let fits = try tables("CASCADE", dependents: 10)
        try fits.clean(Self.key, "orphan-limit=10%")
        try fits.expect("c deleted 1, d deleted 10")
        try fits.expectWayBack()
        let over = try tables("CASCADE", dependents: 11)
        _ = try over.refuse(Self.key, "orphan-limit=10%", reason: "orphan_limit")
        let own = try tables("CASCADE", dependents: 1)
        _ = try own.refuse(Self.key, "orphan-limit=9%", reason: "orphan_limit")
    }

    @Test func `of 0 lets pass what has no orphans`() throws {
        let dirty = try tables("CASCADE")
        _ = try dirty.refuse(Self.key, "orphan-limit=0", reason: "orphan_limit")
        try dirty.bench.query("UPDATE c SET p = 1; \(dirty.note)")
        #expect(try dirty.bench.run("retry").status == 0)
        #expect(try dirty.bench.run("apply").status == 0)
        try dirty.expectKeys("d_c_fkey, k")
        try dirty.expectUnchanged()
    }

    @Test func `counts each round of a key to the own table, and each key for itself`() throws {
        func chain() throws -> OrphanBench {
            try OrphanBench(
                """
                CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (id int PRIMARY KEY, up int NOT NULL, p int);
                INSERT INTO c SELECT n, n - 1, 9 FROM generate_series(1, 20) AS n; INSERT INTO c SELECT n, n, NULL FROM generate_series(101, 104) AS n
                """, "p", "c")
        }
        let key = "ALTER TABLE c ADD CONSTRAINT k FOREIGN KEY (up) REFERENCES c;"
        let over = try chain()
        _ = try over.refuse(key, "orphan-limit=19", reason: "orphan_limit")
        let fits = try chain()
        try fits.clean(key, "orphan-limit=20")
        try fits.expect("c deleted 20")
        try fits.expectWayBack()
        let both = try chain()
        try both.clean(
            "ALTER TABLE c ADD CONSTRAINT l FOREIGN KEY (p) REFERENCES p; \(key)", "orphan-limit=20",
            down: "ALTER TABLE c DROP CONSTRAINT k, DROP CONSTRAINT l;")
        try both.expect("c deleted 20, c nullified 20")
        try both.expectWayBack()
    }
}
