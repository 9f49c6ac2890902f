import LiveSupport
import Testing

/// What small transactions can know beforehand they say beforehand: nothing has changed then.
@Suite struct `Orphans step by step` {
    private static let key = "ALTER TABLE c ADD CONSTRAINT k FOREIGN KEY (p) REFERENCES p;"

    /// 11000 orphans of 12000 rows; `d` refers to rows of `c` by a key that forbids their deletion.
    private func tables(_ action: String, referenced: [Int], required: String = "NOT NULL", type: String = "int") throws
        -> OrphanBench
    {
        try OrphanBench(
            """
            CREATE EXTENSION citext; CREATE TABLE p (id int PRIMARY KEY); INSERT INTO p VALUES (1); CREATE TABLE c (id \(type) PRIMARY KEY, p int \(required));
            INSERT INTO c SELECT n::text::\(type), CASE WHEN n <= 11000 THEN 9 ELSE 1 END FROM generate_series(1, 12000) AS n;
            CREATE TABLE d (id int PRIMARY KEY, c \(type) CONSTRAINT d_c REFERENCES c \(action));
            INSERT INTO d SELECT n, n::text::\(type) FROM unnest(ARRAY[\(referenced.map(String.init).joined(separator: ", "))]::int[]) AS n; INSERT INTO d VALUES (0, NULL)
            """, "p", "c", "d")
    }

    @Test(
        arguments: ["", "ON DELETE RESTRICT", "DEFERRABLE INITIALLY DEFERRED", "ON UPDATE CASCADE"],
        ["int", "citext", "char(6)"])
    func `fail before anything has changed where another key forbids to delete one of them`(
        action: String, type: String
    ) throws {
        let dirty = try tables(action, referenced: [10999, 11500], type: type)
        let outcome = try dirty.refuse(Self.key, "foreign-keys=stepwise")
        #expect(outcome.errors.contains("d_c"), "\(outcome)")
        #expect(outcome.errors.contains("public.d") || outcome.errors.contains("\"d\""), "\(outcome)")
        #expect(try dirty.bench.events("event NOT IN ('started', 'failed')") == [])
        // What the message asks for is enough.
        try dirty.bench.query("DELETE FROM d WHERE id = 10999; \(dirty.note)")
        #expect(try dirty.bench.run("retry").status == 0)
        let applied = try dirty.bench.run("apply")
        #expect(applied.status == 0, "\(applied)")
        try dirty.expect("c deleted 11000")
        try dirty.expectWayBack()
    }

    @Test func `fail so where the other key compares by rules of its own`() throws {
        let dirty = try OrphanBench(
            """
            CREATE EXTENSION citext; CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (id citext PRIMARY KEY, p int NOT NULL);
            INSERT INTO c VALUES ('Abc', 9); CREATE TABLE d (c citext CONSTRAINT d_c REFERENCES c); INSERT INTO d VALUES ('aBC')
            """, "p", "c", "d")
        let outcome = try dirty.refuse(Self.key, "foreign-keys=stepwise")
        #expect(outcome.errors.contains("cannot be deleted: rows of 'public.d' refer to it by 'd_c'"), "\(outcome)")
    }

    @Test func `fail so, too, in one transaction`() throws {
        let dirty = try tables("", referenced: [10999, 11500])
        let outcome = try dirty.refuse(Self.key)
        #expect(outcome.errors.contains("d_c"), "\(outcome)")
    }

    @Test(arguments: ["", "ON DELETE RESTRICT"])
    func `do not fail where only rows are referenced that stay`(action: String) throws {
        let stays = try tables(action, referenced: [11500, 12000])
        try stays.clean(Self.key, "foreign-keys=stepwise")
        try stays.expect("c deleted 11000")
        try stays.expectWayBack()
        // A reference that becomes null deletes nothing.
        let nullified = try tables(action, referenced: [10999, 11500], required: "")
        try nullified.clean(Self.key, "foreign-keys=stepwise")
        try nullified.expect("c nullified 11000")
        try nullified.expectWayBack()
    }

