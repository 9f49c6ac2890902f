import Reporting
import Testing

@testable import Migrations

@Suite struct LayoutTests {
    @Test(arguments: [
        (["20250101_a/migration.sql"], LayoutName.prisma),
        (["migration_lock.toml"], .prisma),
        (["meta/_journal.json", "0000_a.sql"], .drizzle),
        (["20250101000000_a/migration.sql", "20250101000000_a/snapshot.json"], .drizzle),
        (["1_a.up.sql", "1_a.down.sql"], .golangMigrate),
        (["1.up.sql"], .golangMigrate),
        (["1_a.sql", "README.md"], .flat),
        (["1_a.down.sql"], .flat), (["seed.sql"], .flat),
        ([], .flat),
        (["README.md", "notes/"], .flat),
    ])
    func `a layout is found by looking`(paths: [String], layout: LayoutName) throws {
        #expect(try set(listing(paths), files: ["meta/_journal.json": #"{"entries":[]}"#]).layout == layout)
    }

    @Test(arguments: [
        ["1_a.up.sql", "2_b.sql"], ["20250101_a/migration.sql", "1_a.sql"], ["meta/_journal.json", "1_a.up.sql"],
        ["migration_lock.toml", "20250101_a/migration.sql", "20250101_a/snapshot.json"],
    ])
    func `what looks like two layouts is refused with the way out`(paths: [String]) {
        let error = #expect(throws: Complaint.self) { try set(listing(paths)) }
        #expect(error?.status == .configuration)
        #expect(error?.hint?.contains("'layout = \"") == true)
    }

