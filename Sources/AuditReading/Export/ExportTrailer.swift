internal import Audit
internal import Digest
public import JSON
internal import Reporting

/// The last line of an export: what was exported, and where the chain stood at that moment.
public struct ExportTrailer: Sendable, Equatable {
    /// Which history it is, and its newest position.
    public var origin: HistoryOrigin
    /// How many events the export holds.
    public var count: Int64
    /// The first and the last of them in the order of the file.
    public var first: Int64?
    public var last: Int64?
    /// The filters by which events were left out; nil where none was.
    public var filter: JSONValue?
    /// Whether the newest event comes first.
    public var isNewestFirst: Bool
    /// Who exported, where.
    public var exportedBy: String?
    public var host: String?
    /// The newest signature over a head of this chain, as the history has it.
    public var signature: JSONValue?

    /// A trailer from its parts.
    public init(
        origin: HistoryOrigin, count: Int64, first: Int64?, last: Int64?, filter: JSONValue?, isNewestFirst: Bool,
        exportedBy: String?, host: String?, signature: JSONValue?
    ) {
        self.origin = origin
        self.count = count
        self.first = first
        self.last = last
        self.filter = filter
        self.isNewestFirst = isNewestFirst
        self.exportedBy = exportedBy
        self.host = host
        self.signature = signature
    }

    /// Whether every event of the history should be there.
    public var isComplete: Bool { filter == nil }

    /// What marks the object as the trailer, with the number of the format.
    static let mark = "migrated-export-1"
    /// What stands in the first field of a CSV record in place of a seq.
    static let csvMark = "trailer"

    /// The object.
    public var json: JSONValue {
        [
            "trailer": .string(ExportTrailer.mark), "domain": .string(Chain.domain), "complete": .bool(isComplete),
            "count": .integer(count), "first_seq": JSONValue(first), "last_seq": JSONValue(last),
            "order": .string(isNewestFirst ? "newest_first" : "oldest_first"), "filter": filter ?? .null,
            "genesis": .string(Hex.text(origin.genesis)),
            "head": ["seq": .integer(origin.head.seq), "hash": .string(Hex.text(origin.head.hash))],
            "system_identifier": JSONValue(origin.systemIdentifier), "database_oid": .integer(origin.databaseOID),
            "database": .string(origin.database), "schema": .string(origin.schema),
            "schema_version": .integer(origin.schemaVersion), "exported_at": .string(origin.moment.description),
            "exported_by": JSONValue(exportedBy), "host": JSONValue(host), "signature": signature ?? .null,
        ]
    }
}

extension HistoryFilter {
    /// The filters that are set, by the names of their flags; nil where none is.
    public var json: JSONValue? {
        var members: [String: JSONValue] = [:]
        members["since"] = since.map { .string($0.description) }
        members["until"] = until.map { .string($0.description) }
        if !events.isEmpty { members["event"] = .array(Set(events.map(\.rawValue)).sorted().map(JSONValue.string)) }
        members["attempt"] = attempt.map { .string($0.description) }
        let texts = [
            ("migration", migration), ("reason", reason), ("host", host), ("by", by), ("object", object),
            ("grep", grep),
        ]
        for (name, text) in texts { members[name] = text.map(JSONValue.string) }
        return members.isEmpty ? nil : .object(members)
    }
}
