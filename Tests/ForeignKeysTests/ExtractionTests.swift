import ForeignKeys
import Goldens
import SQLParsing
import Testing

@Suite struct `Foreign keys of a file` {
    private static let goldens = Goldens()

    @Test func `the folder of cases is found`() { #expect(Self.goldens.cases(".sql").count >= 10) }

    @Test(arguments: goldens.cases(".sql"))
    func `are read, and the text is cut, as the case says`(name: String) throws {
        let script = try Script(try #require(Self.goldens.read(name + ".sql")), file: name + ".sql")
        let keys = ForeignKeyStatement.all(in: script)
        let found = keys.map { describe($0, in: script) }.joined() + cuts(of: script, keys)
        #expect(found == Self.goldens.expected(name + ".expected", found: found))
    }

    @Test(arguments: goldens.cases(".sql"))
    func `any choice of them leaves a file with just the others`(name: String) throws {
        let script = try Script(try #require(Self.goldens.read(name + ".sql")), file: name + ".sql")
        let keys = ForeignKeyStatement.all(in: script)
        for choice in 0..<(1 << keys.count) {
            let removed = keys.indices.filter { choice & (1 << $0) != 0 }
            let cut = StatementCut(script, without: removed.map { keys[$0] })
            #expect(cut.text.count == script.text.count)
            let left = ForeignKeyStatement.all(in: try Script(cut.text, file: name))
            let kept = keys.indices.filter { !removed.contains($0) }.map { keys[$0].key }
            #expect(left.map(\.key) == kept, "\(String(decoding: cut.text, as: UTF8.self))")
            // What stays, stays in its place.
            #expect(left.map(\.range) == keys.indices.filter { !removed.contains($0) }.map { keys[$0].range })
        }
    }

    @Test func `a clause ends where its item ends`() throws {
        let script = try Script(Array("ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES b (c) ;".utf8), file: "x")
        let key = try #require(ForeignKeyStatement.all(in: script).first)
        #expect(String(decoding: script.text[key.range], as: UTF8.self) == "FOREIGN KEY (a) REFERENCES b (c)")
    }

    private func describe(_ found: ForeignKeyStatement, in script: Script) -> String {
        let key = found.key
        var words: [String] = []
        if key.match == .full { words.append("match full") }
        if key.onUpdate != .noAction { words.append("on update \(key.onUpdate)") }
        if key.onDelete != .noAction { words.append("on delete \(key.onDelete)") }
        if !key.onDeleteColumns.isEmpty { words.append("of \(key.onDeleteColumns)") }
        if key.isDeferrable { words.append("deferrable") }
        if key.isInitiallyDeferred { words.append("deferred") }
        if key.isNotValid { words.append("not valid") }
        if key.isOnly { words.append("only") }
        if found.standsAlone { words.append("alone") }
        return """
            \(found.statement).\(found.position) \(found.origin): \(key.name ?? "-") \(key.table.text) \(key.columns) -> \
            \(key.referenced.text) \(key.referencedColumns)\(words.map { ", " + $0 }.joined())
                '\(String(decoding: script.text[found.range], as: UTF8.self))'

            """
    }

    private func cuts(of script: Script, _ keys: [ForeignKeyStatement]) -> String {
        let cut = StatementCut(script, without: keys)
        let lines = String(decoding: cut.text, as: UTF8.self).split(
            omittingEmptySubsequences: false, whereSeparator: \.isNewline
        ).map { $0.drop { $0 == " " }.isEmpty ? "" : String($0) }
        return "emptied \(cut.emptied)\n" + lines.map { "|\($0)\n" }.joined()
    }
}
