internal import Reporting

/// What of a file runs in which direction, where both are in one file.
struct Sections: Sendable {
    /// The parts of the file that run in one direction.
    struct Part: Sendable {
        /// Whole lines, in order.
        var ranges: [Range<Int>] = []
        /// Where a statement ends that need not have a `;`: the first byte of the line that says so.
        var ends: [Int] = []
        /// Whether the layout's tool runs it outside of a transaction.
        var withoutTransaction = false
        /// Whether `;;` stands for a `;` that ends no statement.
        var doublesSemicolons = false

        /// The text to run: as long as the file, line for line.
        func text(of bytes: [UInt8]) -> [UInt8] {
            var text = bytes.keeping(ranges)
            for end in ends { text[end] = UInt8(ascii: ";") }
            guard doublesSemicolons else { return text }
            var at = 0
            while at + 1 < text.count {
                if text[at] == UInt8(ascii: ";"), text[at + 1] == UInt8(ascii: ";") { text[at + 1] = 0x20 }
                at += 1
            }
            return text
        }
    }

    /// What applies the migration.
    var up = Part()
    /// What undoes it; nil where the file does not say.
    var down: Part?

    /// The sections of a text; nil where its notation has none.
    ///
    /// Throws `.badFile` with line and column for what the layout's tool refuses, and for what would run another text than the file's.
    init?(_ text: [UInt8], notation: Notation, path: String) throws(Complaint) {
        self.init(whole: Part())
        down = nil
        switch notation {
        case .goose: try readGoose(text, path)
        case .dbmate: try readDbmate(text, path)
        case .sqlMigrate: self = try Sections(text, marks: .sqlMigrate, path: path)
        case .nodePgMigrate: self = try Sections(text, marks: .nodePgMigrate, path: path)
        case .mybatis: self = try Sections(text, marks: .mybatis, path: path)
        case .tern: self = try Sections(text, marks: .tern, path: path)
        case .rambler: self = try Sections(text, marks: .rambler, path: path)
        case .play:
            self = try Sections(text, marks: .play, path: path)
            up.doublesSemicolons = true
            down?.doublesSemicolons = true
        case .liquibase: self = try Sections.liquibase(text, path: path)
        case .graphile:
            guard try GraphileHeader(text, path: path, verifies: false).withoutTransaction else { return nil }
            self = Sections(whole: Part(ranges: [0..<text.count], withoutTransaction: true))
        case .atlas:
            try Sections.refuseLiquibase(text, path)
            guard let whole = try Sections.atlas(text, path: path) else { return nil }
            self = whole
        case .verbatim:
            try Sections.refuseLiquibase(text, path)
            return nil
        case .plain:
            // A heading above all of it says nothing that is not so.
            if let (dialect, offset) = Dialect.mark(text),
                dialect != .nodePgMigrate || Sections.hasDown(text, .nodePgMigrate)
                    || text.statement(before: offset..<offset) != nil
            {
                throw Sections.written(for: dialect, at: offset, text, path)
            }
            // sqlx names files as these, and what it reads means here what it means there.
            guard let whole = Sections.withoutTransaction(text) else { return nil }
            self = whole
        case .flyway:
            try Sections.refuseLiquibase(text, path)
            try Sections.refusePlaceholders(text, path)
            return nil
        case .sqlx:
            try Sections.refuseLiquibase(text, path)
            guard let whole = Sections.withoutTransaction(text) else { return nil }
            self = whole
        }
    }

    init(whole part: Part) {
        up = part
        down = part
    }

    /// All of a file that begins with sqlx's mark, in either direction; nil for another.
    private static func withoutTransaction(_ text: [UInt8]) -> Sections? {
        guard text.starts(with: Dialect.sqlxMark) else { return nil }
        return Sections(whole: Part(ranges: [0..<text.count], withoutTransaction: true))
    }

