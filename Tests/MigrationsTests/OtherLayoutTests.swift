import Reporting
import Testing

@testable import Migrations

/// Layouts of Flyway, goose, dbmate, diesel and sqlx.
@Suite struct OtherLayoutTests {
    private static let goose = "-- +goose Up\nselect 1;\n"
    private static let dbmate = "-- migrate:up\nselect 1;\n-- migrate:down\n"

    @Test(arguments: [
        (["V1__a.sql"], [:], LayoutName.flyway), (["sub/R__views.sql"], [:], .flyway), (["B2__base.sql"], [:], .flyway),
        (["1_a/up.sql"], [:], .diesel),
        (["1_a.sql", "2_b.sql"], ["1_a.sql": OtherLayoutTests.goose], .goose),
        (["1_a.sql", "2_b.sql"], ["2_b.sql": OtherLayoutTests.dbmate], .dbmate),
        (["20250101a.sql"], ["20250101a.sql": OtherLayoutTests.dbmate], .dbmate),
        (["1_a.sql"], ["1_a.sql": "-- no-transaction\nselect 1"], .sqlx),
        (["1_a.sql"], ["1_a.sql": "select '-- +goose'"], .flat),
    ])
    func `a layout is found by names and by what is in the files`(
        paths: [String], files: [String: String], layout: LayoutName
    ) throws {
        #expect(try set(listing(paths), files: files).layout == layout)
    }

    @Test(arguments: [
        ["V1__a.sql", "1_a.sql"], ["1_a/up.sql", "2_b/migration.sql"], ["V1__a.sql", "1_a.up.sql"],
    ])
    func `what looks like two layouts is refused`(paths: [String]) {
        #expect(throws: Complaint.self) { try set(listing(paths)) }
    }

