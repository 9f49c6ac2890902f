import Reporting

/// A type that a key's column may have, and values of it.
struct ColumnType {
    /// As SQL names it; `@pair`, `@mood` are types of the case's own schema.
    let name: String
    let values: [String]
    /// Whether it may have a collation of its own.
    let isText: Bool

    init(_ name: String, _ values: [String], isText: Bool = false) {
        self.name = name
        self.values = values
        self.isText = isText
    }
}

/// Types between which PostgreSQL may take a foreign key. Whether it takes a certain pair, and which rows it finds equal, it says itself.
enum ColumnFamily {
    private static let small = ["1", "2", "3", "7", "-1", "0"]
    private static let words = [
        "ab", "ab ", "ab   ", "AB", "zz", "Zz", "", "  ", "é", "É", "e\u{301}", "a'b", "a\\b", "ab\t",
    ]
    private static func short(_ width: Int) -> [String] { words.filter { $0.unicodeScalars.count <= width } }
    private static let dates = ["2020-01-01", "2020-01-02", "1999-12-31", "infinity", "-infinity", "0001-01-01 BC"]
    private static let moments =
        dates + ["2020-01-01 12:00:00.000001", "2020-01-02 00:00:00", "2020-01-01 00:00:00.000001"]

    private static let numbers = [
        ColumnType("smallint", small + ["32767"]), ColumnType("integer", small + ["32767", "16777217"]),
        ColumnType("bigint", small + ["16777217", "9007199254740993"]),
        ColumnType("numeric", small + ["1.0", "2.00", "1.5", "0.1", "16777217", "9007199254740993", "NaN"]),
        ColumnType("numeric(6,2)", small + ["1.5", "0.1", "0.10", "NaN"]),
        ColumnType("real", small + ["-0", "1.5", "0.1", "16777216", "NaN", "Infinity"]),
        ColumnType(
            "double precision", small + ["-0", "1.5", "0.1", "16777217", "9007199254740993", "NaN", "-Infinity"]),
    ]
    private static let texts = [
        ColumnType("text", words, isText: true), ColumnType("varchar", words, isText: true),
        ColumnType("varchar(3)", short(3), isText: true), ColumnType("char(5)", short(5), isText: true),
        ColumnType("char(2)", short(2), isText: true), ColumnType("bpchar", words, isText: true),
        ColumnType("name", words), ColumnType("\"char\"", ["a", "A", "z", " ", ""]),
    ]
    private static let times = [
        ColumnType("date", dates), ColumnType("timestamp", moments),
        ColumnType("timestamp(0)", dates + ["2020-01-02 00:00:00"]),
        ColumnType("timestamptz", moments + ["2020-01-01 05:00:00+05", "2020-01-01 02:00:00+02"]),
    ]
    private static let bits = [
        ColumnType("bit(4)", ["0000", "1111", "1010"]),
        ColumnType("varbit", ["0000", "1111", "1010", "1", "", "00000"]),
        ColumnType("varbit(6)", ["1111", "1010", "101010"]),
    ]
    private static let networks = [
        ColumnType("inet", ["10.0.0.1", "10.0.0.0/8", "::1", "10.0.0.1/24"]),
        ColumnType("cidr", ["10.0.0.0/8", "10.0.0.0/24", "::1", "10.0.0.1/32"]),
    ]
    private static let arrays = [
        ColumnType("int[]", ["{1,2}", "[0:1]={1,2}", "{}", "{NULL}", "{{1},{2}}"]),
        ColumnType("bigint[]", ["{1,2}", "{3}", "{}"]),
        ColumnType("text[]", ["{a,b}", "{NULL}", "{\"NULL\"}", "{\"\"}"]),
        ColumnType("varchar(4)[]", ["{a,b}", "{NULL}", "{\"a \"}"]),
        ColumnType("numeric[]", ["{1.0}", "{1.00}", "{2}"]),
        ColumnType("@pair[]", ["{\"(1,a)\"}", "{\"(2,)\"}", "{}"]),
    ]
    private static let ranges = [
        ColumnType("int4range", ["[1,5)", "[1,4]", "empty", "(,3)", "[7,)"]),
        ColumnType("numrange", ["[1.0,2.0)", "[1,2)", "[1.00,2)", "empty"]),
        ColumnType("tstzrange", ["[2020-01-01,2020-01-02)", "empty", "(,)"]),
    ]
    private static let alone = [
        ColumnType("uuid", ["00000000-0000-0000-0000-000000000001", "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11"]),
        ColumnType("bytea", ["\\x00", "\\x", "\\xdeadbeef", "\\x5c27"]), ColumnType("boolean", ["t", "f"]),
        ColumnType("@mood", ["sad", "ok", "ha'ppy"]), ColumnType("@pair", ["(1,a)", "(1,)", "(,a)", "(2,\"x y\")"]),
        ColumnType("jsonb", ["1", "1.0", "null", "\"1\"", "\"null\"", "{\"a\": 1.00}", "[]", "true"]),
        ColumnType("money", ["1.00", "-2.50"]), ColumnType("macaddr", ["08:00:2b:01:02:03", "08:00:2b:01:02:04"]),
        ColumnType("pg_lsn", ["0/1", "16/B374D848"]),
        ColumnType("interval", ["1 day", "24 hours", "1 mon", "30 days", "-1 year"]),
        ColumnType("time", ["00:00", "24:00", "12:00:00.000001"]),
        ColumnType("timetz", ["12:00+00", "14:00+02", "00:00-05"]),
        ColumnType("oid", ["1", "2", "4294967295"]), ColumnType("tsvector", ["a:1 b:2", "a b", ""]),
    ]