    /// Which of its changesets run, where and when, only Liquibase knows: whatever else the layout is, such a file is not run as it is.
    private static func refuseLiquibase(_ text: [UInt8], _ path: String) throws(Complaint) {
        var lines = TextLines(text)
        while let line = lines.next() {
            if text.isBlank(line) { continue }
            guard Dialect(line: line, in: text) == .liquibase else { return }
            throw written(for: .liquibase, at: line.lowerBound, text, path)
        }
    }

    private static func written(for dialect: Dialect, at offset: Int, _ text: [UInt8], _ path: String) -> Complaint {
        let remedy = dialect.layout.map { "Set 'layout = \"\($0.rawValue)\"'" } ?? "Cut out what undoes the migration"
        return MigrationFile.complaint(
            "the file is written for \(dialect.rawValue)", at: offset, in: text, path: path,
            hint: "\(remedy), or take that tool's comments out.")
    }

    /// Flyway puts values in place of `${name}` before it runs a text; which values, only its configuration knows.
    private static func refusePlaceholders(_ text: [UInt8], _ path: String) throws(Complaint) {
        var at = 0
        while at + 2 < text.count {
            guard text[at] == UInt8(ascii: "$"), text[at + 1] == UInt8(ascii: "{") else {
                at += 1
                continue
            }
            let name = text[(at + 2)...].prefix { $0 != UInt8(ascii: "}") && $0 != 0x0A }
            if !name.isEmpty, name.endIndex < text.count, text[name.endIndex] == UInt8(ascii: "}") {
                throw MigrationFile.complaint(
                    "'${\(String(decoding: name, as: UTF8.self))}' is a placeholder, which Flyway would replace",
                    at: at,
                    in: text, path: path,
                    hint:
                        "Write the value itself; or, where Flyway replaces nothing, 'placeholderReplacement=false' into '\(path).conf'."
                )
            }
            at += 2
        }
    }
}

// MARK: goose

/// A comment line that goose reads.
struct GooseAnnotation {
    /// The words behind `+goose`, in upper case.
    let words: String
    /// Whether blanks stand before it, which the tool refuses.
    let indented: Bool

    init?(_ line: Range<Int>, in text: [UInt8]) {
        guard let comment = text.comment(line), comment.text.lowercased().hasPrefix("+goose") else { return nil }
        words = comment.text.dropFirst(6).split(whereSeparator: \.isWhitespace).joined(separator: " ").uppercased()
        indented = comment.indented
    }
}

extension Sections {
    private mutating func readGoose(_ text: [UInt8], _ path: String) throws(Complaint) {
        enum State { case head, up, down }
        var state = State.head
        var openStatement: Int?
        var withoutTransaction = false
        var last = 0
        func complaint(_ message: String, _ line: Range<Int>, _ hint: String) -> Complaint {
            MigrationFile.complaint(message, at: line.lowerBound, in: text, path: path, hint: hint)
        }
        for line in TextLines(text) {
            last = line.lowerBound
            guard let annotation = GooseAnnotation(line, in: text) else {
                switch state {
                case .up: up.ranges.append(line)
                case .down: down?.ranges.append(line)
                case .head: break
                }
                continue
            }
            if state == .head, let statement = text.statement(before: line) {
                throw complaint(
                    "a statement stands before '-- +goose Up'", statement,
                    "Move it below the line '-- +goose Up', or add that line above it.")
            }
            if annotation.indented {
                throw complaint("blanks stand before an annotation of goose", line, "Let the line begin with '--'.")
            }
            switch annotation.words {
            case "UP":
                guard state == .head else {
                    throw complaint("'-- +goose Up' is given twice", line, "Cut the file in two.")
                }
                state = .up
            case "DOWN":
                guard state == .up, openStatement == nil else {
                    throw complaint(
                        "'-- +goose Down' stands where it cannot", line,
                        "It follows once behind '-- +goose Up', outside of StatementBegin and StatementEnd.")
                }
                state = .down
                down = Part()
            case "STATEMENTBEGIN":
                guard state != .head, openStatement == nil else {
                    throw complaint(
                        "'-- +goose StatementBegin' stands where it cannot", line,
                        "It follows '-- +goose Up' or '-- +goose Down', and each has its StatementEnd.")
                }
                openStatement = line.lowerBound
            case "STATEMENTEND":
                guard openStatement != nil else {
                    throw complaint("'-- +goose StatementEnd' without its StatementBegin", line, "Take the line out.")
                }
                openStatement = nil
                if state == .up { up.ends.append(line.lowerBound) } else { down?.ends.append(line.lowerBound) }
            case "NO TRANSACTION": withoutTransaction = true
            case "ENVSUB ON", "ENVSUBST ON":
                throw complaint(
                    "goose would put environment variables into this text", line,
                    "What runs here is the file as it is: write the values themselves and take the line out.")
            case "ENVSUB OFF", "ENVSUBST OFF": break
            default:
                throw complaint(
                    "unknown annotation '+goose \(annotation.words)'", line,
                    "Known are Up, Down, StatementBegin, StatementEnd and NO TRANSACTION.")
            }
        }
        if state == .head {
            throw complaint(
                "the file has no line '-- +goose Up'", last..<last, "Add the line above the first statement.")
        }
        if let openStatement {
            throw complaint(
                "'-- +goose StatementBegin' without its StatementEnd", openStatement..<openStatement,
                "Add the line '-- +goose StatementEnd' behind the statement.")
        }
        up.withoutTransaction = withoutTransaction
        down?.withoutTransaction = withoutTransaction
    }
}

