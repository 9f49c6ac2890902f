internal import CPQ

/// One session with a PostgreSQL server, through libpq in its non-blocking form.
///
/// The session lives exactly as long as this value. Every wait goes through the waiter, so that signals and the watchdog are served
/// in the middle of an hour-long statement. Not for use from two threads.
/// After PostgreSQL manual 34.4 "Asynchronous Command Processing" and 34.1.2 "PQconnectStartParams".
@safe
public final class Connection {
    let handle: OpaquePointer
    let waiter: any SocketWaiter
    private let sink: NoticeSink
    /// What its answers were like.
    let shape = AnswerShape()
    /// Rows of a statement sent by `ask` whose end has not come yet.
    var asked: QueryResult?
    /// The process id of the backend, as the server itself calls it: a pooler tells another one when the session is opened.
    public var sessionPID: Int32 = 0

    /// Called for each NOTICE or WARNING, as it arrives.
    public var onNotice: ((Notice) -> Void)? {
        get { sink.receive }
        set { sink.receive = newValue }
    }

    /// The most notices that the server may send behind each other without an answer; nil for any number. For sessions that ask questions
    /// alone, whose server has little to tell beside the answers.
    public var noticeLimit: Int?

    /// Connects; throws `.lost` where that fails, with libpq's words for the last host tried, or `.abandoned`.
    ///
    /// - Parameter ahead: the same, begun earlier.
    public init(
        _ target: ConnectionTarget, waiter: any SocketWaiter, ahead: BackgroundConnecting? = nil
    ) throws(PostgresError) {
        self.waiter = waiter
        let elsewhere = ahead ?? (target.needsNameResolution ? BackgroundConnecting(target) : nil)
        if let elsewhere {
            unsafe handle = unsafe try Connection.take(elsewhere, waiter)
        } else {
            unsafe handle = unsafe Connection.start(target)
        }
        sink = NoticeSink()
        // Where this throws, deinit closes what was opened.
        try finishConnecting(target)
        unsafe PQsetNoticeReceiver(
            handle,
            { context, result in
                guard let context = unsafe context else { return }
                let sink = unsafe Unmanaged<NoticeSink>.fromOpaque(context).takeUnretainedValue()
                let notice = unsafe Notice(result)
                if notice.severity == "FATAL" { sink.fatal = notice } else { sink.receive?(notice) }
                sink.count += 1
            }, Unmanaged.passUnretained(sink).toOpaque())
        _ = unsafe PQsetnonblocking(handle, 1)
        sessionPID = backendPID
    }

    deinit { unsafe PQfinish(handle) }

    static func start(_ target: ConnectionTarget) -> OpaquePointer {
        let words = target.keywords
        let names = CStrings(words.map(\.0))
        let values = CStrings(words.map(\.1))
        guard let handle = unsafe PQconnectStartParams(names.pointer, values.pointer, 1) else {
            preconditionFailure("PQconnectStartParams gives no handle only without memory")
        }
        // libpq prints to stderr what nobody receives.
        unsafe PQsetNoticeReceiver(handle, { _, _ in }, nil)
        return unsafe handle
    }

    /// Waits for what another thread opens, while the waiter serves what else there is.
    private static func take(_ attempt: BackgroundConnecting, _ waiter: any SocketWaiter) throws(PostgresError)
        -> OpaquePointer
    {
        while true {
            guard waiter.wait(for: attempt.descriptor, .read) else { throw .abandoned }
            if let handle = attempt.take() { return unsafe handle.pointer }
        }
    }

    /// Throws where the server has sent more notices than it may.
    func checkNotices() throws(PostgresError) {
        guard let noticeLimit, sink.count > noticeLimit else { return }
        shape.giveUp()
        throw .lost(.protocolViolation("more than \(noticeLimit) notices, and no answer"))
    }

    /// An answer has come.
    func forgetNotices() { sink.count = 0 }

    /// What the opening of a session waits for next; nil once it is over, well or badly.
    static func nextInterest(_ handle: OpaquePointer) -> SocketInterest? {
        guard unsafe PQstatus(handle) != CONNECTION_BAD else { return nil }
        switch unsafe PQconnectPoll(handle) {
        case PGRES_POLLING_READING: return .read
        case PGRES_POLLING_WRITING: return .write
        default: return nil
        }
    }

    private func finishConnecting(_ target: ConnectionTarget) throws(PostgresError) {
        // The first step of a fresh session is to become writable (PostgreSQL manual 34.1, PQconnectPoll).
        var interest: SocketInterest? = isAlive ? nil : .write
        var steps = 0
        while let next = interest {
            guard unsafe PQstatus(handle) != CONNECTION_BAD else { break }
            // Some ten will do. A server could go on for ever with what it says of itself.
            steps += 1
            guard steps < 10_000 else { throw .lost(.protocolViolation("the opening of a session does not end")) }
            guard waiter.wait(for: descriptor, next) else { throw .abandoned }
            interest = unsafe Connection.nextInterest(handle)
        }
        guard isAlive else {
            var error = connectionError()
            if error.message.contains("no password supplied") { error.hint = target.passwordHint }
            throw .lost(error)
        }
    }

    /// libpq's own words for what happened to the session.
    func connectionError() -> ServerError {
        if shape.isBroken { return .protocolViolation("an answer has another form than what was asked for") }
        // What the server said as it ended an idle session tells more than that it is gone.
        if let last = sink.fatal { return ServerError(sqlstate: last.sqlstate, message: last.message) }
        return ServerError(libpq: unsafe String(cString: PQerrorMessage(handle)).trimmingLineEnd)
    }

