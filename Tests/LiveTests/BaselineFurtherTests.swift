import LiveSupport
import Testing

/// A baseline looks for the rarer objects and properties, too, which no reading of the catalog holds.
@Suite struct `A baseline of rarer objects` {
    /// What a file makes, what takes it back, and the words for it.
    struct Rare: Sendable {
        var make: String
        var undo: String
        var told: String
        /// What has to go before it can be made again.
        var again: String?
    }

    private static let before = """
        CREATE TABLE t (a int, b text, c int); CREATE INDEX i ON t ((a + c));
        CREATE FUNCTION eq(int, text) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT $1::text = $2';
        CREATE TYPE comp AS (x int); CREATE FUNCTION to_comp(int) RETURNS comp LANGUAGE sql AS 'SELECT row($1)::comp';
        CREATE TEXT SEARCH CONFIGURATION cfg (COPY = simple); CREATE FOREIGN DATA WRAPPER w0; CREATE SERVER s0 FOREIGN DATA WRAPPER w0;
        ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO pg_read_all_stats;
        CREATE PUBLICATION p0 FOR TABLE t; CREATE MATERIALIZED VIEW m AS SELECT 1 AS x; CREATE DOMAIN dom0 AS text; CREATE STATISTICS st0 ON a, c FROM t;
        """

    private static let rare = [
        Rare(
            make: "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO pg_monitor",
            undo: "ALTER DEFAULT PRIVILEGES REVOKE SELECT ON TABLES FROM pg_monitor",
            told: "default privileges tables of postgres: right pg_monitor=r"),
        Rare(
            make: "ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC",
            undo: "ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON FUNCTIONS TO PUBLIC",
            told: "default privileges functions of postgres"),
        Rare(
            make: "CREATE STATISTICS st (dependencies) ON a, c FROM t", undo: "DROP STATISTICS st",
            told: "statistics public.st"),
        Rare(
            make: "ALTER STATISTICS st0 SET STATISTICS 7", undo: "ALTER STATISTICS st0 SET STATISTICS -1",
            told: "target 7"),
        Rare(
            make: "CREATE COLLATION nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false)",
            undo: "DROP COLLATION nocase",
            told: "collation public.nocase"),
        Rare(
            make: "CREATE OPERATOR === (FUNCTION = eq, LEFTARG = int, RIGHTARG = text)",
            undo: "DROP OPERATOR === (int, text)",
            told: "operator public.===(integer,text)"),
        Rare(
            make: "CREATE OPERATOR CLASS oc FOR TYPE comp USING btree AS FUNCTION 1 btrecordcmp(record, record)",
            undo: "DROP OPERATOR FAMILY oc USING btree CASCADE",
            told: "operator class public.oc using btree"),
        Rare(
            make: "CREATE CAST (int AS comp) WITH FUNCTION to_comp(int)", undo: "DROP CAST (int AS comp)",
            told: "cast integer as public.comp"),
        Rare(
            make: "CREATE CONVERSION conv FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8", undo: "DROP CONVERSION conv",
            told: "conversion public.conv"),
        Rare(
            make: "ALTER TEXT SEARCH CONFIGURATION cfg ALTER MAPPING FOR asciiword WITH english_stem",
            undo: "ALTER TEXT SEARCH CONFIGURATION cfg ALTER MAPPING FOR asciiword WITH simple",
            told: "text search configuration public.cfg: 1 1 english_stem"),
        Rare(
            make: "CREATE TEXT SEARCH DICTIONARY dd (TEMPLATE = simple, STOPWORDS = english)",
            undo: "DROP TEXT SEARCH DICTIONARY dd",
            told: "text search dictionary public.dd"),
        Rare(
            make: "CREATE FOREIGN DATA WRAPPER w", undo: "DROP FOREIGN DATA WRAPPER w", told: "foreign data wrapper w"),
        Rare(make: "CREATE SERVER s FOREIGN DATA WRAPPER w0", undo: "DROP SERVER s", told: "server s"),
        Rare(
            make: "GRANT USAGE ON FOREIGN SERVER s0 TO pg_monitor",
            undo: "REVOKE USAGE ON FOREIGN SERVER s0 FROM pg_monitor",
            told: "server s0: right pg_monitor=U"),
        Rare(make: "CREATE PUBLICATION p FOR ALL TABLES", undo: "DROP PUBLICATION p", told: "publication p"),
        Rare(
            make: "ALTER PUBLICATION p0 SET (publish = 'insert')",
            undo: "ALTER PUBLICATION p0 SET (publish = 'insert, update, delete, truncate')",
            told: "publication p0: true false false false"),
        Rare(
            make: "ALTER TABLE t ALTER a SET STATISTICS 300", undo: "ALTER TABLE t ALTER a SET STATISTICS -1",
            told: "properties public.t: column a statistics 300"),
        Rare(
            make: "ALTER INDEX i ALTER 1 SET STATISTICS 9", undo: "ALTER INDEX i ALTER 1 SET STATISTICS -1",
            told: "properties public.i: column 1 statistics 9"),
        Rare(
            make: "ALTER TABLE t ALTER b SET COMPRESSION pglz", undo: "ALTER TABLE t ALTER b SET COMPRESSION DEFAULT",
            told: "properties public.t: column b compression p"),
        Rare(
            make: "ALTER TABLE t SET (toast.autovacuum_enabled = off)",
            undo: "ALTER TABLE t RESET (toast.autovacuum_enabled)", told: "toast options autovacuum_enabled=off"),
        Rare(
            make: "REFRESH MATERIALIZED VIEW m WITH NO DATA", undo: "REFRESH MATERIALIZED VIEW m",
            told: "properties public.m: not populated"),
        Rare(
            make: "CREATE DOMAIN dom AS text COLLATE \"C\"", undo: "DROP DOMAIN dom; CREATE DOMAIN dom AS text",
            told: "properties public.dom: collate \"C\"", again: "DROP DOMAIN dom"),
        Rare(
            make: "CREATE TYPE rng AS RANGE (SUBTYPE = float8, SUBTYPE_DIFF = float8mi)",
            undo: "DROP TYPE rng; CREATE TYPE rng AS RANGE (SUBTYPE = float8)",
            told: "properties public.rng: range by float8_ops float8mi", again: "DROP TYPE rng"),
    ]

    @Test func `misses what a file makes, and finds what a file has taken back`() throws {
        let bench = try Workbench()
        let files = [
            Self.before, Self.rare.map { $0.make + ";" }.joined(separator: "\n"),
            Self.rare.map { $0.undo + ";" }.joined(separator: "\n"),
        ]
        for (number, file) in files.enumerated() {
            try bench.write("\(number + 1)_f.sql", file)
            try bench.query(file)
        }
        func adopt(_ version: String) throws -> Program.Outcome {
            try bench.run("adopt", "--baseline", version, "--dry-run")
        }
        func expect(_ outcome: Program.Outcome, _ word: String) {
            #expect(outcome.status == 1)
            let lines = outcome.output.split(separator: "\n")
            for rare in Self.rare {
                #expect(lines.contains { $0.hasPrefix(word) && $0.contains(rare.told) }, "\(rare.make): \(outcome)")
            }
        }
        expect(try adopt("2"), "missing")
        let right = try adopt("3")
        #expect(right.status == 0, "\(right)")
        for rare in Self.rare {
            if let again = rare.again { try bench.query(again) }
            try bench.query(rare.make)
        }
        expect(try adopt("3"), "left")
    }
}
