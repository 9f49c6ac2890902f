internal import Configuration
internal import Postgres
internal import Reporting
internal import Systemd

/// The sessions of a runner: one that works, one that stays idle and holds the lock, and one that keeps the books where that is another
/// login's.
///
/// The lock has a session of its own because a file can end or change the session it runs in, and because a session that holds a
/// lock while it is idle blocks nobody's concurrent index build.
final class Sessions {
    let target: ConnectionTarget
    /// The login that keeps the history, where it is another one.
    let bookTarget: ConnectionTarget?
    let waiter: LoopWaiter
    /// Whether the server can watch for a client that has gone (PostgreSQL 14 and later, on Linux).
    private var checksClient: Bool?
    /// Whether the idle session is told of new events, so that others' decisions are seen at once.
    private let listens: Bool
    /// Set while an attempt's end is recorded: a request to stop must not keep that from being done.
    var isFinishing = false
    private(set) var working: Connection?
    /// The working session on its way.
    private var ahead: BackgroundConnecting?
    /// In what state the working session is.
    private var state = State.files

    private enum State {
        /// As we set it up: no file has had it since.
        case ours
        /// A file has it.
        case files
        /// The file is done with it: cleaned before anything else is sent.
        case left
    }
    private(set) var locking: Connection?
    private var keeping: Connection?
    private var watching: Connection?
    /// What the texts of the database can hold, as far as that was asked.
    var repertoire: KnownRepertoire?

    init(_ settings: Settings, waiter: LoopWaiter, listens: Bool) throws(RunFailure) {
        self.waiter = waiter
        self.listens = listens
        do throws(PostgresError) {
            let name = "migrated \(Process.hostName) \(Process.pid)"
            target = try ConnectionTarget(settings.database, applicationName: name)
            bookTarget = try settings.auditDatabase.map { (text) throws(PostgresError) in
                try ConnectionTarget(text, applicationName: name)
            }
        } catch {
            throw .complaint(error.complaint)
        }
    }

    /// Sessions of one login, by the way that is given.
    init(_ target: ConnectionTarget, waiter: LoopWaiter) {
        self.waiter = waiter
        self.target = target
        listens = false
        bookTarget = nil
    }

    /// The working session, clean; opened where there is none.
    func work() throws(RunFailure) -> Connection {
        if let working, working.isAlive {
            if state == .left {
                try run(working, (Sessions.cleaning(working) + ["END"]).joined(separator: "; "))
                state = .ours
            }
            return working
        }
        defer { ahead = nil }
        let opened = try open(target, ahead)
        working = opened
        state = .ours
        return opened
    }

    /// Begins to open the working session where there is none, so that other work can be done until it stands.
    func connectAhead() {
        if working?.isAlive != true, ahead == nil { ahead = BackgroundConnecting(target) }
    }

    /// Gives up what `connectAhead` has begun: what is not needed soon may be stale by the time it is.
    func dropAhead() { ahead = nil }

    /// The idle session for the lock, opened where there is none: of the login that keeps the history, whose sessions no file can end. So it
    /// also reads the history where a file has the other one.
    func lock() throws(RunFailure) -> Connection {
        if let locking, locking.isAlive { return locking }
        let opened = try open(bookTarget ?? target, isOurs: true)
        if listens { try run(opened, "LISTEN migrated_audit") }
        locking = opened
        return opened
    }

    /// The session that reads and writes the history: of a login of its own, where no file comes near it, or the working one.
    func books() throws(RunFailure) -> Connection {
        guard let bookTarget else { return try work() }
        if let keeping, keeping.isAlive { return keeping }
        let opened = try open(bookTarget, isOurs: true)
        try compare(opened, try work())
        keeping = opened
        return opened
    }

    /// A session that may see what those of the files' login do, while one of them is busy (PostgreSQL manual 28.2, pg_stat_activity).
    func watch() throws(RunFailure) -> Connection {
        guard hasTwoLogins else { return try lock() }
        if let watching, watching.isAlive { return watching }
        let opened = try open(target, isOurs: true)
        watching = opened
        return opened
    }