    /// The socket, for a loop that waits for notifications or for the end of the session.
    public var descriptor: Int32 { unsafe PQsocket(handle) }
    /// Whether the session still stands, as far as is known here.
    public var isAlive: Bool { unsafe PQstatus(handle) == CONNECTION_OK && !shape.isBroken }
    /// The process id of the session's backend.
    public var backendPID: Int32 { unsafe PQbackendPID(handle) }
    /// The server's version as a number: 150018 for 15.18.
    public var serverVersion: Int { unsafe Int(PQserverVersion(handle)) }
    /// The role that the session was opened for.
    public var user: String { unsafe PQuser(handle).map { unsafe String(cString: $0) } ?? "" }
    /// The database's name.
    public var database: String { unsafe PQdb(handle).map { unsafe String(cString: $0) } ?? "" }
    /// Where the server was reached: a host's name or address, or the folder of its socket, and the port behind a colon.
    public var address: String {
        let host = unsafe PQhost(handle).map { unsafe String(cString: $0) } ?? ""
        let port = unsafe PQport(handle).map { unsafe String(cString: $0) } ?? ""
        return "\(host):\(port)"
    }
    /// A setting that the server reports by itself, such as `in_hot_standby`.
    public func reported(_ name: String) -> String? {
        unsafe PQparameterStatus(handle, name).map { unsafe String(cString: $0) }
    }

    /// The encoding of the database, by PostgreSQL's own name for it; `UTF8` where the server does not say (behind a pooler).
    public var serverEncoding: String { reported("server_encoding") ?? "UTF8" }

    /// What the session sends and gets texts in: UTF-8, into which the server converts what is stored otherwise. A database without an encoding
    /// (SQL_ASCII) converts nothing, and would refuse to send bytes that are no UTF-8; so it is asked for what is there, as psql does without a
    /// terminal.
    public var clientEncoding: String { serverEncoding == "SQL_ASCII" ? "SQL_ASCII" : "UTF8" }

    /// Where the session stands between statements.
    public enum TransactionStatus: Sendable, Equatable {
        case idle, active, inTransaction, inFailedTransaction, unknown
    }
    /// Where the session stands, by libpq's count of what the server said last.
    public var transactionStatus: TransactionStatus {
        switch unsafe PQtransactionStatus(handle) {
        case PQTRANS_IDLE: .idle
        case PQTRANS_ACTIVE: .active
        case PQTRANS_INTRANS: .inTransaction
        case PQTRANS_INERROR: .inFailedTransaction
        default: .unknown
        }
    }

    /// Reads what has arrived without waiting; false once the session is gone.
    public func consumeInput() -> Bool { unsafe PQconsumeInput(handle) == 1 && isAlive }

    /// The notifications that have arrived.
    public func notifications() -> [Notification] {
        var found: [Notification] = []
        while let next = unsafe PQnotifies(handle) {
            unsafe found.append(
                Notification(
                    channel: String(cString: next.pointee.relname), payload: String(cString: next.pointee.extra),
                    backendPID: next.pointee.be_pid))
            unsafe PQfreemem(next)
        }
        return found
    }

    /// A ticket by which the running statement can be cancelled from any thread.
    public func cancellation() -> Cancellation? { Cancellation(self) }
}

/// Cancels what a session is running at the moment, through a connection of its own (PostgreSQL manual 34.7).
@safe
public final class Cancellation: @unchecked Sendable {
    // Guarded by libpq: PQcancel is documented as safe for use from another thread, and the handle never changes.
    private let handle: OpaquePointer

    init?(_ connection: Connection) {
        guard let handle = unsafe PQgetCancel(connection.handle) else { return nil }
        unsafe self.handle = handle
    }

    deinit { unsafe PQfreeCancel(handle) }

    /// Asks the server to cancel; blocks for as long as that takes. Returns libpq's words where it could not ask.
    public func cancel() -> String? {
        var words = [CChar](repeating: 0, count: 256)
        if unsafe PQcancel(handle, &words, Int32(words.count)) == 1 { return nil }
        return String(decoding: words.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self).trimmingLineEnd
    }

    /// Asks the server to cancel, in a thread of its own; whether it did so is seen by how the statement ends.
    ///
    /// Where there is no thread to be had nothing is asked, and the caller's patience ends the session instead.
    public func cancelInBackground() {
        _ = BackgroundThread.start { _ = self.cancel() }
    }
}

/// Keeps the receiver of notices at one address for libpq's callback.
final class NoticeSink {
    var receive: ((Notice) -> Void)?
    /// How many have come since the server answered last.
    var count = 0
    /// Why the server has ended the session while nothing ran in it.
    var fatal: Notice?
}

/// A null-terminated list of C strings that lives as long as this value.
@safe
final class CStrings {
    let pointer: UnsafePointer<UnsafePointer<CChar>?>
    private let storage: UnsafeMutablePointer<UnsafePointer<CChar>?>
    private let count: Int

    init(_ strings: [String]) {
        count = strings.count
        unsafe storage = .allocate(capacity: count + 1)
        for (index, string) in strings.enumerated() {
            let bytes = Array(string.utf8CString)
            let copy = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count)
            unsafe copy.initialize(from: bytes, count: bytes.count)
            unsafe (storage + index).initialize(to: UnsafePointer(copy))
        }
        unsafe (storage + count).initialize(to: nil)
        unsafe pointer = UnsafePointer(storage)
    }

    deinit {
        for index in 0..<count { unsafe storage[index]?.deallocate() }
        unsafe storage.deallocate()
    }
}
