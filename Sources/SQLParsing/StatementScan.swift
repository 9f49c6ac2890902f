internal import SQLLexing

/// One statement as the plain scanner sees it: its first words, what is open in it, and what speaks against a transaction round it.
struct StatementScan {
    private(set) var isEmpty = true
    private var start = 0
    /// Its first words, lower case; enough to name the command.
    private var head: [String] = []
    private var parentheses = 0
    /// Open BEGIN ATOMIC and, inside it, CASE.
    private var blocks = 0
    private var previous = ""
    private var isConcurrent = false
    private var copyTarget: PlainScan.Obstacle.Kind?
    private var hidden: PlainScan.Obstacle?

    /// Whether a `;` here ends the statement.
    var isOutermost: Bool { parentheses == 0 && blocks == 0 }

    /// Takes the next lexeme; `word` is its lower-case text where it is a word, `isDot` whether it is a dot.
    mutating func add(_ lexeme: Lexeme, word: String?, isDot: Bool) {
        if isEmpty { start = lexeme.range.lowerBound }
        isEmpty = false
        switch lexeme.kind {
        case .open: parentheses += 1
        case .close: parentheses = max(0, parentheses - 1)
        default: if let word { add(word, at: lexeme.range.lowerBound) }
        }
        previous = word ?? (lexeme.kind == .semicolon ? ";" : isDot ? "." : "")
    }

    private mutating func add(_ word: String, at offset: Int) {
        if head.count < 8 { head.append(word) }
        // After a dot or AS any word is a name.
        guard previous != ".", previous != "as" else { return }
        switch word {
        case "atomic" where previous == "begin" && blocks == 0 && isRoutine: blocks = 1
        case "case" where blocks > 0: blocks += 1
        case "end" where blocks > 0: blocks -= 1
        case "concurrently": isConcurrent = true
        case "stdin" where previous == "from" && isOutermost: copyTarget = .copyFromStandardInput
        case "stdout" where previous == "to" && isOutermost: copyTarget = .copyToStandardOutput
        default: break
        }
        // Inside a body or parentheses nothing may control a transaction: where it looks so, the body was misread.
        if previous == ";", hidden == nil, Self.control.contains(word),
            !(word == "end" || blocks > 0 && word == "begin")
        {
            hidden = .init(kind: .transactionControl, text: word.uppercased(), offset: offset)
        }
    }

    private var isRoutine: Bool {
        head.first == "create" && head.dropFirst().prefix(3).contains { $0 == "function" || $0 == "procedure" }
    }

    /// Why the statement cannot be part of one transaction of ours.
    var obstacle: PlainScan.Obstacle? {
        guard let first = head.first else { return nil }
        let second = head.dropFirst().first ?? ""
        func obstacle(_ kind: PlainScan.Obstacle.Kind, _ text: String) -> PlainScan.Obstacle {
            .init(kind: kind, text: text.uppercased(), offset: start)
        }
        if first == "copy", let copyTarget { return obstacle(copyTarget, "copy") }
        if Self.control.contains(first) { return obstacle(.transactionControl, first) }
        if first == "prepare", second == "transaction" { return obstacle(.transactionControl, "prepare transaction") }
        if let hidden { return hidden }
        if isConcurrent, ["create", "drop", "alter", "reindex"].contains(first) {
            return obstacle(.needsNoTransaction, "\(first) … concurrently")
        }
        if Self.outside.contains(first) { return obstacle(.needsNoTransaction, first) }
        if ["create", "drop", "alter"].contains(first), Self.outsideObjects.contains(second) {
            if first == "alter", second != "system", second != "subscription", !head.contains("tablespace") {
                return nil
            }
            return obstacle(.needsNoTransaction, "\(first) \(second)")
        }
        if first == "discard", second == "all" { return obstacle(.needsNoTransaction, "discard all") }
        if first == "reindex", head.prefix(4).contains(where: { ["database", "system", "schema"].contains($0) }) {
            return obstacle(.needsNoTransaction, "reindex \(second)")
        }
        return nil
    }

    private static let control: Set = ["begin", "start", "commit", "end", "rollback", "abort", "savepoint", "release"]
    private static let outside: Set = ["vacuum"]
    private static let outsideObjects: Set = ["database", "tablespace", "system", "subscription"]
}
