import JSON
import LiveSupport
import Testing

@Suite struct `The verbs that change nothing` {
    private func bench() throws -> Workbench {
        let bench = try Workbench()
        try bench.write("001_a.sql", "CREATE TABLE a ();")
        try bench.write("002_b.sql", "CREATE TABLE b ();\nCREATE INDEX CONCURRENTLY ON b ((1));\n")
        return bench
    }

    private let objects =
        "SELECT count(*) FROM pg_namespace WHERE nspname !~ '^pg_|^information_schema$' UNION ALL SELECT count(*) FROM pg_class WHERE oid >= 16384"

    @Test func `leave an empty database empty`() throws {
        let bench = try bench()
        let before = try bench.query(objects)
        let plan = try bench.run("plan")
        #expect(plan.status == 0, "\(plan)")
        #expect(
            plan.output == """
                pending  001_a
                pending  002_b
                           1/2 one transaction, line 1, 1 statement(s)
                           2/2 outside of a transaction, line 2, 1 statement(s)
                applied 0, pending 2, failed 0

                """)
        let dry = try bench.run("apply", "--dry-run")
        #expect(dry.status == 0 && dry.output == plan.output, "\(dry)")
        #expect(try bench.run("check").status == 0)
        let wait = try bench.run("wait", "--timeout", "300ms")
        #expect(wait.status == 75, "\(wait)")
        #expect(
            wait.errors.contains("not applied within 300ms: waiting for 2 migration(s), the next is '001_a'"), "\(wait)"
        )
        #expect(try bench.query(objects) == before)
    }

    @Test func `leave a history as it is`() throws {
        let bench = try bench()
        #expect(try bench.run("apply", "--to", "001").status == 0)
        let head = try bench.query("SELECT seq, hash FROM migrated.audit_head")
        let plan = try bench.run("plan")
        #expect(plan.status == 0 && plan.output.hasPrefix("applied  001_a\npending  002_b\n"), "\(plan)")
        let apply = try bench.run("apply", "--dry-run", "--to", "001")
        #expect(apply.status == 0 && apply.output.contains("beyond   002_b"), "\(apply)")
        #expect(try bench.query("SELECT seq, hash FROM migrated.audit_head") == head)
        let unknown = try bench.run("plan", "--to", "077")
        #expect(unknown.status == 64 && unknown.errors.contains("'077'"), "\(unknown)")
    }

    @Test func `name the locks that a pending file takes`() throws {
        let bench = try bench()
        try bench.write(
            "003_c.sql", "ALTER TABLE a ADD x int; CREATE INDEX ON a (x); CREATE TABLE c (); DROP TABLE c; SELECT 1;")
        let plan = try bench.run("plan")
        #expect(plan.output.contains("pending  003_c\n           locks ACCESS EXCLUSIVE on 'a' (scan)\n"), "\(plan)")
        let json = try bench.run("plan", "-o", "json")
        #expect(
            json.output.contains(#""locks":[{"mode":"ACCESS EXCLUSIVE","relation":"a","work":"scan"}]"#), "\(json)")
    }

    @Test func `find without a database what will go wrong`() throws {
        let bench = try bench()
        try bench.write("003_c.sql", "CREATE TABLE a ();\nDROP TABLE b;")
        let check = try bench.run("check")
        #expect(check.status == 1 && check.errors.isEmpty, "\(check)")
        #expect(
            check.output.hasPrefix(
                "003_c.sql:1:14: error M010 table 'a' is created twice: first by '001_a.sql:1:14'\n"),
            "\(check)")
        #expect(try bench.run("check", "--fail-on", "never").status == 0)
        let one = try bench.run("check", "\(bench.directory)/001_a.sql", "--fail-on", "warning")
        #expect(one.status == 0 && one.output == "layout flat, 3 migrations, 0 errors, 0 warnings, 0 notes\n", "\(one)")
        let unknown = try bench.run("check", "elsewhere.sql")
        #expect(unknown.status == 64 && unknown.errors.contains("'elsewhere.sql'"), "\(unknown)")
        let sarif = try bench.run("check", "--output", "sarif")
        #expect(sarif.status == 1 && sarif.output.contains(#""version":"2.1.0""#), "\(sarif)")
    }

    @Test func `and those that do speak JSON that parses`() throws {
        let bench = try bench()
        try bench.write("003_bad.sql", "SELECT 1 / 0;")
        func json(_ outcome: Program.Outcome) throws -> JSONValue {
            let tape = try JSONTape(outcome.outputBytes)
            return tape.value(tape.root)
        }
        let plan = try bench.run("plan", "-o", "json")
        #expect(plan.status == 0 && plan.errors.isEmpty, "\(plan)")
        #expect(
            try json(plan)["migrations"]?.array?.compactMap { $0["state"]?.string } == [
                "pending", "pending", "pending",
            ])
        let check = try bench.run("check", "--output", "json")
        #expect(try json(check)["migrations"]?.integer == 3, "\(check)")
        let apply = try bench.run("apply", "--output", "json")
        #expect(apply.status == 1, "\(apply)")
        #expect(!apply.output.isEmpty, "\(apply)")
        let result = try json(apply)
        #expect(result["applied"]?.array?.compactMap(\.string) == ["001_a", "002_b"])
        let complaint = result["complaints"]?.array?.first
        #expect(
            complaint?["sqlstate"]?.string == "22012" && complaint?["line"]?.integer == 1
                && complaint?["status"]?.integer == 1)
    }
}

