import JSON
import Migrations
import Reporting
import SQLParsing
import Testing

/// Every reader of ours, whatever it is given: it ends, it says one whole sentence with a place that is there, and what it accepts it
/// can write again.
@Suite struct `Any text given to` {
    @Test func `the JSON reader`() throws {
        var fuzzing = try Fuzzing("json")
        try fuzzing.run(words: ["{", "}", "[", "]", ":", ",", "\"", "null", "true", "-0.1e+9", "\\ud83d", "\\u0000"]) {
            text in
            do {
                let tape = try JSONTape(text)
                let value = tape.value(tape.root)
                let again = try JSONTape(Array(value.text.utf8))
                #expect(again.value(again.root) == value, "\(text)")
            } catch {
                let error = try #require(error as? JSONSyntaxError)
                #expect((0...text.count).contains(error.offset) && !error.message.isEmpty, "\(text)")
            }
        }
    }

    private func check(_ complaint: Complaint, _ text: [UInt8]) {
        #expect(!complaint.message.isEmpty && complaint.status != .bug, "\(complaint) of \(text)")
        for line in complaint.lines {
            #expect(!line.unicodeScalars.contains { $0.value < 32 && $0 != "\t" || $0.value == 127 }, "\(line)")
        }
        if let place = complaint.place {
            let lines = text.count { $0 == 0x0A } + 1
            #expect((1...lines).contains(place.line ?? 1) && (place.column ?? 1) >= 1, "\(complaint) of \(text)")
        }
    }

    @Test func `the reader of directives`() throws {
        let migration = Migration(version: "1", name: "1_a", path: "1_a.sql", identity: .named("1_a"))
        var fuzzing = try Fuzzing("directives")
        let words = [
            "-- migrated: ", "on-failure=continue", "deadline=", "requires=1,2", "repeatable", "'", "\n", "/*", "*/",
            "1h 30min",
        ]
        try fuzzing.run(words: words) { text in
            do throws(Complaint) {
                let file = try MigrationFile(migration: migration, bytes: text)
                #expect(file.checksum.hasPrefix("sha256:") && file.bytes == text)
            } catch {
                #expect(error.status == .badFile)
                check(error, text)
            }
        }
    }

    @Test func `the reader of Drizzle's journal`() throws {
        var fuzzing = try Fuzzing("drizzle")
        let listing = DirectoryListing(
            entries: ["meta/_journal.json", "0000_a.sql", "0001_b.sql"].map { DirectoryEntry(path: $0, kind: .file) }
                + [DirectoryEntry(path: "meta", kind: .directory)])
        let words = [
            "\"entries\":", "\"tag\":", "\"0000_a\"", "\"../x\"", "[", "]", "{", "}", "\"when\":1e400", ",", "null",
        ]
        try fuzzing.run(words: words) { text in
            do throws(Complaint) {
                let set = try MigrationSet(listing: listing, layout: .drizzle) { _ throws(Complaint) in text }
                #expect(set.migrations.allSatisfy { ["0000_a.sql", "0001_b.sql"].contains($0.path) })
                #expect(Set(set.migrations.map(\.path)).count == set.migrations.count)
            } catch {
                check(error, text)
            }
        }
    }

    @Test func `the readers of file names`() throws {
        var fuzzing = try Fuzzing("names")
        let words = [
            "1", "024a", "_x", ".sql", ".up.sql", ".down.sql", "/migration.sql", "\n", "V1__", "20250513", " ", "-",
        ]
        try fuzzing.run(words: words) { text in
            let paths = Set(
                String(decoding: text, as: UTF8.self).split(separator: "\n").map(String.init)
                    .filter { !$0.hasPrefix("/") && !$0.hasSuffix("/") && !$0.contains("//") })
            var entries: [DirectoryEntry] = paths.map { DirectoryEntry(path: $0, kind: .file) }
            let folders = Set(paths.compactMap { $0.contains("/") ? String($0.prefix { $0 != "/" }) : nil })
            entries += folders.subtracting(paths).map { DirectoryEntry(path: $0, kind: .directory) }
            for layout in [nil] + LayoutName.allCases.map(Optional.some) {
                do throws(Complaint) {
                    let set = try MigrationSet(listing: DirectoryListing(entries: entries), layout: layout) {
                        _ throws(Complaint) in Array("{\"entries\":[]}".utf8)
                    }
                    #expect(Set(set.migrations.map(\.name)).count == set.migrations.count, "\(paths)")
                    #expect(set.migrations.allSatisfy { $0.obstacle != nil || paths.contains($0.path) }, "\(paths)")
                    for finding in set.findings { check(finding.complaint, []) }
                } catch {
                    check(error, [])
                }
            }
        }
    }

    @Test func `the reader of time spans`() throws {
        var fuzzing = try Fuzzing("time")
        try fuzzing.run(words: ["1", "0", "9223372036854775807", "ms", "min", " ", "µs", "w", "-", ".", "h"]) { text in
            guard let span = TimeSpan(String(decoding: text, as: UTF8.self)) else { return }
            #expect(span.microseconds >= 0, "\(text)")
            #expect(TimeSpan(span.description) == span, "\(text)")
            #expect(!span.brief.isEmpty)
        }
    }

    @Test func `the cutter of files`() throws {
        var fuzzing = try Fuzzing("script")
        let words = [
            "BEGIN;", "COMMIT;", "ROLLBACK;", "CREATE INDEX CONCURRENTLY i ON t (a);", ";", "$$", "$a$", "'", "E'\\''",
            "/*", "*/",
            "--", "\n", "--> statement-breakpoint", "\\copy", "COPY t FROM STDIN;", "VACUUM;", "SAVEPOINT s;",
            "PREPARE TRANSACTION 'x';",
        ]
        try fuzzing.run(words: words) { text in
            for breakpoints in [false, true] {
                do throws(Complaint) {
                    let script = try Script(
                        text, file: "f.sql",
                        options: ScriptOptions(breakpoints: breakpoints, noTransaction: false, sizeLimit: 1 << 20))
                    var end = 0
                    for segment in script.segments {
                        #expect(segment.range.lowerBound >= end && segment.range.upperBound <= text.count, "\(text)")
                        end = segment.range.upperBound
                    }
                } catch {
                    check(error, text)
                }
            }
        }
    }
}
