import JSON
import SQLLexing
import Testing

@testable import SQLParsing

/// A large text is never parsed as a whole; what is known of it must be the same.
@Suite struct `A text in pieces` {
    private func script(_ text: String, inPieces: Bool) throws -> Script {
        var options = ScriptOptions()
        if inPieces { options.parsedAtOnce = 0 }
        return try Script(Array(text.utf8), file: "x.sql", options: options)
    }

    private static let text = """
        -- é
        CREATE TABLE a (x int PRIMARY KEY, y text REFERENCES b (c)); INSERT INTO a VALUES (1, 'it''s; (é)'), (-2.5e3, NULL);
        insert into s."b;" (x, "y z") values (+1, true) ON CONFLICT DO NOTHING;
        INSERT INTO a VALUES ((SELECT 1), now());
        ALTER TABLE a ADD CONSTRAINT k FOREIGN KEY (x) REFERENCES c (d), ADD COLUMN z int;
        CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT CASE WHEN true THEN 2 END; END;
        CREATE RULE r AS ON DELETE TO a DO ALSO (SELECT 1; SELECT 2);
        DO $$ BEGIN PERFORM 1; END $$;;
        INSERT INTO a SELECT * FROM b; CREATE INDEX i ON a (y)
        """

    /// Every location that a tree names, in order.
    private func locations(_ script: Script) -> [[Int?]] {
        script.statements.indices.map { index in
            script.root(index)?.descendants(with: "location").map(\.location) ?? []
        }
    }

    @Test func `has the same statements, lines, segments and locations`() throws {
        let whole = try script(Self.text, inPieces: false)
        let pieces = try script(Self.text, inPieces: true)
        #expect(pieces.statements == whole.statements && pieces.statements.count == 10)
        #expect(pieces.segments == whole.segments)
        // Of the rows of an INSERT no tree is kept.
        let kept = whole.statements.indices.filter { ![1, 2].contains($0) }
        #expect(kept.map { locations(pieces)[$0] } == kept.map { locations(whole)[$0] })
        #expect(pieces.root(2)?.field("relation")?.location == whole.root(2)?.field("relation")?.location)
        #expect(pieces.root(2)?.field("relation")?.text("relname") == "b;")
        #expect(pieces.root(1)?.node("selectStmt")?.fields.has("valuesLists") == true)
    }

    @Test func `keeps no more trees than its room, and reads those again that are asked for`() throws {
        let source = try SourceText(Array(Self.text.utf8), file: "x.sql", limit: 1 << 20)
        let parsing = TextParsing(source: source, copies: [], procedures: [])
        guard case .read(let all) = try parsing.atOnce() else { throw Failed() }
        var small = TreeReading(source, procedures: [], room: 0)
        guard case .tree(let json) = Grammar.parse(source.bytes) else { throw Failed() }
        try small.take(json, of: 0..<source.bytes.count)
        #expect(small.statements == all.statements)
        for (index, statement) in small.statements.enumerated() {
            #expect(small.tree.places[index].part == SyntaxTree.Place.none.part)
            func locations(_ tree: SyntaxTree) -> [Int?]? {
                tree.root(of: index, statement.range, in: source.bytes)?.descendants(with: "location").map(\.location)
            }
            let (again, kept) = (locations(small.tree), locations(all.tree))
            #expect(kept != nil)
            #expect(again == kept)
        }
    }

    private struct Failed: Error {}

    @Test(
        arguments: [
            ("INSERT INTO t VALUES (1)", true),
            ("insert into a.b (c, \"d\") overriding system value values (1, 'x')", true),
            ("INSERT INTO t VALUES (-1, +2.5e7, NULL, DEFAULT, 'a''b;')", true),
            ("INSERT INTO t VALUES (1), /* ; */ (2)", true),
            ("INSERT INTO t VALUES (1) ON CONFLICT DO NOTHING", true), ("INSERT INTO t VALUES (1) RETURNING x", false),
            ("INSERT INTO t VALUES (now())", false), ("INSERT INTO t VALUES (1 + 1)", false),
            ("INSERT INTO t VALUES (E'\\x')", false),
            ("INSERT INTO t VALUES ('a' 'b')", false), ("INSERT INTO t VALUES (12abc)", false),
            ("INSERT INTO t VALUES (1e)", false),
            ("INSERT INTO t VALUES ()", false), ("INSERT INTO t VALUES (1,)", false),
            ("INSERT INTO t VALUES (1), ", false),
            ("INSERT INTO t (a.b) VALUES (1)", false), ("INSERT INTO t SELECT 1", false),
            ("INSERT INTO t VALUES (x)", false),
            ("INSERT INTO t VALUES ($1)", false), ("INSERT INTO t VALUES (1) (2)", false),
            ("INSERT INTO t VALUES (1", false),
            ("INSERT INTO t VALUES (B'1')", false), ("INSERT INTO t VALUES (- 'x')", false),
            ("INSERT INTO t VALUES ('x", false),
        ])
    func `is an INSERT of plain rows, or is not`(text: String, isPlain: Bool) throws {
        var cutter = StatementCutter(Array((text + "; SELECT 1").utf8))
        let next = cutter.next()
        let piece = try #require(next)
        #expect((piece.rows != nil) == isPlain)
        if isPlain {
            #expect(piece.range.count == text.utf8.count)
            let behind = cutter.next()
            #expect(behind?.range.count == 8)
            guard case .tree = Grammar.parse(Array(text.utf8)) else { throw Failed() }
        }
    }

    @Test(
        arguments: [
            ("SELECT 1;\nSELEC 2;\n", 2), ("INSERT INTO t VALUES (1);\nINSERT INTO order VALUES (1);\n", 2),
            ("INSERT INTO t VALUES (1);\n\nINSERT INTO t VALUES (1,);\nSELECT 1;", 3),
            ("SELECT 'é';\n\n\nSELECT (;\n", 4),
        ])
    func `has its errors at their places`(text: String, line: Int) throws {
        func place(_ inPieces: Bool) throws -> String? { try script(text, inPieces: inPieces).unparsed?.place?.text }
        #expect(try place(true) == place(false))
        #expect(try script(text, inPieces: true).unparsed?.place?.line == line)
    }

    @Test func `tells statements that differ in nothing but their rows, and their places`() throws {
        let text =
            "CREATE TABLE t (a int);\n/* é */ INSERT INTO t VALUES (1); INSERT INTO t VALUES (2);\nINSERT INTO u VALUES (3);\n  INSERT INTO u VALUES (4)"
        let pieces = try script(text, inPieces: true)
        #expect(pieces.statements.indices.map(pieces.isRepetition) == [false, false, true, false, true])
        let whole = try script(text, inPieces: false)
        #expect(!whole.statements.indices.contains(where: whole.isRepetition))
        for index in pieces.statements.indices {
            #expect(pieces.place(of: index) == whole.place(at: whole.statements[index].range.lowerBound))
        }
    }

    @Test func `is sent in messages of a bounded size`() throws {
        let row = "INSERT INTO t VALUES (1, '" + String(repeating: "x", count: 974) + "');\n"
        let script = try script(String(repeating: row, count: 2000), inPieces: true)
        #expect(script.statements.count == 2000 && script.segments.count == 1)
        let messages = script.messages(0..<2000, .long)
        #expect(messages.count == 4 && messages.first?.lowerBound == 0 && messages.last?.upperBound == 2000)
        #expect(zip(messages, messages.dropFirst()).allSatisfy { $0.upperBound == $1.lowerBound })
    }
}
