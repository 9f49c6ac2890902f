import LiveSupport
import Testing

/// Keys that reach each other's rows: the new key never acts while orphans are cleaned, and whatever goes is accounted for.
@Suite struct `Keys that act on each other` {
    private static let down = "ALTER TABLE c DROP CONSTRAINT k, DROP CONSTRAINT l;"

    @Test(arguments: ["CASCADE", "NO ACTION", "SET NULL", "RESTRICT"])
    func `two keys in one statement, the first to the own table`(action: String) throws {
        let dirty = try OrphanBench(
            """
            CREATE TABLE q (id int PRIMARY KEY); INSERT INTO q VALUES (1);
            CREATE TABLE c (id int PRIMARY KEY, up int NOT NULL, q int NOT NULL);
            INSERT INTO c VALUES (1, 1, 99), (2, 1, 1), (3, 2, 1), (4, 4, 1), (5, 4, 1), (6, 4, 98)
            """, "q", "c")
        try dirty.clean(
            "ALTER TABLE c ADD CONSTRAINT k FOREIGN KEY (up) REFERENCES c ON DELETE \(action), ADD CONSTRAINT l FOREIGN KEY (q) REFERENCES q;",
            down: Self.down)
        try dirty.expectKeys("k, l")
        try dirty.expect("SELECT id FROM c ORDER BY id", is: "4\n5")
        try dirty.expect("c deleted 4")
        try dirty.expectWayBack()
    }

    /// For PostgreSQL's check a composite with a null in it refers to nothing: such a row stays where the one that it names goes. Found by seed 31269.
    @Test(arguments: ["CASCADE", "RESTRICT"])
    func `a composite with a null in it hangs on no row`(action: String) throws {
        let dirty = try OrphanBench(
            """
            CREATE TYPE pair AS (a int, b text);
            CREATE TABLE c (id int PRIMARY KEY, k pair NOT NULL UNIQUE, up pair NOT NULL);
            INSERT INTO c VALUES (1, '(1,a)', '(9,z)'), (2, '(,b)', '(9,z)'), (3, '(2,c)', '(,b)'), (4, '(3,d)', '(1,a)'), (5, '(4,e)', '(4,e)')
            """, "c")
        try dirty.clean("ALTER TABLE c ADD CONSTRAINT k FOREIGN KEY (up) REFERENCES c (k) ON DELETE \(action);")
        try dirty.expectKeys("k")
        try dirty.expect("SELECT id FROM c ORDER BY id", is: "3\n5")
        try dirty.expect("c deleted 3")
        try dirty.expectWayBack()
    }

    @Test(arguments: ["one", "two"], ["first", "second"])
    func `where the reference to the own table may be null, whatever is changed or goes is kept`(
        statements: String, order: String
    )
        throws
    {
        let dirty = try OrphanBench(
            """
            CREATE TABLE q (id int PRIMARY KEY); INSERT INTO q VALUES (1);
            CREATE TABLE c (id int PRIMARY KEY, up int, q int NOT NULL);
            INSERT INTO c VALUES (1, NULL, 99), (2, 1, 1), (3, 2, 1), (4, 77, 1)
            """, "q", "c")
        let own = "ADD CONSTRAINT k FOREIGN KEY (up) REFERENCES c ON DELETE CASCADE"
        let other = "ADD CONSTRAINT l FOREIGN KEY (q) REFERENCES q"
        let keys = order == "first" ? [own, other] : [other, own]
        try dirty.clean(
            "ALTER TABLE c " + keys.joined(separator: statements == "one" ? ", " : "; ALTER TABLE c ") + ";",
            down: Self.down)
        try dirty.expectKeys("k, l")
        try dirty.expectAccounted()
        try dirty.expect(
            "SELECT count(*) FROM c AS a LEFT JOIN c AS b ON b.id = a.up WHERE a.up IS NOT NULL AND b.id IS NULL OR a.q <> 1",
            is: "0")
        if order == "second" {
            // The other key is alone when it is cleaned: row 1 goes, and then nothing but references to it and to 77 are left.
            try dirty.expect("SELECT id, up FROM c ORDER BY id", is: "2|\n3|2\n4|")
            try dirty.expect("c deleted 1, c nullified 2")
        }
        try dirty.expectWayBack()
    }

