import LiveSupport
import Testing

/// The process may end between any two statements of a cleanup, of its proof and of a restoration: nothing of it is left, or all of it.
@Suite struct `A cleanup with what hangs on it, killed anywhere` {
    private func tables() throws -> OrphanBench {
        let dirty = try OrphanBench(
            """
            CREATE TABLE p (id int PRIMARY KEY); INSERT INTO p VALUES (1);
            CREATE TABLE c (id int PRIMARY KEY, p int NOT NULL); INSERT INTO c VALUES (1, 1), (2, 9), (3, 9);
            CREATE TABLE d (id int, c int REFERENCES c ON DELETE CASCADE); INSERT INTO d VALUES (1, 1), (2, 2), (2, 2), (3, 3);
            CREATE TABLE e (c int DEFAULT 1 REFERENCES c ON DELETE SET DEFAULT, j jsonb); INSERT INTO e VALUES (2, 'null'), (3, '"1"')
            """, "p", "c", "d", "e")
        try dirty.write("ALTER TABLE c ADD CONSTRAINT k FOREIGN KEY (p) REFERENCES p;")
        return dirty
    }

    private func expectNothingLeft(_ dirty: OrphanBench, _ place: Comment) throws {
        let left = try dirty.bench.query(
            "SELECT (SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal AND tgname LIKE 'migrated_%'), (SELECT count(*) FROM pg_proc WHERE proname LIKE 'migrated_%')"
        )
        #expect(left == "0|0", place)
    }

    @Test func `is done whole by the next attempt`() throws {
        var kills = 0
        for count in 1... {
            let dirty = try tables()
            let place = Comment(rawValue: "key-step:\(count)")
            let first = try dirty.bench.run("apply", environment: ["MIGRATED_FAILPOINT": "key-step:\(count)"])
            let wasKilled = first.end == .killed(9)
            if wasKilled {
                kills += 1
                try dirty.expectUnchanged()
                try expectNothingLeft(dirty, place)
                let second = try dirty.bench.run("apply")
                #expect(second.status == 0, "\(place) \(second)")
            }
            try expectNothingLeft(dirty, place)
            try dirty.expect("c deleted 2, d deleted 3, e nullified 2")
            try dirty.expectWayBack()
            if !wasKilled { break }
        }
        #expect(kills > 10, "the cleanup has more steps than that")
    }

    @Test func `comes back whole by the next rollback`() throws {
        var kills = 0
        for count in 1... {
            let dirty = try tables()
            #expect(try dirty.bench.run("apply").status == 0)
            let first = try dirty.bench.run(
                "rollback", "--last", "1", environment: ["MIGRATED_FAILPOINT": "key-step:\(count)"])
            let wasKilled = first.end == .killed(9)
            if wasKilled {
                kills += 1
                try dirty.expectKeys("d_c_fkey, e_c_fkey, k")
                #expect(try dirty.bench.query("SELECT count(*) FROM migrated.orphan_restoration") == "0")
                #expect(try dirty.bench.run("rollback", "--last", "1").status == 0)
            }
            try dirty.expectUnchanged()
            if !wasKilled { break }
        }
        #expect(kills > 1, "the restoration has more steps than that")
    }
}

/// A trigger of the application that deletes rows which no key leads to.
@Suite struct `Rows that a trigger deletes elsewhere` {
    @Test(arguments: ["int REFERENCES s ON DELETE CASCADE", "int"])
    func `are kept and come back like those that keys take along`(reference: String) throws {
        let dirty = try OrphanBench(
            """
            CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (id int PRIMARY KEY, p int NOT NULL); INSERT INTO c VALUES (1, 9), (2, 9);
            CREATE TABLE s (id int PRIMARY KEY, words text); INSERT INTO s VALUES (1, 'a'), (2, 'b'), (3, 'c');
            CREATE TABLE t (s \(reference)); INSERT INTO t VALUES (1), (1), (3);
            CREATE FUNCTION forget() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN DELETE FROM s WHERE id = OLD.id; RETURN NULL; END';
            CREATE TRIGGER forget AFTER DELETE ON c FOR EACH ROW EXECUTE FUNCTION forget()
            """, "p", "c", "s", "t")
        try dirty.clean("ALTER TABLE c ADD CONSTRAINT k FOREIGN KEY (p) REFERENCES p;")
        try dirty.expect(reference == "int" ? "c deleted 2, s deleted 2" : "c deleted 2, s deleted 2, t deleted 2")
        try dirty.expectWayBack()
    }

    @Test func `and that take the deletion back are no loss that can be told from one`() throws {
        let dirty = try OrphanBench(
            """
            CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (id int PRIMARY KEY, p int NOT NULL); INSERT INTO c VALUES (1, 9);
            CREATE TABLE s (id int); INSERT INTO s VALUES (1);
            CREATE FUNCTION waver() RETURNS trigger LANGUAGE plpgsql AS
                'BEGIN BEGIN DELETE FROM s; RAISE division_by_zero; EXCEPTION WHEN division_by_zero THEN NULL; END; RETURN NULL; END';
            CREATE TRIGGER waver AFTER DELETE ON c FOR EACH ROW EXECUTE FUNCTION waver()
            """, "p", "c", "s")
        _ = try dirty.refuse(
            "ALTER TABLE c ADD CONSTRAINT k FOREIGN KEY (p) REFERENCES p;", reason: "not_kept")
    }
}
