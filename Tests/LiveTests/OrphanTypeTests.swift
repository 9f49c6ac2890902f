import LiveSupport
import Testing

/// Which rows refer to nothing is the server's word: the operators, casts and collations of the key itself say it.
@Suite struct `What PostgreSQL itself takes for an orphan` {
    struct Pair: Sendable, CustomTestStringConvertible {
        let parent: String
        let child: String
        let parents: [String]
        let valid: [String]
        let orphans: [String]
        var testDescription: String { "\(parent) <- \(child)" }
    }

    private static let setup = """
        CREATE EXTENSION citext; CREATE EXTENSION hstore;
        CREATE COLLATION ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
        CREATE DOMAIN small AS int; CREATE DOMAIN smaller AS small CHECK (VALUE < 1000); CREATE DOMAIN fixed AS char(5);
        CREATE DOMAIN word AS text COLLATE ci; CREATE TYPE mood AS ENUM ('glad', 'sad', 'none'); CREATE TYPE pair AS (a int, b numeric)
        """

    static let pairs = [
        Pair(parent: "char(5)", child: "text", parents: ["ab"], valid: ["ab", "ab  "], orphans: ["zz"]),
        Pair(parent: "char(5)", child: "varchar(9)", parents: ["ab"], valid: ["ab", "ab    "], orphans: ["zz", "a"]),
        Pair(parent: "char(5)", child: "char(9)", parents: ["ab"], valid: ["ab"], orphans: ["zz"]),
        Pair(parent: "varchar(5)", child: "char(5)", parents: ["ab", "cd "], valid: ["ab"], orphans: ["cd", "zz"]),
        Pair(parent: "text", child: "char(5)", parents: ["ab", "cd "], valid: ["ab"], orphans: ["cd", "zz"]),
        Pair(parent: "fixed", child: "text", parents: ["ab"], valid: ["ab", "ab  "], orphans: ["zz"]),
        Pair(parent: "text", child: "fixed", parents: ["ab", "cd "], valid: ["ab"], orphans: ["cd"]),
        Pair(parent: "name", child: "text", parents: ["ab"], valid: ["ab"], orphans: ["ab ", "zz"]),
        Pair(
            parent: "real", child: "numeric", parents: ["0.1", "0.5"], valid: ["0.1", "0.5", "0.10000000149"],
            orphans: ["9.9", "0.1001"]),
        Pair(
            parent: "double precision", child: "numeric", parents: ["0.1"], valid: ["0.1", "0.10000000000000000001"],
            orphans: ["9.9"]),
        Pair(
            parent: "double precision", child: "real", parents: ["0.1", "0.5"], valid: ["0.5"], orphans: ["0.1", "9.9"]),
        Pair(
            parent: "real", child: "double precision", parents: ["0.1", "0.5"], valid: ["0.5"], orphans: ["0.1", "9.9"]),
        Pair(
            parent: "real", child: "bigint", parents: ["16777216"], valid: ["16777216", "16777217"],
            orphans: ["16777218"]),
        Pair(
            parent: "double precision", child: "bigint", parents: ["9007199254740992"],
            valid: ["9007199254740992", "9007199254740993"], orphans: ["1"]),
        Pair(parent: "numeric", child: "int", parents: ["1.00"], valid: ["1"], orphans: ["2"]),
        Pair(parent: "numeric", child: "numeric(9,3)", parents: ["1.00", "NaN"], valid: ["1", "NaN"], orphans: ["2"]),
        Pair(
            parent: "double precision", child: "double precision", parents: ["0", "NaN"], valid: ["-0", "NaN"],
            orphans: ["2"]),
        Pair(parent: "smallint", child: "bigint", parents: ["1"], valid: ["1"], orphans: ["65537", "2"]),
        Pair(parent: "bigint", child: "smaller", parents: ["1"], valid: ["1"], orphans: ["2"]),
        Pair(parent: "smaller", child: "bigint", parents: ["1"], valid: ["1"], orphans: ["2", "5000"]),
        Pair(parent: "text", child: "citext", parents: ["ab"], valid: ["ab"], orphans: ["AB", "zz"]),
        Pair(parent: "citext", child: "citext", parents: ["ab"], valid: ["ab", "AB"], orphans: ["zz"]),
        Pair(parent: "text COLLATE ci", child: "text", parents: ["ab"], valid: ["ab", "AB"], orphans: ["zz"]),
        Pair(parent: "text", child: "text COLLATE ci", parents: ["ab"], valid: ["ab"], orphans: ["AB", "zz"]),
        Pair(parent: "word", child: "varchar", parents: ["ab"], valid: ["ab", "AB"], orphans: ["zz"]),
        Pair(parent: "text COLLATE ci", child: "char(5)", parents: ["ab"], valid: ["ab", "AB"], orphans: ["zz"]),
        Pair(
            parent: "timestamp", child: "date", parents: ["2026-01-01 00:00", "2026-01-02 12:00"],
            valid: ["2026-01-01"],
            orphans: ["2026-01-02"]),
        Pair(
            parent: "date", child: "timestamp", parents: ["2026-01-01"], valid: ["2026-01-01"],
            orphans: ["2026-01-01 01:00"]),
        Pair(
            parent: "interval", child: "interval", parents: ["1 month"], valid: ["30 days", "720:00"],
            orphans: ["31 days"]),
        Pair(parent: "interval", child: "time", parents: ["90 min"], valid: ["01:30"], orphans: ["01:31"]),
        Pair(parent: "inet", child: "cidr", parents: ["10.0.0.0/8"], valid: ["10.0.0.0/8"], orphans: ["10.1.0.0/16"]),
        Pair(parent: "varbit", child: "bit(3)", parents: ["101"], valid: ["101"], orphans: ["100"]),
        Pair(parent: "oid", child: "regtype", parents: ["23"], valid: ["integer"], orphans: ["text"]),
        Pair(
            parent: "numeric[]", child: "numeric[]", parents: ["{1.0}"], valid: ["{1}", "{1.00}"], orphans: ["{1,1}"]),
        Pair(parent: "pair", child: "pair", parents: ["(1,1.0)"], valid: ["(1,1)"], orphans: ["(1,2)"]),
        Pair(
            parent: "numrange", child: "numrange", parents: ["[1,2)"], valid: ["[1.0,2.00)"],
            orphans: ["[1,2]", "empty"]),
        Pair(parent: "mood", child: "mood", parents: ["glad"], valid: ["glad"], orphans: ["sad"]),
        Pair(parent: "jsonb", child: "jsonb", parents: ["1.0"], valid: ["1", "1.00"], orphans: ["\"1\"", "null"]),
        Pair(parent: "hstore", child: "hstore", parents: ["a=>1, b=>2"], valid: ["b=>2, a=>1"], orphans: ["a=>1"]),
    ]

