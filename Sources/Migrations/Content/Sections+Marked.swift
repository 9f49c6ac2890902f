internal import Reporting
internal import SQLLexing

/// How a tool tells the sections of a file apart: by lines of their own.
struct SectionMarks: Sendable {
    /// What a line says to the tool.
    enum Mark: Sendable {
        /// A section begins.
        case up(withoutTransaction: Bool = false)
        case down(withoutTransaction: Bool = false)
        /// A statement ends here, whatever stands in it.
        case end
        /// The section that it stands in runs outside of a transaction.
        case withoutTransaction
        /// The tool takes it out of the text.
        case ignored
        /// What the tool does with it cannot be done here.
        case refused(String, hint: String)
    }

    /// How the sections are written, for messages.
    var up: String
    var down: String
    /// Whether what stands above the first mark applies the migration.
    var beginsUp = false
    /// Whether the tool runs all of a file that has what undoes a migration, and no mark of what applies it.
    var downNeedsUp = false
    /// Whether a section may be given more than once: its parts run one after the other.
    var repeats = false
    /// Whether a line above the first mark that begins with `#` is a comment.
    var hashComments = false
    /// Whether each mark ends a statement.
    var endsStatements = false
    /// Whether sections that undo run last one first, which the order of the text is not.
    var undoesBackwards = false
    var read: @Sendable (Range<Int>, [UInt8]) -> Mark?
}

extension Sections {
    /// Cuts a text at a tool's marks.
    init(_ text: [UInt8], marks: SectionMarks, path: String) throws(Complaint) {
        enum State { case head, up, down }
        self.init(whole: Part())
        down = nil
        var state = State.head
        var ups = 0
        var downs = 0
        var head: [Range<Int>] = []
        func complaint(_ message: String, _ line: Range<Int>, _ hint: String) -> Complaint {
            MigrationFile.complaint(message, at: line.lowerBound, in: text, path: path, hint: hint)
        }
        for line in TextLines(text) {
            guard let mark = marks.read(line, text) else {
                switch state {
                case .head: head.append(line)
                case .up: up.ranges.append(line)
                case .down: down?.ranges.append(line)
                }
                continue
            }
            if marks.endsStatements, !line.isEmpty {
                if state == .up {
                    up.ends.append(line.lowerBound)
                } else if state == .down {
                    down?.ends.append(line.lowerBound)
                }
            }
            switch mark {
            case .up(let without):
                ups += 1
                guard ups == 1 || marks.repeats else {
                    throw complaint("'\(marks.up)' is given twice", line, "Cut the file in two.")
                }
                state = .up
                if without { up.withoutTransaction = true }
            case .down(let without):
                downs += 1
                guard downs == 1 || marks.repeats else {
                    throw complaint("'\(marks.down)' is given twice", line, "Cut the file in two.")
                }
                state = .down
                if down == nil { down = Part() }
                if without { down?.withoutTransaction = true }
            case .end where state == .up: up.ends.append(line.lowerBound)
            case .end where state == .down: down?.ends.append(line.lowerBound)
            case .withoutTransaction where state == .down: down?.withoutTransaction = true
            case .withoutTransaction: up.withoutTransaction = true
            case .end, .ignored: break
            case .refused(let message, let hint): throw complaint(message, line, hint)
            }
        }
        if ups == 0, marks.beginsUp, downs == 0 || !marks.downNeedsUp {
            up.ranges = head
        } else if let end = head.last?.upperBound,
            let statement = text.statement(before: end..<end, hashComments: marks.hashComments)
        {
            throw complaint(
                "a statement stands before '\(ups > 0 ? marks.up : marks.down)'", statement,
                "Move it below the line '\(marks.up)'.")
        } else if ups == 0 {
            throw complaint(
                "the file has no line '\(marks.up)'", 0..<0, "Add the line above what applies the migration.")
        }
        if marks.undoesBackwards, downs > 1 { down = nil }
    }

    /// Whether the text has statements that undo a migration: a heading above what applies it alone, or above comments, changes nothing.
    static func hasDown(_ text: [UInt8], _ marks: SectionMarks) -> Bool {
        TextLines(text).contains { line in
            guard case .down? = marks.read(line, text) else { return false }
            var lexer = Lexer(text, in: line.upperBound..<text.count)
            return lexer.next() != nil
        }
    }
}

extension [UInt8] {
    /// The first line above `line` that is more than a comment, a licence in a block comment included; nil where there is none.
    func statement(before line: Range<Int>, hashComments: Bool = false) -> Range<Int>? {
        var text = self
        if hashComments {
            for comment in TextLines(self)
            where comment.lowerBound < line.lowerBound && self.text(comment).trimmed.hasPrefix("#") {
                text.replaceSubrange(comment, with: repeatElement(0x20, count: comment.count))
            }
        }
        // A byte order mark belongs to no line.
        guard let first = TextLines(text).first(where: { _ in true }), first.lowerBound < line.lowerBound else {
            return nil
        }
        var lexer = Lexer(text, in: first.lowerBound..<line.lowerBound)
        guard let found = lexer.next() else { return nil }
        return TextLines(text).first { $0.contains(found.range.lowerBound) }
    }
}

