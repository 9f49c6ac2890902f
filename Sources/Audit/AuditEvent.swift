public import JSON
internal import Reporting

/// What happened, as far as the writer says it: an event without its place in the chain.
public struct AuditEvent: Sendable, Equatable {
    /// Up for a migration, down for its rollback.
    public enum Direction: String, Sendable { case up, down }

    /// The reason of a skip where the database's lock is held by a role that is none of migrated's.
    public static let lockedByOtherRole = "locked_by_other_role"

    /// Names the event.
    public var eventID: UUID
    /// What happened.
    public var event: EventKind
    /// Groups the events of one attempt.
    public var attemptID: UUID?
    /// The migration's version as its layout writes it.
    public var version: String?
    /// The migration's whole name.
    public var name: String?
    /// `sha256:` and the digest of the file's bytes.
    public var checksum: String?
    /// Which way.
    public var direction: Direction?
    /// A stable word.
    public var reason: String?
    /// The database object it is about.
    public var object: String?
    /// Rows deleted, set to null, restored.
    public var rowCount: Int64?
    /// Microseconds of a monotonic clock.
    public var durationUS: Int64?
    /// The server's error code.
    public var sqlstate: String?
    /// The error's words; escaped and bounded when they enter the record.
    public var message: String?
    /// Further facts.
    public var detail: [String: JSONValue]
    /// Who, where and as whom.
    public var actor: Actor

    /// Who wrote an event: the same for all events of a process.
    public struct Actor: Sendable, Equatable {
        /// Unit and invocation, or the login name of a person.
        public var initiatedBy: String
        /// The machine's name.
        public var host: String
        /// The session's role.
        public var dbUser: String
        /// The process id.
        public var pid: Int32
        /// systemd's invocation id: 32 hexadecimal digits.
        public var invocationID: String?

        /// An actor from its parts.
        public init(initiatedBy: String, host: String, dbUser: String, pid: Int32, invocationID: String?) {
            self.initiatedBy = initiatedBy
            self.host = host
            self.dbUser = dbUser
            self.pid = pid
            self.invocationID = invocationID
        }
    }

    /// An event of that kind; what else is known is set on it.
    public init(_ event: EventKind, by actor: Actor, id: UUID = UUID()) {
        eventID = id
        self.event = event
        self.actor = actor
        detail = [:]
    }

    /// The texts of which some characters may be missing in the database's encoding.
    public var texts: [String] {
        [version, name, object, message, actor.initiatedBy, actor.host, actor.dbUser].compactMap(\.self)
            + [JSONValue.object(detail).text]
    }

    /// The most bytes of a message and of a detail that are kept.
    public static let messageLimit = 4096
    public static let detailLimit = 65536
}

/// An event with its place in the chain: one row of `migration_rollback_audit`.
public struct AuditRecord: Sendable, Equatable {
    /// Position in the chain, from 1.
    public let seq: Int64
    /// The server's clock, in microseconds since 2000-01-01 UTC.
    public let recordedAt: Int64
    /// What happened.
    public let event: AuditEvent
    /// The hash of the record before.
    public let prevHash: [UInt8]
    /// This record's hash.
    public let hash: [UInt8]
    /// The columns' values, each in its place.
    private let values: [[UInt8]?]

    /// Puts `event` behind `head`, in a database that can hold the characters of `repertoire`.
    public init(
        _ event: AuditEvent, after head: ChainHead, recordedAt: Int64, in repertoire: Repertoire = .everything
    ) {
        seq = head.seq + 1
        self.recordedAt = recordedAt
        self.event = event
        prevHash = head.hash
        var values = AuditRecord.values(event, repertoire)
        values[AuditColumn.seq.place] = CanonicalForm.integer(seq)
        values[AuditColumn.recordedAt.place] = CanonicalForm.integer(recordedAt)
        values[AuditColumn.prevHash.place] = prevHash
        hash = Chain.hash(seq: seq, prevHash: prevHash, fields: AuditColumn.hashed.map { values[$0.place] })
        values[AuditColumn.hash.place] = hash
        self.values = values
    }

    /// The chain's head after this record.
    public var head: ChainHead { ChainHead(seq: seq, hash: hash) }

    /// The column's value in PostgreSQL's binary form; nil for null.
    public subscript(column: AuditColumn) -> [UInt8]? { values[column.place] }

    /// Every column's value by its name; a null column has none.
    public var columns: [AuditColumn: [UInt8]] {
        Dictionary(
            uniqueKeysWithValues: AuditColumn.allCases.compactMap { column in self[column].map { (column, $0) } })
    }

    /// What the event itself says, each in its column's place.
    private static func values(_ event: AuditEvent, _ repertoire: Repertoire) -> [[UInt8]?] {
        var values = [[UInt8]?](repeating: nil, count: AuditColumn.allCases.count)
        func set(_ column: AuditColumn, _ value: [UInt8]?) { values[column.place] = value }
        func set(_ column: AuditColumn, _ text: String?) {
            values[column.place] = text.map { CanonicalForm.text(repertoire.written($0)) }
        }
        func set(_ column: AuditColumn, name: String?) {
            values[column.place] = name.map { CanonicalForm.text(repertoire.written(name: $0)) }
        }
        set(.eventID, event.eventID.bytes)
        set(.event, event.event.rawValue)
        set(.attemptID, event.attemptID?.bytes)
        set(.version, name: event.version)
        set(.name, name: event.name)
        set(.checksum, event.checksum)
        set(.direction, event.direction?.rawValue)
        set(.reason, event.reason)
        set(.object, event.object)
        set(.rowCount, event.rowCount.map(CanonicalForm.integer))
        set(.durationUS, event.durationUS.map(CanonicalForm.integer))
        set(.sqlstate, event.sqlstate)
        set(.message, event.message.map { Printable.line($0, limit: AuditEvent.messageLimit) })
        values[AuditColumn.detail.place] =
            event.detail.isEmpty
            ? nil
            : CanonicalForm.text(repertoire.written(json: Detail.bounded(event.detail, AuditEvent.detailLimit).text))
        set(.initiatedBy, event.actor.initiatedBy)
        set(.host, event.actor.host)
        set(.dbUser, event.actor.dbUser)
        set(.pid, CanonicalForm.small(event.actor.pid))
        set(.invocationID, event.actor.invocationID)
        return values
    }
}

/// Keeps an event's further facts within their bound.
enum Detail {
    /// `members` as an object whose text has at most `limit` bytes: the largest members give way first, and their names are listed.
    static func bounded(_ members: [String: JSONValue], _ limit: Int) -> JSONValue {
        var kept = members
        var dropped: [String] = []
        while JSONValue.object(kept).text.utf8.count > limit {
            let sizes = kept.filter { $0.key != "dropped" }.map { ($0.key, $0.value.text.utf8.count) }
            guard let largest = sizes.max(by: { $0.1 < $1.1 }) else { break }
            kept[largest.0] = nil
            dropped.append(largest.0)
            kept["dropped"] = .array(dropped.sorted().map(JSONValue.string))
        }
        return .object(kept)
    }
}
