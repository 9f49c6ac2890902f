import Audit
import Digest
import Reporting
import Testing

@testable import AuditReading

@Suite struct `Cells of CSV` {
    /// The cells of one record as a program reads it that separates them at `separator`; by RFC 4180 where that is a comma. One that does
    /// not know of quotes takes them as letters.
    private static func cells(_ record: String, _ separator: Unicode.Scalar, knowsQuotes: Bool = true) -> [String] {
        var cells = [""]
        var isQuoted = false
        var last: Unicode.Scalar = separator
        for scalar in record.unicodeScalars {
            if knowsQuotes, scalar == "\"", isQuoted || cells[cells.count - 1].isEmpty {
                // The second of two within quotes stands for one.
                if !isQuoted, last == "\"" { cells[cells.count - 1].unicodeScalars.append(scalar) }
                isQuoted.toggle()
            } else if knowsQuotes, scalar == "\"", last == "\"" {
                cells[cells.count - 1].unicodeScalars.append(scalar)
                isQuoted = true
            } else if scalar == separator, !isQuoted {
                cells.append("")
            } else {
                cells[cells.count - 1].unicodeScalars.append(scalar)
            }
            last = scalar
        }
        return cells
    }

    @Test func `exact ones are read as what was written`() {
        for text in Hostile.texts("\",;=") where !text.isEmpty {
            let record = ["a", text, "b"].map { CSV.field($0, .exact) }.joined(separator: ",")
            let cells = Self.cells(record, ",")
            Hostile.check(cells.count == 3 && Hostile.same(cells[1], text) && cells[2] == "b", record)
        }
        #expect(CSV.field(nil, .exact) == "" && CSV.field("", .exact) == "\"\"")
    }

    @Test func `inert ones are no formula, whatever the spreadsheet separates cells at`() {
        let formulas = [
            "=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\u{FF1D}1", "\u{FF0B}1", "\u{FF0D}1", "\u{FF20}1", "a;=1",
            "a|=1", "a\t=1", "a,=1", "a\n=1", "a;\"=1\"", " =1", "\u{A0}=1", "\"=1",
        ]
        let begins = Set("=+-@\u{FF1D}\u{FF0B}\u{FF0D}\u{FF20}\t\r".unicodeScalars)
        let separators: [Unicode.Scalar] = [",", ";", "\t", "|"]
        let all = formulas.map { ($0, separators) } + Hostile.texts("=;").map { ($0, [",", ";"]) }
        for (text, separators) in all {
            let record = ["a", text, "b"].map { CSV.field($0, .inert) }.joined(separator: ",")
            for separator in separators {
                for knowsQuotes in [true, false] {
                    for line in record.unicodeScalars.split(whereSeparator: { $0 == "\n" || $0 == "\r" }) {
                        for cell in Self.cells(String(line), separator, knowsQuotes: knowsQuotes) {
                            let seen = cell.unicodeScalars.first { $0 != "\"" && !Self.isBlank($0) }
                            Hostile.check(seen.map { !begins.contains($0) } ?? true, record)
                        }
                    }
                }
            }
        }
    }

    private static func isBlank(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.isWhitespace || scalar.properties.isDefaultIgnorableCodePoint
            || [.control, .format].contains(scalar.properties.generalCategory)
    }

    @Test(arguments: [
        "a", "2026-01-31T22:05:09.123456Z", "a-b", "a=b", "{\"a\":1,\"b\":2}", "x' y", "public.orders", "",
    ])
    func `what is no formula stays as it is`(text: String) {
        #expect(CSV.field(text, .inert) == CSV.field(text, .exact))
    }

    @Test func `an export gives every byte back, in both forms`() throws {
        var event = AuditEvent(
            .failed, by: AuditEvent.Actor(initiatedBy: "=1", host: "-", dbUser: "@x", pid: 1, invocationID: nil))
        for form in ExportForm.allCases {
            var writer = ExportWriter(form)
            var bytes = writer.header
            let texts = Hostile.texts("\",\\=\n")
            for text in texts {
                event.object = text
                let head = ChainHead(seq: 0, hash: [UInt8](repeating: 0, count: 32))
                writer.append(HistoryRow(AuditRecord(event, after: head, recordedAt: 0)), to: &bytes)
            }
            var reader = ExportReader()
            reader.append(bytes)
            reader.end()
            var read = 0
            while let item = reader.next() {
                guard case .event(let row) = item else {
                    Issue.record("\(form): \(item)")
                    break
                }
                Hostile.check(
                    row.text(.object).map { Hostile.same($0, texts[read]) } == true, texts[read])
                read += 1
            }
            #expect(read == texts.count)
        }
    }
}
