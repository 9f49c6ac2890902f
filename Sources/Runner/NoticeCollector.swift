internal import JSON
internal import Postgres
internal import Reporting
internal import SQLLexing

/// Keeps what a migration says by RAISE NOTICE and WARNING, within bounds: a flood must fill neither the journal nor the table.
struct NoticeCollector {
    /// How many notices of an attempt are kept and told; the rest are counted.
    static let limit = 200
    /// The most bytes of one notice.
    static let length = 500

    /// The file's text, whose secrets are looked for once it says anything.
    private let text: [UInt8]
    private var secrets: Secrets?
    private(set) var kept: [Notice] = []
    private(set) var count = 0
    /// Among them those by which the server tells that it passed over an IF NOT EXISTS, as far as they are not taken.
    private var existing: [Notice] = []

    /// A collector of what a file of that text says.
    init(of text: [UInt8]) { self.text = text }

    /// Takes a notice; gives it back as it is kept, without the file's secrets, where it is to be told.
    mutating func take(_ notice: Notice) -> Notice? {
        count += 1
        guard kept.count < NoticeCollector.limit else { return nil }
        let secrets = secrets ?? Secrets(of: text)
        self.secrets = secrets
        var notice = notice
        let words = secrets.hiding(
            in: String(decoding: notice.message.utf8.prefix(8 * NoticeCollector.length), as: UTF8.self))
        notice.message = Printable.line(words, limit: NoticeCollector.length)
        kept.append(notice)
        if notice.severity == "NOTICE", Self.existingCodes.contains(notice.sqlstate) { existing.append(notice) }
        return notice
    }

    /// The error codes of "already exists, skipping", whatever the server's language: of a table or index, an object, a column, a schema, a
    /// function (PostgreSQL manual, appendix A).
    private static let existingCodes: Set<String> = ["42P07", "42710", "42701", "42P06", "42723"]

    /// Takes what was passed over since this was last asked.
    mutating func takeExisting() -> [Notice] {
        defer { existing = [] }
        return existing
    }

    /// For an event's detail; nil where nothing was said.
    var detail: JSONValue? {
        guard count > 0 else { return nil }
        var members: [String: JSONValue] = [
            "count": .integer(Int64(count)),
            "messages": .array(kept.prefix(50).map { .string("\($0.severity): \($0.message)") }),
        ]
        if count > kept.count { members["untold"] = .integer(Int64(count - kept.count)) }
        return .object(members)
    }
}
