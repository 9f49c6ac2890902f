internal import Audit
internal import Digest
internal import JSON
internal import Reporting

extension ExportTrailer {
    /// What keeps an object from being a trailer.
    struct Flaw: Error {
        /// The member it is about, where it has that.
        var member: String?
        /// What is wrong.
        var what: String
    }

    /// Reads the object. Every member has to be there, none besides, each as `json` writes it: nothing in a trailer is hashed, so that what is
    /// taken from it has to be in the one form that the page of the format describes.
    init(_ json: JSONValue) throws(Flaw) {
        let members = json.members ?? [:]
        for name in members.keys.sorted() where !ExportTrailer.names.contains(name) {
            throw Flaw(member: name, what: "a member that no trailer has")
        }
        for name in ExportTrailer.names.sorted() where members[name] == nil {
            throw Flaw(member: nil, what: "'\(name)' is missing in the trailer")
        }
        func wanted<Value>(_ name: String, _ value: Value?) throws(Flaw) -> Value {
            if let value { return value }
            throw Flaw(member: name, what: "a '\(name)' that no trailer has")
        }
        func optional<Value>(_ name: String, _ read: (JSONValue) -> Value?) throws(Flaw) -> Value? {
            guard let value = members[name], value != .null else { return nil }
            return try wanted(name, read(value))
        }
        func hash(_ value: JSONValue?) -> [UInt8]? {
            value?.string.flatMap { Hex.bytes(digits: Array($0.utf8)[...], takesUpperCase: false) }
                .flatMap { $0.count == 32 ? $0 : nil }
        }
        func text(_ value: JSONValue?) -> String? { value?.string.flatMap { $0.isEmpty ? nil : $0 } }
        func number(_ value: JSONValue?, _ range: ClosedRange<Int64>) -> Int64? {
            value?.integer.flatMap { range.contains($0) ? $0 : nil }
        }
        guard members["trailer"]?.string == ExportTrailer.mark else {
            throw Flaw(member: "trailer", what: "a trailer of a format that this program does not know")
        }
        _ = try wanted("domain", members["domain"]?.string == Chain.domain ? true : nil)
        var isWhole: Bool?
        if case .bool(let value)? = members["complete"] { isWhole = value }
        let complete = try wanted("complete", isWhole)
        filter = try optional("filter") { $0.members == nil ? nil : $0 }
        _ = try wanted("filter", complete == (filter == nil) ? true : nil)
        count = try wanted("count", number(members["count"], 0...Int64.max))
        first = try optional("first_seq") { $0.integer }
        last = try optional("last_seq") { $0.integer }
        _ = try wanted("first_seq", (count == 0) == (first == nil) ? true : nil)
        _ = try wanted("last_seq", (count == 0) == (last == nil) ? true : nil)
        let order = try wanted("order", members["order"]?.string)
        _ = try wanted("order", ["oldest_first", "newest_first"].contains(order) ? true : nil)
        isNewestFirst = order == "newest_first"
        let head = members["head"]
        let seq = try wanted("head", head?.members?.count == 2 ? number(head?["seq"], 0...Int64.max) : nil)
        origin = HistoryOrigin(
            systemIdentifier: try optional("system_identifier") { value in
                value.string.flatMap { UInt64($0).map(String.init) == $0 ? $0 : nil }
            },
            databaseOID: try wanted("database_oid", number(members["database_oid"], 0...Int64(UInt32.max))),
            database: try wanted("database", text(members["database"])),
            schema: try wanted("schema", text(members["schema"])),
            schemaVersion: try wanted("schema_version", number(members["schema_version"], 0...Int64(Int32.max))),
            genesis: try wanted("genesis", hash(members["genesis"])),
            head: ChainHead(seq: seq, hash: try wanted("head", hash(head?["hash"]))),
            moment: Timestamp(
                microseconds: try wanted(
                    "exported_at",
                    members["exported_at"]?.string.flatMap { ExportCell.moment(Array($0.utf8)[...]) })))
        exportedBy = try optional("exported_by", text)
        host = try optional("host", text)
        signature = try optional("signature") { value in
            value.string.flatMap { AnchorSignature($0)?.description == $0 ? value : nil }
        }
    }

    private static let names: Set<String> = [
        "trailer", "domain", "complete", "count", "first_seq", "last_seq", "order", "filter", "genesis", "head",
        "system_identifier", "database_oid", "database", "schema", "schema_version", "exported_at", "exported_by",
        "host",
        "signature",
    ]
}
