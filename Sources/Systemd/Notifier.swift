internal import Glibc
public import Reporting

/// Tells the service manager about the state of the service; the protocol of sd_notify(3).
///
/// Without a service manager (NOTIFY_SOCKET unset, unusable, or nobody there) every call does nothing. No call waits longer than a
/// second. The text of a status is escaped to one line, so that it can forge no assignment.
public struct Notifier {
    private let channel: NotifyChannel
    private var lastStatus: String?

    /// The service manager of this process. Takes NOTIFY_SOCKET out of the environment, so that no child can speak in our name: made once,
    /// before a second thread starts.
    public init() {
        self.init(socket: Process.environment("NOTIFY_SOCKET"))
        unsafe unsetenv("NOTIFY_SOCKET")
    }

    /// The service manager that listens at `socket`; nil for none.
    public init(socket: String?) { channel = NotifyChannel(path: socket) }

    /// The service is up; also the end of a reload.
    public mutating func ready(status: String) { assign(["READY=1"], status: status) }

    /// A new status, sent only where it differs from the last.
    public mutating func status(_ text: String) {
        let line = Notifier.line(text)
        if line != lastStatus { assign([], status: text) }
    }

    /// The configuration is being read again; `ready(status:)` says that it is done.
    public func reloading() {
        channel.send(["RELOADING=1", "MONOTONIC_USEC=\(Instant.now().microseconds)"], patience: .seconds(1))
    }

    /// The service is going down.
    public mutating func stopping(status: String) { assign(["STOPPING=1"], status: status) }

    /// Asks for more time for the start, the reload or the stop that is going on, counted from now.
    public func extendTimeout(_ span: TimeSpan) {
        channel.send(["EXTEND_TIMEOUT_USEC=\(span.microseconds)"], patience: .seconds(1))
    }

    /// The error number that the service ends with, shown as `StatusErrno`.
    public func errno(_ number: Int32) { channel.send(["ERRNO=\(number)"], patience: .seconds(1)) }

    /// A sign of life. Not waited for: the next one comes soon enough.
    func alive() { channel.send(["WATCHDOG=1"], patience: TimeSpan(microseconds: 0)) }

    private mutating func assign(_ assignments: [String], status: String) {
        let line = Notifier.line(status)
        let patience: TimeSpan = assignments.isEmpty ? TimeSpan(microseconds: 0) : .seconds(1)
        // What was not taken is not the last status: the next call tries again.
        lastStatus = channel.send(assignments + ["STATUS=\(line)"], patience: patience) ? line : nil
    }

    /// One line, well below the 4096 bytes that the service manager reads of a message.
    private static func line(_ text: String) -> String { Printable.line(text, limit: 2048) }
}

/// The socket to the service manager, opened when first needed and again after a failure.
private final class NotifyChannel {
    private let path: String?
    private var socket: DatagramSocket?

    init(path: String?) { self.path = path }

    @discardableResult func send(_ assignments: [String], patience: TimeSpan) -> Bool {
        guard let path else { return false }
        let message = Array(assignments.map { $0 + "\n" }.joined().utf8)
        let end = Instant.now() + patience
        var reconnected = false
        while true {
            if socket == nil {
                socket = try? DatagramSocket(to: path)
                reconnected = true
            }
            guard let socket else { return false }
            switch socket.send(message) {
            case 0: return true
            case EAGAIN:
                if !socket.awaitRoom(until: end) { return false }
                if Instant.now() >= end { return false }
            default:
                self.socket = nil
                if reconnected { return false }
            }
        }
    }
}
