import Checks
import Goldens
import Migrations
import Reporting
import SQLParsing
import Testing

@Suite struct `Golden folders` {
    private static let goldens = Goldens()

    @Test func `the folder of cases is found`() { #expect(Self.goldens.names().count > 10) }

    @Test(arguments: goldens.names())
    func `a folder's findings are those that it expects`(name: String) throws {
        let report = Folder(golden: name, of: Self.goldens).report
        let found = (report.findings(from: .note).flatMap(\.lines) + [report.status]).map { $0 + "\n" }.joined()
        #expect(found == Self.goldens.expected(name + "/expected.txt", found: found))
    }
}

/// A directory of migrations, read as the program reads it.
struct Folder {
    let report: CheckReport

    init(golden name: String, of goldens: Goldens) {
        let files = goldens.names(in: name).filter { $0 != "expected.txt" }.flatMap { file in
            let children = goldens.names(in: "\(name)/\(file)").map { "\(file)/\($0)" }
            return children.isEmpty ? [file] : children
        }
        self.init(files) { goldens.read("\(name)/\($0)") ?? [] }
    }

    init(_ files: [String: String], applied: [String] = [], edited: String? = nil) {
        self.init(Array(files.keys), applied, edited) { Array((files[$0] ?? "").utf8) }
    }

    /// File and code of every finding.
    var codes: [String] { report.findings.map { "\($0.place.file) \($0.rule.code)" } }

    private init(
        _ files: [String], _ applied: [String] = [], _ edited: String? = nil, contents: (String) -> [UInt8]
    ) {
        let folders = Set(files.compactMap { file in file.firstIndex(of: "/").map { String(file[..<$0]) } })
        let entries =
            folders.map { DirectoryEntry(path: $0, kind: .directory) }
            + files.map { DirectoryEntry(path: $0, kind: .file) }
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
