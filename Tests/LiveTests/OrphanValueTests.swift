import LiveSupport
import Testing

/// A value comes back as what it was, whatever its type and whatever path names are searched in.
@Suite struct `Values that come back` {
    struct Sample: Sendable, CustomTestStringConvertible {
        let name: String
        let values: [String]
        init(_ name: String, _ values: String...) { (self.name, self.values) = (name, values) }
        var testDescription: String { name }
    }

    private static let setup = """
        CREATE EXTENSION citext; CREATE EXTENSION ltree; CREATE EXTENSION hstore; CREATE DOMAIN document AS jsonb; CREATE DOMAIN real8 AS float8;
        CREATE TYPE pair AS (j jsonb, f float8, n text); CREATE TYPE mood AS ENUM ('glad', 'null', '1');
        CREATE TYPE documents AS (all_of document[], one pair);
        """

    static let types = [
        Sample(
            "jsonb", "null", "\"123\"", "123", "\"null\"", "true", "\"true\"", "\"\"", "1.0", "1e400", "-0.0", "[]",
            "{\"a\": null}", "\"{}\"", "\"\\\\u00e9\\\"\"", "[null]"),
        Sample("document", "null", "\"123\"", "\"[1]\"", "1.50"),
        Sample("json", "null", "\"123\"", " {\"b\" : 1, \"a\":2, \"a\":3} ", "1.0", "\"null\"", "[1 ]"),
        Sample("jsonb[]", "{null,\"null\"}", "{\"\\\"123\\\"\",123}", "{}", "{{1,2},{3,4}}", "[0:1]={1,2}"),
        Sample("json[]", "{\"null\",\"{\\\"a\\\" : 1}\"}", "{NULL}"),
        Sample(
            "float8", "-0", "0", "NaN", "Infinity", "-Infinity", "5e-324", "0.1", "1e15", "123456789012345680",
            "1.7976931348623157e308"),
        Sample("real8", "-0", "0.30000000000000004"),
        Sample("float4", "-0", "0", "NaN", "0.1", "1e-45", "16777216", "3.4028235e38", "-Infinity"),
        Sample("float8[]", "{-0,NULL,NaN}", "{}"), Sample("point", "(-0,0)", "(1e-300,NaN)"),
        Sample(
            "numeric", "0", "1.000", "NaN", "Infinity", "-0.0", "123456789012345678901234567890.1234567890", "1e-300"),
        Sample("numeric(9,3)", "1", "0.001"),
        Sample("int8", "9223372036854775807", "-9223372036854775808", "9007199254740993"),
        Sample("bool", "t", "f"),
        Sample(
            "text", "", " ", "null", "NULL", "\"x\"", "\\x00", "a\\\\b", "{}", "é\u{301}\u{1F600}", "line\nnext\ttab"),
        Sample("char(5)", "ab", "", "     "), Sample("varchar(9)", "ab  ", ""), Sample("\"char\"", "a", "", "\\377"),
        Sample("citext", "Ab"),
        Sample("bytea", "\\x", "\\x0001ff"), Sample("name", "null"), Sample("mood", "null", "1"),
        Sample("pair", "(null,-0,)", "(\"\"\"123\"\"\",NaN,\"\")", "(,,)", "(1,0,null)"),
        Sample("pair[]", "{\"(null,-0,)\",NULL,\"(\\\"1.0\\\",1,x)\"}"),
        Sample("documents", "(\"{null,NULL}\",\"(null,-0,a)\")", "(,\"(,,)\")", "(,)"),
        Sample("date", "infinity", "0044-03-15 BC", "2026-02-28"),
        Sample("timestamp", "-infinity", "294276-12-31 23:59:59.999999"),
        Sample("timestamptz", "infinity", "2026-10-25 02:30:00+02", "0001-01-01 00:00:00+00 BC"),
        Sample("time", "24:00", "00:00:00.000001"),
        Sample("timetz", "24:00-15:59", "01:02:03.4+05:30"),
        Sample("interval", "1 mon -1 day", "-00:00:01", "30 days", "1 mon", "-1 year -2 mons +3 days"),
        Sample("money", "1.5"), Sample("uuid", "00000000-0000-0000-0000-000000000000"),
        Sample("inet", "10.0.0.1/8", "::1"),
        Sample("macaddr8", "08:00:2b:01:02:03:04:05"),
        Sample("bit(3)", "001"), Sample("varbit", "", "0101"), Sample("xml", "<a/>", "x&amp;<![CDATA[y]]>"),
        Sample("tsvector", "'a':1A 'b':2"), Sample("tsquery", "'a' & !'b'"),
        Sample("int4range", "empty", "[1,5)", "(,)"), Sample("int4multirange", "{}", "{[1,2),[5,9)}"),
        Sample("numrange", "[1.0,1.00]"), Sample("tstzrange", "[2026-01-01,)"),
        Sample("box", "(1,1),(-0,0)"), Sample("ltree", "a.b.c", ""), Sample("hstore", "\"a\"=>NULL, \"b\"=>\"NULL\""),
        Sample("pg_lsn", "0/16B3748"), Sample("oid", "4294967295"),
        Sample("int2vector", "1 2"), Sample("jsonpath", "$.\"a\"[*]"), Sample("xid8", "18446744073709551615"),
        Sample("aclitem", "postgres=r/postgres"),
    ]

