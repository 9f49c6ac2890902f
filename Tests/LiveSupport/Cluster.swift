import Glibc
import Synchronization

/// A private PostgreSQL server on a Unix socket in a short temporary directory, stopped and removed whatever becomes of the test
/// process.
///
/// As root it runs as the user `postgres`, because the server refuses root; otherwise as oneself. Everybody who can reach
/// the socket is let in as any role (`trust`), so the directory is closed to others unless `Options.isOpenToOthers`.
/// PostgreSQL 15 from Debian's folder, or the folder that `POSTGRESQL_BIN` names.
public final class Cluster: Sendable {
    /// How a server is made and started.
    public struct Options: Sendable {
        /// Whether the server waits for the disk: needed where durability itself is tested, slow otherwise.
        public var isDurable = false
        /// `max_connections`.
        public var maximumConnections = 100
        /// Whether a base backup or a standby can be made of it (`wal_level = replica`, WAL senders, slots).
        public var isReplicable = false
        /// Whether other users of this machine may reach the socket, for programs that are started as another user.
        public var isOpenToOthers = false
        /// An empty folder of the server's user for the data; a new one where none is given.
        public var dataDirectory: String?
        /// The size of a piece of the write-ahead log; 16 where none is given.
        public var walSegmentMebibytes: Int?
        /// Further lines of postgresql.conf; they win over the others.
        public var settings: [String: String] = [:]
        /// What the server is started by, as a `Program` is.
        public var launcher: [String] = []
        /// Further variables of the server's environment.
        public var environment: [String: String] = [:]
        /// Lines that replace pg_hba.conf, in their order; empty keeps `trust`.
        public var hostBasedAuthentication: [String] = []

        /// A fast, throw-away server.
        public init() {}
    }

    /// How a server is stopped, as `pg_ctl stop -m` names it.
    public enum StopMode: Sendable {
        /// Waits for the clients to leave.
        case smart
        /// Ends the clients, then shuts down in order.
        case fast
        /// Drops everything at once; the next start recovers.
        case immediate
    }

    private struct State {
        var server: Program?
        var earlierLog = ""
    }

    private static let sharedResult = Result { try Cluster() }

    /// The one server that most tests of a process share, started when first asked for.
    public static func shared() throws -> Cluster { try sharedResult.get() }

    /// Where PostgreSQL's own programs are.
    public static var programs: String {
        getenv("POSTGRESQL_BIN").map { String(cString: $0) } ?? "/usr/lib/postgresql/15/bin"
    }

    /// The socket's directory; the data directory is `data` below it.
    public let directory: String

    private let folder: TemporaryDirectory
    private let launcher: [String]
    private let variables: [String]
    private let state = Mutex(State())
    private let databases = Atomic<Int>(0)

    /// Makes a new cluster and starts it.
    public init(_ options: Options = Options()) throws {
        folder = try Self.makeFolder(options)
        launcher = options.launcher
        variables = options.environment.map { "\($0.key)=\($0.value)" }
        directory = folder.path
        if let place = options.dataDirectory, symlink(place, directory + "/data") != 0 {
            throw LiveFailure("symlink '\(directory)/data': \(lastError())")
        }
        try Self.runOwn(
            "initdb",
            (options.walSegmentMebibytes.map { ["--wal-segsize=\($0)"] } ?? []) + [
                "-D", directory + "/data", "--no-sync", "--auth=trust", "--username=postgres",
                "--encoding=UTF8", "--locale=C",
            ])
        try configure(options)
        try start()
    }

    /// Copies a running cluster with pg_basebackup(1), and starts the copy: as a standby that follows it, or as a
    /// server of its own.
    ///
    /// The source must be replicable.
    public init(copying source: Cluster, asStandby: Bool, _ options: Options = Options()) throws {
        folder = try Self.makeFolder(options)
        (launcher, variables) = (options.launcher, options.environment.map { "\($0.key)=\($0.value)" })
        directory = folder.path
        try Self.runOwn(
            "pg_basebackup",
            [
                "-D", directory + "/data", "-d", source.conninfo("postgres"), "--checkpoint=fast",
                "--wal-method=stream", "--no-sync",
            ] + (asStandby ? ["--write-recovery-conf"] : []))
        try configure(options)
        try start()
    }

    deinit {
        try? stop(.immediate)
    }

    /// A libpq connection string for one database of this server.
    public func conninfo(_ database: String, user: String = "postgres") -> String {
        "host=\(directory) user=\(user) dbname=\(database)"
    }

    /// Creates an empty database from `template0`, in UTF-8 or another encoding of the server.
    public func createDatabase(encoding: String = "UTF8") throws -> Database {
        let name = "test\(databases.add(1, ordering: .relaxed).newValue)"
        let made = try psql("postgres", "CREATE DATABASE \(name) TEMPLATE template0 ENCODING '\(encoding)'")
        guard made.status == 0 else { throw LiveFailure("cannot create database '\(name)': \(made.errors)") }
        return Database(cluster: self, name: name)
    }

