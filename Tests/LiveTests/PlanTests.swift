import JSON
import LiveSupport
import Testing

/// `migrated plan`: files, segments, locks and what will be passed over.
@Suite struct `The plan` {
    private func json(_ outcome: Program.Outcome) throws -> JSONValue {
        let tape = try JSONTape(outcome.outputBytes)
        return tape.value(tape.root)
    }

    @Test func `tells which objects stand already, and writes nothing`() throws {
        let bench = try Workbench()
        try bench.query("CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int)")
        try bench.write(
            "001_a.sql",
            """
            -- migrated: existing=skip-identical
            CREATE TABLE a (id int PRIMARY KEY);
            CREATE TABLE c ();
            ALTER TABLE b ADD COLUMN id int;
            """)
        try bench.write("002_b.sql", "-- migrated: existing=skip\nCREATE TABLE b (other text);\n")
        try bench.write("003_c.sql", "CREATE TABLE a ();\n")
        let plan = try bench.run("plan")
        #expect(plan.status == 0, "\(plan)")
        #expect(
            plan.output.hasPrefix(
                """
                pending  001_a
                           locks ACCESS EXCLUSIVE on 'b'
                           skips table 'public.a', line 2: it exists, if it is the same
                           skips column 'public.b.id', line 4: it exists, if it is the same
                pending  002_b
                           skips table 'public.b', line 2: it exists, whatever it is
                pending  003_c

                """), "\(plan)")
        let skips = try #require(try json(bench.run("plan", "-o", "json"))["migrations"]?.array?.first?["skips"]?.array)
        #expect(skips.map { $0["object"]?.string } == ["public.a", "public.b.id"])
        #expect(skips[1]["line"] == 4 && skips[1]["compared"] == true && skips[1]["reason"] == "object_exists")
        #expect(try bench.query("SELECT pg_catalog.to_regnamespace('migrated') IS NULL") == "t")
    }

    @Test func `has every file with its reason, its segments, and what the directory leaves out`() throws {
        let bench = try Workbench()
        try bench.write("001_a.up.sql", "CREATE TABLE a (id int);")
        try bench.write("001_a.down.sql", "DROP TABLE a;")
        try bench.write("003_c.up.sql", "CREATE TABLE c ();")
        try bench.write("005_gone.up.sql", "CREATE TABLE gone ();")
        #expect(try bench.run("apply").status == 0)
        try bench.folder.remove("m/005_gone.up.sql")
        try bench.write("002_b.up.sql", "CREATE TABLE b ();")
        try bench.write("004_d.up.sql", "CREATE TABLE d ();\nCREATE INDEX CONCURRENTLY i ON a (id);")
        try bench.write("notes.sql", "SELECT 1;")
        let outcome = try bench.run("plan", "-o", "json", "--late", "apply")
        let plan = try json(outcome)
        #expect(outcome.status == 0, "\(outcome)")
        #expect(plan["layout"] == "golang-migrate" && plan["directory"]?.string == bench.directory)
        #expect(plan["missing"] == ["005_gone"])
        #expect(plan["findings"]?.array?.map { $0["reason"]?.string } == ["unknown_file"])
        let files = try #require(plan["migrations"]?.array)
        #expect(files.map { $0["state"]?.string } == ["applied", "pending", "applied", "pending"])
        #expect(files[0]["down"] == "001_a.down.sql" && files[1]["late_before"] == "003")
        #expect(files[3]["segments"]?.array?.map { $0["kind"]?.string } == ["transaction", "alone"])
        #expect(
            files[3]["segments"]?.array?.last?["locks"]?.array?.first == [
                "mode": "SHARE UPDATE EXCLUSIVE", "relation": "a", "work": "scan",
            ])
        let stopped = try json(bench.run("plan", "-o", "json"))
        #expect(stopped["migrations"]?.array?[1]["reason"] == "out_of_order", "\(stopped)")
        let table = try bench.run("plan").output
        #expect(table.contains("missing  005_gone  (applied, and its file is not there)\n"), "\(table)")
        #expect(table.contains("told     notes.sql  (unknown_file: "), "\(table)")
    }
}
