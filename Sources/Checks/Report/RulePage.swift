/// What `docs/checks.md` says of the rules.
public enum RulePage {
    /// The whole page.
    public static var text: String {
        head + Rule.allCases.map { "\n" + section($0) }.joined()
    }

    /// One rule's entry: a heading and paragraphs, as Markdown.
    public static func section(_ rule: Rule) -> String { "## \(rule.code) \(rule.name)\n\n" + body(rule) }

    /// One rule's entry without its heading.
    static func body(_ rule: Rule) -> String {
        let explanation = rule.explanation
        var text =
            "\(rule.summary) As a rule this is \(rule.severity.withArticle)\(rule.canBeAllowed ? "" : ", and cannot be allowed").\n"
        text += "\n\(wrapped(explanation.why))\n\n\(wrapped("**Way out:** " + explanation.wayOut))\n"
        if !explanation.example.isEmpty {
            text +=
                "\nThis is found:\n\n" + block(explanation.example) + "\nThis is not:\n\n" + block(explanation.better)
        }
        return text
    }

    /// One rule's entry for a terminal.
    public static func plain(_ rule: Rule) -> String {
        let explanation = rule.explanation
        var text =
            "\(rule.code) \(rule.name) (\(rule.severity.rawValue))\n\n\(rule.summary)\n\(explanation.why)\n\(explanation.wayOut)\n"
        func show(_ title: String, _ files: [Rule.Explanation.File]) {
            guard !files.isEmpty else { return }
            text += "\n\(title)\n"
            for file in files {
                text += "  \(file.path)\n"
                for line in file.text.split(separator: "\n") { text += "      \(line)\n" }
            }
        }
        show("This is found:", explanation.example)
        show("This is not:", explanation.better)
        if rule.canBeAllowed {
            text += "\nWhere it is meant so, a file says '-- migrated: allow=\(rule.code) reason=…'.\n"
        }
        return text
    }

    /// As the other pages of the manual are wrapped.
    private static func wrapped(_ text: String, width: Int = 150) -> String {
        var lines: [String] = [""]
        for word in text.split(separator: " ") {
            let line = lines[lines.count - 1]
            if line.isEmpty {
                lines[lines.count - 1] = String(word)
            } else if line.count + 1 + word.count > width {
                lines.append(String(word))
            } else {
                lines[lines.count - 1] = line + " " + word
            }
        }
        return lines.joined(separator: "\n")
    }

    private static func block(_ files: [Rule.Explanation.File]) -> String {
        "```sql\n" + files.map { "-- \($0.path)\n\($0.text)\n" }.joined(separator: "\n") + "```\n"
    }

    private static let head = """
        # What `migrated check` finds

        `migrated check [FILES]` reads the configuration and every file of the directory, in the order in which they would run, and needs no database.
        Each finding is a line `file:line:column: severity CODE sentence`, the way out behind `HINT:`, and a code that stays.

        - **error**: it fails, or does what nobody meant. **warning**: it may do harm, depending on what the database holds and who uses it.
          **note**: worth knowing; shown with `--all`.
        - `--fail-on error|warning|note|never` says from where on the exit status is 1 (65 for a file that cannot be run, 77 for one that others could write).
        - FILES limits what is told to those files; the others are read for what they create.
        - `--database CONNINFO` compares the files with that database's history: applied files that were changed or have gone are found, and nothing is
          said of the statements of applied files. Only reads.
        - `-o json`; `-o sarif` (SARIF 2.1.0) for code hosts.
        - `--explain CODE` prints an entry of this page.

        What is meant so is allowed in the file, with the reason:

            -- migrated: allow=M041 reason=the column is unused since release 7

        Above the first statement the line is about the whole file, elsewhere about the statement that it stands before. CODE is a code or a name, or several
        with commas. A line that allows nothing is told of, too.

        Little is known without a database: what no file creates may exist already, and nothing is found about it; bodies of functions and of DO are not
        read, and what they name is in doubt from there on. Tables that a file itself creates are nobody else's yet, and may be locked, rewritten and dropped
        in it.

        This page is written from the table of rules: `REWRITE_REFERENCE=1 swift test --filter ChecksTests`.

        """
}

extension Severity {
    fileprivate var withArticle: String { self == .error ? "an error" : "a \(rawValue)" }
}
