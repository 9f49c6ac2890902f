#if canImport(Glibc)
    internal import Glibc
#endif

/// What a connection waits for on its socket.
public struct SocketInterest: OptionSet, Sendable {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }
    /// The socket can be read.
    public static let read = SocketInterest(rawValue: 1)
    /// The socket can be written.
    public static let write = SocketInterest(rawValue: 2)
}

/// Whoever owns the program's one place of waiting. A connection never blocks by itself: it asks its waiter.
public protocol SocketWaiter: AnyObject {
    /// Returns true once `descriptor` is ready for one of `interest`, or false to give the operation up.
    ///
    /// After false the connection is unusable: the server may still be at work on what was sent.
    func wait(for descriptor: Int32, _ interest: SocketInterest) -> Bool
}

/// A waiter for programs that have nothing else to wait for.
public final class BlockingWaiter: SocketWaiter {
    /// After so many milliseconds a single wait is given up; -1 for never.
    public var limit: Int32

    /// A waiter that gives up a single wait after `limit` milliseconds; -1 for none.
    public init(limit: Int32 = -1) { self.limit = limit }

    /// Blocks in poll(2) until the descriptor is ready.
    public func wait(for descriptor: Int32, _ interest: SocketInterest) -> Bool {
        var events: Int16 = 0
        if interest.contains(.read) { events |= Int16(POLLIN) }
        if interest.contains(.write) { events |= Int16(POLLOUT) }
        var entry = pollfd(fd: descriptor, events: events, revents: 0)
        while true {
            let count = unsafe poll(&entry, 1, limit)
            if count > 0 { return true }
            if count == 0 || errno != EINTR { return false }
        }
    }
}