    @Test(arguments: types)
    func `of a row that was deleted, or changed without a key to find it by`(type: Sample) throws {
        try expectBack(type, way: "one-transaction")
    }

    @Test(
        arguments: types.filter {
            ["jsonb", "json", "float8", "text", "pair", "timestamptz", "interval", "bytea"].contains($0.name)
        })
    func `of a row that was deleted or changed step by step`(type: Sample) throws {
        try expectBack(type, way: "stepwise")
    }

    private func expectBack(_ type: Sample, way: String) throws {
        let rows = type.values.map { "('\($0.replacing("'", with: "''"))'::\(type.name))" }.joined(separator: ", ")
        let dirty = try OrphanBench(
            """
            SET TimeZone = 'Europe/Berlin'; \(Self.setup) CREATE TABLE p (id int PRIMARY KEY);
            CREATE TABLE c (p int NOT NULL DEFAULT 9, x \(type.name), id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY);
            CREATE TABLE d (p int DEFAULT 9, x \(type.name)); INSERT INTO c (x) VALUES \(rows), (NULL); INSERT INTO d (x) SELECT x FROM c
            """, "c", "d")
        try dirty.clean(
            "SET LOCAL extra_float_digits = -3; SET LOCAL DateStyle = 'SQL, DMY'; SET LOCAL IntervalStyle = iso_8601; SET LOCAL TimeZone = 'Asia/Kolkata'; SET LOCAL bytea_output = escape;\n"
                .replacing(way == "stepwise" ? "SET LOCAL" : "nothing", with: "SET")
                + "ALTER TABLE c ADD CONSTRAINT k FOREIGN KEY (p) REFERENCES p; ALTER TABLE d ADD CONSTRAINT l FOREIGN KEY (p) REFERENCES p;",
            "foreign-keys=\(way)", down: "ALTER TABLE c DROP CONSTRAINT k; ALTER TABLE d DROP CONSTRAINT l;")
        let count = type.values.count + 1
        try dirty.expect("c deleted \(count), d nullified \(count)")
        try dirty.expectWayBack()
    }

