internal import Reporting

/// A line `--changeset author:id attribute:value …` of Liquibase's.
struct LiquibaseChangeset: Equatable {
    var author: String
    var id: String
    /// As they are written, names in lower case.
    var attributes: [(name: String, value: String)] = []

    static func == (one: LiquibaseChangeset, other: LiquibaseChangeset) -> Bool {
        one.author == other.author && one.id == other.id
    }

    /// Reads what stands behind the word `changeset`; nil where no author and id stand there.
    init?(_ text: some StringProtocol) {
        var words = LiquibaseChangeset.words(String(text))[...]
        guard let first = words.popFirst() else { return nil }
        let parts = LiquibaseChangeset.halves(first)
        guard let parts, !parts.0.isEmpty else { return nil }
        author = parts.0
        if parts.1.isEmpty, let next = words.popFirst() {
            id = LiquibaseChangeset.bare(next)
        } else {
            id = parts.1
        }
        guard !id.isEmpty else { return nil }
        for word in words {
            guard let (name, value) = LiquibaseChangeset.halves(word) else { return nil }
            attributes.append((name.lowercased(), value))
        }
    }

    /// The changesets of a file, in order.
    static func all(in text: [UInt8]) -> [LiquibaseChangeset] {
        TextLines(text).compactMap { line in
            guard let comment = text.comment(line)?.text, comment.lowercased().hasPrefix("changeset") else {
                return nil
            }
            return LiquibaseChangeset(comment.dropFirst(9))
        }
    }

    /// Split at blanks that are not quoted.
    private static func words(_ text: String) -> [String] {
        var words: [String] = []
        var current = ""
        var isQuoted = false
        for character in text {
            if character == "\"" { isQuoted.toggle() }
            if character.isWhitespace, !isQuoted {
                if !current.isEmpty { words.append(current) }
                current = ""
            } else {
                current.append(character)
            }
        }
        if !current.isEmpty { words.append(current) }
        return words
    }

    private static func halves(_ word: String) -> (String, String)? {
        var isQuoted = false
        for index in word.indices {
            if word[index] == "\"" { isQuoted.toggle() }
            if word[index] == ":", !isQuoted {
                return (bare(String(word[..<index])), bare(String(word[word.index(after: index)...])))
            }
        }
        return nil
    }

    private static func bare(_ word: String) -> String { word.filter { $0 != "\"" } }
}