    /// A further session of the login that keeps the history, for as long as its caller keeps it.
    func another() throws(RunFailure) -> Connection { try open(bookTarget ?? target, isOurs: true) }

    /// Whether the history has a login of its own.
    var hasTwoLogins: Bool { bookTarget != nil }
    /// All that stand.
    var all: [Connection] { [working, locking, keeping, watching].compactMap { $0 } }

    /// Ends the working session, whatever state it is in.
    func dropWork() { working = nil }
    /// Ends the session that `books` gave.
    func dropBooks() { if bookTarget == nil { dropWork() } else { keeping = nil } }
    /// Ends all of them.
    func dropAll() {
        working = nil
        locking = nil
        keeping = nil
        watching = nil
    }

    /// Both logins have to reach the same database, or the record would be of another one than what is done.
    private func compare(_ books: Connection, _ work: Connection) throws(RunFailure) {
        var names: [String] = []
        for connection in [books, work] {
            let found = try run(
                connection,
                """
                SELECT pg_catalog.concat_ws(' ', s.system_identifier, d.oid, pg_catalog.pg_postmaster_start_time()) \
                FROM pg_catalog.pg_control_system() AS s, pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database()
                """)
            names.append(found.last?.text(0, 0) ?? "")
        }
        guard names[0] == names[1] else {
            throw .complaint(
                Complaint(
                    .configuration, "'database' and '[audit] database' are not the same database",
                    hint: "Give both the same host and dbname; only the user may differ."))
        }
    }

    /// `isOurs` where no file's text will ever run in it.
    private func open(
        _ target: ConnectionTarget, _ ahead: BackgroundConnecting? = nil, isOurs: Bool = false
    ) throws(RunFailure) -> Connection {
        waiter.begin(.connecting(from: .now(), yieldsToStop: !isFinishing))
        let connection: Connection
        do throws(PostgresError) {
            connection = try Connection(target, waiter: waiter, ahead: ahead)
        } catch {
            throw failure(error)
        }
        try inspect(connection, target, isOurs)
        return connection
    }

    /// What must be true of a server before we trust a lock or a commit on it.
    private func inspect(_ connection: Connection, _ target: ConnectionTarget, _ isOurs: Bool) throws(RunFailure) {
        guard connection.serverVersion > 0 else {
            throw .lost(.lost(.protocolViolation("it does not say which version it has")))
        }
        guard connection.serverVersion >= 130_000 else {
            throw .complaint(
                Complaint(
                    .configuration, "server version \(connection.serverVersion / 10000) is not supported",
                    hint: "PostgreSQL 13 is the oldest that migrated knows."))
        }
        let pins = isOurs ? Sessions.ownPins(connection) : Sessions.pins(connection).joined(separator: "; ")
        let found = try run(
            connection,
            "\(pins); SELECT pg_catalog.pg_backend_pid(), pg_catalog.pg_is_in_recovery()"
        )
        if found.last?.isTrue(0, 1) == true {
            throw .lost(
                .lost(
                    ServerError(
                        sqlstate: "25006", message: "the server is a hot standby, which takes no migrations",
                        hint: "Give several hosts with 'target_session_attrs=read-write', or wait for its promotion.")))
        }
        if repertoire?.encoding != connection.serverEncoding {
            repertoire = KnownRepertoire(encoding: connection.serverEncoding)
        }
        connection.sessionPID = found.last?.integer(0, 0).map { Int32(truncatingIfNeeded: $0) } ?? connection.backendPID
        if connection.sessionPID != connection.backendPID { try inspectPooler(connection, target) }
    }

