public import SQLParsing

/// A script's text in which some foreign keys are overwritten by blanks.
///
/// The grammar says where a clause begins and the scanner where it ends, so that this is exact: nothing is written anew that a
/// deparser might write differently. The text keeps its length and its line ends, and every byte that stays keeps its place, so that the
/// server's error positions lead back into the file.
public struct StatementCut: Sendable, Equatable {
    /// The whole text, as long as the script's.
    public let text: [UInt8]
    /// Statements of which nothing remains: not to be sent.
    public let emptied: [Int]

    /// The text of `script` without `keys`, which are among its foreign keys.
    public init(_ script: Script, without keys: [ForeignKeyStatement]) {
        var text = script.text
        let everything = Dictionary(grouping: ForeignKeyStatement.all(in: script), by: \.statement)
        var emptied: [Int] = []
        for (statement, keys) in Dictionary(grouping: keys, by: \.statement).sorted(by: { $0.key < $1.key }) {
            let all = everything[statement] ?? []
            if all.count == keys.count, all.allSatisfy(\.standsAlone) {
                StatementCut.blank(script.statements[statement].range, in: &text)
                emptied.append(statement)
                continue
            }
            for range in StatementCut.ranges(keys, in: script) { StatementCut.blank(range, in: &text) }
        }
        self.text = text
        self.emptied = emptied
    }

    /// What to overwrite: a clause within a column's definition, or a whole list item with one of the commas beside it.
    private static func ranges(_ keys: [ForeignKeyStatement], in script: Script) -> [Range<Int>] {
        var ranges: [Range<Int>] = []
        // Several tables may be in one statement: CREATE SCHEMA.
        var lists: [(list: CommaList, removed: [Int: ForeignKeyStatement])] = []
        for key in keys {
            let start = key.range.lowerBound
            let list = script.commaList(around: start, in: key.statement)
            guard let item = list.items.firstIndex(where: { $0.contains(start) }) else { continue }
            let isWholeItem = key.origin == .addConstraint || list.items[item].lowerBound == start
            guard isWholeItem else {
                ranges.append(key.range)
                continue
            }
            if let known = lists.firstIndex(where: { $0.list == list }) {
                lists[known].removed[item] = key
            } else {
                lists.append((list, [item: key]))
            }
        }
        for (list, removed) in lists { ranges += items(removed, of: list, in: script) }
        return ranges
    }

    private static func items(_ removed: [Int: ForeignKeyStatement], of list: CommaList, in script: Script)
        -> [Range<Int>]
    {
        let kept = list.items.indices.filter { removed[$0] == nil }
        guard let first = kept.first else {
            // Nothing is left between the parentheses, which a partition or typed table must then not have; an ordinary one must.
            guard let parentheses = list.parentheses, let statement = removed.values.first?.statement else { return [] }
            let inner = parentheses.lowerBound + 1..<parentheses.upperBound - 1
            return [isTyped(script, before: parentheses.lowerBound, statement) ? parentheses : inner]
        }
        return removed.sorted { $0.key < $1.key }.map { item, key in
            if item < first {
                // Up to the next item, with the comma between; the first item of ALTER TABLE begins with the table's name.
                let start = item == 0 ? begin(list, key, script) : list.items[item].lowerBound
                return start..<list.items[item + 1].lowerBound
            }
            return list.items[item - 1].upperBound..<list.items[item].upperBound
        }
    }

    /// Where the first item proper begins: outside of parentheses at the ADD before its key.
    private static func begin(_ list: CommaList, _ key: ForeignKeyStatement, _ script: Script) -> Int {
        guard list.parentheses == nil else { return list.items[0].lowerBound }
        return script.token(before: key.range.lowerBound, in: key.statement)?.lowerBound ?? key.range.lowerBound
    }

    /// Whether the list belongs to CREATE TABLE … OF or PARTITION OF.
    private static func isTyped(_ script: Script, before parenthesis: Int, _ statement: Int) -> Bool {
        var offset = parenthesis
        var name = 0
        // Back over the name of the parent or type: `of schema . name (`.
        while name < 6, let token = script.token(before: offset, in: statement) {
            if String(decoding: script.text[token], as: UTF8.self).lowercased() == "of" { return true }
            offset = token.lowerBound
            name += 1
        }
        return false
    }

    private static func blank(_ range: Range<Int>, in text: inout [UInt8]) {
        for at in range where text[at] != 0x0A && text[at] != 0x0D { text[at] = 0x20 }
    }
}