    @Test func `a drizzle journal owns the numbered files beside it`() throws {
        let found = try set(
            listing("meta/_journal.json", "0000_a.sql"),
            files: ["meta/_journal.json": #"{"entries":[{"tag":"0000_a"}]}"#])
        #expect(found.layout == .drizzle)
    }

    @Test(arguments: LayoutName.allCases)
    func `an empty directory is an empty set of the given layout`(layout: LayoutName) throws {
        let empty = try set(listing(), layout)
        #expect(empty.layout == layout)
        #expect(empty.migrations.isEmpty && empty.findings.isEmpty)
    }

    @Test func `flat files run in numeric order under their whole names`() throws {
        let found = try set(listing("10_c.sql", "2_b.sql", "001-a.sql", "024a_y.sql", "024_x.sql", "025.sql"))
        #expect(found.names == ["001-a", "2_b", "10_c", "024_x", "024a_y", "025"])
        #expect(found.versions == ["001", "2", "10", "024", "024a", "025"])
        #expect(found.told.isEmpty)
    }

    @Test func `flat files may be numbered by releases`() throws {
        let found = try set(
            listing(
                "00.10.00_02_c.sql", "00.09.00_01_a.sql", "00.10.00_01_pre_b.sql", "02.00.03_50_post_d.sql",
                "02.00.03_01_pre_d.sql"))
        #expect(found.layout == .flat)
        #expect(found.versions == ["00.09.00_01", "00.10.00_01", "00.10.00_02", "02.00.03_01", "02.00.03_50"])
        #expect(found.told.isEmpty)
    }

    @Test(arguments: [
        (["1_a.sql", "001_b.sql"], LayoutName.flat), (["1.0_a.sql", "1_b.sql"], .flat),
        (["024a_x.sql", "024A_y.sql"], .flat),
        (["1_a.up.sql", "001_b.up.sql"], .golangMigrate),
        (["1_a.up.sql", "1_a.down.sql", "01_b.down.sql"], .golangMigrate),
    ])
    func `two files of one version are an error that names both`(paths: [String], layout: LayoutName) {
        let error = #expect(throws: Complaint.self) { try set(listing(paths), layout) }
        #expect(error?.status == .badFile)
        let named = paths.filter { error?.message.contains("'\($0)'") == true }
        #expect(named.count == 2)
    }

    @Test func `flat leaves down files and other names alone and says so`() throws {
        let found = try set(
            listing("1_a.sql", "2_b.down.sql", "c.up.sql", "seed.sql", "V1__x.sql", "README.md"), .flat)
        #expect(found.names == ["1_a"])
        #expect(
            found.told == [
                "unknown_file 2_b.down.sql", "unknown_file V1__x.sql", "unknown_file c.up.sql", "unknown_file seed.sql",
            ])
        let none = try set(listing("1_a.up.sql", "1_a.down.sql"), .flat)
        #expect(none.told == ["unknown_file 1_a.down.sql", "unknown_file 1_a.up.sql"] && none.migrations.isEmpty)
    }

    @Test(arguments: [
        (["1_a.sql", "2_b.up.sql", "2_b.down.sql", "3_c.sql"], "layout = \"sqlx\""),
        (["1.0_a.sql", "2_b.up.sql", "3_c.sql"], "Name it '2_b.sql'."),
    ])
    func `flat holds the place of an up file between its own`(paths: [String], way: String) throws {
        let found = try set(listing(paths), .flat)
        #expect(found.migrations.map(\.path) == paths.filter { !$0.hasSuffix(".down.sql") })
        #expect(found.migrations.map { $0.obstacle?.path } == [nil, "2_b.up.sql", nil])
        #expect(found.migrations[1].obstacle?.complaint.hint?.contains(way) == true)
        #expect(found.told.contains("unknown_file 2_b.up.sql") == false)
    }

    @Test func `golang-migrate pairs files by number and allows letters and no title`() throws {
        let found = try set(
            listing(
                "025_c.up.sql", "024a_b.up.sql", "024_a.up.sql", "24_undo.down.sql", "1.up.sql", "9_gone.down.sql",
                "x.sql"),
            .golangMigrate)
        #expect(found.names == ["1", "024_a", "024a_b", "025_c"])
        #expect(found.migrations.map(\.downPath) == [nil, "24_undo.down.sql", nil, nil])
        #expect(found.told == ["down_without_up 9_gone.down.sql", "unknown_file x.sql"])
    }

    @Test(arguments: [
        (["2_b.up.sql", "2_b.down.sql"], true), (["2_b.up.sql"], false), (["2_b.down.sql"], false),
        (["2_b.up.sql", "2_b.down.sql", "3_c.up.sql"], false), (["3_c.up.sql", "3_c.down.sql"], false),
    ])
    func `golang-migrate's pair without a byte is meant where a later file is written`(
        empty: [String], isMeant: Bool
    ) throws {
        var files = listing(
            "1_a.up.sql", "1_a.down.sql", "2_b.up.sql", "2_b.down.sql", "3_c.up.sql", "3_c.down.sql")
        for index in files.entries.indices { files.entries[index].isEmpty = empty.contains(files.entries[index].path) }
        let found = try set(files)
        #expect(found.migrations.map(\.mayBeEmpty) == [false, isMeant, false])
    }

    @Test func `a number beyond 64 bits is one like any other, though golang-migrate itself would not read it`() throws
    {
        // A day and six digits more, as a tool of the same file names writes it.
        let found = try set(listing("20260616000000000000_a.up.sql", "18446744073709551615_b.up.sql", "2_c.up.sql"))
        #expect(found.names == ["2_c", "18446744073709551615_b", "20260616000000000000_a"])
        #expect(found.migrations.allSatisfy { $0.obstacle == nil })
    }

    @Test func `prisma runs folders in the current order and tells where bytes would differ`() throws {
        let paths = [
            "20250507030812_init/migration.sql", "20250513022650_models/migration.sql", "20250513_batch/migration.sql",
            "20250513_errors/migration.sql", "migration_lock.toml",
        ]
        let found = try set(listing(paths))
        #expect(found.names == ["20250507030812_init", "20250513_batch", "20250513_errors", "20250513022650_models"])
        #expect(found.versions == ["20250507030812", "20250513_batch", "20250513_errors", "20250513022650"])
        #expect(found.told == ["ambiguous_order 20250513022650_models"])
        #expect(try set(listing(paths), order: .current).told.isEmpty)
        let old = try set(listing(paths), order: .bytes)
        #expect(old.names == ["20250507030812_init", "20250513022650_models", "20250513_batch", "20250513_errors"])
        #expect(old.told.isEmpty)
    }

    @Test func `a prisma folder without a file holds its place`() throws {
        let found = try set(
            listing("1_a/migration.sql", "2_b/", "3_c/migration.sql", "3_c/down.sql", "4_d/migration.sql|"))
        #expect(found.names == ["1_a", "2_b", "3_c", "4_d"])
        #expect(found.migrations.map { $0.obstacle != nil } == [false, true, false, true])
        #expect(found.migrations[2].downPath == "3_c/down.sql")
        #expect(found.told == ["invalid_file 2_b", "invalid_file 4_d/migration.sql"])
    }

    @Test func `prisma tells of files that it does not run`() throws {
        let found = try set(listing("1_a/migration.sql", "1_a/extra.sql", "stray.sql", "gone|"), .prisma)
        #expect(found.told == ["unknown_file 1_a/extra.sql", "invalid_file gone", "unknown_file stray.sql"])
    }

    @Test func `drizzle 1.0 folders are read as drizzle, not beside an old journal`() throws {
        let paths = ["20250102000000_b", "20250101000000_a"].flatMap { ["\($0)/migration.sql", "\($0)/snapshot.json"] }
        let found = try set(listing(paths))
        #expect(found.names == ["20250101000000_a", "20250102000000_b"])
        #expect(found.migrations.map(\.breakpoints) == [true, true])
        let error = #expect(throws: Complaint.self) { try set(listing(paths + ["meta/_journal.json"]), .drizzle) }
        #expect(error?.status == .badFile)
    }

    @Test func `hidden entries are nobody's`() throws {
        let found = try set(listing(".git/", ".0002_b.sql.Xy12", "._0001_a.sql", "0001_a.sql", ".hidden/migration.sql"))
        #expect(found.names == ["0001_a"])
        #expect(found.told.isEmpty)
    }

    @Test(arguments: ["2_a\nb.sql", "2_a;b.sql", "2_a`b.sql", "2_\u{202e}b.sql", "2_a\u{1b}[2J.sql", "2_$x.sql"])
    func `a hostile name holds its place and is not run`(name: String) throws {
        let found = try set(listing("1_a.sql", name, "3_c.sql"))
        #expect(found.migrations.map { $0.obstacle?.reason } == [nil, .invalidFile, nil])
        #expect(found.told == ["invalid_file \(name)"])
    }

    @Test func `names that are too long, not UTF-8, no files or spelled in other scripts`() throws {
        let long = "2_" + String(repeating: "a", count: 200) + ".sql"
        var all = listing("1_größe.sql", long, "3_dir.sql/", "4_fifo.sql|", "seed.sql/", "pipe.sql|", "old/5_x.sql")
        all.entries.append(DirectoryEntry(path: "6_\u{fffd}.sql", kind: .file, nameIsUTF8: false))
        all.entries.append(DirectoryEntry(path: "\u{fffd}.sql", kind: .file, nameIsUTF8: false))
        let found = try set(all)
        #expect(found.migrations.map { $0.obstacle == nil } == [true, false, false, false, false])
        #expect(
            Set(found.told) == [
                "invalid_file \(long)", "invalid_file 3_dir.sql", "invalid_file 4_fifo.sql", "invalid_file seed.sql",
                "invalid_file pipe.sql", "unknown_file old", "invalid_file 6_\u{fffd}.sql", "invalid_file \u{fffd}.sql",
            ])
        #expect(found.findings.count == 8)
    }

