import SQLParsing
import Testing

/// The expected orders are those of servers of 15 and 18: each statement was run, and what it left is what this order leaves.
@Suite struct `Commands of an ALTER TABLE` {
    @Test(arguments: [
        ("ADD CONSTRAINT k PRIMARY KEY (a), DROP CONSTRAINT k", [1, 0]),
        ("ADD a text, DROP a", [1, 0]),
        ("ALTER a SET DEFAULT 1, ALTER a DROP DEFAULT", [1, 0]),
        ("ALTER a SET NOT NULL, ALTER a DROP NOT NULL", [1, 0]),
        ("ALTER a SET GENERATED ALWAYS, ALTER a ADD GENERATED ALWAYS AS IDENTITY, ALTER a DROP IDENTITY", [2, 1, 0]),
        ("ALTER a SET DEFAULT 1, ALTER a DROP EXPRESSION", [1, 0]),
        ("ALTER a SET DEFAULT 'x', ALTER a TYPE text, ALTER a DROP DEFAULT", [2, 1, 0]),
        ("ADD CHECK (c > 0), ADD UNIQUE (c), ALTER c SET NOT NULL, ADD c int", [3, 2, 1, 0]),
        ("ADD CONSTRAINT z CHECK (a > 0), ADD UNIQUE (a), ADD CONSTRAINT x UNIQUE USING INDEX i", [2, 1, 0]),
        ("VALIDATE CONSTRAINT n, ADD CONSTRAINT n CHECK (a > 0) NOT VALID", [1, 0]),
        (
            "ENABLE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY, RESET (fillfactor), SET (fillfactor = 70)",
            [0, 1, 2, 3]
        ),
    ])
    func `come in the order in which PostgreSQL does them`(commands: String, order: [Int]) throws {
        let script = try Script(Array("ALTER TABLE t \(commands);".utf8), file: "f.sql")
        #expect(try #require(script.root(0)).alterTableCommands.map(\.number) == order)
    }
}
