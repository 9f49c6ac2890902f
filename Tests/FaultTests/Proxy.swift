import Glibc
import LiveSupport
import Synchronization

/// A socket in front of a server's that hands PostgreSQL's messages on one by one, and breaks the way at a chosen one.
///
/// It reads the frames of protocol 3 (PostgreSQL manual 55.7) and counts them over all sessions, each direction for itself. Requests
/// to cancel are handed on uncounted: they come from another thread of the client, so that their place is not the same in each run.
final class Proxy: Sendable {
    enum Direction: String, Sendable, CaseIterable { case toServer, toClient }

    /// What happens at the chosen message.
    enum Kind: String, Sendable {
        /// Both sides are closed and the message is lost.
        case cut
        /// Its first half is handed on, then both sides are closed.
        case half
        /// It is handed on, and of what the server says to it nothing: when the server has done, both sides are closed.
        case swallow
        /// It is handed on late.
        case delay
        /// It is handed on, and nothing of its session after it, in either direction; nobody closes anything.
        case silence
        /// Something else goes in its place; once its session has been still for a while, both sides are closed.
        case forge
    }

    struct Fault: Sendable, CustomStringConvertible {
        var kind: Kind
        /// What goes in the message's place.
        var forgery: @Sendable ([UInt8]) -> [UInt8] = { $0 }
        var direction: Direction
        /// Counted from 1.
        var number: Int
        /// Whether nobody gets through any more afterwards.
        var persists = false
        var description: String { "\(kind.rawValue) \(direction.rawValue) \(number)\(persists ? ", for good" : "")" }
    }

    /// One message as it went by.
    struct Message: Sendable {
        var direction: Direction
        /// The first byte of its frame; 0 for the first message of a session, which has none.
        var type: UInt8
        /// Whether it holds the word COMMIT.
        var commits: Bool
        /// Whether it is the text of a file with an effect.
        var isFile = false
    }

    /// Where clients find it: `host=`.
    var directory: String { folder.path }
    /// What went by so far.
    var messages: [Message] { seen.withLock { $0 } }
    /// Whether the chosen message has come.
    var hasStruck: Bool { struck.load(ordering: .acquiring) }

    private let folder: TemporaryDirectory
    private let server: String
    private let fault: Fault?
    private let listener: Int32
    private let wake: [Int32]
    private let seen = Mutex<[Message]>([])
    private let struck = Atomic<Bool>(false)
    private let ended = Atomic<Bool>(false)

    init(to cluster: Cluster, _ fault: Fault? = nil) throws {
        folder = try TemporaryDirectory()
        server = cluster.directory + "/.s.PGSQL.5432"
        self.fault = fault
        let socket = try localSocket()
        try withAddress(folder.path(".s.PGSQL.5432")) { address, length in
            guard bind(socket, address, length) == 0, listen(socket, 16) == 0 else {
                throw LiveFailure("the proxy cannot listen: \(String(cString: strerror(errno)))")
            }
        }
        listener = socket
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw LiveFailure("no pipe for the proxy") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        wake = ends
        // A thread of its own: a task would take one of the few that the tests themselves run on.
        let work = Unmanaged.passRetained(Work(listener, ends[0], server, fault, seenBy: self))
        var thread = pthread_t()
        guard
            pthread_create(
                &thread, nil,
                { context in
                    guard let context else { return nil }
                    Unmanaged<Work>.fromOpaque(context).takeRetainedValue().serve()
                    return nil
                }, work.toOpaque()) == 0
        else { throw LiveFailure("no thread for the proxy") }
        pthread_detach(thread)
    }

    /// The thread sees the pipe's end, closes every session and goes.
    deinit { close(wake[1]) }

    /// Notes a message; true where it is the one to break at.
    fileprivate func note(_ message: Message) -> Bool {
        let number = seen.withLock { seen in
            seen.append(message)
            return seen.count { $0.direction == message.direction }
        }
        guard let fault, fault.direction == message.direction, fault.number == number else { return false }
        struck.store(true, ordering: .releasing)
        return true
    }
}

private func localSocket() throws -> Int32 {
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw LiveFailure("socket: \(String(cString: strerror(errno)))") }
    return descriptor
}

private func withAddress<Value>(
    _ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) throws -> Value
) rethrows -> Value {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix(107)) }
    return try withUnsafePointer(to: &address) { pointer in
        try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            try body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
        }
    }
}

/// The proxy's thread.
private final class Work {
    private struct Session {
        var client: Int32
        var server: Int32
        var fromClient: [UInt8] = []
        var fromServer: [UInt8] = []
        var isOpen = true
        var hasBegun = false
        /// Its answers are swallowed until the server is done.
        var isMuted = false
        /// Nothing gets through any more.
        var isSilent = false
        /// Its messages are not the server's any more: each side may wait for the other for ever.
        var isForged = false
    }

    private var listener: Int32
    private let wake: Int32
    private let server: String
    private let fault: Proxy.Fault?
    private weak let proxy: Proxy?
    private var sessions: [Session] = []

    init(_ listener: Int32, _ wake: Int32, _ server: String, _ fault: Proxy.Fault?, seenBy proxy: Proxy) {
        self.listener = listener
        self.wake = wake
        self.server = server
        self.fault = fault
        self.proxy = proxy
    }

