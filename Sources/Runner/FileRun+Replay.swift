internal import Audit
internal import ForeignKeys
internal import JSON
internal import Migrations
internal import Postgres
internal import Replay
internal import Reporting
internal import SQLParsing
internal import Systemd

extension FileRun {
    /// Looks what of a statement's objects stands already, inside an open transaction. What is not the same is the file's failure.
    func replay(
        _ statement: Int, _ replaying: Replaying, _ attempt: inout Attempt, _ connection: Connection, _ limit: Instant?
    ) throws(Stop) -> Replayed {
        var replayed = Replayed()
        let followed = attempt.sequelsDone[statement] ?? []
        guard !replaying[statement].isEmpty || !followed.isEmpty else { return replayed }
        replayed.list = AlterTableCommands(statement, in: attempt.prepared.script)
        for (sequel, object) in followed {
            replayed.pass(sequel.command, sequel.range, done(statement, sequel.word, object, attempt))
        }
        for item in replaying[statement] where item.command.map(replayed.commands.contains) != true {
            if item.isGone(with: item.following(attempt.done)) {
                replayed.pass(item.command, item.range, done(statement, "alteration", item.name, attempt))
                continue
            }
            if item.isNameless, attempt.pending.contains(where: item.isSame) { continue }
            guard let standing = try standing(item, &attempt, connection, limit) else { continue }
            var event = attempt.event(.skipped, by: actor)
            event.reason = "object_exists"
            event.object = standing.object
            event.detail = ["statement": .integer(Int64(item.statement + 1)), "kind": .string(item.word)]
            let skipped: SkippedObject
            if attempt.prepared.existing(settings) == .skip {
                guard !item.isNameless else { continue }
                skipped = SkippedObject(byName: item, standing)
                event.detail["compared"] = false
                reporter.say(
                    4,
                    "\(attempt.prepared.migration.name): \(item.word) '\(standing.object)' exists and was not compared, skipping",
                    [
                        ("MIGRATED_VERSION", attempt.prepared.version),
                        ("MIGRATED_NAME", attempt.prepared.migration.name),
                    ])
            } else {
                let outcome = try outcome(item, standing, replaying.sequels(of: item), &attempt, connection, limit)
                switch outcome.comparison {
                case .absent: continue
                case .different(let differences):
                    throw .failure(differs(item, standing, differences, attempt))
                case .invalid(let index):
                    replayed.invalid.append(index)
                    continue
                case .same(let beyond, let found):
                    event.detail["compared"] = true
                    if let found { event.object = found }
                    if !beyond.isEmpty {
                        event.detail["beyond"] = .array(
                            beyond.prefix(50).map { .string(Printable.line($0, limit: 300)) })
                    }
                    skipped = outcome.skipped(item, standing, object: event.object ?? standing.object)
                }
            }
            replayed.pass(item.command, item.range, event, byName: attempt.prepared.existing(settings) == .skip)
            replayed.skipped.append(skipped)
        }
        // What has been done of the statement's own commands to a column that it adds.
        for (sequel, object) in (attempt.sequelsDone[statement] ?? []).dropFirst(followed.count) {
            replayed.pass(sequel.command, sequel.range, done(statement, sequel.word, object, attempt))
        }
        attempt.skipped += replayed.skipped
        return replayed
    }

    /// What is recorded of a command that has been done, as what stands shows.
    private func done(_ statement: Int, _ kind: String, _ object: String, _ attempt: Attempt) -> AuditEvent {
        var event = attempt.event(.skipped, by: actor)
        event.reason = "object_exists"
        event.object = object
        event.detail = ["statement": .integer(Int64(statement + 1)), "kind": .string(kind), "compared": true]
        return event
    }

    private func standing(
        _ item: ReplayItem, _ attempt: inout Attempt, _ connection: Connection, _ limit: Instant?
    ) throws(Stop) -> Standing? {
        try send(item.question, item, &attempt, connection, limit).first.flatMap { Standing($0) }
    }

