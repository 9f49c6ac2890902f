import AuditSchema
import Goldens
import LiveSupport
import Postgres
import Testing

@testable import AuditReading

/// `migrations/audit/shape.txt` is written from a server. After a change of the history's schema:
/// `REWRITE_REFERENCE=1 swift test --filter HistoryShape`.
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

    @Test func `HistoryShape is that of shape.txt`() throws {
        let lines = try shape()
        if ProjectFiles.rewrites {
            #expect(ProjectFiles.write(lines.joined(separator: "\n") + "\n", to: "migrations/audit/shape.txt"))
        } else {
            #expect(lines == AuditSchema.shape)
        }
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
