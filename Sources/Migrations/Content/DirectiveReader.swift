internal import Reporting

/// Walks over the head of a file and reads its directive lines.
struct DirectiveReader {
    private(set) var directives = Directives()
    private let text: [UInt8]
    private let path: String
    private var at = 0
    private var seen: Set<DirectiveKey> = []

    init(_ text: [UInt8], path: String) {
        self.text = text
        self.path = path
        if text.starts(with: [0xEF, 0xBB, 0xBF]) { at = 3 }
    }

    /// Reads until the first byte that is neither white space nor comment.
    mutating func readHead() throws(Complaint) {
        while at < text.count {
            if Self.isBlank(text[at]) {
                at += 1
            } else if follows(Self.dash, Self.dash) {
                let end = endOfLine(at)
                if let start = directive(at, end) { try readLine(start, end) }
                at = end
            } else if follows(Self.slash, Self.star) {
                skipBlockComment()
            } else {
                return
            }
        }
    }

    /// Throws for a line below the head that reads as a directive. Prose after `migrated:` is let be.
    mutating func refuseBelowHead() throws(Complaint) {
        while at < text.count {
            while at < text.count, Self.isBlank(text[at]) { at += 1 }
            let end = endOfLine(at)
            if follows(Self.dash, Self.dash), let start = directive(at, end), let word = words(start, end).first,
                !Self.isForTheCheck(word), word.text.contains("=") || DirectiveKey(rawValue: word.text)?.isBare == true
            {
                throw complaint(
                    "a directive below the first statement has no effect", at: at,
                    hint: "Move the line above the first statement.")
            }
            at = end
        }
    }

    // MARK: One line

    private struct Word {
        var text: String
        var offset: Int
    }

    /// `allow=CODE reason=…` says what a check need not find. Running the file is not about it, and it may stand before any statement.
    private static func isForTheCheck(_ word: Word) -> Bool { word.text.hasPrefix("allow=") }

    private mutating func readLine(_ start: Int, _ end: Int) throws(Complaint) {
        let words = words(start, end)
        guard !words.isEmpty else { throw complaint("a directive line without a directive", at: start) }
        if Self.isForTheCheck(words[0]) { return }
        for word in words {
            let name = word.text.prefix { $0 != "=" }
            guard let key = DirectiveKey(rawValue: String(name)) else {
                let known = DirectiveKey.allCases.map { "'\($0.rawValue)'" }.joined(separator: ", ")
                throw complaint("unknown directive '\(name)'", at: word.offset, hint: "Known are \(known).")
            }
            guard seen.insert(key).inserted else { throw complaint("'\(name)' is given twice", at: word.offset) }
            let hasValue = name.endIndex != word.text.endIndex
            if key.isBare {
                guard !hasValue else { throw complaint("'\(name)' takes no value", at: word.offset) }
            } else if !hasValue {
                throw complaint(
                    "'\(name)' needs a value", at: word.offset, hint: "Write '\(name)=VALUE' without spaces.")
            }
            let value = try unquoted(word, after: name)
            if let expected = directives.set(key, value) {
                throw complaint(
                    "'\(value)' is no value for '\(name)'", at: word.offset + name.utf8.count + 1,
                    hint: "It must be \(expected).")
            }
        }
    }

    private func unquoted(_ word: Word, after name: Substring) throws(Complaint) -> String {
        let value = word.text.dropFirst(name.count + 1)
        guard let quote = value.first, quote == "'" || quote == "\"" else { return String(value) }
        guard value.count >= 2, value.last == quote, !value.dropFirst().dropLast().contains(quote) else {
            throw complaint("a quoted value does not end", at: word.offset + name.utf8.count + 1)
        }
        return String(value.dropFirst().dropLast())
    }

    /// The words between two offsets, split at blanks that are not quoted.
    private func words(_ start: Int, _ end: Int) -> [Word] {
        var words: [Word] = []
        var at = start
        while at < end {
            if Self.isBlank(text[at]) {
                at += 1
                continue
            }
            let first = at
            var quote: UInt8?
            while at < end, quote != nil || !Self.isBlank(text[at]) {
                if text[at] == quote {
                    quote = nil
                } else if quote == nil, text[at] == UInt8(ascii: "'") || text[at] == UInt8(ascii: "\"") {
                    quote = text[at]
                }
                at += 1
            }
            words.append(Word(text: String(decoding: text[first..<at], as: UTF8.self), offset: first))
        }
        return words
    }

    // MARK: The text

    /// Where the directives of the comment line at `start` begin; nil where it is another comment. Upper case counts too: a capital
    /// letter must not turn a directive into prose.
    private func directive(_ start: Int, _ end: Int) -> Int? {
        var at = start + 2
        while at < end, Self.isBlank(text[at]) { at += 1 }
        guard at + Self.name.count <= end, zip(text[at...], Self.name).allSatisfy({ $0 == $1 || $0 | 0x20 == $1 })
        else {
            return nil
        }
        return at + Self.name.count
    }

    /// Block comments nest in SQL.
    private mutating func skipBlockComment() {
        var depth = 0
        while at < text.count {
            if follows(Self.slash, Self.star) {
                depth += 1
                at += 2
            } else if follows(Self.star, Self.slash) {
                depth -= 1
                at += 2
                if depth == 0 { return }
            } else {
                at += 1
            }
        }
    }

    private static let dash = UInt8(ascii: "-")
    private static let slash = UInt8(ascii: "/")
    private static let star = UInt8(ascii: "*")
    private static let name = Array("migrated:".utf8)

    private func follows(_ first: UInt8, _ second: UInt8) -> Bool {
        at + 1 < text.count && text[at] == first && text[at + 1] == second
    }

    private func endOfLine(_ start: Int) -> Int {
        var at = start
        while at < text.count, text[at] != 0x0A { at += 1 }
        return at
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }

    private func complaint(_ message: String, at offset: Int, hint: String? = nil) -> Complaint {
        MigrationFile.complaint(message, at: offset, in: text, path: path, hint: hint)
    }
}
