/// Reads a text, statement by statement and body by body, for what must not be shown of it.
struct SecretScan {
    let bytes: [UInt8]
    /// How many literals this text is inside of.
    let depth: Int
    var masks: [Secrets.Mask] = []
    var found: [Secrets.Found] = []
    var values: [[UInt8]] = []

    /// Texts inside of texts are read so deep; what is deeper is hidden.
    static let deepest = 8

    init(_ bytes: [UInt8], depth: Int) {
        self.bytes = bytes
        self.depth = depth
    }

    /// Reads a range; a body is one unit, because what one of its statements puts together another one runs.
    mutating func read(_ range: Range<Int>, isBody: Bool, level: Int = 0) {
        var lexer = Lexer(bytes, in: range)
        var unit: [Lexeme] = []
        var start = range.lowerBound
        while let lexeme = lexer.next() {
            if lexeme.kind == .semicolon, !isBody {
                read(unit, start..<lexeme.range.lowerBound, isBody, level)
                unit = []
                start = lexeme.range.upperBound
            } else {
                unit.append(lexeme)
            }
        }
        read(unit, start..<range.upperBound, isBody, level)
    }

    private mutating func read(_ lexemes: [Lexeme], _ range: Range<Int>, _ isBody: Bool, _ level: Int) {
        let unit = SecretUnit(lexemes, bytes, isBody: isBody, depth: depth)
        for secret in unit.secrets() {
            guard let content = secret.content else {
                // A name or number where a literal should stand.
                masks.append(Secrets.Mask(range: secret.range, shown: "***"))
                values.append(Array(bytes[secret.range]))
                found.append(Secrets.Found(kind: .clear, range: secret.range))
                continue
            }
            if SecretValue.isVerifier(content) {
                found.append(Secrets.Found(kind: .verifier, range: secret.range))
            } else if secret.isWhole, SecretValue.isClear(content) {
                found.append(Secrets.Found(kind: .clear, range: secret.range))
                values.append(content)
            } else if !secret.isWhole {
                found.append(Secrets.Found(kind: .clear, range: secret.range))
                values += secret.parts
            }
        }
        let speaks = unit.speaks
        if speaks, let first = unit.outOfStep {
            masks.append(Secrets.Mask(range: first..<max(first, range.upperBound), shown: "'***'"))
            comments(lexemes, range.lowerBound..<first, hidesQuotes: true)
            return
        }
        for (index, lexeme) in lexemes.enumerated() {
            switch lexeme.kind {
            case .string, .unterminated:
                if speaks, !unit.isVariable(index) { hide(lexeme) }
            case .quotedName where unit.holdsSecret(index) || unit.isAssigned(index):
                masks.append(Secrets.Mask(range: lexeme.range, shown: "\"***\""))
            case .dollarString:
                if level >= SecretScan.deepest || (speaks && !unit.isBody(index)) {
                    hide(lexeme)
                } else {
                    read(Lexer.body(of: lexeme, in: bytes), isBody: true, level: level + 1)
                }
            default: break
            }
        }
        comments(lexemes, range, hidesQuotes: speaks)
    }

    private mutating func hide(_ lexeme: Lexeme) {
        masks.append(Secrets.Mask(range: lexeme.range, shown: "'***'"))
        // The server may quote it. A plain name is none of the secrets, unless it is found to be one, and on-call needs it.
        guard let content = Lexer.content(of: lexeme, in: bytes), !content.allSatisfy(SecretScan.isPlain) else {
            return
        }
        values.append(content)
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        (byte >= UInt8(ascii: "a") && byte <= UInt8(ascii: "z")) || byte == UInt8(ascii: "_")
            || byte == UInt8(ascii: ".")
    }

    /// What lies between the lexemes: white space and comments.
    private mutating func comments(_ lexemes: [Lexeme], _ range: Range<Int>, hidesQuotes: Bool) {
        var at = range.lowerBound
        for end in lexemes.map(\.range).filter({ $0.lowerBound < range.upperBound }) + [
            range.upperBound..<range.upperBound
        ] {
            if at < end.lowerBound { gap(at..<end.lowerBound, hidesQuotes) }
            at = max(at, end.upperBound)
        }
    }

    private mutating func gap(_ range: Range<Int>, _ hidesQuotes: Bool) {
        // A comment is hidden from its mark to its end; of a run of comments each by itself.
        var at = range.lowerBound
        while at < range.upperBound {
            guard bytes[at] == UInt8(ascii: "-") || bytes[at] == UInt8(ascii: "/") else {
                at += 1
                continue
            }
            var end: Int
            if bytes[at] == UInt8(ascii: "-") {
                end = bytes[at..<range.upperBound].firstIndex { $0 == 0x0A || $0 == 0x0D } ?? range.upperBound
            } else {
                var depth = 0
                end = at
                repeat {
                    let pair = bytes[end..<min(end + 2, range.upperBound)]
                    if pair.elementsEqual("/*".utf8) {
                        depth += 1; end += 2
                    } else if pair.elementsEqual("*/".utf8) {
                        depth -= 1; end += 2
                    } else {
                        end += 1
                    }
                } while depth > 0 && end < range.upperBound
            }
            let comment = bytes[at..<end]
            if SecretName.isMentioned(in: comment) || SecretValue.holdsSecret(Array(comment))
                || hidesQuotes && comment.contains(UInt8(ascii: "'"))
            {
                masks.append(
                    Secrets.Mask(range: at..<end, shown: bytes[at] == UInt8(ascii: "-") ? "-- ***" : "/* *** */"))
            }
            at = max(end, at + 1)
        }
    }
}