    /// Behind a pooler that gives a backend to each transaction no lock can be trusted; one that gives it to a session is as good as none.
    ///
    /// The pooler shows itself by calling the session by another process id than the server does. Then a second session opens a
    /// transaction: if it gets the backend that the first one had, or the first one has another one now, backends are not ours to keep.
    private func inspectPooler(_ connection: Connection, _ target: ConnectionTarget) throws(RunFailure) {
        let refusal = Complaint(
            .configuration,
            "the database is reached through a pooler that does not keep a session on its server connection",
            hint:
                "Connect to the server itself, or give this database 'pool_mode = session': no lock can be trusted otherwise."
        )
        do throws(RunFailure) {
            waiter.begin(.connecting(from: .now(), yieldsToStop: !isFinishing))
            let other: Connection
            do throws(PostgresError) {
                other = try Connection(target, waiter: waiter)
            } catch {
                throw failure(error)
            }
            let second = try run(other, "BEGIN; SELECT pg_catalog.pg_backend_pid()").last?.integer(0, 0)
            let first = try run(connection, "SELECT pg_catalog.pg_backend_pid()").last?.integer(0, 0)
            if second == Int64(connection.sessionPID) || first != Int64(connection.sessionPID) {
                throw .complaint(refusal)
            }
        } catch {
            // In statement mode the transaction itself is refused.
            if error.complaint.message.contains("statement pooling") { throw .complaint(refusal) }
            throw error
        }
    }

    /// Asks once whether the server can watch for a client that has gone: then a killed daemon's locks do not outlive it.
    func probeClientCheck() throws(RunFailure) {
        guard checksClient == nil else { return }
        checksClient = false
        let connection = try work()
        guard connection.serverVersion >= 140_000 else { return }
        do {
            try run(connection, "SET client_connection_check_interval = '2s'; RESET client_connection_check_interval")
            checksClient = true
        } catch .refused {
            // A server on a system without the needed poll event; the TCP keepalives remain.
        }
    }

    /// The statement that makes the server watch for our end during a long statement, where it can.
    func clientCheck(scope: String) -> String {
        checksClient == true ? "\(scope) client_connection_check_interval = '2s';" : ""
    }

    /// Waits in the loop for that long; throws `.stopped` on a request to stop.
    func pause(_ span: TimeSpan) throws(RunFailure) {
        guard waiter.pause(span) else { throw .stopped }
    }

    /// What holds in a session for our own statements: nothing in another schema can stand in for what they name, and a backslash is a
    /// backslash, as the grammar reads it. A file gets its role's own search_path back.
    private static func pins(_ connection: Connection) -> [String] {
        [
            "SET search_path = pg_catalog, pg_temp", "SET standard_conforming_strings = on",
            "SET client_encoding = '\(connection.clientEncoding)'",
        ] + limits
    }

    /// A database's own limits are for its application; a file is given those of the configuration. And a token is not to be logged.
    private static let limits = [
        tokensStayOut, "SET statement_timeout = '60s'", "SET lock_timeout = '30s'",
        "SET idle_in_transaction_session_timeout = '60s'",
    ]

    /// The server logs the values of a statement that fails where this is set, and a token is one of them (PostgreSQL manual 20.8.3). What
    /// only a superuser can set, log_parameter_max_length and log_min_error_statement, is not needed: see `OneTimeToken`.
    private static let tokensStayOut = "SET log_parameter_max_length_on_error = 0"

    /// The pins of a session that only we have. It may be idle for as long as a file runs.
    private static func ownPins(_ connection: Connection) -> String {
        let settings = PinnedSettings.statements(scope: "SET", clientEncoding: connection.clientEncoding)
        var pins = ["SET ROLE NONE", settings] + limits
        if connection.serverVersion >= 140_000 { pins.append("SET idle_session_timeout = 0") }
        if connection.serverVersion >= 170_000 { pins.append("SET transaction_timeout = 0") }
        return pins.joined(separator: "; ")
    }