    @Test func `why an entry is no file is told`() throws {
        let fifo = DirectoryEntry(path: "1_a.sql", kind: .other, reason: "it is a named pipe")
        let found = try set(DirectoryListing(entries: [fifo]))
        #expect(found.findings.map(\.complaint.message) == ["'1_a.sql' is not a regular file: it is a named pipe"])
        let folders = try set(DirectoryListing(entries: [fifo]), .prisma)
        #expect(
            folders.findings.map(\.complaint.message)
                == ["'1_a.sql' is neither file nor directory: it is a named pipe"])
    }

    @Test func `a folder that cannot be looked into holds its place, and what may decide on the layout is not guessed`()
        throws
    {
        func closed(_ path: String) -> DirectoryEntry {
            DirectoryEntry(path: path, kind: .directory, reason: "it cannot be read: Permission denied")
        }
        for (file, layout) in [("migration.sql", LayoutName.prisma), ("up.sql", .diesel)] {
            var all = listing("20250101000001_a/\(file)", "20250101000003_c/\(file)")
            all.entries.append(closed("20250101000002_b"))
            let found = try set(all)
            #expect(found.layout == layout)
            #expect(found.names == ["20250101000001_a", "20250101000002_b", "20250101000003_c"])
            #expect(
                found.migrations.map { $0.obstacle?.complaint.message } == [
                    nil, "the directory '20250101000002_b' cannot be looked into: it cannot be read: Permission denied",
                    nil,
                ])
        }
        for names in [["0000_a.sql", "0001_b.sql"], []] {
            var all = listing(names)
            all.entries.append(closed(names.isEmpty ? "20250101000001_a" : "meta"))
            do throws(Complaint) {
                _ = try set(all)
                Issue.record("a layout was guessed")
            } catch {
                #expect(
                    error.status == .permission && error.message.hasSuffix("and without it the layout cannot be told"))
            }
            #expect(try set(all, .flat).names == names.map { String($0.dropLast(4)) })
        }
        // What every file system has at its root.
        for names in [["1_a.sql"], []] {
            var all = listing(names)
            all.entries.append(closed("lost+found"))
            #expect(try set(all).names == names.map { String($0.dropLast(4)) })
        }
    }

    @Test func `an operator may name a migration by name, version or number`() throws {
        let found = try set(listing("001_a.sql", "024a_b.sql"))
        #expect(try found.index(of: "001_a") == 0)
        #expect(try found.index(of: "1") == 0)
        #expect(try found.index(of: "24a") == 1)
        #expect(throws: Complaint.self) { try found.index(of: "24") }
        let twins = try set(listing("20250513_a/migration.sql", "20250513_b/migration.sql"))
        let error = #expect(throws: Complaint.self) { try twins.index(of: "20250513") }
        #expect(error?.message == "'20250513' may mean '20250513_a', '20250513_b'")
    }

    @Test(arguments: [("SELECT 1;", LayoutName.flat), ("-- +goose Up\nSELECT 1;", .goose)])
    func `a file that is known to be marked for no tool is not read to find the layout`(text: String, found: LayoutName)
        throws
    {
        var read: [String] = []
        let set = try MigrationSet(
            listing: listing("1_a.sql", "2_b.sql", "3_c.sql"), isPlain: { $0 != "2_b.sql" }
        ) { (path) throws(Complaint) in
            read.append(path)
            return Array(text.utf8)
        }
        #expect(read == ["2_b.sql"])
        #expect(set.layout == found && set.isUnmarked == (found == .flat))
    }
}
