import Digest
import Glibc
import LiveSupport
import Testing

/// One empty database, one directory of migrations, and `migrated` upon them.
///
/// The program reads an empty configuration file, so that nothing of the machine's own reaches it.
struct Workbench {
    let database: Database
    let folder: TemporaryDirectory
    var schema = "migrated"

    init(_ cluster: Cluster? = nil, encoding: String = "UTF8") throws {
        database = try (cluster ?? Cluster.shared()).createDatabase(encoding: encoding)
        folder = try TemporaryDirectory(mode: 0o755)
        try folder.write("migrated.toml", "")
        try folder.makeDirectory("m")
    }

    var directory: String { folder.path("m") }

    func write(_ name: String, _ text: String) throws { try folder.write("m/" + name, text) }
    func write(_ name: String, bytes: [UInt8]) throws { try folder.write("m/" + name, bytes: bytes) }

    // MARK: The program

    func arguments(_ verb: String, _ more: [String]) -> [String] {
        var words = [verb, "--config", folder.path("migrated.toml"), "--state-directory", folder.path("state")]
        if !more.contains("--database"), verb != "check" { words += ["--database", database.conninfo] }
        if !more.contains("--directory") { words += ["--directory", directory] }
        return words + more
    }

    func run(
        _ verb: String, _ arguments: String..., environment: [String: String] = [:],
        within limit: Duration = .seconds(120)
    ) throws -> Program.Outcome {
        try Program.run(
            Program.built("migrated"), self.arguments(verb, arguments),
            environment: Program.environment.merging(environment) { $1 }, within: limit)
    }

    /// Starts a verb and goes on; the daemon looks at its directory as soon as it changes.
    func start(_ verb: String, _ arguments: String..., environment: [String: String] = [:]) throws -> Program {
        var words = self.arguments(verb, arguments)
        if verb == "run", !arguments.contains("--settle") { words += ["--settle", "0"] }
        return try Program(
            Program.built("migrated"), words, environment: Program.environment.merging(environment) { $1 })
    }

    func auditctl(_ words: String...) throws -> Program.Outcome {
        try Program.run(
            Program.built("auditctl"),
            words + [
                "--config", folder.path("migrated.toml"), "--database", database.conninfo,
                "--state-directory", folder.path("state"),
            ])
    }

    // MARK: What is recorded

    var table: String {
        "\"\(schema.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\""))\""
    }

    @discardableResult
    func query(_ sql: String) throws -> String { try database.query(sql) }

    /// `event name reason` of every event, those of the daemon itself left out.
    func events(_ condition: String = "true") throws -> [String] {
        try query(
            """
            SELECT pg_catalog.concat_ws(' ', event, name, reason) FROM \(table).migration_rollback_audit
             WHERE event NOT LIKE 'daemon%' AND (\(condition)) ORDER BY seq
            """
        ).split(separator: "\n").map(String.init)
    }

    /// Whether the history is there and holds such an event.
    func has(_ condition: String) throws -> Bool {
        guard try query("SELECT pg_catalog.to_regclass('\(table).migration_rollback_audit') IS NOT NULL") == "t" else {
            return false
        }
        return try query("SELECT EXISTS (SELECT FROM \(table).migration_rollback_audit WHERE \(condition))") == "t"
    }

    func waitFor(_ condition: String, _ daemon: Program? = nil) throws {
        do {
            try eventually("event where \(condition)", within: .seconds(60)) { try has(condition) }
        } catch {
            throw LiveFailure("\(error)\n\(daemon?.errorsSoFar ?? "")\n\(try events().joined(separator: "\n"))")
        }
    }

    /// What is wrong with the history, one line each: the chain, attempts without one start and one end, text that was not kept.
    func faults(openAttempts: Int = 0) throws -> String {
        let audit = "\(table).migration_rollback_audit"
        let found = try query(
            """
            WITH a AS (SELECT row_number() OVER (ORDER BY seq) AS place,
                              lag(hash, 1, (SELECT genesis FROM \(table).audit_head)) OVER (ORDER BY seq) AS before, *
                         FROM \(audit)),
                 attempts AS (SELECT attempt_id, count(*) FILTER (WHERE event = 'started') AS starts,
                                     count(*) FILTER (WHERE event IN ('applied', 'failed', 'interrupted', 'rolled_back',
                                                                      'rollback_failed')) AS ends,
                                     min(name) AS name, min(checksum) AS checksum
                                FROM \(audit) WHERE attempt_id IS NOT NULL GROUP BY attempt_id)
            SELECT 'gap at ' || seq FROM a WHERE seq <> place
            UNION ALL SELECT 'broken link at ' || seq FROM a WHERE prev_hash <> before
            UNION ALL SELECT 'wrong hash at ' || a.seq FROM \(audit) AS a WHERE hash <> \(table).event_hash(a)
            UNION ALL SELECT 'head is not the newest event' FROM \(table).audit_head AS h
                       WHERE (seq, hash) IS DISTINCT FROM (SELECT (a.seq, a.hash) FROM \(audit) AS a ORDER BY seq DESC LIMIT 1)
            UNION ALL SELECT name || ' has an attempt with ' || starts || ' starts' FROM attempts WHERE starts <> 1
            UNION ALL SELECT name || ' has an attempt with ' || ends || ' ends' FROM attempts WHERE ends > 1
            UNION ALL SELECT 'attempts without an end: ' || count(*) FROM attempts WHERE ends = 0
                      HAVING count(*) <> \(openAttempts)
            UNION ALL SELECT name || ' has no text' FROM attempts
                       WHERE NOT EXISTS (SELECT FROM \(table).migration_source AS s WHERE s.checksum = attempts.checksum)
            UNION ALL SELECT 'wrong text ' || checksum FROM \(table).migration_source
                       WHERE checksum <> 'sha256:' || encode(sha256(source), 'hex')
            UNION ALL SELECT name || ' is applied ' || count(*) || ' times' FROM \(audit)
                       WHERE event = 'applied' AND reason IS NULL GROUP BY name HAVING count(*) > 1
            """)
        return found
    }

    /// Ends a daemon in order and expects that it went in peace.
    func stop(_ daemon: Program, _ location: SourceLocation = #_sourceLocation) throws {
        daemon.signal(SIGTERM)
        let outcome = try daemon.outcome()
        #expect(outcome.status == 0, "\(outcome)", sourceLocation: location)
    }
}

extension TemporaryDirectory {
    func makeDirectory(_ name: String, mode: mode_t = 0o755) throws {
        guard mkdir(path(name), 0o700) == 0, chmod(path(name), mode) == 0 else {
            throw LiveFailure("mkdir '\(path(name))': \(String(cString: strerror(errno)))")
        }
    }

    func link(_ name: String, to target: String) throws {
        guard symlink(target, path(name)) == 0 else {
            throw LiveFailure("symlink '\(path(name))': \(String(cString: strerror(errno)))")
        }
    }

    func move(_ name: String, to other: String) throws {
        guard rename(path(name), path(other)) == 0 else {
            throw LiveFailure("rename '\(path(name))': \(String(cString: strerror(errno)))")
        }
    }
}
