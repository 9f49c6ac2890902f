import LiveSupport
import Testing

/// Whether a reference may become null is what the whole catalog says, and a key may be written in many ways.
@Suite struct `A reference that may not be null` {
    private static let key = "ALTER TABLE c ADD CONSTRAINT k FOREIGN KEY (p) REFERENCES p;"

    private func tables(_ column: String, _ more: String = "") throws -> OrphanBench {
        try OrphanBench(
            """
            CREATE DOMAIN must AS int NOT NULL; CREATE DOMAIN must2 AS must; CREATE DOMAIN checked AS int CHECK (VALUE IS NOT NULL); CREATE DOMAIN checked2 AS checked CHECK (VALUE > 0);
            CREATE DOMAIN positive AS int CHECK (VALUE > 0);
            CREATE TABLE p (id int PRIMARY KEY); INSERT INTO p VALUES (1); CREATE TABLE c (id int PRIMARY KEY, p \(column)); INSERT INTO c VALUES (1, 1), (2, 9); \(more)
            """, "p", "c")
    }

    @Test(
        arguments: [
            "int NOT NULL", "must", "must2", "checked", "checked2", "int CHECK (p IS NOT NULL)",
            "int CHECK (p IS NOT NULL AND p > 0)", "int CHECK (NOT p IS NULL)",
            "int CHECK (coalesce(p, 0) > 0)", "int CHECK (num_nulls(p) = 0)", "int CHECK (p IS DISTINCT FROM NULL)",
            "positive CHECK (p IS NOT NULL)",
        ], ["one-transaction", "stepwise"])
    func `goes with its row, wherever that is written`(column: String, way: String) throws {
        let dirty = try tables(column)
        try dirty.clean(Self.key, "foreign-keys=\(way)")
        try dirty.expect("c deleted 1")
        try dirty.expectWayBack()
    }

    @Test(arguments: ["CHECK (p IS NOT NULL) NOT VALID", "CHECK (p IS NOT NULL) NO INHERIT"])
    func `goes with its row, where a check says so that not every row has passed`(check: String) throws {
        let dirty = try tables("int", "ALTER TABLE c ADD CONSTRAINT filled \(check)")
        try dirty.clean(Self.key)
        try dirty.expect("c deleted 1")
        try dirty.expectWayBack()
    }

    @Test(
        arguments: ["int", "positive", "int CHECK (p > 0)", "int CHECK (p IS NULL OR p > 0)", "int DEFAULT 1"],
        ["one-transaction", "stepwise"])
    func `is another thing than one that must only be positive`(column: String, way: String) throws {
        let dirty = try tables(column)
        try dirty.clean(Self.key, "foreign-keys=\(way)")
        try dirty.expect("c nullified 1")
        try dirty.expectWayBack()
    }

    @Test(arguments: [("SIMPLE", "c nullified 1"), ("FULL", "c deleted 1")])
    func `stays beside one that may, in a key of two`(match: String, counts: String) throws {
        let dirty = try tables(
            "must",
            "ALTER TABLE c ADD COLUMN q int DEFAULT 9; CREATE TABLE r (p int, q int, PRIMARY KEY (q, p)); INSERT INTO r VALUES (1, 9)"
        )
        try dirty.clean("ALTER TABLE c ADD CONSTRAINT k FOREIGN KEY (p, q) REFERENCES r (p, q) MATCH \(match);")
        try dirty.expect(counts)
        try dirty.expectWayBack()
    }

    @Test(arguments: [
        "ALTER TABLE c1 ALTER p SET NOT NULL", "ALTER TABLE c1 ADD CHECK (p IS NOT NULL)",
        "ALTER TABLE c ADD CHECK (p IS NOT NULL OR id > 0)", "ALTER TABLE c ADD CHECK (num_nulls(id, p) = 0)",
    ])
    func `loses no row where only a partition, or a check on several columns, says so`(more: String) throws {
        let dirty = try OrphanBench(
            """
            CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (id int PRIMARY KEY, p int) PARTITION BY RANGE (id); CREATE TABLE c1 PARTITION OF c FOR VALUES FROM (0) TO (10);
            CREATE TABLE c2 PARTITION OF c DEFAULT; INSERT INTO c VALUES (1, 9), (2, 9), (11, 9), (12, 9); \(more)
            """, "p", "c")
        try dirty.write(Self.key)
        if try dirty.bench.run("apply").status == 0 {
            try dirty.expectKeys("k")
            try dirty.expectLost("c 4")
            try dirty.expectWayBack()
        } else {
            try dirty.expectUnchanged()
        }
    }

    // MARK: Ways to write a key

