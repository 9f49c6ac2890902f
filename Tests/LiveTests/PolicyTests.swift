import LiveSupport
import Testing

@Suite struct `What files and operators decide` {
    @Test func `a late file holds up the line or runs, as the policy says, and is told either way`() throws {
        let bench = try Workbench()
        try bench.write("001_a.sql", "SELECT 1;")
        try bench.write("003_c.sql", "SELECT 3;")
        #expect(try bench.run("apply").status == 0)
        try bench.write("002_b.sql", "SELECT 2;")
        try bench.write("004_d.sql", "SELECT 4;")
        let stopped = try bench.run("apply")
        #expect(
            stopped.status == 1 && stopped.errors.contains("'002_b'") && stopped.errors.contains("HINT: "), "\(stopped)"
        )
        #expect(
            try bench.events("event = 'skipped'") == ["skipped 002_b out_of_order", "skipped 004_d blocked_by_failure"])
        #expect(try bench.run("apply").status == 1)
        #expect(try bench.events("event = 'skipped'").count == 2)
        #expect(try bench.run("apply", "--late", "apply").status == 0)
        #expect(
            try bench.query(
                "SELECT detail::json ->> 'late_before' FROM migrated.migration_rollback_audit WHERE event = 'started' AND version = '002'"
            )
                == "003")
        #expect(
            try bench.events("event = 'applied'") == [
                "applied 001_a", "applied 003_c", "applied 002_b", "applied 004_d",
            ])
        #expect(try bench.faults() == "")
    }

    @Test(arguments: ["stop", "report"])
    func `an applied file that was edited, removed or renumbered is told once, and the line goes on or stops`(
        policy: String
    ) throws {
        let bench = try Workbench()
        try bench.folder.write("migrated.toml", "on-drift = \"\(policy)\"\n")
        for name in ["001_a", "002_b", "003_c"] { try bench.write(name + ".sql", "SELECT '\(name)';") }
        #expect(try bench.run("apply").status == 0)
        try bench.write("001_a.sql", "SELECT 'edited';")
        try bench.write("004_d.sql", "SELECT 4;")
        for _ in 1...2 {
            let outcome = try bench.run("apply")
            if policy == "stop" {
                #expect(
                    outcome.status == 1 && outcome.errors.contains("001_a") && outcome.errors.contains("HINT: "),
                    "\(outcome)")
            } else {
                #expect(outcome.status == 0, "\(outcome)")
            }
        }
        #expect(try bench.events("event = 'drift_detected'") == ["drift_detected 001_a file_changed"])
        #expect(try bench.events("event = 'applied'").contains("applied 004_d") == (policy == "report"))
        // Accepted or put back, the line goes on.
        if policy == "stop" {
            let accepted = try bench.run("resolve", "001", "--applied", "--reason", "a word was misspelled")
            #expect(accepted.status == 0, "\(accepted)")
        } else {
            try bench.write("001_a.sql", "SELECT '001_a';")
        }
        #expect(try bench.run("apply").status == 0)
        #expect(try bench.events("event = 'applied'").last == "applied 004_d")
        // Another number is another name of the same file, and does not run again.
        try bench.folder.move("m/002_b.sql", to: "m/007_b.sql")
        try bench.folder.remove("m/003_c.sql")
        _ = try bench.run("apply")
        _ = try bench.run("apply")
        #expect(
            try bench.events("event = 'drift_detected'") == [
                "drift_detected 001_a file_changed", "drift_detected 007_b file_renamed",
                "drift_detected 003_c file_missing",
            ])
        #expect(try bench.faults() == "")
    }

    @Test func `what is required is waited for, and what is repeatable runs again behind the others`() throws {
        let bench = try Workbench()
        try bench.write("001_a.sql", "-- migrated: on-failure=continue\nSELECT 1 / 0;")
        try bench.write("002_b.sql", "-- migrated: requires=001 on-failure=continue\nSELECT 2;")
        try bench.write("000_view.sql", "-- migrated: repeatable\nCREATE OR REPLACE VIEW v AS SELECT 1 AS n;")
        try bench.write("003_c.sql", "SELECT 3;")
        let first = try bench.run("apply")
        #expect(first.status == 1, "\(first)")
        #expect(
            try bench.events("event IN ('applied', 'skipped')") == [
                "skipped 002_b unmet_requirement", "applied 003_c", "applied 000_view repeatable",
            ])
        try bench.write("001_a.sql", "SELECT 1;")
        try bench.write("000_view.sql", "-- migrated: repeatable\nCREATE OR REPLACE VIEW v AS SELECT 2 AS n;")
        #expect(try bench.run("apply", "--late", "apply").status == 0)
        #expect(try bench.query("SELECT n FROM v") == "2")
        #expect(try bench.run("apply").status == 0)
        #expect(
            try bench.events("event = 'applied'") == [
                "applied 003_c", "applied 000_view repeatable", "applied 001_a", "applied 002_b",
                "applied 000_view repeatable",
            ])
        #expect(try bench.query("SELECT count(*) FROM migrated.migration_status WHERE status <> 'applied'") == "0")
    }

    @Test func `a rollback without a down file is refused before anything runs, unless it is told to`() throws {
        let bench = try Workbench()
        try bench.write("1_a.up.sql", "CREATE TABLE a ();")
        try bench.write("1_a.down.sql", "DROP TABLE a;")
        try bench.write("2_b.up.sql", "CREATE TABLE b ();")
        try bench.write("3_c.up.sql", "CREATE TABLE c ();")
        try bench.write("3_c.down.sql", "DROP TABLE c;")
        #expect(try bench.run("apply").status == 0)
        let count = try bench.query("SELECT count(*) FROM migrated.migration_rollback_audit")
        let refused = try bench.run("rollback", "--to", "1")
        #expect(
            refused.status == 65 && refused.errors.contains("'2_b' has no down file, nothing was rolled back"),
            "\(refused)")
        #expect(
            refused.errors.contains("HINT: ") && refused.errors.contains("--record-without-down-file"), "\(refused)")
        for wrong in [["--to", "9"], ["--last", "0"], [], ["--to", "1", "--last", "1"]] {
            let outcome = try Program.run(Program.built("migrated"), bench.arguments("rollback", wrong))
            #expect(outcome.status == 64 && outcome.errors.contains("HINT: "), "\(wrong) \(outcome)")
        }
        #expect(try bench.query("SELECT count(*) FROM migrated.migration_rollback_audit") == count)
        let last = try bench.run("rollback", "--last", "1")
        #expect(last.status == 0 && last.output == "rolled back 1 migration(s)\n", "\(last)")
        let told = try bench.run("rollback", "--to", "1", "--record-without-down-file")
        #expect(told.status == 0, "\(told)")
        #expect(
            try bench.events("direction = 'down'") == [
                "started 3_c", "rolled_back 3_c", "rolled_back 2_b no_down_file",
            ])
        #expect(try bench.query("SELECT to_regclass('b'), to_regclass('c')") == "b|")
        #expect(
            try bench.query(
                "SELECT count(*) FROM migrated.migration_rollback_audit WHERE direction = 'down' AND initiated_by IS NULL"
            ) == "0")
        #expect(try bench.faults() == "")
    }

    @Test func `a decision says who and why, and one without a reason is none`() throws {
        let bench = try Workbench()
        try bench.write("001_a.sql", "SELECT 1 / 0;")
        #expect(try bench.run("apply").status == 1)
        for wrong in [
            ["001", "--applied"], ["001", "--applied", "--reason", " "], ["001", "--reason", "x"],
            ["001", "--applied", "--rolled-back", "--reason", "x"], ["--applied", "--reason", "x"],
            ["9", "--applied", "--reason", "x"],
        ] {
            let outcome = try Program.run(Program.built("migrated"), bench.arguments("resolve", wrong))
            #expect(outcome.status == 64, "\(wrong) \(outcome)")
        }
        let unknown = try bench.run("retry", "9")
        #expect(unknown.status == 64 && unknown.errors.contains("'9'"), "\(unknown)")
        #expect(try bench.events("event = 'resolved'") == [])
        #expect(try bench.run("retry", "001").status == 0)
        #expect(try bench.run("apply").status == 1)
        #expect(try bench.run("resolve", "001", "--applied", "--reason", "made by hand, ticket 7").status == 0)
        let again = try bench.run("resolve", "001", "--applied", "--reason", "again")
        #expect(again.status == 1 && again.errors.contains("'001' is applied already"), "\(again)")
        let none = try bench.run("retry", "001")
        #expect(none.status == 1 && none.errors.contains("does not wait for a retry"), "\(none)")
        #expect(
            try bench.query(
                "SELECT reason, message, initiated_by <> '', host <> '', pid > 0, direction FROM migrated.migration_rollback_audit WHERE event = 'resolved' ORDER BY seq"
            ) == "retry||t|t|t|up\napplied|made by hand, ticket 7|t|t|t|up")
        #expect(try bench.run("apply").status == 0)
        #expect(try bench.faults() == "")
    }

    @Test func `a directory with the name of a file is told, and the files beside it run`() throws {
        let bench = try Workbench()
        try bench.write("001_a.sql", "SELECT 1;")
        try bench.folder.makeDirectory("m/002_b.sql")
        try bench.write("003_c.sql", "SELECT 3;")
        let outcome = try bench.run("apply")
        #expect(outcome.errors.contains("002_b.sql"), "\(outcome)")
        let again = try bench.run("apply")
        #expect(again.status == outcome.status, "\(again)")
        #expect(try bench.events("name LIKE '%002_b%'").count == 1)
        #expect(try bench.faults() == "")
    }
}
