import LiveSupport
import Testing

/// What each tool's own notation asks for, done on a server.
@Suite struct `Layouts at work` {
    /// A file of two statements of which the second fails: without a transaction the first one stays.
    private static let halves = "CREATE TABLE half ();\nSELECT 1 / 0;\n"

    private func exists(_ bench: Workbench, _ name: String) throws -> Bool {
        try bench.query("SELECT pg_catalog.to_regclass('\(name)') IS NOT NULL") == "t"
    }

    private func folder(_ files: [(String, String)]) throws -> Workbench {
        let bench = try Workbench()
        let folders = Set(files.compactMap { file in file.0.firstIndex(of: "/").map { String(file.0[..<$0]) } })
        for name in folders { try bench.folder.makeDirectory("m/" + name) }
        for (path, text) in files { try bench.write(path, text) }
        return bench
    }

    // MARK: Transactions

    private static let whole: [(String, [(String, String)])] = [
        ("goose", [("1_a.sql", "-- +goose Up\n\(halves)")]),
        ("dbmate", [("1_a.sql", "-- migrate:up\n\(halves)-- migrate:down\n")]),
        ("diesel", [("1_a/up.sql", halves)]),
        ("diesel", [("1_a/up.sql", halves), ("1_a/metadata.toml", "run_in_transaction = true\n")]),
        ("sqlx", [("1_a.sql", halves)]),
        ("flyway", [("V1__a.sql", halves)]),
    ]
    private static let cut: [(String, [(String, String)])] = [
        ("goose", [("1_a.sql", "-- +goose NO TRANSACTION\n-- +goose Up\n\(halves)")]),
        ("dbmate", [("1_a.sql", "-- migrate:up transaction:false\n\(halves)-- migrate:down\n")]),
        ("diesel", [("1_a/up.sql", halves), ("1_a/metadata.toml", "run_in_transaction = false\n")]),
        ("diesel", [("1_a/up.sql", halves), ("1_a/metadata.toml", "")]),
        ("sqlx", [("1_a.sql", "-- no-transaction\n\(halves)")]),
        ("flyway", [("V1__a.sql", halves), ("V1__a.sql.conf", "executeInTransaction=false\n")]),
    ]

    @Test(arguments: whole)
    func `a file is one transaction`(layout: String, files: [(String, String)]) throws {
        let bench = try folder(files)
        let outcome = try bench.run("apply", "--layout", layout)
        #expect(outcome.status == 1 && outcome.errors.contains("22012"), "\(outcome)")
        #expect(try !exists(bench, "half"))
    }

    @Test(arguments: cut)
    func `unless it asks for none`(layout: String, files: [(String, String)]) throws {
        let bench = try folder(files)
        let outcome = try bench.run("apply", "--layout", layout)
        #expect(outcome.status == 1 && outcome.errors.contains("22012"), "\(outcome)")
        #expect(try exists(bench, "half"))
        #expect(try bench.events("event = 'statement_applied'").count == 1)
    }

    // MARK: Text

    @Test func `goose's statements may hold semicolons, and both directions are in one file`() throws {
        let bench = try folder([
            (
                "1_a.sql",
                """
                -- +goose Up
                CREATE TABLE t (n int);
                -- +goose StatementBegin
                CREATE FUNCTION more() RETURNS int AS $$
                BEGIN
                    INSERT INTO t VALUES (1); RETURN (SELECT count(*) FROM t);
                END;
                $$ LANGUAGE plpgsql
                -- +goose StatementEnd
                SELECT more();
                -- +goose Down
                DROP FUNCTION more();
                DROP TABLE t;
                """
            ),
            (
                "2_b.sql",
                "-- +goose NO TRANSACTION\n-- +goose Up\nCREATE INDEX CONCURRENTLY i ON t (n);\n-- +goose Down\nDROP INDEX CONCURRENTLY i;"
            ),
        ])
        #expect(try bench.run("apply").status == 0)
        #expect(try bench.query("SELECT count(*) FROM t") == "1")
        #expect(try exists(bench, "i"))
        let undone = try bench.run("rollback", "--last", "2")
        #expect(undone.status == 0, "\(undone)")
        #expect(try !exists(bench, "t") && !exists(bench, "i"))
        #expect(try bench.faults() == "")
    }

