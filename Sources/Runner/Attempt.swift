internal import Audit
internal import JSON
internal import Migrations
internal import Postgres
internal import Replay
internal import Reporting
internal import SQLParsing
internal import Systemd

/// One try at one file.
struct Attempt {
    let id: UUID
    let prepared: PreparedFile
    let layout: LayoutName
    /// The segment to begin with; those before it are committed already.
    let firstSegment: Int
    /// Invalid indexes that stood before, where the file builds any concurrently: those are not ours to drop.
    let invalidIndexes: [String]?
    /// Attempts whose cleanups are undone behind a down file's last statement.
    var restores: [String] = []
    /// Deferred keys that a down file meets.
    var undone = UndoneKeys()
    /// Why an operator has asked for it.
    var why: String?
    /// What `started` says of what the file meets.
    var preflight: JSONValue?
    /// Where the run comes from.
    var provenance: [String: JSONValue] = [:]
    /// What its next event is appended with, where a session that had the file appends it.
    var token = OneTimeToken()
    /// The backend that the history knows to be the one that may spend it.
    var backend: Int32
    /// Whether the first segment may have run already: the attempt before was cut off there, and what it recorded last is all that is known.
    let isInDoubt: Bool
    /// Whether nothing that it has committed is still to be read in the catalog.
    var isRead = true
    private(set) var began = Instant.now()
    var notices: NoticeCollector
    private var scratches = 0
    /// Commands, by statement, that have been done to what stands already, each with its object.
    var sequelsDone: [Int: [(sequel: Sequel, object: String)]] = [:]
    /// Commands that have not been done to it, and are to be sent.
    var pending: [Sequel] = []
    /// All that have been done, in the order of the file.
    var done: [Sequel] { sequelsDone.sorted { $0.key < $1.key }.flatMap { $0.value.map(\.sequel) } }
    /// What was skipped as existing, to be looked at again before that is recorded.
    var skipped: [SkippedObject] = []
    /// How many of the file's IF NOT EXISTS have been accounted for.
    private var placed = 0

    init(
        _ prepared: PreparedFile, layout: LayoutName, firstSegment: Int, isInDoubt: Bool, invalidIndexes: [String]?,
        backend: Int32, id: UUID = UUID()
    ) {
        self.id = id
        self.backend = backend
        self.prepared = prepared
        // A text of hundreds of megabytes is not copied for nothing.
        notices = NoticeCollector(
            of: prepared.verification.map { prepared.script.text + $0.script.text } ?? prepared.script.text)
        self.layout = layout
        self.firstSegment = firstSegment
        self.isInDoubt = isInDoubt
        self.invalidIndexes = invalidIndexes
    }

    /// The clock of the attempt starts when its first statement is about to be sent.
    mutating func begin() { began = .now() }

    /// What the history is told with its `started`.
    var beginning: AuditStore.Beginning {
        AuditStore.Beginning(
            token: token, backend: backend, source: prepared.file.bytes, checksum: prepared.file.checksum)
    }

    /// An event of this attempt.
    func event(_ kind: EventKind, by actor: AuditEvent.Actor) -> AuditEvent {
        var event = AuditEvent(kind, by: actor)
        event.attemptID = id
        event.version = prepared.version
        event.name = prepared.migration.name
        event.checksum = prepared.file.checksum
        event.direction = prepared.direction
        return event
    }

    func started(by actor: AuditEvent.Actor) -> AuditEvent {
        var event = event(.started, by: actor)
        event.message = why
        event.detail = prepared.detail(layout: layout, from: firstSegment).merging(provenance) { own, _ in own }
        event.detail["preflight"] = preflight
        if let invalidIndexes { event.detail["invalid_indexes"] = .array(invalidIndexes.map(JSONValue.string)) }
        return event
    }

    /// Its good end: applied, or rolled back.
    func finished(by actor: AuditEvent.Actor) -> AuditEvent {
        var event = event(prepared.direction == .up ? .applied : .rolledBack, by: actor)
        event.reason = prepared.repeatable ? "repeatable" : nil
        event.message = why
        event.durationUS = (Instant.now() - began).microseconds
        event.detail = ["statements": .integer(Int64(prepared.script.statements.count))]
        if prepared.script.isEmpty { event.detail["note"] = "nothing to do" }
        if prepared.repeatable { event.detail["repeatable"] = true }
        if let verification = prepared.verification, !verification.script.isEmpty {
            event.detail["verified"] = .string(verification.path)
        }
        if let said = notices.detail { event.detail["notices"] = said }
        event.detail["lasting_settings"] = lastingSettings(prepared.script.statements.indices)
        return event
    }

    /// The settings that some of its statements give to later sessions; nil where there are none.
    private func lastingSettings(_ statements: Range<Int>) -> JSONValue? {
        let settings = prepared.script.lastingSettings.filter { statements.contains($0.statement) }
        return settings.isEmpty ? nil : .array(settings.map(\.json))
    }