    @Test(arguments: ["PRIMARY KEY", ""])
    func `are proved in each batch, and every batch comes back`(constraint: String) throws {
        let dirty = try OrphanBench(
            """
            CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (id int \(constraint), p int NOT NULL, f float8, j jsonb);
            INSERT INTO c SELECT n, 9, '-0', 'null' FROM generate_series(1, 10500) AS n
            """, "p", "c")
        try dirty.clean(Self.key, "foreign-keys=stepwise")
        try dirty.expect(
            "SELECT count(*) >= 3, sum(row_count) FROM migrated.migration_rollback_audit WHERE event = 'orphans_deleted'",
            is: "t|10500")
        try dirty.expectWayBack()
    }
}

/// Keys that wait for a table, and rollbacks on either side of them.
@Suite struct `A rollback around a deferred key` {
    private func widgets(_ directives: String = "orphans=clean orphan-limit=50 missing-table=skip") throws
        -> Workbench
    {
        let bench = try Workbench()
        try bench.write(
            "001_widgets.up.sql",
            """
            -- migrated: \(directives)
            CREATE TABLE widgets (id int PRIMARY KEY, user_id int NOT NULL);
            ALTER TABLE widgets ADD CONSTRAINT widgets_user FOREIGN KEY (user_id) REFERENCES users (id);
            """)
        try bench.write(
            "001_widgets.down.sql", "ALTER TABLE widgets DROP CONSTRAINT widgets_user; DROP TABLE widgets;\n")
        try bench.write("002_users.up.sql", "CREATE TABLE users (id int PRIMARY KEY); INSERT INTO users VALUES (1);\n")
        try bench.write("002_users.down.sql", "DROP TABLE users;\n")
        return bench
    }

    private func keys(_ bench: Workbench) throws -> String {
        try bench.query(
            "SELECT string_agg(conname || ' ' || convalidated, ', ' ORDER BY conname) FROM pg_constraint WHERE contype = 'f' AND connamespace = 'public'::regnamespace"
        )
    }

