import JSON
import Reporting
import SQLParsing
import Testing

private func script(_ text: String, _ options: ScriptOptions = ScriptOptions()) throws -> Script {
    try Script(Array(text.utf8), file: "x.sql", options: options)
}

private func complaint(_ bytes: [UInt8], _ options: ScriptOptions = ScriptOptions()) -> Complaint? {
    do {
        _ = try Script(bytes, file: "x.sql", options: options)
        return nil
    } catch {
        return error
    }
}

extension Script {
    fileprivate func string(_ range: Range<Int>) -> String { String(decoding: text[range], as: UTF8.self) }
}

@Suite struct `A script` {
    @Test func `statements lose comments before them, white space and semicolons, and keep what is inside`() throws {
        let script = try script("-- a\n SELECT /* b */ 1 ;;\r\n/* c */ SELECT 2 -- d")
        #expect(script.statements.map { script.string($0.range) } == ["SELECT /* b */ 1", "SELECT 2"])
        #expect(script.statements.map(\.line) == [2, 3])
        #expect(script.segments.map { script.string($0.range) } == ["SELECT /* b */ 1 ;;\r\n/* c */ SELECT 2"])
    }

    @Test func `what is sent for an own block leaves its BEGIN and COMMIT out`() throws {
        let script = try script("SELECT 0;BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT 1; SELECT 2 ; COMMIT;")
        #expect(
            script.segments.map { String(decoding: script.sql(in: $0), as: UTF8.self) } == [
                "SELECT 0", "SELECT 1; SELECT 2",
            ])
        #expect(script.segments.map(\.begin) == [nil, "BEGIN ISOLATION LEVEL SERIALIZABLE"])
        #expect(script.segments.map(\.ownBlock) == [false, true])
    }

    private static var takenBack: ScriptOptions {
        var options = ScriptOptions()
        options.rollsBack = true
        return options
    }

    @Test(arguments: [
        ("BEGIN;\nSELECT 1;\nSELECT 2;\nROLLBACK;\n", ["SELECT 1;\nSELECT 2"]),
        (
            "START TRANSACTION READ ONLY; SET TRANSACTION ISOLATION LEVEL SERIALIZABLE; SELECT 1; COMMIT AND CHAIN; SELECT 2; ABORT",
            ["SELECT 1", "SELECT 2"]
        ),
        ("SELECT 1; SAVEPOINT a; SELECT 2; ROLLBACK TO a", ["SELECT 1; SAVEPOINT a; SELECT 2; ROLLBACK TO a"]),
        ("ROLLBACK; BEGIN; -- nothing\nEND;", []),
    ])
    func `what is taken back leaves out what begins and ends transactions`(text: String, sent: [String]) throws {
        let script = try script(text, Self.takenBack)
        #expect(script.segments.map { script.string($0.range) } == sent)
        #expect(script.segments.allSatisfy { $0.kind == .transaction })
    }

    @Test(arguments: [
        ("SELECT 1;\nVACUUM;", 2, "VACUUM cannot run inside a transaction"),
        ("\\set x 1\nSELECT 1;", 1, "psql command"),
        ("SELECT\n:'x';", 2, "cannot read this"), ("PREPARE TRANSACTION 'x';", 1, "PREPARE TRANSACTION"),
    ])
    func `what is taken back must run inside a transaction, and be read`(text: String, line: Int, words: String) {
        let found = complaint(Array(text.utf8), Self.takenBack)
        #expect(found?.status == .badFile && found?.place?.line == line, "\(found?.lines ?? [])")
        #expect(found?.message.contains(words) == true, "\(found?.lines ?? [])")
    }

    @Test func `pieces between Drizzle's markers are joined by semicolons at the same offsets`() throws {
        let source = "CREATE TABLE a (x int)\n--> statement-breakpoint\nCREATE TABLE b (x int) -- end"
        let script = try script(source, ScriptOptions(breakpoints: true))
        let blanks = String(repeating: " ", count: 23)
        #expect(
            String(decoding: script.sql(in: script.segments[0]), as: UTF8.self)
                == "CREATE TABLE a (x int)\n;\(blanks)\nCREATE TABLE b (x int)")
        #expect(script.text.count == source.utf8.count)
        #expect(script.statements.map(\.line) == [1, 3])
    }

    @Test func `a server's character position is found again in the file`() throws {
        let script = try script("-- é\nVACUUM;\nSELECT 'éé';\nSELECT é FROM t; SELECT 3")
        let segment = script.segments[1]
        let sent = String(decoding: script.sql(in: segment), as: UTF8.self)
        let character = try #require(sent.unicodeScalars.enumerated().first { $0.element == "F" }).offset + 1
        let offset = script.offset(ofCharacter: character, in: segment)
        #expect(script.place(at: offset) == Place(file: "x.sql", line: 4, column: 10))
        #expect(Place.line(4, of: script.text) == "SELECT é FROM t; SELECT 3")
        #expect(script.statement(at: offset) == 2)
        #expect(script.statement(ofResult: 1, in: segment) == 2)
        #expect(script.statement(ofResult: 3, in: segment) == nil)
        #expect(script.offset(ofCharacter: 1, in: segment) == segment.range.lowerBound)
        #expect(script.offset(ofCharacter: 0, in: segment) == segment.range.lowerBound)
        #expect(script.offset(ofCharacter: 10_000, in: segment) == segment.range.upperBound)
        #expect(script.statement(at: script.text.count) == nil)
    }

    @Test func `the excerpt of a statement is one bounded safe line`() throws {
        let script = try script(
            "SELECT\n\t'a\u{1b}[31m',   '\u{202e}';\nSELECT '" + String(repeating: "é", count: 1000) + "'")
        #expect(script.excerpt(of: 0) == "SELECT 'a\\u{1b}[31m', '\\u{202e}'")
        let long = script.excerpt(of: 1, limit: 40)
        #expect(long.utf8.count <= 40 && long.hasSuffix("é…"))
    }

    @Test func `the tree gives the fields of each statement`() throws {
        let script = try script("SELECT 1; CREATE TABLE a (x int, y text)")
        let root = try #require(script.root(1))
        #expect(root.field("relation")?.text("relname") == "a")
        #expect(root.nodes("tableElts").map(\.type) == ["ColumnDef", "ColumnDef"])
        #expect(root.field("relation")?.location == 23)
    }

    @Test func `a file the grammar cannot read is sent as it is`() throws {
        let text = "-- c\nSELECT 0x_FF;\n"
        let script = try script(text)
        #expect(script.statements.isEmpty && script.tree == nil && script.changesSettings)
        #expect(script.segments.map { script.string($0.range) } == [text])
        #expect(script.unparsed?.place == Place(file: "x.sql", line: 2, column: 8))
    }
}