    func segmentApplied(_ index: Int, since: Instant, by actor: AuditEvent.Actor, found: String? = nil) -> AuditEvent {
        var event = event(.statementApplied, by: actor)
        event.durationUS = (Instant.now() - since).microseconds
        event.reason = found == nil ? nil : "found_complete"
        event.object = found
        event.detail = [
            "segment": .integer(Int64(index + 1)), "segments": .integer(Int64(prepared.script.segments.count)),
        ]
        if let part = prepared.parts?.segments[index] {
            event.detail["sha256"] = .string(part.bytes)
            event.detail["lexemes"] = .string(FileParts.digest(part.statements))
            event.detail["statements"] = .integer(Int64(part.statements.count))
        }
        event.detail["lasting_settings"] = lastingSettings(prepared.script.segments[index].statements)
        return event
    }

    /// What the server itself passed over since this was last asked, because of an IF NOT EXISTS.
    mutating func takeExisting(by actor: AuditEvent.Actor) -> [AuditEvent] {
        let said = notices.takeExisting()
        guard !said.isEmpty else { return [] }
        let conditional = ConditionalObject.all(in: prepared.script)
        return said.map { notice in
            var event = event(.skipped, by: actor)
            event.reason = "object_exists"
            event.message = notice.message
            event.detail = ["notice": .string(notice.sqlstate)]
            // They come in the order of the statements; what a DO block passes over is among them and stays without a place.
            if let found = conditional.indices.dropFirst(placed).first(where: {
                notice.message.contains("\(Printable.line(conditional[$0].name))")
            }) {
                placed = found + 1
                event.object = conditional[found].object
                event.detail["statement"] = .integer(Int64(conditional[found].statement + 1))
            }
            return event
        }
    }

    /// A name that no other scratch schema has.
    mutating func scratchToken() -> String {
        scratches += 1
        return "\(id.description.filter { $0 != "-" }.prefix(12))\(scratches)"
    }

    /// Its bad end; `wait` says when it is tried again by itself.
    func failed(_ failure: Failure, retryIn wait: TimeSpan? = nil, by actor: AuditEvent.Actor) -> AuditEvent {
        let refused = prepared.direction == .up ? EventKind.failed : .rollbackFailed
        var event = event(failure.interrupts ? .interrupted : refused, by: actor)
        event.reason = failure.reason
        event.sqlstate = failure.sqlstate
        event.message = failure.message
        event.object = failure.object
        event.durationUS = (Instant.now() - began).microseconds
        event.detail = failure.detail
        if !failure.withheld.isEmpty {
            event.detail["row_values"] = .object(
                Dictionary(failure.withheld.map { ($0.field, JSONValue.string($0.digest)) }) { first, _ in first })
        }
        if let wait { event.detail["retry_in_ms"] = .integer(wait.milliseconds) }
        if prepared.repeatable { event.detail["repeatable"] = true }
        if let said = notices.detail { event.detail["notices"] = said }
        return event
    }
}

/// Why an attempt did not come to its end.
struct Failure: Error {
    /// The stable word: `sql_error`, `statement_timeout`, `lock_timeout`, `deadlock`, `deadline`, `connection_lost`, `stopped` …
    var reason: String
    var message: String
    var sqlstate: String?
    var object: String?
    var detail: [String: JSONValue] = [:]
    /// What is masked in the texts above, for having values of rows in it.
    var withheld: [RowValues.Withheld] = []
    /// Whether the attempt was cut off rather than refused: it is tried again without being asked.
    var interrupts = false
    /// What to show a person, with the place in the file.
    var complaint: Complaint

    init(_ reason: String, _ complaint: Complaint, interrupts: Bool = false) {
        self.reason = reason
        message = complaint.message
        sqlstate = complaint.sqlstate
        self.complaint = complaint
        self.interrupts = interrupts
        if let hint = complaint.hint { detail["hint"] = .string(hint) }
        note()
    }

    /// Puts the texts with the values of rows back in their places.
    mutating func reveal() {
        for entry in withheld {
            if entry.field == "message" {
                message = entry.text
                complaint.message = entry.text
            } else {
                detail[entry.field] = .string(entry.text)
            }
        }
        withheld = []
    }

    /// Puts words before the message.
    mutating func precede(_ words: String) {
        message = words + message
        complaint.message = words + complaint.message
        withheld = withheld.map {
            $0.field == "message" ? RowValues.Withheld(field: $0.field, text: words + $0.text) : $0
        }
    }

    /// The database takes no writes for now: the attempt was cut off, and it is no fault of the file.
    mutating func hold(_ period: ReadOnlyPeriod) {
        reason = "read_only"
        interrupts = true
        message = period.error.message
        complaint.status = .unavailable
        complaint.message = period.error.message
        complaint.hint = period.error.hint
        detail["hint"] = complaint.hint.map(JSONValue.string)
    }

    /// Says where in the file it is.
    mutating func point(at place: Place, of script: Script) {
        complaint.point(at: place, of: script.text)
        note()
    }

    /// Keeps the complaint's place for the event.
    private mutating func note() {
        guard let place = complaint.place else { return }
        if let line = place.line { detail["line"] = .integer(Int64(line)) }
        if let column = place.column { detail["column"] = .integer(Int64(column)) }
        if let excerpt = complaint.excerpt {
            detail["excerpt"] = .string(Printable.line(Invisible.shown(excerpt), limit: 500))
        }
    }
}
