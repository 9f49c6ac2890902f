import Glibc
import Synchronization

/// A TCP port on a loopback address of its own, at which something listens that is no PostgreSQL: what it says to each session is the test's, and
/// what it is sent is kept.
public final class Listener: Sendable {
    /// Its address in digits.
    public let address: String
    /// Its port.
    public let port: UInt16
    /// All that was sent to it so far.
    public var received: [UInt8] { kept.bytes.withLock { $0 } }

    private let descriptor: Int32
    private let kept = Kept()

    /// One session, as the listener's thread has it.
    public struct Session: ~Copyable {
        private let descriptor: Int32
        private let kept: Kept

        fileprivate init(_ descriptor: Int32, _ kept: Kept) {
            self.descriptor = descriptor
            self.kept = kept
        }

        deinit { close(descriptor) }

        /// What comes next, in one piece of at most 64 KiB; empty where the client has gone or says nothing for 10 s.
        public func read() -> [UInt8] {
            var buffer = [UInt8](repeating: 0, count: 65536)
            let count = recv(descriptor, &buffer, buffer.count, 0)
            guard count > 0 else { return [] }
            kept.bytes.withLock { $0 += buffer[..<count] }
            return Array(buffer[..<count])
        }

        /// Says `bytes`.
        public func write(_ bytes: [UInt8]) { try? writeAll(bytes, to: descriptor) }
    }

    fileprivate final class Kept: Sendable { let bytes = Mutex<[UInt8]>([]) }

    /// Begins to listen; `serve` is called for each session, one after the other, in a thread of their own.
    public init(_ serve: @escaping @Sendable (borrowing Session) -> Void) throws {
        address = "127.\(Int.random(in: 1...254)).\(Int.random(in: 0...254)).\(Int.random(in: 1...254))"
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var place = sockaddr_in()
        place.sin_family = sa_family_t(AF_INET)
        inet_pton(AF_INET, address, &place.sin_addr)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let fd = descriptor
        let bound = withUnsafeMutablePointer(to: &place) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(fd, $0, length) == 0 && listen(fd, 16) == 0 && getsockname(fd, $0, &length) == 0
            }
        }
        guard fd >= 0, bound else { throw LiveFailure("no port at \(address): \(lastError())") }
        port = UInt16(bigEndian: place.sin_port)
        let kept = kept
        let work = Unmanaged.passRetained(
            Work {
                while true {
                    let client = accept(fd, nil, nil)
                    guard client >= 0 else { return }
                    var limit = timeval(tv_sec: 10, tv_usec: 0)
                    setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
                    serve(Session(client, kept))
                }
            })
        var thread = pthread_t()
        let failed = pthread_create(
            &thread, nil,
            { context in
                if let context { Unmanaged<Work>.fromOpaque(context).takeRetainedValue().body() }
                return nil
            }, work.toOpaque())
        guard failed == 0 else { throw LiveFailure("no thread for the listener") }
        pthread_detach(thread)
    }

    deinit {
        // Wakes the thread out of accept(2), which then ends.
        shutdown(descriptor, Int32(SHUT_RDWR))
        close(descriptor)
    }

    private final class Work: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
}