    @Test(arguments: [
        ("1_a.sql", "-- +goose Up\n-- +goose ENVSUB ON\nCREATE TABLE ${NAME} ();\n", "environment variables", ":2:"),
        ("V1__a.sql", "SELECT 1;\nCREATE TABLE ${name} ();\n", "placeholder", ":2:14:"),
        ("1_a.sql", "-- migrate:up env:NAME\nCREATE TABLE t ();\n-- migrate:down\n", "no option", ":1:"),
    ])
    func `text that the tool would change is refused with its place`(
        path: String, text: String, word: String, place: String
    ) throws {
        let bench = try folder([(path, text)])
        let outcome = try bench.run("apply")
        #expect(outcome.status == 65, "\(outcome)")
        #expect(outcome.errors.contains(word) && outcome.errors.contains(path + place), "\(outcome)")
        #expect(try bench.events("event = 'started'") == [])
    }

    @Test func `an empty pair of golang-migrate's does nothing where a later file is written`() throws {
        let bench = try folder([
            ("1_a.up.sql", "CREATE TABLE a ();"), ("2_b.up.sql", ""), ("2_b.down.sql", ""),
            ("3_c.up.sql", "CREATE TABLE c ();"), ("3_c.down.sql", "DROP TABLE c;"),
        ])
        let outcome = try bench.run("apply")
        #expect(outcome.status == 0, "\(outcome)")
        #expect(try bench.events("event = 'applied'") == ["applied 1_a", "applied 2_b", "applied 3_c"])
        #expect(try bench.events("detail::json->>'note' = 'nothing to do'") == ["applied 2_b"])
        let undone = try bench.run("rollback", "--to", "1_a")
        #expect(undone.status == 0, "\(undone)")
        #expect(try bench.faults() == "")
    }

    @Test(arguments: [
        // One that is about to be written, and two that broke off.
        [("1_a.up.sql", "CREATE TABLE a ();"), ("2_b.up.sql", ""), ("2_b.down.sql", "")],
        [("2_b.up.sql", ""), ("2_b.down.sql", "SELECT 1;"), ("3_c.up.sql", "CREATE TABLE a ();")],
        [("2_b.up.sql", "\n"), ("2_b.down.sql", ""), ("3_c.up.sql", "CREATE TABLE a ();")],
    ])
    func `any other empty file is refused with the way out`(files: [(String, String)]) throws {
        let bench = try folder(files)
        let refused = try bench.run("apply")
        #expect(refused.status == 65 && refused.errors.contains("2_b.up.sql:1:1: the file is empty"), "\(refused)")
        #expect(refused.errors.contains("write '-- nothing' or 'SELECT 1;' in it"), "\(refused)")
        #expect(try bench.events("event = 'started'") == [])
        try bench.write("2_b.up.sql", "-- nothing\n")
        let outcome = try bench.run("apply")
        #expect(outcome.status == 0, "\(outcome)")
        #expect(try exists(bench, "a"))
    }

    // MARK: Orders

