public import Audit
public import JSON
public import Postgres
public import Reporting

/// One row of `migration_rollback_audit`, in PostgreSQL's binary forms, as the server sent it: nothing is interpreted before it is verified.
public struct HistoryRow: Sendable, Equatable {
    /// Bytes that hold the row among others: each cell behind its length in four bytes, null as the length -1.
    private let bytes: [UInt8]
    /// Where each cell's value begins, in the order of `AuditColumn`.
    private let starts: Starts
    typealias Starts = InlineArray<23, UInt32>

    /// The row whose cells begin at these places of `bytes`, each behind its length: PostgreSQL's own binary form of COPY.
    init(_ bytes: [UInt8], _ starts: Starts) {
        self.bytes = bytes
        self.starts = starts
    }

    /// The rows of an answer that has the columns of `AuditColumn`, in their order and in binary form. Throws `.lost` where it has others.
    public static func all(_ result: QueryResult) throws(PostgresError) -> [HistoryRow] {
        var rows: [HistoryRow] = []
        for row in result.rows {
            guard row.cells.count == AuditColumn.allCases.count else { throw BinaryRows.malformed }
            rows.append(HistoryRow(cells: row.cells))
        }
        return rows
    }

    /// A row from its cells, one per column in the order of `AuditColumn`.
    package init(cells: [[UInt8]?]) {
        precondition(cells.count == AuditColumn.allCases.count, "who has cells has one for each column")
        var bytes: [UInt8] = []
        var starts = Starts(repeating: 0)
        for (index, cell) in cells.enumerated() {
            bytes += CanonicalForm.small(cell.map { Int32($0.count) } ?? -1)
            starts[index] = UInt32(bytes.count)
            if let cell { bytes += cell }
        }
        self.init(bytes, starts)
    }

    /// The row that `record` becomes.
    public init(_ record: AuditRecord) {
        self.init(cells: AuditColumn.allCases.map { record[$0] })
    }

    /// A column's bytes where they are; nil for null.
    public func slice(_ column: AuditColumn) -> ArraySlice<UInt8>? {
        let start = Int(starts[column.place])
        let length = BinaryRows.small(bytes, start - 4)
        return length < 0 ? nil : bytes[start..<start + Int(length)]
    }

    /// A column's bytes; nil for null.
    public subscript(_ column: AuditColumn) -> [UInt8]? { slice(column).map { Array($0) } }

    public static func == (left: HistoryRow, right: HistoryRow) -> Bool {
        AuditColumn.allCases.allSatisfy { left.slice($0) == right.slice($0) }
    }

    /// A column's value as text, not escaped; nil for null.
    public func text(_ column: AuditColumn) -> String? { self[column].map { AuditRecord.text($0, column.form) } }
    /// The integer in a column; nil for null.
    public func integer(_ column: AuditColumn) -> Int64? { slice(column).map { CanonicalForm.integer($0) } }

    /// Position in the chain.
    public var seq: Int64 { integer(.seq) ?? 0 }
    /// The server's clock when it was written.
    public var recordedAt: Timestamp { Timestamp(microseconds: integer(.recordedAt) ?? 0) }
    /// What happened; nil for a kind that this program does not know.
    public var kind: EventKind? { text(.event).flatMap(EventKind.init) }

    /// The column `detail` as JSON: its object, or its text as a string where it is not JSON or nested deeper than any of ours.
    public var detail: JSONValue {
        guard let bytes = self[.detail] else { return .null }
        guard let tape = try? JSONTape(bytes), tape.depth <= HistoryRow.deepestDetail else {
            return .string(String(decoding: bytes, as: UTF8.self))
        }
        return tape.value(tape.root)
    }

    private static let deepestDetail = 64

    /// The hash that the row's own columns and `prev_hash` give.
    public var computedHash: [UInt8] {
        // Between seq and prev_hash stand exactly the columns that are hashed, in the form in which they are hashed.
        let first = Int(starts[AuditColumn.seq.place]) + 8
        let end = Int(starts[AuditColumn.prevHash.place]) - 4
        return Chain.hash(seq: seq, prevHash: slice(.prevHash) ?? [], fields: bytes[first..<end])
    }

    /// Whether it is the begin of an attempt.
    var isStarted: Bool { isOf(HistoryRow.started) }
    /// Whether it may vouch for a reading of the catalog: what an event tells that stands at the end of something, or beside it.
    var mayVouch: Bool { !isOf(HistoryRow.skipped) }

