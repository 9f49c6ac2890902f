import LiveSupport
import Testing

@Suite struct `A file that is not one transaction` {
    @Test func `goes on behind what is committed when its later part is mended`() throws {
        let bench = try Workbench()
        let head = """
            CREATE TABLE counter (file text);
            INSERT INTO counter VALUES ('a');
            CREATE INDEX CONCURRENTLY counter_file ON counter (file);

            """
        try bench.write(
            "001_mixed.sql", head + "INSERT INTO counter VALUES ('b');\nINSERT INTO counter VALUES (nowhere);\n")
        let first = try bench.run("apply")
        #expect(first.status == 1, "\(first)")
        #expect(first.errors.contains("001_mixed.sql:5:29: column \"nowhere\" does not exist"), "\(first)")
        try bench.write("001_mixed.sql", head + "INSERT INTO counter VALUES ('c');\n")
        let second = try bench.run("apply")
        #expect(second.status == 0, "\(second)")
        #expect(try bench.query("SELECT file FROM counter ORDER BY 1") == "a\nc")
        #expect(
            try bench.events() == [
                "started 001_mixed", "statement_applied 001_mixed", "statement_applied 001_mixed",
                "failed 001_mixed sql_error", "started 001_mixed", "applied 001_mixed",
            ])
        #expect(
            try bench.query(
                "SELECT detail::json->>'resumed_at_segment' FROM migrated.migration_rollback_audit WHERE event = 'started'"
            ) == "\n3")
        #expect(try bench.faults() == "")
    }

    @Test func `goes on in the schema and as the role that its earlier part had set`() throws {
        let bench = try Workbench()
        let role = "mover_\(bench.database.name)"
        try bench.query("CREATE ROLE \(role); CREATE SCHEMA app AUTHORIZATION \(role)")
        let head = """
            SET ROLE \(role);
            SELECT pg_catalog.set_config('search_path', 'app', false);
            SET LOCAL work_mem = '1MB';
            CREATE TABLE a (n int);
            CREATE INDEX CONCURRENTLY a_n ON a (n);

            """
        try bench.write("001_mixed.sql", head + "SELECT 1 / 0;\n")
        #expect(try bench.run("apply").status == 1)
        try bench.write("001_mixed.sql", head + "CREATE TABLE b AS SELECT current_setting('work_mem') AS memory;\n")
        let second = try bench.run("apply")
        #expect(second.status == 0, "\(second)")
        #expect(
            try bench.query(
                "SELECT oid::regclass, relowner::regrole FROM pg_class WHERE relname IN ('a', 'b') ORDER BY relname")
                == "app.a|\(role)\napp.b|\(role)")
        #expect(try bench.query("SELECT memory FROM app.b") == "4MB")
        #expect(try bench.faults() == "")
    }

    @Test func `leaves no invalid index of its own behind, and no other's alone`() throws {
        let bench = try Workbench()
        try bench.query("CREATE TABLE t AS SELECT 1 AS a, 1 AS b FROM generate_series(1, 2)")
        _ = try bench.database.psql("CREATE UNIQUE INDEX CONCURRENTLY somebody_s ON t (b)")
        let invalid = "SELECT indexrelid::regclass FROM pg_index WHERE NOT indisvalid"
        #expect(try bench.query(invalid) == "somebody_s")
        try bench.write("001_unique.sql", "CREATE UNIQUE INDEX CONCURRENTLY \"my Index\" ON t (a);")
        let first = try bench.run("apply")
        #expect(first.status == 1, "\(first)")
        #expect(first.errors.contains("could not create unique index"), "\(first)")
        #expect(try bench.query(invalid) == "somebody_s")
        #expect(
            try bench.query("SELECT event, object, reason FROM migrated.migration_rollback_audit ORDER BY seq")
                .hasPrefix(
                    "started||\ninvalid_index_dropped|public.\"my Index\"|broken_build\nfailed|"))
        try bench.query("DELETE FROM t WHERE ctid = '(0,1)'")
        let retry = try bench.run("retry", "001")
        #expect(retry.status == 0, "\(retry)")
        let second = try bench.run("apply")
        #expect(second.status == 0, "\(second)")
        #expect(try bench.query("SELECT indisvalid FROM pg_index WHERE indexrelid = '\"my Index\"'::regclass") == "t")
        #expect(try bench.faults() == "")
    }

    @Test func `finds the invalid index where its own search_path put it`() throws {
        let bench = try Workbench()
        try bench.query("CREATE SCHEMA app; CREATE TABLE app.t AS SELECT 1 AS a FROM generate_series(1, 2)")
        try bench.write("001_unique.sql", "SET search_path = app;\nCREATE UNIQUE INDEX CONCURRENTLY ON t (a);")
        #expect(try bench.run("apply").status == 1)
        #expect(try bench.query("SELECT count(*) FROM pg_index WHERE NOT indisvalid") == "0")
        #expect(try bench.has("event = 'invalid_index_dropped' AND object = 'app.t_a_idx'"))
        #expect(try bench.faults() == "")
    }

    @Test func `that is killed in a concurrent build is built anew`() throws {
        let bench = try Workbench()
        try bench.query("CREATE TABLE t AS SELECT 1 AS a")
        try bench.write(
            "001_index.sql", "CREATE TABLE counter ();\nCREATE INDEX CONCURRENTLY t_a ON t (a);\nCREATE TABLE last ();")
        let holder = try Program(
            Cluster.programs + "/psql", ["-X", "-q", "-d", bench.database.conninfo + " application_name=the_holder"],
            input: "BEGIN; INSERT INTO t VALUES (2); SELECT pg_sleep(600);")
        try eventually("open transaction") {
            try bench.query(
                "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'the_holder' AND wait_event = 'PgSleep'"
            ) == "1"
        }
        let apply = try bench.start("apply")
        try eventually("waiting build") {
            try bench.query(
                "SELECT count(*) FROM pg_stat_progress_create_index WHERE datname = current_database() AND phase LIKE 'waiting%'"
            ) == "1"
        }
        apply.signal(9)
        _ = try apply.wait()
        let next = try bench.start("apply")
        try bench.waitFor("event = 'interrupted'", next)
        _ = try bench.query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'the_holder'")
        let outcome = try next.outcome()
        _ = try holder.wait()
        #expect(outcome.status == 0, "\(outcome)")
        #expect(
            try bench.query("SELECT indexrelid::regclass, indisvalid FROM pg_index WHERE indrelid = 't'::regclass")
                == "t_a|t")
        #expect(
            try bench.events() == [
                "started 001_index", "statement_applied 001_index", "interrupted 001_index process_died",
                "started 001_index", "invalid_index_dropped 001_index broken_build", "statement_applied 001_index",
                "applied 001_index",
            ], "\(outcome)")
        #expect(try bench.faults() == "")
    }

    @Test func `by its own wish runs statement by statement and goes on where it stopped`() throws {
        let bench = try Workbench()
        let head =
            "-- migrated: transaction=none\nCREATE TABLE counter (file text);\nINSERT INTO counter VALUES ('a');\n"
        try bench.write("001_none.sql", head + "SELECT 1 / 0;\n")
        let first = try bench.run("apply")
        #expect(first.status == 1 && first.errors.contains("001_none.sql:4:1: division by zero"), "\(first)")
        #expect(try bench.query("SELECT file FROM counter") == "a")
        try bench.write("001_none.sql", head + "INSERT INTO counter VALUES ('b');\nVACUUM counter;\n")
        let second = try bench.run("apply")
        #expect(second.status == 0, "\(second)")
        #expect(try bench.query("SELECT file FROM counter") == "a\nb")
        #expect(try bench.faults() == "")
    }

    @Test func `keeps what its own blocks have committed`() throws {
        let bench = try Workbench()
        let head =
            "BEGIN;\nCREATE TABLE counter (file text);\nCOMMIT;\nBEGIN ISOLATION LEVEL SERIALIZABLE;\nINSERT INTO counter VALUES (current_setting('transaction_isolation'));\nCOMMIT;\n"
        try bench.write("001_own.sql", head + "BEGIN;\nINSERT INTO counter VALUES ('lost');\nSELECT 1 / 0;\nCOMMIT;\n")
        let first = try bench.run("apply")
        #expect(first.status == 1 && first.errors.contains("001_own.sql:9:1: division by zero"), "\(first)")
        #expect(try bench.query("SELECT file FROM counter") == "serializable")
        try bench.write("001_own.sql", head)
        let second = try bench.run("apply")
        #expect(second.status == 0, "\(second)")
        #expect(try bench.query("SELECT file FROM counter") == "serializable")
        #expect(try bench.faults() == "")
    }

    @Test func `of drizzle is cut at its breakpoints only where it must be`() throws {
        let bench = try Workbench()
        try bench.write(
            "meta/_journal.json",
            #"{"version":"7","dialect":"postgresql","entries":[{"idx":0,"when":1,"tag":"0000_a","breakpoints":true},{"idx":1,"when":2,"tag":"0001_b","breakpoints":true}]}"#
        )
        try bench.write(
            "0000_a.sql",
            "CREATE TABLE counter (file text);\n--> statement-breakpoint\nINSERT INTO counter VALUES ('a')--> statement-breakpoint\nINSERT INTO counter VALUES ('b');"
        )
        try bench.write("0001_b.sql", "INSERT INTO counter VALUES ('c');--> statement-breakpoint\nSELECT 1 / 0;")
        let first = try bench.run("apply")
        #expect(first.status == 1 && first.errors.contains("0001_b.sql:2:1: division by zero"), "\(first)")
        #expect(try bench.query("SELECT file FROM counter") == "a\nb")
        try bench.write(
            "0001_b.sql",
            "INSERT INTO counter VALUES ('c');--> statement-breakpoint\nCREATE INDEX CONCURRENTLY i ON counter (file);")
        let second = try bench.run("apply")
        #expect(second.status == 0, "\(second)")
        #expect(try bench.query("SELECT file FROM counter") == "a\nb\nc")
        #expect(try bench.faults() == "")
    }

    @Test func `that the grammar cannot read goes whole to the server, which decides`() throws {
        let bench = try Workbench()
        try bench.write(
            "001_newer.sql", "CREATE TABLE t ();\nSELECT FROM (SELECT 1);\nSELECT 1_000 AS thousand, 0x1F;\n")
        let outcome = try bench.run("apply")
        #expect(outcome.status == 1, "\(outcome)")
        #expect(outcome.errors.contains("001_newer.sql:2:"), "\(outcome)")
        #expect(try bench.query("SELECT to_regclass('t')") == "")
        #expect(
            try bench.query(
                "SELECT detail::json->>'unparsed' LIKE 'the grammar of PostgreSQL 15 cannot read this%' FROM migrated.migration_rollback_audit WHERE event = 'started'"
            ) == "t")
        #expect(try bench.faults() == "")
    }
}