    /// Runs SQL through the real psql(1), stopping at the first error; rows come unaligned, without headings.
    public func psql(
        _ database: String, _ sql: String, user: String = "postgres", arguments: [String] = [],
        within limit: Duration = .seconds(120)
    ) throws -> Program.Outcome {
        try Program.run(
            Self.programs + "/psql",
            ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", conninfo(database, user: user)] + arguments
                + ["-f", "-"],
            input: sql, within: limit)
    }

    /// Starts the server and waits until it accepts connections; a standby, until it has reached a consistent state.
    public func start() throws {
        try state.withLock { state in
            guard state.server == nil else { return }
            // By env(1), so that a library that is loaded before all others is loaded into the server alone.
            let server = try Program(
                "/usr/bin/env", variables + [Self.programs + "/postgres", "-D", directory + "/data"],
                environment: Program.environment,
                directory: directory, input: nil, user: Self.owner, launcher: launcher, isServer: true)
            state.server = server
            // What pg_ctl(1) looks at: the eighth line of postmaster.pid is the server's own word.
            try eventually("ready server in '\(directory)'", within: .seconds(60)) {
                guard server.isRunning else {
                    Self.forget(&state)
                    throw LiveFailure("the server did not start: \(state.earlierLog)")
                }
                let lines = (try? readText(directory + "/data/postmaster.pid"))?.split(separator: "\n") ?? []
                return lines.first == "\(server.process)" && lines.last?.hasPrefix("ready") == true
            }
        }
    }

    /// Starts the server where it has ended by itself.
    public func startAgain() throws {
        state.withLock { state in
            if state.server?.isRunning == false { Self.forget(&state) }
        }
        try start()
    }

    /// Stops the server and waits for its end; does nothing when it does not run.
    public func stop(_ mode: StopMode) throws {
        try state.withLock { state in
            guard let server = state.server else { return }
            switch mode {
            case .smart: server.signal(SIGTERM)
            case .fast: server.signal(SIGINT)
            case .immediate: server.signal(SIGQUIT)
            }
            try server.wait()
            Self.forget(&state)
        }
    }

    /// Sends a signal to the server and goes on; what comes of it is for the test to see.
    public func signal(_ number: Int32) throws {
        try state.withLock { state in
            guard let server = state.server else { throw LiveFailure("the server does not run") }
            server.signal(number)
        }
    }

    private static func forget(_ state: inout State) {
        state.earlierLog += state.server?.errorsSoFar ?? ""
        state.server = nil
    }

    /// Makes a standby a primary and waits until it takes writes.
    public func promote() throws {
        let result = try psql("postgres", "SELECT pg_promote()")
        guard result.output == "t\n" else { throw LiveFailure("not promoted: \(result)") }
    }

    /// What the server has logged since it was first started.
    public var log: String { state.withLock { $0.earlierLog + ($0.server?.errorsSoFar ?? "") } }

    private func configure(_ options: Options) throws {
        var settings = [
            "listen_addresses": "", "unix_socket_directories": directory, "port": "5432",
            "max_connections": "\(options.maximumConnections)", "shared_buffers": "16MB",
            "logging_collector": "off", "log_line_prefix": "%m [%p] %q%a ",
        ]
        if !options.isDurable {
            settings["fsync"] = "off"
            settings["synchronous_commit"] = "off"
            settings["full_page_writes"] = "off"
        }
        settings["wal_level"] = options.isReplicable ? "replica" : "minimal"
        settings["max_wal_senders"] = options.isReplicable ? "10" : "0"
        settings.merge(options.settings) { $1 }
        let lines = settings.sorted { $0.key < $1.key }.map { name, value in
            "\(name) = '\(value.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''"))'\n"
        }
        // Last in the file, so that it wins over what initdb or the copied server wrote.
        try append(lines.joined(), to: "data/postgresql.conf")
        if !options.hostBasedAuthentication.isEmpty {
            try folder.write(
                "data/pg_hba.conf", options.hostBasedAuthentication.map { $0 + "\n" }.joined(), mode: 0o644)
        }
    }

    private func append(_ text: String, to name: String) throws {
        let descriptor = open(directory + "/" + name, O_WRONLY | O_APPEND | O_CLOEXEC)
        guard descriptor >= 0 else { throw LiveFailure("open '\(name)': \(lastError())") }
        defer { close(descriptor) }
        try writeAll(Array(text.utf8), to: descriptor)
    }

    private static let owner: String? = geteuid() == 0 ? "postgres" : nil

    private static func makeFolder(_ options: Options) throws -> TemporaryDirectory {
        let folder = try TemporaryDirectory(mode: options.isOpenToOthers ? 0o755 : 0o700)
        if let owner {
            guard let entry = getpwnam(owner) else { throw LiveFailure("no user '\(owner)' on this machine") }
            guard chown(folder.path, entry.pointee.pw_uid, entry.pointee.pw_gid) == 0 else {
                throw LiveFailure("chown '\(folder.path)': \(lastError())")
            }
        }
        return folder
    }

    private static func runOwn(_ program: String, _ arguments: [String]) throws {
        let outcome = try Program.run(programs + "/" + program, arguments, user: owner)
        guard outcome.status == 0 else { throw LiveFailure("\(program): \(outcome)") }
    }
}