    /// Two tables of the same rows: `c` must refer, `d` may.
    private func tables(_ pair: Pair) throws -> OrphanBench {
        func rows(_ values: [String]) -> String { values.map { "($$\($0)$$)" }.joined(separator: ", ") }
        return try OrphanBench(
            """
            \(Self.setup); CREATE TABLE p (code \(pair.parent) PRIMARY KEY);
            CREATE TABLE c (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, code \(pair.child) NOT NULL);
            CREATE TABLE d (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, code \(pair.child));
            INSERT INTO p VALUES \(rows(pair.parents)); INSERT INTO c (code) VALUES \(rows(pair.valid + pair.orphans));
            INSERT INTO d (code) SELECT code FROM c ORDER BY id; INSERT INTO d (code) VALUES (NULL)
            """, "p", "c", "d")
    }

    private func numbers(_ range: ClosedRange<Int>) -> String { range.map(String.init).joined(separator: " ") }

    /// The rows of `c` over which the server, asked about one at a time, refuses the key.
    private func refusedByHand(_ dirty: OrphanBench) throws -> String {
        try dirty.bench.query(
            """
            CREATE TABLE hand (LIKE c); CREATE TEMP TABLE refused (id int);
            DO $$
            DECLARE number int;
            BEGIN
                FOR number IN SELECT id FROM c LOOP
                    TRUNCATE hand; INSERT INTO hand SELECT * FROM c WHERE id = number;
                    BEGIN
                        ALTER TABLE hand ADD CONSTRAINT h FOREIGN KEY (code) REFERENCES p;
                        ALTER TABLE hand DROP CONSTRAINT h;
                    EXCEPTION WHEN foreign_key_violation THEN INSERT INTO refused VALUES (number);
                    END;
                END LOOP;
            END $$;
            DROP TABLE hand; SELECT string_agg(id::text, ' ' ORDER BY id) FROM refused
            """)
    }