@Suite struct `Hostile and odd texts` {
    @Test func `a hundred thousand terms are read`() throws {
        let script = try script("SELECT 1" + String(repeating: "+1", count: 100_000))
        #expect(script.statements.map(\.node) == ["SelectStmt"])
    }

    @Test func `parentheses deeper than the parser's stack are refused in words`() {
        let text = "SELECT " + String(repeating: "(", count: 20_000) + "1" + String(repeating: ")", count: 20_000)
        let found = complaint(Array(text.utf8))
        #expect(found?.message == "expression is nested too deeply for PostgreSQL's parser")
        #expect(found?.status == .badFile && found?.place?.line == 1)
    }

    @Test func `an expression that would overflow the writer's stack is refused before`() {
        let found = complaint(Array(("SELECT 1\n" + String(repeating: "+1", count: 1_050_000)).utf8))
        #expect(found?.message == "expression has more than 1000000 parts")
        #expect(found?.place?.line == 2)
    }

    @Test func `rows that look like one endless expression are rows`() throws {
        let rows = String(repeating: "1 2 3\n", count: 400_000)
        let script = try script("COPY a FROM stdin;\n\(rows)\\.\nSELECT 1;")
        #expect(script.statements.map(\.node) == ["CopyStmt", "SelectStmt"])
        #expect(script.statements.map(\.line) == [1, 400_003])
        #expect(script.rows.map(\.statement) == [0])
        #expect(script.rows.map { $0.range.count } == [rows.utf8.count])
        #expect(
            complaint(Array("COPY a FROM stdin;\n\(rows)".utf8))?.message == "COPY … FROM STDIN without rows")
    }

    @Test func `rows are kept apart from the text, whatever they look like`() throws {
        let rows = "1;\t$$'\n-- migrated: x=y\n\\.x\n/*\n"
        let source = "\\restrict k\nCOPY a FROM stdin; SELECT 1;\n\(rows)\\.\nSELECT 2;\n\\unrestrict k\n"
        let script = try script(source)
        #expect(script.statements.map { script.string($0.range) } == ["COPY a FROM stdin", "SELECT 1", "SELECT 2"])
        #expect(script.rows.map { String(decoding: script.rowBytes[$0.range], as: UTF8.self) } == [rows])
        #expect(script.text.count == source.utf8.count && script.segments.count == 1)
        #expect(script.text.count { $0 == 0x0A } == source.utf8.count { $0 == 0x0A })
        #expect(script.messages(0..<3, .long) == [0..<1, 1..<2, 2..<3])
    }

    @Test func `a file above the limit is refused`() {
        let found = complaint(Array("SELECT 1;".utf8), ScriptOptions(sizeLimit: 8))
        #expect(found?.message == "file has 9 bytes, more than the limit of 8")
        #expect(complaint(Array("SELECT 1;".utf8), ScriptOptions(sizeLimit: 9)) == nil)
    }

    @Test(
        arguments: [
            ([0x53, 0xC3, 0x28], 1, 2), ([0x0A, 0x0A, 0xED, 0xA0, 0x80], 3, 1),
            ([0xC3, 0xA9, 0xF4, 0x90, 0x80, 0x80], 1, 2),
            ([0x20, 0xE2, 0x82], 1, 2), ([0xC0, 0x80], 1, 1), ([0x0D, 0x0A, 0x41, 0x00], 2, 2),
        ] as [([UInt8], Int, Int)])
    func `bytes that are no text are shown at their place`(bytes: [UInt8], line: Int, column: Int) {
        let found = complaint(bytes)
        #expect(found?.status == .badFile)
        #expect(found?.place == Place(file: "x.sql", line: line, column: column))
        // A byte order mark changes no place.
        #expect(complaint([0xEF, 0xBB, 0xBF] + bytes)?.place == found?.place)
    }

    @Test func `a long rest of a file does not fill the message`() {
        let found = complaint(Array(("SELECT '" + String(repeating: "x", count: 100_000)).utf8))
        #expect(found.map { $0.message.utf8.count <= 200 } == true)
    }

    @Test func `many threads may parse at once`() async throws {
        let good = try await withThrowingTaskGroup(of: Int.self) { group in
            for count in 1...32 {
                group.addTask {
                    try script(String(repeating: "CREATE TABLE t (x int DEFAULT 1+1);\n", count: count)).statements
                        .count
                }
            }
            return try await group.reduce(0, +)
        }
        #expect(good == (1...32).reduce(0, +))
    }
}
