import Audit
import Glibc
import Testing

/// `units/migrated.catalog`, which the manual page migrated.events(7) is made from too.
@Suite struct `The journal catalog` {
    private struct Entry {
        var event: String
        var messageID: String
        var lines: [Substring] = []
    }

    private let entries: [Entry]

    init() throws {
        var entries: [Entry] = []
        var event = ""
        for line in try Self.contents("units/migrated.catalog").split(separator: "\n", omittingEmptySubsequences: false)
        {
            if line.hasPrefix("-- ") {
                entries.append(Entry(event: event, messageID: String(line.dropFirst(3))))
            } else if line.hasPrefix("# ") {
                event = String(line.dropFirst(2))
            } else if !entries.isEmpty {
                entries[entries.count - 1].lines.append(line)
            }
        }
        self.entries = entries
    }

    @Test(arguments: EventKind.allCases)
    func `has one text for each event, with its MESSAGE_ID and a command to type`(kind: EventKind) throws {
        let own = entries.filter { $0.event == kind.rawValue }
        #expect(own.count == 1)
        let entry = try #require(own.first)
        #expect(entry.messageID == kind.messageID)
        #expect(entry.lines.first?.hasPrefix("Subject: ") == true)
        let commands = entry.lines.filter { $0.hasPrefix("    ") }.compactMap { $0.split(separator: " ").first }
        #expect(commands.contains { ["auditctl", "migrated", "journalctl", "systemctl"].contains($0) })
    }

    @Test func `has no text for anything else, and names only fields that there are`() {
        #expect(Set(entries.map(\.event)) == Set(EventKind.allCases.map(\.rawValue)))
        let fields = Set(AuditColumn.allCases.map(\.journalField) + ["MESSAGE"])
        for entry in entries {
            // Between two @ on a line stands a field.
            for line in entry.lines {
                for (place, word) in line.split(separator: "@", omittingEmptySubsequences: false).enumerated()
                where place % 2 == 1 {
                    #expect(fields.contains(String(word)), "\(entry.event): \(word)")
                }
            }
        }
    }

    @Test func `every field is in the manual page of events`() throws {
        let page = try Self.contents("docs/man/migrated.events.7.in")
        for column in AuditColumn.allCases { #expect(page.contains(".It Sy \(column.journalField)\n")) }
    }

    /// A file of the project, four levels above this one's.
    private static func contents(_ path: String) throws -> String {
        let project = #filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined()
        let file = try #require(fopen("\(project)/\(path)", "r"), "cannot read '\(path)'")
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while case let count = fread(&buffer, 1, buffer.count, file), count > 0 { bytes += buffer[..<count] }
        return String(decoding: bytes, as: UTF8.self)
    }
}
