import SQLParsing
import Testing

@Suite struct `The messages of a script` {
    private func messages(_ text: String, _ messages: Script.Messages) throws -> [Range<Int>] {
        let script = try Script(Array(text.utf8), file: "1_a.sql")
        return script.segments.filter { $0.kind == .transaction }.flatMap { script.messages($0.statements, messages) }
    }

    @Test func `hold all statements where no table is large`() throws {
        let text = "CREATE TABLE a (b integer); CREATE INDEX ON a (b); INSERT INTO a VALUES (1); UPDATE a SET b = 2;"
        #expect(try messages(text, .long) == [0..<4])
    }

    @Test func `hold one statement that may take long where a table is large`() throws {
        let text = """
            COMMENT ON TABLE a IS 'b'; COMMENT ON TABLE b IS 'b'; CREATE INDEX ON a (b); INSERT INTO a VALUES (1);
            COMMENT ON TABLE a IS 'c'; ALTER TABLE a VALIDATE CONSTRAINT c;
            """
        #expect(try messages(text, .short) == [0..<2, 2..<3, 3..<5, 5..<6])
    }

    @Test func `are short behind what makes rows`() throws {
        let text = """
            CREATE TABLE a (b integer); UPDATE c SET d = 1; INSERT INTO a SELECT generate_series(1, 1000000); COMMENT ON TABLE a IS 'b';
            CREATE INDEX ON a (b);
            """
        #expect(try messages(text, .long) == [0..<2, 2..<3, 3..<4, 4..<5])
        #expect(try messages("CREATE TABLE a AS SELECT 1; SELECT 1", .long) == [0..<1, 1..<2])
    }

    @Test func `of an empty script are none, and a single statement needs no look`() throws {
        #expect(try messages("-- nothing", .short) == [])
        #expect(try !Script(Array("CREATE INDEX ON a (b)".utf8), file: "1").hasLongStatements)
        #expect(try Script(Array("SET a.b = 1; CREATE INDEX ON a (b)".utf8), file: "1").hasLongStatements)
        #expect(try !Script(Array("CREATE TABLE a (); CREATE TABLE b ()".utf8), file: "1").hasLongStatements)
    }
}
