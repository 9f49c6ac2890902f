import Checks
import SQLParsing
import Testing

/// The table from statement to lock: PostgreSQL's manual, "Explicit Locking" and the pages of the commands.
@Suite struct `Impact of a statement` {
    static let table: [(sql: String, locks: String)] = [
        ("SELECT 1 FROM t", ""),
        ("SELECT 1 FROM t FOR UPDATE", "t ROW SHARE neither"),
        ("INSERT INTO t VALUES (1)", "t ROW EXCLUSIVE neither"),
        ("UPDATE s.t SET a = 1", "s.t ROW EXCLUSIVE scan"),
        ("DELETE FROM t WHERE a = 1", "t ROW EXCLUSIVE neither"),
        ("COPY t FROM '/x'", "t ROW EXCLUSIVE neither"),
        ("CREATE INDEX i ON t (a)", "t SHARE scan"),
        ("CREATE INDEX CONCURRENTLY i ON t (a)", "t SHARE UPDATE EXCLUSIVE scan"),
        ("DROP INDEX i", "i ACCESS EXCLUSIVE neither"),
        ("DROP INDEX CONCURRENTLY i", "i SHARE UPDATE EXCLUSIVE neither"),
        ("REINDEX TABLE t", "t SHARE scan"),
        ("REINDEX TABLE CONCURRENTLY t", "t SHARE UPDATE EXCLUSIVE scan"),
        ("VACUUM t", "t SHARE UPDATE EXCLUSIVE scan"),
        ("VACUUM FULL t", "t ACCESS EXCLUSIVE rewrite"),
        ("ANALYZE t", "t SHARE UPDATE EXCLUSIVE scan"),
        ("CLUSTER t USING i", "t ACCESS EXCLUSIVE rewrite"),
        ("REFRESH MATERIALIZED VIEW v", "v ACCESS EXCLUSIVE rewrite"),
        ("REFRESH MATERIALIZED VIEW CONCURRENTLY v", "v EXCLUSIVE scan"),
        ("TRUNCATE t, u", "t ACCESS EXCLUSIVE neither, u ACCESS EXCLUSIVE neither"),
        ("DROP TABLE t", "t ACCESS EXCLUSIVE neither"),
        ("DROP TRIGGER g ON t", "t ACCESS EXCLUSIVE neither"),
        ("LOCK TABLE t IN SHARE MODE", "t SHARE neither"),
        ("LOCK t", "t ACCESS EXCLUSIVE neither"),
        (
            "CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()",
            "t SHARE ROW EXCLUSIVE neither"
        ),
        ("CREATE POLICY p ON t USING (true)", "t ACCESS EXCLUSIVE neither"),
        ("CREATE RULE r AS ON INSERT TO t DO NOTHING", "t ACCESS EXCLUSIVE neither"),
        ("CREATE STATISTICS x ON a, b FROM t", "t SHARE UPDATE EXCLUSIVE neither"),
        ("COMMENT ON TABLE t IS 'x'", "t SHARE UPDATE EXCLUSIVE neither"),
        ("COMMENT ON COLUMN s.t.a IS 'x'", "s.t SHARE UPDATE EXCLUSIVE neither"),
        ("ALTER TABLE t RENAME TO u", "t ACCESS EXCLUSIVE neither"),
        ("ALTER INDEX i RENAME TO j", "i SHARE UPDATE EXCLUSIVE neither"),
        ("ALTER TABLE t ADD COLUMN a int", "t ACCESS EXCLUSIVE neither"),
        ("ALTER TABLE t ADD COLUMN a int NOT NULL DEFAULT 0", "t ACCESS EXCLUSIVE neither"),
        ("ALTER TABLE t ADD COLUMN a timestamptz DEFAULT now()", "t ACCESS EXCLUSIVE neither"),
        ("ALTER TABLE t ADD COLUMN a float DEFAULT random()", "t ACCESS EXCLUSIVE rewrite"),
        ("ALTER TABLE t ADD COLUMN a serial", "t ACCESS EXCLUSIVE rewrite"),
        ("ALTER TABLE t ADD COLUMN a int GENERATED ALWAYS AS IDENTITY", "t ACCESS EXCLUSIVE rewrite"),
        ("ALTER TABLE t ADD COLUMN a int GENERATED ALWAYS AS (1) STORED", "t ACCESS EXCLUSIVE rewrite"),
        ("ALTER TABLE t ADD COLUMN a int UNIQUE", "t ACCESS EXCLUSIVE scan"),
        ("ALTER TABLE t ADD COLUMN a int CHECK (a > 0)", "t ACCESS EXCLUSIVE scan"),
        (
            "ALTER TABLE t ADD COLUMN a int REFERENCES u",
            "t ACCESS EXCLUSIVE neither, u SHARE ROW EXCLUSIVE neither"
        ),
        ("ALTER TABLE t ALTER COLUMN a TYPE text", "t ACCESS EXCLUSIVE rewrite"),
        ("ALTER TABLE t ALTER COLUMN a SET NOT NULL", "t ACCESS EXCLUSIVE scan"),
        ("ALTER TABLE t ALTER COLUMN a SET DEFAULT 1", "t ACCESS EXCLUSIVE neither"),
        ("ALTER TABLE t ALTER COLUMN a SET STATISTICS 100", "t SHARE UPDATE EXCLUSIVE neither"),
        ("ALTER TABLE t ADD CHECK (a > 0)", "t ACCESS EXCLUSIVE scan"),
        ("ALTER TABLE t ADD CHECK (a > 0) NOT VALID", "t ACCESS EXCLUSIVE neither"),
        ("ALTER TABLE t ADD PRIMARY KEY (a)", "t ACCESS EXCLUSIVE scan"),
        ("ALTER TABLE t ADD UNIQUE USING INDEX i", "t ACCESS EXCLUSIVE neither"),
        (
            "ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES u",
            "t SHARE ROW EXCLUSIVE scan, u SHARE ROW EXCLUSIVE neither"
        ),
        (
            "ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES u NOT VALID",
            "t SHARE ROW EXCLUSIVE neither, u SHARE ROW EXCLUSIVE neither"
        ),
        ("ALTER TABLE t VALIDATE CONSTRAINT c", "t SHARE UPDATE EXCLUSIVE scan"),
        ("ALTER TABLE t DISABLE TRIGGER g", "t SHARE ROW EXCLUSIVE neither"),
        ("ALTER TABLE t ENABLE ROW LEVEL SECURITY", "t ACCESS EXCLUSIVE neither"),
        ("ALTER TABLE t SET (fillfactor = 70)", "t SHARE UPDATE EXCLUSIVE neither"),
        ("ALTER TABLE t SET UNLOGGED", "t ACCESS EXCLUSIVE rewrite"),
        (
            "ALTER TABLE t ATTACH PARTITION p FOR VALUES IN (1)",
            "t SHARE UPDATE EXCLUSIVE neither, p ACCESS EXCLUSIVE scan"
        ),
        (
            "ALTER TABLE t DETACH PARTITION p CONCURRENTLY",
            "t SHARE UPDATE EXCLUSIVE neither, p ACCESS EXCLUSIVE neither"
        ),
        ("CREATE TABLE n (a int REFERENCES u)", "u SHARE ROW EXCLUSIVE neither"),
        ("CREATE TABLE n (a int, b int REFERENCES n)", ""),
        ("CREATE TABLE n PARTITION OF t FOR VALUES IN (1)", "t ACCESS EXCLUSIVE neither"),
        ("CREATE TABLE n () INHERITS (t)", "t SHARE UPDATE EXCLUSIVE neither"),
        ("CREATE OR REPLACE VIEW v AS SELECT 1", "v ACCESS EXCLUSIVE neither"),
        ("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'", ""),
    ]

