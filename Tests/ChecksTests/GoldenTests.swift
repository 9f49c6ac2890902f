import Checks
import Migrations
import Reporting
import SQLParsing
import Testing

@Suite struct `Golden folders` {
    @Test func `the folder of cases is found`() { #expect(GoldenFolders.cases.count > 10) }

    @Test(arguments: GoldenFolders.cases)
    func `a folder's findings are those that it expects`(name: String) throws {
        let path = GoldenFolders.folder + name + "/"
        let report = Folder(path).report
        let found = (report.findings(from: .note).flatMap(\.lines) + [report.status])
            .map { $0 + "\n" }.joined()
        if GoldenFolders.records { GoldenFolders.write(found, to: path + "expected.txt") }
        let expected = GoldenFolders.read(path + "expected.txt").map { String(decoding: $0, as: UTF8.self) }
        #expect(found == expected)
    }
}

/// A directory of migrations, read as the program reads it.
struct Folder {
    let report: CheckReport

    init(_ path: String) {
        var entries: [DirectoryEntry] = []
        for name in GoldenFolders.names(in: path) where name != "expected.txt" {
            let children = GoldenFolders.names(in: path + name)
            entries.append(DirectoryEntry(path: name, kind: children.isEmpty ? .file : .directory))
            entries += children.map { DirectoryEntry(path: name + "/" + $0, kind: .file) }
        }
        self.init(entries) { GoldenFolders.read(path + $0) ?? [] }
    }

    /// A directory of flat files.
    init(_ files: [String: String], applied: [String] = [], edited: String? = nil) {
        self.init(files.keys.map { DirectoryEntry(path: $0, kind: .file) }, applied, edited) {
            Array((files[$0] ?? "").utf8)
        }
    }

    /// File and code of every finding.
    var codes: [String] { report.findings.map { "\($0.place.file) \($0.rule.code)" } }

    private init(
        _ entries: [DirectoryEntry], _ applied: [String] = [], _ edited: String? = nil, contents: (String) -> [UInt8]
    ) {
        var review = Review()
        do throws(Complaint) {
            let set = try MigrationSet(listing: DirectoryListing(entries: entries)) { contents($0) }
            for migration in set.migrations {
                do throws(Complaint) {
                    let file = try MigrationFile(migration: migration, bytes: contents(migration.path))
                    let script = try Script(
                        file.bytes, file: migration.path,
                        options: ScriptOptions(
                            breakpoints: migration.breakpoints, noTransaction: file.directives.withoutTransaction))
                    review.add(migration, script: script, repeatable: file.directives.repeatable)
                } catch {
                    review.add(migration, unusable: error)
                }
            }
            for finding in set.findings { review.add(finding) }
            for path in applied { review.add(applied: path) }
            if let edited { review.add(editedAfterApply: edited, line: 1, excerpt: nil) }
        } catch {
            review.add(directory: error)
        }
        report = review.report()
    }
}
