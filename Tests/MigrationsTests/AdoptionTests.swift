import Digest
import Reporting
import Testing

@testable import Migrations

/// Other tools' histories, read without a server.
@Suite struct AdoptionTests {
    private static let text = Array("SELECT 1;\n".utf8)

    private func table(_ tool: AdoptionTool, without: [String] = [], extra: [String: String] = [:]) -> CatalogTable {
        var columns = extra
        for column in tool.columns where !without.contains(column.name) {
            columns[column.name] =
                switch column.form {
                case .text: "varchar"
                case .integer: "int8"
                case .boolean: "bool"
                case .time: "timestamptz"
                case .bytes: "bytea"
                case .number: "numeric"
                case .json: "jsonb"
                case .enumeration: "schema_version_type"
                }
        }
        return CatalogTable(schema: tool.schema ?? "public", name: tool.tableNames[0], columns: columns)
    }

    private func adopt(
        _ tool: AdoptionTool, _ rows: [[String?]], _ set: MigrationSet, named: Bool = false,
        text: [UInt8]? = AdoptionTests.text
    ) throws -> Adoption {
        let without = tool == .drizzle && !rows.contains { $0.count > 3 } ? ["name", "applied_at"] : []
        let found = try HistoryTable.find(
            in: [table(tool, without: without)], tool: named ? tool : nil, layout: LayoutName(rawValue: tool.rawValue))
        return try Adoption(source: #require(found), rows: rows, set: set) { _ in text }
    }

    // MARK: Telling apart

    @Test(arguments: AdoptionTool.allCases.filter { $0 != .encore })
    func `each tool's table is known by name and columns`(tool: AdoptionTool) throws {
        let layout = LayoutName(rawValue: tool.rawValue)
        let found = try HistoryTable.find(in: [table(tool)], layout: layout)
        #expect(found?.tool == tool)
        #expect(found?.query.contains("FROM \"\(tool.schema ?? "public")\".\"\(tool.tableNames[0])\"") == true)
        let optional = tool.columns.filter(\.optional).map(\.name)
        #expect(try HistoryTable.find(in: [table(tool, without: optional)], layout: layout)?.tool == tool)
    }

    @Test func `a table with a common name is a tool's only beside that tool's folder`() throws {
        for tool in AdoptionTool.allCases where tool.hasCommonName {
            #expect(try HistoryTable.find(in: [table(tool)]) == nil)
            #expect(try HistoryTable.find(in: [table(tool)], tool: tool)?.tool == tool)
        }
        // An application's own table in another schema than the tool's is none of the tool's.
        let own = CatalogTable(schema: "public", name: "migrations", columns: ["id": "int4"])
        #expect(try HistoryTable.find(in: [own, table(.goose)])?.tool == .goose)
        #expect(try HistoryTable.find(in: [own]) == nil)
        var laravel = table(.rambler, extra: ["id": "int4", "batch": "int4"])
        laravel.name = "migrations"
        #expect(throws: Complaint.self) { try HistoryTable.find(in: [laravel], layout: .rambler) }
    }

    @Test func `Hasura's older table stays beside its state`() throws {
        let older = CatalogTable(
            schema: "hdb_catalog", name: "schema_migrations", columns: ["version": "int8", "dirty": "bool"])
        #expect(try HistoryTable.find(in: [older, table(.hasura)])?.tool == .hasura)
        #expect(try HistoryTable.find(in: [older])?.tool == .golangMigrate)
        #expect(throws: Complaint.self) { try HistoryTable.find(in: [older, table(.hasura), table(.goose)]) }
    }

    @Test func `Supabase's services keep histories that are not the project's`() throws {
        let auth = CatalogTable(schema: "auth", name: "schema_migrations", columns: ["version": "varchar"])
        #expect(try HistoryTable.find(in: [auth, table(.supabase)])?.tool == .supabase)
        #expect(try HistoryTable.find(in: [auth])?.tool == .dbmate)
    }

    @Test func `what is asked for is named as the catalog has it`() throws {
        #expect(CatalogTable.names("s.a\"b").contains("\"a\\\"b\""))
        let rows = [["public", "t", "a", "int8"], ["public", "t", "b", "text"], ["x", "t", "a", "int8"]]
        #expect(CatalogTable.tables(rows).map(\.columns) == [["a": "int8", "b": "text"], ["a": "int8"]])
        var named = table(.goose)
        named.name = "our \"goose\""
        let found = try HistoryTable.find(in: [named], named: "public.our \"goose\"")
        #expect(found?.query.contains("\"public\".\"our \"\"goose\"\"\"") == true)
        #expect(try HistoryTable.find(in: []) == nil)
    }

    @Test func `two tools' tables at once need the operator`() throws {
        let both = [table(.goose), table(.prisma)]
        let error = #expect(throws: Complaint.self) { try HistoryTable.find(in: both) }
        #expect(error?.status == .configuration)
        #expect(try HistoryTable.find(in: both, tool: .goose)?.tool == .goose)
        #expect(try HistoryTable.find(in: both, named: "_prisma_migrations")?.tool == .prisma)
        var second = table(.goose)
        second.schema = "other"
        #expect(throws: Complaint.self) { try HistoryTable.find(in: [table(.goose), second], tool: .goose) }
        #expect(try HistoryTable.find(in: [table(.goose), second], named: "other.goose_db_version")?.table == second)
    }

    @Test func `a table of another shape is refused with what is wrong`() {
        let missing = #expect(throws: Complaint.self) {
            try HistoryTable.find(in: [table(.prisma, without: ["checksum"])])
        }
        #expect(missing?.message.hasSuffix("column 'checksum' is missing") == true)
        var other = table(.diesel)
        other.columns["version"] = "jsonb"
        #expect(throws: Complaint.self) { try HistoryTable.find(in: [other]) }
        // dbmate's name with golang-migrate's columns, and the reverse, are the other one's.
        #expect(throws: Complaint.self) { try HistoryTable.find(in: [table(.golangMigrate)], tool: .dbmate) }
        #expect(throws: Complaint.self) { try HistoryTable.find(in: [], named: "nowhere") }
    }