    /// A family, mostly of the common ones.
    static func pick(_ random: inout CaseRandom, on server: OrphanServer) -> [ColumnType] {
        switch random.number(0...99) {
        case 0..<24: return numbers
        case 24..<54: return texts + (server.hasCitext ? [ColumnType("public.citext", words, isText: true)] : [])
        case 54..<64: return times
        case 64..<68: return bits
        case 68..<72: return networks
        case 72..<79:
            return [random.pick(arrays)]
        case 79..<85:
            let multirange = ColumnType("int4multirange", ["{[1,5)}", "{[1,3),[3,5)}", "{}"])
            return [random.pick(ranges + (server.version >= 140000 ? [multirange] : []))]
        default: return [random.pick(alone)]
        }
    }

    /// Columns that no key touches, with values that come back as something else where they are kept carelessly.
    static let payload: [(String, [String])] = [
        ("jsonb", ["null", "\"123\"", "123", "1.0", "{\"a\": null}", "\"null\"", "true"]),
        ("json", ["null", "\"1\"", "{\"a\" :1, \"a\":2}"]), ("double precision", ["-0", "0", "NaN", "1e-300", "0.1"]),
        ("real", ["-0", "3.4e38", "0.1"]), ("numeric", ["1.10", "1.100", "NaN", "12345678901234567890.5"]),
        ("regclass[]", ["{pg_class,public.marker}"]), ("regclass", ["public.marker", "pg_class"]),
        ("regproc", ["now"]), ("regtype", ["int4"]), ("text", ["null", "", "\\N", "a\"b'c\\d", "\u{1F600}"]),
        ("char(4)", ["a", "", "ab  "]), ("bytea", ["\\x00ff", "\\x"]),
        ("timestamptz", ["2020-01-01 05:00:00.123456+05", "infinity"]),
        ("interval", ["1 mon -1 day", "-00:00:01"]), ("int[]", ["[2:3]={1,2}", "{}"]),
        ("point", ["(1,-0)"]), ("tsvector", ["'a':1 'b':2A"]), ("money", ["12.30"]), ("bit(3)", ["101"]),
        ("varbit", ["1", ""]),
        ("@pair", ["(1,\"a,b\")", "(,)"]), ("@pair[]", ["{\"(1,a)\",NULL}"]), ("@mood", ["ha'ppy"]),
        ("inet", ["10.0.0.1/8"]),
        ("numrange", ["[1.10,2)"]), ("boolean", ["t", "f"]), ("bigint", ["9007199254740993"]),
        ("\"char\"", ["\\000", "x"]),
        ("time", ["24:00"]), ("date", ["-infinity", "0044-03-15 BC"]), ("jsonpath", ["$.a"]),
        ("pg_snapshot", ["10:20:10,14"]),
        ("@words", ["null"]), ("@list", ["{1,NULL}"]), ("@rec", ["(\"(1,x)\",\"{1,2}\",pg_class)"]),
    ]
}
