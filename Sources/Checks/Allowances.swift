internal import Reporting

/// The lines `-- migrated: allow=CODE,… reason=TEXT` of a file.
///
/// Above the first statement a line is about the whole file; elsewhere about the statement that it stands before, or in. CODE is a rule's
/// code or name; the reason is the rest of the line, in quotes or not.
struct Allowances {
    struct Line {
        var rule: Rule
        var reason: String
        /// The bytes that it covers; nil for the whole file.
        var range: Range<Int>?
        /// Where it stands.
        var offset: Int
        var place: Place
        var isUsed = false
    }

    /// A line that does not say what it should.
    struct Flaw {
        var offset: Int
        var message: String
        var hint: String
    }

    private(set) var lines: [Line] = []
    private(set) var flaws: [Flaw] = []

    /// Reads the lines of a text whose first statement begins at `head`.
    init(_ index: inout LineIndex, head: Int, statementAfter: (Int) -> Range<Int>?) {
        var found: [(offset: Int, text: String)] = []
        index.forEachLine { offset, bytes in
            if let text = Allowances.text(of: bytes) { found.append((offset, text)) }
        }
        for (offset, text) in found {
            let place = index.place(offset)
            read(text, offset, place, statementAfter, head)
        }
    }

    /// The reason that allows a finding of `rule` at `offset`, or about the file as a whole. Marks the line as used.
    mutating func reason(for rule: Rule, at offset: Int?) -> String? {
        var reason: String?
        for index in lines.indices where lines[index].rule == rule {
            if let range = lines[index].range {
                guard let offset, range.contains(offset) else { continue }
            }
            lines[index].isUsed = true
            reason = reason ?? lines[index].reason
        }
        return reason
    }

    private mutating func read(
        _ text: String, _ offset: Int, _ place: Place, _ statementAfter: (Int) -> Range<Int>?, _ head: Int
    ) {
        let first = text.prefix { $0 != " " && $0 != "\t" }
        let rest = text.dropFirst(first.count).drop { $0 == " " || $0 == "\t" }
        var reason = rest.hasPrefix("reason=") ? String(rest.dropFirst("reason=".count)) : ""
        if let quote = reason.first, quote == "'" || quote == "\"", reason.count > 1, reason.last == quote {
            reason = String(reason.dropFirst().dropLast())
        }
        if reason.isEmpty {
            flaws.append(
                Flaw(
                    offset: offset, message: "an allow line without a reason",
                    hint: "Write '-- migrated: allow=CODE reason=…': whoever reads the file later wants to know why."))
            return
        }
        let statement = offset < head ? nil : statementAfter(offset)
        if offset >= head, statement == nil {
            flaws.append(
                Flaw(
                    offset: offset, message: "an allow line with no statement after it",
                    hint: "Put it before the statement that it is about, or at the head of the file for all of it."))
            return
        }
        for code in first.dropFirst("allow=".count).split(separator: ",", omittingEmptySubsequences: false) {
            guard let rule = Rule(codeOrName: code) else {
                flaws.append(
                    Flaw(
                        offset: offset, message: "'\(code)' is no code of a check",
                        hint: "The code is printed with each finding, such as 'M041'."))
                continue
            }
            guard rule.canBeAllowed else {
                flaws.append(
                    Flaw(
                        offset: offset, message: "\(rule.code) \(rule.name) cannot be allowed",
                        hint: "Mend what it is about: the file could not run."))
                continue
            }
            let range = statement.map { offset..<max($0.upperBound, offset + 1) }
            lines.append(Line(rule: rule, reason: reason, range: range, offset: offset, place: place))
        }
    }

    /// What stands after `-- migrated:` where it begins with `allow=`.
    private static func text(of line: ArraySlice<UInt8>) -> String? {
        func blank(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }
        var rest = line.drop(while: blank)
        guard rest.starts(with: Array("--".utf8)) else { return nil }
        rest = rest.dropFirst(2).drop(while: blank)
        let name = Array("migrated:".utf8)
        guard rest.count > name.count, zip(rest, name).allSatisfy({ $0 == $1 || $0 | 0x20 == $1 }) else { return nil }
        rest = rest.dropFirst(name.count).drop(while: blank)
        guard rest.starts(with: Array("allow=".utf8)) else { return nil }
        while let last = rest.last, blank(last) { rest.removeLast() }
        return String(decoding: rest, as: UTF8.self)
    }
}