    @Test func `columns that a tool does not make are told`() throws {
        let found = try #require(try HistoryTable.find(in: [table(.goose, extra: ["note": "text"])]))
        let adoption = try Adoption(source: found, rows: [], set: try set(listing("1_a.sql"), .goose)) { _ in nil }
        #expect(adoption.findings.map(\.kind) == [.notInHistory, .foreignColumn])
    }

    @Test func `the table of Rails is not dbmate's`() throws {
        let rails = CatalogTable(schema: "public", name: "ar_internal_metadata", columns: ["key": "varchar"])
        #expect(throws: Complaint.self) { try HistoryTable.find(in: [table(.dbmate), rails]) }
        #expect(try HistoryTable.find(in: [table(.dbmate), rails], tool: .dbmate)?.tool == .dbmate)
    }

    // MARK: Sums and locks

    @Test func `lock keys are each tool's own`() throws {
        func keys(_ tool: AdoptionTool) throws -> [Int64]? {
            try HistoryTable.find(in: [table(tool)], tool: tool)?.lockKeys(database: "mydb")
        }
        #expect(try keys(.prisma) == [72_707_369])
        #expect(try keys(.golangMigrate) == [616_192_132, 2_103_762_914])
        #expect(try keys(.flyway) == [77_433_833_903_597])
        #expect(try keys(.goose) == [4_097_083_626])
        #expect(try keys(.sqlx) == [293_176_876_009_260_204])
        #expect(try keys(.dbmate) == [])
    }

    @Test func `Flyway's sums do not see line ends`() {
        for text in ["SELECT 1;\n", "SELECT 1;\r\n", "SELECT 1;", "\u{feff}SELECT 1;", "SEL\nECT 1;"] {
            #expect(ToolChecksum.flyway("78787420", Array(text.utf8)) == .same)
        }
        #expect(ToolChecksum.flyway("1420201952", Array("CREATE TABLE a (\n  id int\n);".utf8)) == .same)
        #expect(ToolChecksum.flyway("0", []) == .same)
        #expect(ToolChecksum.flyway("78787420", Array("SELECT 2;".utf8)) == .different)
        // A sum above 2^31 is written as a negative number.
        #expect(ToolChecksum.flyway("-390611389", Array("a".utf8)) == .same)
    }