    @Test(arguments: table)
    func `a statement's locks are those of the manual`(sql: String, locks: String) throws {
        let script = try Script(Array(sql.utf8), file: "x.sql")
        let impact = try #require(StatementImpact.all(in: script).first)
        #expect(
            impact.locks.map { "\($0.relation) \($0.mode.rawValue) \($0.work.rawValue)" }.joined(separator: ", ")
                == locks)
    }

    @Test func `what runs alone is in no transaction`() throws {
        let script = try Script(Array("CREATE TABLE t (a int); VACUUM t;".utf8), file: "x.sql")
        #expect(StatementImpact.all(in: script).map(\.transactional) == [true, false])
    }

    @Test func `together the strongest lock counts, and new tables do not`() throws {
        let sql =
            "CREATE TABLE n (a int); ALTER TABLE n ADD b int; CREATE INDEX ON t (a); ALTER TABLE t ADD b int; INSERT INTO u SELECT 1"
        let script = try Script(Array(sql.utf8), file: "x.sql")
        let strongest = StatementImpact.strongest(StatementImpact.all(in: script))
        #expect(
            strongest.map { "\($0.relation) \($0.mode.rawValue) \($0.work.rawValue)" } == [
                "t ACCESS EXCLUSIVE scan", "u ROW EXCLUSIVE neither",
            ])
    }
}
