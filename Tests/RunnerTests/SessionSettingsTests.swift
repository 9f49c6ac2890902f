import SQLParsing
import Testing

@testable import Runner

@Suite struct `What a file sets for its session` {
    private func settings(_ text: String, before index: Int? = nil) throws -> [String] {
        let script = try Script(Array(text.utf8), file: "x.sql")
        return script.sessionSettings(before: index ?? script.statements.count)
    }

    @Test func `is SET and RESET without LOCAL, and set_config by itself`() throws {
        let text = """
            SET search_path = app;
            SET LOCAL lock_timeout = '1s';
            SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE;
            SET TRANSACTION ISOLATION LEVEL SERIALIZABLE;
            SET TIME ZONE 'UTC'; -- here
            SET ROLE owner;
            RESET work_mem;
            SELECT pg_catalog.set_config('search_path', '', false);
            SELECT set_config('a.b', 'c', false) FROM t;
            SELECT set_config('a.b', 'c', false), 1;
            SELECT 1;
            CREATE TABLE t ();
            """
        #expect(
            try settings(text) == [
                "SET search_path = app", "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE", "SET TIME ZONE 'UTC'",
                "SET ROLE owner", "RESET work_mem", "SELECT pg_catalog.set_config('search_path', '', false)",
            ])
    }

    @Test func `counts up to the statement that is next`() throws {
        #expect(try settings("SET ROLE a; SELECT 1; SET ROLE b; SELECT 2", before: 2) == ["SET ROLE a"])
        #expect(try settings("SET ROLE a", before: 0).isEmpty)
    }

    @Test func `is unknown where the grammar cannot read the file`() throws {
        #expect(try settings("SET ROLE a; SELECT 1_000_").isEmpty)
    }
}
