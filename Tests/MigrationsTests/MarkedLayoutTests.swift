import Digest
import Reporting
import Testing

@testable import Migrations

/// Layouts of tools that keep both directions in one file, of Supabase and of Atlas.
@Suite struct MarkedLayoutTests {
    @Test(arguments: [
        (Notation.goose, "-- +goose Up\nSELECT 1;\n-- +goose Down\n"),
        (.dbmate, "-- migrate:up\nSELECT 1;\n-- migrate:down\n"),
        (.sqlMigrate, "-- +migrate Up\nSELECT 1;\n-- +migrate Down\n"),
        (.nodePgMigrate, "-- Up Migration\nSELECT 1;\n-- Down Migration\n"),
        (.rambler, "-- rambler up\nSELECT 1;\n-- rambler down\n"), (.play, "# --- !Ups\nSELECT 1;\n# --- !Downs\n"),
        (.liquibase, "--liquibase formatted sql\n--changeset a:1\nSELECT 1;\n"),
    ])
    func `a licence above the first mark is a comment, a statement is not`(notation: Notation, text: String) throws {
        for head in ["", "\u{FEFF}", "\r\n"] {
            let licence =
                text.hasPrefix("--liquibase") ? "" : "\(head)/*\n * Copyright /* nested */ 'all\n */\n-- and more\n"
            let file = try Self.migrationFile(
                licence + text.replacing("formatted sql\n", with: "formatted sql\n/* x\n y */\n"), notation)
            #expect(words(file, .up).contains("SELECT 1;"))
            guard !text.hasPrefix("--liquibase") else { continue }
            let error = #expect(throws: Complaint.self) {
                try Self.migrationFile("\(licence)/* a */ SELECT 2; -- b\n\(text)", notation)
            }
            #expect(error?.message.hasPrefix("a statement stands before") == true)
            #expect(error?.place?.line == (head == "\r\n" ? 6 : 5))
        }
    }

    @Test func `a heading for what applies alone is a comment where no tool is asked for`() throws {
        #expect(try words(Self.migrationFile("-- Up migration\nSELECT 1;\n", .plain), .up).hasSuffix("SELECT 1;"))
        let commented = "-- Up migration\nSELECT 1;\n-- Down migration (commented out)\n-- SELECT 2;\n/* and 3 */\n"
        #expect(try words(Self.migrationFile(commented, .plain), .up).contains("SELECT 1;"))
        #expect(throws: Complaint.self) {
            try Self.migrationFile("-- Up migration\nSELECT 1;\n-- Down migration\nSELECT 2;\n", .plain)
        }
    }

    private static func migrationFile(_ text: String, _ notation: Notation) throws(Complaint) -> MigrationFile {
        try MigrationFile(
            migration: Migration(
                version: "1", name: "1_a", path: "1_a.sql", downPath: "1_a.sql", notation: notation,
                identity: .named("1_a")),
            bytes: Array(text.utf8))
    }

    private func words(_ file: MigrationFile, _ way: MigrationFile.Way) -> String {
        String(decoding: file.text(for: way), as: UTF8.self).split(whereSeparator: \.isWhitespace).joined(
            separator: " ")
    }

    struct Case: Sendable, CustomStringConvertible {
        var notation: Notation
        var text: String
        var up: String
        var down: String?
        var upWithout = false
        var downWithout = false
        var description: String { "\(notation) \(text)" }
    }

    static let cases = [
        Case(
            notation: .sqlMigrate,
            text: "-- about\n-- +migrate Up\nCREATE TABLE a ();\n-- +migrate Down\nDROP TABLE a;\n",
            up: "CREATE TABLE a ();",
            down: "DROP TABLE a;"),
        Case(
            notation: .sqlMigrate, text: "-- +migrate Up notransaction\nVACUUM;\n-- +migrate Down\n", up: "VACUUM;",
            down: "",
            upWithout: true),
        Case(
            notation: .sqlMigrate,
            text:
                "-- +migrate Up\n-- +migrate StatementBegin\nSELECT 1\n-- +migrate StatementEnd\nSELECT 2;\n-- +migrate Down notransaction\nSELECT 3;\n-- +migrate Up\nSELECT 4;\n",
            up: "SELECT 1 ; SELECT 2; SELECT 4;", down: "SELECT 3;", downWithout: true),
        Case(
            notation: .nodePgMigrate, text: "-- Up Migration\nSELECT 1;\n-- Down Migration\nSELECT 2;\n",
            up: "SELECT 1;",
            down: "SELECT 2;"),
        Case(
            notation: .nodePgMigrate, text: "---- down migration: x\nSELECT 2;\n  -- UP  MIGRATION\nSELECT 1;\n",
            up: "SELECT 1;", down: "SELECT 2;"),
        Case(notation: .nodePgMigrate, text: "SELECT 1;\n", up: "SELECT 1;", down: nil),
        Case(
            notation: .mybatis,
            text:
                "-- // name\n-- Migration SQL goes here.\nSELECT 1;\n\n-- //@UNDO\n-- SQL to undo the change goes here.\nSELECT 2;\n",
            up: "-- // name -- Migration SQL goes here. SELECT 1;",
            down: "-- SQL to undo the change goes here. SELECT 2;"),
        Case(notation: .mybatis, text: "SELECT 1;\n--//  @UNDO please\nSELECT 2;", up: "SELECT 1;", down: "SELECT 2;"),
        Case(notation: .mybatis, text: "SELECT 1;\n", up: "SELECT 1;", down: nil),
        Case(
            notation: .tern, text: "SELECT 1;\n---- create above / drop below ----\nSELECT 2;\n", up: "SELECT 1;",
            down: "SELECT 2;"),
        Case(
            notation: .tern,
            text: "---- tern: disable-tx ----\nSELECT 1;\n---- create above / drop below ----\nSELECT 2;\n",
            up: "SELECT 1;", down: "SELECT 2;", upWithout: true),
        Case(notation: .tern, text: "SELECT 1;\n", up: "SELECT 1;", down: nil),
        Case(
            notation: .rambler, text: "-- rambler up\nSELECT 1\n-- rambler up\nSELECT 2\n-- rambler down\nSELECT 3\n",
            up: "SELECT 1 ; SELECT 2 ;", down: "SELECT 3"),
        // Which of two runs first, the tool alone knows how to turn round.
        Case(
            notation: .rambler,
            text: "-- rambler up\nSELECT 1;\n-- rambler down\nSELECT 2;\n-- rambler down\nSELECT 3;\n",
            up: "SELECT 1; ;", down: nil),
        Case(
            notation: .play,
            text:
                "# --- !Ups\nCREATE FUNCTION f() AS $$ SELECT 1;; SELECT 2;; $$;\n\n# --- !Downs\nDROP FUNCTION f();\n",
            up: "CREATE FUNCTION f() AS $$ SELECT 1; SELECT 2; $$;", down: "DROP FUNCTION f();"),
        Case(
            notation: .play, text: "-- users\n-- !Ups\nSELECT 1;\n-- !Downs\nSELECT 2;\n-- !Ups\nSELECT 3;",
            up: "SELECT 1; SELECT 3;", down: "SELECT 2;"),
        Case(
            notation: .play, text: "# --- The shop's scheme\n\n  # --- !Ups\nSELECT 1;\n# --- !Downs\nSELECT 2;",
            up: "SELECT 1;", down: "SELECT 2;"),
        Case(
            notation: .atlas, text: "-- atlas:txmode none\n\nVACUUM;\n", up: "-- atlas:txmode none VACUUM;",
            down: "-- atlas:txmode none VACUUM;", upWithout: true, downWithout: true),
        Case(
            notation: .atlas, text: "-- atlas:nolint\nSELECT 1;\n", up: "-- atlas:nolint SELECT 1;",
            down: "-- atlas:nolint SELECT 1;"),
    ]

    @Test(arguments: cases)
    func `each tool's sections are told apart as it does`(example: Case) throws {
        let file = try Self.migrationFile(example.text, example.notation)
        #expect(words(file, .up) == example.up)
        #expect(file.has(.down) == (example.down != nil))
        if let down = example.down { #expect(words(file, .down) == down) }
        #expect(file.text(for: .up).count == example.text.utf8.count)
        #expect(file.withoutTransaction(for: .up) == example.upWithout)
        #expect(file.withoutTransaction(for: .down) == example.downWithout)
        #expect(file.text(for: .up).filter { $0 == 10 } == example.text.utf8.filter { $0 == 10 })
    }

    @Test(arguments: [
        (Notation.sqlMigrate, "SELECT 1;\n-- +migrate Up\n", 1), (.sqlMigrate, "-- nothing\n", 1),
        (.sqlMigrate, " -- +migrate Up\n", 1), (.sqlMigrate, "-- +migrate up\n", 1),
        (.sqlMigrate, "-- +migrate Up\n-- +migrate Sideways\n", 2), (.sqlMigrate, "-- +migrate Up slowly\n", 1),
        (.sqlMigrate, "-- +migrate Down\nSELECT 1;", 1),
        (.nodePgMigrate, "SELECT 1;\n-- Down Migration\nSELECT 2;", 1),
        (.nodePgMigrate, "SELECT 1;\n-- Up Migration\n", 1),
        (.nodePgMigrate, "-- Up Migration\n-- Up Migration\n", 2),
        (.mybatis, "SELECT 1;\n-- //@UNDO\n-- //@UNDO\n", 3), (.mybatis, "SELECT 1;\nCREATE TABLE ${name} ();", 2),
        (.mybatis, "-- //@DELIMITER |\nSELECT 1|", 1),
        (.tern, "SELECT 1;\nSELECT '{{.name}}';\n", 2),
        (.rambler, "SELECT 1;\n-- rambler up\n", 1), (.rambler, "-- rambler up\n-- rambler sideways\n", 2),
        (.play, "SELECT 1;\n# --- !Ups\n", 1), (.play, "# --- !Ups\nSELECT '$evolutions{{{x}}}';", 2),
        (.play, "SELECT 1;\n", 1),
        (.atlas, "-- atlas:delimiter \\n\\n\nSELECT 1;", 1), (.atlas, "\n-- atlas:checkpoint\nSELECT 1;", 2),
        (.atlas, "-- atlas:txmode sometimes\nSELECT 1;", 1),
    ])
    func `what a tool refuses, ignores or would change is refused with its line`(
        notation: Notation, text: String, line: Int
    ) {
        let error = #expect(throws: Complaint.self) { try Self.migrationFile(text, notation) }
        #expect(error?.status == .badFile)
        #expect(error?.place?.line == line)
        #expect(error?.hint?.isEmpty == false)
    }

    // MARK: Found and sorted

    static let texts: [(LayoutName, String)] = [
        (.sqlMigrate, "-- +migrate Up\n"), (.nodePgMigrate, "-- Up Migration\n"), (.mybatis, "-- //@UNDO\n"),
        (.tern, "SELECT 1;\n---- create above / drop below ----\n"), (.rambler, "-- rambler up\n"),
        (.play, "# --- !Ups\n"),
    ]

    @Test(arguments: texts)
    func `a folder is found by what one of its files says`(layout: LayoutName, text: String) throws {
        let paths = layout == .play ? ["1.sql", "2.sql"] : ["1_a.sql", "2_b.sql"]
        let found = try set(listing(paths), files: [paths[1]: text])
        #expect(found.layout == layout)
        #expect(found.migrations.map(\.downPath) == paths)
        #expect(found.findings.isEmpty)
    }

    @Test func `sql-migrate sorts by number, then by name, and numbers may repeat`() throws {
        let found = try set(listing("10_c.sql", "2_b.sql", "2_a.sql", "x.sql"), .sqlMigrate)
        #expect(found.names == ["2_a", "2_b", "10_c", "x"])
        #expect(found.versions == ["2_a", "2_b", "10", "x"])
        #expect(found.identity(version: "2", name: "2_a") == found.migrations[0].identity)
    }

    @Test func `node-pg-migrate takes 17 digits for a moment, and a program holds its place`() throws {
        let found = try set(
            listing("1589353644505_b.sql", "20200513070724504_a.sql", "20200513070724506_c.js", "notes.md", "lib.js"),
            .nodePgMigrate)
        #expect(found.names == ["20200513070724504_a", "1589353644505_b", "20200513070724506_c"])
        #expect(found.migrations.map { $0.obstacle == nil } == [true, true, false])
    }

    @Test func `MyBatis and tern sort by number, and no two files share one`() throws {
        for layout in [LayoutName.mybatis, .tern] {
            let found = try set(listing("010_c.sql", "2_b.sql", "1_a.sql", "bootstrap.sql"), layout)
            #expect(found.versions == ["1", "2", "010"])
            #expect(found.told == ["unknown_file bootstrap.sql"])
            #expect(throws: Complaint.self) { try set(listing("1_a.sql", "01_b.sql"), layout) }
        }
    }

    @Test func `rambler sorts by the bytes of the names`() throws {
        #expect(try set(listing("10_a.sql", "2_b.sql"), .rambler).names == ["10_a", "2_b"])
    }

    @Test func `Play's numbers go up from 1 without a gap`() throws {
        let found = try set(listing("1.sql", "2.sql", "4.sql", "10.sql", "x.sql"), .play)
        #expect(found.versions == ["1", "2", "4", "10"])
        #expect(found.migrations.map { $0.obstacle == nil } == [true, true, false, false])
        #expect(found.told == ["invalid_file 4.sql", "invalid_file 10.sql", "unknown_file x.sql"])
    }

    @Test(arguments: [
        ("/srv/app/supabase/migrations", LayoutName.supabase), ("/srv/app/supabase/migrations/", .supabase),
        ("supabase/migrations", .supabase), ("/srv/app/migrations", .flat), ("/srv/supabase/migrations/old", .flat),
    ])
    func `Supabase's folder is found by its path`(path: String, layout: LayoutName) throws {
        let listing = listing("20250101000000_a.sql", "20250102000000_b.sql")
        let found = try MigrationSet(listing: listing, path: path) { _ throws(Complaint) in Array("SELECT 1;".utf8) }
        #expect(found.layout == layout)
        #expect(found.names == ["20250101000000_a", "20250102000000_b"])
    }

    @Test func `what Supabase's folder has that is another tool's is that tool's`() throws {
        let found = try MigrationSet(listing: listing("1_a.sql"), path: "supabase/migrations") { _ throws(Complaint) in
            Array("-- +goose Up\n".utf8)
        }
        #expect(found.layout == .goose)
    }

    // MARK: Atlas

    private static func sum(_ files: [(String, String)]) -> String {
        var chain: [UInt8] = []
        var lines = ""
        var all: [UInt8] = []
        for (name, text) in files {
            chain += Array(name.utf8) + Array(text.utf8)
            let hash = Base64.text(SHA256.hash(chain))
            lines += "\(name) h1:\(hash)\n"
            all += Array((name + hash).utf8)
        }
        return "h1:\(Base64.text(SHA256.hash(all)))\n" + lines
    }

    @Test func `a digest in base 64 is written as others write it`() {
        #expect(Base64.text([]) == "")
        #expect(Base64.text(Array("f".utf8)) == "Zg==")
        #expect(Base64.text(Array("fo".utf8)) == "Zm8=")
        #expect(Base64.text(Array("foobar".utf8)) == "Zm9vYmFy")
        #expect(Base64.text(SHA256.hash([])) == "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=")
        #expect(SHA1.hex(Array("abc".utf8)) == "a9993e364706816aba3e25717850c26c9cd0d89d")
    }

    @Test func `Atlas's folder is found by its sum and verified against it`() throws {
        var files = ["10_a.sql": "CREATE TABLE a ();\n", "2_b.sql": "CREATE TABLE b ();\n"]
        files["atlas.sum"] = Self.sum([("10_a.sql", files["10_a.sql"]!), ("2_b.sql", files["2_b.sql"]!)])
        let found = try set(listing("10_a.sql", "2_b.sql", "atlas.sum"), files: files)
        #expect(found.layout == .atlas)
        #expect(found.versions == ["10", "2"])

        for (change, text, path) in [
            ("2_b.sql", "CREATE TABLE c ();\n", "2_b.sql"), ("10_a.sql", "\n", "10_a.sql"),
            ("3_c.sql", "SELECT 1;", "3_c.sql"), ("atlas.sum", files["atlas.sum"]! + "3_c.sql h1:x\n", "atlas.sum"),
        ] {
            var changed = files
            changed[change] = text
            let error = #expect(throws: Complaint.self) { try set(listing(Array(changed.keys)), files: changed) }
            #expect(error?.status == .badFile)
            #expect(error?.place?.file == path)
            #expect(error?.hint?.contains("atlas migrate hash") == true)
        }
        let gone = #expect(throws: Complaint.self) { try set(listing("10_a.sql", "atlas.sum"), files: files) }
        #expect(gone?.place?.file == "2_b.sql")
        let none = #expect(throws: Complaint.self) { try set(listing("10_a.sql"), .atlas, files: files) }
        #expect(none?.message == "'atlas.sum' is not there")
    }

    @Test func `a folder in another tool's format keeps that tool's layout beside a sum`() throws {
        let found = try set(listing("1_a.sql", "atlas.sum"), files: ["1_a.sql": "-- +goose Up\n", "atlas.sum": ""])
        #expect(found.layout == .goose)
        #expect(try set(listing("1_a.up.sql", "atlas.sum")).layout == .golangMigrate)
        #expect(try set(listing("V1__a.sql", "atlas.sum")).layout == .flyway)
    }

    // MARK: Numbers that several files use

    private func byName(_ paths: String..., layout: LayoutName? = nil) throws(Complaint) -> MigrationSet {
        try MigrationSet(listing: listing(paths), layout: layout, versionBy: .name) { _ throws(Complaint) in [] }
    }

    @Test func `where files share a number, the error says how they can, and then they are known by name`() throws {
        let error = #expect(throws: Complaint.self) { try set(listing("1_a.sql", "2_b.sql", "2_c.sql")) }
        #expect(error?.hint?.contains("version-by = \"name\"") == true)
        #expect(error.map(MigrationSet.isVersionClash) == true)
        let found = try byName("10_d.sql", "2_c.sql", "2_b.sql", "1_a.sql")
        #expect(found.layout == .flat)
        #expect(found.names == ["1_a", "2_b", "2_c", "10_d"])
        #expect(found.versions == ["1", "2_b", "2_c", "10"])
        #expect(found.identity(version: "2", name: "2_c") == found.migrations[2].identity)
        #expect(try found.index(of: "2_c") == 2)
        let usage = #expect(throws: Complaint.self) { try found.index(of: "2") }
        #expect(usage?.status == .usage)
    }

    @Test func `pairs that share a number are known by name, too`() throws {
        let paths = ["1_a.up.sql", "1_a.down.sql", "1_b.up.sql", "1_b.down.sql"]
        let error = #expect(throws: Complaint.self) { try set(listing(paths)) }
        #expect(error?.hint?.contains("version-by") == true)
        let found = try byName("1_a.up.sql", "1_a.down.sql", "1_b.up.sql", "1_b.down.sql")
        #expect(found.migrations.map(\.downPath) == ["1_a.down.sql", "1_b.down.sql"])
    }

    // MARK: Other shapes of a pair

    @Test func `a V before the number and a dot behind it are read`() throws {
        let found = try set(
            listing("V0002.Second.up.sql", "V0001.First.up.sql", "V0001.First.down.sql", "v3_third.up.sql"))
        #expect(found.layout == .golangMigrate)
        #expect(found.versions == ["0001", "0002", "3"])
        #expect(found.names == ["V0001.First", "V0002.Second", "v3_third"])
        #expect(found.migrations[0].downPath == "V0001.First.down.sql")
    }

    @Test func `of files for several engines PostgreSQL's run, or else the one for all`() throws {
        let found = try set(
            listing(
                "1_a.up.sql", "1_a.down.sql", "2_b.postgres.up.sql", "2_b.mysql.up.sql", "2_b.up.sql",
                "2_b.postgres.down.sql", "3_c.sqlite3.up.sql", "3_c.postgresql.up.sql"))
        #expect(found.migrations.map(\.path) == ["1_a.up.sql", "2_b.postgres.up.sql", "3_c.postgresql.up.sql"])
        #expect(found.names == ["1_a", "2_b", "3_c"])
        #expect(found.migrations[1].downPath == "2_b.postgres.down.sql")
        #expect(found.told == ["unknown_file 2_b.mysql.up.sql"])
        #expect(found.findings[0].complaint.message.contains("and 2 more"))
    }
}