    @Test func `Prisma's sums are those of any line ends, and the old form is known`() {
        let unix = Array("a\nb\n".utf8)
        let windows = Array("a\r\nb\r\n".utf8)
        #expect(ToolChecksum.prisma(SHA256.hex(unix), unix) == .same)
        #expect(ToolChecksum.prisma(SHA256.hex(unix), windows) == .sameButLineEnds)
        #expect(ToolChecksum.prisma(SHA256.hex(windows), unix) == .sameButLineEnds)
        #expect(ToolChecksum.prisma(SHA256.hex(unix), Array("a".utf8)) == .different)
        let old = SHA256.hash(unix).map { String($0, radix: 16) }.joined()
        #expect(old.count < 64)
        #expect(ToolChecksum.prisma(old, unix) == .same)
    }

    // MARK: Histories

    private func words(_ adoption: Adoption) -> [String] {
        adoption.entries.map { entry in
            let how = entry.assumption.map { "assumed \($0.rawValue)" } ?? entry.checksum.rawValue
            return "\(entry.migration.name) \(how)"
        }
    }

    private func told(_ adoption: Adoption) -> [String] {
        adoption.findings.map { "\($0.kind.rawValue) \($0.name)" }
    }

    @Test func `prisma: failed, rolled back and repeated rows`() throws {
        let sum = SHA256.hex(Self.text)
        let set = try set(listing(["1_a", "2_b", "3_c", "4_d", "5_e"].map { $0 + "/migration.sql" }))
        let adoption = try adopt(
            .prisma,
            [
                ["i", "1_a", sum, "t0", "t1", nil, nil],
                ["i", "2_b", sum, "t0", nil, "t2", "boom"], ["i", "2_b", "0" + sum.dropFirst(), "t0", "t3", nil, ""],
                ["i", "3_c", sum, "t0", nil, nil, "relation exists\nmore"],
                ["i", "4_d", sum, "t0", nil, "t1", nil], ["i", "9_gone", sum, "t0", "t1", nil, nil],
            ], set)
        #expect(words(adoption) == ["1_a same", "2_b different"])
        #expect(adoption.entries[0].appliedAt == "t1")
        #expect(
            told(adoption) == [
                "failed_there 3_c", "rolled_back_there 4_d", "not_in_folder 9_gone", "checksum_differs 2_b",
                "not_in_history 5_e",
            ])
        #expect(adoption.findings[0].message.contains("failed there: relation exists;"))
    }

    @Test func `golang-migrate: a high-water mark, dirty or not`() throws {
        let set = try set(listing("1_a.up.sql", "002_b.up.sql", "3_c.up.sql"))
        let adoption = try adopt(.golangMigrate, [["2", "false"]], set)
        #expect(words(adoption) == ["1_a assumed version", "002_b assumed version"])
        #expect(told(adoption) == ["not_in_history 3_c"])
        let dirty = try adopt(.golangMigrate, [["2", "true"]], set)
        #expect(words(dirty) == ["1_a assumed version"])
        #expect(told(dirty) == ["failed_there 002_b", "not_in_history 3_c"])
        #expect(try adopt(.golangMigrate, [["-1", "true"]], set).entries.isEmpty)
        #expect(try adopt(.golangMigrate, [], set).entries.isEmpty)
        #expect(try told(adopt(.golangMigrate, [["4", "false"]], set)) == ["not_in_folder 4"])
    }

    @Test func `encore: one row for each version, or one for all`() throws {
        let set = try set(listing("1_a.up.sql", "2_b.up.sql", "3_c.up.sql"))
        let rows: [[String?]] = [["1", "false"], ["3", "false"], ["7", "false"]]
        let many = try adopt(.encore, rows, set, named: true)
        #expect(words(many) == ["1_a assumed text", "3_c assumed text"])
        #expect(told(many) == ["not_in_folder 7", "not_in_history 2_b"])
        #expect(many.findings[1].message.contains("although '3_c' behind it is applied"))
        #expect(try words(adopt(.golangMigrate, rows, set)) == words(many))
        #expect(throws: Complaint.self) { try adopt(.golangMigrate, rows, set, named: true) }
        let one = try adopt(.encore, [["2", "false"]], set, named: true)
        #expect(one.entries.count == 2 && told(one).first == "ambiguous 2")
    }

    @Test func `drizzle: by sum, then by time, and what was passed over is told`() throws {
        let entries = [("0000_a", 1000), ("0001_b", 2000), ("0002_late", 1500), ("0003_c", 3000), ("0004_d", 4000)]
        let journal = entries.map { #"{"tag":"\#($0.0)","when":\#($0.1)}"# }.joined(separator: ",")
        let set = try set(
            listing(["meta/_journal.json"] + entries.map { $0.0 + ".sql" }),
            files: ["meta/_journal.json": #"{"entries":[\#(journal)]}"#])
        let texts = Dictionary(uniqueKeysWithValues: entries.map { ($0.0, Array($0.0.utf8)) })
        let found = try #require(
            try HistoryTable.find(in: [table(.drizzle, without: ["name", "applied_at"])]))
        let rows: [[String?]] = [
            ["1", SHA256.hex(texts["0000_a"] ?? []), "1000"], ["2", "edited", "2000"],
            ["3", SHA256.hex(texts["0003_c"] ?? []), "3000"], ["4", "unknown", "9"],
        ]
        let adoption = try Adoption(source: found, rows: rows, set: set) { texts[$0.name] }
        #expect(words(adoption) == ["0000_a same", "0001_b different", "0003_c same"])
        #expect(
            told(adoption) == [
                "not_in_folder the row with the time 9", "skipped_there 0002_late", "checksum_differs 0001_b",
                "not_in_history 0004_d",
            ])
    }

    @Test func `drizzle 1.0: by name, and rows that were upgraded by their second`() throws {
        let set = try set(
            listing(
                ["20250102030405_a", "20250103000000_b", "20250104000000_c"].flatMap {
                    ["\($0)/migration.sql", "\($0)/snapshot.json"]
                }))
        #expect(set.migrations[0].time == 1_735_787_045_000)
        let adoption = try adopt(
            .drizzle,
            [
                ["1", "old", "1735787045678", nil, nil],
                ["2", SHA256.hex(Self.text), "1735862400000", "20250103000000_b", "t"],
            ], set)
        #expect(words(adoption) == ["20250102030405_a different", "20250103000000_b same"])
        #expect(told(adoption) == ["checksum_differs 20250102030405_a", "not_in_history 20250104000000_c"])
    }

    private func flyway(_ rank: Int, _ version: String?, _ type: String = "SQL", ok: Bool = true, _ title: String = "x")
        -> [String?]
    {
        [
            String(rank), version, title, type, "s.sql", type == "SQL" ? "78787420" : nil, ok ? "true" : "false",
            "t\(rank)",
        ]
    }

    @Test func `flyway: ranks are folded, undone and failed ones stay pending`() throws {
        let set = try set(
            listing("V1__a.sql", "V1.1__b.sql", "V2__c.sql", "V3__d.sql", "V4__e.sql", "R__my_view.sql", "B2__x.sql"))
        let adoption = try adopt(
            .flyway,
            [
                flyway(0, nil, "SCHEMA"), flyway(1, "1"), flyway(2, "1.1"), flyway(3, "2"), flyway(4, "2", "UNDO_SQL"),
                flyway(5, "3", ok: false), flyway(6, nil, "my view"), flyway(7, "8"), flyway(8, "4"),
                flyway(9, "4", "DELETE"), flyway(10, "9"), flyway(11, "9", "DELETE"),
            ].map { row in row[3] == "my view" ? flyway(6, nil, "SQL", "my view") : row }, set)
        #expect(words(adoption) == ["V1__a same", "V1.1__b same", "R__my_view same"])
        #expect(
            told(adoption) == [
                "rolled_back_there V2__c", "failed_there V3__d", "not_in_folder 8", "not_in_history V4__e",
            ])
        let again = try adopt(
            .flyway, [flyway(1, "2"), flyway(2, "2", "UNDO_SQL"), flyway(3, "2"), flyway(4, "1", ok: false)], set)
        #expect(words(again) == ["V2__c same"])
    }

    @Test func `flyway: a baseline stands for what is before it`() throws {
        let set = try set(listing("V1__a.sql", "V2__b.sql", "V3__c.sql", "B2__x.sql"))
        let marked = try adopt(.flyway, [flyway(1, "2", "BASELINE"), flyway(2, "3")], set)
        #expect(words(marked) == ["V1__a assumed version", "V2__b assumed version", "V3__c same"])
        let ran = try adopt(.flyway, [flyway(1, "2", "SQL_BASELINE"), flyway(2, "3")], set)
        #expect(words(ran) == ["B2__x assumed text", "V3__c same"])
    }

    @Test func `goose: the newest row of a version counts`() throws {
        let set = try set(listing("00001_a.sql", "00002_b.sql", "00003_c.go"), .goose)
        let adoption = try adopt(
            .goose,
            [
                ["1", "0", "true", nil], ["2", "1", "true", "t"], ["3", "2", "true", "t"], ["4", "2", "false", "t"],
                ["5", "3", "true", "t"], ["6", "5", "true", "t"], ["7", "6", "true", "t"], ["8", "6", "false", "t"],
            ], set)
        #expect(words(adoption) == ["00001_a assumed text", "00003_c assumed text"])
        #expect(told(adoption) == ["rolled_back_there 00002_b", "not_in_folder 5"])
    }

    @Test func `dbmate and diesel: one row for each version`() throws {
        let dbmate = try set(listing("001_a.sql", "01_b.sql", "2_c.sql"), .dbmate)
        let adoption = try adopt(.dbmate, [["01"], ["2"], ["9"]], dbmate)
        #expect(words(adoption) == ["01_b assumed text", "2_c assumed text"])
        #expect(told(adoption) == ["not_in_folder 9", "not_in_history 001_a"])
        let diesel = try set(listing("2024-01-02-030405_x/up.sql"))
        #expect(try words(adopt(.diesel, [["20240102030405", "t"]], diesel)) == ["2024-01-02-030405_x assumed text"])
    }

    @Test func `sqlx: sums of the whole text`() throws {
        let set = try set(listing("1_a.sql", "2_b.sql", "3_c.sql"), .sqlx)
        let adoption = try adopt(
            .sqlx,
            [
                ["1", "true", SHA384.hex(Self.text), "t"], ["2", "true", "00", "t"], ["3", "false", "00", "t"],
            ], set)
        #expect(words(adoption) == ["1_a same", "2_b different"])
        #expect(told(adoption) == ["failed_there 3_c", "checksum_differs 2_b"])
        #expect(try adopt(.sqlx, [["1", "true", "00", "t"]], set, text: nil).entries[0].checksum == .unread)
    }

    @Test func `a history of which nothing is in the folder is refused`() throws {
        let set = try set(listing("1_a.sql"), .goose)
        let error = #expect(throws: Complaint.self) { try adopt(.goose, [["1", "7", "true", nil]], set) }
        #expect(error?.status == .configuration)
    }

    @Test func `a baseline takes everything up to a version`() throws {
        let set = try set(listing("V1__a.sql", "B2__x.sql", "V2__b.sql", "V3__c.sql", "R__v.sql"))
        let adoption = try Adoption(baseline: "2", set: set)
        #expect(words(adoption) == ["V1__a assumed version", "V2__b assumed version"])
        #expect(throws: Complaint.self) { try Adoption(baseline: "7", set: set) }
    }
}