@Suite struct `The gate` {
    @Test func `opens when a daemon has applied what lies there`() throws {
        let bench = try Workbench()
        try bench.write("001_a.sql", "CREATE TABLE a ();")
        try bench.write("002_b.sql", "CREATE TABLE b ();")
        let gate = try bench.start("wait", "--timeout", "2min")
        let named = try bench.start("wait", "--for", "003", "--timeout", "2min")
        try eventually("words of waiting") {
            gate.outputSoFar.contains("waiting for 2 migration(s)") && !named.outputSoFar.isEmpty
        }
        let daemon = try bench.start("run")
        let outcome = try gate.outcome()
        #expect(outcome.status == 0, "\(outcome)")
        #expect(try bench.query("SELECT to_regclass('b')") == "b")
        #expect(named.isRunning)
        try bench.write("003_c.sql", "CREATE TABLE c ();")
        #expect(try named.wait() == .exited(0))
        for version in ["3", "003", "003_c"] {
            #expect(try bench.run("wait", "--for", version, "--timeout", "1min").status == 0)
        }
        try bench.stop(daemon)
    }

    @Test func `stays closed while a file fails, and opens once it is mended`() throws {
        let bench = try Workbench()
        try bench.write("001_a.sql", "SELECT 1 / 0;")
        #expect(try bench.run("apply").status == 1)
        let gate = try bench.run("wait", "--timeout", "200ms")
        #expect(gate.status == 75, "\(gate)")
        try bench.write("001_a.sql", "SELECT 1;")
        #expect(try bench.run("apply").status == 0)
        #expect(try bench.run("wait", "--timeout", "1min").status == 0)
    }

    @Test func `waits for a database that is not there yet, and ends on a signal`() throws {
        let bench = try Workbench()
        try bench.write("001_a.sql", "SELECT 1;")
        let gate = try bench.start("wait", "--database", "host=/nonexistent dbname=x user=y")
        try eventually("word of it") { !gate.outputSoFar.isEmpty }
        #expect(gate.isRunning)
        gate.signal(15)
        let outcome = try gate.outcome()
        #expect(outcome.status == 75, "\(outcome)")
    }

    @Test func `refuses what is no time`() throws {
        let outcome = try Workbench().run("wait", "--timeout", "soon")
        #expect(outcome.status == 64 && outcome.errors.contains("--timeout 'soon' is no time span"), "\(outcome)")
    }
}
