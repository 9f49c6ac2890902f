import LiveSupport
import Testing

/// A reference that becomes null may itself be referred to: what ON UPDATE changes along is kept, too.
@Suite struct `References that become null, and what hangs on them` {
    private static let nodes = """
        CREATE TABLE c (id int PRIMARY KEY, tenant int, parent int, UNIQUE (tenant, id));
        INSERT INTO c VALUES (1, 1, 99), (2, 1, 1), (3, 1, 2), (4, 2, NULL), (5, 2, 4), (6, NULL, 77)
        """

    @Test(arguments: ["NO ACTION", "CASCADE", "SET NULL", "RESTRICT"])
    func `in a composite key of a table to itself, every row that loses its tenant is recorded`(action: String) throws {
        let dirty = try OrphanBench(Self.nodes, "c")
        try dirty.clean(
            "ALTER TABLE c ADD CONSTRAINT k FOREIGN KEY (tenant, parent) REFERENCES c (tenant, id) ON UPDATE \(action);"
        )
        try dirty.expectKeys("k")
        try dirty.expect("SELECT id, tenant, parent FROM c ORDER BY id", is: "1||\n2||\n3||\n4|2|\n5|2|4\n6||77")
        try dirty.expect("c nullified 3")
        try dirty.expectWayBack()
    }

    @Test(arguments: ["NO ACTION", "CASCADE"])
    func `where the tenant is required, only the parent goes`(action: String) throws {
        let dirty = try OrphanBench(
            """
            CREATE TABLE c (id int PRIMARY KEY, tenant int NOT NULL, parent int, UNIQUE (tenant, id));
            INSERT INTO c VALUES (1, 1, 99), (2, 1, 1), (3, 1, 2), (4, 2, 1)
            """, "c")
        try dirty.clean(
            "ALTER TABLE c ADD CONSTRAINT k FOREIGN KEY (tenant, parent) REFERENCES c (tenant, id) ON UPDATE \(action) ON DELETE CASCADE;"
        )
        try dirty.expect("SELECT id, tenant, parent FROM c ORDER BY id", is: "1|1|\n2|1|1\n3|1|2\n4|2|")
        try dirty.expect("c nullified 2")
        try dirty.expectWayBack()
    }

    /// What the rows of `d` become when the referenced row's columns become null.
    @Test(arguments: [
        ("CASCADE", "1|||a\n2|1|2|b\n3|||c"), ("SET NULL", "1|||a\n2|1|2|b\n3|||c"),
        ("SET DEFAULT", "1|1|2|a\n2|1|2|b\n3|1|2|c"),
    ])
    func `in another table, by a key that acts ON UPDATE`(action: String, rows: String) throws {
        let dirty = try OrphanBench(
            """
            CREATE TABLE p (tenant int, id int, PRIMARY KEY (tenant, id)); INSERT INTO p VALUES (1, 1);
            CREATE TABLE c (id int PRIMARY KEY, tenant int, p int, UNIQUE (tenant, id)); INSERT INTO c VALUES (1, 1, 9), (2, 1, 1);
            CREATE TABLE d (id int PRIMARY KEY, tenant int DEFAULT 1, c int DEFAULT 2, word text,
                            FOREIGN KEY (tenant, c) REFERENCES c (tenant, id) ON UPDATE \(action));
            INSERT INTO d VALUES (1, 1, 1, 'a'), (2, 1, 2, 'b'), (3, 1, 1, 'c')
            """, "p", "c", "d")
        try dirty.clean("ALTER TABLE c ADD CONSTRAINT k FOREIGN KEY (tenant, p) REFERENCES p;")
        try dirty.expect("SELECT id, tenant, p FROM c ORDER BY id", is: "1||\n2|1|1")
        // ON UPDATE CASCADE hands on the new values: the tenant is null, the number stays.
        try dirty.expect(
            "SELECT id, tenant, c, word FROM d ORDER BY id",
            is: (action == "CASCADE" ? "1||1|a\n2|1|2|b\n3||1|c" : rows))
        try dirty.expect("c nullified 1, d nullified 2")
        try dirty.expectWayBack()
    }

    @Test func `along a chain of ON UPDATE CASCADE, to its end`() throws {
        let dirty = try OrphanBench(
            """
            CREATE TABLE p (id int PRIMARY KEY); INSERT INTO p VALUES (1);
            CREATE TABLE c (id int PRIMARY KEY, p int UNIQUE); INSERT INTO c VALUES (1, 1), (2, 8), (3, 9);
            CREATE TABLE d (id int PRIMARY KEY, p int UNIQUE REFERENCES c (p) ON UPDATE CASCADE); INSERT INTO d VALUES (1, 1), (2, 8), (3, 9);
            CREATE TABLE e (id int PRIMARY KEY, p int REFERENCES d (p) ON UPDATE CASCADE); INSERT INTO e VALUES (1, 1), (2, 8), (3, 8), (4, 9);
            """, "p", "c", "d", "e")
        try dirty.clean("ALTER TABLE c ADD CONSTRAINT k FOREIGN KEY (p) REFERENCES p;")
        try dirty.expect(
            "SELECT count(p) FROM c UNION ALL SELECT count(p) FROM d UNION ALL SELECT count(p) FROM e", is: "1\n1\n1")
        try dirty.expect("c nullified 2, d nullified 2, e nullified 3")
        try dirty.expectWayBack()
    }

    @Test(arguments: ["NO ACTION", "RESTRICT"])
    func `not where a key forbids the change: then nothing changes at all`(action: String) throws {
        let dirty = try OrphanBench(
            """
            CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (id int PRIMARY KEY, p int UNIQUE); INSERT INTO c VALUES (1, 8), (2, 9);
            CREATE TABLE d (id int PRIMARY KEY, p int CONSTRAINT d_p REFERENCES c (p) ON UPDATE \(action)); INSERT INTO d VALUES (1, 9)
            """, "p", "c", "d")
        let outcome = try dirty.refuse("ALTER TABLE c ADD CONSTRAINT k FOREIGN KEY (p) REFERENCES p;")
        #expect(outcome.errors.contains("d_p"), "\(outcome)")
        try dirty.expectKeys("d_p")
    }

    @Test func `whatever a trigger of the application changes beside it stays a row that comes back`() throws {
        let dirty = try OrphanBench(
            """
            CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (id int PRIMARY KEY, p int, touched int NOT NULL DEFAULT 0);
            INSERT INTO c (id, p) VALUES (1, 8), (2, 9);
            CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.touched := NEW.touched + 1; RETURN NEW; END';
            CREATE TRIGGER touch BEFORE UPDATE ON c FOR EACH ROW EXECUTE FUNCTION touch()
            """, "p", "c")
        try dirty.clean("ALTER TABLE c ADD CONSTRAINT k FOREIGN KEY (p) REFERENCES p;")
        try dirty.expect("c nullified 2")
        #expect(try dirty.bench.run("rollback", "--last", "1").status == 0)
        try dirty.expect("SELECT id, p FROM c ORDER BY id", is: "1|8\n2|9")
    }
}
