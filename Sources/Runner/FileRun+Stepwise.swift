internal import Audit
internal import Configuration
internal import ForeignKeys
internal import JSON
internal import Postgres
internal import Reporting
internal import SQLParsing
internal import Systemd

extension FileRun {
    /// What a stepwise segment ends with: its events ride in its last transaction, and the next attempt's begin with them.
    struct Closing {
        var next: Attempt?
        var events: (Attempt) -> [AuditEvent]

        /// Nothing: the segment goes on.
        static var nothing: Closing { Closing(next: nil) { _ in [] } }
    }

    /// Runs the statement of a stepwise segment.
    func stepwise(
        _ attempt: inout Attempt, _ index: Int, _ limit: Instant?, _ end: Closing
    ) throws(Stop) {
        let segment = attempt.prepared.script.segments[index]
        let policy = attempt.prepared.foreignKeyPolicy(settings)
        let keys = ForeignKeyStatement.all(in: attempt.prepared.script).filter {
            segment.statements.contains($0.statement)
        }
        let planner = ForeignKeyPlanner(policy, quotedHistory: store.schema)
        for (number, key) in keys.enumerated() {
            let facts = try unrecorded(&attempt, index, at: key, limit) { (attempt, connection) throws(Stop) in
                var facts = try self.facts(keys.map(\.key), key, &attempt, connection, limit)
                // Of all of them before the first is added, whether they can be; then of each in its turn.
                for (place, key) in keys.enumerated() where number == 0 || place == number {
                    facts[place] = try asked(facts[place], key, planner, &attempt, connection, limit, adding: false)
                }
                return facts
            }
            let plans = zip(keys, facts).map { planner.stepwise($0.key, $1) }
            if number == 0, plans.contains(.whole) {
                let body = { (attempt: inout Attempt, connection: Connection, closing: String) throws(Stop) -> Work in
                    try pieces(&attempt, connection, index, limit, closing)
                }
                return try transaction(&attempt, index, limit, end, body)
            }
            let isLast = number == keys.count - 1
            let closing = isLast ? end : .nothing
            switch plans[number] {
            case .steps(let steps):
                var run = KeyRun(run: self, key: key, steps: steps, policy: policy, index: index, limit: limit)
                try run.add(&attempt, closing)
            case .exists(let constraint, let definition):
                let event = existing(key, facts[number], constraint, definition, &attempt)
                try transaction(&attempt, index, limit, closing) { (_, _, _) throws(Stop) in Work(events: [event]) }
            case .deferred(let missing):
                let event = deferral(key, missing, facts[number], attempt)
                try transaction(&attempt, index, limit, closing) { (_, _, _) throws(Stop) in Work(events: [event]) }
            case .whole:
                throw .failure(
                    Failure(
                        "foreign_key",
                        Complaint(
                            .failed,
                            "the tables of this key were changed by others while the statement's earlier keys were added",
                            hint: "Try again: what is done stays done.",
                            place: attempt.prepared.script.place(at: key.range.lowerBound))))
            }
        }
    }

    /// One transaction of a segment that may end with it.
    func transaction(
        _ attempt: inout Attempt, _ index: Int, _ limit: Instant?, _ closing: Closing,
        _ body: Body
    ) throws(Stop) {
        try transaction(
            &attempt, index, limit, next: closing.next, body, closing.events)
    }

    /// A transaction that only reads and leaves no record; a cursor that is declared in it WITH HOLD is filled when it commits.
    func unrecorded<Value>(
        _ attempt: inout Attempt, _ index: Int, at key: ForeignKeyStatement, _ limit: Instant?,
        _ body: (inout Attempt, Connection) throws(Stop) -> Value
    ) throws(Stop) -> Value {
        let script = attempt.prepared.script
        let connection = try handOver(
            script, before: script.segments[index].statements.lowerBound,
            "BEGIN ISOLATION LEVEL READ COMMITTED, READ ONLY; \(limits(attempt, scope: "SET LOCAL")) SET LOCAL jit = off"
        ).connection
        let value = try body(&attempt, connection)
        _ = try ask(&attempt, connection, at: key, limit, "COMMIT", [])
        return value
    }
}
