public import Audit
public import JSON
public import Reporting

/// One row of `migration_rollback_audit`, in PostgreSQL's binary forms, as the server sent it: nothing is interpreted before it is verified.
public struct HistoryRow: Sendable, Equatable {
    /// Each column's bytes in the order of `AuditColumn`, nil for null.
    public let cells: [[UInt8]?]

    /// A row from its cells, one per column in the order of `AuditColumn`.
    public init(cells: [[UInt8]?]) {
        precondition(cells.count == AuditColumn.allCases.count, "a row is read with a column list of our own")
        self.cells = cells
    }

    /// The row that `record` becomes.
    public init(_ record: AuditRecord) {
        let columns = record.columns
        self.init(cells: AuditColumn.allCases.map { columns[$0] })
    }

    private static let index = Dictionary(
        uniqueKeysWithValues: AuditColumn.allCases.enumerated().map { ($0.element, $0.offset) })

    /// A column's bytes; nil for null.
    public subscript(_ column: AuditColumn) -> [UInt8]? { HistoryRow.index[column].flatMap { cells[$0] } }

    /// A column's value as text, not escaped; nil for null.
    public func text(_ column: AuditColumn) -> String? { self[column].map { AuditRecord.text($0, column.form) } }
    /// The integer in a column; nil for null.
    public func integer(_ column: AuditColumn) -> Int64? { self[column].map { CanonicalForm.integer($0) } }

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
        Chain.hash(seq: seq, prevHash: self[.prevHash] ?? [], fields: AuditColumn.hashed.map { self[$0] })
    }

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
