internal import JSON
internal import Postgres
internal import Replay
internal import Reporting
internal import SQLParsing
internal import Systemd

extension FileRun {
    /// Looks again at what was skipped as existing, before anything is recorded of it: other commands of its statement, other sessions, triggers may have taken it away or
    /// made something else of it. What a later statement of the file may have done to it is the file's own business.
    ///
    /// One query for all, inside an open transaction; `end` is the first of the file's statements that have not run.
    func confirm(
        _ objects: [SkippedObject], before end: Int, _ attempt: inout Attempt, _ connection: Connection,
        _ limit: Instant?
    ) throws(Stop) {
        guard let first = objects.first else { return }
        let script = attempt.prepared.script
        let results = try guarded(&attempt, connection, limit, { Failure($0, in: script, piece: nil) }) {
            (connection: Connection) throws(PostgresError) in
            try connection.run(
                """
                SAVEPOINT migrated_replay; SET LOCAL search_path = pg_catalog, pg_temp; \(SkippedObject.question(objects)); \
                ROLLBACK TO SAVEPOINT migrated_replay; RELEASE SAVEPOINT migrated_replay
                """)
        }
        guard results.count >= ReplayItem.answerFromEnd else {
            preconditionFailure("each statement of a message is answered, the look at '\(first.object)' too")
        }
        let answer = results[results.count - ReplayItem.answerFromEnd]
        let rows = answer.rows.indices.map { answer.texts($0) }
        for (object, comparison) in zip(objects, SkippedObject.comparisons(objects, rows, before: end)) {
            if case .same = comparison { continue }
            if object.mayBeChanged(by: script, before: end) { continue }
            throw .failure(gone(object, comparison, attempt))
        }
    }

    /// The same behind a statement that cannot be in a transaction, in one of its own.
    func confirmAlone(before end: Int, _ attempt: inout Attempt, _ limit: Instant?) throws(Stop) {
        guard !attempt.skipped.isEmpty else { return }
        let connection = try run { () throws(RunFailure) in
            let connection = try sessions.work()
            _ = try sessions.run(connection, "BEGIN; \(limits(attempt, scope: "SET LOCAL")) SET LOCAL jit = off")
            return connection
        }
        try confirm(attempt.skipped, before: end, &attempt, connection, limit)
        try run { () throws(RunFailure) in _ = try sessions.run(connection, "ROLLBACK") }
    }

    private func gone(_ object: SkippedObject, _ comparison: Comparison, _ attempt: Attempt) -> Failure {
        var differences: [Difference] = []
        if case .different(let found) = comparison { differences = found }
        let names = differences.map(\.what).joined(separator: ", ")
        let end = differences.isEmpty ? "is gone or of no use" : "is not what the file says any more: \(names)"
        let complaint = Complaint(
            .failed, "\(object.word) '\(object.object)' was skipped because it existed, and \(end)",
            hint:
                "Something beside the file has changed it while the file ran: another session, a trigger, or another command of the same statement. Try again with 'migrated retry \(attempt.prepared.version)'."
        )
        return differs(
            complaint, object.object, object.statement, at: object.range.lowerBound, differences, attempt)
    }
}
