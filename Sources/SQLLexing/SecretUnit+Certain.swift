extension SecretUnit {
    /// The literals that are a secret, or hold one, for certain, in the order of the text.
    func secrets() -> [Secret] {
        var indices: Set<Int> = []
        var found: [Secret] = []
        for index in lexemes.indices {
            if let bare = bareword(index) { found.append(Secret(range: lexemes[bare].range)) }
            indices.formUnion(named(index))
            indices.formUnion(arguments(index))
        }
        for index in indices.sorted() where !isVariable(index) { found.append(whole(index)) }
        for index in lexemes.indices where (isLiteral(index) || holdsSecret(index)) && !indices.contains(index) {
            if let secret = inside(index) { found.append(secret) }
        }
        return found
    }

    private func whole(_ index: Int) -> Secret {
        Secret(range: lexemes[index].range, content: Lexer.content(of: lexemes[index], in: bytes) ?? [])
    }

    /// `PASSWORD secret` and `PASSWORD "secret"` of a role's statement: no SQL, but typed often enough, and the server quotes it.
    private func bareword(_ index: Int) -> Int? {
        guard !isBody, word(index) == "password", ["create", "alter"].contains(word(0)),
            ["role", "user", "group"].contains(word(1)),
            word(2) != "mapping", literal(index + 1) == nil
        else { return nil }
        switch kind(index + 1) {
        case .quotedName, .number: return index + 1
        case .word where !["null", "valid"].contains(word(index + 1)): return index + 1
        default: return nil
        }
    }

    /// The literals that the name at `index` gives a meaning to; several where one goes on over lines.
    private func named(_ index: Int) -> [Int] {
        let name = name(index)
        guard !name.isEmpty, SecretName.isSecret(name) else { return [] }
        // `PASSWORD 'x'`, `OPTIONS (password 'x')`.
        if let value = literal(index + 1) { return continued(value) }
        var at = index + 1
        // The type of a variable: `pw constant text := 'x'`.
        while at < index + 5, kind(at) == .word, !["to", "default"].contains(word(at)) { at += 1 }
        if symbol(at) == UInt8(ascii: ":"), symbol(at + 1) == UInt8(ascii: "="), let value = literal(at + 2) {
            return continued(value)
        }
        if symbol(index + 1) == UInt8(ascii: "="), symbol(index + 2) == UInt8(ascii: ">"),
            let value = literal(index + 3)
        {
            return continued(value)
        }
        if isSetting(index), symbol(index + 1) == UInt8(ascii: "=") || word(index + 1) == "to",
            let value = literal(index + 2)
        {
            return continued(value)
        }
        return []
    }

    /// Whether `SET` or `ALTER SYSTEM SET` gives a value to the name that ends at `index`, rather than an UPDATE to a column.
    private func isSetting(_ index: Int) -> Bool {
        var at = index
        var isDotted = false
        while symbol(at - 1) == UInt8(ascii: ".") {
            isDotted = true
            at -= 2
        }
        at -= 1
        if ["local", "session"].contains(word(at)) { at -= 1 }
        return word(at) == "set" && (isDotted || at == 0 || word(at - 1) == "system" || kind(at - 1) == .semicolon)
    }

    /// The literal and those that continue it on further lines.
    private func continued(_ index: Int) -> [Int] {
        var all = [index]
        while kind(all[all.count - 1]) == .string, kind(all[all.count - 1] + 1) == .string {
            all.append(all[all.count - 1] + 1)
        }
        return all
    }

    /// The literals that a function at `index` takes as secrets.
    private func arguments(_ index: Int) -> [Int] {
        guard kind(index + 1) == .open else { return [] }
        let function = word(index)
        if function == "set_config", let first = literal(index + 2), kind(first + 1) == .comma,
            SecretName.isSecret(Lexer.content(of: lexemes[first], in: bytes) ?? []), let value = literal(first + 2)
        {
            return continued(value)
        }
        guard let places = SecretName.functions[function] else { return [] }
        var found: [Int] = []
        var depth = 0
        var argument = 0
        var starts = true
        for at in index + 1..<lexemes.count {
            switch lexemes[at].kind {
            case .open:
                depth += 1
                continue
            case .close: depth -= 1
            case .comma where depth == 1:
                argument += 1
                starts = true
                continue
            default: break
            }
            if depth == 0 { break }
            if starts, depth == 1, places.contains(argument), let value = literal(at) { found += continued(value) }
            starts = false
        }
        return found
    }

    /// A literal that holds a connection string with a password, a private key, or a statement with a secret.
    private func inside(_ index: Int) -> Secret? {
        guard let content = Lexer.content(of: lexemes[index], in: bytes) else { return nil }
        let passwords = SecretValue.connectionSecrets(content).map { Array(content[$0]) }.filter(SecretValue.isClear)
        if !passwords.isEmpty || SecretValue.holdsSecret(content) {
            return Secret(range: lexemes[index].range, content: content, isWhole: false, parts: passwords)
        }
        // A dollar-quoted text that is shown is read where it stands.
        guard lexemes[index].kind == .string || (speaks && !isBody(index)), depth < SecretScan.deepest,
            SecretName.isMentioned(in: content)
        else { return nil }
        let nested = Secrets(of: content, isBody: true, depth: depth + 1)
        guard nested.found.contains(where: { $0.kind == .clear }) else { return nil }
        return Secret(range: lexemes[index].range, content: content, isWhole: false, parts: nested.values)
    }
}