extension Sections {
    /// The changesets of formatted SQL: what runs, and what `--rollback` lines say undoes it.
    ///
    /// Throws with the line for everything that decides whether, where or how often a changeset runs, because here each runs once: contexts,
    /// labels, preconditions, other databases, `runOnChange`, `runAlways`, properties, included files, other delimiters.
    static func liquibase(_ text: [UInt8], path: String) throws(Complaint) -> Sections {
        var sections = Sections(whole: Part())
        sections.down = nil
        var seen: [LiquibaseChangeset] = []
        var transactions: Set<Bool> = []
        var undone = 0
        var isUndone = false
        func refused(_ message: String, _ line: Range<Int>, _ hint: String) -> Complaint {
            MigrationFile.complaint(message, at: line.lowerBound, in: text, path: path, hint: hint)
        }
        let only = "Take it out where every changeset of this directory is to run once here."
        var isFirst = true
        for line in TextLines(text) {
            if isFirst, text.isBlank(line) { continue }
            if isFirst {
                isFirst = false
                guard Dialect(line: line, in: text) == .liquibase else {
                    throw refused(
                        "the file does not begin with '--liquibase formatted sql'", line,
                        "Write that line above it, or move the file away.")
                }
                let rest = (text.comment(line)?.text ?? "").split(whereSeparator: \.isWhitespace)
                    .dropFirst(3).filter { !$0.lowercased().hasPrefix("logicalfilepath:") }
                if let word = rest.first { throw refused("'\(word)' decides how the whole file runs", line, only) }
                continue
            }
            guard let comment = text.comment(line)?.text else {
                if text.text(line).trimmed.lowercased().hasPrefix("/* liquibase rollback")
                    || text.text(line).trimmed.lowercased().hasPrefix("/*liquibase rollback")
                {
                    throw refused(
                        "a rollback in a block comment is not read here", line, "Write it in '--rollback' lines.")
                }
                sections.up.ranges.append(line)
                continue
            }
            let lowercase = comment.lowercased()
            let word = lowercase.prefix { $0.isLetter || $0 == "-" }
            switch word {
            case "changeset":
                if seen.isEmpty, let statement = text.statement(before: line) {
                    throw refused(
                        "a statement stands before the first '--changeset'", statement, "Move it below that line.")
                }
                guard let changeset = LiquibaseChangeset(comment.dropFirst(9)) else {
                    throw refused("the line is no changeset", line, "Write '--changeset author:id'.")
                }
                if seen.contains(changeset) {
                    throw refused(
                        "the changeset '\(changeset.author):\(changeset.id)' is given twice", line,
                        "Give one of them an id of its own.")
                }
                seen.append(changeset)
                isUndone = false
                var runsInTransaction = true
                for (name, value) in changeset.attributes {
                    switch (name, value.lowercased()) {
                    case ("runintransaction", "true"), ("runintransaction", "false"):
                        runsInTransaction = value.lowercased() == "true"
                    case ("splitstatements", "true"), ("splitstatements", "false"), ("rollbacksplitstatements", "true"),
                        ("rollbacksplitstatements", "false"), ("stripcomments", "true"), ("stripcomments", "false"),
                        ("enddelimiter", ";"), ("rollbackenddelimiter", ";"), ("failonerror", "true"),
                        ("runonchange", "false"),
                        ("runalways", "false"), ("ignore", "false"), ("logicalfilepath", _), ("comment", _):
                        break
                    case ("dbms", let engines)
                    where engines.split(separator: ",").contains { $0.trimmed == "postgresql" }: break
                    default: throw refused("'\(name):\(value)' decides whether or how the changeset runs", line, only)
                    }
                }
                transactions.insert(runsInTransaction)
            case "rollback":
                guard !seen.isEmpty else {
                    throw refused("'--rollback' stands before the first '--changeset'", line, "Move it below.")
                }
                let rest = comment.dropFirst(8).trimmed
                if ["", "empty", "not required"].contains(rest.lowercased()) {
                    if sections.down == nil { sections.down = Part() }
                    continue
                }
                if rest.lowercased().hasPrefix("changesetid:") || rest.lowercased().hasPrefix("changesetauthor:") {
                    throw refused(
                        "a rollback by another changeset is not read here", line, "Write the statements themselves.")
                }
                if !isUndone { undone += 1 }
                isUndone = true
                if sections.down == nil { sections.down = Part() }
                // The text is what stands behind the word.
                let blanks: Set<UInt8> = [0x20, 0x09, UInt8(ascii: "-")]
                let word = line.first { !blanks.contains(text[$0]) } ?? line.lowerBound
                sections.down?.ranges.append(min(word + 8, line.upperBound)..<line.upperBound)
            case "precondition", "preconditions", "property", "include", "includeall", "tagdatabase", "rollbacksqlfile",
                "ignorelines",
                "ignore", "validchecksum":
                if word == "validchecksum" { continue }
                throw refused("'--\(word)' decides whether or how a changeset runs", line, only)
            default:
                if word.hasPrefix("precondition-") {
                    throw refused("'--\(word)' decides whether a changeset runs", line, only)
                }
                sections.up.ranges.append(line)
            }
        }
        guard !seen.isEmpty else {
            throw refused(
                "the file holds no '--changeset'", 0..<0, "Write '--changeset author:id' above the statements.")
        }
        guard transactions.count == 1 else {
            throw refused(
                "some changesets run in a transaction and others do not", 0..<0, "Put each kind into a file of its own."
            )
        }
        sections.up.withoutTransaction = transactions == [false]
        sections.down?.withoutTransaction = transactions == [false]
        // Changesets are undone last one first, which the order of the text is not.
        if undone > 1 || (seen.count > 1 && undone == 1) { sections.down = nil }
        return sections
    }
}
