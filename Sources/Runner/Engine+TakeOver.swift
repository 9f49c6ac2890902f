internal import Audit
internal import Configuration
internal import Migrations
internal import Replay
internal import Reporting

extension Engine {
    /// Where the configuration skips what stands as the files say, and nothing is recorded yet: the folder is built in a scratch database, and the files
    /// up to the state in which the real one is are recorded as adopted. File by file a finished database cannot be told from an unfinished one,
    /// because later files change what earlier ones make.
    ///
    /// Files behind that state run, those among them that change rows alone too: no catalog tells whether they ran. Where the database is in none of the states, or
    /// no scratch can be made, each file is looked at as its turn comes.
    func takeOverWhatStands(_ snapshot: MigrationDirectory.Snapshot, _ limit: String?) throws(RunFailure) {
        guard !isInScratch, settings.existing == .skipIdentical, try standing().states.isEmpty else { return }
        guard let newest = try newest(of: snapshot.set, limit) else { return }
        let found = try catalog()
        guard found.keys.contains(where: { !["schema", "extension", "event trigger"].contains($0.kind) }) else {
            return
        }
        if let obstacle = try ScratchDatabase.obstacle(sessions) {
            reporter.say(5, "the folder is not compared as a whole with what is there: \(obstacle)")
            return
        }
        let proof: DatabaseProof
        do throws(RunFailure) {
            proof = try self.proof(of: found, upTo: newest, .beside, snapshot, tellsFiles: true)
        } catch {
            guard case .complaint(let complaint) = error else { throw error }
            reporter.say(4, "the folder is not compared as a whole with what is there: \(complaint.message)")
            return
        }
        guard let last = proof.verdict.standing?.lowerBound, last >= 0 else {
            reporter.say(5, "the database is as none of the files leaves it: each is looked at as its turn comes")
            return
        }
        let adoption = try told { () throws(Complaint) in
            try Adoption(baseline: proof.migrations[last].name, set: snapshot.set)
        }
        var report = report(adoption, snapshot, [], dryRun: false)
        report.proof = proof
        report.isReplay = true
        reporter.say(
            5, "\(report.adopted.count) file(s) are there already, as a scratch database shows: recorded as adopted")
        try record(report)
        reporter.settle()
    }

    /// The index of the last migration that is to be applied.
    private func newest(of set: MigrationSet, _ limit: String?) throws(RunFailure) -> Int? {
        guard let limit else { return set.migrations.lastIndex { !$0.repeatable && $0.baseline == nil } }
        return try told { () throws(Complaint) in try set.index(of: limit) }
    }
}