    @Test(arguments: ["CASCADE", "NO ACTION"])
    func `two keys in one statement, and a third that leads back to the first`(action: String) throws {
        let dirty = try OrphanBench(
            """
            CREATE TABLE q (id int PRIMARY KEY); INSERT INTO q VALUES (1); CREATE TABLE c (id int PRIMARY KEY, p int NOT NULL, q int NOT NULL);
            CREATE TABLE p (id int PRIMARY KEY, c int REFERENCES c ON DELETE CASCADE);
            INSERT INTO c VALUES (1, 1, 99), (2, 1, 1), (3, 3, 1); INSERT INTO p VALUES (1, 1), (3, 3)
            """, "q", "c", "p")
        try dirty.clean(
            "ALTER TABLE c ADD CONSTRAINT k FOREIGN KEY (p) REFERENCES p ON DELETE \(action), ADD CONSTRAINT l FOREIGN KEY (q) REFERENCES q;",
            down: Self.down)
        try dirty.expect("SELECT id FROM c UNION ALL SELECT id FROM p", is: "3\n3")
        try dirty.expect("c deleted 2, p deleted 1")
        try dirty.expectWayBack()
    }

    @Test(arguments: ["CASCADE", "NO ACTION", "SET NULL"])
    func `a circle through the new key: what it leaves without a parent goes too, and all of it comes back`(
        action: String
    ) throws {
        let dirty = try OrphanBench(
            """
            CREATE TABLE c (id int PRIMARY KEY, p int NOT NULL); CREATE TABLE p (id int PRIMARY KEY, c int REFERENCES c ON DELETE CASCADE);
            INSERT INTO c VALUES (1, 99), (2, 1), (3, 2), (4, 4), (5, 3); INSERT INTO p VALUES (1, 1), (2, 2), (3, NULL), (4, 4)
            """, "c", "p")
        try dirty.clean("ALTER TABLE c ADD CONSTRAINT k FOREIGN KEY (p) REFERENCES p ON DELETE \(action);")
        try dirty.expect("SELECT id FROM c ORDER BY id", is: "4\n5")
        try dirty.expect("SELECT id FROM p ORDER BY id", is: "3\n4")
        try dirty.expect("c deleted 3, p deleted 2")
        try dirty.expectWayBack()
    }

    @Test func `a circle in which only references become null deletes nothing`() throws {
        let dirty = try OrphanBench(
            """
            CREATE TABLE c (id int PRIMARY KEY, p int); CREATE TABLE p (id int PRIMARY KEY, c int REFERENCES c ON DELETE CASCADE);
            INSERT INTO c VALUES (1, 99), (2, 1), (3, 2); INSERT INTO p VALUES (1, 1), (2, 2)
            """, "c", "p")
        try dirty.clean("ALTER TABLE c ADD CONSTRAINT k FOREIGN KEY (p) REFERENCES p ON DELETE CASCADE;")
        try dirty.expect("SELECT id, p FROM c ORDER BY id", is: "1|\n2|1\n3|2")
        try dirty.expect("c nullified 1")
        try dirty.expectWayBack()
    }

    @Test(arguments: ["CASCADE", "SET NULL", "NO ACTION", "SET DEFAULT"])
    func `a key to the own table, with others that hang on its rows`(action: String) throws {
        let dirty = try OrphanBench(
            """
            CREATE TABLE c (id int PRIMARY KEY, up int NOT NULL DEFAULT 5);
            INSERT INTO c VALUES (1, 99), (2, 1), (3, 2), (4, 3), (5, 5), (6, 5);
            CREATE TABLE d (id int PRIMARY KEY, c int REFERENCES c ON DELETE CASCADE); INSERT INTO d VALUES (1, 1), (2, 3), (3, 5);
            CREATE TABLE e (id int PRIMARY KEY, d int REFERENCES d ON DELETE SET NULL); INSERT INTO e VALUES (1, 1), (2, 3)
            """, "c", "d", "e")
        try dirty.clean("ALTER TABLE c ADD CONSTRAINT k FOREIGN KEY (up) REFERENCES c ON DELETE \(action);")
        try dirty.expect("SELECT id FROM c ORDER BY id", is: "5\n6")
        try dirty.expect("c deleted 4, d deleted 2, e nullified 1")
        try dirty.expectWayBack()
    }

