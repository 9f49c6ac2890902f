extension Secrets {
    /// What a server says, without the secrets of the text that was sent, and of those that its words alone tell.
    ///
    /// - Parameter offset: the byte of the text that the words are about; what they quote "at or near" it is hidden where it is.
    package func hiding(in words: String, at offset: Int? = nil) -> String {
        var words = words
        for value in values where words.utf8.count >= value.count {
            words = Secrets.replacing(value, in: words)
        }
        if let offset, hides(offset), let near = words.firstRange(ofUTF8: "at or near \"") {
            words = words[..<near.upperBound] + "***\""
        }
        return Secrets.hidden(words: words)
    }

    /// Words that may quote statements, without what those hide: a server's message, its hint, the context of a PL/pgSQL function, a
    /// definition from the catalog.
    ///
    /// - Parameter subject: what they are about; where that names a secret, no literal is shown.
    package static func hidden(words: String, about subject: String = "") -> String {
        // Nobody reads more of them, and a server may say megabytes.
        let words = words.utf8.count > longest ? String(decoding: words.utf8.prefix(longest), as: UTF8.self) : words
        let bytes = Array(words.utf8)
        guard bytes.contains(where: isTelling) || words.firstRange(ofUTF8: infoString) != nil else {
            return words
        }
        // A double quote is a quotation mark in a sentence, not one round a name.
        var read = bytes.map { $0 == UInt8(ascii: "\"") ? 0x20 : $0 }
        if SecretName.mentions(Array(subject.utf8)) || SecretName.isMentioned(in: subject.utf8) {
            read += " password ".utf8
        }
        let masks = Secrets(of: read, isBody: true, depth: 0).masks.map { mask in
            Mask(
                range: min(mask.range.lowerBound, bytes.count)..<min(mask.range.upperBound, bytes.count),
                shown: mask.shown)
        }
        var shown = Secrets(text: bytes, masks: masks).shown(0..<bytes.count)
        for range in SecretValue.connectionSecrets(shown).reversed() { shown.replaceSubrange(range, with: "***".utf8) }
        let result = String(decoding: shown, as: UTF8.self)
        // libpq quotes a piece of the string that it cannot read.
        return result.firstRange(ofUTF8: infoString) == nil ? result : withoutQuotations(result)
    }

    /// Without one of these nothing is quoted, and nothing given.
    private static func isTelling(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "'") || byte == UInt8(ascii: "$") || byte == UInt8(ascii: "=") || byte == UInt8(ascii: "/")
    }
    private static let longest = 1 << 16
    private static let infoString = "connection info string"

    /// A statement without any of its literals: what others run, and whose data it is, is not ours to keep.
    package static func withoutLiterals(_ statement: String) -> String {
        let bytes = Array(statement.utf8)
        let literals = lexemes(bytes).filter { [.string, .dollarString, .unterminated].contains($0.kind) }
        var masks = Secrets(of: bytes).masks.filter { mask in !literals.contains { $0.range.overlaps(mask.range) } }
        masks += literals.map { Mask(range: $0.range, shown: "'***'") }
        masks.sort { $0.range.lowerBound < $1.range.lowerBound }
        return String(decoding: Secrets(text: bytes, masks: masks).shown(0..<bytes.count), as: UTF8.self)
    }

    private static func lexemes(_ bytes: [UInt8]) -> [Lexeme] {
        var lexer = Lexer(bytes)
        var all: [Lexeme] = []
        while let next = lexer.next() { all.append(next) }
        return all
    }

    private static func replacing(_ value: [UInt8], in words: String) -> String {
        let bytes = Array(words.utf8)
        var result: [UInt8] = []
        var at = 0
        while at < bytes.count {
            if bytes[at] == value[0], bytes[at...].starts(with: value) {
                result += "***".utf8
                at += value.count
            } else {
                result.append(bytes[at])
                at += 1
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    private static func withoutQuotations(_ words: String) -> String {
        let parts = words.split(separator: "\"", omittingEmptySubsequences: false)
        return parts.enumerated().map { $0.offset % 2 == 1 ? "***" : String($0.element) }.joined(separator: "\"")
    }
}

extension String {
    fileprivate func firstRange(ofUTF8 text: String) -> Range<String.Index>? {
        let (bytes, wanted) = (Array(utf8), Array(text.utf8))
        guard
            let start = bytes.indices.first(where: { bytes[$0] == wanted[0] && bytes[$0...].starts(with: wanted) })
        else { return nil }
        let begin = utf8.index(utf8.startIndex, offsetBy: start)
        return begin..<utf8.index(begin, offsetBy: wanted.count)
    }
}
