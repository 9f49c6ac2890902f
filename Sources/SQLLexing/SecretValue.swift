/// What the content of a literal, or a text that is no SQL, tells of a secret by itself.
enum SecretValue {
    /// Whether the value is in clear text: not empty, no placeholder for a tool to fill in, and no verifier.
    static func isClear(_ content: [UInt8]) -> Bool {
        !content.isEmpty && !isPlaceholder(content) && !isVerifier(content)
    }

    /// A SCRAM verifier or an md5 hash, as `pg_authid` keeps them (PostgreSQL manual, 53.8 "pg_authid").
    static func isVerifier(_ content: [UInt8]) -> Bool {
        if content.starts(with: "SCRAM-SHA-256$".utf8) { return true }
        return content.count == 35 && content.starts(with: "md5".utf8)
            && content.dropFirst(3).allSatisfy {
                ($0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9"))
                    || ($0 >= UInt8(ascii: "a") && $0 <= UInt8(ascii: "f"))
            }
    }

    /// `${NAME}`, `$NAME`, `{{ name }}`, `@name@`, `%name%`, `%(name)s`, `<name>`, or a place of `format`.
    private static func isPlaceholder(_ content: [UInt8]) -> Bool {
        let frames: [(String, String)] = [
            ("${", "}"), ("{{", "}}"), ("@", "@"), ("%", "%"), ("%(", ")s"), ("<", ">"), ("#{", "}"),
        ]
        if frames.contains(where: {
            content.starts(with: $0.0.utf8) && content.suffix($0.1.utf8.count).elementsEqual($0.1.utf8)
                && content.count > $0.0.utf8.count + $0.1.utf8.count
        }) {
            return true
        }
        if content.first == UInt8(ascii: "$") { return content.dropFirst().allSatisfy(Lexer.continuesName) }
        return [Array("%s".utf8), Array("%L".utf8), Array("%I".utf8), Array("***".utf8)].contains(content)
    }

    /// Whether it is a connection string with a password in clear text, or holds a private key.
    static func holdsSecret(_ content: [UInt8]) -> Bool {
        connectionSecrets(content).contains { isClear(Array(content[$0])) } || holdsPrivateKey(content)
    }

    private static func holdsPrivateKey(_ content: [UInt8]) -> Bool {
        guard let begin = first("-----BEGIN ", in: content, from: 0) else { return false }
        return first("PRIVATE KEY-----", in: content, from: begin) != nil
    }

    /// The passwords in connection strings: what follows `password =`, quoted or not, and what stands between `://user:` and `@`
    /// (PostgreSQL manual, 34.1.1 "Connection Strings").
    static func connectionSecrets(_ text: [UInt8]) -> [Range<Int>] {
        var found: [Range<Int>] = []
        var at = 0
        while at < text.count {
            if let range = keywordValue(text, at) ?? userInfo(text, at) {
                found.append(range)
                at = range.upperBound
            } else {
                at += 1
            }
        }
        return found
    }

    private static let keywords = ["password", "passwd", "pwd", "sslpassword", "secret", "token"].map { Array($0.utf8) }

    /// The value behind a keyword of `keywords` that ends at a `=`.
    private static func keywordValue(_ text: [UInt8], _ equals: Int) -> Range<Int>? {
        guard text[equals] == UInt8(ascii: "=") else { return nil }
        var end = equals
        while end > 0, isBlank(text[end - 1]) { end -= 1 }
        guard
            keywords.contains(where: { word in
                end >= word.count && zip(text[end - word.count..<end], word).allSatisfy { $0 | 0x20 == $1 }
            })
        else { return nil }
        var start = equals + 1
        while start < text.count, text[start] == 0x20 { start += 1 }
        guard start < text.count else { return nil }
        if text[start] == UInt8(ascii: "'") {
            var at = start + 1
            // Inside of a literal its quotes are doubled.
            while at < text.count, text[at] == UInt8(ascii: "'") { at += 1 }
            let first = at
            while at < text.count, text[at] != UInt8(ascii: "'") { at += text[at] == UInt8(ascii: "\\") ? 2 : 1 }
            at = min(at, text.count)
            return first < at ? first..<at : nil
        }
        var at = start
        while at < text.count, !isBlank(text[at]), !stops.contains(text[at]) {
            at += text[at] == UInt8(ascii: "\\") ? 2 : 1
        }
        at = min(at, text.count)
        return start < at ? start..<at : nil
    }

    /// What ends a value without quotes: of a URI `&`, of a text that quotes a string `'` and `"`, of a list `,`.
    private static let stops = Set("&'\",;)".utf8)

    /// The passwords of connection strings in the form of a URI, wherever they stand.
    static func uriPasswords(_ text: [UInt8]) -> [Range<Int>] {
        var found: [Range<Int>] = []
        for at in text.indices where text[at] == UInt8(ascii: ":") && (found.last?.upperBound ?? 0) <= at {
            if let range = userInfo(text, at) { found.append(range) }
        }
        return found
    }

    private static func userInfo(_ text: [UInt8], _ colon: Int) -> Range<Int>? {
        guard text[colon] == UInt8(ascii: ":"), text[colon...].starts(with: "://".utf8) else { return nil }
        var at = colon + 3
        var password: Int?
        var last: Int?
        while at < text.count, !isBlank(text[at]), !["/", "'", "\""].contains(Character(Unicode.Scalar(text[at]))) {
            if text[at] == UInt8(ascii: ":"), password == nil { password = at + 1 }
            if text[at] == UInt8(ascii: "@") { last = at }
            at += 1
        }
        guard let password, let last, password < last else { return nil }
        return password..<last
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (byte >= 0x09 && byte <= 0x0D) }

    private static func first(_ word: String, in text: [UInt8], from start: Int) -> Int? {
        let word = Array(word.utf8)
        guard text.count >= word.count else { return nil }
        return (start...max(start, text.count - word.count)).first { text[$0...].starts(with: word) }
    }
}
