import Digest
import Reporting
import Testing

@testable import Migrations

/// Layouts of Hasura, graphile-migrate, PGmigrate, sqitch and Liquibase.
@Suite struct FurtherLayoutTests {
    private func migrationFile(_ text: String, _ notation: Notation) throws(Complaint) -> MigrationFile {
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

    // MARK: Hasura

    @Test func `Hasura's folders are found by the 13 digits of their numbers`() throws {
        let found = try set(
            listing(
                "1600000000002_b/up.sql", "1600000000002_b/down.sql", "1600000000001_a/up.sql",
                "1600000000003_c/up.yaml",
                "1600000000001_a/notes.sql"))
        #expect(found.layout == .hasura)
        #expect(found.names == ["1600000000001_a", "1600000000002_b", "1600000000003_c"])
        #expect(found.migrations[1].downPath == "1600000000002_b/down.sql")
        #expect(found.migrations[2].obstacle?.complaint.message.contains("YAML") == true)
        #expect(Set(found.told) == ["invalid_file 1600000000003_c", "unknown_file 1600000000001_a/notes.sql"])
        #expect(try set(listing("1600000000001_a/up.sql", "2_b/up.sql")).layout == .diesel)
        #expect(try set(listing("1_a/up.sql", "10_b/up.sql", "9_c/up.sql"), .hasura).versions == ["1", "9", "10"])
    }

    // MARK: graphile-migrate

    private func committed(_ body: String, after previous: String? = nil, hash: String? = nil) -> String {
        let own = hash ?? "sha1:" + SHA1.hex(Array(((previous.map { $0 + "\n" } ?? "") + body.trimmed + "\n").utf8))
        return "--! Previous: \(previous ?? "-")\n--! Hash: \(own)\n--! Message: a\n\n\(body)"
    }

    private func hash(_ body: String, after previous: String? = nil) -> String {
        "sha1:" + SHA1.hex(Array(((previous.map { $0 + "\n" } ?? "") + body.trimmed + "\n").utf8))
    }

    @Test func `committed files are found, in order and verified`() throws {
        let first = committed("SELECT 1;\n")
        let second = committed("SELECT 2;\n", after: hash("SELECT 1;\n"))
        let files = ["committed/000001.sql": first, "committed/000002-b.sql": second]
        let found = try set(listing("committed/000001.sql", "committed/000002-b.sql", "current.sql"), files: files)
        #expect(found.layout == .graphile)
        #expect(found.names == ["000001", "000002-b"])
        #expect(found.findings.allSatisfy { $0.path == "current.sql" })

        var changed = files
        changed["committed/000001.sql"] = first.replacing("SELECT 1", with: "SELECT 7")
        let edited = try set(listing(Array(files.keys)), files: changed)
        #expect(edited.migrations[0].obstacle?.complaint.message.contains("its hash is 'sha1:") == true)
        changed = files
        changed["committed/000002-b.sql"] = committed("SELECT 2;\n", after: hash("SELECT 9;\n"))
        let torn = try set(listing(Array(files.keys)), files: changed)
        #expect(torn.migrations.map { $0.obstacle == nil } == [true, false])
        #expect(try set(listing("000001.sql"), files: ["000001.sql": first]).layout == .graphile)
    }

    @Test(arguments: [
        ("SELECT 1;\n", "the file has no line '--! Hash:'"),
        ("--! Previous: -\n--! Hash: sha1:00\n\nSELECT 1;\n", "another than when it was committed"),
        (
            "--! Previous: -\n--! Hash: sha1:00\n--! AllowInvalidHash\n\nGRANT CONNECT ON DATABASE :DATABASE_NAME TO x;",
            "put a name in"
        ),
        ("--! Previous: -\n--! Hash: sha1:00\n--! AllowInvalidHash\n\n--!include f.sql\n", "include another file"),
    ])
    func `what graphile-migrate would refuse or change is refused`(text: String, message: String) {
        let error = #expect(throws: Complaint.self) { try GraphileHeader(Array(text.utf8), path: "1_a.sql") }
        #expect(error?.message.contains(message) == true)
    }

    @Test func `graphile-migrate's line asks for no transaction`() throws {
        let text = committed("--! no-transaction\nVACUUM;\n")
        #expect(try migrationFile(text, .graphile).withoutTransaction(for: .up))
        #expect(try !migrationFile(committed("VACUUM;\n"), .graphile).withoutTransaction(for: .up))
    }

    // MARK: PGmigrate

    @Test func `PGmigrate's folder is found by its settings, and names say what runs outside of a transaction`() throws
    {
        let found = try set(
            listing(
                "migrations.yml", "migrations/V0010__c.sql", "migrations/V0002__NONTRANSACTIONAL_b.sql",
                "migrations/V0001__a.sql",
                "callbacks/x.sql"))
        #expect(found.layout == .pgmigrate)
        #expect(found.versions == ["0001", "0002", "0010"])
        #expect(found.migrations.map(\.withoutTransaction) == [false, true, false])
        #expect(found.told == ["unknown_file callbacks"])
        #expect(try set(listing("V0001__a.sql")).layout == .flyway)
        #expect(try set(listing("V0001__a.sql"), .pgmigrate).versions == ["0001"])
    }

    // MARK: sqitch

    private static let plan = """
        %syntax-version=1.0.0
        %project=shop
        %uri=https://example.org/

        users 2025-01-01T00:00:00Z A B <a@example.org> # who
        # a comment
        prices [users] 2025-01-02T00:00:00Z A B <a@example.org>
        @v1.0 2025-01-02T00:00:00Z A B <a@example.org> # released

        users [users@v1.0] 2025-01-03T00:00:00Z A B <a@example.org> # reworked
        + orders [prices users] 2025-01-03T00:00:00Z A B <a@example.org>
        """

    @Test func `sqitch's plan is the order, and a reworked change has two files`() throws {
        let found = try set(
            listing(
                "sqitch.plan", "sqitch.conf", "deploy/users.sql", "deploy/users@v1.0.sql", "deploy/prices.sql",
                "deploy/orders.sql",
                "deploy/other.sql", "revert/prices.sql", "verify/users.sql"),
            files: ["sqitch.plan": Self.plan])
        #expect(found.layout == .sqitch)
        #expect(found.names == ["users@v1.0", "prices", "users", "orders"])
        #expect(found.migrations.map(\.path).first == "deploy/users@v1.0.sql")
        #expect(found.migrations[1].downPath == "revert/prices.sql")
        #expect(found.migrations.allSatisfy { $0.obstacle == nil })
        #expect(found.migrations.map(\.verifyPath) == [nil, nil, "verify/users.sql", nil])
        #expect(
            found.told == [
                "not_verified verify/users@v1.0.sql", "not_verified verify/prices.sql",
                "not_verified verify/orders.sql",
                "unknown_file deploy/other.sql",
            ])
    }