    @Test(
        arguments: [
            "ALTER TABLE c ADD CONSTRAINT k FOREIGN KEY (p) REFERENCES p NOT VALID, VALIDATE CONSTRAINT k;",
            "ALTER TABLE c ADD CONSTRAINT k FOREIGN KEY (p) REFERENCES p NOT VALID; ALTER TABLE c VALIDATE CONSTRAINT k;",
            "ALTER TABLE c ADD CONSTRAINT k FOREIGN KEY (p) REFERENCES p, ALTER CONSTRAINT k DEFERRABLE INITIALLY DEFERRED;",
            "ALTER TABLE c ADD CONSTRAINT k FOREIGN KEY (p) REFERENCES p, VALIDATE CONSTRAINT k;",
            "ALTER TABLE c VALIDATE CONSTRAINT k, ADD CONSTRAINT k FOREIGN KEY (p) REFERENCES p NOT VALID;",
            "ALTER TABLE ONLY c ADD CONSTRAINT k FOREIGN KEY (p) REFERENCES p (id) NOT VALID, VALIDATE CONSTRAINT k, ALTER COLUMN p SET DEFAULT 1;",
            "ALTER TABLE c ADD COLUMN q int DEFAULT 1, ADD CONSTRAINT k FOREIGN KEY (p) REFERENCES p NOT VALID, ADD CONSTRAINT l CHECK (q = 1) NOT VALID, VALIDATE CONSTRAINT k, VALIDATE CONSTRAINT l;",
            "BEGIN; ALTER TABLE c ADD CONSTRAINT k FOREIGN KEY (p) REFERENCES p NOT VALID, VALIDATE CONSTRAINT k; COMMIT;",
        ], ["NOT NULL", ""])
    func `is cleaned for a key that its statement goes on about`(up: String, required: String) throws {
        for way in ["one-transaction", "stepwise"] {
            let dirty = try tables("int \(required)")
            try dirty.clean(
                up, "foreign-keys=\(way)", down: "ALTER TABLE c DROP CONSTRAINT k, DROP COLUMN IF EXISTS q;")
            try dirty.expectKeys("k")
            try dirty.expect(
                "SELECT condeferred FROM pg_constraint WHERE conname = 'k'", is: up.contains("INITIALLY") ? "t" : "f")
            try dirty.expect(required.isEmpty ? "c nullified 1" : "c deleted 1")
            try dirty.expectWayBack()
        }
    }

    @Test func `is cleaned for a key that takes the place of another`() throws {
        let dirty = try tables("int NOT NULL", "ALTER TABLE c ADD CONSTRAINT k FOREIGN KEY (p) REFERENCES p NOT VALID")
        try dirty.clean(
            "ALTER TABLE c DROP CONSTRAINT k, ADD CONSTRAINT k FOREIGN KEY (p) REFERENCES p ON DELETE CASCADE;")
        try dirty.expectKeys("k")
        try dirty.expect("c deleted 1")
        try dirty.expectWayBack()
    }

    // MARK: Row-level security

    private static let hide =
        "ALTER TABLE c ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY; CREATE POLICY few ON c USING (id < 2);"

    /// The tables belong to a role that policies hold for.
    private func owned(_ required: String) throws -> (OrphanBench, login: String) {
        let dirty = try tables("int \(required)")
        let name = dirty.bench.database.name
        try dirty.bench.query(
            """
            CREATE ROLE owner_\(name) LOGIN; GRANT CREATE ON DATABASE \(name) TO owner_\(name); GRANT ALL ON SCHEMA public TO owner_\(name);
            ALTER TABLE p OWNER TO owner_\(name); ALTER TABLE c OWNER TO owner_\(name)
            """)
        return (dirty, dirty.bench.database.cluster.conninfo(name, user: "owner_\(name)"))
    }

    @Test(
        arguments: ["NOT NULL", ""],
        ["", "ALTER TABLE c DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY; DROP POLICY few ON c;"])
    func `is never said to be gone where a policy hides its row`(required: String, more: String) throws {
        let (dirty, login) = try owned(required)
        try dirty.write("\(Self.key) \(Self.hide)", down: "ALTER TABLE c DROP CONSTRAINT k; \(more)")
        let applied = try dirty.bench.run("apply", "--database", login)
        #expect(applied.status == 0, "\(applied)")
        try dirty.expect("c \(required.isEmpty ? "nullified" : "deleted") 1")
        let undone = try dirty.bench.run("rollback", "--last", "1", "--database", login)
        #expect(undone.status == 0, "\(undone)")
        let notRestored = try dirty.notRestored()
        #expect(!notRestored.contains("row_gone"))
        if notRestored.isEmpty { try dirty.expectUnchanged() }
        if !more.isEmpty { #expect(notRestored == "") }
    }

    @Test(arguments: ["NOT NULL", ""])
    func `is not cleaned behind the back of a policy that would hide it`(required: String) throws {
        let (dirty, login) = try owned(required)
        try dirty.write("\(Self.hide) \(Self.key)")
        let outcome = try dirty.bench.run("apply", "--database", login)
        #expect(outcome.status == 1, "\(outcome)")
        try dirty.expectUnchanged()
        try dirty.expectKeys("")
    }
}
