/// One statement, or one body, as a list of lexemes: does it speak of a secret, and which of its literals are one for certain?
struct SecretUnit {
    /// A literal that is a secret.
    struct Secret {
        var range: Range<Int>
        /// What it holds; nil for a name or number that stands where a literal should.
        var content: [UInt8]?
        /// Whether the content is the secret, or only has it in it.
        var isWhole = true
        /// The secrets in it, where it is not the whole.
        var parts: [[UInt8]] = []
    }

    let lexemes: [Lexeme]
    let bytes: [UInt8]
    let isBody: Bool
    let depth: Int
    /// Whether it has to do with a secret.
    private(set) var speaks = false

    init(_ lexemes: [Lexeme], _ bytes: [UInt8], isBody: Bool, depth: Int) {
        self.lexemes = lexemes
        self.bytes = bytes
        self.isBody = isBody
        self.depth = depth
        speaks = isAboutAccess || lexemes.indices.contains(where: speaks)
    }

    // MARK: Reading

    /// A word's or quoted name's text; empty for anything else.
    func name(_ index: Int) -> [UInt8] {
        guard lexemes.indices.contains(index) else { return [] }
        switch lexemes[index].kind {
        case .word: return Array(bytes[lexemes[index].range])
        case .quotedName: return Lexer.content(of: lexemes[index], in: bytes) ?? []
        default: return []
        }
    }

    /// A word in lower case; empty for anything else, a quoted name too.
    func word(_ index: Int) -> String {
        guard lexemes.indices.contains(index), lexemes[index].kind == .word else { return "" }
        return String(decoding: bytes[lexemes[index].range], as: UTF8.self).lowercased()
    }

    func symbol(_ index: Int) -> UInt8? {
        guard lexemes.indices.contains(index), lexemes[index].kind == .other else { return nil }
        return bytes[lexemes[index].range.lowerBound]
    }

    func kind(_ index: Int) -> Lexeme.Kind? { lexemes.indices.contains(index) ? lexemes[index].kind : nil }

    func isLiteral(_ index: Int) -> Bool { kind(index) == .string || kind(index) == .dollarString }

    /// The literal that begins at `index`, behind the `U&` or type letter that may stand before its quote.
    func literal(_ index: Int) -> Int? {
        if isLiteral(index) { return index }
        let prefix = word(index)
        if prefix == "u", symbol(index + 1) == UInt8(ascii: "&"), kind(index + 2) == .string { return index + 2 }
        if ["n", "b", "x"].contains(prefix), kind(index + 1) == .string,
            lexemes[index].range.upperBound == lexemes[index + 1].range.lowerBound
        {
            return index + 1
        }
        return nil
    }

    /// `:'name'` is a variable of psql's, not a literal.
    func isVariable(_ index: Int) -> Bool {
        symbol(index - 1) == UInt8(ascii: ":") && symbol(index - 2) != UInt8(ascii: ":")
            && lexemes[index - 1].range.upperBound == lexemes[index].range.lowerBound
    }

    /// Whether a dollar-quoted text is the body of a function or DO.
    func isBody(_ index: Int) -> Bool {
        ["as", "do"].contains(word(index - 1)) || word(index - 2) == "language"
    }

    // MARK: What it speaks of

    /// Statements whose literals are mostly secrets: there a misspelt PASSWORD hides them, too.
    private var isAboutAccess: Bool {
        !isBody && ["create", "alter"].contains(word(0)) && ["role", "user", "group", "subscription"].contains(word(1))
    }

    private func speaks(_ index: Int) -> Bool {
        switch lexemes[index].kind {
        case .word, .quotedName:
            let name = name(index)
            if SecretName.mentions(name) || holdsSecret(index) { return true }
            switch word(index) {
            case "connection", "program": return literal(index + 1) != nil
            case "options" where kind(index + 1) == .open:
                return options(behind: index + 1).contains {
                    !SecretName.harmlessOptions.contains(String(decoding: $0.name, as: UTF8.self).lowercased())
                }
            case let word: return SecretName.functions[word] != nil && kind(index + 1) == .open
            }
        case .string, .unterminated:
            let content = Array(bytes[lexemes[index].range])
            return SecretName.isMentioned(in: content) || SecretValue.holdsSecret(content)
        case .dollarString:
            // A body is read by itself.
            guard !isBody(index) else { return false }
            let content = Array(bytes[lexemes[index].range])
            return SecretName.isMentioned(in: content) || SecretValue.holdsSecret(content)
        default: return false
        }
    }

    /// Whether double quotes stand round a connection string, as other languages write them.
    func holdsSecret(_ index: Int) -> Bool {
        kind(index) == .quotedName && SecretValue.holdsSecret(Array(bytes[lexemes[index].range]))
    }

    /// `password = "x"` of a body in another language; in SQL it is a column.
    func isAssigned(_ index: Int) -> Bool {
        isBody && kind(index) == .quotedName && [UInt8(ascii: "="), UInt8(ascii: ":")].contains(symbol(index - 1))
            && SecretName.isSecret(name(index - 2))
    }

    /// Where quotes are out of step: the first literal of a unit in which one does not end, or touches a word. From there on nobody knows
    /// what is inside of quotes and what outside.
    var outOfStep: Int? {
        let isOut = lexemes.indices.contains { index in
            switch lexemes[index].kind {
            case .unterminated: return true
            case .string:
                let range = lexemes[index].range
                if range.upperBound < bytes.count, bytes[range.upperBound] != UInt8(ascii: "$"),
                    Lexer.continuesName(bytes[range.upperBound])
                {
                    return true
                }
                let before = range.lowerBound - 1
                guard lexemes.indices.contains(index - 1), lexemes[index - 1].range.upperBound == range.lowerBound,
                    Lexer.continuesName(bytes[before])
                else { return false }
                return !["n", "b", "x"].contains(word(index - 1))
            default: return false
            }
        }
        guard isOut else { return nil }
        return lexemes.first { [.string, .unterminated, .dollarString].contains($0.kind) }?.range.lowerBound
    }

    /// The names and values of `(name 'value', SET name 'value' …)`; `open` is its parenthesis.
    func options(behind open: Int) -> [(name: [UInt8], value: Int)] {
        var found: [(name: [UInt8], value: Int)] = []
        var index = open + 1
        while index < lexemes.count, lexemes[index].kind != .close {
            let name = name(index)
            if !name.isEmpty, let value = literal(index + 1) {
                found.append((name, value))
                index = value
            }
            index += 1
        }
        return found
    }
}