    @Test(arguments: [
        Sample("jsonb", "null", "\"123\"", "\"null\"", "1.0", "[]"), Sample("float8", "-0", "NaN", "5e-324"),
        Sample("float4", "-0", "0.1"),
        Sample("numeric", "1.00", "NaN"), Sample("interval", "30 days", "31 days"), Sample("char(5)", "ab", ""),
        Sample("text", "", "null"), Sample("pair", "(null,-0,x)"),
        Sample("bytea", "\\x"), Sample("ltree", "a.b", ""), Sample("numrange", "empty", "[1.0,2]"),
        Sample("numeric[]", "{1.0,NULL}", "{}"),
    ])
    func `of a reference that became null, and of the row that it is found by`(type: Sample) throws {
        let rows = type.values.map { "('\($0.replacing("'", with: "''"))'::\(type.name))" }.joined(separator: ", ")
        let parent = type.name.hasPrefix("float") ? "7" : type.name == "pair" ? "(7,7,7)" : nil
        let dirty = try OrphanBench(
            """
            \(Self.setup) CREATE TABLE p (id \(type.name) PRIMARY KEY); \(parent.map { "INSERT INTO p VALUES ('\($0)');" } ?? "")
            CREATE TABLE c (x \(type.name), p \(type.name) PRIMARY KEY); INSERT INTO c (p) VALUES \(rows); UPDATE c SET x = p;
            CREATE TABLE d (p \(type.name)); INSERT INTO d SELECT p FROM c
            """, "p", "c", "d")
        try dirty.clean(
            "ALTER TABLE c ADD CONSTRAINT k FOREIGN KEY (x) REFERENCES p; ALTER TABLE d ADD CONSTRAINT l FOREIGN KEY (p) REFERENCES p;",
            down: "ALTER TABLE c DROP CONSTRAINT k; ALTER TABLE d DROP CONSTRAINT l;")
        try dirty.expect("c nullified \(type.values.count), d nullified \(type.values.count)")
        try dirty.expectWayBack()
    }

    @Test(
        arguments: [
            "regclass", "regclass[]", "named", "named[]", "nested", "regtype[]", "regproc", "regprocedure[]",
            "regnamespace", "regrole[]",
        ], ["app, public", "public"])
    func `that name an object name the same one, under whatever search_path`(type: String, path: String) throws {
        let value =
            switch type {
            case "regclass": "'app.things'"
            case "regclass[]": "ARRAY['app.things'::regclass, 'public.things', NULL]"
            case "named": "ROW('app.things'::regclass, 'public.things'::regclass, 'x')"
            case "named[]": "ARRAY[ROW('app.things'::regclass, 'public.things'::regclass, 'x')::named]"
            case "nested":
                "ROW(ROW('app.things'::regclass, 'public.things'::regclass, 'x')::named, ARRAY['app.things'::regclass])"
            case "regtype[]": "ARRAY['app.things'::regtype, 'public.things', 'int4']"
            case "regproc": "'app.same'"
            case "regprocedure[]": "ARRAY['app.same(int)'::regprocedure, 'public.same(int)']"
            case "regnamespace": "'app'"
            default: "ARRAY['postgres'::regrole]"
            }
        let dirty = try OrphanBench(
            """
            CREATE SCHEMA app; CREATE TABLE app.things (id int); CREATE TABLE things (id int);
            CREATE FUNCTION app.same(int) RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE FUNCTION public.same(int) RETURNS int LANGUAGE sql AS 'SELECT 2';
            CREATE TYPE named AS (a regclass, b regclass, word text); CREATE TYPE nested AS (one named, more regclass[]);
            CREATE TABLE public.p (id int PRIMARY KEY); CREATE TABLE public.c (id int PRIMARY KEY, p int NOT NULL, x \(type));
            CREATE TABLE public.d (p int, x \(type)); INSERT INTO public.c VALUES (1, 9, \(value)); INSERT INTO public.d VALUES (9, \(value))
            """, "public.c", "public.d")
        try dirty.bench.query("ALTER DATABASE \(dirty.bench.database.name) SET search_path = \(path)")
        try dirty.bench.query(dirty.note)
        try dirty.clean(
            "SET LOCAL search_path = app, pg_catalog; ALTER TABLE public.c ADD CONSTRAINT k FOREIGN KEY (p) REFERENCES public.p; ALTER TABLE public.d ADD CONSTRAINT l FOREIGN KEY (p) REFERENCES public.p;",
            down: "ALTER TABLE public.c DROP CONSTRAINT k; ALTER TABLE public.d DROP CONSTRAINT l;")
        try dirty.expect("c deleted 1, d nullified 1")
        try dirty.expectWayBack()
    }
}
