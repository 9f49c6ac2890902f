import Audit
import Glibc
import LiveSupport
import Testing

@Suite struct `Unusual surroundings` {
    @Test func `a schema name with quotes, blanks and capitals holds the history`() throws {
        var bench = try Workbench()
        bench.schema = "My \"audit\" ü"
        try bench.write("001_mixed.sql", "CREATE TABLE a ();\nCREATE INDEX CONCURRENTLY i ON a ((1));\n")
        try bench.write("002_bad.sql", "SELECT 1 / 0;")
        let schema = bench.schema
        let daemon = try bench.start("run", "--schema", schema)
        try bench.waitFor("event = 'failed'", daemon)
        try bench.write("002_bad.sql", "SELECT 1;")
        try bench.waitFor("event = 'applied' AND version = '002'", daemon)
        try bench.stop(daemon)
        for verb in ["apply", "plan", "wait"] {
            let outcome = try bench.run(verb, "--schema", schema)
            #expect(outcome.status == 0, "\(verb): \(outcome)")
        }
        #expect(try bench.faults() == "")
        #expect(try bench.query("SELECT count(*) FROM pg_namespace WHERE nspname = 'migrated'") == "0")
    }

    @Test func `a role that is named like the history's schema does not put its tables there`() throws {
        var bench = try Workbench()
        bench.schema = "postgres"
        try bench.write("1_a.sql", "CREATE TABLE a ();\nCREATE INDEX CONCURRENTLY i ON a ((1));\nCREATE TABLE b ();\n")
        #expect(try bench.run("apply", "--schema", "postgres").status == 0)
        #expect(try bench.query("SELECT 'a'::regclass::oid = 'public.a'::regclass, to_regclass('public.b')") == "t|b")
        try bench.query("ALTER DATABASE \(bench.database.name) SET search_path = other, \"$user\", public")
        try bench.write("2_c.sql", "SET work_mem = '1MB';\nCREATE SCHEMA other;\nCREATE TABLE c ();\n")
        #expect(try bench.run("apply", "--schema", "postgres").status == 0)
        #expect(try bench.query("SELECT to_regclass('other.c') IS NOT NULL") == "t")
    }

