internal import Glibc
internal import Reporting

/// Writes entries to the journal by its native protocol, never waiting for it.
///
/// What the journal does not take at once waits in a queue of bounded count and size and is sent when poll(2) says so; what does not fit
/// in the queue is dropped and counted. An entry that was taken is not thereby on disk: journald may die before that, and nobody is told.
/// When journald is restarted or its socket recreated, entries wait and the connection is made again.
public final class JournalWriter: PollSource {
    /// The bounds of the queue.
    public struct Bounds: Sendable {
        /// Entries at most.
        public var entries: Int
        /// Bytes at most.
        public var bytes: Int
        /// Bounds from their parts.
        public init(entries: Int = 4096, bytes: Int = 8 << 20) {
            self.entries = entries
            self.bytes = bytes
        }
    }

    /// Where journald listens.
    public static let standardPath = "/run/systemd/journal/socket"
    private static let reconnectFirst = TimeSpan.seconds(1)
    private static let reconnectAtMost = TimeSpan.seconds(60)
    /// How long to wait before the next look for a journal that has gone: each time longer, so that its absence wakes nobody for ever.
    private var reconnectAfter = JournalWriter.reconnectFirst

    private let path: String
    private let bounds: Bounds
    private let isExpected: Bool
    private var socket: DatagramSocket?
    private var wasConnected = false
    private var queue: [JournalEntry] = []
    private var queuedBytes = 0
    private var dropped = 0
    private var reconnectAt: Instant?

    /// A writer to the journal that listens at `path`. Where none `isExpected` and none has ever been reached nothing waits for one, and
    /// nothing is counted as lost.
    public init(path: String = JournalWriter.standardPath, bounds: Bounds = Bounds(), isExpected: Bool = true) {
        self.path = path
        self.bounds = bounds
        self.isExpected = isExpected
        connect()
    }

    /// Whether there is a journal: one that was reached once counts even while it is away, because its entries are kept for it. Looks
    /// again each time while there has been none.
    public var isAvailable: Bool {
        if socket == nil, !wasConnected { connect() }
        return wasConnected
    }

    /// Whether journald keeps a field of this name: `A` to `Z`, `0` to `9` and `_`, at most 64, the first a letter. It drops all others
    /// in silence.
    public static func isFieldName(_ name: String) -> Bool {
        guard let first = name.utf8.first, name.utf8.count <= 64 else { return false }
        let letters = UInt8(ascii: "A")...UInt8(ascii: "Z")
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        return letters.contains(first)
            && name.utf8.allSatisfy { letters.contains($0) || digits.contains($0) || $0 == UInt8(ascii: "_") }
    }

    /// Sends an entry, or queues it, or drops and counts it; never waits. Every name must satisfy `isFieldName`. Where the kernel refuses
    /// the size, the longest values are cut. Returns whether the entry is on its way.
    @discardableResult
    public func send(_ fields: [(name: String, value: [UInt8])]) -> Bool {
        guard isExpected || isAvailable else { return false }
        let entry = JournalEntry(fields)
        drain()
        if queue.isEmpty {
            let lost = dropped
            if transmit(entry) { return dropped == lost }
        }
        let size = entry.size
        guard queue.count < bounds.entries, queuedBytes + size <= bounds.bytes else {
            dropped += 1
            return false
        }
        queue.append(entry)
        queuedBytes += size
        planReconnect()
        return true
    }

    /// The same for text.
    @discardableResult
    public func send(_ fields: [(name: String, value: String)]) -> Bool {
        send(fields.map { (name: $0.name, value: Array($0.value.utf8)) })
    }

    /// How many entries were lost since this was last asked.
    public func takeDropped() -> Int {
        defer { dropped = 0 }
        return dropped
    }

    /// How many entries wait.
    public var queued: Int { queue.count }

    /// Sends what waits, at most until `end`; what is left then is dropped, counted and forgotten. For the exit.
    public func flush(until end: Instant) {
        drain()
        while !queue.isEmpty, let socket, socket.awaitRoom(until: end) {
            drain()
            if Instant.now() >= end { break }
        }
        dropped += queue.count
        queue = []
        queuedBytes = 0
        reconnectAt = nil
    }

    /// The socket, while there is a connection.
    public var descriptor: Int32? { socket?.descriptor }
    /// For writing, while entries wait.
    public var interest: PollInterest { queue.isEmpty ? [] : .write }
    /// When to look for a journal that has gone away, while entries wait for it.
    public var deadline: Instant? { queue.isEmpty ? nil : reconnectAt }
    /// Sends what waits.
    public func ready(_ events: PollInterest, now: Instant) { drain() }

    /// Looks for the journal.
    public func deadlinePassed(now: Instant) {
        reconnectAt = nil
        drain()
    }

    private func connect() {
        socket = try? DatagramSocket(to: path)
        if socket != nil {
            wasConnected = true
            reconnectAt = nil
            reconnectAfter = JournalWriter.reconnectFirst
        }
    }

    private func drain() {
        var sent = 0
        while sent < queue.count, transmit(queue[sent]) {
            queuedBytes -= queue[sent].size
            sent += 1
        }
        queue.removeFirst(sent)
        planReconnect()
    }

    private func planReconnect() {
        guard socket == nil, !queue.isEmpty, reconnectAt == nil else { return }
        reconnectAt = .now() + reconnectAfter
        reconnectAfter = min(TimeSpan(microseconds: reconnectAfter.microseconds * 2), JournalWriter.reconnectAtMost)
    }

    /// Whether the entry is off our hands: taken by the journal, or dropped and counted because it can never be sent.
    private func transmit(_ entry: JournalEntry) -> Bool {
        var entry = entry
        var reconnected = false
        while true {
            if socket == nil {
                if reconnected { return false }
                connect()
                reconnected = true
            }
            guard let socket else { return false }
            switch socket.send(entry.bytes) {
            case 0: return true
            case EAGAIN: return false
            case EMSGSIZE, ENOBUFS, ENOMEM:
                // More than the socket's buffer, or more than the kernel finds memory for in one piece.
                guard let shorter = entry.shortened(to: entry.size / 2) else {
                    dropped += 1
                    return true
                }
                entry = shorter
            default:
                // The journal has gone away (ECONNREFUSED, then ENOTCONN): one try on a new connection.
                self.socket = nil
                if reconnected { return false }
            }
        }
    }
}