    @Test func `goose and golang-migrate files in one directory are refused`() {
        #expect(throws: Complaint.self) {
            try set(listing("1_a.sql", "2_b.up.sql"), files: ["1_a.sql": Self.goose])
        }
    }

    // MARK: Names

    @Test(arguments: [
        ("V1__salt & pepper.sql", LayoutName.flyway), ("V1__a&b.sql", .flyway), ("V1__a#b.sql", .flyway),
        ("V1__50%.sql", .flyway),
        ("V1__[a]_{b}^.sql", .flyway), ("1_a&b#.sql", .flat), ("1_it's: a.sql", .flat), ("1_it's_a.sql", .mybatis),
        ("1_a&b.sql", .goose), ("1_a&b.up.sql", .golangMigrate),
        ("1_a#[b]/migration.sql", .prisma), ("1_a#/up.sql", .diesel),
    ])
    func `a title may hold what ends no command`(path: String, layout: LayoutName) throws {
        let found = try set(listing(path), layout, files: [path: Self.goose])
        #expect(found.names.count == 1)
        #expect(found.told == [])
    }

    @Test(arguments: [("R__a&b.sql", LayoutName.flyway), ("1_a&b/migration.sql", .prisma), ("1_a&b/up.sql", .diesel)])
    func `a name that commands hold may not end one`(path: String, layout: LayoutName) throws {
        let found = try set(listing(path), layout)
        #expect(
            found.findings.allSatisfy { $0.complaint.message.hasSuffix("holds '&', which a migration's name must not") }
        )
        #expect(found.findings.count == 1)
        #expect(found.migrations.allSatisfy { $0.obstacle != nil })
    }

    @Test(arguments: [
        ";", "|", "<", ">", "*", "?", "$", "`", "\"", "\\", "!", "\n", "\u{1B}", "\u{202E}", "\u{200B}",
    ])
    func `what could end a line, quote or command is refused wherever it stands`(character: String) throws {
        let found = try set(listing("V1__a\(character)b.sql"), .flyway)
        #expect(found.told == ["invalid_file V1__a\(character)b.sql"])
    }

    // MARK: Flyway

    @Test func `flyway runs versions part by part and then what is repeatable by title`() throws {
        let found = try set(
            listing(
                "V2__c.sql", "V1_10__b.sql", "V1.2__a.sql", "R__b views.sql", "sub/R__a_views.sql", "sub/V10__d.sql",
                "U2__undo.sql", "U7__gone.sql", "Views.sql", "V1x__no.sql", "V11.sql", "afterMigrate.sql"))
        #expect(found.versions == ["1.2", "1.10", "2", "10", "11", "R__a_views", "R__b views"])
        #expect(found.migrations.map(\.repeatable) == [false, false, false, false, false, true, true])
        #expect(found.migrations[2].downPath == "U2__undo.sql")
        #expect(
            Set(found.told) == [
                "down_without_up U7__gone.sql", "unknown_file V1x__no.sql", "unknown_file Views.sql",
                "unknown_file afterMigrate.sql",
            ])
        #expect(try found.index(of: "1.02.0") == 0)
    }

    @Test(arguments: [["V1__a.sql", "V1.0__b.sql"], ["R__a.sql", "sub/R__a.sql"], ["B1__a.sql", "B01__b.sql"]])
    func `two files of one version or title are an error`(paths: [String]) {
        let error = #expect(throws: Complaint.self) { try set(listing(paths), .flyway) }
        #expect(error?.status == .badFile)
    }

    @Test func `flyway's folders are searched one level deep, and the rest is told`() throws {
        var all = listing("sub/V1__a.sql")
        all.entries.append(DirectoryEntry(path: "sub/deep", kind: .directory))
        #expect(try set(all).told == ["unknown_file sub/deep"])
    }

    @Test func `a script's settings are read`() throws {
        let paths = [
            "V1__a.sql", "V1__a.sql.conf", "V2__b.sql", "V2__b.sql.conf", "sub/V3__c.sql", "sub/V3__c.sql.conf",
        ]
        let found = try set(
            listing(paths),
            files: [
                "V1__a.sql.conf": "# x\nexecuteInTransaction = false\r\n", "V2__b.sql.conf": "shouldExecute=${x}",
                "sub/V3__c.sql.conf": "placeholderReplacement=false",
            ])
        #expect(found.migrations.map(\.withoutTransaction) == [true, false, false])
        #expect(found.migrations[1].obstacle?.complaint.place == Place(file: "V2__b.sql.conf", line: 1, column: 1))
        #expect(found.migrations[2].notation == .verbatim)
    }

    // MARK: goose

    @Test func `goose takes numbers above zero with an underscore, and a migration in Go holds its place`() throws {
        let found = try set(
            listing("10_c.sql", "2_b.go", "001_a.sql", "2_b_test.go", "helpers.go", "0_zero.sql", "3-x.sql", "4.sql"),
            .goose)
        #expect(found.names == ["001_a", "2_b", "10_c"])
        #expect(found.migrations.map { $0.obstacle == nil } == [true, false, true])
        #expect(found.migrations[0].downPath == "001_a.sql")
        #expect(
            found.told == [
                "invalid_file 2_b.go", "unknown_file 0_zero.sql", "unknown_file 3-x.sql", "unknown_file 4.sql",
            ])
        #expect(throws: Complaint.self) { try set(listing("1_a.sql", "01_b.go"), .goose) }
    }

    // MARK: dbmate

    @Test func `dbmate sorts by bytes and tells versions apart letter by letter`() throws {
        let found = try set(listing("2_b.sql", "10_a.sql", "010_x.sql", "20250101name.sql", "x.sql"), .dbmate)
        #expect(found.versions == ["010", "10", "20250101", "2"])
        #expect(found.identity(version: "10", name: "old title") == found.migrations[1].identity)
        #expect(found.told == ["unknown_file x.sql"])
        #expect(throws: Complaint.self) { try set(listing("1_a.sql", "1_b.sql"), .dbmate) }
    }

    // MARK: diesel

    @Test func `diesel sorts versions as texts, without their hyphens`() throws {
        let found = try set(
            listing(
                "2_b/up.sql", "10_a/up.sql", "2024-01-02-030405_x/up.sql", "2024-01-02-030405_x/down.sql", "empty/",
                "9_z/down.sql", ".git/x", "README.md", "10_a/extra.sql"))
        #expect(found.layout == .diesel)
        #expect(found.versions == ["10", "2", "20240102030405", "9"])
        #expect(found.migrations[2].downPath == "2024-01-02-030405_x/down.sql")
        #expect(found.migrations.map { $0.obstacle == nil } == [true, true, true, false])
        #expect(found.told == ["invalid_file 9_z", "unknown_file 10_a/extra.sql"])
        #expect(throws: Complaint.self) { try set(listing("2024-01_a/up.sql", "202401_b/up.sql"), .diesel) }
    }

    @Test(arguments: [
        ("", true), ("run_in_transaction = true", false), ("# x\n run_in_transaction=false # y", true),
        ("[other]\nrun_in_transaction = true\n", true),
    ])
    func `diesel's metadata says whether a transaction is wanted`(text: String, without: Bool) throws {
        let found = try set(listing("1_a/up.sql", "1_a/metadata.toml"), files: ["1_a/metadata.toml": text])
        #expect(found.migrations[0].withoutTransaction == without)
        #expect(found.findings.allSatisfy { $0.reason == .unknownSetting })
        #expect(found.findings.isEmpty == !text.contains("other"))
    }

    @Test func `an unknown key is told and a bad value holds the line`() throws {
        let paths = ["1_a/up.sql", "1_a/metadata.toml", "2_b/up.sql", "2_b/metadata.toml"]
        let found = try set(
            listing(paths),
            files: [
                "1_a/metadata.toml": "run_in_transaktion = true\n", "2_b/metadata.toml": "\nrun_in_transaction = 1",
            ])
        #expect(found.told == ["invalid_file 2_b/metadata.toml", "unknown_setting 1_a/metadata.toml"])
        #expect(found.migrations[1].obstacle?.complaint.place == Place(file: "2_b/metadata.toml", line: 2, column: 1))
    }

    // MARK: sqlx

    @Test func `sqlx takes plain and reversible files by number`() throws {
        let found = try set(
            listing("10_c.up.sql", "10_c.down.sql", "2_b.sql", "3_gone.down.sql", "readme.sql", "1.sql"), .sqlx)
        #expect(found.names == ["2_b", "10_c"])
        #expect(found.migrations.map(\.downPath) == [nil, "10_c.down.sql"])
        #expect(found.told == ["down_without_up 3_gone.down.sql", "unknown_file 1.sql", "unknown_file readme.sql"])
        let error = #expect(throws: Complaint.self) { try set(listing("1_a.sql", "seed_data.sql"), .sqlx) }
        #expect(error?.message == "'seed_data.sql' does not begin with a number, which sqlx refuses")
        #expect(try set(listing("9223372036854775808_a.sql"), .sqlx).migrations[0].obstacle != nil)
    }

    @Test func `late files do as each tool does`() {
        let apply = LayoutName.allCases.filter { $0.lateByDefault == .apply }
        #expect(apply == [.prisma, .dbmate, .diesel, .sqlx, .sqlMigrate, .hasura, .liquibase])
    }
}