    @Test(arguments: [
        "ALTER TABLE widgets DROP CONSTRAINT widgets_user; DROP TABLE widgets;",
        "ALTER TABLE public.widgets DROP CONSTRAINT \"widgets_user\" CASCADE; DROP TABLE widgets;",
        "ALTER TABLE widgets DROP CONSTRAINT widgets_user, ADD COLUMN gone int; DROP TABLE widgets;",
        "ALTER TABLE widgets DROP CONSTRAINT IF EXISTS widgets_user; DROP TABLE widgets;",
        "BEGIN; ALTER TABLE widgets DROP CONSTRAINT widgets_user; DROP TABLE widgets; COMMIT;",
    ])
    func `that is still deferred passes over its DROP CONSTRAINT`(down: String) throws {
        let bench = try widgets()
        try bench.folder.remove("m/002_users.up.sql")
        try bench.folder.remove("m/002_users.down.sql")
        try bench.write("001_widgets.down.sql", down)
        #expect(try bench.run("apply").status == 0)
        #expect(try bench.events("event = 'deferred'") == ["deferred 001_widgets missing_table"])
        let undone = try bench.run("rollback", "--last", "1")
        #expect(undone.status == 0, "\(undone)")
        let gone = try bench.query("SELECT to_regclass('widgets') IS NULL")
        #expect(gone == "t")
        if !down.contains("IF EXISTS") {
            #expect(
                try bench.events("event = 'skipped' AND direction = 'down'") == ["skipped 001_widgets still_deferred"])
        }
        // It waits for nothing any more.
        for way in ["up", "down"] { try bench.folder.remove("m/001_widgets.\(way).sql") }
        try bench.write(
            "003_other.up.sql",
            "CREATE TABLE users (id int PRIMARY KEY); CREATE TABLE widgets (id int PRIMARY KEY, user_id int);")
        let later = try bench.run("apply")
        #expect(later.status == 0, "\(later)")
        #expect(try bench.run("status").output.contains("deferred") == false)
        let added = try bench.events("event = 'constraint_added'")
        #expect(added == [])
        let faults = try bench.faults()
        #expect(faults == "")
    }

    @Test func `that is still deferred is passed over in a file of two sections, too`() throws {
        let bench = try Workbench()
        try bench.write(
            "00001_widgets.sql",
            """
            -- migrated: missing-table=skip
            -- +goose Up
            CREATE TABLE widgets (id int PRIMARY KEY, user_id int);
            ALTER TABLE widgets ADD CONSTRAINT widgets_user FOREIGN KEY (user_id) REFERENCES users (id);
            -- +goose Down
            ALTER TABLE widgets DROP CONSTRAINT widgets_user;
            DROP TABLE widgets;
            """)
        let applied = try bench.run("apply")
        #expect(applied.status == 0, "\(applied)")
        #expect(try bench.events("event = 'deferred'") == ["deferred 00001_widgets missing_table"])
        let undone = try bench.run("rollback", "--last", "1")
        #expect(undone.status == 0, "\(undone)")
        #expect(
            try bench.events("event = 'skipped' AND direction = 'down'") == ["skipped 00001_widgets still_deferred"])
    }

    @Test func `does not pass over the DROP of a constraint that never was`() throws {
        let bench = try widgets()
        try bench.write(
            "001_widgets.down.sql", "ALTER TABLE widgets DROP CONSTRAINT widgets_owner; DROP TABLE widgets;")
        try bench.folder.remove("m/002_users.up.sql")
        try bench.folder.remove("m/002_users.down.sql")
        #expect(try bench.run("apply").status == 0)
        let undone = try bench.run("rollback", "--last", "1")
        #expect(undone.status == 1 && undone.errors.contains("widgets_owner"), "\(undone)")
    }

    @Test(arguments: ["", "index-foreign-keys=yes", "foreign-keys=stepwise"])
    func `that was added later takes it away with its table, and it is added again with that`(more: String) throws {
        let bench = try widgets("orphans=clean orphan-limit=50 missing-table=skip \(more)")
        #expect(try bench.run("apply").status == 0)
        #expect(try keys(bench) == "widgets_user true")
        try bench.query("INSERT INTO widgets VALUES (1, 1)")
        let undone = try bench.run("rollback", "--last", "1")
        #expect(undone.status == 0, "\(undone)")
        #expect(try bench.query("SELECT to_regclass('users') IS NULL AND to_regclass('widgets') IS NOT NULL") == "t")
        #expect(try bench.query("SELECT count(*) FROM widgets") == "1")
        let deferred = try bench.query(
            "SELECT count(*) FROM migrated.migration_rollback_audit WHERE event = 'deferred'")
        #expect(deferred == "2")
        #expect(try bench.run("retry").status == 0)
        let applied = try bench.run("apply")
        #expect(applied.status == 0, "\(applied)")
        #expect(try keys(bench) == "widgets_user true")
        #expect(try bench.query("SELECT count(*) FROM widgets") == "1")
        // Both together, in one go.
        let both = try bench.run("rollback", "--last", "2")
        #expect(both.status == 0, "\(both)")
        #expect(try bench.query("SELECT to_regclass('users') IS NULL AND to_regclass('widgets') IS NULL") == "t")
    }

    @Test func `that was added later brings back what was cleaned for it, when its own file is undone`() throws {
        let bench = try widgets()
        try bench.write("001_widgets.down.sql", "ALTER TABLE widgets DROP CONSTRAINT widgets_user;\n")
        let users = try ["up", "down"].map { try bench.folder.read("m/002_users.\($0).sql") }
        for way in ["up", "down"] { try bench.folder.remove("m/002_users.\(way).sql") }
        #expect(try bench.run("apply").status == 0)
        try bench.query("INSERT INTO widgets VALUES (1, 1), (2, 7)")
        for (way, text) in zip(["up", "down"], users) { try bench.write("002_users.\(way).sql", text) }
        #expect(try bench.run("apply").status == 0)
        #expect(try bench.query("SELECT id FROM widgets") == "1")
        #expect(try keys(bench) == "widgets_user true")
        let undone = try bench.run("rollback", "--last", "2")
        #expect(undone.status == 0, "\(undone)")
        let rows = try bench.query("SELECT id, user_id FROM widgets ORDER BY id")
        #expect(rows == "1|1\n2|7")
    }
}
