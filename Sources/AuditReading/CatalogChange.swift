internal import SQLLexing

/// What an object has become between two readings of the catalog.
public struct CatalogChange: Sendable, Equatable {
    /// `table`, `constraint`, `function` …
    public var kind: String
    /// Its name with its schema.
    public var object: String
    /// Its lines before; nil where it was not there.
    public var before: String?
    /// Its lines now; nil where it is gone.
    public var now: String?

    /// A change from its parts.
    public init(kind: String, object: String, before: String?, now: String?) {
        (self.kind, self.object, self.before, self.now) = (kind, object, before, now)
    }

    /// `added`, `changed` or `removed`.
    public var word: String { before == nil ? "added" : now == nil ? "removed" : "changed" }

    /// Without secrets, the lines that went, behind a minus sign, and those that came, behind a plus sign.
    public var difference: [String] {
        func lines(_ text: String?) -> [Substring] {
            text.map { Secrets.hidden(words: $0, about: object).split(separator: "\n") } ?? []
        }
        func without(_ lines: [Substring], _ others: [Substring]) -> [Substring] {
            var left = Dictionary(others.map { ($0, 1) }, uniquingKeysWith: +)
            return lines.filter { line in
                guard let count = left[line], count > 0 else { return true }
                left[line] = count - 1
                return false
            }
        }
        let (old, new) = (lines(before), lines(now))
        return without(old, new).map { "- \($0)" } + without(new, old).map { "+ \($0)" }
    }
}