// MARK: The tools

extension SectionMarks {
    /// sql-migrate: `-- +migrate Up`, `Down`, each with `notransaction`; `StatementBegin` and `StatementEnd`.
    static let sqlMigrate = SectionMarks(up: "-- +migrate Up", down: "-- +migrate Down", repeats: true) { line, text in
        guard let comment = text.comment(line), comment.text.lowercased().hasPrefix("+migrate") else { return nil }
        if comment.indented || !text[line].starts(with: "-- +migrate ".utf8) {
            return .refused(
                "sql-migrate does not read this line",
                hint: "Let the line begin with '-- +migrate ', as the tool wants it.")
        }
        let words = comment.text.split(whereSeparator: \.isWhitespace).dropFirst()
        let options = words.dropFirst()
        guard let first = words.first, options.allSatisfy({ $0 == "notransaction" }) else {
            return .refused("unknown option of sql-migrate", hint: "Known is 'notransaction'.")
        }
        return switch first {
        case "Up": .up(withoutTransaction: !options.isEmpty)
        case "Down": .down(withoutTransaction: !options.isEmpty)
        case "StatementBegin": .ignored
        case "StatementEnd": .end
        default:
            .refused(
                "unknown command '+migrate \(first)'", hint: "Known are Up, Down, StatementBegin and StatementEnd.")
        }
    }

    /// node-pg-migrate: `-- Up Migration` and `-- Down Migration`, in any case and with more dashes.
    static let nodePgMigrate = SectionMarks(
        up: "-- Up Migration", down: "-- Down Migration", beginsUp: true, downNeedsUp: true
    ) { line, text in
        guard let comment = text.comment(line) else { return nil }
        let words = comment.text.drop { $0 == "-" || $0.isWhitespace }.lowercased()
            .split(maxSplits: 2, whereSeparator: \.isWhitespace)
        guard words.count > 1, words[1].hasPrefix("migration") else { return nil }
        return words[0] == "up" ? .up() : words[0] == "down" ? .down() : nil
    }

    /// MyBatis Migrations: what stands below `-- //@UNDO` undoes the migration.
    static let mybatis = SectionMarks(up: "-- //", down: "-- //@UNDO", beginsUp: true) { line, text in
        guard let comment = text.comment(line) else {
            return placeholder(line, text, "MyBatis")
        }
        let words = comment.text.drop { $0 == "/" || $0.isWhitespace }
        if words.hasPrefix("@DELIMITER") {
            return .refused(
                "MyBatis would take another delimiter from here on",
                hint: "Statements end with ';' here, and a function's body may hold them: take the line out.")
        }
        return comment.text.hasPrefix("//") && words.hasPrefix("@UNDO") ? .down() : nil
    }

    /// tern: what stands below `---- create above / drop below ----` undoes the migration.
    static let tern = SectionMarks(
        up: "---- create above / drop below ----", down: "---- create above / drop below ----", beginsUp: true
    ) { line, text in
        let written = text.text(line)
        if written.contains("---- create above / drop below ----") { return .down() }
        if written == "---- tern: disable-tx ----" { return .withoutTransaction }
        guard written.contains("{{") else { return nil }
        return .refused(
            "tern would run this through Go's templates", hint: "Write what the template gives, and nothing with '{{'.")
    }

    /// rambler: `-- rambler up` and `-- rambler down`, each of which begins one statement.
    static let rambler = SectionMarks(
        up: "-- rambler up", down: "-- rambler down", repeats: true, endsStatements: true, undoesBackwards: true
    ) { line, text in
        guard text[line].starts(with: "-- rambler".utf8) else { return nil }
        switch text.text(line).dropFirst(10).trimmed {
        case "up": return .up()
        case "down": return .down()
        default: return .refused("unknown mark of rambler", hint: "Known are '-- rambler up' and '-- rambler down'.")
        }
    }

    /// Play: a line with `!Ups` or `!Downs` that begins with `#` or `--`.
    static let play = SectionMarks(up: "# --- !Ups", down: "# --- !Downs", repeats: true, hashComments: true) {
        line, text in
        let written = text.text(line).trimmed
        if written.contains("$evolutions{{{") {
            return .refused("Play would put a value in here", hint: "Write the value itself.")
        }
        guard written.hasPrefix("#") || written.hasPrefix("--") else { return nil }
        if written.contains("!Ups") { return .up() }
        return written.contains("!Downs") ? .down() : nil
    }

    private static func placeholder(_ line: Range<Int>, _ text: [UInt8], _ tool: String) -> Mark? {
        let written = text.text(line)
        guard let start = written.firstRange(of: "${"), written[start.upperBound...].contains("}") else { return nil }
        return .refused("\(tool) would put the value of a variable in here", hint: "Write the value itself.")
    }
}