    func serve() {
        while true {
            var polled = [pollfd(fd: wake, events: 0, revents: 0)]
            polled.append(pollfd(fd: listener, events: Int16(POLLIN), revents: 0))
            for session in sessions {
                polled.append(pollfd(fd: session.client, events: Int16(POLLIN), revents: 0))
                polled.append(pollfd(fd: session.server, events: Int16(POLLIN), revents: 0))
            }
            let count = sessions.count
            let isForged = sessions.contains { $0.isForged }
            let ready = poll(&polled, nfds_t(polled.count), isForged ? 300 : -1)
            if ready < 0 { continue }
            if ready == 0 {
                for index in sessions.indices where sessions[index].isForged { end(index) }
                sessions.removeAll { !$0.isOpen }
                continue
            }
            if polled[0].revents != 0 { break }
            if polled[1].revents != 0 { accept() }
            for index in 0..<count {
                if sessions[index].isOpen, polled[2 + 2 * index].revents != 0 { read(index, .toServer) }
                if sessions[index].isOpen, polled[3 + 2 * index].revents != 0 { read(index, .toClient) }
            }
            sessions.removeAll { !$0.isOpen }
        }
        for index in sessions.indices { end(index) }
        if listener >= 0 { close(listener) }
        close(wake)
    }

    private func accept() {
        let client = Glibc.accept(listener, nil, nil)
        guard client >= 0 else { return }
        _ = fcntl(client, F_SETFD, FD_CLOEXEC)
        guard let server = try? localSocket() else {
            close(client)
            return
        }
        guard withAddress(self.server, { connect(server, $0, $1) }) == 0 else {
            close(client)
            close(server)
            return
        }
        sessions.append(Session(client: client, server: server))
    }

    private func end(_ index: Int) {
        guard sessions[index].isOpen else { return }
        close(sessions[index].client)
        close(sessions[index].server)
        sessions[index].isOpen = false
    }

    private func read(_ index: Int, _ direction: Proxy.Direction) {
        var buffer = [UInt8](repeating: 0, count: 65536)
        let from = direction == .toServer ? sessions[index].client : sessions[index].server
        let count = recv(from, &buffer, buffer.count, 0)
        guard count > 0 else { return end(index) }
        if direction == .toServer {
            sessions[index].fromClient += buffer[..<count]
        } else {
            sessions[index].fromServer += buffer[..<count]
        }
        while sessions[index].isOpen, let message = take(index, direction) { pass(message, index, direction) }
    }

    /// The next whole frame.
    private func take(_ index: Int, _ direction: Proxy.Direction) -> [UInt8]? {
        let bytes = direction == .toServer ? sessions[index].fromClient : sessions[index].fromServer
        let isFirst = direction == .toServer && !sessions[index].hasBegun
        let head = isFirst ? 0 : 1
        guard bytes.count >= head + 4 else { return nil }
        let length = bytes[head..<(head + 4)].reduce(0) { $0 << 8 | Int($1) } + head
        guard bytes.count >= length else { return nil }
        if direction == .toServer {
            sessions[index].fromClient.removeFirst(length)
            sessions[index].hasBegun = true
        } else {
            sessions[index].fromServer.removeFirst(length)
        }
        return Array(bytes[..<length])
    }

    private func pass(_ bytes: [UInt8], _ index: Int, _ direction: Proxy.Direction) {
        let to = direction == .toServer ? sessions[index].server : sessions[index].client
        // The first message of a session has no type: its first byte is that of a length below 16 MB.
        let cancels = bytes.count == 16 && bytes[4..<8].elementsEqual([0x04, 0xD2, 0x16, 0x2E])
        if cancels { return send(bytes, to) }
        if sessions[index].isSilent { return }
        let text = direction == .toServer ? String(decoding: bytes, as: UTF8.self) : ""
        let isFile = bytes[0] == UInt8(ascii: "Q") && text.contains("INSERT INTO counter")
        let message = Proxy.Message(
            direction: direction, type: bytes[0], commits: text.contains("COMMIT\0"), isFile: isFile)
        if proxy?.note(message) == true, let fault {
            switch fault.kind {
            case .cut: return strike(index, fault)
            case .half:
                send(Array(bytes.prefix(bytes.count / 2)), to)
                return strike(index, fault)
            case .swallow: sessions[index].isMuted = true
            case .delay: usleep(50_000)
            case .silence: sessions[index].isSilent = true
            case .forge:
                sessions[index].isForged = true
                return send(fault.forgery(bytes), to)
            }
        }
        guard sessions[index].isMuted, direction == .toClient else { return send(bytes, to) }
        if bytes[0] == UInt8(ascii: "Z"), let fault { strike(index, fault) }
    }

    private func strike(_ index: Int, _ fault: Proxy.Fault) {
        end(index)
        guard fault.persists else { return }
        for index in sessions.indices { end(index) }
        if listener >= 0 { close(listener) }
        listener = -1
    }

    private func send(_ bytes: [UInt8], _ to: Int32) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.send(to, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            // The other side's end is seen by the next poll.
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }
}
