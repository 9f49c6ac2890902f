internal import Reporting
internal import SQLParsing

/// Which tool a numbered file is written for, as its text says: many tools name files alike, and so do we.
enum Dialect: String, Sendable {
    case plain, goose, dbmate, sqlx
    case sqlMigrate = "sql-migrate"
    case nodePgMigrate = "node-pg-migrate"
    case mybatis, tern, rambler, play, liquibase, sqitch, graphile

    /// Reads what the text says of itself.
    init(_ text: [UInt8]) {
        self = Dialect.mark(text)?.dialect ?? (text.starts(with: Dialect.sqlxMark) ? .sqlx : .plain)
    }

    /// The first line that only one tool reads and that changes what runs; nil where there is none.
    static func mark(_ text: [UInt8]) -> (dialect: Dialect, offset: Int)? {
        for line in TextLines(text) {
            if let dialect = Dialect(line: line, in: text) { return (dialect, line.lowerBound) }
        }
        return nil
    }

    init?(line: Range<Int>, in text: [UInt8]) {
        guard let first = line.first(where: { text[$0] != 0x20 && text[$0] != 0x09 }),
            text[first] == UInt8(ascii: "-") || text[first] == UInt8(ascii: "#")
        else { return nil }
        if GooseAnnotation(line, in: text) != nil {
            self = .goose
            return
        }
        if DbmateHeading(line, in: text) != nil {
            self = .dbmate
            return
        }
        guard line.count <= Dialect.longestMark else { return nil }
        let written = text.text(line).trimmed
        if written.hasPrefix("#") {
            guard written.contains("!Ups") || written.contains("!Downs") else { return nil }
            self = .play
            return
        }
        guard let comment = text.comment(line)?.text else { return nil }
        guard let dialect = Dialect(comment: comment) else { return nil }
        self = dialect
    }

    /// Longer lines are prose.
    private static let longestMark = 500

    private init?(comment: String) {
        let lowercase = comment.lowercased()
        let words = lowercase.split(whereSeparator: \.isWhitespace)
        if lowercase.hasPrefix("+migrate ") {
            self = .sqlMigrate
        } else if comment.hasPrefix("! Previous: ") || comment.hasPrefix("! Hash: ") {
            self = .graphile
        } else if lowercase.hasPrefix("liquibase formatted sql") || lowercase.hasPrefix("liquibase sql") {
            self = .liquibase
        } else if words.first == "rambler", words.count == 2, words[1] == "up" || words[1] == "down" {
            self = .rambler
        } else if words.count == 4, ["deploy", "revert", "verify"].contains(words[0]), words[1].contains(":"),
            ["to", "from", "on"].contains(words[2])
        {
            self = .sqitch
        } else if let tool = SectionHead(comment: comment)?.tool, let dialect = Dialect(rawValue: tool) {
            self = dialect
        } else {
            return nil
        }
    }

    /// The first words of a file that sqlx runs outside of a transaction.
    static let sqlxMark = Array("-- no-transaction".utf8)

    /// The layout that reads such a file, where one does.
    var layout: LayoutName? { self == .plain ? nil : LayoutName(rawValue: rawValue) }

    /// What the readable files that are named by number are written for: what the first of them that says so says.
    ///
    /// Every file is looked at, up to 500 files and 16 MiB: a tool's marks may begin with any of them. What is written for another tool all
    /// the same is refused when it is read (`Notation.plain`).
    ///
    /// Files of which `isPlain` is known are not read.
    static func found(
        in directory: Directory, isPlain: (String) -> Bool, contents: (String) throws(Complaint) -> [UInt8]
    ) throws(Complaint) -> Dialect {
        let numbered = directory.files.filter { item in
            item.name.first.map { $0.isASCII && $0.isNumber } == true && item.name.hasSuffix(".sql")
                && !item.name.hasSuffix(".up.sql") && !item.name.hasSuffix(".down.sql") && item.obstacle == nil
        }
        var bytesLeft = 16 << 20
        for item in numbered.prefix(500) where bytesLeft > 0 && !isPlain(item.path) {
            do throws(Complaint) {
                let text = try contents(item.path)
                bytesLeft -= text.count
                let dialect = Dialect(ClientText(text).text)
                if dialect != .plain { return dialect }
            } catch {
                // What is wrong with the file is told when it is read as a migration.
                if error.status == .tryLater { throw error }
            }
        }
        return .plain
    }
}
