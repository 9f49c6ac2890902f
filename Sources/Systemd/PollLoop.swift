internal import Glibc
internal import Reporting

/// What a source waits for on its descriptor.
public struct PollInterest: OptionSet, Sendable {
    /// The bits.
    public var rawValue: UInt8
    /// An interest from its bits.
    public init(rawValue: UInt8) { self.rawValue = rawValue }
    /// Until it can be read from.
    public static let read = PollInterest(rawValue: 1)
    /// Until it can be written to.
    public static let write = PollInterest(rawValue: 2)
}

/// Something that the daemon waits for: a descriptor, a deadline, or both. Asked anew at every turn.
public protocol PollSource: AnyObject {
    /// The descriptor to wait on; nil while there is none.
    var descriptor: Int32? { get }
    /// What to wait for on it; empty for nothing but the deadline.
    var interest: PollInterest { get }
    /// When `deadlinePassed` is wanted. A source that was told moves or clears it, else it is told at every turn.
    var deadline: Instant? { get }
    /// The descriptor is ready, or has failed (then with the whole interest, so that the next read or write sees the error).
    func ready(_ events: PollInterest, now: Instant)
    /// The deadline has passed.
    func deadlinePassed(now: Instant)
}

/// One thread, one poll(2): everything that the daemon waits for is a source in it.
///
/// Sources are served in the order in which they were added; a source may add and remove sources while it is served. Deadlines are kept
/// to the millisecond, rounded up.
public final class PollLoop {
    private var sources: [any PollSource] = []

    /// An empty loop.
    public init() {}

    /// Waits for `source` too from the next turn on; adding it twice changes nothing.
    public func add(_ source: any PollSource) {
        if !contains(source) { sources.append(source) }
    }

    /// No longer waits for `source`; it is not served again, not even in the turn that runs.
    public func remove(_ source: any PollSource) { sources.removeAll { $0 === source } }

    private func contains(_ source: any PollSource) -> Bool { sources.contains { $0 === source } }

    /// Waits until a source is ready, a source's deadline has passed or `limit` has come; serves all that is due; returns.
    ///
    /// A deadline that has passed is served even while descriptors are ready without a pause. Signals do not end the wait by themselves.
    public func turn(until limit: Instant?) throws(SystemFailure) {
        let waiting = sources
        var descriptors: [pollfd] = []
        var owners: [Int] = []
        for (index, source) in waiting.enumerated() {
            guard let descriptor = source.descriptor, !source.interest.isEmpty else { continue }
            descriptors.append(pollfd(fd: descriptor, events: source.interest.events, revents: 0))
            owners.append(index)
        }
        let end = (waiting.compactMap(\.deadline) + [limit].compactMap(\.self)).min()
        try PollLoop.wait(&descriptors, until: end)

        let now = Instant.now()
        for (entry, owner) in zip(descriptors, owners) where entry.revents != 0 {
            let source = waiting[owner]
            let events = PollInterest(occurred: entry.revents, asked: source.interest)
            if !events.isEmpty, contains(source) { source.ready(events, now: now) }
        }
        for source in waiting {
            if let deadline = source.deadline, deadline <= now, contains(source) { source.deadlinePassed(now: now) }
        }
    }

    /// poll(2) until `end`, again after a signal.
    static func wait(_ descriptors: inout [pollfd], until end: Instant?) throws(SystemFailure) {
        while true {
            let timeout = end.map { milliseconds(from: .now(), to: $0) } ?? -1
            let result = unsafe poll(&descriptors, nfds_t(descriptors.count), timeout)
            if result > 0 || (result == 0 && timeout < Int32.max) { return }
            if result < 0, errno != EINTR { throw .last("wait for descriptors") }
        }
    }

    /// What poll(2) is to be given: rounded up, because a wait that ends early would turn the loop in vain.
    static func milliseconds(from now: Instant, to end: Instant) -> Int32 {
        end <= now ? 0 : Int32(clamping: ((end - now).microseconds - 1) / 1000 + 1)
    }
}

extension PollInterest {
    fileprivate var events: Int16 {
        Int16(contains(.read) ? POLLIN : 0) | Int16(contains(.write) ? POLLOUT : 0)
    }

    fileprivate init(occurred: Int16, asked: PollInterest) {
        self = []
        if occurred & Int16(POLLIN) != 0 { insert(.read) }
        if occurred & Int16(POLLOUT) != 0 { insert(.write) }
        if occurred & Int16(POLLERR | POLLHUP | POLLNVAL) != 0 { formUnion(asked) }
    }
}
