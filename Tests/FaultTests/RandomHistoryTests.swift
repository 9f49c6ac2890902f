import Glibc
import LiveSupport
import Testing

/// Random histories against a model, after etcd's robustness tests: what may happen to a daemon in its life, in any order, and after
/// each step everything that must always hold.
///
/// `MIGRATED_FAULT_SEEDS=100` runs that many seeds, `MIGRATED_FAULT_SEED=17` that one.
@Suite struct `Any history of faults` {
    static let seeds: [Int] =
        environmentNumber("MIGRATED_FAULT_SEED").map { [$0] }
        ?? Array(1...(environmentNumber("MIGRATED_FAULT_SEEDS") ?? 4))

    @Test(arguments: seeds)
    func `keeps every promise after every step`(seed: Int) throws {
        var history = try RandomHistory(seed: seed)
        for _ in 0..<24 { try history.step() }
        try history.finish()
    }
}

/// One random history.
private struct RandomHistory {
    private let cluster: Cluster
    private let ground: ProvingGround
    private var model = HistoryModel()
    private var random: Seeded
    private var story: [String]

    init(seed: Int) throws {
        cluster = try Cluster()
        ground = try ProvingGround(cluster)
        random = Seeded(state: UInt64(seed))
        story = ["seed \(seed)"]
        try ground.query("CREATE TABLE effect (version text, what text)")
        // The schema, so that everything can be asked for from the first step on.
        let outcome = try ground.run("retry")
        #expect(outcome.status == 0, "\(outcome)")
    }

    private var place: Comment { Comment(rawValue: story.joined(separator: "\n")) }

    // MARK: What can happen

