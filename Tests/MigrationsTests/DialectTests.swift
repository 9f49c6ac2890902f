import Reporting
import Testing

@testable import Migrations

/// Files of one number that are written for other tools.
@Suite struct DialectTests {
    private func refusal(_ text: String, _ notation: Notation = .plain) -> Complaint? {
        do throws(Complaint) {
            _ = try MigrationFile(
                migration: Migration(
                    version: "1", name: "1_a", path: "1_a.sql", notation: notation, identity: .named("1_a")),
                bytes: Array(text.utf8))
            return nil
        } catch {
            return error
        }
    }

    static let marks: [(String, String)] = [
        ("sql-migrate", "-- +migrate Up"), ("sql-migrate", "-- +migrate Down"),
        ("node-pg-migrate", "-- Up Migration"), ("node-pg-migrate", "-- Down Migration"),
        ("mybatis", "-- //@UNDO"), ("mybatis", "--//@UNDO"), ("tern", "---- create above / drop below ----"),
        ("rambler", "-- rambler up"), ("rambler", "-- rambler down"), ("play", "# --- !Ups"), ("play", "-- !Downs"),
        ("play", "# --- !Downs"), ("liquibase", "--liquibase formatted sql"),
        ("liquibase", "-- liquibase formatted sql"),
        ("sqitch", "-- Deploy shop:users to pg"), ("sqitch", "-- Revert shop:users from pg"),
        ("sqitch", "-- Verify shop:users on pg"), ("goose", "-- +goose Up"), ("dbmate", "-- migrate:up"),
    ]

    @Test(arguments: marks)
    func `a plain file with another tool's mark is refused by that tool's name, with the line`(
        tool: String, mark: String
    ) {
        let error = refusal("CREATE TABLE people ();\n\(mark)\r\nDROP TABLE people;\n")
        #expect(error?.status == .badFile)
        #expect(error?.message == "the file is written for \(tool)")
        #expect(error?.place?.line == 2)
        #expect(error?.hint?.isEmpty == false)
    }

    @Test(arguments: [
        "-- Deploy users to the cluster", "-- Up migration: adds what the price needs",
        "-- The rambler goes up and down",
        "-- // Enumerations", "-- Goes down", "-- !important", "# a comment of MySQL's", "-- +1 for this",
        "-- liquibase was here", "SELECT '-- +migrate';",
    ])
    func `prose is no mark`(line: String) {
        #expect(refusal("CREATE TABLE people ();\n\(line)\n") == nil)
    }

    @Test(arguments: [Notation.verbatim, .flyway, .sqlx])
    func `formatted SQL of Liquibase is refused wherever whole files run`(notation: Notation) {
        let error = refusal("\n--liquibase formatted sql\n--changeset a:1\nCREATE TABLE t ();\n", notation)
        #expect(error?.message == "the file is written for liquibase")
        #expect(error?.place?.line == 2)
    }

    @Test func `sqlx's mark means in a plain file what it means to sqlx`() throws {
        let file = try MigrationFile(
            migration: Migration(version: "1", name: "1_a", path: "1_a.sql", identity: .named("1_a")),
            bytes: Array("-- no-transaction\nSELECT 1;\n".utf8))
        #expect(file.withoutTransaction(for: .up))
        #expect(file.text(for: .up) == file.bytes)
    }

    // MARK: Found by looking

    @Test(arguments: [1, 4, 90])
    func `a mark in any of the files decides, wherever it stands`(place: Int) throws {
        let paths = (1...90).map { "\($0)_a.sql" }
        for (text, layout) in [
            ("-- no-transaction\nSELECT 1;", LayoutName.sqlx), ("-- +goose Up\nSELECT 1;", .goose),
            ("-- migrate:up\n-- migrate:down\n", .dbmate),
        ] {
            var files = Dictionary(uniqueKeysWithValues: paths.map { ($0, "SELECT 1;") })
            files["\(place)_a.sql"] = text
            #expect(try set(listing(paths), files: files).layout == layout)
        }
    }

    @Test func `where files of one direction lie beside pairs, the layout that runs both is named`() throws {
        let error = #expect(throws: Complaint.self) { try set(listing("1_a.up.sql", "2_b.sql")) }
        #expect(error?.hint?.contains("'layout = \"sqlx\"'") == true)
        let other = #expect(throws: Complaint.self) { try set(listing("1_a.up.sql", "002a_b.sql")) }
        #expect(other?.hint?.contains("sqlx") == false)
    }

    @Test func `names that sqlx refuses make a folder flat, and its mark is honoured there`() throws {
        let paths = ["1_a.sql", "1.1_b.sql", "002a_c.sql"]
        let found = try set(listing(paths), files: ["1_a.sql": "-- no-transaction\nSELECT 1;"])
        #expect(found.layout == .flat)
        #expect(found.names == ["1_a", "1.1_b", "002a_c"])
    }
}