    @Test func `every event is an entry of the journal with its fields`() throws {
        let bench = try Workbench()
        let journal = try FakeSocket(bench.folder.path("journal"))
        let environment = ["MIGRATED_JOURNAL_SOCKET": journal.path]
        try bench.write("001_a.sql", "CREATE TABLE a ();")
        try bench.write("002_bad.sql", "DO $$ BEGIN RAISE WARNING 'two\nlines'; END $$;\nSELECT 1 / 0;")
        try bench.write("003_b.sql", "CREATE TABLE b ();")
        let daemon = try bench.start("run", environment: environment)
        try bench.waitFor("event = 'skipped'", daemon)
        try bench.stop(daemon)
        let entries = journal.datagrams.map(Self.fields)
        let rows = try bench.query(
            "SELECT seq, event, encode(hash, 'hex'), event_id, coalesce(version, '-'), recorded_at FROM migrated.migration_rollback_audit ORDER BY seq"
        )
        .split(separator: "\n").map { $0.split(separator: "|").map(String.init) }
        #expect(rows.count > 6)
        for row in rows {
            let entry = entries.first { $0["MIGRATED_SEQ"] == row[0] }
            let kind = try #require(EventKind(rawValue: row[1]))
            #expect(entry?["MIGRATED_EVENT"] == row[1], "\(row)")
            #expect(entry?["MESSAGE_ID"] == kind.messageID)
            #expect(entry?["PRIORITY"] == String(kind.priority))
            #expect(entry?["MIGRATED_HASH"] == row[2])
            #expect(entry?["MIGRATED_EVENT_ID"] == row[3])
            #expect(entry?["MIGRATED_VERSION"] ?? "-" == row[4])
            #expect(entry?["SYSLOG_IDENTIFIER"] == "migrated")
            #expect(entry?["MESSAGE"]?.isEmpty == false)
        }
        #expect(
            entries.contains {
                $0["MESSAGE"] == "002_bad: WARNING: two\\nlines" && $0["PRIORITY"] == "4"
                    && $0["MIGRATED_VERSION"] == "002"
            })
        // What was said of no event has no event's id.
        #expect(entries.filter { $0["MIGRATED_SEQ"] == nil }.allSatisfy { $0["MESSAGE_ID"] == nil })
    }

    /// The fields of an entry in the journal's native protocol.
    private static func fields(_ datagram: [UInt8]) -> [String: String] {
        var fields: [String: String] = [:]
        var rest = datagram[...]
        while let end = rest.firstIndex(where: { $0 == 0x0A || $0 == UInt8(ascii: "=") }) {
            let name = String(decoding: rest[..<end], as: UTF8.self)
            if rest[end] == UInt8(ascii: "=") {
                let stop = rest[end...].firstIndex(of: 0x0A) ?? rest.endIndex
                fields[name] = String(decoding: rest[(end + 1)..<stop], as: UTF8.self)
                rest = rest[min(stop + 1, rest.endIndex)...]
            } else {
                let length = rest[(end + 1)..<(end + 9)].reversed().reduce(0) { $0 << 8 | Int($1) }
                fields[name] = String(decoding: rest[(end + 9)..<(end + 9 + length)], as: UTF8.self)
                rest = rest[(end + 10 + length)...]
            }
        }
        return fields
    }

    @Test func `SIGHUP reads the configuration again, and a bad one leaves the old in force`() throws {
        let bench = try Workbench()
        let notify = try FakeSocket(bench.folder.path("notify"))
        try bench.folder.makeDirectory("other")
        let settings = { (directory: String, more: String) in
            "database = \"\(bench.database.conninfo)\"\ndirectory = \"\(bench.folder.path(directory))\"\nsettle = 0\n\(more)"
        }
        try bench.folder.write("migrated.toml", settings("m", ""))
        let daemon = try Program(
            Program.built("migrated"), ["run", "--config", bench.folder.path("migrated.toml")],
            environment: Program.environment.merging(["NOTIFY_SOCKET": notify.path]) { $1 })
        try bench.write("001_a.sql", "CREATE TABLE a ();")
        try bench.waitFor("event = 'applied' AND version = '001'", daemon)

        try bench.folder.write("migrated.toml", settings("other", "nonsense = 1\n"))
        notify.clear()
        daemon.signal(SIGHUP)
        try eventually("refusal") {
            daemon.errorsSoFar.contains("configuration not reloaded, the old one stays in force")
        }
        #expect(daemon.errorsSoFar.contains("migrated.toml:4:1: "), "\(daemon.errorsSoFar)")
        try eventually("readiness again") { notify.text.contains("RELOADING=1") && notify.text.contains("READY=1") }
        try bench.write("002_b.sql", "CREATE TABLE b ();")
        try bench.waitFor("event = 'applied' AND version = '002'", daemon)

        try bench.folder.write("migrated.toml", settings("other", ""))
        try bench.folder.write("other/001_a.sql", "CREATE TABLE a ();")
        try bench.folder.write("other/002_b.sql", "CREATE TABLE b ();")
        try bench.folder.write("other/003_c.sql", "CREATE TABLE c ();")
        daemon.signal(SIGHUP)
        try bench.waitFor("event = 'applied' AND version = '003'", daemon)
        try bench.stop(daemon)
        #expect(try bench.faults() == "")
    }

    @Test func `objects of others that bear our functions' and operators' names change nothing`() throws {
        let bench = try Workbench()
        try bench.query(
            """
            CREATE ROLE "app \(bench.database.name)" LOGIN;
            ALTER DATABASE \(bench.database.name) SET search_path = public, pg_catalog;
            GRANT ALL ON DATABASE \(bench.database.name) TO "app \(bench.database.name)";
            GRANT ALL ON SCHEMA public TO "app \(bench.database.name)";
            CREATE FUNCTION public.sha256(bytea) RETURNS bytea LANGUAGE sql AS $$ SELECT '\\x00'::pg_catalog.bytea $$;
            CREATE FUNCTION public.length(bytea) RETURNS int LANGUAGE sql AS $$ SELECT 7 $$;
            CREATE FUNCTION public.wrong(text, text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'hijacked'; END $$;
            CREATE FUNCTION public.wrong(bigint, bigint) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'hijacked'; END $$;
            CREATE FUNCTION public.wrong(int, int) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'hijacked'; END $$;
            CREATE FUNCTION public.wrong(oid, oid) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'hijacked'; END $$;
            CREATE FUNCTION public.wrong(uuid, uuid) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'hijacked'; END $$;
            CREATE FUNCTION public.wrong(bytea, bytea) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'hijacked'; END $$;
            CREATE OPERATOR public.= (FUNCTION = public.wrong, LEFTARG = text, RIGHTARG = text);
            CREATE OPERATOR public.= (FUNCTION = public.wrong, LEFTARG = bigint, RIGHTARG = bigint);
            CREATE OPERATOR public.= (FUNCTION = public.wrong, LEFTARG = int, RIGHTARG = int);
            CREATE OPERATOR public.= (FUNCTION = public.wrong, LEFTARG = oid, RIGHTARG = oid);
            CREATE OPERATOR public.= (FUNCTION = public.wrong, LEFTARG = uuid, RIGHTARG = uuid);
            CREATE OPERATOR public.<> (FUNCTION = public.wrong, LEFTARG = bytea, RIGHTARG = bytea);
            CREATE OPERATOR public.<> (FUNCTION = public.wrong, LEFTARG = bigint, RIGHTARG = bigint);
            """)
        try bench.write(
            "001_mixed.sql",
            "CREATE TABLE public.a (n pg_catalog.int4);\nCREATE INDEX CONCURRENTLY i ON a (n);\nSELECT 1;")
        try bench.write("002_bad.sql", "SELECT 1 / 0;")
        let first = try bench.run("apply")
        #expect(first.status == 1 && !first.errors.contains("hijacked"), "\(first)")
        try bench.write("002_bad.sql", "SELECT 1;")
        let second = try bench.run("apply")
        #expect(second.status == 0 && !second.errors.contains("hijacked"), "\(second)")
        _ = try bench.query("ALTER DATABASE \(bench.database.name) RESET search_path")
        #expect(try bench.faults() == "")
        #expect(try bench.events("event = 'applied'") == ["applied 001_mixed", "applied 002_bad"])
    }

    @Test func `a file's own role and search_path hold from segment to segment, and no longer`() throws {
        let bench = try Workbench()
        let role = "owner_\(bench.database.name)"
        try bench.query("CREATE ROLE \(role); CREATE SCHEMA app AUTHORIZATION \(role)")
        try bench.write(
            "001_own.sql",
            """
            SET ROLE \(role);
            SET search_path = app;
            SET work_mem = '1234kB';
            CREATE TABLE t (n int);
            CREATE INDEX CONCURRENTLY t_n ON t (n);
            CREATE TABLE u AS SELECT current_setting('work_mem') AS memory;
            VACUUM t;
            """)
        try bench.write(
            "002_plain.sql",
            "CREATE TABLE plain AS SELECT current_setting('search_path') AS path, current_setting('work_mem') AS memory;"
        )
        let outcome = try bench.run("apply")
        #expect(outcome.status == 0, "\(outcome)")
        #expect(
            try bench.query(
                "SELECT oid::regclass, relowner::regrole FROM pg_class WHERE relname IN ('t', 'u', 't_n', 'plain') ORDER BY relname"
            )
                == "plain|postgres\napp.t|\(role)\napp.t_n|\(role)\napp.u|\(role)")
        #expect(try bench.query("SELECT memory FROM app.u") == "1234kB")
        #expect(try bench.query("SELECT path, memory FROM plain") == "\"$user\", public|4MB")
        #expect(try bench.query("SELECT DISTINCT db_user FROM migrated.migration_rollback_audit") == "postgres")
        #expect(try bench.faults() == "")
    }

    @Test func `a role's own isolation, limits and read-only default do not reach the record`() throws {
        let bench = try Workbench()
        try bench.query(
            """
            ALTER DATABASE \(bench.database.name) SET default_transaction_isolation = 'serializable';
            ALTER DATABASE \(bench.database.name) SET statement_timeout = '1h';
            ALTER DATABASE \(bench.database.name) SET standard_conforming_strings = off;
            ALTER DATABASE \(bench.database.name) SET bytea_output = 'escape';
            ALTER DATABASE \(bench.database.name) SET datestyle = 'SQL, DMY';
            ALTER DATABASE \(bench.database.name) SET intervalstyle = 'iso_8601';
            ALTER DATABASE \(bench.database.name) SET timezone = 'Asia/Kathmandu';
            ALTER DATABASE \(bench.database.name) SET row_security = off;
            """)
        try bench.write("001_a.sql", "CREATE TABLE a ();")
        try bench.write("002_b.sql", "SELECT 1 / 0;")
        let outcome = try bench.run("apply")
        #expect(outcome.status == 1 && outcome.errors.contains("division by zero"), "\(outcome)")
        #expect(try bench.events() == ["started 001_a", "applied 001_a", "started 002_b", "failed 002_b sql_error"])
        #expect(try bench.faults() == "")
    }
}
