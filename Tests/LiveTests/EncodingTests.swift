import AuditSchema
import Goldens
import LiveSupport
import Testing

/// Databases whose text is not UTF-8: everything works, and what their encoding cannot hold is escaped before it is hashed.
@Suite struct `Databases in other encodings` {
    static let encodings = [
        "LATIN1", "LATIN2", "LATIN9", "KOI8R", "KOI8U", "WIN1250", "WIN1251", "WIN1252", "ISO_8859_7", "EUC_JP",
        "EUC_KR", "SQL_ASCII",
        "UTF8",
    ]

    private static func expectVerified(_ bench: Workbench, _ location: SourceLocation = #_sourceLocation) throws {
        #expect(try bench.faults() == "", sourceLocation: location)
        let verified = try bench.auditctl("verify")
        #expect(verified.status == 0, "\(verified)", sourceLocation: location)
        let second = try bench.database.psql(try #require(ProjectFiles.text("docs/verify.sql")))
        #expect(second.output.hasPrefix("intact|"), "\(second)", sourceLocation: location)
        let export = try bench.auditctl("export")
        try bench.folder.write("export.ndjson", export.output)
        let file = try bench.auditctl("verify", "--file", bench.folder.path("export.ndjson"))
        #expect(file.status == 0, "\(file)", sourceLocation: location)
    }

    @Test(arguments: encodings)
    func `are set up, migrated, fail, recover and verify`(encoding: String) throws {
        let bench = try Workbench(encoding: encoding)
        // Names and texts with characters of all of Europe, of China, and beyond the first plane: no encoding here has all of them.
        let hostile = "é ł € Ж 中 😀 …"
        try bench.write("001_a.sql", "-- plain\nCREATE TABLE a (n int);\nCREATE INDEX CONCURRENTLY a_n ON a (n);\n")
        try bench.write("002_名_Ж.sql", "CREATE TABLE b (n int);\n")
        let first = try bench.run("apply")
        #expect(first.status == 0, "\(first)")
        let again = try bench.run("apply")
        #expect(again.status == 0 && again.output.contains("applied 2, pending 0, failed 0"), "\(again)")

        try bench.write("003_bad.sql", "SELECT '\(hostile)' FROM nowhere_中;\n")
        try bench.write("004_later.sql", "SELECT 1;\n")
        let failed = try bench.run("apply")
        #expect(failed.status == 1, "\(failed)")
        #expect(try bench.events("version = '003'") == ["started 003_bad", "failed 003_bad sql_error"])
        let still = try bench.run("apply")
        #expect(still.status == 1, "\(still)")
        #expect(
            try bench.query("SELECT count(*) FROM migrated.migration_rollback_audit WHERE event = 'started'") == "3")

        let resolved = try bench.run("resolve", "003", "--applied", "--reason", "by hand: \(hostile)")
        #expect(resolved.status == 0, "\(resolved)")
        let last = try bench.run("apply")
        #expect(last.status == 0 && last.output.contains("applied 4, pending 0"), "\(last)")
        #expect(
            try bench.query(
                "SELECT message LIKE 'by hand: %' FROM migrated.migration_rollback_audit WHERE event = 'resolved'")
                == "t")
        // The bytes of a file are kept as they are.
        #expect(
            try bench.query(
                "SELECT count(*) FROM migrated.migration_source WHERE position('\\xe4b8ad'::bytea IN source) > 0")
                == "1")
        for words in [
            ["log"], ["show", "003"], ["status"], ["integrity", "--directory", bench.directory], ["stats"], ["report"],
        ] {
            let outcome = try Program.run(
                Program.built("auditctl"),
                words + ["--config", bench.folder.path("migrated.toml"), "--database", bench.database.conninfo])
            #expect(outcome.status == 0, "\(words): \(outcome)")
        }
        try Self.expectVerified(bench)
    }

    @Test(arguments: encodings)
    func `have a name come back in a rollback and in parts`(encoding: String) throws {
        let bench = try Workbench(encoding: encoding)
        try bench.write(
            "1_中.up.sql", "CREATE TABLE a (n int);\nCREATE INDEX CONCURRENTLY i ON a (n);\nCREATE TABLE nowhere.b ();\n"
        )
        try bench.write("1_中.down.sql", "DROP TABLE IF EXISTS b;\nDROP TABLE a;\n")
        #expect(try bench.run("apply").status == 1)
        try bench.write(
            "1_中.up.sql", "CREATE TABLE a (n int);\nCREATE INDEX CONCURRENTLY i ON a (n);\nCREATE TABLE b ();\n")
        let mended = try bench.run("apply")
        #expect(mended.status == 0, "\(mended)")
        let back = try bench.run("rollback", "--last", "1")
        #expect(back.status == 0, "\(back)")
        #expect(try bench.query("SELECT to_regclass('a') IS NULL") == "t")
        try Self.expectVerified(bench)
    }

    @Test(arguments: ["LATIN1", "EUC_JP", "SQL_ASCII"])
    func `are set up by init, and know migrations by a whole name`(encoding: String) throws {
        let bench = try Workbench(encoding: encoding)
        let logins = ["app_\(bench.database.name)", "keeper_\(bench.database.name)"]
        for login in logins { try bench.query("CREATE ROLE \(login) LOGIN; GRANT ALL ON SCHEMA public TO \(login)") }
        let done = try bench.run("init", "--migration-login", logins[0], "--audit-login", logins[1])
        #expect(done.status == 0, "\(done)")
        let cluster = bench.database.cluster
        let way = [
            "--database", cluster.conninfo(bench.database.name, user: logins[0]),
            "--audit-database", cluster.conninfo(bench.database.name, user: logins[1]),
        ]
        for name in ["20240101_é_Ж", "20240102_中"] {
            try bench.folder.makeDirectory("m/\(name)")
            try bench.write(
                "\(name)/migration.sql",
                "CREATE TABLE \"t\(name.prefix(8))\" ();\nCREATE INDEX CONCURRENTLY ON \"t\(name.prefix(8))\" ((1));\n")
        }
        try bench.write("migration_lock.toml", "provider = \"postgresql\"\n")
        for _ in 1...2 {
            let outcome = try Program.run(Program.built("migrated"), bench.arguments("apply", way))
            #expect(outcome.status == 0 && outcome.output.contains("applied 2, pending 0"), "\(outcome)")
        }
        #expect(try bench.events("event IN ('applied', 'drift_detected')").count == 2)
        let integrity = try bench.auditctl("integrity", "--directory", bench.directory)
        #expect(integrity.status == 0 && integrity.output.contains("2 applied files are as they were"), "\(integrity)")
        try Self.expectVerified(bench)
    }

    @Test func `without one hold bytes that are no text, in errors, in notices and in definitions`() throws {
        let bench = try Workbench(encoding: "SQL_ASCII")
        // 0xE9 alone is no UTF-8.
        let run = { (sql: String) in
            "DO $$ BEGIN EXECUTE replace('\(sql)', '#', convert_from('\\xe9', 'SQL_ASCII')); END $$;\n"
        }
        try bench.write(
            "1_a.sql",
            run("CREATE TABLE a (\"col#\" text DEFAULT ''caf#'')") + run("COMMENT ON TABLE a IS ''caf#''")
                + run("CREATE FUNCTION \"f#\"() RETURNS text LANGUAGE sql AS ''SELECT ''''caf#''''''"))
        let first = try bench.run("apply")
        #expect(first.status == 0, "\(first)")
        #expect(
            try bench.query("SELECT count(*) FROM migrated.catalog_definition WHERE definition LIKE '%caf\\\\351%'")
                == "2")
        #expect(
            try bench.query("SELECT count(*) FROM migrated.migration_rollback_audit WHERE detail LIKE '%unread%'")
                == "0")
        try bench.write(
            "2_b.sql",
            """
            DO $$ BEGIN RAISE NOTICE 'caf%', convert_from('\\xe9', 'SQL_ASCII'); END $$;
            INSERT INTO a VALUES (convert_from('\\xe9', 'SQL_ASCII'));
            SELECT * FROM a;

            """)
        let second = try bench.run("apply")
        #expect(second.status == 0, "\(second)")
        try bench.write("3_c.sql", "DO $$ BEGIN RAISE EXCEPTION 'caf%', convert_from('\\xe9', 'SQL_ASCII'); END $$;\n")
        let third = try bench.run("apply")
        #expect(third.status == 1, "\(third)")
        #expect(try bench.events("version = '3'") == ["started 3_c", "failed 3_c sql_error"])
        try bench.query(
            "DO $$ BEGIN EXECUTE 'ALTER TABLE a ADD u text DEFAULT ''' || convert_from('\\xe8', 'SQL_ASCII') || ''''; END $$"
        )
        try bench.write("3_c.sql", "SELECT 3;\n")
        let fourth = try bench.run("apply")
        #expect(fourth.status == 0, "\(fourth)")
        #expect(try bench.events("event = 'drift_detected'") == ["drift_detected catalog_changed"])
        try Self.expectVerified(bench)
    }

    @Test(arguments: ["UTF8", "LATIN1"])
    func `run a file that sets its client encoding, whose name is not ASCII`(encoding: String) throws {
        let bench = try Workbench(encoding: encoding)
        try bench.write("1_café.sql", "SET client_encoding = 'LATIN1';\nCREATE TABLE a (n int);\n")
        try bench.write(
            "2_中.sql", "SET client_encoding = 'LATIN1';\nCREATE INDEX CONCURRENTLY i ON a (n);\nCREATE TABLE b ();\n")
        try bench.write("3_x.sql", "CREATE TABLE c AS SELECT 'é'::text AS t;\nSELECT nothing;\n")
        let outcome = try bench.run("apply")
        #expect(outcome.status == 1 && outcome.errors.contains("3_x.sql"), "\(outcome)")
        // The file is UTF-8, whatever it says.
        try bench.write(
            "3_x.sql",
            "SET client_encoding = 'LATIN1';\nCREATE INDEX CONCURRENTLY j ON a (n);\nCREATE TABLE c AS SELECT 'é'::text AS t;\n"
        )
        let again = try bench.run("apply")
        #expect(again.status == 0 && again.output.contains("applied 3"), "\(again)")
        #expect(try bench.query("SELECT ascii(t), length(t) FROM c") == "233|1")
        try Self.expectVerified(bench)
    }

    @Test func `take a failure by the daemon once, too`() throws {
        let bench = try Workbench(encoding: "WIN1252")
        try bench.write("1_a.sql", "SELECT '中' FROM nowhere;\n")
        let daemon = try bench.start("run")
        try bench.waitFor("event = 'failed'", daemon)
        try bench.write("1_a.sql", "CREATE TABLE a ();\n")
        try bench.waitFor("event = 'applied'", daemon)
        try bench.stop(daemon)
        #expect(try bench.events() == ["started 1_a", "failed 1_a sql_error", "started 1_a", "applied 1_a"])
        try Self.expectVerified(bench)
    }

    @Test func `get nothing but ASCII from the history's own SQL`() {
        for version in 1...AuditSchema.currentVersion {
            #expect(
                AuditSchema.sql(version: version, quotedSchema: "\"m\"").utf8.allSatisfy { $0 < 0x80 }, "\(version)")
        }
        #expect(AuditSchema.roles(quotedSchema: "\"m\"").utf8.allSatisfy { $0 < 0x80 })
    }
}