// MARK: dbmate

/// A comment line that begins one of dbmate's blocks.
struct DbmateHeading {
    let isUp: Bool
    /// The words behind it.
    let options: [Substring]

    init?(_ line: Range<Int>, in text: [UInt8]) {
        guard let comment = text.comment(line), !comment.indented else { return nil }
        let words = comment.text.split(whereSeparator: \.isWhitespace)
        guard let first = words.first, first == "migrate:up" || first == "migrate:down" else { return nil }
        isUp = first == "migrate:up"
        options = Array(words.dropFirst())
    }
}

extension Sections {
    private mutating func readDbmate(_ text: [UInt8], _ path: String) throws(Complaint) {
        var current: Bool?
        func complaint(_ message: String, _ line: Range<Int>, _ hint: String) -> Complaint {
            MigrationFile.complaint(message, at: line.lowerBound, in: text, path: path, hint: hint)
        }
        for line in TextLines(text) {
            guard let heading = DbmateHeading(line, in: text) else {
                switch current {
                case true?: up.ranges.append(line)
                case false?: down?.ranges.append(line)
                case nil: break
                }
                continue
            }
            if current == nil, let statement = text.statement(before: line) {
                throw complaint(
                    "a statement stands before '-- migrate:up'", statement, "Move it below the line '-- migrate:up'.")
            }
            var part = Part()
            for option in heading.options {
                switch option {
                case "transaction:false": part.withoutTransaction = true
                case "transaction:true": part.withoutTransaction = false
                default:
                    throw complaint(
                        "'\(option)' is no option of a block that is known here", line,
                        "Known are 'transaction:false' and 'transaction:true'.")
                }
            }
            switch (heading.isUp, current) {
            case (true, nil): up = part
            case (false, true?): down = part
            case (false, nil):
                throw complaint("'-- migrate:down' stands before '-- migrate:up'", line, "Put the up block first.")
            case (true, _?), (false, false?):
                throw complaint(
                    "a second '-- migrate:\(heading.isUp ? "up" : "down")'", line,
                    "A file has one block up and one block down: cut it in two.")
            }
            current = heading.isUp
        }
        guard current == false else {
            let missing = current == nil ? "up" : "down"
            throw complaint(
                "the file has no line '-- migrate:\(missing)'", 0..<0,
                "dbmate wants both '-- migrate:up' and '-- migrate:down', each on a line of its own.")
        }
    }
}