    /// Compared as bytes, because that is asked of each of millions.
    private func isOf(_ kind: [UInt8]) -> Bool { slice(.event) == kind[...] }
    private static let started = Array(EventKind.started.rawValue.utf8)
    private static let skipped = Array(EventKind.skipped.rawValue.utf8)
    private static let acknowledged = Array(EventKind.acknowledged.rawValue.utf8)
    /// Whether it says that a loss is accepted.
    var isAcknowledgement: Bool { isOf(HistoryRow.acknowledged) }

    /// The digest of the reading of the catalog that the event vouches for, as 64 digits; nil where it vouches for none. Looked for in the
    /// canonical text itself: parsing each detail would take longer than the hash.
    var catalogDigest: [UInt8]? {
        guard let detail = slice(.detail), detail.count > HistoryRow.catalogMember.count,
            let start = detail.range(of: HistoryRow.catalogMember)
        else { return nil }
        let tape = self.detail["catalog"]
        return start.isEmpty ? nil : tape?["sha256"]?.string.map { Array($0.utf8) }
    }

    /// The digests of its texts with values of rows, by field; empty where it has none.
    var rowValueDigests: [(field: String, digest: String)] {
        guard let detail = slice(.detail), detail.range(of: HistoryRow.rowValuesMember) != nil,
            case .object(let members)? = self.detail["row_values"]
        else { return [] }
        return members.compactMap { field, digest in digest.string.map { (field, $0) } }
    }

    /// What it says of the rows that it has kept, or of the outcomes that it has recorded; nil where it is no such event.
    var countedRows: CountedRows? {
        let isCleanup = isOf(HistoryRow.orphansDeleted) || isOf(HistoryRow.orphansNullified)
        guard isCleanup || isOf(HistoryRow.orphansRestored) else { return nil }
        let digest = detail["digest"]
        // Before version 11 a cleanup counted its rows, and a restoration those that came back, of which not each was a row.
        return CountedRows(
            seq: seq, count: digest?["rows"]?.integer ?? (isCleanup ? integer(.rowCount) : nil),
            root: digest?["root"]?.string)
    }

    private static let orphansDeleted = Array(EventKind.orphansDeleted.rawValue.utf8)
    private static let orphansNullified = Array(EventKind.orphansNullified.rawValue.utf8)
    private static let orphansRestored = Array(EventKind.orphansRestored.rawValue.utf8)
    private static let rowValuesMember = Array("\"row_values\":{".utf8)
    private static let catalogMember = Array("\"catalog\":{\"changes\":".utf8)

    /// The event that was written; nil where a word in it is none that this program knows.
    public var event: AuditEvent? {
        guard let kind, let id = self[.eventID].flatMap(UUID.init(bytes:)) else { return nil }
        let direction = text(.direction)
        if direction != nil, direction.flatMap(AuditEvent.Direction.init) == nil { return nil }
        let actor = AuditEvent.Actor(
            initiatedBy: text(.initiatedBy) ?? "", host: text(.host) ?? "", dbUser: text(.dbUser) ?? "",
            pid: Int32(clamping: integer(.pid) ?? 0), invocationID: text(.invocationID))
        var event = AuditEvent(kind, by: actor, id: id)
        event.attemptID = self[.attemptID].flatMap(UUID.init(bytes:))
        event.version = text(.version)
        event.name = text(.name)
        event.checksum = text(.checksum)
        event.direction = direction.flatMap(AuditEvent.Direction.init)
        event.reason = text(.reason)
        event.object = text(.object)
        event.rowCount = integer(.rowCount)
        event.durationUS = integer(.durationUS)
        event.sqlstate = text(.sqlstate)
        event.message = text(.message)
        if case .object(let members) = detail { event.detail = members }
        return event
    }
}

/// What an event says of rows that stand beside it.
struct CountedRows: Sendable, Equatable {
    /// The event's place.
    var seq: Int64
    /// How many there are; nil where it does not say.
    var count: Int64?
    /// The digest over them, 64 digits; nil in events of before version 11 of the history's schema.
    var root: String?
}

extension ArraySlice<UInt8> {
    /// Where `word` stands first; nil where it does not.
    fileprivate func range(of word: [UInt8]) -> Range<Int>? {
        guard let first = word.first, count >= word.count else { return nil }
        var place = startIndex
        while place <= endIndex - word.count {
            if self[place] == first, self[place..<place + word.count].elementsEqual(word) {
                return place..<place + word.count
            }
            place += 1
        }
        return nil
    }
}

extension JSONTape {
    /// How many objects and arrays stand inside each other at the deepest place.
    var depth: Int {
        var ends: [Int] = []
        var deepest = 0
        for index in 0..<next(root) {
            while let end = ends.last, end <= index { ends.removeLast() }
            guard kind(index) == .object || kind(index) == .array else { continue }
            ends.append(next(index))
            deepest = max(deepest, ends.count)
        }
        return deepest
    }
}