    @Test(arguments: [
        ("a 2025-01-01T00:00:00Z A <a@b>\na 2025-01-01T00:00:00Z A <a@b>\n", 2, "without a tag between"),
        ("-a 2025-01-01T00:00:00Z A <a@b>\n", 1, "taken back"),
    ])
    func `a plan that cannot be read is refused with its line`(plan: String, line: Int, message: String) {
        let error = #expect(throws: Complaint.self) {
            try set(listing("sqitch.plan", "deploy/a.sql"), files: ["sqitch.plan": plan])
        }
        #expect(error?.place == Place(file: "sqitch.plan", line: line, column: 1))
        #expect(error?.message.contains(message) == true)
    }

    @Test func `a change without its file holds its place`() throws {
        let plan = "a 2025-01-01T00:00:00Z A <a@b>\nx/b 2025-01-01T00:00:00Z A <a@b>\nc 2025-01-01T00:00:00Z A <a@b>\n"
        let found = try set(listing("sqitch.plan", "deploy/c.sql"), files: ["sqitch.plan": plan])
        #expect(found.migrations.map { $0.obstacle?.complaint.place?.line } == [1, 2, nil])
    }

    @Test func `a change may lie in folders of its own`() throws {
        let plan = """
            tables/users 2025-01-01T00:00:00Z A <a@b>
            @v1 2025-01-01T00:00:00Z A <a@b>
            tables/users [tables/users@v1] 2025-01-01T00:00:00Z A <a@b>
            app/views/2024/all 2025-01-01T00:00:00Z A <a@b>

            """
        let found = try set(
            listing(
                "sqitch.plan", "deploy/tables/users.sql", "deploy/tables/users@v1.sql",
                "deploy/app/views/2024/all.sql", "deploy/app/views/other.sql", "deploy/app/.hidden/x.sql",
                "revert/app/views/2024/all.sql", "verify/tables/users.sql", "verify/tables/users@v1.sql",
                "verify/app/views/2024/all.sql"),
            files: ["sqitch.plan": plan])
        #expect(found.names == ["tables/users@v1", "tables/users", "app/views/2024/all"])
        #expect(found.migrations.compactMap(\.obstacle) == [])
        #expect(found.migrations[0].path == "deploy/tables/users@v1.sql")
        #expect(found.migrations[2].downPath == "revert/app/views/2024/all.sql")
        #expect(
            found.migrations.map(\.verifyPath) == [
                "verify/tables/users@v1.sql", "verify/tables/users.sql", "verify/app/views/2024/all.sql",
            ])
        #expect(found.told == ["unknown_file deploy/app/views/other.sql"])
        #expect(try found.index(of: "tables/users") == 1)
    }

    @Test(arguments: ["../a", "/a", "x//a", "./a", "x/../a", ".x/a", "x/$a"])
    func `a change's name leads to no other place`(name: String) throws {
        let found = try set(
            listing("sqitch.plan", "a.sql", "deploy/a.sql", "deploy/x/$a.sql", "deploy/.x/a.sql"),
            files: ["sqitch.plan": "\(name) 2025-01-01T00:00:00Z A <a@b>\n"])
        #expect(found.migrations.map { $0.obstacle == nil } == [false])
    }

    @Test func `a folder that is closed, or too deep, is why a change cannot run`() throws {
        let deep = "1/2/3/4/5/6/7/8/9/a"
        var files = listing("sqitch.plan", "deploy/x/")
        files.entries += [DirectoryEntry(path: "deploy/y", kind: .directory, reason: "it cannot be read")]
        let found = try set(
            files,
            files: [
                "sqitch.plan":
                    "\(deep) 2025-01-01T00:00:00Z A <a@b>\ny/z/a 2025-01-01T00:00:00Z A <a@b>\nx/a 2025-01-01T00:00:00Z A <a@b>\n"
            ])
        #expect(
            found.migrations.map { $0.obstacle?.complaint.message } == [
                "the change '\(deep)' lies in more than 8 folders, deeper than directories are read",
                "the directory 'deploy/y' cannot be looked into: it cannot be read",
                "the change 'x/a' has no file 'deploy/x/a.sql'",
            ])
    }

    @Test func `what verifies a change is known whatever it is, and is missed only beside others`() throws {
        let plan = ["sqitch.plan": "a 2025-01-01T00:00:00Z A <a@b>\nx/b 2025-01-01T00:00:00Z A <a@b>\n"]
        let deploy = ["sqitch.plan", "deploy/a.sql", "deploy/x/b.sql"]
        let without = try set(listing(deploy + ["verify/.gitkeep", "verify/x/"]), files: plan)
        #expect(without.migrations.map(\.verifyPath) == [nil, nil] && without.told == [])
        let others = try set(listing(deploy + ["verify/a.sql|", "verify/c.sql"]), files: plan)
        #expect(others.migrations.map(\.verifyPath) == ["verify/a.sql", nil])
        #expect(others.told == ["not_verified verify/x/b.sql", "unknown_file verify/c.sql"])
        var closed = listing(deploy + ["verify/a.sql"])
        closed.entries += [DirectoryEntry(path: "verify/x", kind: .directory, reason: "it cannot be read")]
        let found = try set(closed, files: plan)
        #expect(found.migrations.map { $0.obstacle?.path } == [nil, "verify/x"])
    }

    // MARK: Liquibase

    private static let head = "--liquibase formatted sql\n"

    @Test func `Liquibase's files are found and sorted as includeAll has them`() throws {
        let files = ["10_a.sql": Self.head, "2_b.sql": Self.head, "c.sql": Self.head]
        let found = try set(listing("2_b.sql", "c.sql", "10_a.sql"), files: files)
        #expect(found.layout == .liquibase)
        #expect(found.names == ["10_a", "2_b", "c"])
    }

    @Test func `changesets run, and the rollback of a single one undoes the file`() throws {
        let one = try migrationFile(
            Self.head
                + "-- changeset jane.doe:add-users splitStatements:true endDelimiter:; dbms:postgresql,h2\n-- comment: who\nCREATE TABLE users ();\n--rollback DROP TABLE users;\n-- rollback DROP TYPE x;\n",
            .liquibase)
        #expect(words(one, .up) == "-- comment: who CREATE TABLE users ();")
        #expect(words(one, .down) == "DROP TABLE users; DROP TYPE x;")
        let two = try migrationFile(
            Self.head
                + "--changeset a:1\nSELECT 1;\n--rollback SELECT 2;\n--changeset a:2\nSELECT 3;\n--rollback SELECT 4;\n",
            .liquibase)
        #expect(words(two, .up) == "SELECT 1; SELECT 3;")
        #expect(!two.has(.down))
        let none = try migrationFile(Self.head + "--changeset a:1\nSELECT 1;\n--rollback empty\n", .liquibase)
        #expect(none.has(.down) && words(none, .down).isEmpty)
        let quoted = try migrationFile(
            Self.head + "--changeset \"Jane Doe\":\"1 a\" runInTransaction:false\nVACUUM;\n", .liquibase)
        #expect(quoted.withoutTransaction(for: .up))
    }

    @Test(arguments: [
        ("--changeset a:1 context:test\n", 2), ("--changeset a:1 contextFilter:\"a and b\"\n", 2),
        ("--changeset a:1 labels:x\n", 2),
        ("--changeset a:1 dbms:oracle\n", 2), ("--changeset a:1 dbms:!postgresql\n", 2),
        ("--changeset a:1 runOnChange:true\n", 2),
        ("--changeset a:1 runAlways:true\n", 2), ("--changeset a:1 failOnError:false\n", 2),
        ("--changeset a:1 endDelimiter:/\n", 2),
        ("--changeset a:1 runWith:psql\n", 2), ("--changeset a:1 ignore:true\n", 2),
        ("--changeset a:1\nSELECT 1;\n--changeset a:1\n", 4),
        ("--changeset a:1\n--preconditions onFail:MARK_RAN\n", 3),
        ("--changeset a:1\n--precondition-sql-check expectedResult:0 SELECT 1\n", 3),
        ("--property name:x value:y\n", 2), ("--include file:x.sql\n", 2), ("SELECT 1;\n--changeset a:1\n", 2),
        ("--changeset a\n", 2),
        ("-- nothing\n", 1), ("--changeset a:1\nSELECT 1;\n/* liquibase rollback\nSELECT 2;\n*/\n", 4),
        ("--changeset a:1\n--rollback changesetId:1 changesetAuthor:a\n", 3),
        ("--changeset a:1\n--changeset a:2 runInTransaction:false\n", 1),
    ])
    func `what decides whether or how a changeset runs is refused with its line`(text: String, line: Int) {
        let error = #expect(throws: Complaint.self) { try migrationFile(Self.head + text, .liquibase) }
        #expect(error?.status == .badFile)
        #expect(error?.place?.line == line, "\(error?.lines ?? [])")
        #expect(error?.hint?.isEmpty == false)
    }

    @Test func `a file that is no formatted SQL is refused`() {
        let error = #expect(throws: Complaint.self) { try migrationFile("SELECT 1;\n", .liquibase) }
        #expect(error?.place?.line == 1)
    }
}