    mutating func step() throws {
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<22: try add(failing: false)
        case 22..<30: try add(failing: true)
        case 30..<38: try mend()
        case 38..<42: try edit()
        case 42..<45: try remove()
        case 45..<58: try apply()
        case 58..<70: try killed("apply")
        case 70..<76: try killed("run")
        case 76..<81: try serverStops()
        case 81..<88: try rollback()
        case 88..<92: try decide()
        default: try twoAtOnce()
        }
        try check()
    }

    private mutating func add(failing: Bool) throws {
        let number = (model.files.keys.compactMap { Int($0) }.max() ?? 0) + 1
        let version = HistoryModel.name(number)
        model.files[version] = HistoryModel.File(
            isMixed: Int.random(in: 0..<3, using: &random) == 0, isFailing: failing, salt: model.nextSalt())
        story.append("add \(version)\(failing ? ", failing" : "")")
        try ground.write("\(version)_x.down.sql", HistoryModel.down(version))
        try write(version)
        // Mostly several files arrive before somebody runs.
        if Bool.random(using: &random) { try apply() }
    }

    private mutating func write(_ version: String) throws {
        try ground.folder.renameIn("m/\(version)_x.up.sql", model.up(version))
    }

    private mutating func mend() throws {
        guard let version = model.files.keys.sorted().first(where: { model.files[$0]?.isFailing == true }) else {
            return
        }
        story.append("mend \(version)")
        model.rewrite(version, isFailing: false)
        try write(version)
    }

    private mutating func edit() throws {
        guard let version = model.files.keys.sorted().randomElement(using: &random) else { return }
        story.append("edit \(version)")
        model.rewrite(version)
        try write(version)
    }

    private mutating func remove() throws {
        guard let version = model.files.keys.sorted().randomElement(using: &random) else { return }
        story.append("remove \(version)")
        // Its number must not be given out again.
        guard version != model.files.keys.max() else { return }
        model.files[version] = nil
        try ground.folder.remove("m/\(version)_x.up.sql")
        try ground.folder.remove("m/\(version)_x.down.sql")
    }

    private mutating func apply() throws {
        story.append("apply")
        try undisturbed { ground in
            let outcome = try ground.run("apply")
            #expect([0, 1].contains(outcome.status), "\(outcome)")
        }
    }

    private mutating func twoAtOnce() throws {
        story.append("two at once")
        try undisturbed { ground in
            let both = try [
                ground.start("apply", "--lock-wait", "60s"), ground.start("apply", "--lock-wait", "60s"),
            ]
            for one in both {
                let outcome = try one.outcome()
                #expect([0, 1].contains(outcome.status), "\(outcome)")
            }
        }
    }

    private mutating func undisturbed(_ body: (ProvingGround) throws -> Void) throws {
        let expected = model.outcome(from: try states())
        let before = try attempts()
        try body(ground)
        let applied = try applied()
        let made = try attempts() - before
        let faults = try ground.faults()
        #expect(applied == expected.applied, place)
        #expect(made == expected.attempts, place)
        #expect(faults == "", place)
    }

    private mutating func killed(_ verb: String) throws {
        let moment = UInt32.random(in: 5_000...250_000, using: &random)
        story.append("\(verb), killed after \(moment) us")
        try disturbed { ground, _ in
            let process = try ground.start(verb)
            usleep(moment)
            process.signal(SIGKILL)
            try process.wait()
        }
    }

    private mutating func serverStops() throws {
        let moment = UInt32.random(in: 5_000...200_000, using: &random)
        story.append("server stops after \(moment) us")
        try disturbed { ground, cluster in
            let process = try ground.start("apply")
            usleep(moment)
            try cluster.stop(.immediate)
            // Before it is back: an apply that was never connected says so, one that was cut off waits and tries again.
            usleep(20_000)
            try cluster.start()
            let outcome = try process.outcome()
            #expect([0, 1, 69].contains(outcome.status), "\(outcome)")
        }
    }

    /// At least what was applied before, at most what an undisturbed run would come to, and nothing in between left out.
    private mutating func disturbed(_ body: (ProvingGround, Cluster) throws -> Void) throws {
        let before = try applied()
        let possible = model.outcome(from: try states()).applied
        try body(ground, cluster)
        let after = try applied()
        #expect(after.isSuperset(of: before) && after.isSubset(of: possible), place)
        let gained = after.subtracting(before).sorted()
        #expect(Array(possible.subtracting(before).sorted().prefix(gained.count)) == gained, place)
    }

    private mutating func rollback() throws {
        story.append("rollback --last 1")
        let before = try applied()
        let outcome = try ground.run("rollback", "--last", "1")
        let gone = before.subtracting(try applied())
        #expect(gone.count == (outcome.status == 0 ? min(1, before.count) : 0), "\(place)\n\(outcome)")
        #expect(outcome.status < 70, "\(place)\n\(outcome)")
    }

    private mutating func decide() throws {
        guard let failed = try states().filter({ $0.value.status == "failed" }).keys.min() else { return }
        let words = [
            ["resolve", failed, "--applied", "--reason", "by hand"],
            ["resolve", failed, "--rolled-back", "--reason", "nothing is there"], ["retry", failed],
        ].randomElement(using: &random)
        guard let words, let verb = words.first else { return }
        story.append(words.joined(separator: " "))
        let outcome = try Program.run(
            Program.built("migrated"), ground.arguments(verb, Array(words.dropFirst())), within: .seconds(60))
        #expect(outcome.status == 0, "\(place)\n\(outcome)")
    }

    // MARK: What must hold

    func check() throws {
        // A process that was killed leaves one attempt open, which the next one closes.
        let faults = try ground.faults(openAttempts: 1)
        #expect(faults == "", place)
        let verdict = try ground.verify()
        #expect(verdict.status == 0, "\(place)\n\(verdict)")
        // Every effect is there as often as the history says, segment by segment.
        let unlike = try ground.query(
            """
            WITH said AS (
                SELECT version, CASE WHEN event = 'rolled_back' THEN 'down'
                                     WHEN event = 'statement_applied' THEN CASE detail::json->>'segment' WHEN '1' THEN 'up' END
                                     WHEN EXISTS (SELECT FROM migrated.migration_rollback_audit AS s
                                                   WHERE s.attempt_id = a.attempt_id AND s.event = 'started' AND s.detail::json->>'segments' = '1')
                                     THEN 'up' ELSE 'behind' END AS what
                  FROM migrated.migration_rollback_audit AS a
                 WHERE event IN ('applied', 'rolled_back', 'statement_applied') AND attempt_id IS NOT NULL),
            wanted AS (SELECT version, what, count(*) FROM said WHERE what IS NOT NULL GROUP BY version, what),
            found AS (SELECT version, what, count(*) FROM effect GROUP BY version, what)
            (TABLE wanted EXCEPT TABLE found) UNION ALL (TABLE found EXCEPT TABLE wanted)
            """)
        #expect(unlike == "", place)
        let kept = Set(
            try ground.query("SELECT DISTINCT checksum FROM migrated.migration_rollback_audit WHERE event = 'applied'")
                .split(separator: "\n").map(String.init))
        #expect(kept.isSubset(of: model.written), place)
    }

    /// In the end one run closes what is open.
    mutating func finish() throws {
        try apply()
        #expect(try ground.query("SELECT count(*) FROM pg_index WHERE NOT indisvalid") == "0", place)
        try check()
    }

    private func states() throws -> [String: HistoryModel.State] {
        let rows = try ground.query("SELECT version, status, checksum FROM migrated.migration_status")
        return Dictionary(
            rows.split(separator: "\n").map { row in
                let cells = row.split(separator: "|", omittingEmptySubsequences: false).map(String.init)
                return (cells[0], HistoryModel.State(status: cells[1], checksum: cells[2]))
            }, uniquingKeysWith: { first, _ in first })
    }

    private func applied() throws -> Set<String> { Set(try states().filter(\.value.isApplied).keys) }

    private func attempts() throws -> Int {
        Int(
            try ground.query(
                "SELECT count(*) FROM migrated.migration_rollback_audit WHERE event = 'started' AND direction = 'up'"))
            ?? -1
    }
}
