/// A comment that is nothing but the head of a section: which direction the statements below it have.
///
/// Known are the marks of migration tools, and what people write where no tool reads it: `-- DOWN`, `/* === rollback === */`, `-- Undo script`.
/// A sentence is no head, nor is a statement that was commented out.
package struct SectionHead: Equatable, Sendable {
    /// What the statements below it do.
    package enum Direction: Sendable { case up, down }

    /// What the statements below it do.
    package var direction: Direction
    /// The tool whose mark it is, as `layout =` names it; nil for nobody's.
    package var tool: String?

    /// Reads what stands behind the dashes of a line comment, or between the ends of a block comment; nil where it is no head.
    package init?(comment: String) {
        guard comment.utf8.count <= SectionHead.longest else { return nil }
        let words = comment.lowercased().split { !$0.isLetter && !$0.isNumber }
        guard let found = SectionHead.direction(words[...], isSentence: SectionHead.isSentence(comment)) else {
            return nil
        }
        direction = found
        tool = SectionHead.tool(comment.trimmed, words)
    }

    /// Longer comments are prose.
    private static let longest = 200

    /// A full stop or a `;` at the end: a sentence, or a statement that was commented out.
    private static func isSentence(_ comment: String) -> Bool {
        guard let last = comment.trimmed.last else { return false }
        return last == "." || last == "," || comment.contains(";")
    }

    // MARK: Direction

    private static let downWords: Set<Substring> = [
        "down", "downs", "undo", "rollback", "rollbacks", "revert", "reverts", "downgrade", "backout", "unapply",
    ]
    /// These are heads only beside a word for what they are the head of.
    private static let weakDownWords: Set<Substring> = ["reverse", "backward", "backwards"]
    private static let upWords: Set<Substring> = ["up", "ups", "upgrade"]
    private static let parts: Set<Substring> = [
        "migration", "migrations", "migrate", "section", "script", "scripts", "part", "block", "sql", "ddl",
        "statement", "statements", "command", "commands", "instructions", "changes", "change", "schema",
    ]
    private static let fillers: Set<Substring> = ["the", "this", "to", "for", "of", "begin", "start", "below", "only"]
    private static let tools: Set<Substring> = [
        "goose", "rambler", "dbmate", "notransaction", "transaction", "false", "true",
    ]

    private static func direction(_ words: ArraySlice<Substring>, isSentence: Bool) -> Direction? {
        guard !isSentence, !words.isEmpty, words.count <= 6 else { return nil }
        if words == ["create", "above", "drop", "below"] || words == ["drop", "below"] { return .down }
        var found: Direction?
        var isWeak = false
        var hasPart = false
        var rest = words
        while let word = rest.popFirst() {
            var direction: Direction?
            if downWords.contains(word) {
                direction = .down
            } else if (word == "roll" || word == "back"), let next = rest.first,
                next == (word == "roll" ? "back" : "out")
            {
                rest = rest.dropFirst()
                direction = .down
            } else if weakDownWords.contains(word) {
                (direction, isWeak) = (.down, true)
            } else if upWords.contains(word) {
                direction = .up
            } else if parts.contains(word) {
                hasPart = true
            } else if !fillers.contains(word), !tools.contains(word), !word.contains(where: \.isNumber) {
                return nil
            }
            guard let direction else { continue }
            // 'rollback (down)' is one head, 'up / down' is none.
            if let found, found != direction { return nil }
            found = direction
        }
        return isWeak && !hasPart ? nil : found
    }

    // MARK: Tools

    private static func tool(_ comment: Substring, _ words: [Substring]) -> String? {
        let lowercase = comment.lowercased()
        if lowercase.hasPrefix("+goose") { return "goose" }
        if lowercase.hasPrefix("+migrate") { return "sql-migrate" }
        if lowercase.hasPrefix("migrate:") { return "dbmate" }
        if lowercase.hasPrefix("//"), lowercase.contains("@undo") { return "mybatis" }
        if words == ["create", "above", "drop", "below"] { return "tern" }
        if words.first == "rambler" { return "rambler" }
        if lowercase.contains("!downs") || lowercase.contains("!ups") { return "play" }
        if words == ["up", "migration"] || words == ["down", "migration"] { return "node-pg-migrate" }
        return nil
    }
}