    /// The statements that bring a session back to the state in which it was opened: a file can change role, search_path and limits.
    ///
    /// What DISCARD ALL does (PostgreSQL manual, DISCARD), but for its DISCARD PLANS: that would have the server plan our functions anew
    /// for every file, and a plan holds nothing of the session. They open a transaction of their own, which whoever sends them ends: in one
    /// message with a file's BEGIN they would be the file's.
    private static func cleaning(_ connection: Connection) -> [String] {
        [
            "BEGIN ISOLATION LEVEL READ COMMITTED, READ WRITE", "SET LOCAL statement_timeout = '60s'", "CLOSE ALL",
            "SET SESSION AUTHORIZATION DEFAULT",
            "RESET ALL", "DEALLOCATE ALL", "UNLISTEN *", "SELECT pg_catalog.pg_advisory_unlock_all()", "DISCARD TEMP",
            "DISCARD SEQUENCES",
        ] + pins(connection)
    }

    /// Gives the working session to a file, clean: runs `preparing`, then what the file has `repeated` of the settings that it made earlier,
    /// then `opening`; all in one message where the text is ours alone. A file that has the session already is given `opening` alone.
    func handOver(
        _ preparing: [String], repeated: [String], _ opening: String?, isOurs: Bool
    ) throws(RunFailure) -> (connection: Connection, results: [QueryResult]) {
        var statements = opening.map { [$0] } ?? []
        // A file's own words are not sent before a backslash means what the grammar took it for.
        if state == .left, isOurs, repeated.isEmpty, let working, working.isAlive {
            statements = Sessions.cleaning(working) + preparing + ["END"] + statements
        } else {
            let connection = try work()
            if state == .ours { try run(connection, (preparing + repeated).joined(separator: "; ")) }
        }
        let connection = if let working { working } else { try work() }
        try keepEncoding(connection)
        state = .files
        return (connection, statements.isEmpty ? [] : try run(connection, statements.joined(separator: "; ")))
    }

    /// Gives the session its encoding back, where a file has set another: its text is UTF-8 whatever it says, and so is what is sent beside it.
    func keepEncoding(_ connection: Connection) throws(RunFailure) {
        guard let set = connection.reported("client_encoding"), set != connection.clientEncoding,
            [.idle, .inTransaction].contains(connection.transactionStatus)
        else { return }
        try run(connection, "SET client_encoding = '\(connection.clientEncoding)'")
    }

    /// Takes the working session back from a file; it is cleaned before it is used again.
    func takeBack() {
        if state == .files { state = .left }
    }

    /// Runs our own short statements; a request to stop does not interrupt them.
    @discardableResult
    func run(_ connection: Connection, _ sql: String) throws(RunFailure) -> [QueryResult] {
        waiter.begin(.bookkeeping(from: .now()))
        do throws(PostgresError) {
            return try connection.run(sql)
        } catch {
            throw failure(error)
        }
    }

    /// Runs one statement of ours with its values.
    @discardableResult
    func query(_ connection: Connection, _ sql: String, _ parameters: [Parameter?] = [], binary: Bool = false)
        throws(RunFailure) -> QueryResult
    {
        let parameters = try written(parameters)
        waiter.begin(.bookkeeping(from: .now()))
        do throws(PostgresError) {
            return try connection.query(sql, parameters, binary: binary)
        } catch {
            throw failure(error)
        }
    }

    /// Runs several statements of ours in one message.
    @discardableResult
    func pipeline(_ connection: Connection, _ steps: [Connection.Step]) throws(RunFailure) -> [QueryResult] {
        var steps = steps
        for index in steps.indices { steps[index].parameters = try written(steps[index].parameters) }
        waiter.begin(.bookkeeping(from: .now()))
        do throws(PostgresError) {
            return try connection.pipeline(steps)
        } catch {
            throw failure(error)
        }
    }

    /// What a connection's error means for the runner.
    func failure(_ error: PostgresError) -> RunFailure {
        switch error {
        case .server: .refused(error)
        case .lost: .lost(error)
        case .abandoned: waiter.cause == .stop ? .stopped : .unresponsive
        case .invalidTarget: .complaint(error.complaint)
        }
    }
}
