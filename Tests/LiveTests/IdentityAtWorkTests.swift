import LiveSupport
import Testing

/// A migration is known by number, name and checksum together: what that means for a database.
@Suite struct IdentityAtWorkTests {
    private func bench() throws -> Workbench {
        let bench = try Workbench()
        try bench.write("0001_acc.sql", "CREATE TABLE acc (bal numeric); INSERT INTO acc VALUES (100);")
        try bench.write("0002_interest.sql", "UPDATE acc SET bal = bal * 1.10;")
        let outcome = try bench.run("apply")
        #expect(outcome.status == 0, "\(outcome)")
        return bench
    }

    private func balance(_ bench: Workbench) throws -> String { try bench.query("SELECT bal FROM acc") }

    // MARK: Another number, another name

    @Test(arguments: ["0003_interest.sql", "0000_interest.sql", "0002_rates.sql", "0010_rates.sql", "2_interest.sql"])
    func `an applied file under another name does not run again, and is known by it from then on`(name: String) throws {
        let bench = try bench()
        try bench.folder.move("m/0002_interest.sql", to: "m/" + name)
        let gate = try bench.run("wait", "--timeout", "5s")
        #expect(gate.status == 0, "\(gate)")
        let renamed = try bench.run("apply")
        #expect(renamed.status == 0, "\(renamed)")
        #expect(try balance(bench) == "110.00")
        // Edited afterwards it is an edited file, and no new one.
        try bench.write(name, "UPDATE acc SET bal = bal * 1.20;")
        let edited = try bench.run("apply")
        #expect(edited.status == 0, "\(edited)")
        #expect(try balance(bench) == "110.00")
        #expect(try bench.has("event = 'drift_detected' AND reason = 'file_changed'"))
        #expect(try bench.faults() == "")
    }