    @Test func `an orphan of a table that refers to itself by another key, with CASCADE`() throws {
        let dirty = try OrphanBench(
            """
            CREATE TABLE p (id int PRIMARY KEY); INSERT INTO p VALUES (1);
            CREATE TABLE c (id int PRIMARY KEY, up int REFERENCES c ON DELETE CASCADE, p int NOT NULL);
            INSERT INTO c VALUES (1, NULL, 99), (2, 1, 1), (3, 2, 98), (4, NULL, 1), (5, 4, 1)
            """, "p", "c")
        try dirty.clean("ALTER TABLE c ADD CONSTRAINT k FOREIGN KEY (p) REFERENCES p;")
        try dirty.expect("SELECT id FROM c ORDER BY id", is: "4\n5")
        try dirty.expect("c deleted 3")
        try dirty.expectWayBack()
    }

    @Test func `keys that were there in a circle of three tables`() throws {
        let dirty = try OrphanBench(
            """
            CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (id int PRIMARY KEY, e int, p int NOT NULL);
            CREATE TABLE d (id int PRIMARY KEY, c int REFERENCES c ON DELETE CASCADE);
            CREATE TABLE e (id int PRIMARY KEY, d int REFERENCES d ON DELETE CASCADE);
            INSERT INTO p VALUES (1); INSERT INTO c VALUES (1, NULL, 9), (2, 1, 1), (3, 2, 1); INSERT INTO d VALUES (1, 1), (2, 2), (3, NULL);
            INSERT INTO e VALUES (1, 1), (2, 2), (3, 3); ALTER TABLE c ADD FOREIGN KEY (e) REFERENCES e ON DELETE CASCADE
            """, "p", "c", "d", "e")
        try dirty.clean("ALTER TABLE c ADD CONSTRAINT k FOREIGN KEY (p) REFERENCES p;")
        try dirty.expect("c deleted 3, d deleted 2, e deleted 2")
        try dirty.expectWayBack()
    }

    /// Between its touches the row of p refers to nothing, and c to nothing of it.
    @Test(
        arguments: ["k int PRIMARY KEY, id int UNIQUE", "id int UNIQUE", "id int PRIMARY KEY DEFAULT 8"], ["2", "5"])
    func `a row in a circle that is changed twice, and then deleted or not, comes back as it was before`(
        key: String, parent: String
    ) throws {
        let isNull = !key.contains("DEFAULT")
        let dirty = try OrphanBench(
            """
            CREATE TABLE c (id int PRIMARY KEY, p int, o int NOT NULL); CREATE TABLE p (\(key), other int, up int);
            INSERT INTO c VALUES (1, NULL, 99), (2, 1, 99), (5, NULL, 5), (8, NULL, 5);
            INSERT INTO p (\(key.contains("k int") ? "k, " : "")id, other, up)
                SELECT \(key.contains("k int") ? "row_number() OVER (), " : "")* FROM (VALUES (1, 1, \(parent)), (5, 5, 5)) AS v;
            ALTER TABLE c ADD FOREIGN KEY (p) REFERENCES p (id);
            ALTER TABLE p ADD FOREIGN KEY (id) REFERENCES c ON DELETE SET \(isNull ? "NULL" : "DEFAULT"),
                ADD FOREIGN KEY (other) REFERENCES c ON DELETE SET NULL, ADD FOREIGN KEY (up) REFERENCES c ON DELETE CASCADE
            """, "c", "p")
        try dirty.clean("ALTER TABLE c ADD CONSTRAINT k FOREIGN KEY (o) REFERENCES p (id);")
        try dirty.expect("SELECT id FROM c ORDER BY id", is: "5\n8")
        try dirty.expect(
            "SELECT id, other, up FROM p ORDER BY up, other",
            is: parent == "2" ? "5|5|5" : "5|5|5\n\(isNull ? "" : "8")||5")
        try dirty.expect(parent == "2" ? "c deleted 2, p deleted 1, p nullified 2" : "c deleted 2, p nullified 2")
        try dirty.expectWayBack()
    }
}
