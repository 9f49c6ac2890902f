import Audit
import Glibc
import LiveSupport
import Testing

/// Names and values that end the quotes around them, where a quote is looked for by `Character`: U+0600 and U+0301 make one with it.
@Suite struct `A name that would be SQL` {
    private static let prefix = "x\u{600}"

    @Test(arguments: ["owner", "auditor", "auditors in a dry run"])
    func `of a role runs nothing when roles get the history`(way: String) throws {
        // Roles belong to the whole server.
        let bench = try Workbench(Cluster())
        try bench.write("001_t.sql", "CREATE TABLE t (a int);")
        #expect(try bench.run("apply").status == 0)
        let name = Self.prefix + "\"; ALTER ROLE pwn SUPERUSER; --"
        try bench.query(
            """
            CREATE ROLE pwn;
            DO $$ BEGIN EXECUTE format('CREATE ROLE %I LOGIN', U&'x\\0600"; ALTER ROLE pwn SUPERUSER; --'); END $$;
            """)
        if way == "owner" {
            try bench.query(
                "DO $$ BEGIN EXECUTE format('ALTER SCHEMA migrated OWNER TO %I', U&'x\\0600\"; ALTER ROLE pwn SUPERUSER; --'); END $$"
            )
        }
        switch way {
        case "owner": _ = try bench.run("init")
        case "auditor": #expect(try bench.run("init", "--auditor", name).status == 0)
        default:
            let outcome = try bench.run("init", "--auditor", name, "--dry-run")
            #expect(outcome.status == 0)
            #expect(try bench.database.psql(outcome.output).status == 0)
        }
        #expect(try bench.query("SELECT rolsuper FROM pg_roles WHERE rolname = 'pwn'") == "f")
        if way != "owner" {
            #expect(
                try bench.query(
                    "SELECT pg_has_role(U&'x\\0600\"; ALTER ROLE pwn SUPERUSER; --', oid, 'MEMBER') FROM pg_roles WHERE rolname LIKE '%auditor%'"
                ).split(separator: "\n").contains("t"))
        }
    }

    @Test func `of a role is printed as what it is`() throws {
        let bench = try Workbench(Cluster())
        try bench.query(#"CREATE ROLE U&"a\000D\000A\001B[2Jgranted root\202E" LOGIN"#)
        let outcome = try bench.run("init", "--auditor", "a\r\n\u{1b}[2Jgranted root\u{202e}")
        #expect(outcome.status == 0, "\(outcome)")
        #expect(outcome.output.contains(#"a\r\n\u{1b}[2Jgranted root\u{202e}"#), "\(outcome)")
        #expect(!outcome.outputBytes.contains { $0 < 0x20 && $0 != 0x0A })
        #expect(!outcome.output.split(separator: "\n").contains { $0.hasPrefix("granted root") })
    }

    @Test(arguments: ["--host", "--reason", "--by", "--object", "--grep", "--migration"])
    func `is only a filter`(flag: String) throws {
        let history = try RecordedHistory()
        for number in 1...3 { try history.attempt("000\(number)") }
        for value in [
            "x\u{600}' OR true OR a.host = '\u{301}", "x\u{600}\\' OR true OR a.host = \\'\u{301}",
            "x\r\n' OR true --\u{301}", "'\u{301}) OR true --",
        ] {
            for verb in ["export", "log"] {
                let outcome = try history.auditctl(verb, "-o", "ndjson", flag, value)
                #expect(
                    !outcome.output.utf8.split(separator: 0x0A).contains { $0.starts(with: "{\"seq\":".utf8) },
                    "\(outcome)")
            }
        }
    }

    @Test func `of a column runs nothing when orphans are kept, and comes back`() throws {
        let bench = try Workbench()
        try bench.query("CREATE TABLE keep (a int); INSERT INTO keep VALUES (1)")
        let column = Self.prefix + "', 1) FROM c AS r; DELETE FROM keep; --\u{301}"
        let other = "y\u{600}\"\"; DELETE FROM keep; --"
        try bench.write(
            "001_t.up.sql",
            """
            CREATE TABLE p ("\(other)" int PRIMARY KEY);
            CREATE TABLE c (id int PRIMARY KEY, p int, "\(column)" text);
            INSERT INTO c VALUES (1, 7, 'kept');
            """)
        try bench.write(
            "002_k.up.sql",
            """
            -- migrated: orphans=clean orphan-limit=5
            ALTER TABLE c ADD CONSTRAINT "k\u{600}'\u{301}" FOREIGN KEY (p) REFERENCES p;
            """)
        try bench.write("002_k.down.sql", "ALTER TABLE c DROP CONSTRAINT \"k\u{600}'\u{301}\";")
        let outcome = try bench.run("apply")
        #expect(outcome.status == 0, "\(outcome)")
        #expect(try bench.query("SELECT count(*) FROM keep") == "1")
        #expect(
            try bench.query("SELECT string_agg(value, ',') FROM migrated.orphan_quarantine, jsonb_each_text(old_row)")
                .contains("kept"))
        #expect(try bench.run("rollback", "--last", "1", "--restore-orphans").status == 0)
        #expect(try bench.query("SELECT count(*) FROM c WHERE p = 7 OR p IS NULL") == "1")
        #expect(try bench.query("SELECT count(*) FROM keep") == "1")
    }

    @Test func `of a schema with dollar quotes or line ends is refused, any other holds the history`() throws {
        for schema in ["a$name$b", "$$", "a\nb", "a\r\nb", "pg_x"] {
            let bench = try Workbench()
            let outcome = try bench.run("apply", "--schema", schema)
            #expect(outcome.status == 64 && outcome.errors.contains("schema"), "\(outcome)")
            #expect(!outcome.errorBytes.contains(0x0D))
            let written = schema.utf8.map {
                $0 < 0x20 ? "\\u00\($0 < 16 ? "0" : "")\(String($0, radix: 16))" : String(Unicode.Scalar($0))
            }
            try bench.folder.write("migrated.toml", "schema = \"\(written.joined())\"\n")
            let configured = try bench.run("apply")
            #expect(configured.status == 78 && configured.errors.contains("schema"), "\(configured)")
        }
        for schema in ["x\u{600}\"; DROP TABLE keep; --", "ORIGINAL", "HISTORY'\u{301}\"\u{301}\\"] {
            var bench = try Workbench()
            bench.schema = schema
            try bench.query("CREATE TABLE keep (a int)")
            try bench.write("001_t.sql", "CREATE TABLE t (a int);")
            for verb in ["init", "apply"] {
                let outcome = try bench.run(verb, "--schema", schema)
                #expect(outcome.status == 0, "\(outcome)")
            }
            #expect(try bench.query("SELECT count(*) FROM keep") == "0")
            let verdict = try Program.run(
                Program.built("auditctl"),
                [
                    "verify", "--schema", schema, "--database", bench.database.conninfo, "--state-directory",
                    bench.folder.path("state"),
                ])
            #expect(verdict.status == 0, "\(verdict)")
        }
    }

    @Test(
        .enabled(if: access("/usr/bin/promtool", X_OK) == 0, "promtool is not here: deploy/install-dependencies test"))
    func `of a database breaks no metric`() throws {
        let bench = try Workbench()
        let name = "a\r\nup{x=\"\u{301}y\"} 1\r\n\\\u{600}"
        let made = try bench.database.cluster.psql(
            "postgres", #"CREATE DATABASE U&"a\000D\000Aup{x=\0022\0301y\0022} 1\000D\000A\\\0600" TEMPLATE template0"#)
        #expect(made.status == 0, "\(made)")
        try bench.folder.write("migrated.toml", "metrics-file = \"migrated.prom\"\n")
        try bench.write("001_t.sql", "CREATE TABLE t (a int);")
        // libpq takes a backslash before a quote or a backslash.
        let conninfo = bench.database.cluster.conninfo("'\(name.replacing("\\", with: "\\\\"))'")
        let outcome = try bench.run("apply", "--database", conninfo)
        #expect(outcome.status == 0, "\(outcome)")
        let daemon = try bench.start("run", "--database", conninfo)
        try eventually("metrics") { access(bench.folder.path("migrated.prom"), R_OK) == 0 }
        try bench.stop(daemon)
        let text = try Program.run("/bin/cat", [bench.folder.path("migrated.prom")]).output
        let checked = try Program.run("/usr/bin/promtool", ["check", "metrics"], input: text)
        #expect(checked.status == 0 && checked.output + checked.errors == "", "\(checked)\n\(text)")
        #expect(!text.utf8.split(separator: 0x0A).contains { $0.starts(with: "up{".utf8) })
    }
}
