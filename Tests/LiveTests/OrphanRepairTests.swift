import LiveSupport
import Testing

/// Rows that somebody repairs or changes while a batch waits for them, and transactions that see an old state.
@Suite struct `A row that is repaired in the meantime` {
    private static let key = "ALTER TABLE c ADD CONSTRAINT k FOREIGN KEY (p) REFERENCES p;"

    private func tables(_ required: String) throws -> OrphanBench {
        try OrphanBench(
            """
            CREATE TABLE p (id int PRIMARY KEY); INSERT INTO p VALUES (1); CREATE TABLE c (id int PRIMARY KEY, p int \(required), word text);
            INSERT INTO c SELECT n, CASE WHEN n % 10 = 0 THEN 9 ELSE 1 END, 'row ' || n FROM generate_series(1, 50) AS n
            """, "p", "c")
    }

    @Test(
        arguments: [
            "UPDATE c SET p = 1 WHERE id = 30", "UPDATE c SET p = 1, id = 130 WHERE id = 30",
            "UPDATE c SET p = 1 WHERE p = 9 AND id < 50",
            "UPDATE c SET word = 'changed' WHERE id = 30", "UPDATE c SET p = 8 WHERE id = 30",
            "DELETE FROM c WHERE id = 30",
            "DELETE FROM c WHERE id = 30; INSERT INTO c VALUES (30, 1, 'anew')",
            "UPDATE c SET p = 8 WHERE id = 30; UPDATE c SET p = 1 WHERE id = 30",
            "INSERT INTO p VALUES (8); UPDATE c SET p = 8 WHERE id = 30", "SELECT FROM c WHERE id = 30 FOR UPDATE",
            "SELECT FROM c WHERE id = 30 FOR KEY SHARE",
        ], ["NOT NULL", ""])
    func `stays, and what is cleaned is what the row was when it was cleaned`(change: String, required: String) throws {
        for way in ["stepwise", "one-transaction"] {
            let dirty = try tables(required)
            try dirty.write(Self.key, "foreign-keys=\(way)")
            let other = try dirty.session()
            try other.run("BEGIN; \(change); \(dirty.note)")
            let program = try dirty.bench.start("apply", "--lock-timeout", "60s")
            // A table that is only read from is nobody's hindrance.
            try dirty.waitForLock(program)
            try other.run("COMMIT")
            let outcome = try program.outcome()
            #expect(outcome.status == 0, "\(way) \(outcome)")
            let orphans = try dirty.bench.query(
                "SELECT count(*) FROM was.rows WHERE name = 'c' AND content ~ ',(9|8),' AND NOT EXISTS (SELECT FROM p WHERE content LIKE '%,' || id || ',%')"
            )
            try dirty.expect(orphans == "0" ? "" : "c \(required.isEmpty ? "nullified" : "deleted") \(orphans)")
            try dirty.expect("SELECT count(*) FROM c WHERE p IS NULL", is: required.isEmpty ? orphans : "0")
            try dirty.expectKeys("k")
            try dirty.expectWayBack()
        }
    }

    @Test(arguments: ["repeatable read", "serializable", "read committed"], ["one-transaction", "stepwise"])
    func `stays at every isolation that the database, the role or the connection asks for`(level: String, way: String)
        throws
    {
        for (place, late) in [
            ("DATABASE", true), ("ROLE", true), ("connection", true), ("DATABASE", false), ("connection", false),
        ] {
            let dirty = try tables("NOT NULL")
            let name = dirty.bench.database.name
            switch place {
            case "DATABASE":
                try dirty.bench.query("ALTER DATABASE \(name) SET default_transaction_isolation = '\(level)'")
            case "ROLE":
                try dirty.bench.query(
                    "ALTER ROLE postgres IN DATABASE \(name) SET default_transaction_isolation = '\(level)'")
            default: break
            }
            try dirty.write(Self.key, "foreign-keys=\(way)")
            let other = try dirty.session()
            let more = late ? "INSERT INTO c VALUES (60, 7, 'late');" : ""
            try other.run("BEGIN; INSERT INTO p VALUES (9); \(more) \(dirty.note)")
            let options = level.replacing(" ", with: "\\\\ ")
            let program =
                place == "connection"
                ? try dirty.bench.start(
                    "apply", "--lock-timeout", "60s", "--database",
                    dirty.bench.database.conninfo + " options='-c default_transaction_isolation=\(options)'")
                : try dirty.bench.start("apply", "--lock-timeout", "60s")
            try dirty.waitForLock(program)
            try other.run("COMMIT")
            let outcome = try program.outcome()
            #expect(outcome.status == 0, "\(place) \(outcome)")
            try dirty.expect(late ? "c deleted 1" : "")
            try dirty.expect("SELECT count(*) FROM c WHERE p = 9", is: "5")
            try dirty.expectWayBack()
        }
    }