    @Test func `a new name is recorded as an event, and can be rolled back by its down file`() throws {
        let bench = try Workbench()
        try bench.write("1_a.up.sql", "CREATE TABLE a ();")
        try bench.write("1_a.down.sql", "DROP TABLE a;")
        try bench.write("2_b.up.sql", "CREATE TABLE b ();")
        try bench.write("2_b.down.sql", "DROP TABLE b;")
        #expect(try bench.run("apply").status == 0)
        try bench.folder.move("m/2_b.up.sql", to: "m/3_b.up.sql")
        try bench.folder.move("m/2_b.down.sql", to: "m/3_b.down.sql")
        let plan = try bench.run("plan")
        #expect(plan.output.contains("renamed  3_b  (applied as '2_b')"), "\(plan)")
        #expect(try bench.run("apply").status == 0)
        #expect(
            try bench.events("seq > 4") == [
                "drift_detected 3_b file_renamed", "resolved 2_b retired", "resolved 3_b applied",
            ])
        #expect(try bench.run("apply").status == 0)
        #expect(try bench.events().count == 7)
        let back = try bench.run("rollback", "--last", "1")
        #expect(back.status == 0, "\(back)")
        #expect(try bench.has("event = 'rolled_back' AND name = '3_b'"))
        #expect(try bench.query("SELECT to_regclass('a'), to_regclass('b') IS NULL") == "a|t")
        #expect(try bench.faults() == "")
    }

    @Test func `one inserted before files that move up by one is the only one that runs`() throws {
        let bench = try bench()
        try bench.folder.move("m/0002_interest.sql", to: "m/0003_interest.sql")
        try bench.write("0002_fee.sql", "UPDATE acc SET bal = bal - 1;")
        let late = try bench.run("apply")
        #expect(late.status == 1 && late.errors.contains("sorts before"), "\(late)")
        #expect(try balance(bench) == "110.00")
        let outcome = try bench.run("apply", "--late", "apply")
        #expect(outcome.status == 0, "\(outcome)")
        #expect(try balance(bench) == "109.00")
        #expect(try bench.run("apply").status == 0)
        #expect(try balance(bench) == "109.00")
        #expect(try bench.faults() == "")
    }

    @Test func `a name that goes forth and back is recorded each time`() throws {
        let bench = try bench()
        for (from, to) in [("2", "3"), ("3", "2"), ("2", "3")] {
            try bench.folder.move("m/000\(from)_interest.sql", to: "m/000\(to)_interest.sql")
            #expect(try bench.run("apply").status == 0)
            let status = try bench.run("plan", "--output", "json")
            #expect(!status.output.contains("\"renamed\"") && !status.output.contains("\"pending\""), "\(status)")
        }
        #expect(try balance(bench) == "110.00")
        #expect(try bench.faults() == "")
    }

    @Test func `under a policy that stops, a new name waits for somebody who accepts it`() throws {
        let bench = try bench()
        try bench.folder.write("migrated.toml", "on-drift = \"stop\"\n")
        try bench.folder.move("m/0002_interest.sql", to: "m/0003_interest.sql")
        try bench.write("0004_next.sql", "CREATE TABLE next ();")
        let held = try bench.run("apply")
        #expect(held.status == 65 && held.errors.contains("under another name"), "\(held)")
        #expect(try bench.run("wait", "--timeout", "300ms").status == 75)
        let accepted = try bench.run("resolve", "0003", "--applied", "--reason", "goose fix")
        #expect(accepted.status == 0, "\(accepted)")
        let outcome = try bench.run("apply")
        #expect(outcome.status == 0, "\(outcome)")
        #expect(try balance(bench) == "110.00")
        #expect(try bench.query("SELECT to_regclass('next')") == "next")
        #expect(try bench.faults() == "")
    }

    @Test func `a new name with another text waits for a decision: the same`() throws {
        let bench = try bench()
        try bench.folder.move("m/0002_interest.sql", to: "m/0003_interest.sql")
        try bench.write("0003_interest.sql", "-- ten per cent\nUPDATE acc SET bal = bal * 1.10;")
        let held = try bench.run("apply")
        #expect(held.status == 65 && held.errors.contains("0002_interest"), "\(held)")
        #expect(held.errors.contains("migrated resolve 0003 --applied --reason TEXT"), "\(held)")
        #expect(try bench.has("event = 'skipped' AND reason = 'renamed' AND name = '0003_interest'"))
        #expect(try bench.run("resolve", "0003", "--applied", "--reason", "a comment").status == 0)
        let outcome = try bench.run("apply")
        #expect(outcome.status == 0, "\(outcome)")
        #expect(try balance(bench) == "110.00")
        let files = try Program.run(
            Program.built("auditctl"), ["status", "--database", bench.database.conninfo],
            environment: Program.environment)
        #expect(files.output.contains("0002_interest") == false || files.output.contains("retired"), "\(files)")
    }

    @Test func `a new name with another text waits for a decision: a new one`() throws {
        let bench = try bench()
        try bench.folder.move("m/0002_interest.sql", to: "m/0003_interest.sql")
        try bench.write("0003_interest.sql", "UPDATE acc SET bal = bal * 2;")
        #expect(try bench.run("apply").status == 65)
        #expect(try bench.run("retry", "0003", "--reason", "it is another one").status == 0)
        let outcome = try bench.run("apply")
        #expect(outcome.status == 0, "\(outcome)")
        #expect(try balance(bench) == "220.00")
        #expect(try bench.faults() == "")
    }

    // MARK: One number, another migration

    @Test(arguments: [
        ("flat", "2_email.sql", "2_phone.sql"), ("golang-migrate", "2_email.up.sql", "2_phone.up.sql"),
        ("sqlx", "2_email.sql", "2_phone.sql"), ("flyway", "V2__email.sql", "V2__phone.sql"),
        ("diesel", "2_email/up.sql", "2_phone/up.sql"),
    ])
    func `another migration with an applied number is held, and the gate stays closed`(
        layout: String, old: String, new: String
    ) throws {
        let bench = try Workbench()
        try bench.folder.write("migrated.toml", "layout = \"\(layout)\"\n")
        func write(_ path: String, _ text: String) throws {
            if path.contains("/") { try bench.folder.makeDirectory("m/" + String(path.prefix { $0 != "/" })) }
            try bench.write(path, text)
        }
        try write(old.replacing("2_", with: "1_").replacing("email", with: "people"), "CREATE TABLE people ();")
        try write(old, "ALTER TABLE people ADD email text;")
        #expect(try bench.run("apply").status == 0)
        try bench.folder.move("m/" + old.prefix { $0 != "/" }, to: String("old" + old.prefix { $0 != "/" }))
        try write(new, "ALTER TABLE people ADD phone text;")
        let held = try bench.run("apply")
        #expect(held.status == 65, "\(held)")
        #expect(held.errors.contains("has the number of"), "\(held)")
        #expect(held.errors.contains("HINT: Give"), "\(held)")
        #expect(try bench.run("wait", "--timeout", "300ms").status == 75)
        #expect(try bench.run("wait", "--for", "2", "--timeout", "300ms").status == 75)
        let plan = try bench.run("plan")
        #expect(plan.status == 65 && plan.output.contains("held "), "\(plan)")
        #expect(try bench.has("event = 'skipped' AND reason = 'number_reused'"))
        // The operator says that it is the one that was applied.
        let accepted = try bench.run("resolve", "2", "--applied", "--reason", "added by hand")
        #expect(accepted.status == 0, "\(accepted)")
        #expect(try bench.run("apply").status == 0)
        #expect(try bench.run("wait", "--timeout", "5s").status == 0)
        #expect(
            try bench.query(
                "SELECT count(*) FROM pg_attribute WHERE attrelid = 'people'::regclass AND attname = 'phone'") == "0")
        #expect(try bench.faults() == "")
    }

    // MARK: Copies

    @Test func `a copy of an applied file is held, until somebody asks for it`() throws {
        let bench = try bench()
        try bench.write("0003_again.sql", "UPDATE acc SET bal = bal * 1.10;")
        let held = try bench.run("apply")
        #expect(held.status == 65 && held.errors.contains("has the same text as '0002_interest'"), "\(held)")
        #expect(try balance(bench) == "110.00")
        #expect(try bench.run("retry", "0003", "--reason", "the second year").status == 0)
        let outcome = try bench.run("apply")
        #expect(outcome.status == 0, "\(outcome)")
        #expect(try balance(bench) == "121.0000")
        #expect(try bench.run("apply").status == 0)
        #expect(try balance(bench) == "121.0000")
        #expect(try bench.faults() == "")
    }

    @Test func `a copy that only defines something runs where its objects are gone, and fails where they are not`()
        throws
    {
        let bench = try bench()
        try bench.write("0003_note.sql", "ALTER TABLE acc ADD COLUMN note text;")
        #expect(try bench.run("apply").status == 0)
        try bench.write("0004_note.sql", "ALTER TABLE acc ADD COLUMN note text;")
        let failed = try bench.run("apply")
        #expect(failed.status == 1 && failed.errors.contains("already exists"), "\(failed)")
        try bench.query("ALTER TABLE acc DROP COLUMN note")
        #expect(try bench.run("retry").status == 0)
        #expect(try bench.run("apply").status == 0)
        #expect(
            try bench.query(
                "SELECT detail::json ->> 'copy_of' FROM migrated.migration_rollback_audit WHERE event = 'started' AND name = '0004_note' ORDER BY seq LIMIT 1"
            )
                == "0003_note")
        #expect(try bench.faults() == "")
    }

    // MARK: Another directory

    @Test func `nothing of another project's directory runs`() throws {
        let bench = try bench()
        try bench.folder.makeDirectory("other")
        for (name, text) in [
            ("0001_shop", "CREATE TABLE shop ();"), ("0002_cart", "CREATE TABLE cart ();"),
            ("0003_tax", "CREATE TABLE tax ();"),
        ] { try bench.folder.write("other/\(name).sql", text) }
        let other = bench.folder.path("other")
        let outcome = try bench.run("apply", "--directory", other)
        #expect(outcome.status == 65, "\(outcome)")
        #expect(outcome.errors.contains("another project's directory or another database"), "\(outcome)")
        #expect(try bench.query("SELECT to_regclass('tax') IS NULL") == "t")
        #expect(try bench.run("wait", "--directory", other, "--timeout", "300ms").status == 75)
        #expect(
            try bench.events("event = 'skipped' AND reason = 'wrong_directory'") == [
                "skipped 0001_shop wrong_directory"
            ])
        try bench.folder.makeDirectory("nothing")
        let empty = try bench.run("apply", "--directory", bench.folder.path("nothing"))
        #expect(empty.status == 65, "\(empty)")
        #expect(try bench.run("apply").status == 0)
        #expect(try bench.faults() == "")
    }

    // MARK: Squash

    @Test func `a squash is recorded, and a new database runs the one file alone`() throws {
        let bench = try bench()
        try bench.write("0003_more.sql", "CREATE TABLE more (id int PRIMARY KEY);")
        #expect(try bench.run("apply").status == 0)
        for name in ["0001_acc", "0002_interest", "0003_more"] {
            try bench.folder.move("m/\(name).sql", to: "\(name).old")
        }
        let text = "CREATE TABLE acc (bal numeric);\nCREATE TABLE more (id int PRIMARY KEY);\n"
        try bench.write("0003_baseline.sql", text)
        try bench.write("0004_next.sql", "CREATE TABLE next ();")
        let held = try bench.run("apply")
        #expect(held.status == 65 && held.errors.contains("migrated retire"), "\(held)")
        // Of a baseline that creates what is not there nothing is recorded.
        try bench.write("0003_baseline.sql", text + "CREATE TABLE theirs ();")
        let refused = try bench.run(
            "retire", "0001", "0002", "0003", "--replaced-by", "0003_baseline", "--reason", "squash")
        #expect(refused.status == 1, "\(refused)")
        #expect(refused.output.contains("missing  table public.theirs  (0003_baseline makes it)"), "\(refused)")
        // Nor of one that lacks what the old files left.
        try bench.write("0003_baseline.sql", "CREATE TABLE acc (bal numeric);\nCREATE TABLE more (id int);\n")
        let lacking = try bench.run(
            "retire", "0001", "0002", "0003", "--replaced-by", "0003_baseline", "--reason", "squash")
        #expect(
            lacking.status == 1 && lacking.output.contains("beside   constraint public.more.more_pkey"), "\(lacking)")
        #expect(try bench.has("event = 'resolved'") == false)
        try bench.write("0003_baseline.sql", text)
        let retired = try bench.run(
            "retire", "0001", "0002_interest", "3", "--replaced-by", "0003_baseline", "--reason", "squash of release 7")
        #expect(retired.status == 0, "\(retired)")
        #expect(
            try bench.events("event = 'resolved'") == [
                "resolved 0001_acc retired", "resolved 0002_interest retired", "resolved 0003_more retired",
                "resolved 0003_baseline applied",
            ])
        let outcome = try bench.run("apply")
        #expect(outcome.status == 0, "\(outcome)")
        #expect(try bench.query("SELECT to_regclass('next')") == "next")
        #expect(try bench.run("check", "--database", bench.database.conninfo).status == 0)
        let integrity = try Program.run(
            Program.built("auditctl"),
            ["integrity", "--database", bench.database.conninfo, "--directory", bench.directory],
            environment: Program.environment)
        #expect(!integrity.output.contains("missing") && !integrity.output.contains("FAIL  file"), "\(integrity)")
        // A file that comes back is not run a second time.
        try bench.folder.move("0002_interest.old", to: "m/0002_interest.sql")
        let back = try bench.run("apply")
        #expect(back.status == 0, "\(back)")
        #expect(try balance(bench) == "110.00")
        #expect(try bench.faults() == "")

        let fresh = try Workbench()
        try fresh.write("0003_baseline.sql", text)
        #expect(try fresh.run("apply").status == 0)
        #expect(try fresh.events() == ["started 0003_baseline", "applied 0003_baseline"])
    }

    @Test func `a file that is still there cannot be retired, nor one that was never applied`() throws {
        let bench = try bench()
        let there = try bench.run("retire", "0002", "--reason", "x")
        #expect(there.status == 1 && there.errors.contains("still in the directory"), "\(there)")
        let unknown = try bench.run("retire", "0009", "--reason", "x")
        #expect(unknown.status == 64 && unknown.errors.contains("'0009' is not applied"), "\(unknown)")
        #expect(try bench.run("retire", "0002", "--reason", " ").status == 64)
        #expect(try bench.has("event = 'resolved'") == false)
    }

    @Test func `a baseline of Flyway in an environment that is behind is held`() throws {
        let bench = try Workbench()
        for number in 1...3 { try bench.write("V\(number)__v.sql", "CREATE TABLE v\(number) ();") }
        #expect(try bench.run("apply").status == 0)
        for number in 1...3 { try bench.folder.move("m/V\(number)__v.sql", to: "V\(number).old") }
        try bench.write("B5__baseline.sql", (1...5).map { "CREATE TABLE v\($0) ();" }.joined())
        try bench.write("V6__next.sql", "CREATE TABLE v6 ();")
        let held = try bench.run("apply")
        #expect(held.status == 65 && held.errors.contains("it is at version '3'"), "\(held)")
        #expect(try bench.query("SELECT to_regclass('v6') IS NULL") == "t")
        #expect(try bench.run("wait", "--timeout", "300ms").status == 75)
        try bench.query("CREATE TABLE v4 (); CREATE TABLE v5 ()")
        #expect(try bench.run("resolve", "B5__baseline", "--applied", "--reason", "by hand").status == 0)
        let outcome = try bench.run("apply")
        #expect(outcome.status == 0, "\(outcome)")
        #expect(try bench.query("SELECT to_regclass('v6')") == "v6")
        #expect(try bench.faults() == "")
    }

    @Test func `where names are what counts, the files are compared by their names`() throws {
        let bench = try Workbench()
        try bench.folder.write("migrated.toml", "version-by = \"name\"\n")
        try bench.write("1_a.sql", "CREATE TABLE a ();")
        try bench.write("1_b.sql", "CREATE TABLE b ();")
        let outcome = try bench.run("apply")
        #expect(outcome.status == 0, "\(outcome)")
        let integrity = try bench.auditctl("integrity", "--directory", bench.directory)
        #expect(integrity.status == 0 && integrity.output.contains("2 applied files are as they were"), "\(integrity)")
    }
}
