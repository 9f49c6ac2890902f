import Glibc
import LiveSupport
import Testing

/// One empty database, one directory of migrations, and `migrated` upon them, with what must hold of every history.
struct ProvingGround {
    let database: Database
    let folder: TemporaryDirectory

    /// Waits between tries are short, so that a test does not spend its time in them.
    static let quick = "retry-wait = \"1ms\"\nretry-wait-max = \"5ms\"\n"

    init(_ cluster: Cluster? = nil, settings: String = quick) throws {
        database = try (cluster ?? Cluster.shared()).createDatabase()
        folder = try TemporaryDirectory(mode: 0o755)
        try folder.write("migrated.toml", settings)
        try folder.makeDirectory("m")
    }

    var directory: String { folder.path("m") }

    func write(_ name: String, _ text: String) throws { try folder.write("m/" + name, text) }

    func write(_ files: [String: String]) throws {
        for (name, text) in files { try write(name, text) }
    }

    // MARK: The programs

    func arguments(_ verb: String, _ more: [String]) -> [String] {
        var words = [verb, "--config", folder.path("migrated.toml"), "--state-directory", folder.path("state")]
        if !more.contains("--database") { words += ["--database", database.conninfo] }
        if !more.contains("--directory") { words += ["--directory", directory] }
        if verb == "run", !more.contains("--settle") { words += ["--settle", "0"] }
        return words + more
    }

    func run(
        _ verb: String, _ arguments: String..., environment: [String: String] = [:], user: String? = nil,
        launcher: [String] = [], within limit: Duration = .seconds(60)
    ) throws -> Program.Outcome {
        try Program.run(
            Program.built("migrated"), self.arguments(verb, arguments),
            environment: Program.environment.merging(environment) { $1 }, user: user, launcher: launcher,
            within: limit)
    }

    /// Starts a verb and goes on.
    func start(
        _ verb: String, _ arguments: String..., environment: [String: String] = [:], user: String? = nil,
        launcher: [String] = []
    ) throws -> Program {
        try Program(
            Program.built("migrated"), self.arguments(verb, arguments),
            environment: Program.environment.merging(environment) { $1 }, user: user, launcher: launcher)
    }

    /// Ends a daemon in order and expects that it went in peace.
    func stop(_ daemon: Program, _ location: SourceLocation = #_sourceLocation) throws {
        daemon.signal(SIGTERM)
        let outcome = try daemon.outcome()
        #expect(outcome.status == 0, "\(outcome)", sourceLocation: location)
    }

    func verify() throws -> Program.Outcome {
        try Program.run(Program.built("auditctl"), ["verify", "--database", database.conninfo])
    }

    // MARK: What is recorded

    @discardableResult
    func query(_ sql: String) throws -> String { try database.query(sql) }

    /// `event name reason` of every event, those of the daemon itself left out.
    func events(_ condition: String = "true") throws -> [String] {
        try query(
            """
            SELECT pg_catalog.concat_ws(' ', event, name, reason) FROM migrated.migration_rollback_audit
             WHERE event NOT LIKE 'daemon%' AND (\(condition)) ORDER BY seq
            """
        ).split(separator: "\n").map(String.init)
    }

    /// Names of what stands applied, in the order of its application.
    func applied() throws -> [String] {
        try query("SELECT name FROM migrated.migration_status WHERE status = 'applied' ORDER BY seq")
            .split(separator: "\n").map(String.init)
    }

    /// Waits for an event; says what there is instead where it does not come.
    func waitFor(_ condition: String, _ daemon: Program? = nil, within limit: Duration = .seconds(60)) throws {
        do {
            try eventually("event where \(condition)", within: limit) {
                guard try query("SELECT to_regclass('migrated.migration_rollback_audit') IS NOT NULL") == "t" else {
                    return false
                }
                return try query("SELECT EXISTS (SELECT FROM migrated.migration_rollback_audit WHERE \(condition))")
                    == "t"
            }
        } catch {
            throw LiveFailure(
                "\(error)\n\(daemon?.errorsSoFar ?? "")\n\((try? events().joined(separator: "\n")) ?? "")")
        }
    }