    @Test(arguments: [
        "BEGIN ISOLATION LEVEL REPEATABLE READ; KEY COMMIT;",
        "BEGIN TRANSACTION ISOLATION LEVEL SERIALIZABLE; KEY COMMIT;",
        "START TRANSACTION ISOLATION LEVEL SERIALIZABLE; KEY COMMIT;",
        "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; KEY",
        "BEGIN; SET TRANSACTION ISOLATION LEVEL SERIALIZABLE; KEY COMMIT;",
        "SET LOCAL transaction_isolation = 'repeatable read'; KEY",
        "SET transaction_isolation TO serializable; KEY",
    ])
    func `is the reason why a file that asks for an old state itself is refused`(text: String) throws {
        let dirty = try tables("NOT NULL")
        let outcome = try dirty.refuse(text.replacing("KEY", with: Self.key), status: 65, reason: "isolation")
        #expect(
            outcome.errors.lowercased().contains("read committed") || outcome.errors.contains("isolation"), "\(outcome)"
        )
    }

    @Test(
        arguments: [
            "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL SERIALIZABLE;",
            "SET default_transaction_isolation = 'repeatable read';",
            "SELECT set_config('default_transaction_isolation', 'serializable', false);",
            "SELECT set_config('transaction_isolation', 'repeatable read', true);",
        ], ["one-transaction", "stepwise"])
    func `stays, or the file is refused, where a statement asks for an old state of what comes later`(
        text: String, way: String
    ) throws {
        let dirty = try tables("NOT NULL")
        try dirty.write("\(text)\n\(Self.key)", "foreign-keys=\(way)")
        let other = try dirty.session()
        try other.run("BEGIN; INSERT INTO p VALUES (9); INSERT INTO c VALUES (60, 7, 'late'); \(dirty.note)")
        let program = try dirty.bench.start("apply", "--lock-timeout", "60s")
        try dirty.waitForLock(program)
        try other.run("COMMIT")
        let outcome = try program.outcome()
        if outcome.status == 0 {
            try dirty.expect("c deleted 1")
            try dirty.expectWayBack()
        } else {
            try dirty.expectUnchanged()
            try dirty.expectKeys("")
        }
    }

    @Test(arguments: [
        "BEGIN ISOLATION LEVEL READ COMMITTED; KEY COMMIT;", "SET TRANSACTION ISOLATION LEVEL READ COMMITTED; KEY",
        "BEGIN; KEY COMMIT;",
    ])
    func `is no reason to refuse a file that asks for READ COMMITTED, or for nothing`(text: String) throws {
        let dirty = try tables("NOT NULL")
        try dirty.clean(text.replacing("KEY", with: Self.key))
        try dirty.expect("c deleted 5")
        try dirty.expectWayBack()
    }

    @Test func `is no reason to refuse a file that cleans nothing`() throws {
        let dirty = try tables("NOT NULL")
        try dirty.bench.query("UPDATE c SET p = 1")
        try dirty.bench.write("001_key.sql", "BEGIN ISOLATION LEVEL SERIALIZABLE;\n\(Self.key)\nCOMMIT;\n")
        #expect(try dirty.bench.run("apply").status == 0)
        try dirty.expectKeys("k")
    }
}
