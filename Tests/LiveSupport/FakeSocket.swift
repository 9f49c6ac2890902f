import Glibc
import Synchronization

/// A datagram socket that stands where systemd or journald listen, and keeps what it is sent.
///
/// It reads only when it is asked what has come: until then it is a service that stands still.
public final class FakeSocket: Sendable {
    /// Where it is.
    public let path: String
    private let descriptor: Int32
    private let received = Mutex<[[UInt8]]>([])

    /// Binds a socket at `path`, of less than 108 bytes.
    public init(_ path: String) throws {
        self.path = path
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { place in
            for (index, byte) in path.utf8.prefix(place.count - 1).enumerated() { place[index] = byte }
        }
        let bound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard descriptor >= 0, bound == 0 else {
            throw LiveFailure("no socket '\(path)': \(lastError())")
        }
        var size: Int32 = 8 << 20
        setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, 4)
    }

    deinit { close(descriptor) }

    /// Every datagram so far.
    public var datagrams: [[UInt8]] {
        received.withLock { received in
            var buffer = [UInt8](repeating: 0, count: 1 << 18)
            while true {
                let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
                if count <= 0 { return received }
                received.append(Array(buffer[..<count]))
            }
        }
    }

    /// All of them as text, one behind the other.
    public var text: String { datagrams.map { String(decoding: $0, as: UTF8.self) }.joined(separator: "\n") }

    /// Forgets what has come so far.
    public func clear() {
        _ = datagrams
        received.withLock { $0 = [] }
    }
}
