public import JSON
internal import Reporting
internal import SQLLexing

/// One thing in which the database and the file do not agree.
public struct Difference: Sendable, Equatable {
    /// What it is about: `column 'password'`.
    public var what: String
    /// What the database says, line by line; empty where it has no such thing.
    public var database: [String]
    /// What the file says, line by line; empty where it says nothing of it.
    public var file: [String]

    /// Whether everything is there, in another order.
    public var isOrder: Bool { what.hasPrefix("the order of") }

    /// How many lines of either side are shown.
    static let limit = 12

    init(_ what: String, database: String?, file: String?) {
        self.what = what
        func lines(_ text: String?) -> [String] {
            text.map { Difference.lines(Secrets.hidden(words: $0, about: what)) } ?? []
        }
        self.database = lines(database)
        self.file = lines(file)
        guard self.database.count > 1 || self.file.count > 1 else { return }
        // Of two long texts only what lies between their common ends.
        let (left, right) = (self.database, self.file)
        let start = zip(left, right).prefix { $0 == $1 }.count
        let end = zip(left.dropFirst(start).reversed(), right.dropFirst(start).reversed()).prefix { $0 == $1 }.count
        self.database = Array(left.dropFirst(start).dropLast(end))
        self.file = Array(right.dropFirst(start).dropLast(end))
        if start > 0 { self.what += ", from line \(start + 1)" }
    }

    private static func lines(_ text: String) -> [String] {
        text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }

    /// Both sides, line by line, each safe to print.
    public var lines: [String] {
        [Printable.line(what)] + side("in the database: ", database) + side("in the file:     ", file)
    }

    private func side(_ title: String, _ lines: [String]) -> [String] {
        guard !lines.isEmpty else { return ["  \(title)none"] }
        var shown = lines.prefix(Difference.limit).map { Printable.line($0, limit: 400) }
        if lines.count > shown.count { shown.append("… and \(lines.count - shown.count) more line(s)") }
        let indent = String(repeating: " ", count: title.count)
        return shown.enumerated().map { number, line in "  \(number == 0 ? title : indent)\(line)" }
    }

    /// For an event's detail.
    public var json: JSONValue {
        func bounded(_ lines: [String]) -> JSONValue {
            guard !lines.isEmpty else { return .null }
            return .string(Printable.line(lines.prefix(Difference.limit).joined(separator: "\n"), limit: 1000))
        }
        return ["what": .string(Printable.line(what)), "database": bounded(database), "file": bounded(file)]
    }
}
