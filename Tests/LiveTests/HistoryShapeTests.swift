import AuditSchema
import Goldens
import LiveSupport
import Postgres
import Testing

@testable import AuditReading

/// `migrations/audit/shape.txt` is written from a server. After a change of the history's schema:
/// `REWRITE_REFERENCE=1 swift test --filter HistoryShape`, and the same with `POSTGRESQL_BIN=` of PostgreSQL 16 or later for `views16.txt`.
@Suite struct `The shape of the history's schema` {
    private let bench: Workbench

    init() throws {
        bench = try Workbench()
        try bench.write("1_a.sql", "SELECT 1;")
        guard try bench.run("apply").status == 0 else { throw LiveFailure("not applied") }
    }

    private func shape() throws -> [String] {
        let connection = try Connection(
            ConnectionTarget(bench.database.conninfo, applicationName: "shape"), waiter: BlockingWaiter())
        let reader = HistoryReader(connection, schema: "migrated")
        return try reader.reading(statementTimeout: StatementTimeout.page) { () throws(PostgresError) in
            try reader.shape()
        }
    }

    private static func isView(_ line: String) -> Bool { line.hasPrefix("view ") }

    @Test func `HistoryShape is that of shape.txt, and from PostgreSQL 16 on of views16.txt`() throws {
        let lines = try shape()
        let major = try Int(bench.query("SELECT current_setting('server_version_num')::int / 10000")) ?? 0
        if ProjectFiles.rewrites {
            let (name, written) =
                major < 16 ? ("shape.txt", lines) : ("views16.txt", lines.filter(Self.isView))
            #expect(ProjectFiles.write(written.joined(separator: "\n") + "\n", to: "migrations/audit/" + name))
        } else {
            #expect(lines == AuditSchema.shape(server: major))
        }
    }

    /// Where only one of the two servers is at hand, the other's file is not forgotten: but for the names of tables they say the same.
    @Test func `both files have the same views`() {
        func unqualified(_ server: Int) -> [String] {
            AuditSchema.shape(server: server).filter(Self.isView).map { $0.replacing(/\b[a-z_]+\./, with: "") }
        }
        #expect(unqualified(15) == unqualified(18))
        #expect(unqualified(15).count == 6)
    }

    @Test(
        arguments: [
            (
                "ALTER TABLE migrated.orphan_quarantine ALTER old_text TYPE varchar",
                "column orphan_quarantine.old_text is another"
            ),
            ("ALTER TABLE migrated.audit_head ADD note text", "column audit_head.note is not of this program"),
            (
                "ALTER TABLE migrated.catalog_reading ALTER changes DROP NOT NULL",
                "column catalog_reading.changes is another"
            ),
            (
                "ALTER TABLE migrated.migration_source DROP CONSTRAINT migration_source_checksum_check",
                "constraint migration_source.migration_source_checksum_check is not there"
            ),
            (
                "DROP INDEX migrated.migration_rollback_audit_event_idx",
                "index migration_rollback_audit.migration_rollback_audit_event_idx is not there"
            ),
            (
                "DROP VIEW migrated.catalog_change CASCADE; CREATE VIEW migrated.catalog_change AS SELECT ''::text AS class, ''::text AS object, ''::text AS before, ''::text AS now WHERE false",
                "view catalog_change is another"
            ),
            (
                "DROP TABLE migrated.catalog_definition CASCADE; CREATE VIEW migrated.catalog_definition AS SELECT 1::bigint AS reading, ''::text AS class, ''::text AS object, NULL::text AS definition",
                "relation catalog_definition is another"
            ),
            ("ALTER TABLE migrated.audit_head SET UNLOGGED", "relation audit_head is another"),
            // Their text is as it was, and they do something else, or nothing.
            (
                "ALTER FUNCTION migrated.append_events SET session_replication_role = replica",
                "function append_events is another"
            ),
            (
                "ALTER FUNCTION migrated.refuse_change SET search_path = pg_catalog, public, pg_temp",
                "function refuse_change is another"
            ),
            ("ALTER FUNCTION migrated.require_rows STRICT", "function require_rows is another"),
            ("ALTER FUNCTION migrated.rows_digest RESET client_encoding", "function rows_digest is another"),
            ("ALTER FUNCTION migrated.event_hash VOLATILE", "function event_hash is another"),
            ("ALTER FUNCTION migrated.expect_token SECURITY INVOKER", "function expect_token is another"),
            ("ALTER FUNCTION migrated.event_hash LEAKPROOF", "function event_hash is another"),
        ] as [(String, String)])
    func `a change of it is found by verify`(sql: String, told: String) throws {
        func verify() throws -> Program.Outcome {
            try Program.run(
                Program.built("auditctl"),
                ["verify", "--database", bench.database.conninfo, "--state-directory", bench.folder.path("state")])
        }
        #expect(try verify().status == 0)
        try bench.query(sql)
        let found = try verify()
        #expect(found.status == 1 && found.output.contains("unprotected: \(told)"), "\(found)")
    }
}
