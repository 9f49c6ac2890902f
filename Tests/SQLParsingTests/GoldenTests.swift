import Goldens
import Reporting
import SQLParsing
import Testing

@Suite struct `Golden migrations` {
    private static let goldens = Goldens()

    @Test func `the folder of cases is found`() { #expect(Self.goldens.cases(".sql").count > 20) }

    @Test(arguments: goldens.cases(".sql"))
    func `a file is cut as its description says`(name: String) throws {
        let source = try #require(Self.goldens.read(name + ".sql"))
        let found = describe(source, name: name)
        let expected = Self.goldens.expected(name + ".expected", found: found)
        #expect(found == expected)
    }

    @Test(arguments: goldens.cases(".sql"))
    func `a file that is parsed in pieces comes out the same`(name: String) throws {
        let source = try #require(Self.goldens.read(name + ".sql"))
        #expect(describe(source, name: name, parsedAtOnce: 0) == describe(source, name: name))
    }

    private func describe(_ source: [UInt8], name: String, parsedAtOnce: Int? = nil) -> String {
        var options = ScriptOptions(
            breakpoints: name.hasPrefix("drizzle"), noTransaction: name.hasPrefix("no-transaction"))
        if let parsedAtOnce { options.parsedAtOnce = parsedAtOnce }
        do {
            let script = try Script(source, file: name + ".sql", options: options)
            var lines = script.segments.flatMap { describe($0, in: script) }
            if script.segments.isEmpty { lines.append("nothing to send") }
            lines += script.notes.map { "note \(script.place(at: $0.offset).text): \($0.message)" }
            if script.changesSettings { lines.append("changes settings") }
            if let unparsed = script.unparsed { lines += ["unparsed:"] + unparsed.lines.map { "  " + $0 } }
            return lines.joined(separator: "\n") + "\n"
        } catch {
            return "refused (\(error.status)):\n" + error.lines.map { "  \($0)\n" }.joined()
        }
    }

    private func describe(_ segment: Segment, in script: Script) -> [String] {
        var head = "\(segment.kind)"
        if segment.ownBlock { head += ", own block" }
        if let begin = segment.begin { head += ", begin '\(begin)'" }
        if let index = segment.concurrentIndex {
            head += ", \(index.action) index \(index.schema ?? "-").\(index.index ?? "-") table \(index.table ?? "-")"
            if index.ifNotExists { head += " conditional" }
        }
        return [head]
            + segment.statements.map {
                "  \(script.statements[$0].line) \(script.statements[$0].node): \(script.excerpt(of: $0, limit: 70))"
            }
    }
}