    @Test(arguments: pairs)
    func `is what is cleaned, no row more and no row less`(pair: Pair) throws {
        try expectRight(pair, way: "one-transaction")
    }

    @Test(arguments: pairs.filter { ["char(5)", "varchar(5)", "real", "text COLLATE ci"].contains($0.parent) })
    func `is what is cleaned step by step, no row more and no row less`(pair: Pair) throws {
        try expectRight(pair, way: "stepwise")
    }

    private func expectRight(_ pair: Pair, way: String) throws {
        let dirty = try tables(pair)
        let (valid, orphans) = (pair.valid.count, pair.orphans.count)
        #expect(try refusedByHand(dirty) == numbers(valid + 1...valid + orphans), "the server itself")
        try dirty.clean(
            "ALTER TABLE c ADD CONSTRAINT k FOREIGN KEY (code) REFERENCES p;\nALTER TABLE d ADD CONSTRAINT l FOREIGN KEY (code) REFERENCES p;",
            "foreign-keys=\(way)", down: "ALTER TABLE c DROP CONSTRAINT k; ALTER TABLE d DROP CONSTRAINT l;")
        try dirty.expectKeys("k, l")
        try dirty.expect("SELECT string_agg(id::text, ' ' ORDER BY id) FROM c", is: numbers(1...valid))
        try dirty.expect(
            "SELECT string_agg(id::text, ' ' ORDER BY id) FROM d WHERE num_nulls(code) = 1",
            is: numbers(valid + 1...valid + orphans + 1))
        try dirty.expect("c deleted \(orphans), d nullified \(orphans)")
        try dirty.expectWayBack()
    }

    @Test(arguments: ["SIMPLE", "FULL"])
    func `in a key of several columns is judged by each column's own operator`(match: String) throws {
        let dirty = try OrphanBench(
            """
            CREATE TABLE p (a char(4), b real, PRIMARY KEY (b, a)); INSERT INTO p VALUES ('ab', 0.1), ('cd', 0.5);
            CREATE TABLE c (id int PRIMARY KEY, a text NOT NULL, b numeric NOT NULL, d text, e numeric);
            INSERT INTO c VALUES (1, 'ab ', 0.1, 'ab', 0.1), (2, 'cd', 0.1, NULL, NULL), (3, 'cd', 0.50, 'cd  ', 0.10), (4, 'ab', 0.5, 'ab   ', 0.1)
            """, "p", "c")
        try dirty.clean(
            """
            ALTER TABLE c ADD CONSTRAINT k FOREIGN KEY (b, a) REFERENCES p (b, a) MATCH \(match);
            ALTER TABLE c ADD CONSTRAINT l FOREIGN KEY (d, e) REFERENCES p (a, b) MATCH \(match);
            """, down: "ALTER TABLE c DROP CONSTRAINT k, DROP CONSTRAINT l;")
        try dirty.expect("SELECT id, d, e FROM c ORDER BY id", is: "1|ab|0.1\n3||")
        try dirty.expect("c deleted 2, c nullified 1")
        try dirty.expectWayBack()
    }

    @Test func `is not hidden by an inheriting table on either side`() throws {
        let dirty = try OrphanBench(
            """
            CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE p2 () INHERITS (p); INSERT INTO p VALUES (1); INSERT INTO p2 VALUES (7);
            CREATE TABLE c (id int PRIMARY KEY, p int NOT NULL); CREATE TABLE c2 () INHERITS (c);
            INSERT INTO c VALUES (1, 1), (2, 7), (3, 8); INSERT INTO c2 VALUES (2, 7), (3, 9), (4, 1)
            """, "p", "c", "c2")
        try dirty.clean("ALTER TABLE c ADD CONSTRAINT k FOREIGN KEY (p) REFERENCES p;")
        try dirty.expect("SELECT id FROM ONLY c", is: "1")
        try dirty.expect("SELECT count(*) FROM c2", is: "3")
        try dirty.expect("c deleted 2")
        try dirty.expectWayBack()
    }
}
