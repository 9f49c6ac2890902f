internal import JSON
internal import Postgres
internal import Reporting

/// Keeps what a migration says by RAISE NOTICE and WARNING, within bounds: a flood must fill neither the journal nor the table.
struct NoticeCollector {
    /// How many notices of an attempt are kept and told; the rest are counted.
    static let limit = 200
    /// The most bytes of one notice.
    static let length = 500

    private(set) var kept: [Notice] = []
    private(set) var count = 0

    /// Takes a notice; true where it is to be told.
    mutating func take(_ notice: Notice) -> Bool {
        count += 1
        guard kept.count < NoticeCollector.limit else { return false }
        var notice = notice
        notice.message = Printable.line(notice.message, limit: NoticeCollector.length)
        kept.append(notice)
        return true
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