    /// What is wrong with the history, one line each, by SQL of its own: the chain, attempts without one start and one end, an end that
    /// is not the attempt's last event, text that was not kept, a second application without a rollback between.
    func faults(openAttempts: Int = 0) throws -> String {
        try query(
            """
            WITH a AS (SELECT row_number() OVER (ORDER BY seq) AS place,
                              lag(hash, 1, (SELECT genesis FROM migrated.audit_head)) OVER (ORDER BY seq) AS before, *
                         FROM migrated.migration_rollback_audit),
                 ends AS (SELECT unnest(ARRAY['applied', 'failed', 'interrupted', 'rolled_back', 'rollback_failed']) AS event),
                 attempts AS (SELECT attempt_id, min(name) AS name, min(checksum) AS checksum,
                                     count(*) FILTER (WHERE event = 'started') AS starts,
                                     count(*) FILTER (WHERE event IN (TABLE ends)) AS ends,
                                     min(seq) = min(seq) FILTER (WHERE event = 'started') AS begins,
                                     max(seq) = max(seq) FILTER (WHERE event IN (TABLE ends)) AS closes
                                FROM a WHERE attempt_id IS NOT NULL GROUP BY attempt_id),
                 turns AS (SELECT name, seq, event, lag(event) OVER (PARTITION BY version ORDER BY seq) AS before
                             FROM a WHERE event IN ('applied', 'rolled_back') AND reason IS NULL)
            SELECT 'gap at ' || seq FROM a WHERE seq <> place
            UNION ALL SELECT 'broken link at ' || seq FROM a WHERE prev_hash <> before
            UNION ALL SELECT 'wrong hash at ' || e.seq FROM migrated.migration_rollback_audit AS e
                       WHERE e.hash <> migrated.event_hash(e)
            UNION ALL SELECT 'the head is not the newest event' FROM migrated.audit_head AS h
                       WHERE h.seq <> (SELECT coalesce(max(seq), 0) FROM a)
                          OR h.hash <> coalesce((SELECT hash FROM a ORDER BY seq DESC LIMIT 1), h.genesis)
            UNION ALL SELECT name || ': an attempt with ' || starts || ' starts' FROM attempts WHERE starts <> 1
            UNION ALL SELECT name || ': an attempt with ' || ends || ' ends' FROM attempts WHERE ends > 1
            UNION ALL SELECT name || ': an event before its start' FROM attempts WHERE NOT begins
            UNION ALL SELECT name || ': an event behind its end' FROM attempts WHERE NOT closes
            UNION ALL SELECT 'attempts without an end: ' || count(*) FROM attempts WHERE ends = 0
                      HAVING count(*) > \(openAttempts)
            UNION ALL SELECT name || ': its text was not kept' FROM attempts
                       WHERE NOT EXISTS (SELECT FROM migrated.migration_source AS s WHERE s.checksum = attempts.checksum)
            UNION ALL SELECT 'wrong text ' || checksum FROM migrated.migration_source
                       WHERE checksum <> 'sha256:' || encode(sha256(source), 'hex')
            UNION ALL SELECT name || ': ' || event || ' twice, at ' || seq FROM turns WHERE event = before
            """)
    }
}

extension TemporaryDirectory {
    func makeDirectory(_ name: String, mode: mode_t = 0o755) throws {
        guard mkdir(path(name), 0o700) == 0, chmod(path(name), mode) == 0 else {
            throw LiveFailure("mkdir '\(path(name))': \(String(cString: strerror(errno)))")
        }
    }

    func move(_ name: String, to other: String) throws {
        guard rename(path(name), path(other)) == 0 else {
            throw LiveFailure("rename '\(path(name))': \(String(cString: strerror(errno)))")
        }
    }
}

/// A number from the environment, for longer runs than the suite's own.
func environmentNumber(_ name: String) -> Int? { getenv(name).flatMap { Int(String(cString: $0)) } }

/// SplitMix64: the same numbers in every run.
struct Seeded: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
