internal import Audit
internal import ForeignKeys
internal import JSON
internal import Migrations
internal import Postgres
internal import Reporting
internal import SQLParsing
internal import Systemd

extension FileRun {
    /// Sends a segment's text piece by piece, all in the file's transaction: what exists already and each foreign key is treated by policy,
    /// in its statement's place. Returns what is to be recorded with it.
    ///
    /// `closing` goes along with the last words of a text that is sent as it is, where the grammar has read that text: it could swallow them
    /// otherwise.
    func pieces(
        _ attempt: inout Attempt, _ connection: Connection, _ index: Int, _ limit: Instant?, _ closing: String? = nil
    ) throws(Stop) -> Work {
        let script = attempt.prepared.script
        let segment = script.segments[index]
        let policy = attempt.prepared.foreignKeyPolicy(settings)
        let keys =
            policy.leavesFilesAlone
            ? [] : ForeignKeyStatement.all(in: script).filter { segment.statements.contains($0.statement) }
        let cut = StatementCut(script, without: keys)
        let replay = Replaying(attempt.prepared.existing(settings), script, cut.text, in: segment.statements)
        let undone = attempt.undone
        let undoing = undone.statements(segment.statements, in: script)
        let relying = segment.statements.filter { reliedIndex($0, in: script) != nil }
        let isPlain = keys.isEmpty && replay.isEmpty && undoing.isEmpty
        guard !isPlain || !relying.isEmpty else {
            let closing = script.tree == nil ? nil : closing
            let results = try statements(&attempt, connection, segment, index, limit, closing)
            return Work(events: attempt.takeExisting(by: actor), closed: closing.map { _ in results })
        }
        // The catalog's questions are many small ones; compiling them takes seconds and saves nothing.
        if !isPlain {
            _ = try ask(&attempt, connection, at: segment.range.lowerBound, limit, "SET LOCAL jit = off", [])
        }
        var events: [AuditEvent] = []
        var sent = segment.statements.lowerBound
        for statement in Set(keys.map(\.statement)).union(replay.statements).union(undoing).union(relying).sorted() {
            try statements(&attempt, connection, sent..<statement, index, cut.text, limit)
            sent = statement + 1
            let own = keys.filter { $0.statement == statement }
            var replayed = try self.replay(statement, replay, &attempt, connection, limit)
            events += try putOff(undone.losing(statement, in: script), at: statement, &attempt, connection, limit)
            for (command, key) in undone.drops(statement, in: script) {
                events.append(neverAdded(key, attempt))
                replayed.leave(command, of: statement, script)
            }
            // What is about the keys themselves has to wait for them.
            let later = AlterTableCommands.about(own.compactMap(\.key.name), statement, in: script)
            for command in later.others.union(later.proofs.keys) { replayed.leave(command, of: statement, script) }
            events += replayed.events
            for name in replayed.invalid {
                let offset = script.statements[statement].range.lowerBound
                _ = try ask(&attempt, connection, at: offset, limit, "DROP INDEX \(name)", [])
                events.append(dropped(name, attempt))
            }
            // What stands already keeps the server from adding the key of an IF NOT EXISTS: that stays its own business.
            var wanted = try keysToAdd(own.filter { !replayed.ignores($0) }, &attempt, connection, limit)
            for index in wanted.indices
            where later.proofs.values.contains(where: { $0.exact == wanted[index].key.name?.exact }) {
                wanted[index].key.isNotValid = false
            }
            if !cut.emptied.contains(statement), let text = replayed.text(cut.text, own, script) {
                try statements(&attempt, connection, statement..<sent, index, text, limit)
                // The commands that were sent may have taken away what the others were skipped for.
                try confirm(replayed.skipped, before: sent, &attempt, connection, limit)
            }
            if let relied = reliedIndex(statement, in: script, isPassed: replayed.isWhole) {
                try require(relied, &attempt, connection, limit)
            }
            if !wanted.isEmpty {
                events += try add(wanted, policy, &attempt, connection, limit, standing: replayed.standing)
            }
            if !later.others.isEmpty, let list = replayed.list {
                let others = Set(list.ranges.indices).subtracting(later.others)
                if let text = list.text(script.text, without: others) {
                    try statements(&attempt, connection, statement..<sent, index, text, limit)
                }
            }
        }
        try statements(&attempt, connection, sent..<segment.statements.upperBound, index, cut.text, limit)
        return Work(events: events + attempt.takeExisting(by: actor))
    }
}