    /// Compares what stands with what the item makes, and with what the file's later commands make of that; those that have been done are
    /// passed over in their turn.
    private func outcome(
        _ item: ReplayItem, _ standing: Standing, _ sequels: [Sequel], _ attempt: inout Attempt,
        _ connection: Connection, _ limit: Instant?
    ) throws(Stop) -> TrialOutcome {
        var scratch = Scratch(token: attempt.scratchToken())
        if !sequels.isEmpty {
            let trial = SequelTrial(item, sequels)
            do throws(Stop) {
                let message = trial.message(standing, in: &scratch)
                let rows = try answers(to: message, item, &attempt, connection, limit).flatMap(\.self)
                let outcome = trial.outcome(rows, standing, in: scratch)
                for sequel in outcome.done {
                    attempt.sequelsDone[sequel.statement, default: []].append(
                        (sequel, trial.object(of: sequel, standing)))
                }
                attempt.pending += outcome.pending
                return outcome
            } catch {
                // A command that an empty table alone cannot take: then the statement is compared as it stands.
                guard case .failure(let failure) = error, !failure.interrupts,
                    connection.transactionStatus == .inFailedTransaction
                else { throw error }
                _ = try answers(to: SequelTrial.undo, item, &attempt, connection, limit)
                scratch = Scratch(token: attempt.scratchToken())
            }
        }
        let trial = item.trial(standing, in: &scratch, behind: item.following(attempt.done))
        do throws(Stop) {
            return item.outcome(try send(trial, item, &attempt, connection, limit), standing, in: scratch)
        } catch {
            // It is about a column that is not there yet, which an earlier command of its statement adds.
            guard item.command != nil, case .failure(let failure) = error, failure.complaint.sqlstate == "42703",
                connection.transactionStatus == .inFailedTransaction
            else { throw error }
            _ = try answers(to: SequelTrial.undo, item, &attempt, connection, limit)
            return TrialOutcome(.absent)
        }
    }

    /// Sends one of an item's messages and gives the rows of the result that counts.
    private func send(
        _ sql: String, _ item: ReplayItem, _ attempt: inout Attempt, _ connection: Connection, _ limit: Instant?
    ) throws(Stop) -> [[String?]] {
        let answers = try answers(to: sql, item, &attempt, connection, limit)
        return answers.count >= ReplayItem.answerFromEnd ? answers[answers.count - ReplayItem.answerFromEnd] : []
    }

    /// Sends one of an item's messages and gives the rows of every result.
    private func answers(
        to sql: String, _ item: ReplayItem, _ attempt: inout Attempt, _ connection: Connection, _ limit: Instant?
    ) throws(Stop) -> [[[String?]]] {
        let script = attempt.prepared.script
        let place = script.place(at: item.range.lowerBound)
        let results = try guarded(
            &attempt, connection, limit, at: item.statement..<item.statement + 1,
            { error in
                var error = error
                if error.sqlstate == "42501", error.hint == nil {
                    error.hint =
                        "What exists is compared with what the statement would make, in a scratch schema: that takes the right to CREATE in this database."
                }
                var failure = Failure(error, in: script, piece: nil)
                failure.point(at: place, of: script)
                return failure
            }
        ) { (connection: Connection) throws(PostgresError) in try connection.run(sql) }
        return results.map { answer in
            answer.rows.indices.map { answer.texts($0) }
        }
    }

    private func differs(_ item: ReplayItem, _ standing: Standing, _ differences: [Difference], _ attempt: Attempt)
        -> Failure
    {
        let names = differences.map(\.what).joined(separator: ", ")
        let order = differences.contains { $0.isOrder } ? " An order cannot be altered in place." : ""
        let complaint = Complaint(
            .failed, "\(item.word) '\(standing.object)' exists and is not what the file says: \(names)",
            hint:
                "Nothing was changed. Alter the object until it is what the file says, or mend the file; or, where what stands is right, run 'migrated resolve \(attempt.prepared.version) --applied'.\(order)"
        )
        return differs(complaint, standing.object, item.statement, at: item.range.lowerBound, differences, attempt)
    }

    /// The failure of a file because an object is not what one of its statements makes, at that place in its text.
    func differs(
        _ complaint: Complaint, _ object: String, _ statement: Int, at offset: Int, _ differences: [Difference],
        _ attempt: Attempt
    ) -> Failure {
        let script = attempt.prepared.script
        var complaint = complaint
        complaint.point(at: script.place(at: offset), of: script.text)
        complaint.notes = Array(differences.flatMap(\.lines).prefix(60))
        var failure = Failure("object_differs", complaint)
        failure.object = object
        failure.detail["difference"] = .array(differences.prefix(20).map(\.json))
        failure.detail["statement"] = .integer(Int64(statement + 1))
        return failure
    }

    /// What is recorded where an index that a broken concurrent build has left makes way for the one that the file builds.
    func dropped(_ index: String, _ attempt: Attempt) -> AuditEvent {
        var event = attempt.event(.invalidIndexDropped, by: actor)
        event.reason = "replayed"
        event.object = index
        return event
    }
}