    @Test func `flyway's baseline stands for what it sums up, and what is repeatable runs again`() throws {
        let bench = try folder([
            ("V1__a.sql", "CREATE TABLE never ();"), ("V1_1__b.sql", "CREATE TABLE neither ();"),
            ("B1.1__base.sql", "CREATE TABLE base ();"), ("V1.10__d.sql", "CREATE TABLE d AS SELECT * FROM c;"),
            ("V1.9__c.sql", "CREATE TABLE c ();"), ("U1.10__d.sql", "DROP TABLE d;"),
            ("R__count.sql", "CREATE OR REPLACE VIEW v AS SELECT 1 AS n;"),
        ])
        #expect(try bench.run("apply").status == 0)
        let applied = try bench.events("event = 'applied'")
        #expect(
            applied == [
                "applied B1.1__base", "applied V1.9__c", "applied V1.10__d", "applied R__count repeatable",
            ])
        #expect(try exists(bench, "base") && !exists(bench, "never") && !exists(bench, "neither"))
        try bench.write("R__count.sql", "CREATE OR REPLACE VIEW v AS SELECT 2 AS n;")
        #expect(try bench.run("apply").status == 0)
        #expect(try bench.query("SELECT n FROM v") == "2")
        #expect(try bench.run("rollback", "--last", "1").status == 0)
        #expect(try !exists(bench, "d") && exists(bench, "c"))
        #expect(try bench.faults() == "")
    }

    @Test func `folders of Drizzle 1_0 run by name and are split at their breakpoints`() throws {
        let bench = try folder([
            (
                "20260102000000_b/migration.sql",
                "CREATE TABLE b AS SELECT * FROM a;\n--> statement-breakpoint\nCREATE TABLE c ()"
            ), ("20260102000000_b/snapshot.json", "{}"),
            (
                "20260101000000_a/migration.sql",
                "CREATE TABLE a ()--> statement-breakpoint\nINSERT INTO a DEFAULT VALUES"
            ),
            ("20260101000000_a/snapshot.json", "{}"),
        ])
        let outcome = try bench.run("apply")
        #expect(outcome.status == 0, "\(outcome)")
        #expect(try bench.events("event = 'applied'") == ["applied 20260101000000_a", "applied 20260102000000_b"])
        #expect(try bench.query("SELECT count(*) FROM b") == "1")
    }

    @Test(arguments: [
        ("prisma", "migration_lock.toml", "provider = \"postgresql\""),
        ("drizzle", "20250513022650_a/snapshot.json", "{}"),
    ])
    func `an order in doubt is the current tool's, is recorded with its pair, and can be pinned`(
        layout: String, file: String, text: String
    ) throws {
        for (pin, order) in [
            ("", ["20250513_b", "20250513022650_a"]), ("current", ["20250513_b", "20250513022650_a"]),
            ("bytes", ["20250513022650_a", "20250513_b"]),
        ] {
            let bench = try folder([
                ("20250513_b/migration.sql", "CREATE TABLE b ();"),
                ("20250513022650_a/migration.sql", "CREATE TABLE a ();"), (file, text),
            ])
            if !pin.isEmpty { try bench.folder.write("migrated.toml", "order = \"\(pin)\"\n") }
            let outcome = try bench.run("apply", "--layout", layout)
            #expect(outcome.status == 0, "\(outcome)")
            #expect(try bench.events("event = 'applied'") == order.map { "applied \($0)" })
            let told = try bench.query(
                "SELECT message FROM migrated.migration_rollback_audit WHERE reason = 'ambiguous_order'")
            #expect(
                told
                    == (pin.isEmpty
                        ? "'20250513_b' runs before '20250513022650_a', but by the bytes of their names it is the other way round"
                        : ""))
            // Once, not at every run.
            #expect(try bench.run("apply").status == 0)
            #expect(try bench.events("reason = 'ambiguous_order'").count == (pin.isEmpty ? 1 : 0))
        }
    }

    @Test func `an up file among files of layout flat stops the run, and sqlx runs both`() throws {
        let bench = try folder([
            ("1_a.sql", "CREATE TABLE a ();"), ("2_b.up.sql", "CREATE TABLE b ();"), ("2_b.down.sql", "DROP TABLE b;"),
            ("3_c.sql", "CREATE TABLE c AS SELECT FROM b;"),
        ])
        let refused = try bench.run("apply", "--layout", "flat")
        #expect(refused.status == 65 && refused.errors.contains("'2_b.up.sql' is not run"), "\(refused)")
        #expect(refused.errors.contains("layout = \"sqlx\""), "\(refused)")
        #expect(try bench.events("event = 'started'") == [])
        let outcome = try bench.run("apply", "--layout", "sqlx")
        #expect(outcome.status == 0, "\(outcome)")
        #expect(try exists(bench, "c"))
    }

    @Test func `a setting of diesel's that is not known is recorded, and the file runs`() throws {
        let bench = try folder([
            ("1_a/up.sql", "CREATE TABLE a ();"), ("1_a/metadata.toml", "run_in_transaction = true\nspeed = 3\n"),
            ("1_a/down.sql", "DROP TABLE a;"),
        ])
        #expect(try bench.run("apply").status == 0)
        #expect(try bench.events("reason = 'unknown_setting'").count == 1)
        #expect(try bench.run("rollback", "--last", "1").status == 0)
        #expect(try !exists(bench, "a"))
    }

    @Test func `a journal that is no JSON is refused with its place`() throws {
        let bench = try folder([("0_a.sql", "SELECT 1;"), ("meta/_journal.json", "{\"entries\": [\n  oops")])
        let outcome = try bench.run("apply")
        #expect(outcome.status == 65 && outcome.errors.contains("meta/_journal.json:2:3:"), "\(outcome)")
    }
}
